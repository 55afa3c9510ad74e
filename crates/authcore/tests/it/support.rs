//! What the tests of one verifier share: a clock that stands, and a token that would pass.

use authcore::{Algorithm, AuthError, Identity, JwtVerifier, JwtVerifierBuilder, KeySet, ManualClock};
use authcore_testkit::{AUDIENCE, ISSUER, Mint, SigningKey, mint};

/// The moment all these tokens are judged at.
pub(crate) const NOW: i64 = 1_750_000_000;

/// A token of `alice`, in force at [`NOW`].
pub(crate) fn good() -> Mint {
    mint().issued_at(NOW).expires_at(NOW + 900)
}

pub(crate) fn ed25519() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::EdDsa)
}

/// A strict verifier of one key: issuer and audience stated, no leeway.
pub(crate) fn builder_for<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> JwtVerifierBuilder {
    builder_of(keys).issuer(ISSUER)
}

/// The same of whichever issuer is stated next.
pub(crate) fn builder_of<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> JwtVerifierBuilder {
    JwtVerifier::builder(KeySet::new(keys.into_iter().map(SigningKey::key)))
        .audience(AUDIENCE)
        .leeway(std::time::Duration::ZERO)
        .clock(ManualClock::at(NOW))
}

pub(crate) fn verifier() -> JwtVerifier {
    builder_for([ed25519()]).build().expect("good settings")
}

pub(crate) fn check(token: &str) -> Result<Identity, AuthError> {
    verifier().check(token)
}

/// Why a token is refused by [`verifier`].
#[track_caller]
pub(crate) fn reason(token: &str) -> &'static str {
    match check(token) {
        Ok(identity) => panic!("accepted as {:?}: {token}", identity.user_id()),
        Err(error) => error.reason(),
    }
}

/// Why the claims `json` are refused, though they are signed.
#[track_caller]
pub(crate) fn reason_of_payload(json: impl AsRef<[u8]>) -> &'static str {
    reason(&good().raw_payload(json.as_ref().to_vec()).sign(ed25519()))
}

/// Why the header `json` is refused, though it is signed.
#[track_caller]
pub(crate) fn reason_of_header(json: impl AsRef<[u8]>) -> &'static str {
    reason(&good().raw_header(json.as_ref().to_vec()).sign(ed25519()))
}
