use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Service as _, ServiceRequest, ServiceResponse};
use actix_web::error::ErrorGone;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::{DefaultHeaders, Logger, Next, from_fn};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, Error, HttpResponse, ResponseError as _, rt, web};
use authcore::{AuthError, Authenticator, Guard, Identity, Isolation, Method, Refusal, RequestHead, UserId};
use authcore_actix::{AuthMiddleware, CurrentUser, OptionalUser, Reject, Scope, require_role};
use authcore_testkit::mint;

use crate::{bearer, guard};

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
        let identity = |user| Identity::assertion(user, Method::Other("test")).into_identity();
        if user.as_str() == "mallory" { Err(AuthError::BadSignature) } else { Ok(identity(user)) }
    }
}

fn slow_guard() -> Guard {
    Guard::builder().authenticator(Slow).isolate(Isolation::path("/{user_id}/**")).build().expect("sane settings")
}

async fn text(response: ServiceResponse<impl actix_web::body::MessageBody>) -> String {
    String::from_utf8(read_body(response).await.to_vec()).expect("text")
}

#[actix_web::test]
async fn callers_are_told_apart_however_their_requests_interleave() {
    let who = async |user: CurrentUser, scope: Scope| format!("{} {}", user.user_id(), scope.owner());
    let app = App::new().route("/{owner}/who", web::get().to(who)).wrap(AuthMiddleware::new(slow_guard()));
    let app = std::rc::Rc::new(init_service(app).await);
    let requests: Vec<_> = (0..200_usize)
        .map(|at| {
            let (app, name) = (app.clone(), format!("user{}{at}", "x".repeat(at % 7)));
            rt::spawn(async move {
                let request = TestRequest::with_uri(&format!("/{name}/who")).insert_header(("x-user", name.as_str()));
                let response = call_service(&*app, request.to_request()).await;
                assert_eq!(text(response).await, format!("{name} {name}"));
            })
        })
        .collect();
    for request in requests {
        request.await.expect("the right caller");
    }
}

#[actix_web::test]
async fn a_refusal_after_waiting_reads_like_one_at_once() {
    let app = init_service(App::new().wrap(AuthMiddleware::new(slow_guard()))).await;
    let ask = |user, target| TestRequest::with_uri(target).insert_header(("x-user", user)).to_request();

    let response = call_service(&app, ask("mallory", "/mallory")).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers().get(header::CACHE_CONTROL), Some(&HeaderValue::from_static("no-store")));
    assert!(text(response).await.contains(r#""code":"token_invalid""#));
    let response = call_service(&app, ask("ann", "/bob")).await;
    assert!(text(response).await.contains(r#""code":"not_owner""#));
}

#[actix_web::test]
async fn without_a_middleware_extractors_answer_internal_and_never_anonymous() {
    let app = App::new()
        .route("/user", web::get().to(async |_: CurrentUser| HttpResponse::Ok()))
        .route("/optional", web::get().to(async |_: OptionalUser| HttpResponse::Ok()))
        .route("/scope", web::get().to(async |_: Scope| HttpResponse::Ok()))
        .service(web::resource("/role").wrap(require_role("admin")).route(web::get().to(HttpResponse::Ok)));
    let app = init_service(app).await;
    for target in ["/user", "/optional", "/scope", "/role"] {
        let request = TestRequest::with_uri(target).insert_header(bearer(&mint()));
        let response = call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{target}");
        assert!(text(response).await.contains(r#""code":"internal""#), "{target}");
    }
}

#[actix_web::test]
async fn a_handler_that_needs_a_caller_refuses_nobody_on_an_optional_path() {
    let guard = guard().optional("/**").realm("here").build().expect("sane settings");
    let app = App::new()
        .route("/user", web::get().to(async |_: CurrentUser| HttpResponse::Ok()))
        .route("/scope", web::get().to(async |_: Scope| HttpResponse::Ok()))
        .wrap(AuthMiddleware::new(guard));
    let app = init_service(app).await;
    for target in ["/user", "/scope"] {
        let response = call_service(&app, TestRequest::with_uri(target).to_request()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{target}");
        let challenge = response.headers().get(header::WWW_AUTHENTICATE);
        assert_eq!(challenge, Some(&HeaderValue::from_static(r#"Bearer realm="here""#)), "{target}");
        assert_eq!(response.headers().get_all(header::VARY).count(), 1, "{target}");
    }
}

/// actix-web makes an answer of an error further out than the guard stands.
#[actix_web::test]
async fn an_error_of_inner_middleware_is_answered_with_the_guards_fields() {
    let gone = from_fn(async |_: ServiceRequest, _: Next<BoxBody>| -> Result<ServiceResponse, Error> {
        Err(ErrorGone("it was here"))
    });
    let app = App::new().wrap(gone).wrap(AuthMiddleware::new(guard().build().expect("sane settings")));
    let app = init_service(app).await;
    let request = TestRequest::with_uri("/").insert_header(bearer(&mint())).to_request();
    let error = app.call(request).await.map(drop).expect_err("the inner error");
    assert_eq!(error.to_string(), "it was here");
    assert_eq!(error.as_response_error().status_code(), StatusCode::GONE);
    let response = error.error_response();
    assert_eq!(response.status(), StatusCode::GONE);
    assert_eq!(response.headers().get(header::CACHE_CONTROL), Some(&HeaderValue::from_static("no-store")));
    assert!(response.headers().contains_key(header::VARY));
    assert_eq!(to_bytes(response.into_body()).await.expect("a body"), "it was here");
}

#[actix_web::test]
async fn a_scope_may_have_a_guard_of_its_own_and_still_sees_whole_paths() {
    let guard = guard().isolate(Isolation::path("/api/{user_id}/**")).build().expect("sane settings");
    let owner = async |scope: Scope| scope.owner().to_string();
    let api = web::scope("/api/{user_id}").route("/tasks", web::get().to(owner)).wrap(AuthMiddleware::new(guard));
    let app = App::new().service(api).route("/", web::get().to(async || "home"));
    let app = init_service(app).await;
    let ask = |target| TestRequest::with_uri(target).insert_header(bearer(&mint())).to_request();

    assert_eq!(text(call_service(&app, ask("/api/alice/tasks")).await).await, "alice");
    assert_eq!(call_service(&app, ask("/api/bob/tasks")).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(text(call_service(&app, TestRequest::with_uri("/").to_request()).await).await, "home");
}

#[actix_web::test]
async fn a_refusal_is_a_response_that_outer_middleware_sees() {
    let app = App::new()
        .wrap(Logger::default())
        .wrap(AuthMiddleware::new(guard().build().expect("sane settings")))
        .wrap(DefaultHeaders::new().add(("x-outer", "was here")));
    let app = init_service(app).await;

    let response = call_service(&app, TestRequest::with_uri("/").to_request()).await;

    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.headers().contains_key("x-outer"));
}

#[actix_web::test]
async fn only_the_innermost_guards_word_counts() {
    let anybody = async |OptionalUser(user): OptionalUser| user.is_some().to_string();
    let app = App::new()
        .route("/", web::get().to(anybody))
        .wrap(AuthMiddleware::new(guard().open("/").build().expect("sane settings")))
        .wrap(AuthMiddleware::new(guard().build().expect("sane settings")));
    let app = init_service(app).await;

    let request = TestRequest::with_uri("/").insert_header(bearer(&mint()));

    assert_eq!(text(call_service(&app, request.to_request()).await).await, "false");
}

#[actix_web::test]
async fn what_a_handler_says_about_caching_stays() {
    let handler = async || {
        let caching = (header::CACHE_CONTROL, "private, max-age=5");
        HttpResponse::Ok().insert_header(caching).insert_header((header::VARY, "Origin")).finish()
    };
    let guard = guard().build().expect("sane settings");
    let app = init_service(App::new().route("/", web::get().to(handler)).wrap(AuthMiddleware::new(guard))).await;

    let request = TestRequest::with_uri("/").insert_header(bearer(&mint()));
    let response = call_service(&app, request.to_request()).await;

    let lines = |name| response.headers().get_all(name).map(|line| line.to_str().expect("ASCII")).collect::<Vec<_>>();
    assert_eq!(lines(header::CACHE_CONTROL), ["private, max-age=5"]);
    assert_eq!(lines(header::VARY), ["Origin", "Authorization, Cookie"]);
}

#[actix_web::test]
async fn handlers_may_refuse_in_the_same_words() {
    async fn write(user: CurrentUser) -> Result<&'static str, Reject> {
        user.require_scope("tasks:write")?;
        Ok("written")
    }
    let guard = guard().build().expect("sane settings");
    let app = init_service(App::new().route("/", web::get().to(write)).wrap(AuthMiddleware::new(guard))).await;

    let request = TestRequest::with_uri("/").insert_header(bearer(&mint()));
    let response = call_service(&app, request.to_request()).await;

    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let challenge = HeaderValue::from_static(r#"Bearer error="insufficient_scope", scope="tasks:write""#);
    assert_eq!(response.headers().get(header::WWW_AUTHENTICATE), Some(&challenge));
}

#[test]
fn a_refusal_that_no_response_can_hold_still_answers() {
    let response = Reject(Refusal::method_not_allowed("GET\r\nx: y")).error_response();
    assert_eq!((response.status().as_u16(), response.headers().contains_key(header::ALLOW)), (405, false));
    assert_eq!(Reject(Refusal::new(7, "odd", "odd")).error_response().status().as_u16(), 500);
}
