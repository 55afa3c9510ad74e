//! Tokens signed with the server's own secret: structure, header, signature, one fault each.

use authcore::Algorithm;
use authcore_testkit::{Mint, SigningKey, b64, mint};
use serde_json::{Value, json};

use super::claims::{Claims, Says, judge};
use super::get;
use crate::case::Case;
use crate::check::{Check, Needs};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, payload) in payloads() {
        let check = Check::new(format!("tokens.payload.{name}"), move |case| {
            let payload = payload.bytes(case);
            let token = case.signer().sign(&mint().raw_payload(payload));
            judge(case, &token, Says::Invalid);
        });
        checks.push(check.needing(Needs::Secret));
    }
    for (name, header) in broken_headers() {
        let check = Check::new(format!("tokens.header.{name}"), move |case| {
            let token = case.signer().sign(&alices(case).raw_header(header.clone()));
            judge(case, &token, Says::Invalid);
        });
        checks.push(check.needing(Needs::Secret));
    }
    for (name, parameter, value, verdict) in parameters() {
        let check = Check::new(format!("tokens.header.{name}"), move |case| {
            let token = case.signer().sign(&alices(case).header(parameter, value.clone()));
            judge(case, &token, verdict);
        });
        checks.push(check.needing(Needs::Secret));
    }
    let others = [
        Check::new("tokens.header.typ-absent", typ_absent),
        Check::new("tokens.header.a47-no-kid-and-one-key", no_kid),
        Check::new("tokens.signature.a43-another-hash", another_hash),
        Check::new("tokens.signature.another-secret", another_secret),
        Check::new("tokens.signature.a62-damaged", damaged_signature),
        Check::new("tokens.signature.a51-attackers-jwk", attackers_jwk),
        Check::new("tokens.refusals-tell-nothing", refusals_tell_nothing),
    ];
    checks.extend(others.map(|check| check.needing(Needs::Secret)));
    checks
}

/// A good token for alice, still to be spoilt.
fn alices(case: &Case<'_>) -> Mint {
    case.signer().mint(&case.alice().id)
}

/// A payload: these bytes, or good claims with something about them.
enum Payload {
    Bytes(Vec<u8>),
    Around(&'static str, &'static str),
    Inside(String),
    Recoded(fn(String) -> Vec<u8>),
    Renamed(&'static str, &'static str),
}

impl Payload {
    fn bytes(&self, case: &Case<'_>) -> Vec<u8> {
        let claims = Claims::good(case);
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Around(before, after) => format!("{before}{}{after}", claims.text()).into_bytes(),
            Self::Inside(more) => format!("{{{},{more}}}", claims.inside()).into_bytes(),
            Self::Recoded(recode) => recode(claims.text()),
            Self::Renamed(name, other) => {
                claims.text().replace(&format!("{name:?}:"), &format!("{other:?}:")).into_bytes()
            }
        }
    }
}

fn payloads() -> Vec<(&'static str, Payload)> {
    let bytes = |text: &[u8]| Payload::Bytes(text.to_vec());
    let inside = |text: &str| Payload::Inside(text.to_owned());
    vec![
        ("t30-array", bytes(b"[]")),
        ("t30-string", bytes(br#""alice""#)),
        ("t30-number", bytes(b"7")),
        ("t30-null", bytes(b"null")),
        ("t30-true", bytes(b"true")),
        ("t34-no-json", bytes(b"alice")),
        ("l64-l78-empty-object", bytes(b"{}")),
        ("t30-claims-in-an-array", Payload::Around("[", "]")),
        ("t34-trailing-byte", Payload::Around("", "x")),
        ("t34-trailing-nul", Payload::Around("", "\0")),
        ("t34-trailing-comma", Payload::Around("", ",")),
        ("t34-comment", Payload::Around("/**/", "")),
        ("t34-two-objects", Payload::Around("", "{}")),
        ("t33-byte-order-mark", Payload::Around("\u{feff}", "")),
        ("t33-utf-16", Payload::Recoded(|text| text.encode_utf16().flat_map(u16::to_le_bytes).collect())),
        ("t34-single-quotes", Payload::Recoded(|text| text.replace('"', "'").into_bytes())),
        ("t33-not-utf-8", Payload::Recoded(|text| [&text.as_bytes()[..text.len() - 1], b",\"x\":\"\xff\"}"].concat())),
        (
            "t33-over-long-utf-8",
            Payload::Recoded(|text| [&text.as_bytes()[..text.len() - 1], b",\"x\":\"\xc0\xaf\"}"].concat()),
        ),
        ("t31-duplicate-sub", inside(r#""sub":"bob""#)),
        ("t31-duplicate-sub-escaped", inside(r#""s\u0075b":"bob""#)),
        ("t31-duplicate-exp", inside(r#""exp":4102444800"#)),
        ("t31-duplicate-of-an-unknown-claim", inside(r#""x":1,"x":1"#)),
        ("t32-duplicate-in-a-nested-object", inside(r#""x":{"y":[{"z":1,"z":1}]}"#)),
        ("t34-nan", inside(r#""x":NaN"#)),
        ("t34-infinity", inside(r#""x":-Infinity"#)),
        ("t34-plus-sign", inside(r#""x":+1"#)),
        ("t34-leading-zero", inside(r#""x":01"#)),
        ("t34-hexadecimal", inside(r#""x":0x1"#)),
        ("t33-lone-surrogate", inside(r#""x":"\udc00""#)),
        ("t35-deep-arrays", inside(&format!(r#""x":{}{}"#, "[".repeat(5000), "]".repeat(5000)))),
        ("t35-deep-objects", inside(&format!(r#""x":{}1{}"#, r#"{"y":"#.repeat(1500), "}".repeat(1500)))),
        ("t36-sub-in-another-case", Payload::Renamed("sub", "Sub")),
        ("t36-exp-in-another-case", Payload::Renamed("exp", "EXP")),
    ]
}

fn broken_headers() -> Vec<(&'static str, Vec<u8>)> {
    let text = |name, text: &str| (name, text.as_bytes().to_vec());
    vec![
        text("a38-empty-object", "{}"),
        text("t30-array", r#"[{"alg":"HS256"}]"#),
        text("t30-string", r#""HS256""#),
        text("t30-null", "null"),
        text("t31-a38-duplicate-alg", r#"{"alg":"none","alg":"HS256"}"#),
        text("t31-a38-duplicate-alg-escaped", r#"{"alg":"HS256","\u0061lg":"HS256"}"#),
        text("t32-duplicate-in-a-nested-object", r#"{"alg":"HS256","x":{"y":1,"y":2}}"#),
        text("t34-trailing-byte", r#"{"alg":"HS256"}x"#),
        text("t34-trailing-comma", r#"{"alg":"HS256",}"#),
        text("t33-byte-order-mark", "\u{feff}{\"alg\":\"HS256\"}"),
        text("t35-deep", &format!(r#"{{"alg":"HS256","x":{}{}}}"#, "[".repeat(5000), "]".repeat(5000))),
        ("t33-not-utf-8", b"{\"alg\":\"HS256\",\"x\":\"\xff\"}".to_vec()),
    ]
}

/// Name, header parameter, value, verdict.
fn parameters() -> Vec<(&'static str, &'static str, Value, Says)> {
    use Says::{Invalid, Welcome};
    vec![
        ("a37-alg-none", "alg", json!("none"), Invalid),
        ("a37-alg-NONE", "alg", json!("NONE"), Invalid),
        ("a37-alg-none-padded", "alg", json!("none "), Invalid),
        ("a37-alg-none-cyrillic", "alg", json!("non\u{435}"), Invalid),
        ("a37-alg-nul", "alg", json!("HS256\0"), Invalid),
        ("a39-alg-lower-case", "alg", json!("hs256"), Invalid),
        ("a39-alg-unknown", "alg", json!("HS1024"), Invalid),
        ("a38-alg-empty", "alg", json!(""), Invalid),
        ("a38-alg-null", "alg", json!(null), Invalid),
        ("a38-alg-number", "alg", json!(256), Invalid),
        ("a38-alg-array", "alg", json!(["HS256"]), Invalid),
        ("a38-alg-object", "alg", json!({"name": "HS256"}), Invalid),
        ("a38-alg-true", "alg", json!(true), Invalid),
        ("a39-alg-rs256", "alg", json!("RS256"), Invalid),
        ("a39-alg-eddsa", "alg", json!("EdDSA"), Invalid),
        ("a45-kid-number", "kid", json!(1), Invalid),
        ("a45-kid-array", "kid", json!(["1"]), Invalid),
        ("a45-kid-object", "kid", json!({}), Invalid),
        ("a45-kid-null", "kid", json!(null), Invalid),
        ("a45-kid-true", "kid", json!(true), Invalid),
        ("a46-kid-of-5000-bytes", "kid", json!("k".repeat(5000)), Invalid),
        ("a54-crit-unknown", "crit", json!(["x"]), Invalid),
        ("a54-crit-empty", "crit", json!([]), Invalid),
        ("a54-crit-string", "crit", json!("exp"), Invalid),
        ("a54-crit-registered", "crit", json!(["alg"]), Invalid),
        ("a54-crit-b64", "crit", json!(["b64"]), Invalid),
        ("a54-crit-null", "crit", json!(null), Invalid),
        ("a55-b64-true", "b64", json!(true), Invalid),
        ("a55-b64-false", "b64", json!(false), Invalid),
        ("a56-zip", "zip", json!("DEF"), Invalid),
        ("a56-enc", "enc", json!("A256GCM"), Invalid),
        ("a56-cty-jwt", "cty", json!("JWT"), Invalid),
        ("a57-typ-dpop", "typ", json!("dpop+jwt"), Invalid),
        ("a57-typ-logout", "typ", json!("logout+jwt"), Invalid),
        ("a57-typ-security-event", "typ", json!("secevent+jwt"), Invalid),
        ("a57-typ-session-cache", "typ", json!("better-auth.session-cache+jwt"), Invalid),
        ("a57-typ-number", "typ", json!(1), Invalid),
        ("typ-lower-case", "typ", json!("jwt"), Welcome),
        // Whoever signed it also wrote these; still nobody follows them.
        ("a53-jku", "jku", json!("http://127.0.0.1:9/jwks"), Welcome),
        ("a53-x5u", "x5u", json!("http://127.0.0.1:9/x5u"), Welcome),
        ("unknown-parameter", "x", json!({"y": [1]}), Welcome),
    ]
}

fn typ_absent(case: &mut Case<'_>) {
    let token = case.signer().sign(&alices(case).without_header("typ"));
    judge(case, &token, Says::Welcome);
}

fn no_kid(case: &mut Case<'_>) {
    let token = case.signer().sign(&alices(case).without_header("kid"));
    judge(case, &token, Says::Welcome);
}

/// The key is for HS256, whatever a token says.
fn another_hash(case: &mut Case<'_>) {
    for algorithm in [Algorithm::Hs384, Algorithm::Hs512] {
        let token = case.signer().sign_with(algorithm, &alices(case));
        judge(case, &token, Says::Invalid);
    }
}

fn another_secret(case: &mut Case<'_>) {
    for secret in ["better-auth-secret-12345678901234567890", "another secret of more than 32 bytes"] {
        let token = alices(case).sign(&SigningKey::hmac(Algorithm::Hs256, secret));
        judge(case, &token, Says::Invalid);
    }
}

fn damaged_signature(case: &mut Case<'_>) {
    let mint = alices(case);
    let (token, signature) = (case.signer().sign(&mint), case.signer().signature(&mint));
    let input = token.rsplit_once('.').map(|(input, _)| input).unwrap_or_default();
    let mut flipped = signature.clone();
    flipped[31] ^= 1;
    let hexadecimal: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    let extended = [&*signature, &[0]].concat();
    let damaged: [&[u8]; 6] = [&[], &signature[..16], &signature[..31], &extended, &flipped, hexadecimal.as_bytes()];
    for signature in damaged {
        judge(case, &format!("{input}.{}", b64(signature)), Says::Invalid);
    }
    judge(case, &token, Says::Welcome);
}

/// A key that comes with the token is no key of the server's.
fn attackers_jwk(case: &mut Case<'_>) {
    for algorithm in [Algorithm::Hs256, Algorithm::EdDsa, Algorithm::Es256] {
        let attackers = match algorithm {
            Algorithm::Hs256 => SigningKey::hmac(algorithm, "the attacker knows this one, of course"),
            _ => SigningKey::generate(algorithm),
        };
        let token = alices(case).header("jwk", attackers.public_jwk()).sign(&attackers);
        judge(case, &token, Says::Invalid);
    }
}

/// Whatever is wrong with a token that is not believed, the answer is the same to the byte.
fn refusals_tell_nothing(case: &mut Case<'_>) {
    let tokens = [
        alices(case).sign(&SigningKey::hmac(Algorithm::Hs256, "another secret of more than 32 bytes")),
        case.signer().sign(&alices(case).without("sub")),
        case.signer().sign(&alices(case).header("alg", "none")),
        "no.token.atall".to_owned(),
    ];
    let answers = tokens.map(|token| case.send(get("/api/tasks").bearer(&token)));
    for answer in &answers {
        case.expect(answer).refused_token().must(answer.body == answers[0].body, || "the bodies differ".to_owned());
    }
}
