//! Tokens signed with the server's own secret, also such as no issuer would make.

use authcore::Algorithm;
use authcore_testkit::{Mint, SigningKey, b64, mint};

/// The shared HS256 secret of a server under test, with the issuer and audience it expects.
#[derive(Clone, Debug)]
pub struct Signer {
    key: SigningKey,
    issuer: Option<String>,
    audience: Option<String>,
}

impl Signer {
    /// Signs with this secret; `iss` and `aud` stand in tokens when the server expects them.
    #[must_use]
    pub fn new(secret: &str, issuer: Option<String>, audience: Option<String>) -> Self {
        Self { key: SigningKey::hmac(Algorithm::Hs256, secret), issuer, audience }
    }

    /// A good token for this user, still to be signed.
    pub fn mint(&self, subject: &str) -> Mint {
        let mint = mint().subject(subject);
        let mint = match &self.issuer {
            Some(issuer) => mint.issuer(issuer),
            None => mint.without("iss"),
        };
        match &self.audience {
            Some(audience) => mint.audience(audience),
            None => mint.without("aud"),
        }
    }

    /// The token, signed as the server expects it.
    #[must_use]
    pub fn sign(&self, mint: &Mint) -> String {
        mint.sign(&self.key)
    }

    /// The token, signed by the same secret with another hash.
    #[must_use]
    pub fn sign_with(&self, algorithm: Algorithm, mint: &Mint) -> String {
        mint.sign(&self.key.clone().with_algorithm(algorithm))
    }

    /// The token of these two segments, spelt as they are.
    #[must_use]
    pub fn sign_segments(&self, segments: &str) -> String {
        format!("{segments}.{}", b64(self.key.sign(segments.as_bytes())))
    }

    /// The header and payload that the server expects to be signed, as they stand in the token.
    #[must_use]
    pub fn segments(&self, mint: &Mint) -> String {
        mint.signing_input(&self.key)
    }

    /// The bytes of the signature the server expects of this token.
    #[must_use]
    pub fn signature(&self, mint: &Mint) -> Vec<u8> {
        self.key.sign(mint.signing_input(&self.key).as_bytes())
    }

    /// What the server expects for `iss`, if anything.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// What the server expects for `aud`, if anything.
    #[must_use]
    pub fn audience(&self) -> Option<&str> {
        self.audience.as_deref()
    }
}
