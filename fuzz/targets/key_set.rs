//! A JWK Set document, and the same bytes as one local JWK.
#![no_main]

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use authcore::{Algorithm, JwtVerifier, Key, KeyRefused, KeySet, KeySetRefused, ManualClock};
use authcore_fuzz::json::Node;
use authcore_fuzz::{NOW, assert_documented, assert_tells_no_secret, jwt, planted};
use authcore_testkit::SigningKey;
use serde_json::value::RawValue;

/// Good tokens of keys that only a document could bring in, with the part of the JWK that it has to hold then.
static TOKENS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let keys = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256].map(SigningKey::fixed);
    let number = |key: &SigningKey| {
        let jwk = key.public_jwk();
        jwk["x"].as_str().or(jwk["n"].as_str()).expect("a public key").to_owned()
    };
    let with_and_without_id = |key: &'static SigningKey| {
        [jwt::good().sign(key), jwt::good().without_header("kid").sign(key)].map(|token| (token, number(key)))
    };
    keys.into_iter().flat_map(with_and_without_id).collect()
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = planted(data);
    let Ok(text) = std::str::from_utf8(&data) else { return };
    local(text);
    let set = match KeySet::from_json(text) {
        Ok(set) => set,
        Err(refused) => {
            assert!(matches!(refused, KeySetRefused::NotJson | KeySetRefused::NoKeys));
            return;
        }
    };
    // What cannot be read of an entry harms no other, so that each is read by itself here too.
    let document: HashMap<String, &RawValue> = serde_json::from_str(text).expect("an accepted document is an object");
    let entries: Vec<&RawValue> = serde_json::from_str(document["keys"].get()).expect("an array of keys");
    let holds_key =
        |number| entries.iter().filter_map(|entry| Node::read(entry.get().as_bytes())).any(|e| holds(&e, number));
    assert!(set.keys().count() + set.ignored().len() <= 2 * entries.len());
    assert_eq!(set.is_empty(), set.keys().next().is_none());
    let mut ids: Vec<_> = set.keys().filter_map(Key::id).collect();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id names one key");
    for key in set.keys() {
        assert!(!key.algorithm().is_symmetric(), "a published secret");
        assert!(set.ignored().iter().all(|ignored| {
            ignored.why != KeyRefused::DuplicateId || ignored.id.as_deref() != key.id().map(AsRef::as_ref)
        }));
    }
    for ignored in set.ignored() {
        assert_documented(&ignored.why, ignored.why.code(), &CODES);
    }

    let again = KeySet::from_json(text).expect("it was read before");
    assert!(set.keys().map(named).eq(again.keys().map(named)) && set.ignored() == again.ignored());

    let verifier = JwtVerifier::builder(set).leeway(Duration::ZERO).clock(ManualClock::at(NOW)).build();
    let verifier = verifier.expect("good settings");
    for (token, number) in &*TOKENS {
        let verdict = verifier.check(token);
        assert_eq!(verdict.is_ok(), verifier.check(token).is_ok());
        if verdict.is_ok() {
            assert!(holds_key(number), "verified by a key that is not in the document");
        }
    }
});

/// A local JWK may be a secret, and does not show it.
fn local(text: &str) {
    let (key, again) = (Key::from_jwk(text), Key::from_jwk(text));
    assert_eq!(key.as_ref().map(named).map_err(|why| *why), again.as_ref().map(named).map_err(|why| *why));
    match key {
        Err(why) => assert_documented(&why, why.code(), &CODES),
        Ok(key) => {
            assert_tells_no_secret(&format!("{:?}", key.algorithm()));
            let jwk = Node::read(text.as_bytes()).expect("an accepted key is JSON");
            let secret = jwk.text_of("k").filter(|_| key.algorithm().is_symmetric());
            if let Some(secret) = secret.filter(|secret| !key.id().is_some_and(|id| id.contains(secret))) {
                assert!(secret.len() >= 43 && !format!("{key:?}").contains(secret));
            }
        }
    }
}

fn named(key: &Key) -> (Option<String>, Algorithm) {
    (key.id().map(ToString::to_string), key.algorithm())
}

/// Whether this text stands somewhere in an entry.
fn holds(node: &Node, text: &str) -> bool {
    match node {
        Node::Text(known) => known == text,
        Node::List(values) => values.iter().any(|value| holds(value, text)),
        Node::Object(members) => members.iter().any(|(_, value)| holds(value, text)),
        _ => false,
    }
}

const CODES: [&str; 9] = [
    "malformed",
    "unsupported_type",
    "unsupported_algorithm",
    "algorithm_mismatch",
    "not_for_verifying",
    "symmetric",
    "weak",
    "invalid_numbers",
    "duplicate_kid",
];
