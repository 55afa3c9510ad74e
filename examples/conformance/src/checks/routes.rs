//! Routes, methods and what is open to anyone.

use super::{SPELLINGS, base, delete, get, post};
use crate::Request;
use crate::case::Case;
use crate::check::Check;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::new("routes.health", open_to_anyone("/health")),
        Check::new("routes.ready", open_to_anyone("/ready")),
        Check::new("routes.unknown-outside-the-api", unknown_outside_the_api),
        Check::new("routes.unknown-under-the-api", unknown_under_the_api),
        Check::new("routes.names-are-case-sensitive", names_are_case_sensitive),
        Check::new("routes.trailing-slash-changes-no-owner", trailing_slash),
        Check::new("routes.head-of-a-refusal-has-no-body", head_of_a_refusal),
    ];
    for (name, path, allow) in fixed_routes() {
        let check = move |case: &mut Case<'_>| other_methods_are_405(case, path, allow);
        checks.push(Check::new(format!("routes.405.{name}"), check));
    }
    for spelling in SPELLINGS {
        let check = move |case: &mut Case<'_>| task_routes_name_their_methods(case, spelling);
        checks.push(Check::new(format!("routes.405.tasks.{spelling}"), check));
        let check = move |case: &mut Case<'_>| head_is_get_without_the_body(case, spelling);
        checks.push(Check::new(format!("routes.head.tasks.{spelling}"), check));
    }
    for path in ["/api/user/profile", "/api/protected-data", "/api/data"] {
        let check = move |case: &mut Case<'_>| head_equals_get(case, path);
        checks.push(Check::new(format!("routes.head.{}", path.trim_start_matches("/api/")), check));
    }
    checks
}

/// Name, path, `Allow`: in alphabetical order, `HEAD` and `OPTIONS` named.
fn fixed_routes() -> [(&'static str, &'static str, &'static str); 7] {
    [
        ("health", "/health", "GET, HEAD, OPTIONS"),
        ("ready", "/ready", "GET, HEAD, OPTIONS"),
        ("profile", "/api/user/profile", "GET, HEAD, OPTIONS"),
        ("protected-data", "/api/protected-data", "GET, HEAD, OPTIONS"),
        ("data", "/api/data", "GET, HEAD, OPTIONS"),
        ("messages", "/api/messages", "OPTIONS, POST"),
        ("action", "/api/user/action", "OPTIONS, POST"),
    ]
}

fn open_to_anyone(path: &'static str) -> impl Fn(&mut Case<'_>) {
    move |case| {
        let plain = case.send(get(path));
        case.expect(&plain).status(200);
        // Nobody asked for a credential, so nobody judges one.
        let with_nonsense = case.send(get(path).field("Authorization", "Bearer nonsense"));
        case.expect(&with_nonsense).status(200);
        let head = case.send(Request::new("HEAD", path));
        case.expect(&head).status(200).empty();
    }
}

fn unknown_outside_the_api(case: &mut Case<'_>) {
    for path in ["/nowhere", "/health/x", "/apix/tasks"] {
        let answer = case.send(get(path));
        case.expect(&answer).refused(404, "not_found").no_field("www-authenticate");
    }
    let answer = case.send_as(case.alice(), get("/nowhere"));
    case.expect(&answer).refused(404, "not_found");
}

fn unknown_under_the_api(case: &mut Case<'_>) {
    for path in ["/api/nowhere", "/api/tasks/1/nowhere", "/api/user", "/api/users", "/api/data/1"] {
        let answer = case.send(get(path));
        case.expect(&answer).refused_bare();
        let answer = case.send_as(case.alice(), get(path));
        case.expect(&answer).refused(404, "not_found");
    }
    let answer = case.send_as(case.alice(), Request::new("NOSUCH", "/api/nowhere"));
    case.expect(&answer).refused(404, "not_found");
}

fn names_are_case_sensitive(case: &mut Case<'_>) {
    let answer = case.send_as(case.alice(), get("/api/tasks"));
    case.expect(&answer).status(200);
    let answer = case.send_as(case.alice(), get("/api/Tasks"));
    case.expect(&answer).refused(404, "not_found");
    let answer = case.send_as(case.alice(), get("/API/tasks"));
    case.expect(&answer).refused(404, "not_found");
}

fn trailing_slash(case: &mut Case<'_>) {
    let answer = case.send_as(case.alice(), get(format!("/api/{}/tasks", case.alice().id)));
    case.expect(&answer).status(200);
    let answer = case.send_as(case.alice(), get(format!("/api/{}/tasks/", case.alice().id)));
    case.expect(&answer).status_in(&[200, 404]);
    let answer = case.send_as(case.alice(), get(format!("/api/{}/tasks/", case.bob().id)));
    case.expect(&answer).status_in(&[403, 404]);
}

fn other_methods_are_405(case: &mut Case<'_>, path: &str, allow: &str) {
    let served: Vec<_> = allow.split(", ").collect();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
        if !served.contains(&method) {
            let answer = case.send_as(case.alice(), Request::new(method, path));
            case.expect(&answer).refused(405, "method_not_allowed").field("allow", allow);
        }
    }
    if !served.contains(&"GET") {
        let answer = case.send_as(case.alice(), Request::new("HEAD", path));
        case.expect(&answer).status(405).field("allow", allow).empty();
    }
    let answer = case.send_as(case.alice(), Request::new("OPTIONS", path));
    case.expect(&answer).status_in(&[200, 204]).field("allow", allow).empty();
}

fn task_routes_name_their_methods(case: &mut Case<'_>, spelling: &str) {
    let base = base(spelling, case.alice());
    let id = case.task_of(case.alice(), "stays");
    other_methods_are_405(case, &base, "GET, HEAD, OPTIONS, POST");
    other_methods_are_405(case, &format!("{base}/{id}"), "DELETE, GET, HEAD, OPTIONS, PUT");
    other_methods_are_405(case, &format!("{base}/{id}/complete"), "OPTIONS, PATCH");
    // The route is there whatever its number is.
    let answer = case.send_as(case.alice(), post(format!("{base}/none")));
    case.expect(&answer).refused(405, "method_not_allowed").field("allow", "DELETE, GET, HEAD, OPTIONS, PUT");
    let answer = case.send_as(case.alice(), delete(format!("{base}/{id}")));
    case.expect(&answer).status(204);
}

fn head_is_get_without_the_body(case: &mut Case<'_>, spelling: &str) {
    let base = base(spelling, case.alice());
    let id = case.task_of(case.alice(), "asked for by HEAD");
    head_equals_get(case, &base);
    head_equals_get(case, &format!("{base}/{id}"));
    let answer = case.send_as(case.alice(), Request::new("HEAD", format!("{base}/none")));
    case.expect(&answer).status(404).empty();
}

fn head_equals_get(case: &mut Case<'_>, path: &str) {
    let got = case.send_as(case.alice(), get(path));
    let head = case.send_as(case.alice(), Request::new("HEAD", path));
    let kind = got.field("content-type").unwrap_or_default();
    let length = got.body.len().to_string();
    // A server need not tell the length; it may not tell a wrong one (RFC 9110 §8.6).
    let told = head.field("content-length");
    case.expect(&head)
        .status(got.status)
        .field("content-type", &kind)
        .must(told.is_none_or(|told| told == length), || "content-length is not that of GET".to_owned())
        .empty();
}

fn head_of_a_refusal(case: &mut Case<'_>) {
    let answer = case.send(Request::new("HEAD", "/api/tasks"));
    case.expect(&answer).status(401).field("www-authenticate", r#"Bearer realm="tasks""#).empty();
    let answer = case.send_as(case.alice(), Request::new("HEAD", format!("/api/{}/tasks", case.bob().id)));
    case.expect(&answer).status(403).empty();
    let answer = case.send(Request::new("HEAD", "/nowhere"));
    case.expect(&answer).status(404).empty();
}
