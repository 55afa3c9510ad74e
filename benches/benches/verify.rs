//! Full verification of a token to an identity, beside `jsonwebtoken` doing the same checks, and beside the bare
//! signature check of the cryptographic backend that both use. Then looking up a key by its id, on one thread and on two.
//!
//! `cargo bench -p authcore-benches --bench verify`

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use authcore::{Algorithm, KeyResolver, KeySet};
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

/// What finding the key costs a token whose header was not seen before.
fn key_look_up(criterion: &mut Criterion) {
    let algorithms = MEASURED.map(|(algorithm, _)| algorithm);
    let keys = KeySet::new(algorithms.map(|algorithm| SigningKey::fixed(algorithm).key()));
    let id = SigningKey::fixed(Algorithm::Es256).kid().expect("public keys have ids").to_owned();
    let look_up = || {
        let set = keys.current(Algorithm::Es256).expect("a set that is always there");
        assert!(set.select(Some(black_box(&id)), Algorithm::Es256).is_ok());
    };
    let mut group = criterion.benchmark_group("key look-up, 4 keys");
    for threads in [1, 2] {
        let name = format!("{threads} thread{}", if threads == 1 { "" } else { "s" });
        group.bench_function(name, |bench| bench.iter_custom(|rounds| on_threads(threads, rounds, &look_up)));
    }
    group.finish();
}

/// How long each of some threads took for that many rounds, on average.
fn on_threads(threads: u32, rounds: u64, work: &(impl Fn() + Sync)) -> Duration {
    thread::scope(|scope| {
        let measure = || {
            let start = Instant::now();
            (0..rounds).for_each(|_| work());
            start.elapsed()
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(measure)).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).sum::<Duration>() / threads
    })
}

criterion_group!(benches, verify, key_look_up);
criterion_main!(benches);
