//! The `Authorization` field itself: what is one well-formed Bearer token, and what is not.

use super::{SPELLINGS, base, get};
use crate::Request;
use crate::case::{Case, Expectation};
use crate::check::Check;
use crate::people::Person;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::new("credentials.c07-two-lines", two_lines),
        Check::new("credentials.c10-every-high-byte", every_high_byte),
        Check::new("credentials.c12-long-token", long_token),
        Check::new("credentials.c13-many-dots", many_dots),
        Check::new("credentials.c14-in-the-query", in_the_query),
        Check::new("credentials.c18-in-other-fields", in_other_fields),
        Check::new("credentials.c18-forwarded-user-is-not-read", forwarded_user),
        Check::new("credentials.c11-server-refuses-control-bytes", control_bytes),
        Check::new("credentials.same-answer-whatever-is-wrong", same_answer),
    ];
    for spelling in SPELLINGS {
        let check = move |case: &mut Case<'_>| missing(case, spelling);
        checks.push(Check::new(format!("credentials.c01-missing.{spelling}"), check));
    }
    for (name, verdict, value) in VALUES {
        let check = move |case: &mut Case<'_>| judge(case, *verdict, value);
        checks.push(Check::new(format!("credentials.{name}"), check));
    }
    for (name, tamper) in TAMPERED {
        let check = move |case: &mut Case<'_>| {
            let token = tamper(case.alice());
            let answer = case.send(get("/api/tasks").bearer(&token));
            case.expect(&answer).refused_token();
        };
        checks.push(Check::new(format!("credentials.token.{name}"), check));
    }
    checks
}

#[derive(Clone, Copy)]
enum Says {
    Welcome,
    Bare,
    Malformed,
}

/// Name, answer, and the field's value with `{}` for alice's token.
const VALUES: &[(&str, Says, &[u8])] = &[
    ("c02-scheme-in-lower-case", Says::Welcome, b"bearer {}"),
    ("c02-scheme-in-upper-case", Says::Welcome, b"BEARER {}"),
    ("c02-scheme-in-mixed-case", Says::Welcome, b"bEaReR {}"),
    ("c06-two-spaces-after-the-scheme", Says::Welcome, b"Bearer  {}"),
    ("c06-many-spaces-after-the-scheme", Says::Welcome, b"Bearer          {}"),
    ("white-space-after-the-value", Says::Welcome, b"Bearer {}  "),
    ("c03-basic", Says::Bare, b"Basic YWxpY2U6c2VjcmV0"),
    ("c03-digest", Says::Bare, b"Digest username=\"alice\""),
    ("c03-negotiate", Says::Bare, b"Negotiate YII="),
    ("c20-dpop", Says::Bare, b"DPoP {}"),
    ("longer-scheme", Says::Bare, b"BearerX {}"),
    ("token-without-scheme", Says::Bare, b"{}"),
    ("empty-field", Says::Bare, b""),
    ("c04-nothing-after-the-scheme", Says::Malformed, b"Bearer"),
    ("c04-only-spaces-after-the-scheme", Says::Malformed, b"Bearer   "),
    ("c05-tab", Says::Malformed, b"Bearer\t{}"),
    ("c05-space-and-tab", Says::Malformed, b"Bearer \t{}"),
    ("c05-no-break-space", Says::Malformed, b"Bearer\xc2\xa0{}"),
    ("c05-zero-width-space", Says::Malformed, b"Bearer\xe2\x80\x8b{}"),
    ("colon", Says::Malformed, b"Bearer: {}"),
    ("c08-comma-list", Says::Malformed, b"Bearer {}, Bearer {}"),
    ("c08-comma-list-of-schemes", Says::Malformed, b"Bearer {}, Basic YWxpY2U6c2VjcmV0"),
    ("c08-comma-list-without-a-space", Says::Malformed, b"Bearer {},Bearer {}"),
    ("c09-scheme-twice", Says::Malformed, b"Bearer Bearer {}"),
    ("c09-quoted", Says::Malformed, b"Bearer \"{}\""),
    ("c09-as-parameter", Says::Malformed, b"Bearer token=\"{}\""),
    ("c09-t24-inner-space", Says::Malformed, b"Bearer {} {}"),
    ("semicolon", Says::Malformed, b"Bearer {};x=y"),
    ("t25-equals-in-the-middle", Says::Malformed, b"Bearer =a={}"),
    ("t29-percent-encoded-dot", Says::Malformed, b"Bearer a%2Eb%2Ec"),
    (
        "t23-flattened-json-serialisation",
        Says::Malformed,
        b"Bearer {\"payload\":\"e30\",\"protected\":\"e30\",\"signature\":\"\"}",
    ),
    (
        "t23-general-json-serialisation",
        Says::Malformed,
        b"Bearer {\"payload\":\"e30\",\"signatures\":[{\"protected\":\"e30\",\"signature\":\"\"}]}",
    ),
    ("t24-space-before-a-dot", Says::Malformed, b"Bearer a .b.c"),
    ("t24-tab-after-a-dot", Says::Malformed, b"Bearer a.b.\tc"),
    ("c10-byte-0x80", Says::Malformed, b"Bearer {}\x80"),
    ("c10-byte-0xff", Says::Malformed, b"Bearer \xff{}"),
    ("t29-ideographic-dot", Says::Malformed, b"Bearer a\xe3\x80\x82b\xe3\x80\x82c"),
    ("t29-one-dot-leader", Says::Malformed, b"Bearer a\xe2\x80\xa4b\xe2\x80\xa4c"),
    ("t29-letter-with-an-accent", Says::Malformed, b"Bearer {}\xc3\xa9"),
    ("t29-full-width-dot", Says::Malformed, b"Bearer a\xef\xbc\x8eb\xef\xbc\x8ec"),
];

fn judge(case: &mut Case<'_>, verdict: Says, value: &[u8]) {
    let token = case.alice().token.clone();
    let answer = case.send(get("/api/tasks").field("Authorization", filled(value, &token)));
    match verdict {
        Says::Welcome => case.expect(&answer).status(200).json("/user_id", case.alice().id.as_str()),
        Says::Bare => case.expect(&answer).refused_bare(),
        Says::Malformed => case.expect(&answer).refused_malformed(),
    };
}

/// The value with the token in place of each `{}`, byte for byte.
fn filled(value: &[u8], token: &str) -> Vec<u8> {
    let mut filled = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"{}") {
        filled.extend_from_slice(&rest[..at]);
        filled.extend_from_slice(token.as_bytes());
        rest = &rest[at + 2..];
    }
    filled.extend_from_slice(rest);
    filled
}

type Tamper = fn(&Person) -> String;

/// Well-formed for the header field, and no token to be believed. Each says `token_invalid`, as none was signed so.
const TAMPERED: &[(&str, Tamper)] = &[
    ("t21-one-segment", |_| "opaque".to_owned()),
    ("t21-two-segments", |person| person.token.rsplit_once('.').map(|(input, _)| input.to_owned()).unwrap_or_default()),
    ("t21-four-segments", |person| format!("{}.e30", person.token)),
    ("t21-t22-five-segments", |person| format!("{}.e30.e30", person.token)),
    ("t21-leading-dot", |person| format!(".{}", person.token)),
    ("t21-trailing-dot", |person| format!("{}.", person.token)),
    ("t21-only-dots", |_| "..".to_owned()),
    ("t21-one-dot", |_| ".".to_owned()),
    ("a62-signature-stripped", |person| with_signature(person, "")),
    ("a62-signature-of-zeros", |person| with_signature(person, &"A".repeat(43))),
    ("a62-signature-of-another-token", |person| with_signature(person, "c2lnbmF0dXJlIG9mIGFub3RoZXIgdG9rZW4gYXQgYWxs")),
    ("a62-signature-cut-short", |person| person.token[..person.token.len() - 4].to_owned()),
    ("a62-signature-extended", |person| format!("{}AAAA", person.token)),
    ("t25-padded", |person| format!("{}=", person.token)),
    ("t25-padded-twice", |person| format!("{}==", person.token)),
    ("t26-standard-alphabet", |person| with_signature(person, "+/+/")),
    ("t28-length-1-mod-4", |person| with_signature(person, "AAAAA")),
    ("t27-second-spelling-of-the-signature", second_spelling),
    ("payload-of-another-user", |person| with_payload(person, "eyJzdWIiOiJib2IiLCJleHAiOjQxMDI0NDQ4MDB9")),
    ("t21-header-emptied", |person| {
        format!(".{}", person.token.split_once('.').map(|(_, rest)| rest).unwrap_or_default())
    }),
    ("t21-t30-payload-emptied", |person| with_payload(person, "")),
    ("a37-alg-none", |person| with_header(person, "eyJhbGciOiJub25lIn0")),
    ("a37-alg-none-unsigned", |person| {
        let token = with_header(person, "eyJhbGciOiJub25lIn0");
        token.rsplit_once('.').map(|(input, _)| format!("{input}.")).unwrap_or_default()
    }),
    ("a37-alg-None", |person| with_header(person, "eyJhbGciOiJOb25lIn0")),
    ("a38-alg-missing", |person| with_header(person, "eyJ0eXAiOiJKV1QifQ")),
    ("session-token-shape", |_| "dGhpcyBpcyBhIHNlc3Npb24gdG9rZW4.c2lnbmVkIGJ5IG5vYm9keSB3ZSBrbm93".to_owned()),
];

fn with_signature(person: &Person, signature: &str) -> String {
    let input = person.token.rsplit_once('.').map(|(input, _)| input).unwrap_or_default();
    format!("{input}.{signature}")
}

fn with_header(person: &Person, header: &str) -> String {
    let rest = person.token.split_once('.').map(|(_, rest)| rest).unwrap_or_default();
    format!("{header}.{rest}")
}

fn with_payload(person: &Person, payload: &str) -> String {
    let mut segments = person.token.split('.');
    let (header, signature) = (segments.next().unwrap_or_default(), segments.nth(1).unwrap_or_default());
    format!("{header}.{payload}.{signature}")
}

/// The same signature bytes with a stray low bit in the last character; signatures of 32 and 64 bytes leave some over.
fn second_spelling(person: &Person) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut token = person.token.clone();
    let last = token.pop().and_then(|last| ALPHABET.find(last)).unwrap_or_default();
    token.push(char::from(ALPHABET.as_bytes()[last ^ 1]));
    token
}

fn missing(case: &mut Case<'_>, spelling: &str) {
    let base = base(spelling, case.alice());
    let routes = [
        ("GET", base.clone()),
        ("HEAD", base.clone()),
        ("POST", base.clone()),
        ("OPTIONS", base.clone()),
        ("GET", format!("{base}/1")),
        ("PUT", format!("{base}/1")),
        ("DELETE", format!("{base}/1")),
        ("PATCH", format!("{base}/1/complete")),
        ("NOSUCH", base.clone()),
    ];
    for (method, path) in routes {
        let answer = case.send(Request::new(method, path));
        let expectation = case.expect(&answer);
        if method == "HEAD" {
            expectation.status(401).empty()
        } else {
            expectation.refused_bare()
        };
    }
}

/// Never the first, never the last.
fn two_lines(case: &mut Case<'_>) {
    let good = format!("Bearer {}", case.alice().token);
    let bobs = format!("Bearer {}", case.bob().token);
    let pairs = [
        (&*good, &*good),
        (&good, &bobs),
        (&good, "Bearer nonsense"),
        ("Bearer nonsense", &good),
        (&good, "Basic YWxpY2U6c2VjcmV0"),
        ("Basic YWxpY2U6c2VjcmV0", &good),
        ("", &good),
    ];
    for (first, second) in pairs {
        let request = get("/api/tasks").field("Authorization", first).field("authorization", second);
        let answer = case.send(request);
        case.expect(&answer).refused_malformed();
    }
}

/// Bytes, not text: none of them is taken for a character.
fn every_high_byte(case: &mut Case<'_>) {
    for byte in 0x80..=0xff {
        let value = [b"Bearer ", case.alice().token.as_bytes(), &[byte]].concat();
        let answer = case.send(get("/api/tasks").field("Authorization", value));
        case.expect(&answer).refused_malformed();
    }
}

/// 20 KB is more than any token, and less than what an HTTP server takes.
fn long_token(case: &mut Case<'_>) {
    let answer = case.send(get("/api/tasks").bearer(&format!("{}{}", case.alice().token, "A".repeat(20 * 1024))));
    case.expect(&answer).refused_token();
    let answer = case.send(get("/api/tasks").bearer(&"A".repeat(20 * 1024)));
    case.expect(&answer).refused_token();
}

/// Far more than a server takes for all header fields together, perhaps.
fn many_dots(case: &mut Case<'_>) {
    let answer = case.send_hostile(get("/api/tasks").bearer(&".".repeat(100_000)));
    case.expect(&answer).status_in(&[400, 401, 431]);
    let answer = case.send_hostile(get("/api/tasks").bearer(&"A".repeat(1_000_000)));
    case.expect(&answer).status_in(&[400, 401, 431]);
    // This many every server takes, and it is our code that answers.
    let answer = case.send(get("/api/tasks").bearer(&".".repeat(15_000)));
    case.expect(&answer).refused_token();
}

fn in_the_query(case: &mut Case<'_>) {
    let (alices, bobs) = (&case.alice().token, &case.bob().token);
    for name in ["access_token", "token", "jwt", "authorization", "bearer"] {
        let answer = case.send(get(format!("/api/tasks?{name}={alices}")));
        case.expect(&answer).refused_bare();
        let answer = case.send(get(format!("/api/tasks?{name}={bobs}")).bearer(alices));
        case.expect(&answer).status(200).json("/user_id", case.alice().id.as_str());
    }
}

fn in_other_fields(case: &mut Case<'_>) {
    let token = format!("Bearer {}", case.alice().token);
    let others =
        ["Proxy-Authorization", "X-Forwarded-Authorization", "X-Authorization", "X-Auth-Token", "X_Authorization"];
    for name in others {
        let answer = case.send(get("/api/tasks").field(name, token.as_str()));
        case.expect(&answer).refused_bare();
    }
}

fn forwarded_user(case: &mut Case<'_>) {
    let names = ["X-User-Id", "X-Forwarded-User", "X-Remote-User", "X-Auth-Request-User", "User-Id"];
    for name in names {
        let bob = case.bob().id.clone();
        let answer = case.send(get("/api/tasks").field(name, bob.as_str()));
        case.expect(&answer).refused_bare();
        let answer = case.send_as(case.alice(), get("/api/tasks").field(name, bob.as_str()));
        case.expect(&answer).status(200).json("/user_id", case.alice().id.as_str());
        let answer = case.send_as(case.alice(), get(format!("/api/{bob}/tasks")).field(name, bob.as_str()));
        case.expect(&answer).refused(403, "not_owner");
    }
}

/// The HTTP server's own affair, as long as nobody gets in.
fn control_bytes(case: &mut Case<'_>) {
    let token = case.alice().token.clone();
    let ends: [&[u8]; 5] = [b"\0", b"\r", b"\x01", b"\x7f", b"\r\n folded"];
    for end in ends {
        let value = [b"Bearer ", token.as_bytes(), end].concat();
        let answer = case.send_hostile(get("/api/tasks").field("Authorization", value));
        case.expect(&answer).status_in(&[400, 401, 431]);
    }
}

/// Bodies are no oracle: a forged signature reads like a broken token.
fn same_answer(case: &mut Case<'_>) {
    let forged = with_signature(case.alice(), &"A".repeat(43));
    let answers = [forged.as_str(), "opaque", "a.b.c"].map(|token| case.send(get("/api/tasks").bearer(token)));
    for answer in &answers {
        let challenge = answers[0].field("www-authenticate").unwrap_or_default();
        let same: fn(Expectation<'_>, bool) = |expectation, good| {
            expectation.must(good, || "the bodies differ".to_owned());
        };
        same(case.expect(answer).field("www-authenticate", &challenge), answer.body == answers[0].body);
    }
}
