//! That the app is put together: the contract itself is checked over HTTP by `tasks-conformance`.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::request::Builder;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use serde_json::{Value, json};
use tasks_domain::{Backend, Settings};
use tower::ServiceExt as _;

struct Answer {
    status: u16,
    fields: HeaderMap,
    body: Value,
}

impl Answer {
    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.fields.get_all(name).iter();
        let sole = lines.next().and_then(|value| value.to_str().ok());
        assert!(lines.next().is_none(), "{name} stands twice");
        sole
    }
}

async fn backend() -> Backend {
    let settings = Settings::from_vars(|_| None).expect("the defaults");
    Backend::start(settings).await.expect("a backend")
}

async fn demo() -> Router {
    crate::app::app(backend().await)
}

async fn answer(app: &Router, request: Builder, body: impl Into<Body>) -> Answer {
    let request = request.body(body.into()).expect("a request");
    let (head, body) = app.clone().oneshot(request).await.expect("an answer").into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    Answer {
        status: head.status.as_u16(),
        fields: head.headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    }
}

async fn bearer(app: &Router, user: &str) -> String {
    let request = Request::get(format!("/demo/token?user={user}"));
    let token = answer(app, request, "").await.body["token"].as_str().map(str::to_owned);
    format!("Bearer {}", token.expect("a demo user"))
}

#[tokio::test]
async fn a_task_is_made_found_changed_and_deleted() {
    let app = demo().await;
    let alice = bearer(&app, "alice").await;
    let request = |method, path: &str| Request::builder().method(method).uri(path).header("authorization", &alice);

    let post = request("POST", "/api/t%61sks").header("content-type", "application/json");
    let made = answer(&app, post, r#"{"title":" Buy milk "}"#).await;
    assert_eq!((made.status, &made.body["title"]), (201, &json!("Buy milk")));
    let location = made.field("location").expect("a location").to_owned();
    assert_eq!(location, format!("/api/tasks/{}", made.body["id"]));

    let own = location.replace("/api/", "/api/alice/");
    assert_eq!(answer(&app, request("GET", &own), "").await.body, made.body);
    let toggled = answer(&app, request("PATCH", &format!("{own}/complete")), "").await;
    assert_eq!((toggled.status, &toggled.body["completed"]), (200, &json!(true)));
    let list = answer(&app, request("GET", "/api/user/tasks?completed=true"), "").await;
    assert_eq!((list.status, &list.body["count"], &list.body["next"]), (200, &json!(1), &Value::Null));
    assert_eq!(answer(&app, request("DELETE", &own), "").await.status, 204);
    assert_eq!(answer(&app, request("GET", &own), "").await.status, 404);
}

#[tokio::test]
async fn refusals_of_every_layer_are_problems_with_the_fields_of_the_outermost() {
    let app = demo().await;
    let alice = bearer(&app, "alice").await;
    let cases = [
        ("GET", "/api/tasks", "", 401, "missing_credentials"),
        ("GET", "/api/nowhere", "", 401, "missing_credentials"),
        ("GET", "/nowhere", "", 404, "not_found"),
        ("GET", "/api//tasks", &alice, 400, "bad_request"),
        ("GET", "/api/bob/tasks", &alice, 403, "not_owner"),
        ("GET", "/api/tasks/", &alice, 404, "not_found"),
        ("GET", "/api/tasks/x", &alice, 404, "not_found"),
        ("GET", "/api/tasks?limit=0", &alice, 422, "validation_failed"),
        ("PUT", "/api/tasks", &alice, 405, "method_not_allowed"),
        ("POST", "/api/tasks", &alice, 415, "unsupported_media_type"),
    ];
    for (method, path, authorization, status, code) in cases {
        let request = Request::builder().method(method).uri(path).header("origin", "http://localhost:3000");
        let request = if authorization.is_empty() { request } else { request.header("authorization", authorization) };
        let refused = answer(&app, request, "").await;
        assert_eq!((refused.status, &refused.body["code"]), (status, &json!(code)), "{method} {path}");
        assert_eq!(refused.field("content-type"), Some("application/problem+json"));
        assert_eq!(refused.field("access-control-allow-origin"), Some("http://localhost:3000"));
        assert_eq!(refused.field("x-content-type-options"), Some("nosniff"));
        assert!(refused.field("x-request-id").is_some());
        let vary = if path.starts_with("/api") { "Authorization, Cookie, Origin" } else { "Origin" };
        assert_eq!(refused.field("vary"), Some(vary), "{method} {path}");
        assert_eq!(refused.field("cache-control").is_some(), path.starts_with("/api"), "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_is_read_up_to_64_kib() {
    let app = demo().await;
    let alice = bearer(&app, "alice").await;
    let post = |body: Vec<u8>| {
        let request = Request::post("/api/messages").header("authorization", &alice);
        answer(&app, request.header("content-type", "application/json"), body)
    };
    let padded = |length: usize| [br#"{"text":"hi"}"#, vec![b' '; length - 13].as_slice()].concat();
    assert_eq!(post(padded(64 * 1024)).await.status, 201);
    assert_eq!(post(padded(64 * 1024 + 1)).await.status, 413);
}

#[tokio::test]
async fn options_and_head_are_answered_beside_the_methods_of_a_route() {
    let app = demo().await;
    let alice = bearer(&app, "alice").await;
    let request = |method| Request::builder().method(method).uri("/api/tasks").header("authorization", &alice);
    let options = answer(&app, request("OPTIONS"), "").await;
    assert_eq!((options.status, options.field("allow")), (204, Some("GET, HEAD, OPTIONS, POST")));
    let head = answer(&app, request("HEAD"), "").await;
    assert_eq!((head.status, head.body), (200, Value::Null));

    let preflight = Request::builder().method("OPTIONS").uri("/api/tasks").header("origin", "http://localhost:3000");
    let preflight = answer(&app, preflight.header("access-control-request-method", "PUT"), "").await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.field("access-control-allow-methods"), Some("GET, POST, PUT, PATCH, DELETE"));
}

#[tokio::test]
async fn the_demo_has_two_routes_like_the_others() {
    let app = demo().await;
    for (method, status) in [("GET", 200), ("OPTIONS", 204), ("POST", 405)] {
        for (path, content) in [("/demo/token?user=alice", "application/json"), ("/", "text/html; charset=utf-8")] {
            let request = Request::builder().method(method).uri(path);
            let answer = answer(&app, request, "").await;
            assert_eq!((answer.status, answer.field("allow").is_some()), (status, method != "GET"), "{method} {path}");
            if method == "GET" {
                assert_eq!(answer.field("content-type"), Some(content));
            }
        }
    }
}

#[tokio::test]
async fn a_panic_is_our_fault_and_answered() {
    async fn panics() -> &'static str {
        panic!("a bug, on purpose")
    }
    let app = Router::new().route("/", get(panics)).layer(from_fn_with_state(backend().await, crate::edge::edge));
    let answer = answer(&app, Request::get("/").header("x-request-id", "mine"), "").await;
    assert_eq!((answer.status, &answer.body["code"]), (500, &json!("internal")));
    assert_eq!(answer.field("x-request-id"), Some("mine"));
}
