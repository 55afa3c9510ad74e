//! Tokens signed with the server's own secret: structure, header, claims, one fault each.

use std::time::{SystemTime, UNIX_EPOCH};

use authcore::Algorithm;
use authcore_testkit::{Mint, SigningKey, b64, mint};
use serde_json::{Value, json};

use super::get;
use crate::case::Case;
use crate::check::{Check, Needs};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for &(name, claim, text, verdict) in CLAIMS {
        let needs = match claim {
            "iss" => Needs::Issuer,
            "aud" => Needs::Audience,
            _ => Needs::Secret,
        };
        let check = Check::new(format!("tokens.{claim}.{name}"), move |case| {
            let payload = Claims::good(case).with(claim, text).text();
            let token = case.signer().sign(&mint().raw_payload(payload));
            judge(case, &token, verdict);
        });
        checks.push(check.needing(needs));
    }
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
        Check::new("tokens.signature.another-hash", another_hash),
        Check::new("tokens.signature.another-secret", another_secret),
        Check::new("tokens.signature.damaged", damaged_signature),
        Check::new("tokens.signature.attackers-jwk", attackers_jwk),
        Check::new("tokens.refusals-tell-nothing", refusals_tell_nothing),
    ];
    checks.extend(others.map(|check| check.needing(Needs::Secret)));
    checks
}

#[derive(Clone, Copy)]
enum Says {
    Welcome,
    Invalid,
    Expired,
    NotYet,
    /// Any of the three, with `error="invalid_token"`.
    Refused,
}

fn judge(case: &mut Case<'_>, token: &str, verdict: Says) {
    let answer = case.send(get("/api/tasks").bearer(token));
    let expectation = case.expect(&answer);
    match verdict {
        Says::Welcome => expectation.status(200),
        Says::Invalid => expectation.refused_token(),
        Says::Expired => {
            expectation.refused(401, "token_expired").challenge("invalid_token").json("/detail", "Token has expired")
        }
        Says::NotYet => expectation.refused(401, "token_not_yet_valid").challenge("invalid_token"),
        Says::Refused => expectation.status(401).challenge("invalid_token"),
    };
}

/// A good token for alice, still to be spoilt.
fn alices(case: &Case<'_>) -> Mint {
    case.signer().mint(&case.alice().id)
}

/// Claim, its JSON text and the verdict. `now+5` is a time, `@` in a text what the server expects there; no text at
/// all is an absent claim.
const CLAIMS: &[(&str, &str, &str, Says)] = &[
    ("string", "exp", r#""4102444800""#, Says::Invalid),
    ("true", "exp", "true", Says::Invalid),
    ("null", "exp", "null", Says::Invalid),
    ("array", "exp", "[4102444800]", Says::Invalid),
    ("object", "exp", "{}", Says::Invalid),
    ("absent", "exp", "", Says::Invalid),
    ("just-past", "exp", "now-5", Says::Welcome),
    ("past", "exp", "now-120", Says::Expired),
    ("fraction", "exp", "4102444800.5", Says::Welcome),
    ("exponent", "exp", "4.1024448e9", Says::Welcome),
    ("1e300", "exp", "1e300", Says::Invalid),
    ("1e400", "exp", "1e400", Says::Invalid),
    ("i64-max", "exp", "9223372036854775807", Says::Invalid),
    ("u64-max", "exp", "18446744073709551615", Says::Invalid),
    ("u64-max-and-1", "exp", "18446744073709551616", Says::Invalid),
    ("milliseconds", "exp", "1900000000000", Says::Invalid),
    ("0", "exp", "0", Says::Refused),
    ("negative", "exp", "-1", Says::Refused),
    ("minus-0", "exp", "-0", Says::Refused),
    ("i64-min", "exp", "-9223372036854775808", Says::Refused),
    ("ahead", "nbf", "now+120", Says::NotYet),
    ("just-ahead", "nbf", "now+5", Says::Welcome),
    ("string", "nbf", r#""0""#, Says::Invalid),
    ("null", "nbf", "null", Says::Invalid),
    ("false", "nbf", "false", Says::Invalid),
    ("after-exp", "nbf", "4102444801", Says::Refused),
    ("ahead", "iat", "now+120", Says::Refused),
    ("string", "iat", r#""now""#, Says::Invalid),
    ("null", "iat", "null", Says::Invalid),
    ("absent", "iat", "", Says::Welcome),
    ("absent", "aud", "", Says::Invalid),
    ("empty", "aud", r#""""#, Says::Invalid),
    ("empty-array", "aud", "[]", Says::Invalid),
    ("null", "aud", "null", Says::Invalid),
    ("number", "aud", "1", Says::Invalid),
    ("object", "aud", r#"{"@":true}"#, Says::Invalid),
    ("star", "aud", r#""*""#, Says::Invalid),
    ("longer", "aud", r#""@x""#, Says::Invalid),
    ("trailing-slash", "aud", r#""@/""#, Says::Invalid),
    ("leading-space", "aud", r#"" @""#, Says::Invalid),
    ("comma-list", "aud", r#""@,other""#, Says::Invalid),
    ("array-with-ours", "aud", r#"["other","@"]"#, Says::Welcome),
    ("array-without-ours", "aud", r#"["other"]"#, Says::Invalid),
    ("array-with-a-number", "aud", r#"["@",1]"#, Says::Invalid),
    ("absent", "iss", "", Says::Invalid),
    ("array-with-ours", "iss", r#"["@"]"#, Says::Invalid),
    ("longer", "iss", r#""@x""#, Says::Invalid),
    ("trailing-slash", "iss", r#""@/""#, Says::Invalid),
    ("userinfo", "iss", r#""@@evil.example""#, Says::Invalid),
    ("other", "iss", r#""https://evil.example""#, Says::Invalid),
    ("null", "iss", "null", Says::Invalid),
    ("absent", "sub", "", Says::Invalid),
    ("empty", "sub", r#""""#, Says::Invalid),
    ("number", "sub", "7", Says::Invalid),
    ("true", "sub", "true", Says::Invalid),
    ("null", "sub", "null", Says::Invalid),
    ("array", "sub", r#"["alice"]"#, Says::Invalid),
    ("object", "sub", "{}", Says::Invalid),
    ("nul", "sub", r#""alice\u0000""#, Says::Invalid),
    ("newline", "sub", r#""alice\nbob""#, Says::Invalid),
    ("delete", "sub", r#""alice\u007f""#, Says::Invalid),
    ("leading-space", "sub", r#"" alice""#, Says::Invalid),
    ("trailing-space", "sub", r#""alice ""#, Says::Invalid),
    ("lone-surrogate", "sub", r#""\ud800""#, Says::Invalid),
];

/// The claims of a token, each as JSON text, so that they can be what no JSON library would write.
struct Claims {
    members: Vec<(String, String)>,
    issuer: String,
    audience: String,
}

impl Claims {
    fn good(case: &Case<'_>) -> Self {
        let signer = case.signer();
        let mut members = vec![("sub".to_owned(), json!(case.alice().id).to_string())];
        let expected = [("iss", signer.issuer()), ("aud", signer.audience())];
        for (name, value) in expected {
            members.extend(value.map(|value| (name.to_owned(), json!(value).to_string())));
        }
        members.push(("iat".to_owned(), now().to_string()));
        members.push(("exp".to_owned(), "4102444800".to_owned()));
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        Self { members, issuer: text(signer.issuer()), audience: text(signer.audience()) }
    }

    fn with(mut self, name: &str, text: &str) -> Self {
        let expected = if name == "iss" { &self.issuer } else { &self.audience };
        let text = match text.strip_prefix("now").and_then(|offset| offset.parse::<i64>().ok()) {
            Some(offset) => (now() + offset).to_string(),
            // Once only: in a user info trick the second `@` stays.
            None if matches!(name, "iss" | "aud") => text.replacen('@', expected, 1),
            None => text.to_owned(),
        };
        self.members.retain(|(known, _)| known != name);
        if !text.is_empty() {
            self.members.push((name.to_owned(), text));
        }
        self
    }

    fn text(&self) -> String {
        format!("{{{}}}", self.inside())
    }

    fn inside(&self) -> String {
        let members: Vec<_> = self.members.iter().map(|(name, text)| format!("{name:?}:{text}")).collect();
        members.join(",")
    }
}

fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
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
        ("array", bytes(b"[]")),
        ("string", bytes(br#""alice""#)),
        ("number", bytes(b"7")),
        ("null", bytes(b"null")),
        ("true", bytes(b"true")),
        ("no-json", bytes(b"alice")),
        ("empty-object", bytes(b"{}")),
        ("claims-in-an-array", Payload::Around("[", "]")),
        ("trailing-byte", Payload::Around("", "x")),
        ("trailing-nul", Payload::Around("", "\0")),
        ("trailing-comma", Payload::Around("", ",")),
        ("comment", Payload::Around("/**/", "")),
        ("two-objects", Payload::Around("", "{}")),
        ("byte-order-mark", Payload::Around("\u{feff}", "")),
        ("utf-16", Payload::Recoded(|text| text.encode_utf16().flat_map(u16::to_le_bytes).collect())),
        ("single-quotes", Payload::Recoded(|text| text.replace('"', "'").into_bytes())),
        ("not-utf-8", Payload::Recoded(|text| [&text.as_bytes()[..text.len() - 1], b",\"x\":\"\xff\"}"].concat())),
        (
            "over-long-utf-8",
            Payload::Recoded(|text| [&text.as_bytes()[..text.len() - 1], b",\"x\":\"\xc0\xaf\"}"].concat()),
        ),
        ("duplicate-sub", inside(r#""sub":"bob""#)),
        ("duplicate-sub-escaped", inside(r#""s\u0075b":"bob""#)),
        ("duplicate-exp", inside(r#""exp":4102444800"#)),
        ("duplicate-of-an-unknown-claim", inside(r#""x":1,"x":1"#)),
        ("duplicate-in-a-nested-object", inside(r#""x":{"y":[{"z":1,"z":1}]}"#)),
        ("nan", inside(r#""x":NaN"#)),
        ("infinity", inside(r#""x":-Infinity"#)),
        ("plus-sign", inside(r#""x":+1"#)),
        ("leading-zero", inside(r#""x":01"#)),
        ("hexadecimal", inside(r#""x":0x1"#)),
        ("lone-surrogate", inside(r#""x":"\udc00""#)),
        ("deep-arrays", inside(&format!(r#""x":{}{}"#, "[".repeat(5000), "]".repeat(5000)))),
        ("deep-objects", inside(&format!(r#""x":{}1{}"#, r#"{"y":"#.repeat(1500), "}".repeat(1500)))),
        ("sub-in-another-case", Payload::Renamed("sub", "Sub")),
        ("exp-in-another-case", Payload::Renamed("exp", "EXP")),
    ]
}

fn broken_headers() -> Vec<(&'static str, Vec<u8>)> {
    let text = |name, text: &str| (name, text.as_bytes().to_vec());
    vec![
        text("empty-object", "{}"),
        text("array", r#"[{"alg":"HS256"}]"#),
        text("string", r#""HS256""#),
        text("null", "null"),
        text("duplicate-alg", r#"{"alg":"none","alg":"HS256"}"#),
        text("duplicate-alg-escaped", r#"{"alg":"HS256","\u0061lg":"HS256"}"#),
        text("duplicate-in-a-nested-object", r#"{"alg":"HS256","x":{"y":1,"y":2}}"#),
        text("trailing-byte", r#"{"alg":"HS256"}x"#),
        text("trailing-comma", r#"{"alg":"HS256",}"#),
        text("byte-order-mark", "\u{feff}{\"alg\":\"HS256\"}"),
        text("deep", &format!(r#"{{"alg":"HS256","x":{}{}}}"#, "[".repeat(5000), "]".repeat(5000))),
        ("not-utf-8", b"{\"alg\":\"HS256\",\"x\":\"\xff\"}".to_vec()),
    ]
}

/// Name, header parameter, value, verdict.
fn parameters() -> Vec<(&'static str, &'static str, Value, Says)> {
    use Says::{Invalid, Welcome};
    vec![
        ("alg-none", "alg", json!("none"), Invalid),
        ("alg-NONE", "alg", json!("NONE"), Invalid),
        ("alg-none-padded", "alg", json!("none "), Invalid),
        ("alg-none-cyrillic", "alg", json!("non\u{435}"), Invalid),
        ("alg-nul", "alg", json!("HS256\0"), Invalid),
        ("alg-lower-case", "alg", json!("hs256"), Invalid),
        ("alg-unknown", "alg", json!("HS1024"), Invalid),
        ("alg-empty", "alg", json!(""), Invalid),
        ("alg-null", "alg", json!(null), Invalid),
        ("alg-number", "alg", json!(256), Invalid),
        ("alg-array", "alg", json!(["HS256"]), Invalid),
        ("alg-rs256", "alg", json!("RS256"), Invalid),
        ("alg-eddsa", "alg", json!("EdDSA"), Invalid),
        ("kid-number", "kid", json!(1), Invalid),
        ("kid-array", "kid", json!(["1"]), Invalid),
        ("kid-object", "kid", json!({}), Invalid),
        ("kid-of-5000-bytes", "kid", json!("k".repeat(5000)), Invalid),
        ("crit-unknown", "crit", json!(["x"]), Invalid),
        ("crit-empty", "crit", json!([]), Invalid),
        ("crit-string", "crit", json!("exp"), Invalid),
        ("crit-registered", "crit", json!(["alg"]), Invalid),
        ("b64-false", "b64", json!(false), Invalid),
        ("zip", "zip", json!("DEF"), Invalid),
        ("enc", "enc", json!("A256GCM"), Invalid),
        ("cty-jwt", "cty", json!("JWT"), Invalid),
        ("typ-dpop", "typ", json!("dpop+jwt"), Invalid),
        ("typ-logout", "typ", json!("logout+jwt"), Invalid),
        ("typ-security-event", "typ", json!("secevent+jwt"), Invalid),
        ("typ-session-cache", "typ", json!("better-auth.session-cache+jwt"), Invalid),
        ("typ-number", "typ", json!(1), Invalid),
        ("typ-lower-case", "typ", json!("jwt"), Welcome),
        // Whoever signed it also wrote these; still nobody follows them.
        ("jku", "jku", json!("http://127.0.0.1:9/jwks"), Welcome),
        ("x5u", "x5u", json!("http://127.0.0.1:9/x5u"), Welcome),
        ("unknown-parameter", "x", json!({"y": [1]}), Welcome),
    ]
}

fn typ_absent(case: &mut Case<'_>) {
    let token = case.signer().sign(&alices(case).without_header("typ"));
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
