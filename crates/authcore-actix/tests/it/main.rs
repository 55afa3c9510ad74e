//! The public API, in front of actix-web.

mod cases;
mod head;
mod middleware;
mod pending;

use authcore::{Algorithm, Guard, GuardBuilder, JwtVerifier, KeySet};
use authcore_testkit::{Mint, SigningKey};

fn key() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::EdDsa)
}

fn guard() -> GuardBuilder {
    let verifier = JwtVerifier::builder(KeySet::new([key().key()])).build().expect("sane settings");
    Guard::builder().authenticator(verifier)
}

/// An `Authorization` field.
fn bearer(token: &Mint) -> (&'static str, String) {
    ("authorization", format!("Bearer {}", token.sign(key())))
}
