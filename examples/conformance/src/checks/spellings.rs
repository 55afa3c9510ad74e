//! One token in several spellings: signed with the server's own secret, so that the spelling alone is at fault.

use authcore_testkit::{b64, mint};

use super::claims::{Claims, Says, judge};
use super::get;
use crate::case::Case;
use crate::check::{Check, Needs};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        Check::new("tokens.spelling.t22-encrypted-token", encrypted_token),
        Check::new("tokens.spelling.t27-every-second-spelling", every_second_spelling),
        Check::new("tokens.spelling.t35-deeper-than-any-token", deeper_than_any_token),
    ];
    for (name, respell, verdict) in SPELLINGS {
        checks.push(Check::new(format!("tokens.spelling.{name}"), move |case| {
            let (header, payload) = segments(case);
            let token = case.signer().sign_segments(&respell(&header, &payload));
            judge(case, &token, *verdict);
        }));
    }
    checks.into_iter().map(|check| check.needing(Needs::Secret)).collect()
}

type Respell = fn(&str, &str) -> String;

/// What is signed, made of the header and the payload of a good token.
const SPELLINGS: &[(&str, Respell, Says)] = &[
    ("as-it-should-be", |header, payload| format!("{header}.{payload}"), Says::Welcome),
    ("t21-one-segment", |header, payload| format!("{header}{payload}"), Says::Invalid),
    ("t21-four-segments", |header, payload| format!("{header}.{payload}.{payload}"), Says::Invalid),
    ("t21-leading-dot", |header, payload| format!(".{header}.{payload}"), Says::Invalid),
    ("t21-dot-before-the-signature", |header, payload| format!("{header}.{payload}."), Says::Invalid),
    ("t25-padded-header", |header, payload| format!("{header}=.{payload}"), Says::Malformed),
    ("t25-padded-payload", |header, payload| format!("{header}.{payload}="), Says::Malformed),
    ("t26-standard-alphabet", |header, payload| format!("{header}.{}", in_standard(payload)), Says::Invalid),
    ("t28-header-of-length-1-mod-4", |header, payload| format!("{}.{payload}", uneven(header)), Says::Invalid),
    ("t28-payload-of-length-1-mod-4", |header, payload| format!("{header}.{}", uneven(payload)), Says::Invalid),
    ("t29-escaped-dot", |header, payload| format!("{header}%2e{payload}"), Says::Malformed),
];

/// Header and payload of a good token. The payload has characters to tell the two alphabets apart, and a last one of which
/// not every bit is used.
fn segments(case: &Case<'_>) -> (String, String) {
    let claims = Claims::good(case).with("x", "\"???>>>\u{3ff}\u{3ff}\"").text();
    let payload = (0..3).map(|spaces| b64(format!("{claims}{}", " ".repeat(spaces))));
    let payload = payload.into_iter().find(|payload| payload.len() % 4 != 0).expect("one of three");
    let segments = case.signer().segments(&mint().raw_payload("{}"));
    let header = segments.split('.').next().unwrap_or_default().to_owned();
    (header, payload)
}

fn in_standard(payload: &str) -> String {
    payload.replace('-', "+").replace('_', "/")
}

/// As many more characters as make a length that no bytes have.
fn uneven(segment: &str) -> String {
    format!("{segment}{}", "A".repeat((5 - segment.len() % 4) % 4))
}

/// RFC 7516 §3.1: a header, a key, a vector, a text and a tag.
fn encrypted_token(case: &mut Case<'_>) {
    for header in [r#"{"alg":"dir","enc":"A256GCM"}"#, r#"{"alg":"HS256","enc":"A256GCM"}"#] {
        let token = format!("{}..{}.{}.{}", b64(header), b64([7; 12]), b64("text"), b64([7; 16]));
        judge(case, &token, Says::Invalid);
    }
}

/// The same bytes with other bits in the places that no byte uses, each signed as it is spelt.
fn every_second_spelling(case: &mut Case<'_>) {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (header, payload) = segments(case);
    let (start, last) = payload.split_at(payload.len() - 1);
    let last = ALPHABET.find(last).unwrap_or_default();
    let unused = if payload.len() % 4 == 2 { 16 } else { 4 };
    for bits in 1..unused {
        let respelt = format!("{header}.{start}{}", &ALPHABET[last + bits..=last + bits]);
        let token = case.signer().sign_segments(&respelt);
        judge(case, &token, Says::Invalid);
    }
}

/// Far over the cap on tokens, and perhaps over what the server takes for header fields.
fn deeper_than_any_token(case: &mut Case<'_>) {
    for (open, inner, close, depth) in [("[", "", "]", 20_000), ("{\"y\":", "1", "}", 5_000)] {
        let deep = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
        let payload = Claims::good(case).with("x", &deep).text();
        let token = case.signer().sign(&mint().raw_payload(payload));
        let answer = case.send_hostile(get("/api/tasks").bearer(&token));
        case.expect(&answer).status_in(&[400, 401, 431]);
        if answer.status == 401 {
            case.expect(&answer).refused_token();
        }
    }
}
