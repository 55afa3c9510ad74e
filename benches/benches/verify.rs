//! Full verification of a token to an identity, beside `jsonwebtoken` doing the same checks, and beside the bare
//! signature check of the cryptographic backend that both use.
//!
//! `cargo bench -p authcore-benches --bench verify`

use std::hint::black_box;

use authcore::Algorithm;
use authcore_benches::{MEASURED, PeerClaims, authcore_verifier, peer_validation, token};
use authcore_testkit::{SigningKey, unb64};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{self, ParsedPublicKey};
use criterion::{Criterion, criterion_group, criterion_main};

fn verify(criterion: &mut Criterion) {
    for (algorithm, peer) in MEASURED {
        let key = SigningKey::fixed(algorithm);
        let token = token(key);
        let mut group = criterion.benchmark_group(format!("verify/{algorithm}/{} bytes", token.len()));

        let bare = bare_check(key);
        let (input, signature) = token.rsplit_once('.').expect("a token");
        let signature = unb64(signature);
        assert!(bare(input.as_bytes(), &signature));
        group.bench_function("backend, signature only", |bench| {
            bench.iter(|| bare(black_box(input.as_bytes()), black_box(&signature)));
        });

        let verifier = authcore_verifier(key);
        assert_eq!(verifier.check(&token).expect("a good token").roles().count(), 1);
        group.bench_function("authcore", |bench| {
            bench.iter(|| verifier.check(black_box(&token)).expect("a good token"))
        });

        let (decoding_key, validation) = (peer_key(key), peer_validation(peer));
        group.bench_function("jsonwebtoken", |bench| {
            bench.iter(|| {
                #[expect(clippy::disallowed_methods, reason = "the peer that is measured")]
                jsonwebtoken::decode::<PeerClaims>(black_box(&token), &decoding_key, &validation).expect("a good token")
            });
        });
        group.finish();
    }
}

/// Whether a signature is good: message, signature.
type Check = Box<dyn Fn(&[u8], &[u8]) -> bool>;

/// The backend's own check with a key prepared once.
fn bare_check(key: &SigningKey) -> Check {
    let algorithm: &'static dyn signature::VerificationAlgorithm = match key.algorithm() {
        Algorithm::EdDsa => &signature::ED25519,
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        _ => {
            let secret = unb64(key.public_jwk()["k"].as_str().expect("a secret"));
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            return Box::new(move |message, tag| hmac::verify(&key, message, tag).is_ok());
        }
    };
    let key = ParsedPublicKey::new(algorithm, key.public_der()).expect("a good key");
    Box::new(move |message, signature| key.verify_sig(message, signature).is_ok())
}

fn peer_key(key: &SigningKey) -> jsonwebtoken::DecodingKey {
    let jwk = serde_json::from_value(key.public_jwk()).expect("a JWK that jsonwebtoken knows");
    jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a key that jsonwebtoken takes")
}

criterion_group!(benches, verify);
criterion_main!(benches);
