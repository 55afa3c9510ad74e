//! One verification key, prepared once and pinned to one algorithm.

use std::fmt;
use std::sync::Arc;

use super::facts::Facts;
use super::jwk::{self, Source};
use crate::error::ConfigError;
use crate::jwt::Algorithm;
use crate::jwt::signature::VerifyKey;
use crate::secret::Secret;

/// A key that checks signatures of one algorithm (RFC 8725 §3.1).
pub struct Key {
    pub(super) id: Option<Arc<str>>,
    pub(super) algorithm: Algorithm,
    pub(super) verify: VerifyKey,
    /// Tells two keys under one id apart from one key listed twice.
    pub(super) fingerprint: [u8; 32],
    pub(super) facts: Facts,
}

impl Key {
    /// A shared secret for HS256, HS384 or HS512.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for another algorithm, a secret shorter than the hash (RFC 7518 §3.2), one that is publicly known,
    /// or one that looks like a public key: whoever reads that key could sign.
    pub fn hmac(algorithm: Algorithm, secret: &Secret) -> Result<Self, ConfigError> {
        let bytes = secret.expose_bytes();
        check_secret(algorithm, bytes).map_err(ConfigError::new)?;
        let verify =
            VerifyKey::hmac(algorithm, bytes).ok_or_else(|| ConfigError::new("a secret is for HS* algorithms"))?;
        let fingerprint = jwk::fingerprint(&[algorithm.name().as_bytes(), bytes]);
        Ok(Self { id: None, algorithm, verify, fingerprint, facts: Facts::secret(bytes) })
    }

    /// A key from the JSON text of a JWK (RFC 7517). A local one may be symmetric (`kty` `oct`).
    ///
    /// # Errors
    ///
    /// [`KeyRefused`], saying why the key is of no use.
    pub fn from_jwk(json: &str) -> Result<Self, KeyRefused> {
        jwk::read(json, Source::Local).map_err(|(_, refused)| refused)
    }

    /// The key's id (`kid`), if it has one.
    #[must_use]
    pub fn id(&self) -> Option<&Arc<str>> {
        self.id.as_ref()
    }

    /// The one algorithm the key may be used with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify.verifies(message, signature)
    }
}

impl TryFrom<&jsonwebtoken::jwk::Jwk> for Key {
    type Error = KeyRefused;

    fn try_from(jwk: &jsonwebtoken::jwk::Jwk) -> Result<Self, KeyRefused> {
        let json = serde_json::to_string(jwk).map_err(|_| KeyRefused::Malformed)?;
        Self::from_jwk(&json)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Why a key is of no use. Each has a stable [`code`](Self::code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRefused {
    /// Not a JSON object with the members its type needs, each of the right JSON type and length.
    #[error("not a well-formed JWK")]
    Malformed,
    /// A `kty` or `crv` that is not served.
    #[error("key type or curve is not served")]
    UnsupportedType,
    /// An `alg` that is not a signature algorithm served here.
    #[error("algorithm is not served")]
    UnsupportedAlgorithm,
    /// `alg` does not go with `kty` and `crv`.
    #[error("algorithm does not fit the key's type")]
    AlgorithmMismatch,
    /// `use` or `key_ops` say that the key is not for checking signatures.
    #[error("key is not for verifying signatures")]
    NotForVerifying,
    /// A secret where only public keys belong.
    #[error("a published key set holds a secret")]
    Symmetric,
    /// RSA below 2048 bits or over 8192, a bad exponent, an Ed25519 point of low order, a short or public secret.
    #[error("key is too weak, or too large")]
    Weak,
    /// A point off its curve, an even RSA modulus, or other numbers that make no key.
    #[error("numbers do not make a key")]
    InvalidNumbers,
    /// Two different keys share this `kid`: neither is used.
    #[error("several keys share this id")]
    DuplicateId,
}

impl KeyRefused {
    /// A stable word for this refusal.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnsupportedType => "unsupported_type",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::AlgorithmMismatch => "algorithm_mismatch",
            Self::NotForVerifying => "not_for_verifying",
            Self::Symmetric => "symmetric",
            Self::Weak => "weak",
            Self::InvalidNumbers => "invalid_numbers",
            Self::DuplicateId => "duplicate_kid",
        }
    }
}

/// Secrets of 32 bytes and more that stand in public documentation.
const PUBLIC_SECRETS: [&str; 4] = [
    "better-auth-secret-12345678901234567890",
    "a-string-secret-at-least-256-bits-long",
    "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
];

/// Judges a secret for HMAC. The message says what to do and never shows the secret.
pub(super) fn check_secret(algorithm: Algorithm, secret: &[u8]) -> Result<(), String> {
    let least = match algorithm {
        Algorithm::Hs384 => 48,
        Algorithm::Hs512 => 64,
        _ => 32,
    };
    let text = String::from_utf8_lossy(secret);
    if secret.len() < least {
        return Err(format!(
            "the shared secret needs at least {least} bytes for {algorithm}: openssl rand -base64 {least}"
        ));
    }
    if PUBLIC_SECRETS.iter().any(|known| known.as_bytes() == secret) || secret.iter().all(|byte| *byte == secret[0]) {
        return Err("the shared secret is publicly known: make one of your own".to_owned());
    }
    let jwk = text.trim_start().starts_with('{') && text.contains("\"kty\"");
    let ssh = ["ssh-", "ecdsa-sha2-"].iter().any(|prefix| text.trim_start().starts_with(prefix));
    if text.contains("-----BEGIN") || jwk || ssh || is_der_sequence(secret) {
        return Err("the shared secret is the text of a key: anyone who has that key could sign".to_owned());
    }
    Ok(())
}

/// Whether the bytes are exactly one DER SEQUENCE, as every encoded public key is.
fn is_der_sequence(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, length @ ..=0x7f, rest @ ..] => rest.len() == usize::from(*length),
        [0x30, 0x81, length, rest @ ..] => rest.len() == usize::from(*length),
        [0x30, 0x82, high, low, rest @ ..] => rest.len() == usize::from(u16::from_be_bytes([*high, *low])),
        _ => false,
    }
}
