//! Which answer a request gets that deserves several: credential, path owner, route, method, media type, size, JSON,
//! rules, body owner, object.

use serde_json::json;

use super::{get, patch, post, put};
use crate::Request;
use crate::case::Case;
use crate::check::Check;

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("order.credential-before-path-owner", credential_before_path_owner),
        Check::new("order.credential-before-route-and-method", credential_before_route_and_method),
        Check::new("order.credential-before-body", credential_before_body),
        Check::new("order.path-owner-before-method", path_owner_before_method),
        Check::new("order.path-owner-before-route", path_owner_before_route),
        Check::new("order.path-owner-before-body", path_owner_before_body),
        Check::new("order.route-and-method-before-body", route_and_method_before_body),
        Check::new("order.media-type-before-size", media_type_before_size),
        Check::new("order.size-before-json", size_before_json),
        Check::new("order.json-before-rules", json_before_rules),
        Check::new("order.rules-before-body-owner", rules_before_body_owner),
        Check::new("order.body-owner-before-object", body_owner_before_object),
        Check::new("order.query-rules-after-path-owner", query_rules_after_path_owner),
    ]
}

const BAD_TOKEN: &str = "bm90.YQ.dG9rZW4";

/// Wrong in every way that a body can be.
fn worst_body(request: Request) -> Request {
    request.field("Content-Type", "text/plain").bytes("{".repeat(70_000))
}

fn credential_before_path_owner(case: &mut Case<'_>) {
    let path = format!("/api/{}/tasks", case.bob().id);
    let answer = case.send(get(&path));
    case.expect(&answer).refused_bare();
    let answer = case.send(get(&path).bearer(BAD_TOKEN));
    case.expect(&answer).refused_token();
    let answer = case.send(get(&path).field("Authorization", "Bearer"));
    case.expect(&answer).refused_malformed();
}

fn credential_before_route_and_method(case: &mut Case<'_>) {
    for (method, path) in [("GET", "/api/nowhere"), ("DELETE", "/api/data"), ("NOSUCH", "/api/tasks"), ("GET", "/api/")]
    {
        let answer = case.send(Request::new(method, path));
        case.expect(&answer).refused_bare().no_field("allow");
        let answer = case.send(Request::new(method, path).bearer(BAD_TOKEN));
        case.expect(&answer).refused_token();
    }
}

fn credential_before_body(case: &mut Case<'_>) {
    for request in [post("/api/tasks"), put("/api/tasks/1"), post("/api/messages"), post("/api/user/action")] {
        let answer = case.send(worst_body(request.clone()));
        case.expect(&answer).refused_bare();
        let answer = case.send(worst_body(request).bearer(BAD_TOKEN));
        case.expect(&answer).refused_token();
    }
}

fn path_owner_before_method(case: &mut Case<'_>) {
    let bob = case.bob().id.clone();
    for (method, path) in [
        ("DELETE", format!("/api/{bob}/tasks")),
        ("NOSUCH", format!("/api/{bob}/tasks")),
        ("POST", format!("/api/{bob}/tasks/1")),
        ("GET", format!("/api/{bob}/tasks/1/complete")),
        ("DELETE", format!("/api/users/{bob}")),
    ] {
        let answer = case.send_as(case.alice(), Request::new(method, path));
        case.expect(&answer).refused(403, "not_owner").no_field("allow");
    }
    let answer = case.send_as(case.alice(), Request::new("DELETE", format!("/api/users/{}", case.alice().id)));
    case.expect(&answer).refused(405, "method_not_allowed").field("allow", "GET, HEAD, OPTIONS");
}

fn path_owner_before_route(case: &mut Case<'_>) {
    let (alice, bob) = (case.alice().id.clone(), case.bob().id.clone());
    let answer = case.send_as(case.alice(), get(format!("/api/{bob}/tasks/1/nowhere")));
    case.expect(&answer).refused(403, "not_owner");
    let answer = case.send_as(case.alice(), get(format!("/api/{alice}/tasks/1/nowhere")));
    case.expect(&answer).refused(404, "not_found");
}

fn path_owner_before_body(case: &mut Case<'_>) {
    let base = format!("/api/{}/tasks", case.bob().id);
    for request in [post(&base), put(format!("{base}/1"))] {
        let answer = case.send_as(case.alice(), worst_body(request));
        case.expect(&answer).refused(403, "not_owner");
    }
}

fn route_and_method_before_body(case: &mut Case<'_>) {
    let answer = case.send_as(case.alice(), worst_body(post("/api/nowhere")));
    case.expect(&answer).refused(404, "not_found");
    for request in [put("/api/tasks"), post("/api/tasks/1"), put("/api/tasks/1/complete"), post("/api/data")] {
        let answer = case.send_as(case.alice(), worst_body(request));
        case.expect(&answer).refused(405, "method_not_allowed");
    }
}

fn media_type_before_size(case: &mut Case<'_>) {
    for request in [post("/api/tasks"), put("/api/tasks/none"), post("/api/messages"), post("/api/user/action")] {
        let answer = case.send_as(case.alice(), worst_body(request));
        case.expect(&answer).refused(415, "unsupported_media_type");
    }
}

fn size_before_json(case: &mut Case<'_>) {
    for request in [post("/api/tasks"), put("/api/tasks/none"), post("/api/messages"), post("/api/user/action")] {
        let answer = case.send_as(case.alice(), request.json("{".repeat(70_000)));
        case.expect(&answer).refused(413, "too_large");
    }
}

fn json_before_rules(case: &mut Case<'_>) {
    for request in [post("/api/tasks"), put("/api/tasks/none")] {
        let answer = case.send_as(case.alice(), request.json(r#"{"title":"","user_id":"another","#));
        case.expect(&answer).refused(400, "bad_request");
    }
}

fn rules_before_body_owner(case: &mut Case<'_>) {
    let body = json!({"title": "", "user_id": case.bob().id});
    for request in [post("/api/tasks"), put("/api/tasks/none")] {
        let answer = case.send_as(case.alice(), request.json(&body));
        case.expect(&answer).invalid(&["title"]);
    }
}

fn body_owner_before_object(case: &mut Case<'_>) {
    let body = json!({"title": "x", "user_id": case.bob().id});
    for id in ["none", "9007199254740991"] {
        let answer = case.send_as(case.alice(), put(format!("/api/tasks/{id}")).json(&body));
        case.expect(&answer).refused(403, "not_owner");
        let answer = case.send_as(case.alice(), put(format!("/api/tasks/{id}")).json(r#"{"title":"x"}"#));
        case.expect(&answer).refused(404, "not_found");
        let answer = case.send_as(case.alice(), patch(format!("/api/tasks/{id}/complete")));
        case.expect(&answer).refused(404, "not_found");
    }
}

fn query_rules_after_path_owner(case: &mut Case<'_>) {
    let answer = case.send_as(case.alice(), get(format!("/api/{}/tasks?limit=0", case.bob().id)));
    case.expect(&answer).refused(403, "not_owner");
    let answer = case.send(get("/api/tasks?limit=0"));
    case.expect(&answer).refused_bare();
}
