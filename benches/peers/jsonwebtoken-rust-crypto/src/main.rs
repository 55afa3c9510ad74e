//! `jsonwebtoken` on the RustCrypto crates.

#[path = "../../turns.rs"]
mod turns;

use jsonwebtoken::{DecodingKey, Validation, decode};
use turns::{Case, Claims};

fn main() {
    turns::serve(|Case { algorithm, token, jwk, origin }| {
        let key = DecodingKey::from_jwk(&serde_json::from_value(jwk).expect("a JWK")).expect("a key");
        let mut validation = Validation::new(algorithm.parse().expect("an algorithm"));
        validation.set_issuer(&[&origin]);
        validation.set_audience(&[&origin]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = 30;
        move || decode::<Claims>(&token, &key, &validation).expect("a good token").claims
    });
}
