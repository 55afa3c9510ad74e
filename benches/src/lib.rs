//! What the benches share: a token like Better Auth's, keys as each library wants them, and whether to measure at all.

pub mod load;
pub mod report;

use authcore::{Algorithm, JwtVerifier, JwtVerifierBuilder, KeySet};
use authcore_testkit::{Mint, SigningKey, mint};
use serde::Deserialize;

/// Whether numbers are wanted: `cargo bench` asks for them, `cargo test --all-targets` runs everything once.
#[must_use]
pub fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// Issuer and audience of the bench tokens, as Better Auth derives them from its base URL.
pub const ORIGIN: &str = "https://app.example.com";

/// How long the tokens are, in bytes, that targets are set for.
pub const LENGTH: usize = 665;

/// A token with the claims that Better Auth's jwt plugin and admin plugin put into it.
#[must_use]
pub fn token(key: &SigningKey) -> String {
    token_of("S3NBY4swX9ZsphkeenGjZ2GzaftUItGb", key)
}

/// The same for a user of one's choice. It has [`LENGTH`], or is a byte off where base64url has no such length, by how long
/// the user's name is; under a key with longer signatures it is longer.
#[must_use]
pub fn token_of(user_id: &str, key: &SigningKey) -> String {
    let named = |more: usize| better_auth(user_id).claim("name", format!("Ada Lovelace{}", "a".repeat(more))).sign(key);
    let room = LENGTH.saturating_sub(named(0).len()) / 4 * 3;
    let nearest = (room..room + 3).map(named).min_by_key(|token| token.len().abs_diff(LENGTH));
    nearest.expect("one of three")
}

/// Such a token for a user of one's choice, of whatever length and still to be signed.
pub fn better_auth(user_id: &str) -> Mint {
    mint()
        .issuer(ORIGIN)
        .audience(ORIGIN)
        .subject(user_id)
        .claim("id", user_id)
        .claim("email", "ada@example.com")
        .claim("emailVerified", false)
        .claim("image", serde_json::Value::Null)
        .claim("createdAt", "2026-11-20T19:13:56.411Z")
        .claim("updatedAt", "2026-11-20T19:13:56.411Z")
        .claim("role", "user")
        .claim("banned", false)
        .expires_in(std::time::Duration::from_secs(24 * 60 * 60))
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

/// All the claims of a bench token, owned: what an identity of ours keeps.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllPeerClaims {
    /// Who vouches for the user.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// Whom the token is meant for.
    pub aud: String,
    /// When it was issued.
    pub iat: u64,
    /// When it expires.
    pub exp: u64,
    /// The user once more.
    pub id: String,
    /// The user's name.
    pub name: String,
    /// The user's address.
    pub email: String,
    /// Whether somebody answered there.
    pub email_verified: bool,
    /// Where the user's picture is.
    pub image: Option<String>,
    /// When the user was made.
    pub created_at: String,
    /// When the user last changed.
    pub updated_at: String,
    /// The user's role.
    pub role: Option<String>,
    /// Whether the user is locked out.
    pub banned: Option<bool>,
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
