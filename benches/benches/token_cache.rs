//! From a token that was verified before to its identity: the verifier's cache, beside quick_cache over the same tokens and
//! judging no more than the time; and what the cache costs where every token comes once.
//!
//! `cargo bench -p authcore-benches --bench token_cache`; with `MILLION=1` also a million tokens, in 2.5 GB.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use authcore::{Algorithm, Clock as _, Identity, JwtVerifier, SystemClock, TokenCache};
use authcore_benches::{authcore_builder, authcore_verifier, is_measured, report, token_of};
use authcore_testkit::SigningKey;
use criterion::{BenchmarkId, Criterion, criterion_group};
use quick_cache::sync::Cache;

/// From a token to an identity.
type Look<'a> = &'a (dyn Fn(&str) -> Identity + Sync);

fn hits(criterion: &mut Criterion) {
    let million = std::env::var_os("MILLION").is_some_and(|value| value == "1");
    let counts = if is_measured() { &[1, 100, 10_000, 1_000_000][..] } else { &[1, 100] };
    for count in counts.iter().copied().filter(|count| *count < 1_000_000 || million) {
        // Signing a million by EdDSA would take most of the time.
        let key = SigningKey::fixed(if count < 1_000_000 { Algorithm::EdDsa } else { Algorithm::Hs256 });
        let tokens = tokens(count, key);
        let mut group = criterion.benchmark_group(format!("token cache/{count} tokens of {} bytes", tokens[0].len()));
        let verifier = remembering(&tokens, key);
        let peer: Cache<String, Identity> = Cache::new(count * 2);
        for token in &tokens {
            peer.insert(token.clone(), verifier.check(token).expect("a good token"));
        }
        let authcore: Look<'_> = &|token| verifier.check(token).expect("a good token");
        let quick_cache: Look<'_> = &|token| {
            let identity = peer.get(token).expect("a known token");
            assert!(identity.expires_at().is_some_and(|at| SystemClock.now() < at));
            identity
        };
        for threads in [1, 2] {
            for (name, look) in [("authcore", authcore), ("quick_cache", quick_cache)] {
                group.bench_function(BenchmarkId::new(name, format!("{threads} threads")), |bench| {
                    bench.iter_custom(|times| run(threads, times, &tokens, look));
                });
            }
        }
        group.finish();
        let status = verifier.cache_status().expect("a cache");
        println!("token cache/{count} tokens: {status:?}");
        if count == 1 {
            criterion.bench_function("token cache/clock alone", |bench| bench.iter(|| SystemClock.now()));
        }
    }
}

/// Tokens that come once, more of them than the marks of those that came by.
fn flood(criterion: &mut Criterion) {
    let count = if is_measured() { 500_000 } else { 100 };
    let key = SigningKey::fixed(Algorithm::Hs256);
    let tokens = tokens(count, key);
    let mut group = criterion.benchmark_group("token cache/tokens that come once");
    group.sample_size(50);
    let (with, without) = (authcore_builder(key).build().expect("good settings"), authcore_verifier(key));
    for (name, verifier) in [("without cache", &without), ("with cache", &with)] {
        let look: Look<'_> = &|token| verifier.check(token).expect("a good token");
        let mut next = 0;
        group.bench_function(name, |bench| {
            bench.iter_custom(|times| {
                let mut taken = windows(times, || {
                    black_box(look(&tokens[next]));
                    next = (next + 1) % tokens.len();
                });
                median(&mut taken).mul_f64(times as f64)
            });
        });
    }
    group.finish();
    println!("token cache/flood: {:?}", with.cache_status());
}

fn tokens(count: usize, key: &SigningKey) -> Vec<String> {
    (0..count).map(|number| token_of(&format!("S3NBY4swX9ZsphkeenGjZ2Gz{number:08}"), key)).collect()
}

/// A verifier that has seen all of them twice.
fn remembering(tokens: &[String], key: &SigningKey) -> JwtVerifier {
    let cache = TokenCache::default();
    let cache = if tokens.len() <= 10_000 { cache } else { cache.max_entries(tokens.len() * 5 / 4).max_bytes(2 << 30) };
    let verifier = authcore_builder(key).cache(cache).build().expect("good settings");
    for token in tokens.iter().chain(tokens) {
        verifier.check(token).expect("a good token");
    }
    verifier
}

/// So many looks by each thread, from one token to one far from it: what they take going by the median of a thousand at a
/// time, so that what else the machine does for some milliseconds does not count.
fn run(threads: usize, times: u64, tokens: &[String], look: Look<'_>) -> Duration {
    let barrier = Barrier::new(threads);
    let work = |thread: usize| {
        let mut at = tokens.len() * thread / threads;
        barrier.wait();
        windows(times, || {
            black_box(look(black_box(&tokens[at])));
            at = (at + STEP) % tokens.len();
        })
    };
    let mut taken = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn({
                    let work = &work;
                    move || work(thread)
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    median(&mut taken).mul_f64(times as f64)
}

/// What one of so many takes, by the thousand.
fn windows(times: u64, mut act: impl FnMut()) -> Vec<Duration> {
    let size = times.min(1_000);
    let window = |_| {
        let began = Instant::now();
        (0..size).for_each(|_| act());
        began.elapsed().div_f64(size as f64)
    };
    (0..times / size).map(window).collect()
}

fn median(taken: &mut [Duration]) -> Duration {
    taken.sort_unstable();
    taken[taken.len() / 2]
}

/// A prime, so that all come round and none is next to the last.
const STEP: usize = 7919;

criterion_group!(benches, hits, flood);

fn main() {
    report::run(benches, "A token that is remembered", "token_cache", "token cache/");
}
