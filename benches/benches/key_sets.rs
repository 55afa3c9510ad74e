//! Valid tokens while the issuer hangs and tokens with made-up key ids arrive at a thousand a second: how long one takes
//! with keys that are fetched, beside the same keys given once. The two take turns, token by token, in the same flood.
//!
//! `cargo bench -p authcore-benches --bench key_sets`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use authcore::{Algorithm, JwtVerifier, KeySet, RemoteKeys};
use authcore_benches::{ORIGIN, is_measured, token};
use authcore_testkit::{Answer, FakeIssuer, SigningKey, b64};
use tokio::runtime::{Builder, Runtime};

/// Long enough for a fetch that hangs, the cooldown after it, and another fetch.
const ROUNDS: usize = 40;
const ROUND: Duration = Duration::from_secs(1);

fn main() {
    let (rounds, round) = if is_measured() { (ROUNDS, ROUND) } else { (1, Duration::from_millis(50)) };
    let background = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        compare(&background, algorithm, rounds, round);
    }
}

fn compare(background: &Runtime, algorithm: Algorithm, rounds: usize, round: Duration) {
    let key = SigningKey::fixed(algorithm);
    let issuer = background.block_on(FakeIssuer::start(&[key]));
    let keys = RemoteKeys::at(&issuer.jwks_url()).expect("a loopback URL");
    background.block_on(keys.load()).expect("the issuer is up");
    issuer.answer(Answer::Hang);
    let (given, fetched) = (verifier(KeySet::new([key.key()])), verifier(keys.clone()));
    let token = token(key);

    let strangers = Arc::new(AtomicU64::new(0));
    let flood = background.spawn(flood(fetched.clone(), token.clone(), Arc::clone(&strangers)));
    let begun = Instant::now();
    let here = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let measured: Vec<_> = (0..rounds).map(|_| here.block_on(take_turns(&given, &fetched, &token, round))).collect();
    let (took, refused) = (begun.elapsed(), strangers.load(Ordering::Relaxed));
    flood.abort();

    let ([given_p50, given_p99], [fetched_p50, fetched_p99]) = medians(&measured);
    let fetches = issuer.requests() - 1;
    println!(
        "{algorithm}: given p50 {given_p50:?} p99 {given_p99:?}; fetched p50 {fetched_p50:?} p99 {fetched_p99:?}; ratio {:.2} {:.2}",
        fetched_p50.div_duration_f64(given_p50),
        fetched_p99.div_duration_f64(given_p99),
    );
    println!("{algorithm}: {refused} strangers and {fetches} fetches in {} s", took.as_secs());
    assert!(fetches <= 1 + took.as_secs() / 30, "{fetches} fetches in {took:?}");
}

/// A thousand tokens a second, each with a key id of its own. Who has to wait for a fetch does.
async fn flood(verifier: JwtVerifier, token: String, strangers: Arc<AtomicU64>) {
    let (_, rest) = token.split_once('.').expect("a token");
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    for number in 0_u64.. {
        tick.tick().await;
        let header = b64(format!(r#"{{"alg":"EdDSA","kid":"made-up-{number}"}}"#));
        let (verifier, stranger) = (verifier.clone(), format!("{header}.{rest}"));
        let strangers = Arc::clone(&strangers);
        tokio::spawn(async move {
            let error = verifier.verify_token(&stranger).await.expect_err("nobody has this key");
            assert_eq!(error.reason(), "unavailable");
            strangers.fetch_add(1, Ordering::Relaxed);
        });
    }
}

/// Median and 99th percentile with the keys given, and with the keys fetched.
type Round = ([Duration; 2], [Duration; 2]);

async fn take_turns(given: &JwtVerifier, fetched: &JwtVerifier, token: &str, round: Duration) -> Round {
    let mut times = [Vec::new(), Vec::new()];
    let begun = Instant::now();
    while begun.elapsed() < round {
        for (times, verifier) in times.iter_mut().zip([given, fetched]) {
            let asked = Instant::now();
            verifier.verify_token(token).await.expect("a good token");
            times.push(asked.elapsed());
        }
    }
    let [given, fetched] = times.map(|mut times| {
        times.sort_unstable();
        [times[times.len() / 2], times[times.len() * 99 / 100]]
    });
    (given, fetched)
}

/// The median over the rounds, of each figure by itself.
fn medians(rounds: &[Round]) -> Round {
    let median = |pick: &dyn Fn(&Round) -> Duration| {
        let mut all: Vec<_> = rounds.iter().map(pick).collect();
        all.sort_unstable();
        all[all.len() / 2]
    };
    let pair = |pick: &dyn Fn(&Round) -> [Duration; 2]| [0, 1].map(|at| median(&|round| pick(round)[at]));
    (pair(&|round| round.0), pair(&|round| round.1))
}

fn verifier(keys: impl authcore::KeyResolver) -> JwtVerifier {
    JwtVerifier::builder(keys).issuer(ORIGIN).audience(ORIGIN).typ("JWT").build().expect("good settings")
}
