//! Request bodies: media type, size, JSON, rules.

use serde_json::{Value, json};

use super::{SPELLINGS, base, get, post, put};
use crate::Request;
use crate::case::Case;
use crate::check::Check;

/// Longest JSON body served, in bytes.
const MAX_BODY: usize = 64 * 1024;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::new("bodies.media-type", media_type),
        Check::new("bodies.json-with-parameters-is-json", json_with_parameters),
        Check::new("bodies.size-at-the-limit", size_at_the_limit),
        Check::new("bodies.size-above-the-limit", size_above_the_limit),
        Check::new("bodies.chunked", chunked),
        Check::new("bodies.title-length-counts-characters", title_length),
        Check::new("bodies.description-length", description_length),
        Check::new("bodies.every-broken-rule-is-named", every_rule_is_named),
        Check::new("bodies.a-refused-change-changes-nothing", refused_change_changes_nothing),
        Check::new("bodies.complete-and-delete-need-none", no_body_needed),
    ];
    for (name, body) in broken_json() {
        let check = move |case: &mut Case<'_>| is_no_json(case, &body);
        checks.push(Check::new(format!("bodies.no-json.{name}"), check));
    }
    for spelling in SPELLINGS {
        let check = move |case: &mut Case<'_>| rules(case, spelling);
        checks.push(Check::new(format!("bodies.rules.{spelling}"), check));
    }
    checks
}

fn media_type(case: &mut Case<'_>) {
    let alice = case.alice();
    let id = case.task_of(alice, "typed");
    let body = r#"{"title":"x"}"#;
    let wrong = ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "text/json", "nonsense", ""];
    for kind in wrong {
        for request in
            [post("/api/tasks"), put(format!("/api/tasks/{id}")), post("/api/messages"), post("/api/user/action")]
        {
            let answer = case.send_as(alice, request.field("Content-Type", kind).bytes(body));
            case.expect(&answer).refused(415, "unsupported_media_type");
        }
    }
    let untyped = case.send_as(alice, post("/api/tasks").bytes(body));
    case.expect(&untyped).refused(415, "unsupported_media_type");
    let nothing = case.send_as(alice, post("/api/tasks"));
    case.expect(&nothing).refused(415, "unsupported_media_type");
}

fn json_with_parameters(case: &mut Case<'_>) {
    for kind in ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"] {
        let request = post("/api/tasks").field("Content-Type", kind).bytes(r#"{"title":"typed"}"#);
        let answer = case.send_as(case.alice(), request);
        case.expect(&answer).status(201);
    }
}

/// A good body of exactly this many bytes.
fn body_of(length: usize) -> String {
    let body = r#"{"title":"long way"}"#;
    format!("{}{body}", " ".repeat(length - body.len()))
}

fn size_at_the_limit(case: &mut Case<'_>) {
    let answer = case.send_as(case.alice(), post("/api/tasks").json(body_of(MAX_BODY)));
    case.expect(&answer).status(201);
}

fn size_above_the_limit(case: &mut Case<'_>) {
    let id = case.task_of(case.alice(), "sized");
    let routes = [post("/api/tasks"), put(format!("/api/tasks/{id}")), post("/api/messages"), post("/api/user/action")];
    for request in routes {
        let answer = case.send_as(case.alice(), request.json(body_of(MAX_BODY + 1)));
        case.expect(&answer).refused(413, "too_large");
    }
}

fn chunked(case: &mut Case<'_>) {
    let answer = case.send_as(case.alice(), post("/api/tasks").json(body_of(MAX_BODY)).chunked());
    case.expect(&answer).status(201);
    let answer = case.send_as(case.alice(), post("/api/tasks").json(body_of(MAX_BODY + 1)).chunked());
    case.expect(&answer).refused(413, "too_large");
}

fn broken_json() -> Vec<(&'static str, Vec<u8>)> {
    let text = |name, body: &str| (name, body.as_bytes().to_vec());
    vec![
        text("empty", ""),
        text("blank", " \n"),
        text("cut-short", r#"{"title":"x""#),
        text("two-documents", r#"{"title":"x"}{"title":"y"}"#),
        text("trailing-comma", r#"{"title":"x",}"#),
        text("single-quotes", "{'title':'x'}"),
        text("comment", r#"{"title":"x"/**/}"#),
        text("nan", r#"{"title":"x","completed":NaN}"#),
        text("lone-surrogate", r#"{"title":"\ud800"}"#),
        text("raw-newline", "{\"title\":\"a\nb\"}"),
        text("byte-order-mark", "\u{feff}{\"title\":\"x\"}"),
        text("form", "title=x"),
        ("not-utf-8", b"{\"title\":\"\xff\"}".to_vec()),
        ("utf-16", r#"{"title":"x"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("deep", format!(r#"{{"title":"x","y":{}}}"#, "[".repeat(20_000)).into_bytes()),
    ]
}

fn is_no_json(case: &mut Case<'_>, body: &[u8]) {
    let request = post("/api/tasks").field("Content-Type", "application/json").bytes(body);
    let answer = case.send_as(case.alice(), request);
    case.expect(&answer).refused(400, "bad_request");
}

fn rules(case: &mut Case<'_>, spelling: &str) {
    let alice = case.alice();
    let base = base(spelling, alice);
    let id = case.task_of(alice, "ruled");
    let for_both: [(Value, &[&str]); 9] = [
        (json!({"title": ""}), &["title"]),
        (json!({"title": " \t\n\u{2003} "}), &["title"]),
        (json!({"title": "x".repeat(201)}), &["title"]),
        (json!({"title": 7}), &["title"]),
        (json!({"title": ["x"]}), &["title"]),
        (json!({"title": "x", "description": "x".repeat(2001)}), &["description"]),
        (json!({"title": "x", "description": {}}), &["description"]),
        // Not every database can hold it, so none is asked to.
        (json!({"title": "a\0b"}), &["title"]),
        (json!({"title": "x", "description": "a\0b"}), &["description"]),
    ];
    for (body, fields) in for_both {
        for request in [post(&base), put(format!("{base}/{id}"))] {
            let answer = case.send_as(alice, request.json(&body));
            case.expect(&answer).invalid(fields);
        }
    }
    for body in [json!({}), json!({"title": null}), json!({"description": "only"})] {
        let answer = case.send_as(alice, post(&base).json(body));
        case.expect(&answer).invalid(&["title"]);
    }
    for wrong in [json!("true"), json!(1)] {
        let answer = case.send_as(alice, put(format!("{base}/{id}")).json(json!({"completed": wrong})));
        case.expect(&answer).invalid(&["completed"]);
    }
    // Well-formed, but no object: which field to name is nobody's to say.
    for body in ["[]", "7", "\"title\"", "null", "true"] {
        for request in [post(&base), put(format!("{base}/{id}"))] {
            let answer = case.send_as(alice, request.json(body));
            case.expect(&answer).refused(422, "validation_failed");
        }
    }
}

fn title_length(case: &mut Case<'_>) {
    // 200 characters of four bytes each, and white space around them that does not count.
    let title = "\u{1f980}".repeat(200);
    let answer = case.send_as(case.alice(), post("/api/tasks").json(json!({"title": format!("  {title}  ")})));
    case.expect(&answer).status(201).json("/title", title.as_str());
    let answer = case.send_as(case.alice(), post("/api/tasks").json(json!({"title": format!("{title}x")})));
    case.expect(&answer).invalid(&["title"]);
}

fn description_length(case: &mut Case<'_>) {
    let description = "é".repeat(2000);
    let body = json!({"title": "long", "description": description});
    let answer = case.send_as(case.alice(), post("/api/tasks").json(body));
    case.expect(&answer).status(201).json("/description", description.as_str());
}

fn every_rule_is_named(case: &mut Case<'_>) {
    let id = case.task_of(case.alice(), "many faults");
    let body = json!({"title": "", "description": 1, "completed": "no"});
    let answer = case.send_as(case.alice(), put(format!("/api/tasks/{id}")).json(body));
    case.expect(&answer).invalid(&["completed", "description", "title"]);
}

fn refused_change_changes_nothing(case: &mut Case<'_>) {
    let id = case.task_of(case.alice(), "as it was");
    let path = format!("/api/tasks/{id}");
    let before = case.send_as(case.alice(), get(&path));
    let body = json!({"title": "new", "description": "new", "completed": "no"});
    let answer = case.send_as(case.alice(), put(&path).json(body));
    case.expect(&answer).invalid(&["completed"]);
    let after = case.send_as(case.alice(), get(&path));
    case.expect(&after).status(200).json("", before.json());
}

fn no_body_needed(case: &mut Case<'_>) {
    let id = case.task_of(case.alice(), "bare");
    let answer = case.send_as(case.alice(), Request::new("PATCH", format!("/api/tasks/{id}/complete")));
    case.expect(&answer).status(200);
    let answer = case.send_as(case.alice(), Request::new("DELETE", format!("/api/tasks/{id}")));
    case.expect(&answer).status(204);
}
