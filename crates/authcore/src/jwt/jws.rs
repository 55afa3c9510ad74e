//! The signature layer alone (RFC 7515): by which key a token was signed, and what. No claim is looked at.

use std::fmt;
use std::sync::Arc;

use super::algorithm::Algorithm;
use super::compact::{Compact, SignatureRoom, decode};
use super::header::Header;
use crate::error::{AuthError, Part};
use crate::jwks::KeySet;

/// What a compact JWS holds, its signature verified and nothing else: for finding out which layer refuses a token, and
/// for payloads that are not claims. It says nothing about who is calling; that is [`JwtVerifier`](super::JwtVerifier)'s.
///
/// ```
/// use authcore::{Algorithm, Jws, Key, KeySet, Secret};
/// use authcore_testkit::{SigningKey, mint};
///
/// let key = SigningKey::fixed(Algorithm::Es256);
/// let keys = KeySet::new([key.key()]);
///
/// let signed = Jws::verify(&mint().raw_payload("any bytes").sign(key), &keys, &Algorithm::ALL).unwrap();
/// assert_eq!((signed.payload(), signed.algorithm()), (&b"any bytes"[..], Algorithm::Es256));
///
/// let forged = mint().header("alg", "ES256").with_signature([0; 64]);
/// assert_eq!(Jws::verify(&forged, &keys, &Algorithm::ALL).unwrap_err().reason(), "bad_signature");
/// ```
#[derive(Clone)]
pub struct Jws {
    payload: Vec<u8>,
    algorithm: Algorithm,
    key_id: Option<Arc<str>>,
}

impl Jws {
    /// The longest token that is looked at, in bytes.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Checks the signature of a token in compact serialisation by the one key that its header leads to, of these keys, if
    /// its algorithm is among those allowed. Header parameters are refused as a verifier of claims refuses them (`crit`,
    /// `b64`, `zip`, `enc`, a nested JWT); any `typ` is taken. The payload is at least one byte.
    ///
    /// # Errors
    ///
    /// Why nothing can be said to have been signed.
    pub fn verify(token: &str, keys: &KeySet, algorithms: &[Algorithm]) -> Result<Self, AuthError> {
        let compact = Compact::parse(token, Self::MAX_BYTES)?;
        let Header { algorithm, key_id, .. } = Header::parse(compact.header)?;
        if !algorithms.contains(&algorithm) {
            return Err(AuthError::RefusedAlgorithm);
        }
        let mut room = SignatureRoom::new();
        let signature = room.decode(compact.signature)?;
        let key = keys.select(key_id.as_deref(), algorithm)?;
        if !key.verifies(compact.signing_input.as_bytes(), signature) {
            return Err(AuthError::BadSignature);
        }
        Ok(Self { payload: decode(compact.payload, Part::Payload)?, algorithm, key_id: key.id().cloned() })
    }

    /// The bytes that were signed, decoded.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The algorithm of the signature, which is that of the key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `kid` of the key that verified it, if that key has one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }
}

impl fmt::Debug for Jws {
    /// Leaves the payload out: it may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Jws");
        shown.field("algorithm", &self.algorithm).field("key_id", &self.key_id).finish_non_exhaustive()
    }
}
