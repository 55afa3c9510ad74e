//! Paths that two programs may read in two ways, sent as they are.

use super::get;
use crate::case::Case;
use crate::check::Check;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::new("paths.i121-absolute-form", i121_absolute_form),
        Check::new("paths.very-long", very_long),
        Check::new("paths.escaped-letters-of-a-route", escaped_letters),
        Check::new("paths.nothing-opens-without-a-credential", nothing_opens),
    ];
    for (name, path) in AMBIGUOUS {
        let check = move |case: &mut Case<'_>| i120_ambiguous(case, path);
        checks.push(Check::new(format!("paths.400.{name}"), check));
    }
    for (name, path) in HOSTILE {
        let check = move |case: &mut Case<'_>| i121_hostile(case, path);
        checks.push(Check::new(format!("paths.refused.{name}"), check));
    }
    checks
}

fn i120_ambiguous(case: &mut Case<'_>, path: &str) {
    let answer = case.send_hostile(get(filled(case, path)).bearer(&case.alice().token));
    case.expect(&answer).refused(400, "bad_request");
}

fn i121_hostile(case: &mut Case<'_>, path: &str) {
    let answer = case.send_hostile(get(filled(case, path)).bearer(&case.alice().token));
    case.expect(&answer).status_in(&[400, 403, 404]);
}

/// Bad or ambiguous escapes: 400. `{a}` stands for alice's id, `{b}` for bob's.
const AMBIGUOUS: &[(&str, &str)] = &[
    ("i120-escaped-slash", "/api/{a}%2F{b}/tasks"),
    ("i120-escaped-slash-lower-case", "/api/{a}%2f{b}/tasks"),
    ("i120-escaped-slash-for-a-segment", "/api/{b}%2Ftasks"),
    ("i120-escaped-backslash", "/api/{a}%5C{b}/tasks"),
    ("i120-escaped-nul", "/api/{a}%00/tasks"),
    ("i120-escaped-line-end", "/api/{a}%0d%0a/tasks"),
    ("i120-escaped-delete", "/api/{a}%7F/tasks"),
    ("i120-not-utf-8", "/api/{a}%ff/tasks"),
    ("i120-over-long-slash", "/api/{a}%c0%af{b}/tasks"),
    ("i120-half-a-character", "/api/{a}%C3/tasks"),
    ("i120-surrogate", "/api/%ED%A0%80/tasks"),
    ("i120-bad-digits", "/api/%zz/tasks"),
    ("i120-one-digit", "/api/{a}/tasks/%1"),
    ("i120-lone-percent", "/api/%/tasks"),
    // Whoever undoes the inner escapes first finds a good one; only the first reading counts.
    ("i120-escape-made-of-escapes", "/api/%%36%31/tasks"),
    ("i120-escape-with-an-escaped-digit", "/api/%6%31/tasks"),
    ("i121-dots-made-of-escapes", "/api/{a}/%2%65%2%65/{b}/tasks"),
    ("i120-slash-made-of-escapes", "/api/{a}%%32%46{b}/tasks"),
    ("i120-percent-u", "/api/%u0041/tasks"),
    ("i121-escaped-dot-dot", "/api/{a}/%2e%2e/{b}/tasks"),
    ("i121-half-escaped-dot-dot", "/api/{a}/.%2e/{b}/tasks"),
    ("i121-escaped-dot-dot-upper-case", "/api/{a}/%2E%2E/{b}/tasks"),
    ("i121-escaped-dot", "/api/%2e/{b}/tasks"),
    ("i120-in-the-task-id", "/api/{a}/tasks/1%2F2"),
];

/// No escapes, and still not what they seem.
const HOSTILE: &[(&str, &str)] = &[
    ("i121-dot-dot", "/api/{a}/../{b}/tasks"),
    ("i121-dot-dot-to-the-root", "/api/{a}/tasks/../../{b}/tasks"),
    ("i121-dot", "/api/./{b}/tasks"),
    ("i121-dot-segment-at-the-end", "/api/{b}/tasks/."),
    ("i121-double-slash", "/api//{b}/tasks"),
    ("i121-double-slash-at-the-start", "//api/{b}/tasks"),
    ("i121-double-slash-for-an-id", "/api//tasks"),
    ("i121-double-slash-at-the-end", "/api/{b}/tasks//"),
    ("i121-parameter", "/api/{b};x=y/tasks"),
    ("i121-parameter-on-the-own-id", "/api/{a};x=y/tasks"),
    ("i121-parameter-with-an-id", "/api/{a};{b}/tasks"),
    ("i121-parameter-on-tasks", "/api/{b}/tasks;x=y"),
    ("i121-backslash", "/api/{a}\\..\\{b}/tasks"),
    ("i121-backslash-for-a-slash", "/api\\{b}\\tasks"),
    ("i121-raw-byte", "/api/{b}\u{e9}/tasks"),
    ("i121-escaped-tasks", "/api/{b}/t%61sks"),
    ("i121-escaped-api", "/%61pi/{b}/tasks"),
    ("i120-twice-escaped-id", "/api/%2542/tasks"),
    ("i120-twice-escaped-hyphen", "/api/{a}%252D/tasks"),
    ("i120-twice-escaped-slash", "/api/{a}%252F{b}/tasks"),
    ("i120-question-mark-escaped", "/api/{b}%3F/tasks"),
    ("i120-hash-escaped", "/api/{a}%23{b}/tasks"),
    ("i121-asterisk", "*"),
    ("i121-no-slash", "api/{b}/tasks"),
];

fn filled(case: &Case<'_>, path: &str) -> String {
    path.replace("{a}", &case.alice().id).replace("{b}", &case.bob().id)
}

/// A request target may name the server (RFC 9112 §3.2.2). It is the same request then, or none.
fn i121_absolute_form(case: &mut Case<'_>) {
    let (here, token) = (case.target().authority.clone(), case.alice().token.clone());
    let (alice, bob) = (case.alice().id.clone(), case.bob().id.clone());
    for host in [here.as_str(), "elsewhere.example", "alice@127.0.0.1:1"] {
        let answer = case.send_hostile(get(format!("http://{host}/api/{bob}/tasks")).bearer(&token));
        case.expect(&answer).status_in(&[400, 403, 404]);
    }
    let answer = case.send_hostile(get(format!("http://{here}/api/{alice}/tasks")).bearer(&token));
    case.expect(&answer).status_in(&[200, 400]);
    if answer.status == 200 {
        case.expect(&answer).json("/user_id", alice.as_str());
    }
    let answer = case.send_hostile(get(format!("http://{here}/api/tasks")));
    case.expect(&answer).status_in(&[400, 401]);
}

fn very_long(case: &mut Case<'_>) {
    let answer = case.send_hostile(get(format!("/api/{}/tasks", "a".repeat(20_000))).bearer(&case.alice().token));
    case.expect(&answer).status_in(&[400, 403, 404, 414, 431]);
}

/// `t%61sks` is `tasks` (RFC 3986 §6.2.2.2). A server may serve it or not, for the owner alone.
fn escaped_letters(case: &mut Case<'_>) {
    for path in ["/api/{a}/t%61sks", "/api/t%61sks"] {
        let answer = case.send_as(case.alice(), get(filled(case, path)));
        case.expect(&answer).status_in(&[200, 404]);
        if answer.status == 200 {
            case.expect(&answer).json("/user_id", case.alice().id.as_str());
        }
    }
    let answer = case.send_as(case.alice(), get(filled(case, "/api/{b}/t%61sks")));
    case.expect(&answer).status_in(&[403, 404]);
}

/// However a path is spelled, it does not get round the credential.
fn nothing_opens(case: &mut Case<'_>) {
    for path in [
        "//api/tasks",
        "/api//tasks",
        "/./api/tasks",
        "/%61pi/tasks",
        "/api/tasks/",
        "/health/../api/tasks",
        "/api/tasks;x",
    ] {
        let answer = case.send_hostile(get(path));
        case.expect(&answer).status_in(&[400, 401, 404]);
    }
}
