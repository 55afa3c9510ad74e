//! What a token claims, signed with the server's own secret: one fault each.

use std::time::{SystemTime, UNIX_EPOCH};

use authcore_testkit::mint;
use serde_json::json;

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
    checks.push(Check::new("tokens.sub.l79-of-2-kilobytes", two_kilobytes).needing(Needs::Secret));
    checks
}

/// The verdict on a token.
#[derive(Clone, Copy)]
pub(super) enum Says {
    Welcome,
    Invalid,
    Expired,
    NotYet,
    /// No token for the header field, to begin with: what it holds is no `b64token` (RFC 6750 §2.1).
    Malformed,
}

pub(super) fn judge(case: &mut Case<'_>, token: &str, verdict: Says) {
    let answer = case.send(get("/api/tasks").bearer(token));
    let expectation = case.expect(&answer);
    match verdict {
        Says::Welcome => expectation.status(200),
        Says::Invalid => expectation.refused_token(),
        Says::Expired => {
            expectation.refused(401, "token_expired").challenge("invalid_token").json("/detail", "Token has expired")
        }
        Says::NotYet => expectation.refused(401, "token_not_yet_valid").challenge("invalid_token"),
        Says::Malformed => expectation.refused_malformed(),
    };
}

/// Name, claim, its JSON text and the verdict. `now+5` is a time; `@` in a text is what the server expects there, `^` the
/// same in upper case and `<` all of it but the last character; no text at all is an absent claim.
const CLAIMS: &[(&str, &str, &str, Says)] = &[
    ("l63-string", "exp", r#""4102444800""#, Says::Invalid),
    ("l63-true", "exp", "true", Says::Invalid),
    ("l63-null", "exp", "null", Says::Invalid),
    ("l63-array", "exp", "[4102444800]", Says::Invalid),
    ("l63-object", "exp", "{}", Says::Invalid),
    ("l64-absent", "exp", "", Says::Invalid),
    ("l65-just-past", "exp", "now-5", Says::Welcome),
    ("l66-past", "exp", "now-120", Says::Expired),
    // No server may be told to wait longer than this.
    ("l66-by-the-longest-leeway", "exp", "now-60", Says::Expired),
    ("l67-fraction", "exp", "4102444800.5", Says::Welcome),
    ("l67-exponent", "exp", "4.1024448e9", Says::Welcome),
    ("l68-1e300", "exp", "1e300", Says::Invalid),
    ("l68-1e400", "exp", "1e400", Says::Invalid),
    ("l68-i64-max", "exp", "9223372036854775807", Says::Invalid),
    ("l68-u64-max", "exp", "18446744073709551615", Says::Invalid),
    ("l68-u64-max-and-1", "exp", "18446744073709551616", Says::Invalid),
    ("l68-milliseconds", "exp", "1900000000000", Says::Invalid),
    ("l69-0", "exp", "0", Says::Expired),
    ("l69-negative", "exp", "-1", Says::Expired),
    ("l69-minus-0", "exp", "-0", Says::Expired),
    ("l69-i64-min", "exp", "-9223372036854775808", Says::Expired),
    ("l69-in-exponent-form", "exp", "-1e300", Says::Expired),
    ("l70-ahead", "nbf", "now+120", Says::NotYet),
    ("l70-just-ahead", "nbf", "now+5", Says::Welcome),
    ("l70-string", "nbf", r#""0""#, Says::Invalid),
    ("l70-null", "nbf", "null", Says::Invalid),
    ("l70-false", "nbf", "false", Says::Invalid),
    ("l70-array", "nbf", "[0]", Says::Invalid),
    ("l70-object", "nbf", "{}", Says::Invalid),
    ("l71-after-exp", "nbf", "4102444801", Says::Invalid),
    ("l72-ahead", "iat", "now+120", Says::NotYet),
    ("l73-string", "iat", r#""now""#, Says::Invalid),
    ("l73-null", "iat", "null", Says::Invalid),
    ("l73-true", "iat", "true", Says::Invalid),
    ("l73-array", "iat", "[1]", Says::Invalid),
    ("l73-object", "iat", "{}", Says::Invalid),
    ("absent", "iat", "", Says::Welcome),
    ("l74-absent", "aud", "", Says::Invalid),
    ("l74-empty", "aud", r#""""#, Says::Invalid),
    ("l74-empty-array", "aud", "[]", Says::Invalid),
    ("l74-null", "aud", "null", Says::Invalid),
    ("l74-number", "aud", "1", Says::Invalid),
    ("l74-object", "aud", r#"{"@":true}"#, Says::Invalid),
    ("l74-star", "aud", r#""*""#, Says::Invalid),
    ("l74-longer", "aud", r#""@x""#, Says::Invalid),
    ("l74-prefix", "aud", r#""<""#, Says::Invalid),
    ("l74-in-another-case", "aud", r#""^""#, Says::Invalid),
    ("l74-trailing-slash", "aud", r#""@/""#, Says::Invalid),
    ("l74-leading-space", "aud", r#"" @""#, Says::Invalid),
    ("l74-comma-list", "aud", r#""@,other""#, Says::Invalid),
    ("l75-array-with-ours", "aud", r#"["other","@"]"#, Says::Welcome),
    ("l74-array-without-ours", "aud", r#"["other"]"#, Says::Invalid),
    ("l76-array-with-a-number", "aud", r#"["@",1]"#, Says::Invalid),
    ("l77-absent", "iss", "", Says::Invalid),
    ("l77-array-with-ours", "iss", r#"["@"]"#, Says::Invalid),
    ("l77-longer", "iss", r#""@x""#, Says::Invalid),
    ("l77-prefix", "iss", r#""<""#, Says::Invalid),
    ("l77-in-another-case", "iss", r#""^""#, Says::Invalid),
    ("l77-trailing-slash", "iss", r#""@/""#, Says::Invalid),
    ("l77-userinfo", "iss", r#""@@evil.example""#, Says::Invalid),
    ("l77-other", "iss", r#""https://evil.example""#, Says::Invalid),
    ("l77-null", "iss", "null", Says::Invalid),
    ("l78-absent", "sub", "", Says::Invalid),
    ("l78-empty", "sub", r#""""#, Says::Invalid),
    ("l78-number", "sub", "7", Says::Invalid),
    ("l78-true", "sub", "true", Says::Invalid),
    ("l78-null", "sub", "null", Says::Invalid),
    ("l78-array", "sub", r#"["alice"]"#, Says::Invalid),
    ("l78-object", "sub", "{}", Says::Invalid),
    ("l79-nul", "sub", r#""alice\u0000""#, Says::Invalid),
    ("l79-newline", "sub", r#""alice\nbob""#, Says::Invalid),
    ("l79-delete", "sub", r#""alice\u007f""#, Says::Invalid),
    ("l79-leading-space", "sub", r#"" alice""#, Says::Invalid),
    ("l79-trailing-space", "sub", r#""alice ""#, Says::Invalid),
    ("t33-lone-surrogate", "sub", r#""\ud800""#, Says::Invalid),
];

/// The claims of a token, each as JSON text, so that they can be what no JSON library would write.
pub(super) struct Claims {
    members: Vec<(String, String)>,
    issuer: String,
    audience: String,
}

impl Claims {
    pub(super) fn good(case: &Case<'_>) -> Self {
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

    pub(super) fn with(mut self, name: &str, text: &str) -> Self {
        let expected = if name == "iss" { &self.issuer } else { &self.audience };
        let text = match text.strip_prefix("now").and_then(|offset| offset.parse::<i64>().ok()) {
            Some(offset) => (now() + offset).to_string(),
            None if matches!(name, "iss" | "aud") => {
                let text = text.replace('^', &expected.to_uppercase()).replace('<', but_the_last(expected));
                // Once only: in a user info trick the second `@` stays.
                text.replacen('@', expected, 1)
            }
            None => text.to_owned(),
        };
        self.members.retain(|(known, _)| known != name);
        if !text.is_empty() {
            self.members.push((name.to_owned(), text));
        }
        self
    }

    pub(super) fn text(&self) -> String {
        format!("{{{}}}", self.inside())
    }

    pub(super) fn inside(&self) -> String {
        let members: Vec<_> = self.members.iter().map(|(name, text)| format!("{name:?}:{text}")).collect();
        members.join(",")
    }
}

fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}

fn but_the_last(text: &str) -> &str {
    text.char_indices().last().map_or("", |(last, _)| &text[..last])
}

fn two_kilobytes(case: &mut Case<'_>) {
    let subject = json!("x".repeat(2048)).to_string();
    let payload = Claims::good(case).with("sub", &subject).text();
    let token = case.signer().sign(&mint().raw_payload(payload));
    judge(case, &token, Says::Invalid);
}
