//! Headers that were seen before: what is remembered of them changes no verdict.

use std::sync::{Arc, Mutex};

use authcore::{Algorithm, JwtVerifier, KeyResolver, KeySet, KeySnapshot, ManualClock, Miss};
use authcore_testkit::{AUDIENCE, ISSUER, SigningKey};

use crate::support::{NOW, builder_for, ed25519, good};

/// Keys that are exchanged while a verifier uses them.
#[derive(Clone)]
struct Exchanged(Arc<Mutex<Arc<KeySet>>>);

impl Exchanged {
    fn new(keys: &[&SigningKey]) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(set(keys)))))
    }

    fn exchange(&self, keys: &[&SigningKey]) {
        *self.0.lock().expect("not poisoned") = Arc::new(set(keys));
    }
}

fn set(keys: &[&SigningKey]) -> KeySet {
    KeySet::new(keys.iter().map(|key| key.key()))
}

impl KeyResolver for Exchanged {
    fn current(&self, _: Algorithm) -> Option<KeySnapshot<'_>> {
        Some(Arc::clone(&self.0.lock().expect("not poisoned")).into())
    }

    fn after_miss(&self, _: Option<&str>) -> Miss {
        Miss::Unknown
    }
}

fn verifier(keys: Exchanged) -> JwtVerifier {
    let builder = JwtVerifier::builder(keys).issuer(ISSUER).audience(AUDIENCE).clock(ManualClock::at(NOW));
    builder.build().expect("good settings")
}

#[test]
fn a_known_header_leads_to_the_key_that_its_id_names_now() {
    let [old, new] = [(); 2].map(|()| SigningKey::generate(Algorithm::EdDsa).with_kid("k-1"));
    let other = SigningKey::generate(Algorithm::EdDsa).with_kid("k-2");
    let keys = Exchanged::new(&[&other, &old]);
    let verifier = verifier(keys.clone());
    let (by_old, by_new) = (good().sign(&old), good().sign(&new));
    for _ in 0..2 {
        assert!(verifier.check(&by_old).is_ok());
    }

    keys.exchange(&[&new]);
    for _ in 0..2 {
        assert_eq!(verifier.check(&by_old).expect_err("an old key").reason(), "bad_signature");
        assert!(verifier.check(&by_new).is_ok());
    }

    keys.exchange(&[&other]);
    assert_eq!(verifier.check(&by_new).expect_err("a key that is gone").reason(), "unknown_key");
    keys.exchange(&[&other, &old]);
    assert!(verifier.check(&by_old).is_ok());
}

#[test]
fn a_known_header_makes_no_other_signature_good() {
    let verifier = builder_for([ed25519()]).build().expect("good settings");
    let token = good().sign(ed25519());
    assert!(verifier.check(&token).is_ok());

    let forged = good().sign(&SigningKey::generate(Algorithm::EdDsa).with_kid(ed25519().kid()));
    assert_eq!(forged.split('.').next(), token.split('.').next());
    assert_eq!(verifier.check(&forged).expect_err("forged").reason(), "bad_signature");
    let spoilt = format!("{}!", &token[..token.len() - 1]);
    assert_eq!(verifier.check(&spoilt).expect_err("spoilt").reason(), "signature_not_base64");
}

#[test]
fn verifiers_with_other_expectations_judge_a_header_for_themselves() {
    let keys = Exchanged::new(&[ed25519()]);
    let token = good().header("typ", "JWT").sign(ed25519());
    assert!(verifier(keys.clone()).check(&token).is_ok());

    let strict = JwtVerifier::builder(keys).typ("at+jwt").clock(ManualClock::at(NOW)).build().expect("good settings");
    assert_eq!(strict.check(&token).expect_err("of another type").reason(), "wrong_type");
}

#[test]
fn more_headers_than_are_remembered_are_judged_alike() {
    let verifier = builder_for([ed25519()]).build().expect("good settings");
    for round in 0..2 {
        for number in 0..40 {
            let token = good().header("x", number).sign(ed25519());
            assert!(verifier.check(&token).is_ok(), "{round} {number}");
            let long = good().header("x", "y".repeat(number * 20)).sign(ed25519());
            assert!(verifier.check(&long).is_ok(), "{round} {number}");
        }
    }
}
