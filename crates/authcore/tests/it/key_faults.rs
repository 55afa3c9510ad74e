//! How soon a fault of the issuer leads to a verdict, and how often it is asked, on tokio's own clock: K-84 to K-92 of
//! docs/security/cases.md.

use std::time::Duration;

use authcore::{BoxError, Fetch, Fetched, RemoteKeys};
use authcore_testkit::{jwks, mint};
use tokio::task::JoinSet;
use tokio::time::{Instant, advance};
use url::Url;

use crate::script::{Act, COOLDOWN, DEADLINE, Script, known, reason, serve, strange_token, verifier};

/// Each fault, and the time until whoever asked has a verdict.
fn faults() -> Vec<(Act, Duration)> {
    let document = |text: &str| Act::Serve { document: text.to_owned(), max_age: None };
    let whole = jwks([known()]);
    vec![
        (Act::Fail, Duration::ZERO),
        (Act::Panic, Duration::ZERO),
        (document(r#"{"keys":[]}"#), Duration::ZERO),
        (document(&whole[..whole.len() - 1]), Duration::ZERO),
        (document("<!doctype html>"), Duration::ZERO),
        (document(""), Duration::ZERO),
        (document(&(whole.clone() + &" ".repeat(512 * 1024))), Duration::ZERO),
        (Act::Hang, DEADLINE),
        (Act::Drip(whole), DEADLINE),
    ]
}

#[tokio::test(start_paused = true)]
async fn k84_k87_k92_each_fault_has_its_verdict_in_time_and_costs_one_fetch() {
    for (fault, expected) in faults() {
        let script = Script::serving(&[known()]);
        let keys = script.keys();
        let verifier = verifier(&keys);
        keys.load().await.unwrap();
        script.now(fault.clone());

        let begun = Instant::now();
        let mut asked = JoinSet::new();
        for number in 0..100 {
            let verifier = verifier.clone();
            asked.spawn(async move { (reason(&verifier, &strange_token(number)).await, begun.elapsed()) });
        }
        tokio::task::yield_now().await;
        assert_eq!(reason(&verifier, &mint().sign(known())).await, "accepted", "{fault:?}");
        assert_eq!(begun.elapsed(), Duration::ZERO, "a known key waits for nobody: {fault:?}");
        for (reason, waited) in asked.join_all().await {
            assert_eq!(reason, "unavailable", "{fault:?}");
            assert!(waited.abs_diff(expected) <= Duration::from_millis(2), "{waited:?} with {fault:?}");
        }
        assert_eq!((script.fetches(), keys.status().failures), (2, 1), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn k85_k87_k92_also_when_nothing_was_ever_loaded() {
    for (fault, expected) in faults() {
        let script = Script::default();
        script.now(fault.clone());
        let keys = script.keys();
        let begun = Instant::now();
        assert_eq!(reason(&verifier(&keys), &mint().sign(known())).await, "unavailable", "{fault:?}");
        assert!(begun.elapsed().abs_diff(expected) <= Duration::from_millis(2), "{fault:?}");
        assert_eq!((script.fetches(), keys.status().age), (1, None), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn k88_a_flood_of_strangers_is_one_fetch_each_cooldown_whatever_the_issuer_does() {
    let serve = serve(&[known()]);
    // One that hangs is given up after five seconds, and the cooldown begins then.
    for (act, least) in [(serve, COOLDOWN), (Act::Fail, COOLDOWN), (Act::Hang, COOLDOWN + DEADLINE)] {
        let script = Script::serving(&[known()]);
        let keys = script.keys();
        let verifier = verifier(&keys);
        keys.load().await.unwrap();
        script.now(act.clone());
        advance(COOLDOWN).await;

        let mut asked = JoinSet::new();
        for number in 0..3_000 {
            let verifier = verifier.clone();
            asked.spawn(async move { reason(&verifier, &strange_token(number)).await });
            advance(Duration::from_millis(100)).await;
        }
        asked.join_all().await;
        let gaps = script.gaps();
        assert!(gaps.iter().all(|gap| *gap >= COOLDOWN), "{gaps:?} with {act:?}");
        assert!(gaps[1..].iter().all(|gap| *gap >= least), "{gaps:?} with {act:?}");
        // Nor is anybody locked out: there is a fetch as soon as there may be one.
        assert!(gaps.len() as u32 >= Duration::from_secs(300).div_duration_f32(least) as u32, "{gaps:?} with {act:?}");
        assert!(verifier.check(&mint().sign(known())).is_ok(), "{act:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn k89_a_thousand_requests_are_answered_by_one_fetch_also_when_those_who_began_it_leave() {
    for leaving in [0, 1, 500, 999] {
        let script = Script::default();
        script.now(Act::ServeLater(jwks([known()])));
        let keys = script.keys();
        let (verifier, token) = (verifier(&keys), mint().sign(known()));
        let ask = || {
            let (verifier, token) = (verifier.clone(), token.clone());
            tokio::spawn(async move { reason(&verifier, &token).await })
        };
        let leaders: Vec<_> = (0..leaving).map(|_| ask()).collect();
        let others: Vec<_> = (leaving..1_000).map(|_| ask()).collect();
        script.fetched(1).await;
        for leader in leaders {
            leader.abort();
            assert!(leader.await.unwrap_err().is_cancelled());
        }
        script.open_curtain(1);
        for other in others {
            assert_eq!(other.await.unwrap(), "accepted");
        }
        assert_eq!((script.fetches(), keys.status().failures), (1, 0), "{leaving} leave");
    }
}

#[tokio::test(start_paused = true)]
async fn k86_who_wakes_up_when_the_set_is_too_old_was_not_refused() {
    let script = Script::default();
    script.now(Act::ServeLater(jwks([known()])));
    let short = Duration::from_secs(1);
    let keys = script.builder().cooldown(short).max_stale(short).build().unwrap();
    let (verifier, token) = (verifier(&keys), mint().sign(known()));
    let waiting = reason(&verifier, &token);
    tokio::pin!(waiting);
    tokio::select! {
        biased;
        () = script.fetched(1) => {}
        _ = &mut waiting => panic!("the fetch has not begun"),
    }
    script.open_curtain(1);
    while keys.status().age.is_none() {
        tokio::task::yield_now().await;
    }
    advance(short).await;
    assert_eq!(waiting.await, "unavailable");
}

/// A fetch that heeds no cap.
struct Careless(usize);

impl Fetch for Careless {
    async fn fetch(&self, _: &Url, _: usize) -> Result<Fetched, BoxError> {
        let mut body = jwks([known()]).into_bytes();
        body.resize(self.0, b' ');
        Ok(Fetched { body, max_age: None })
    }
}

#[tokio::test]
async fn k92_the_cap_holds_for_a_fetch_of_ones_own() {
    let keys = |length| RemoteKeys::builder("https://id.example.com/jwks").fetch(Careless(length)).build().unwrap();
    assert!(keys(512 * 1024).load().await.is_ok());
    let error = keys(512 * 1024 + 1).load().await.unwrap_err();
    assert_eq!(error.to_string(), "more than 524288 bytes");
}
