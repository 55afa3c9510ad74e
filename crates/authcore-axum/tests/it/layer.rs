use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use authcore::{AuthError, Authenticator, Guard, Identity, Isolation, Method, Refusal, RequestHead, UserId};
use authcore_axum::{AuthFuture, AuthLayer, CurrentUser, OptionalUser, Reject, Scope, require_role};
use authcore_testkit::mint;
use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use axum::routing::get;
use http::{Request, Response, StatusCode, header};
use tower::{Layer as _, Service, ServiceExt as _};

use crate::{guard, key, text};

/// Believes every `x-user`, after waiting: what is judged elsewhere takes this way.
struct Slow;

impl Authenticator for Slow {
    type Credential = UserId;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<UserId>, AuthError> {
        let name = head.sole_field("x-user").map_err(|_| AuthError::MalformedBearer)?;
        Ok(name.and_then(|name| std::str::from_utf8(name).ok()).and_then(|name| UserId::new(name).ok()))
    }

    async fn verify(&self, user: UserId) -> Result<Identity, AuthError> {
        for _ in 0..user.as_str().len() % 5 {
            tokio::task::yield_now().await;
        }
        if user.as_str() == "mallory" { Err(AuthError::BadSignature) } else { Ok(identity(user)) }
    }
}

fn identity(user: UserId) -> Identity {
    Identity::assertion(user, Method::Other("test")).into_identity()
}

fn slow_guard() -> Guard {
    Guard::builder().authenticator(Slow).isolate(Isolation::path("/{user_id}/**")).build().expect("sane settings")
}

fn signed(target: &str) -> Request<Body> {
    let token = mint().sign(key());
    let request = Request::get(target).header(header::AUTHORIZATION, format!("Bearer {token}"));
    request.body(Body::empty()).expect("a request")
}

/// Counts on being called only as the instance that said it was ready.
#[derive(Default)]
struct Strict {
    is_ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Request<Body>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "another instance was asked whether it is ready");
        ready(Ok(Response::new("served".to_owned())))
    }
}

#[tokio::test]
async fn the_instance_that_is_called_is_the_one_that_was_ready() {
    let mut at_once = AuthLayer::new(guard().build().expect("sane settings")).layer(Strict::default());
    let mut waiting = AuthLayer::new(slow_guard()).layer(Strict::default());
    for _ in 0..3 {
        let response = at_once.ready().await.expect("infallible").call(signed("/")).await.expect("infallible");
        assert_eq!(text(response).await, "served");
        let request = Request::get("/ann").header("x-user", "ann").body(Body::empty()).expect("a request");
        let response = waiting.ready().await.expect("infallible").call(request).await.expect("infallible");
        assert_eq!(text(response).await, "served");
    }
}

#[tokio::test]
async fn callers_are_told_apart_however_their_requests_interleave() {
    let app = Router::new()
        .route(
            "/{owner}/who",
            get(async |user: CurrentUser, scope: Scope| format!("{} {}", user.user_id(), scope.owner())),
        )
        .layer(AuthLayer::new(slow_guard()));
    let mut requests = tokio::task::JoinSet::new();
    for at in 0..200_usize {
        let (app, name) = (app.clone(), format!("user{}", "x".repeat(at % 7)) + &at.to_string());
        requests.spawn(async move {
            let request = Request::get(format!("/{name}/who")).header("x-user", &name);
            let response = app.oneshot(request.body(Body::empty()).expect("a request")).await.expect("infallible");
            assert_eq!(text(response).await, format!("{name} {name}"));
        });
    }
    while let Some(done) = requests.join_next().await {
        done.expect("the right caller");
    }
}

#[tokio::test]
async fn a_refusal_after_waiting_reads_like_one_at_once() {
    let app = Router::new().fallback(|| async {}).layer(AuthLayer::new(slow_guard()));
    let request = |user, target| Request::get(target).header("x-user", user).body(Body::empty()).expect("a request");

    let response = app.clone().oneshot(request("mallory", "/mallory")).await.expect("infallible");
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert!(text(response).await.contains(r#""code":"token_invalid""#));
    let response = app.oneshot(request("ann", "/bob")).await.expect("infallible");
    assert!(text(response).await.contains(r#""code":"not_owner""#));
}

#[tokio::test]
async fn without_a_layer_extractors_answer_internal_and_never_anonymous() {
    let app = Router::new()
        .route("/user", get(async |_: CurrentUser| ()))
        .route("/option", get(async |_: Option<CurrentUser>| ()))
        .route("/optional", get(async |_: OptionalUser| ()))
        .route("/scope", get(async |_: Scope| ()))
        .route("/role", get(async || ()).route_layer(require_role("admin")));
    for target in ["/user", "/option", "/optional", "/scope", "/role"] {
        let response = app.clone().oneshot(signed(target)).await.expect("infallible");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{target}");
        assert!(text(response).await.contains(r#""code":"internal""#), "{target}");
    }
}

#[tokio::test]
async fn a_handler_that_needs_a_caller_refuses_nobody_on_an_optional_path() {
    let app = Router::new()
        .route("/user", get(async |_: CurrentUser| ()))
        .route("/scope", get(async |_: Scope| ()))
        .layer(AuthLayer::new(guard().optional("/**").realm("here").build().expect("sane settings")));
    for target in ["/user", "/scope"] {
        let response = app.clone().oneshot(Request::get(target).body(Body::empty()).expect("a request")).await;
        let response = response.expect("infallible");
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{target}");
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], r#"Bearer realm="here""#, "{target}");
        assert_eq!(response.headers().get_all(header::VARY).iter().count(), 1, "{target}");
    }
}

#[tokio::test]
async fn only_the_innermost_guards_word_counts() {
    let app = Router::new()
        .route("/", get(async |OptionalUser(user): OptionalUser| format!("{}", user.is_some())))
        .layer(AuthLayer::new(guard().open("/").build().expect("sane settings")))
        .layer(AuthLayer::new(guard().build().expect("sane settings")));

    let response = app.oneshot(signed("/")).await.expect("infallible");

    assert_eq!(text(response).await, "false");
}

#[tokio::test]
async fn what_a_handler_says_about_caching_stays() {
    let said = [(header::CACHE_CONTROL, "private, max-age=5"), (header::VARY, "Origin")];
    let app = Router::new()
        .route("/", get(async move || said))
        .layer(AuthLayer::new(guard().build().expect("sane settings")));

    let response = app.oneshot(signed("/")).await.expect("infallible");

    assert_eq!(response.headers().get_all(header::CACHE_CONTROL).iter().collect::<Vec<_>>(), ["private, max-age=5"]);
    let vary: Vec<_> = response.headers().get_all(header::VARY).iter().collect();
    assert_eq!(vary, ["Origin", "Authorization, Cookie"]);
}

#[tokio::test]
async fn handlers_may_refuse_in_the_same_words() {
    async fn write(user: CurrentUser) -> Result<(), Reject> {
        Ok(user.require_scope("tasks:write")?)
    }
    let app = Router::new().route("/", get(write)).layer(AuthLayer::new(guard().build().expect("sane settings")));

    let response = app.oneshot(signed("/")).await.expect("infallible");

    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let challenge = r#"Bearer error="insufficient_scope", scope="tasks:write""#;
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], challenge);
}

#[test]
fn a_refusal_that_no_response_can_hold_still_answers() {
    let response = Reject(Refusal::method_not_allowed("GET\r\nx: y")).into_response();
    assert_eq!((response.status().as_u16(), response.headers().contains_key(header::ALLOW)), (405, false));
    assert_eq!(Reject(Refusal::new(7, "odd", "odd")).into_response().status().as_u16(), 500);
}

/// Inside `nest` the path has lost its prefix, so that no template finds an owner: the caller gets their own rows, and
/// never those of the path.
#[tokio::test]
async fn a_layer_inside_a_nest_never_gives_away_the_rows_of_the_path() {
    let guard = guard().isolate(Isolation::path("/api/{user_id}/**")).build().expect("sane settings");
    let inner =
        Router::new().route("/tasks", get(async |scope: Scope| scope.owner().to_string())).layer(AuthLayer::new(guard));
    let app = Router::new().nest("/api/{user_id}", inner);

    let response = app.oneshot(signed("/api/bob/tasks")).await.expect("infallible");

    assert_eq!(text(response).await, "alice");
}

#[test]
fn futures_and_services_go_between_threads() {
    fn check<T: Send>(_: Option<T>) {}
    check::<AuthFuture<axum::routing::Route, Body>>(None);
    check(Some(AuthLayer::new(slow_guard()).layer(Router::<()>::new())));
}
