//! Full verification of a token to an identity, beside `jsonwebtoken` doing the same checks, and beside the bare
//! signature check of the cryptographic backend that both use. At the end the four take turns, for ratios that hold on a busy
//! machine too. Then looking up a key by its id, on one thread and on two.
//!
//! `cargo bench -p authcore-benches --bench verify`

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use authcore::{Algorithm, KeyResolver, KeySet};
use authcore_benches::{AllPeerClaims, MEASURED, PeerClaims, authcore_verifier, is_measured, peer_validation, token};
use authcore_testkit::{SigningKey, unb64};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{self, ParsedPublicKey};
use criterion::{Criterion, criterion_group, criterion_main};
use jsonwebtoken::{DecodingKey, Validation};
use serde::de::DeserializeOwned;

fn verify(criterion: &mut Criterion) {
    let mut rows = Vec::new();
    for (algorithm, peer) in MEASURED {
        let key = SigningKey::fixed(algorithm);
        let token = token(key);

        let bare = bare_check(key);
        let (input, signature) = token.rsplit_once('.').expect("a token");
        let signature = unb64(signature);
        let verifier = authcore_verifier(key);
        assert_eq!(verifier.check(&token).expect("a good token").roles().count(), 1);
        let (decoding_key, validation) = (peer_key(key), peer_validation(peer));

        let ways: [(&str, &dyn Fn()); 4] = [
            ("backend, signature only", &|| assert!(bare(black_box(input.as_bytes()), black_box(&signature)))),
            ("authcore", &|| drop(black_box(verifier.check(black_box(&token)).expect("a good token")))),
            ("jsonwebtoken, three claims", &|| decode::<PeerClaims>(&token, &decoding_key, &validation)),
            ("jsonwebtoken, all claims", &|| decode::<AllPeerClaims>(&token, &decoding_key, &validation)),
        ];
        let mut group = criterion.benchmark_group(format!("verify/{algorithm}/{} bytes", token.len()));
        for (name, way) in ways {
            group.bench_function(name, |bench| bench.iter(way));
        }
        group.finish();
        rows.push(Row { algorithm, bytes: token.len(), taken: by_turns(ways.map(|(_, way)| way)) });
    }
    println!(
        "\n| algorithm | token | signature alone | authcore | three claims | all claims | ratio to three | to all |"
    );
    rows.iter().for_each(Row::print);
}

/// `jsonwebtoken`'s whole way from a token to claims of this shape.
fn decode<C: DeserializeOwned + Clone>(token: &str, key: &DecodingKey, validation: &Validation) {
    #[expect(clippy::disallowed_methods, reason = "the peer that is measured")]
    drop(black_box(jsonwebtoken::decode::<C>(black_box(token), key, validation).expect("a good token")));
}

/// What each of them takes: medians over rounds in which they take turns.
fn by_turns<const WAYS: usize>(ways: [&dyn Fn(); WAYS]) -> [Duration; WAYS] {
    const TIMES: u32 = 200;
    let rounds = if is_measured() { 501 } else { 1 };
    let mut taken = ways.map(|_| Vec::with_capacity(rounds));
    for _ in 0..rounds {
        for (way, taken) in ways.iter().zip(&mut taken) {
            let start = Instant::now();
            (0..TIMES).for_each(|_| way());
            taken.push(start.elapsed() / TIMES);
        }
    }
    taken.map(|mut taken| {
        taken.sort_unstable();
        taken[taken.len() / 2]
    })
}

/// What verifying by one algorithm takes.
struct Row {
    algorithm: Algorithm,
    bytes: usize,
    taken: [Duration; 4],
}

impl Row {
    fn print(&self) {
        let [alone, ours, three, all] = self.taken.map(|taken| taken.as_secs_f64() * 1e6);
        let (algorithm, bytes, to_three, to_all) = (self.algorithm, self.bytes, ours / three, ours / all);
        let times = format!("{alone:.3} µs | {ours:.3} µs | {three:.3} µs | {all:.3} µs");
        println!("| {algorithm} | {bytes} bytes | {times} | {to_three:.2} | {to_all:.2} |");
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

fn peer_key(key: &SigningKey) -> DecodingKey {
    let jwk = serde_json::from_value(key.public_jwk()).expect("a JWK that jsonwebtoken knows");
    DecodingKey::from_jwk(&jwk).expect("a key that jsonwebtoken takes")
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
