//! Strategy `jwt` under the jwt plugin's key pair: a JWS that the published key set verifies.
//!
//! The core's verifier does the work, so keys, algorithms, duplicate names and sizes are its affair. `typ`, audience, issuer
//! and `kid` tell this token from all others under the same keys.

use std::time::Duration;

use authcore::{AuthError, Identity, JwtVerifier, JwtVerifierBuilder, KeyResolver, Unavailable};

use super::fault::CacheFault;
use super::payload::Payload;
use super::{CLOCK_SKEW, Opened};
use crate::jwt_settings::published_algorithms;

const TYPE: &str = "better-auth.session-cache+jwt";

const AUDIENCE: &str = "better-auth:session-cache";

pub(super) fn verifier(keys: impl KeyResolver, issuer: &str) -> JwtVerifierBuilder {
    // The leeway is for `iat`; that the cache ends is judged without any.
    const LEEWAY: Duration = CLOCK_SKEW;
    let builder = JwtVerifier::builder(keys).issuer(issuer).audience(AUDIENCE).typ(TYPE);
    builder.algorithms(published_algorithms()).require_key_id().leeway(LEEWAY)
}

pub(super) fn open(verifier: &JwtVerifier, text: &str) -> Result<Opened, CacheFault> {
    read(verifier.check(text))
}

pub(super) async fn open_fetching(
    verifier: &JwtVerifier,
    text: &str,
) -> Result<Result<Opened, CacheFault>, Unavailable> {
    match verifier.verify_token(text).await {
        Err(AuthError::Unavailable(cause)) => Err(cause),
        verdict => Ok(read(verdict)),
    }
}

fn read(verdict: Result<Identity, AuthError>) -> Result<Opened, CacheFault> {
    let identity = verdict.map_err(|error| fault(&error))?;
    let payload = Payload::read(identity.claims_json())?;
    let expires_at = identity.expires_at().ok_or(CacheFault::NotASession)?;
    if *identity.user_id() != payload.user.id {
        return Err(CacheFault::OtherUser);
    }
    if payload.sid.as_deref() != Some(payload.session.token.expose()) {
        return Err(CacheFault::OtherSession);
    }
    Ok(Opened { payload, expires_at })
}

fn fault(error: &AuthError) -> CacheFault {
    match error {
        AuthError::BadSignature => CacheFault::BadSignature,
        AuthError::UnknownKey | AuthError::Unavailable(_) => CacheFault::UnknownKey,
        AuthError::TooLong(_) => CacheFault::TooLong,
        AuthError::Expired(_) => CacheFault::Expired,
        AuthError::NotCompact | AuthError::NotBase64(_) | AuthError::NotJsonObject(_) | AuthError::RefusedAlgorithm => {
            CacheFault::Malformed
        }
        _ => CacheFault::NotASession,
    }
}
