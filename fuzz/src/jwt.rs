//! A verifier of several keys, and the tokens that it has to take.

use std::sync::LazyLock;
use std::time::Duration;

use authcore::{Algorithm, AuthError, Identity, JwtVerifier, KeySet, ManualClock};
use authcore_testkit::{AUDIENCE, ISSUER, Mint, SigningKey, mint};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{MARKER, NOW, assert_documented};

/// The algorithms of the verifier's keys: one of each family.
pub const ALGORITHMS: [Algorithm; 4] = [Algorithm::EdDsa, Algorithm::Hs256, Algorithm::Es256, Algorithm::Rs256];

static KEYS: LazyLock<[SigningKey; 4]> = LazyLock::new(|| {
    ALGORITHMS.map(|algorithm| match algorithm {
        Algorithm::Hs256 => SigningKey::hmac(algorithm, format!("{MARKER}: a secret of the fuzz targets")),
        _ => SigningKey::fixed(algorithm).clone(),
    })
});

/// Strict: issuer and audience stated, no leeway.
static VERIFIER: LazyLock<JwtVerifier> = LazyLock::new(|| {
    JwtVerifier::builder(KeySet::new(KEYS.iter().map(SigningKey::key)))
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .leeway(Duration::ZERO)
        .clock(ManualClock::at(NOW))
        .build()
        .expect("good settings")
});

/// One of the keys.
#[must_use]
pub fn key(choice: usize) -> &'static SigningKey {
    &KEYS[choice % KEYS.len()]
}

/// What judges the tokens, for a guard.
#[must_use]
pub fn verifier() -> JwtVerifier {
    VERIFIER.clone()
}

/// A token of `alice` that is in force.
pub fn good() -> Mint {
    mint().issued_at(NOW).expires_at(NOW + 900)
}

/// Good tokens, one by each key.
pub static GOOD: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..KEYS.len()).map(|choice| good().sign(key(choice))).collect());

/// Panics unless this is a good token: in its one spelling, but that ECDSA has two signatures of each message.
pub fn assert_was_signed(token: &str) {
    let (input, signature) = token.rsplit_once('.').expect("an accepted token has dots");
    let is_another_ecdsa = GOOD[2].rsplit_once('.').is_some_and(|(good, _)| good == input)
        && URL_SAFE_NO_PAD.decode(signature).is_ok_and(|bytes| bytes.len() == 64);
    assert!(is_another_ecdsa || GOOD.iter().any(|good| good == token), "nobody signed {token}");
}

/// What a byte of an input stands for: the marker, a good token, or one of its segments.
#[must_use]
pub fn part(byte: u8) -> Option<&'static str> {
    match byte {
        1 => Some(MARKER),
        2..=5 => Some(&GOOD[usize::from(byte - 2)]),
        16..=27 => GOOD[usize::from(byte - 16) / 3].split('.').nth(usize::from(byte - 16) % 3),
        _ => None,
    }
}

/// The verdict on a token: always the same, and a refusal only for a documented reason.
///
/// # Errors
///
/// Why it is refused.
pub fn check(token: &str) -> Result<Identity, AuthError> {
    let verdict = VERIFIER.check(token);
    let again = VERIFIER.check(token);
    match (&verdict, &again) {
        (Ok(one), Ok(other)) => assert_eq!((one.user_id(), one.claims_json()), (other.user_id(), other.claims_json())),
        (Err(one), Err(other)) => {
            assert_eq!(one.reason(), other.reason());
            assert_documented(one, one.reason(), &REASONS);
        }
        _ => panic!("two verdicts on one token"),
    }
    verdict
}

/// Why a token is refused.
pub const REASONS: [&str; 23] = [
    "too_long",
    "not_compact",
    "header_not_base64",
    "payload_not_base64",
    "signature_not_base64",
    "header_not_json",
    "payload_not_json",
    "header_duplicate_member",
    "payload_duplicate_member",
    "header_parameter_refused",
    "wrong_type",
    "algorithm_refused",
    "unknown_key",
    "ambiguous_key",
    "key_mismatch",
    "bad_signature",
    "claim_missing",
    "claim_malformed",
    "wrong_issuer",
    "wrong_audience",
    "expired",
    "not_yet_valid",
    "issued_in_future",
];
