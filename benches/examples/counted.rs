//! Work to count the instructions and cache misses of, for valgrind: so many times the same. Two runs that are some
//! thousand times apart tell what one of them takes.
//!
//! `counted verify|three|all TIMES`: an HS256 token to an identity, by authcore and no cache, or to three or to all of its
//! claims by `jsonwebtoken`. `counted hit TIMES`: tokens that are remembered, of ten thousand.

use std::hint::black_box;

use authcore::{Algorithm, JwtVerifier};
use authcore_benches::{
    AllPeerClaims, PeerClaims, authcore_builder, authcore_verifier, peer_validation, token, token_of,
};
use authcore_testkit::SigningKey;
use serde::de::DeserializeOwned;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let times: usize = arguments.next().and_then(|times| times.parse().ok()).expect("what, and how often");
    let key = SigningKey::fixed(Algorithm::Hs256);
    let token = token(key);
    match &*what {
        "verify" => check(&authcore_verifier(key), &[token], times),
        "three" => decode::<PeerClaims>(&token, key, times),
        "all" => decode::<AllPeerClaims>(&token, key, times),
        "hit" => {
            let tokens: Vec<_> =
                (0..10_000).map(|number| token_of(&format!("S3NBY4swX9ZsphkeenGjZ2Gz{number:08}"), key)).collect();
            let verifier = authcore_builder(key).build().expect("good settings");
            check(&verifier, &tokens, 3 * tokens.len());
            check(&verifier, &tokens, times);
        }
        _ => panic!("verify, three, all or hit"),
    }
}

/// By turns, each far from the last.
fn check(verifier: &JwtVerifier, tokens: &[String], times: usize) {
    for turn in 0..times {
        let token = &tokens[turn * 7919 % tokens.len()];
        drop(black_box(verifier.check(black_box(token)).expect("a good token")));
    }
}

fn decode<C: DeserializeOwned + Clone>(token: &str, key: &SigningKey, times: usize) {
    let jwk = serde_json::from_value(key.public_jwk()).expect("a JWK that jsonwebtoken knows");
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a key that jsonwebtoken takes");
    let validation = peer_validation(jsonwebtoken::Algorithm::HS256);
    for _ in 0..times {
        #[expect(clippy::disallowed_methods, reason = "the peer that is measured")]
        drop(black_box(jsonwebtoken::decode::<C>(black_box(token), &key, &validation).expect("a good token")));
    }
}
