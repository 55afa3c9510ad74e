//! The signature alone. The first byte says what the rest is: `p` a payload to be signed, anything else a whole token, in
//! which the bytes 2 to 5 stand for good ones and 16 to 27 for their segments. The second byte says which algorithms are
//! allowed, and which of the keys signs.
#![no_main]

use std::sync::LazyLock;

use authcore::{Algorithm, AuthError, Jws, KeySet};
use authcore_fuzz::{assert_documented, jwt, planted, replaced};
use authcore_testkit::SigningKey;

static KEYS: LazyLock<KeySet> = LazyLock::new(|| KeySet::new((0..4).map(|choice| jwt::key(choice).key())));

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [kind, choice, rest @ ..] = data else { return };
    let bits = jwt::ALGORITHMS.into_iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1);
    let allowed: Vec<_> = bits.map(|(_, algorithm)| algorithm).collect();
    if *kind == b'p' {
        payload(&planted(rest), jwt::key(usize::from(choice >> 4)), &allowed);
    } else {
        token(rest, &allowed);
    }
});

/// Any bytes, and one of them at least.
fn payload(bytes: &[u8], key: &SigningKey, allowed: &[Algorithm]) {
    let token = jwt::good().raw_payload(bytes).sign(key);
    let verdict = verify(&token, allowed);
    if token.len() > Jws::MAX_BYTES {
        assert_eq!(verdict.err(), Some("too_long"));
    } else if bytes.is_empty() {
        assert_eq!(verdict.err(), Some("not_compact"));
    } else if allowed.contains(&key.algorithm()) {
        let signed = verdict.expect("it is well signed");
        assert_eq!((signed.payload(), signed.algorithm(), signed.key_id()), (bytes, key.algorithm(), key.kid()));
    } else {
        assert_eq!(verdict.err(), Some("algorithm_refused"));
    }
}

fn token(data: &[u8], allowed: &[Algorithm]) {
    let token = replaced(data, jwt::part);
    let Ok(token) = std::str::from_utf8(&token) else { return };
    let verdict = verify(token, allowed);
    let by_any = verify(token, &Algorithm::ALL);
    // Whoever the verifier of claims lets in was signed for.
    if let Ok(identity) = jwt::check(token) {
        assert_eq!(by_any.as_ref().expect("a verifier takes it").payload(), identity.claims_json().as_bytes());
    }
    let Ok(signed) = by_any else {
        assert!(!jwt::GOOD.iter().any(|good| good == token) && verdict.is_err(), "a good token is refused");
        return;
    };
    assert_eq!(
        verdict.map(drop),
        if allowed.contains(&signed.algorithm()) { Ok(()) } else { Err("algorithm_refused") }
    );
    jwt::assert_was_signed(token);
}

/// The same each time, and shown without what was signed.
fn verify(token: &str, allowed: &[Algorithm]) -> Result<Jws, &'static str> {
    let told = |error: AuthError| {
        assert_documented(&error, error.reason(), &REASONS);
        error.reason()
    };
    let verdict = Jws::verify(token, &KEYS, allowed).map_err(told);
    let again = Jws::verify(token, &KEYS, allowed).map_err(told);
    assert_eq!(verdict.as_ref().map(Jws::payload), again.as_ref().map(Jws::payload));
    if let Ok(signed) = &verdict {
        authcore_fuzz::assert_tells_no_secret(&format!("{signed:?}"));
    }
    verdict
}

const REASONS: [&str; 13] = [
    "too_long",
    "not_compact",
    "header_not_base64",
    "payload_not_base64",
    "signature_not_base64",
    "header_not_json",
    "header_duplicate_member",
    "header_parameter_refused",
    "algorithm_refused",
    "unknown_key",
    "ambiguous_key",
    "key_mismatch",
    "bad_signature",
];
