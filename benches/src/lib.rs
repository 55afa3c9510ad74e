//! What the benches share: a token like Better Auth's, keys as each library wants them, and whether to measure at all.

pub mod report;

use authcore::{Algorithm, JwtVerifier, JwtVerifierBuilder, KeySet};
use authcore_testkit::{SigningKey, mint};
use serde::Deserialize;

/// Whether numbers are wanted: `cargo bench` asks for them, `cargo test --all-targets` runs everything once.
#[must_use]
pub fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// Issuer and audience of the bench tokens, as Better Auth derives them from its base URL.
pub const ORIGIN: &str = "https://app.example.com";

/// A token with the claims that Better Auth's jwt plugin and admin plugin put into it.
#[must_use]
pub fn token(key: &SigningKey) -> String {
    token_of("S3NBY4swX9ZsphkeenGjZ2GzaftUItGb", key)
}

/// The same for a user of one's choice.
#[must_use]
pub fn token_of(user_id: &str, key: &SigningKey) -> String {
    mint()
        .issuer(ORIGIN)
        .audience(ORIGIN)
        .subject(user_id)
        .claim("id", user_id)
        .claim("name", "Ada Lovelace")
        .claim("email", "ada@example.com")
        .claim("emailVerified", false)
        .claim("image", serde_json::Value::Null)
        .claim("createdAt", "2026-11-20T19:13:56.411Z")
        .claim("updatedAt", "2026-11-20T19:13:56.411Z")
        .claim("role", "user")
        .claim("banned", false)
        .expires_in(std::time::Duration::from_secs(24 * 60 * 60))
        .sign(key)
}

/// Our verifier with Better Auth's expectations, in the making.
pub fn authcore_builder(key: &SigningKey) -> JwtVerifierBuilder {
    JwtVerifier::builder(KeySet::new([key.key()])).issuer(ORIGIN).audience(ORIGIN).typ("JWT")
}

/// The same, verifying each token every time.
#[must_use]
pub fn authcore_verifier(key: &SigningKey) -> JwtVerifier {
    authcore_builder(key).without_cache().build().expect("good settings")
}

/// The claims a service asks `jsonwebtoken` for, and what it needs for the same checks.
#[derive(Clone, Deserialize)]
pub struct PeerClaims {
    /// The user.
    pub sub: String,
    /// When the token expires.
    pub exp: u64,
    /// The user's role.
    pub role: Option<String>,
}

/// `jsonwebtoken` with the same expectations.
#[must_use]
pub fn peer_validation(algorithm: jsonwebtoken::Algorithm) -> jsonwebtoken::Validation {
    let mut validation = jsonwebtoken::Validation::new(algorithm);
    validation.set_issuer(&[ORIGIN]);
    validation.set_audience(&[ORIGIN]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    validation.leeway = 30;
    validation
}

/// The algorithms that are measured, with `jsonwebtoken`'s names for them.
pub const MEASURED: [(Algorithm, jsonwebtoken::Algorithm); 4] = [
    (Algorithm::Hs256, jsonwebtoken::Algorithm::HS256),
    (Algorithm::EdDsa, jsonwebtoken::Algorithm::EdDSA),
    (Algorithm::Es256, jsonwebtoken::Algorithm::ES256),
    (Algorithm::Rs256, jsonwebtoken::Algorithm::RS256),
];
