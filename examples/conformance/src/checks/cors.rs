//! Cross-origin requests: the outermost layer, so refusals are dressed too.

use serde_json::json;

use super::{get, post};
use crate::Request;
use crate::case::{Case, Expectation};
use crate::check::Check;

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("cors.c19-preflight-from-an-allowed-origin", preflight),
        Check::new("cors.preflight-from-elsewhere", preflight_from_elsewhere),
        Check::new("cors.preflight-needs-both-fields", no_preflight),
        Check::new("cors.request-from-an-allowed-origin", request_from_allowed),
        Check::new("cors.request-from-elsewhere", request_from_elsewhere),
        Check::new("cors.refusals-are-readable", refusals_are_readable),
    ]
}

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];
const FIELDS: &[&str] = &["Authorization", "Content-Type", "X-Request-Id"];
const EXPOSED: &[&str] =
    &["Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id", "Location", "WWW-Authenticate"];

fn preflight_for(path: impl Into<String>, origin: &str, method: &str) -> Request {
    Request::new("OPTIONS", path)
        .field("Origin", origin)
        .field("Access-Control-Request-Method", method)
        .field("Access-Control-Request-Headers", "authorization,content-type")
}

fn readable<'c>(expectation: Expectation<'c>, origin: &str) -> Expectation<'c> {
    expectation
        .field("access-control-allow-origin", origin)
        .field("access-control-allow-credentials", "true")
        .vary("origin")
}

/// Without a credential, on any route, also where the method is none of the route's.
fn preflight(case: &mut Case<'_>) {
    let (origin, bob) = (case.target().origin.clone(), case.bob().id.clone());
    let routes = [
        ("/api/tasks".to_owned(), "POST"),
        ("/api/tasks/1".to_owned(), "DELETE"),
        (format!("/api/{bob}/tasks"), "GET"),
        ("/api/user/tasks/1/complete".to_owned(), "PATCH"),
        ("/api/data".to_owned(), "GET"),
        ("/api/messages".to_owned(), "POST"),
        ("/health".to_owned(), "GET"),
    ];
    for (path, method) in routes {
        let answer = case.send(preflight_for(path, &origin, method));
        readable(case.expect(&answer).status_in(&[200, 204]), &origin)
            .words("access-control-allow-methods", METHODS)
            .words("access-control-allow-headers", FIELDS)
            .empty();
    }
}

fn elsewhere(case: &Case<'_>) -> [String; 7] {
    let origin = &case.target().origin;
    [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        format!("{origin}.evil.example"),
        format!("{origin}/"),
        origin.to_uppercase(),
        origin.replacen("http://", "https://", 1),
        "*".to_owned(),
    ]
}

fn preflight_from_elsewhere(case: &mut Case<'_>) {
    for origin in elsewhere(case) {
        let answer = case.send(preflight_for("/api/tasks", &origin, "POST"));
        case.expect(&answer)
            .status_in(&[200, 204, 400, 403])
            .no_field("access-control-allow-origin")
            .no_field("access-control-allow-credentials");
    }
    let origin = case.target().origin.clone();
    let answer = case.send(preflight_for("/api/tasks", &origin, "POST"));
    readable(case.expect(&answer), &origin);
}

/// `OPTIONS` is a preflight only with `Origin` and `Access-Control-Request-Method`; else it needs a credential.
fn no_preflight(case: &mut Case<'_>) {
    let origin = case.target().origin.clone();
    let answer = case.send(Request::new("OPTIONS", "/api/tasks").field("Origin", origin.as_str()));
    readable(case.expect(&answer).refused_bare(), &origin);
    let answer = case.send(Request::new("OPTIONS", "/api/tasks").field("Access-Control-Request-Method", "POST"));
    case.expect(&answer).refused_bare();
}

fn request_from_allowed(case: &mut Case<'_>) {
    let origin = case.target().origin.clone();
    let answer = case.send_as(case.alice(), get("/api/tasks").field("Origin", origin.as_str()));
    readable(case.expect(&answer).status(200), &origin).words("access-control-expose-headers", EXPOSED);
    let request = post("/api/tasks").field("Origin", origin.as_str()).json(json!({"title": "across"}));
    let answer = case.send_as(case.alice(), request);
    readable(case.expect(&answer).status(201), &origin).words("access-control-expose-headers", EXPOSED);
}

/// A token is no cookie: no browser adds it by itself, so the request is served. The page may not read the answer.
fn request_from_elsewhere(case: &mut Case<'_>) {
    for origin in elsewhere(case) {
        let answer = case.send_as(case.alice(), get("/api/tasks").field("Origin", origin.as_str()));
        case.expect(&answer)
            .status(200)
            .no_field("access-control-allow-origin")
            .no_field("access-control-allow-credentials");
    }
    let answer = case.send_as(case.alice(), get("/api/tasks"));
    case.expect(&answer).status(200).no_field("access-control-allow-origin").json("/user_id", case.alice().id.as_str());
}

fn refusals_are_readable(case: &mut Case<'_>) {
    let (origin, bob) = (case.target().origin.clone(), case.bob().id.clone());
    let token = &case.alice().token;
    let requests = [
        (get("/api/tasks"), 401),
        (get("/api/tasks").bearer("a.b.c"), 401),
        (get("/api/tasks").field("Authorization", "Bearer"), 400),
        (get("/api/%zz").bearer(token), 400),
        (get(format!("/api/{bob}/tasks")).bearer(token), 403),
        (get("/api/nowhere").bearer(token), 404),
        (get("/nowhere"), 404),
        (Request::new("DELETE", "/api/tasks").bearer(token), 405),
        (post("/api/tasks").bearer(token), 415),
        (post("/api/tasks").bearer(token).json(" ".repeat(70_000)), 413),
        (post("/api/tasks").bearer(token).json("{}"), 422),
    ];
    for (request, status) in requests {
        let answer = case.send(request.field("Origin", origin.as_str()));
        readable(case.expect(&answer).status(status), &origin).words("access-control-expose-headers", EXPOSED);
    }
}
