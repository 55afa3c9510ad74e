use std::net::SocketAddr;

use authcore::{Identity, UserScope};
use authcore_axum::{AuthLayer, CurrentUser, OptionalUser, Scope, require_permission, require_role, require_scope};
use authcore_testkit::{Case, cases, cases_answer, cases_guard, wire_cases};
use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{HeaderMap, Request, Response, header};
use tower::ServiceExt as _;

use crate::text;

fn app() -> Router {
    Router::new()
        .route("/api/{user_id}/tasks", get(tasks).post(tasks).options(maybe))
        .route("/api/user/tasks", get(tasks).post(tasks))
        .route("/api/tasks", get(tasks).post(tasks))
        .route("/optional", get(maybe))
        .merge(Router::new().route("/needs/scope", get(maybe)).route_layer(require_scope("articles:write")))
        .merge(
            Router::new()
                .route("/needs/role", get(maybe))
                .route("/optional/needs/role", get(maybe))
                .route_layer(require_role("editor")),
        )
        .merge(
            Router::new().route("/needs/permission", get(maybe)).route_layer(require_permission("article", "update")),
        )
        .route("/health", get(|| async { answer(None, None) }))
        .layer(AuthLayer::new(cases_guard()))
}

async fn tasks(user: CurrentUser, scope: Scope) -> impl IntoResponse {
    answer(Some(&user), Some(&scope))
}

async fn maybe(OptionalUser(user): OptionalUser, same: Option<CurrentUser>) -> impl IntoResponse {
    assert_eq!(user.as_ref().map(Identity::user_id), same.as_deref().map(Identity::user_id));
    answer(user.as_ref(), None)
}

fn answer(user: Option<&Identity>, scope: Option<&UserScope>) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, "application/json")], cases_answer(user, scope))
}

fn request(case: &Case) -> Request<Body> {
    let mut request = Request::builder().method(case.method()).uri(case.target());
    for (name, value) in case.fields() {
        request = request.header(name, value);
    }
    request.body(Body::empty()).unwrap_or_else(|error| panic!("{}: {error}", case.id()))
}

fn field(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|line| line.to_str().expect("ASCII")).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

async fn check(case: &Case, response: Response<Body>) {
    let (parts, body) = response.into_parts();
    let body = text(Response::new(body)).await;
    case.check(parts.status.as_u16(), |name| field(&parts.headers, name), &body);
}

#[tokio::test]
async fn every_case_has_its_one_right_answer() {
    let app = app();
    for case in cases() {
        let response = app.clone().oneshot(request(&case)).await.expect("infallible");
        check(&case, response).await;
    }
}

#[tokio::test]
async fn every_case_has_it_over_a_socket_too() {
    let server = serve().await;
    let checked = tokio::task::spawn_blocking(move || {
        for case in cases().into_iter().chain(wire_cases()) {
            case.check_over(server);
        }
    });
    checked.await.expect("every case passes");
}

async fn serve() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async { axum::serve(listener, app()).await });
    address
}
