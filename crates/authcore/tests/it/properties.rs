//! Parsers of hostile bytes: they never panic, and what they accept has one spelling.

use std::collections::HashSet;

use authcore::credential::{bearer, cookie};
use authcore::{Algorithm, BodyOwner, Guard, Isolation, JwtVerifier, Key, KeySet, RequestHead};
use authcore_testkit::{SigningKey, TestHead, b64, unb64};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{builder_for, check, ed25519, good, verifier};

/// A JSON value of few shapes and fewer names, so that names repeat.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f32>().prop_filter("a JSON number", |number| number.is_finite()).prop_map(|number| format!("{number:?}")),
        "[a-c]{0,2}".prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let member = ("[a-c]|exp|sub|\\\\u0061", inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

/// A second, plain reading of "every name once at every depth": by the number of names that survive a map.
fn names_a_member_twice(text: &str) -> bool {
    #[derive(Default)]
    struct Count {
        twice: bool,
    }
    fn walk(text: &str, count: &mut Count) {
        use serde_json::value::RawValue;
        let trimmed = text.trim();
        if trimmed.starts_with('{') {
            let members: Vec<(String, &RawValue)> =
                serde_json::from_str::<Members<'_>>(trimmed).map(|m| m.0).unwrap_or_default();
            let names: HashSet<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
            count.twice |= names.len() < members.len();
            members.iter().for_each(|(_, value)| walk(value.get(), count));
        } else if trimmed.starts_with('[') {
            let values: Vec<&RawValue> = serde_json::from_str(trimmed).unwrap_or_default();
            values.iter().for_each(|value| walk(value.get(), count));
        }
    }
    let mut count = Count::default();
    walk(text, &mut count);
    count.twice
}

struct Members<'t>(Vec<(String, &'t serde_json::value::RawValue)>);

impl<'t> serde::Deserialize<'t> for Members<'t> {
    fn deserialize<D: serde::Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'t> serde::de::Visitor<'t> for All {
            type Value = Members<'t>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'t>>(self, mut map: A) -> Result<Members<'t>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

proptest! {
    #[test]
    fn any_text_is_judged_without_a_panic(text in "\\PC{0,200}") {
        prop_assert!(check(&text).is_err());
    }

    #[test]
    fn any_segments_are_judged_without_a_panic(header: Vec<u8>, payload: Vec<u8>, signature: Vec<u8>) {
        let token = format!("{}.{}.{}", b64(header), b64(payload), b64(signature));
        prop_assert!(check(&token).is_err());
    }

    #[test]
    fn any_signed_payload_is_judged_without_a_panic(payload: Vec<u8>) {
        prop_assert!(check(&good().raw_payload(payload).sign(ed25519())).is_err());
    }

    /// One changed character anywhere: refused, or it was no change.
    #[test]
    fn no_other_spelling_of_a_token_is_accepted(at: prop::sample::Index, to in "[A-Za-z0-9_.=+/-]") {
        let token = good().sign(ed25519());
        let at = at.index(token.len());
        let changed = format!("{}{to}{}", &token[..at], &token[at + 1..]);
        prop_assert_eq!(check(&changed).is_ok(), changed == token);
    }

    #[test]
    fn what_is_accepted_encodes_to_the_same_bytes(name in "\\PC{0,40}", extra in json()) {
        let payload = good().claim("name", name).claim("x", serde_json::from_str::<Value>(&extra).unwrap_or_default());
        let token = payload.sign(ed25519());
        if check(&token).is_ok() {
            let again: Vec<String> = token.split('.').map(|segment| b64(unb64(segment))).collect();
            prop_assert_eq!(again.join("."), token);
        }
    }

    #[test]
    fn a_member_named_twice_is_found_wherever_it_is(extra in json()) {
        let claims = check(&good().sign(ed25519())).expect("a good token").claims_json().to_owned();
        let payload = format!("{},\"x\":{extra}}}", claims.strip_suffix('}').expect("an object"));
        let verdict = check(&good().raw_payload(payload.clone()).sign(ed25519()));
        match names_a_member_twice(&payload) {
            true => prop_assert_eq!(verdict.expect_err("twice").reason(), "payload_duplicate_member"),
            false => prop_assert!(verdict.is_ok(), "{payload}"),
        }
    }

    #[test]
    fn times_agree_with_plain_arithmetic(exp in prop_oneof![any::<i64>(), 1_749_999_900_i64..1_750_000_100]) {
        let accepted = check(&good().raw_payload(format!(
            r#"{{"iss":"{}","aud":"{}","sub":"a","exp":{exp}}}"#, authcore_testkit::ISSUER, authcore_testkit::AUDIENCE
        )).sign(ed25519())).is_ok();
        prop_assert_eq!(accepted, (1_750_000_001..=253_402_300_799).contains(&exp));
    }

    #[test]
    fn bearer_agrees_with_the_grammar(value in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "[Bb]earer[ \t]{0,2}[a-c.=,\" ]{0,6}".prop_map(String::into_bytes),
    ]) {
        let plain = std::str::from_utf8(&value).ok().map(str::trim_ascii).and_then(|text| {
            let (scheme, rest) = text.split_at_checked(6)?;
            let token = rest.trim_start_matches(' ');
            let body = token.trim_end_matches('=');
            let is_token = !body.is_empty() && body.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
            (scheme.eq_ignore_ascii_case("bearer") && rest.starts_with(' ') && is_token).then(|| token.to_owned())
        });
        let parsed = bearer::parse(&value).ok().flatten().map(str::to_owned);
        prop_assert_eq!(parsed, plain);
    }

    #[test]
    fn a_cookie_is_found_or_refused_but_never_guessed(lines in prop::collection::vec("[sab=; \"]{0,12}", 0..3)) {
        let head = lines.iter().fold(TestHead::get("/"), |head, line| head.header("cookie", line.clone().into_bytes()));
        let all: HashSet<String> = lines.iter().flat_map(|line| line.split(';')).filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            (name.trim() == "s").then(|| value.trim().to_owned())
        }).collect();
        let found = cookie::value(&head as &dyn RequestHead, "s").map(|value| value.map(|value| String::from_utf8_lossy(value).into_owned()));
        match all.len() {
            0 => prop_assert_eq!(found, Ok(None)),
            1 => prop_assert_eq!(found, Ok(all.into_iter().next())),
            _ => prop_assert_eq!(found, Err(cookie::Ambiguous)),
        }
    }

    #[test]
    fn any_document_is_read_without_a_panic(text in prop_oneof!["\\PC{0,200}", json()]) {
        let _ = Key::from_jwk(&text);
        let _ = serde_json::from_str::<BodyOwner>(&text);
        if let Ok(set) = KeySet::from_json(&text) {
            prop_assert!(set.is_empty());
        }
        if let Ok(set) = KeySet::from_json(&format!(r#"{{"keys":[{text}]}}"#)) {
            prop_assert!(set.is_empty());
        }
    }

    /// Whatever the path, alice gets rows of nobody else.
    #[test]
    fn no_path_leads_to_another_users_rows(path in "(/|%2[fFeE]|%61|\\.|;|\\\\|api|alice|bob|tasks|[a-z%]|\\PC){0,12}") {
        let isolation = Isolation::path("/api/{user_id}/tasks/**").and_path("/{user_id}").own("/api/user/**");
        let guard = Guard::builder().authenticator(verifier()).isolate(isolation).build().expect("good settings");
        let head = TestHead::get(&path).bearer(good().sign(ed25519()));
        if let authcore::Attempt::Ready(Ok(admission)) = guard.begin(&head) {
            prop_assert_eq!(admission.scope().expect("a caller").owner().as_str(), "alice");
        }
    }
}

/// The oracle: what we accept of well-made tokens, `jsonwebtoken` accepts with the same keys, and the other way round.
#[test]
fn jsonwebtoken_agrees_on_every_algorithm_it_knows() {
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| *algorithm != Algorithm::Es512) {
        let key = SigningKey::fixed(algorithm);
        let theirs: jsonwebtoken::Algorithm = algorithm.name().parse().expect("an algorithm of jsonwebtoken");
        let jwk = serde_json::from_value(key.public_jwk()).expect("a JWK of jsonwebtoken");
        let their_key = jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a key of jsonwebtoken");
        let ours: JwtVerifier = builder_for([key]).build().expect("good settings");
        let token = good().sign(key);
        let spoilt = format!("{}AAAA", &token[..token.len() - 4]);
        for (token, accepted) in [(&token, true), (&spoilt, false)] {
            let mut validation = jsonwebtoken::Validation::new(theirs);
            validation.validate_exp = false;
            validation.set_audience(&[authcore_testkit::AUDIENCE]);
            #[expect(clippy::disallowed_methods, reason = "the oracle we are compared with")]
            let verdict = jsonwebtoken::decode::<Value>(token, &their_key, &validation);
            assert_eq!((ours.check(token).is_ok(), verdict.is_ok()), (accepted, accepted), "{algorithm}");
        }
    }
}
