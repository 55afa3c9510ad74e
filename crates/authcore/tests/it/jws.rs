//! The signature alone: what was signed, by which key, and what is no signature.

use authcore::{Algorithm, Jws, KeySet};
use authcore_testkit::{Mint, SigningKey};

use crate::support::{ed25519, good};

fn es256() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::Es256)
}

/// By two keys, of which one has no id.
fn verify(token: &str, algorithms: &[Algorithm]) -> Result<Jws, &'static str> {
    let keys = KeySet::new([ed25519().key(), es256().clone().with_kid(None).key()]);
    Jws::verify(token, &keys, algorithms).map_err(|error| error.reason())
}

#[track_caller]
fn reason(token: &str) -> &'static str {
    verify(token, &Algorithm::ALL).expect_err("this is refused")
}

/// A token of so many bytes, as only the payload and a parameter of the header can make it.
fn of_length(bytes: usize) -> String {
    let padded = |header: usize, payload: usize| {
        good().header("x", "x".repeat(header)).raw_payload("p".repeat(payload)).sign(ed25519())
    };
    // Three bytes are four characters.
    let tokens = (0..3).flat_map(|header| (0..3).map(move |rest| (header, rest)));
    let spare = bytes - padded(0, 3).len();
    let mut tokens = tokens.map(|(header, rest)| padded(header, spare / 4 * 3 + rest));
    tokens.find(|token| token.len() == bytes).expect("some padding makes up for the rest")
}

#[test]
fn what_was_signed_is_handed_out_with_its_key() {
    for payload in [&b"any bytes"[..], b"{\"exp\":0}", b"\0", &[0xff; 300]] {
        for (key, id) in [(ed25519(), ed25519().kid()), (&es256().clone().with_kid(None), None)] {
            let signed = verify(&good().raw_payload(payload).sign(key), &[key.algorithm()]).expect("it is well signed");
            assert_eq!((signed.payload(), signed.algorithm(), signed.key_id()), (payload, key.algorithm(), id));
        }
    }
    // A key without an id serves a token that names one; it is the key's that is told.
    let signed = verify(&good().sign(es256()), &Algorithm::ALL).expect("the only key that fits");
    assert_eq!(signed.key_id(), None);
}

#[test]
fn what_is_not_well_signed_by_an_allowed_algorithm_is_refused() {
    let token = good().sign(ed25519());
    assert_eq!(verify(&token, &[Algorithm::Es256]).err(), Some("algorithm_refused"));
    assert_eq!(verify(&token, &[]).err(), Some("algorithm_refused"));
    let stranger = SigningKey::generate(Algorithm::EdDsa);
    assert_eq!(reason(&good().sign(&stranger)), "unknown_key");
    assert_eq!(reason(&good().sign(&stranger.with_kid(ed25519().kid()))), "bad_signature");
    assert_eq!(reason(&good().header("alg", "ES256").header("kid", ed25519().kid()).sign(es256())), "key_mismatch");
    for (what, spoilt) in ed25519().spoilt_tokens(&good()) {
        assert_eq!(reason(&spoilt), "bad_signature", "{what}");
    }
    assert_eq!(reason(&good().unsigned()), "algorithm_refused");
    assert_eq!(reason(&good().raw_payload("").sign(ed25519())), "not_compact");
    assert_eq!(reason(&format!("{token}=")), "signature_not_base64");
}

#[test]
fn a_header_is_refused_as_a_verifier_of_claims_does_it_but_for_its_typ() {
    let refused: [fn(Mint) -> Mint; 5] = [
        |mint| mint.header("crit", vec!["exp"]),
        |mint| mint.header("b64", false),
        |mint| mint.header("zip", "DEF"),
        |mint| mint.header("enc", "A256GCM"),
        |mint| mint.header("cty", "JWT"),
    ];
    for spoil in refused {
        assert_eq!(reason(&spoil(good()).sign(ed25519())), "header_parameter_refused");
    }
    for typ in ["logout+jwt", "JOSE", ""] {
        assert!(verify(&good().header("typ", typ).sign(ed25519()), &Algorithm::ALL).is_ok(), "{typ}");
    }
}

#[test]
fn a_token_is_looked_at_up_to_its_longest() {
    assert_eq!(Jws::MAX_BYTES, 16_384);
    for bytes in [Jws::MAX_BYTES - 1, Jws::MAX_BYTES] {
        assert!(verify(&of_length(bytes), &Algorithm::ALL).is_ok(), "{bytes}");
    }
    assert_eq!(reason(&of_length(Jws::MAX_BYTES + 1)), "too_long");
}

#[test]
fn debug_shows_the_key_and_not_what_was_signed() {
    let signed = verify(&good().raw_payload("a secret").sign(ed25519()), &Algorithm::ALL).expect("it is well signed");
    assert_eq!(format!("{signed:?}"), "Jws { algorithm: EdDsa, key_id: Some(\"eddsa-1\"), .. }");
}
