//! What stands on every answer: request ids, and the fields that keep browsers and caches honest.

use super::{delete, get, post};
use crate::Request;
use crate::case::Case;
use crate::check::Check;
use crate::compare::is_uuid;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::new("edge.request-id-is-fresh", fresh),
        Check::new("edge.request-id-on-refusals", on_refusals),
        Check::new("edge.private-answers-are-not-stored", private_answers),
        Check::new("edge.http-1.1-connections-are-kept", connections_are_kept),
    ];
    for (name, id, kept) in IDS {
        let check = move |case: &mut Case<'_>| {
            let id = [id.repeat(if name.starts_with("128") { 128 } else { 1 })].concat();
            request_id(case, &id, *kept);
        };
        checks.push(Check::new(format!("edge.request-id.{name}"), check));
    }
    checks.push(Check::new("edge.request-id.129-characters", |case| request_id(case, &b"a".repeat(129), false)));
    checks
}

/// Name, the caller's id, and whether it comes back.
const IDS: &[(&str, &[u8], bool)] = &[
    ("one-character", b"7", true),
    ("128-characters", b"a", true),
    ("punctuation", b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", true),
    ("uuid", b"67e55044-10b1-426f-9247-bb680e5fe0c8", true),
    ("empty", b"", false),
    ("inner-space", b"a b", false),
    ("inner-tab", b"a\tb", false),
    ("byte-0xff", b"a\xff", false),
    ("utf-8", b"\xc3\xa9", false),
];

fn request_id(case: &mut Case<'_>, id: &[u8], kept: bool) {
    for (path, status) in [("/health", 200), ("/api/tasks", 401), ("/nowhere", 404)] {
        let answer = case.send(get(path).field("X-Request-Id", id));
        let expectation = case.expect(&answer).status(status);
        if kept {
            expectation.field("x-request-id", &String::from_utf8_lossy(id));
        } else {
            expectation.field_like("x-request-id", "a fresh UUID", is_uuid);
        }
    }
}

fn fresh(case: &mut Case<'_>) {
    let ids = [(); 3].map(|()| {
        let answer = case.send(get("/health"));
        case.expect(&answer).field_like("x-request-id", "a fresh UUID", is_uuid);
        answer.field("x-request-id")
    });
    if ids[0] == ids[1] || ids[1] == ids[2] {
        case.note("two requests share an id");
    }
}

fn on_refusals(case: &mut Case<'_>) {
    let token = case.alice().token.clone();
    let requests = [
        (get("/api/tasks"), 401),
        (get("/api/%zz"), 400),
        (get("/api/nowhere").bearer(&token), 404),
        (delete("/api/tasks").bearer(&token), 405),
        (post("/api/tasks").bearer(&token).json("{"), 400),
    ];
    for (request, status) in requests {
        let answer = case.send(request.field("X-Request-Id", "mine"));
        case.expect(&answer).status(status).field("x-request-id", "mine");
    }
}

/// Also where the answer is a refusal: it may depend on who asked.
fn private_answers(case: &mut Case<'_>) {
    let requests = [
        (get("/api/tasks"), 200),
        (get("/api/user/profile"), 200),
        (post("/api/tasks").json(r#"{"title":"kept secret"}"#), 201),
        (get(format!("/api/{}/tasks", case.bob().id)), 403),
        (get("/api/nowhere"), 404),
        (get("/api/tasks/9007199254740991"), 404),
        (Request::new("NOSUCH", "/api/tasks"), 405),
        (Request::new("OPTIONS", "/api/tasks"), 204),
        (post("/api/tasks"), 415),
        (post("/api/tasks").json(" ".repeat(70_000)), 413),
        (post("/api/tasks").json("{"), 400),
        (post("/api/tasks").json("{}"), 422),
    ];
    for (request, status) in requests {
        let answer = case.send(request.bearer(&case.alice().token));
        case.expect(&answer)
            .status_in(if status == 204 { &[200, 204] } else { std::slice::from_ref(&status) })
            .field("cache-control", "no-store")
            .vary("authorization")
            .vary("cookie");
    }
}

/// Two requests on one connection: nothing of the first is left for the second.
fn connections_are_kept(case: &mut Case<'_>) {
    use std::io::{BufReader, Write as _};

    let authority = case.target().authority.clone();
    let (alice, bob) = (case.alice().token.clone(), case.bob().token.clone());
    let ask = |token: Option<&str>| {
        let line = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        format!("GET /api/tasks?limit=1 HTTP/1.1\r\nHost: {authority}\r\n{line}\r\n")
    };
    let wanted = [(Some(&*alice), 200), (None, 401), (Some(&*bob), 200), (Some("a.b.c"), 401), (Some(&*alice), 200)];
    let result = crate::connect(&authority).and_then(|stream| {
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        let mut found = Vec::new();
        for (token, _) in wanted {
            writer.write_all(ask(token).as_bytes())?;
            let answer = crate::Answer::read(&mut reader, "GET")?;
            found.push((answer.status, answer.json()["user_id"].as_str().map(str::to_owned)));
        }
        Ok(found)
    });
    match result {
        Ok(found) => {
            let users = [Some(&case.alice().id), None, Some(&case.bob().id), None, Some(&case.alice().id)];
            let good = found
                .iter()
                .zip(wanted)
                .zip(users)
                .all(|(((status, user), (_, wanted)), owner)| *status == wanted && user.as_ref() == owner);
            if !good {
                case.note(format!("on one connection: {found:?}"));
            }
        }
        Err(error) => case.note(format!("on one connection: {error}")),
    }
}
