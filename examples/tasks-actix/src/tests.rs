//! That the app is put together: the contract itself is checked over HTTP by `tasks-conformance`.

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, Error, web};
use serde_json::{Value, json};
use tasks_domain::{Backend, Settings};

struct Answer {
    status: u16,
    fields: HeaderMap,
    body: Value,
}

impl Answer {
    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.fields.get_all(name);
        let sole = lines.next().and_then(|value| value.to_str().ok());
        assert!(lines.next().is_none(), "{name} stands twice");
        sole
    }
}

async fn backend() -> Backend {
    let settings = Settings::from_vars(|_| None).expect("the defaults");
    Backend::start(settings).await.expect("a backend")
}

async fn demo() -> impl Service<actix_http::Request, Response = ServiceResponse<impl MessageBody>, Error = Error> {
    init_service(crate::app::app(backend().await)).await
}

async fn answer<B: MessageBody>(
    app: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    request: TestRequest,
) -> Answer {
    let response = call_service(app, request.to_request()).await;
    let (status, fields) = (response.status().as_u16(), response.headers().clone());
    let body = to_bytes(response.into_body()).await.ok().expect("a body");
    Answer { status, fields, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
}

async fn bearer<B: MessageBody>(
    app: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    user: &str,
) -> String {
    let request = TestRequest::get().uri(&format!("/demo/token?user={user}"));
    let token = answer(app, request).await.body["token"].as_str().map(str::to_owned);
    format!("Bearer {}", token.expect("a demo user"))
}

fn request(method: &str, path: &str) -> TestRequest {
    TestRequest::default().method(Method::from_bytes(method.as_bytes()).expect("a method")).uri(path)
}

#[actix_web::test]
async fn a_task_is_made_found_changed_and_deleted() {
    let app = demo().await;
    let alice = bearer(&app, "alice").await;
    let request = |method, path: &str| request(method, path).insert_header(("authorization", alice.as_str()));

    let post = request("POST", "/api/t%61sks").insert_header(("content-type", "application/json"));
    let made = answer(&app, post.set_payload(r#"{"title":" Buy milk "}"#)).await;
    assert_eq!((made.status, &made.body["title"]), (201, &json!("Buy milk")));
    let location = made.field("location").expect("a location").to_owned();
    assert_eq!(location, format!("/api/tasks/{}", made.body["id"]));

    let own = location.replace("/api/", "/api/alice/");
    assert_eq!(answer(&app, request("GET", &own)).await.body, made.body);
    let toggled = answer(&app, request("PATCH", &format!("{own}/complete"))).await;
    assert_eq!((toggled.status, &toggled.body["completed"]), (200, &json!(true)));
    let list = answer(&app, request("GET", "/api/user/tasks?completed=true")).await;
    assert_eq!((list.status, &list.body["count"], &list.body["next"]), (200, &json!(1), &Value::Null));
    assert_eq!(answer(&app, request("DELETE", &own)).await.status, 204);
    assert_eq!(answer(&app, request("GET", &own)).await.status, 404);
}

#[actix_web::test]
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
        let request = request(method, path).insert_header(("origin", "http://localhost:3000"));
        let request =
            if authorization.is_empty() { request } else { request.insert_header(("authorization", authorization)) };
        let refused = answer(&app, request).await;
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

#[actix_web::test]
async fn a_word_of_a_path_is_that_word_with_its_letters_escaped_too() {
    let app = demo().await;
    let alice = bearer(&app, "alice").await;
    for path in ["/api/%75ser/tasks?limit=1", "/%61pi/user/t%61sks", "/api/use%72/%74asks"] {
        let list = answer(&app, request("GET", path).insert_header(("authorization", alice.as_str()))).await;
        assert_eq!((list.status, &list.body["user_id"]), (200, &json!("alice")), "{path}");
    }
}

#[actix_web::test]
async fn a_body_is_read_up_to_64_kib() {
    let app = demo().await;
    let alice = bearer(&app, "alice").await;
    for (length, status) in [(64 * 1024, 201), (64 * 1024 + 1, 413)] {
        let post = request("POST", "/api/messages").insert_header(("authorization", alice.as_str()));
        let post = post.insert_header(("content-type", "application/json"));
        let padded = [br#"{"text":"hi"}"#, vec![b' '; length - 13].as_slice()].concat();
        assert_eq!(answer(&app, post.set_payload(padded)).await.status, status);
    }
}

#[actix_web::test]
async fn options_and_head_are_answered_beside_the_methods_of_a_route() {
    let app = demo().await;
    let alice = bearer(&app, "alice").await;
    let to_tasks = |method| request(method, "/api/tasks").insert_header(("authorization", alice.as_str()));
    let options = answer(&app, to_tasks("OPTIONS")).await;
    assert_eq!((options.status, options.field("allow")), (204, Some("GET, HEAD, OPTIONS, POST")));
    assert_eq!(answer(&app, to_tasks("HEAD")).await.status, 200);

    let preflight = request("OPTIONS", "/api/tasks").insert_header(("origin", "http://localhost:3000"));
    let preflight = answer(&app, preflight.insert_header(("access-control-request-method", "PUT"))).await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.field("access-control-allow-methods"), Some("GET, POST, PUT, PATCH, DELETE"));
}

#[actix_web::test]
async fn the_demo_has_two_routes_like_the_others() {
    let app = demo().await;
    for (method, status) in [("GET", 200), ("OPTIONS", 204), ("POST", 405)] {
        for (path, content) in [("/demo/token?user=alice", "application/json"), ("/", "text/html; charset=utf-8")] {
            let request = request(method, path);
            let answer = answer(&app, request).await;
            assert_eq!((answer.status, answer.field("allow").is_some()), (status, method != "GET"), "{method} {path}");
            if method == "GET" {
                assert_eq!(answer.field("content-type"), Some(content));
            }
        }
    }
}

#[actix_web::test]
async fn a_panic_is_our_fault_and_answered() {
    async fn panics() -> &'static str {
        panic!("a bug, on purpose")
    }
    let app = App::new().wrap(from_fn(crate::edge::edge)).app_data(web::Data::new(backend().await));
    let app = init_service(app.route("/", web::get().to(panics))).await;
    let request = TestRequest::get().uri("/").insert_header(("x-request-id", "mine")).to_request();
    let error = app.call(request).await.expect_err("a panic leaves no response");

    let response = error.error_response();
    assert_eq!(response.status().as_u16(), 500);
    assert!(response.headers().get("x-request-id").is_some_and(|id| id == "mine"));
    let body = to_bytes(response.into_body()).await.expect("a body");
    assert!(String::from_utf8_lossy(&body).contains(r#""code":"internal""#));
}
