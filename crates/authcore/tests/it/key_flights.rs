//! Many who wait for one fetch, and what becomes of it: K-85 and K-89 of docs/security/cases.md.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use authcore::RemoteKeys;
use authcore_testkit::{Answer, FakeIssuer, jwks, mint};
use tokio::task::JoinSet;
use tokio::time::{Instant, advance};

use crate::script::{Act, COOLDOWN, Script, another, known, let_refresh, reason, serve, strange_token, verifier};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn k89_a_thousand_cold_requests_share_one_fetch() {
    let issuer = FakeIssuer::start(&[known()]).await;
    issuer.answer(Answer::Delay(Duration::from_millis(100)));
    let keys = RemoteKeys::at(&issuer.jwks_url()).unwrap();
    let verifier = verifier(&keys);
    let mut asked = JoinSet::new();
    for _ in 0..1_000 {
        let (verifier, token) = (verifier.clone(), mint().sign(known()));
        asked.spawn(async move { reason(&verifier, &token).await });
    }
    assert!(asked.join_all().await.iter().all(|reason| *reason == "accepted"));
    assert_eq!((issuer.requests(), keys.status().fetches), (1, 1));
}

/// The moment between looking for a key and asking for a fetch is short, but another thread's fetch may end in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn k89_also_when_the_fetch_ends_while_others_are_about_to_ask() {
    let nameless = known().clone().with_kid(None);
    for key in [known(), &nameless] {
        let token = mint().sign(key);
        for _ in 0..300 {
            let script = Script::serving(&[key]);
            let verifier = verifier(&script.keys());
            let mut asked = JoinSet::new();
            for _ in 0..16 {
                let (verifier, token) = (verifier.clone(), token.clone());
                asked.spawn(async move { reason(&verifier, &token).await });
            }
            assert!(asked.join_all().await.iter().all(|reason| *reason == "accepted"));
            assert_eq!(script.fetches(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn k89_also_when_that_fetch_fails() {
    let token = mint().sign(known());
    for _ in 0..300 {
        let script = Script::default();
        let verifier = verifier(&script.keys());
        let mut asked = JoinSet::new();
        for _ in 0..16 {
            let (verifier, token) = (verifier.clone(), token.clone());
            asked.spawn(async move { reason(&verifier, &token).await });
        }
        assert!(asked.join_all().await.iter().all(|reason| *reason == "unavailable"));
        assert_eq!(script.fetches(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn k89_a_fetch_outlives_the_request_that_began_it() {
    let script = Script::default();
    script.now(Act::ServeLater(jwks([known()])));
    let keys = script.keys();
    let verifier = verifier(&keys);
    let token = mint().sign(known());

    let leader = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { reason(&verifier, &token).await }
    });
    script.fetched(1).await;
    let follower = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { reason(&verifier, &token).await }
    });
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    script.open_curtain(1);
    assert_eq!(follower.await.unwrap(), "accepted");
    assert_eq!((script.fetches(), keys.status().failures), (1, 0));

    // Nor does it need anybody to wait for it.
    let script = Script::default();
    script.now(Act::ServeLater(jwks([known()])));
    let keys = script.keys();
    let alone = tokio::spawn({
        let verifier = self::verifier(&keys);
        async move { reason(&verifier, &token).await }
    });
    script.fetched(1).await;
    alone.abort();
    script.open_curtain(1);
    let_refresh(&keys, 1).await;
    assert!(keys.status().is_ready());
}

#[tokio::test(start_paused = true)]
async fn k89_who_waits_waits_no_longer_than_the_deadline() {
    let script = Script::default();
    script.now(Act::Hang);
    let keys = script.keys();
    let begun = Instant::now();
    let mut asked = JoinSet::new();
    for _ in 0..1_000 {
        let verifier = verifier(&keys);
        asked.spawn(async move { (reason(&verifier, &mint().sign(known())).await, begun.elapsed()) });
    }
    for (reason, waited) in asked.join_all().await {
        assert_eq!(reason, "unavailable");
        assert!(waited < Duration::from_millis(5_100), "{waited:?}");
    }
    assert_eq!((script.fetches(), keys.status().failures), (1, 1));
    assert_eq!(keys.status().last_error.as_deref(), Some("no answer within 5 s"));
}

#[tokio::test(start_paused = true)]
async fn k89_a_fetch_that_panics_is_one_failure() {
    let script = Script::default();
    script.now(Act::Panic);
    let keys = script.keys();
    let verifier = verifier(&keys);
    let token = mint().sign(known());
    let mut asked = JoinSet::new();
    for _ in 0..100 {
        let (verifier, token) = (verifier.clone(), token.clone());
        asked.spawn(async move { reason(&verifier, &token).await });
    }
    assert!(asked.join_all().await.iter().all(|reason| *reason == "unavailable"));
    for _ in 0..100 {
        assert_eq!(reason(&verifier, &token).await, "unavailable");
    }
    assert_eq!((script.fetches(), keys.status().failures), (1, 1));

    script.now(serve(&[known()]));
    advance(COOLDOWN).await;
    assert_eq!(reason(&verifier, &token).await, "accepted");

    // In the background too.
    script.now(Act::Panic);
    for _ in 0..600 {
        advance(Duration::from_secs(1)).await;
        assert!(verifier.check(&token).is_ok());
        tokio::task::yield_now().await;
    }
    let status = keys.status();
    assert!((10..=13).contains(&(status.failures - 1)), "{} failures", status.failures);
    assert_eq!((script.fetches(), status.last_error.is_some()), (status.failures + 1, true));
}

#[test]
fn k89_a_fetch_ends_with_its_runtime_and_another_takes_over() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let script = Script::default();
    script.now(Act::Hang);
    let keys = script.builder().cooldown(Duration::from_millis(1)).deadline(Duration::from_millis(50)).build().unwrap();
    let verifier = verifier(&keys);
    let token = mint().sign(known());

    let first = runtime();
    let begin = async {
        tokio::select! {
            _ = verifier.verify_token(&token) => panic!("nobody answers"),
            () = script.fetched(1) => {}
        }
    };
    first.block_on(begin);
    // Nobody drives the first runtime now: who joins its fetch has not been judged.
    assert_eq!(runtime().block_on(reason(&verifier, &token)), "unavailable");
    assert_eq!(script.fetches(), 1);
    drop(first);
    assert_eq!((keys.status().failures, keys.status().last_error.is_some()), (1, true));

    script.now(serve(&[known()]));
    runtime().block_on(async { while reason(&verifier, &token).await != "accepted" {} });
    assert_eq!(script.fetches(), 2);
}

#[test]
fn k89_a_fetch_on_a_runtime_that_rests_is_given_up() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let script = Script::default();
    script.now(Act::ServeLater(jwks([another()])));
    let keys = script.builder().cooldown(Duration::from_millis(1)).deadline(Duration::from_millis(50)).build().unwrap();
    let verifier = verifier(&keys);
    let token = mint().sign(known());

    let rests = runtime();
    let begin = async {
        tokio::select! {
            _ = keys.load() => panic!("nobody answers"),
            () = script.fetched(1) => {}
        }
    };
    rests.block_on(begin);
    script.now(serve(&[known()]));
    let runs = runtime();
    assert_eq!(runs.block_on(reason(&verifier, &token)), "unavailable");
    assert_eq!(keys.status().last_error.as_deref(), Some("the fetch does not end"));
    runs.block_on(async { while reason(&verifier, &token).await != "accepted" {} });
    assert_eq!((script.fetches(), keys.status().failures), (2, 1));

    // What the first one brings after all is older than what there is.
    script.open_curtain(1);
    rests.block_on(async {
        while script.open_ends() > 0 {
            tokio::task::yield_now().await
        }
    });
    drop(rests);
    assert!(verifier.check(&token).is_ok());
    assert_eq!((keys.status().last_error, keys.status().failures), (None, 1));
}

#[test]
fn k89_no_connection_is_taken_over_from_a_runtime_that_rests() {
    use std::io::{Read as _, Write as _};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let body = jwks([known()]);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    // Unlike the fake issuer it keeps connections open.
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut connection, answer) = (connection.unwrap(), answer.clone());
            std::thread::spawn(move || {
                while connection.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                    connection.write_all(answer.as_bytes()).unwrap();
                }
            });
        }
    });
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let keys = RemoteKeys::builder(&url).deadline(Duration::from_secs(2)).build().unwrap();
    let rests = runtime();
    rests.block_on(keys.load()).unwrap();
    // The answer of a fetch, and not its deadline.
    assert_eq!(runtime().block_on(reason(&verifier(&keys), &strange_token(0))), "unknown_key");
    assert_eq!((keys.status().fetches, keys.status().failures), (2, 0));
}

#[test]
fn k85_without_a_runtime_nobody_is_judged_and_nothing_panics() {
    let script = Script::serving(&[known()]);
    let keys = script.keys();
    let (verifier, token) = (verifier(&keys), mint().sign(known()));
    let mut here = Context::from_waker(Waker::noop());
    assert_eq!(pin!(reason(&verifier, &token)).poll(&mut here), Poll::Ready("unavailable"));
    assert_eq!((script.fetches(), keys.status().fetches), (0, 0));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(reason(&verifier, &token)), "accepted");
    assert_eq!(pin!(reason(&verifier, &token)).poll(&mut here), Poll::Ready("accepted"));
}

#[test]
fn k85_without_a_runtime_a_set_that_is_due_goes_on_serving() {
    let script = Script::serving(&[known()]);
    let moment = Duration::from_millis(1);
    let keys = script.builder().cooldown(moment).refresh_every(moment).build().unwrap();
    let (verifier, token) = (verifier(&keys), mint().sign(known()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(keys.load()).unwrap();
    while !keys.status().next_refresh.is_zero() {
        std::thread::yield_now();
    }
    assert!(verifier.check(&token).is_ok());
    assert_eq!(keys.status().fetches, 1);
    // On a runtime the same look begins the refresh.
    runtime.block_on(async {
        assert!(verifier.check(&token).is_ok());
        let_refresh(&keys, 2).await;
    });
}

#[tokio::test(start_paused = true)]
async fn k88_loading_is_no_look_for_a_stranger_however_late_its_end_is_noticed() {
    let script = Script::default();
    script.now(Act::ServeLater(jwks([known()])));
    let keys = script.keys();
    let verifier = verifier(&keys);
    {
        let mut loading = pin!(keys.load());
        tokio::select! {
            biased;
            _ = &mut loading => panic!("nobody answers"),
            () = script.fetched(1) => {}
        }
        script.open_curtain(1);
        while keys.status().age.is_none() {
            tokio::task::yield_now().await;
        }
        advance(Duration::from_secs(2)).await;
        loading.await.unwrap();
    }
    script.now(serve(&[known()]));
    assert_eq!(reason(&verifier, &strange_token(0)).await, "unknown_key");
    assert_eq!(script.fetches(), 2, "the first stranger is looked for");
    assert_eq!(reason(&verifier, &strange_token(1)).await, "unknown_key");
    assert_eq!(script.fetches(), 2, "and no other until the cooldown is over");
}

#[tokio::test(start_paused = true)]
async fn k89_for_a_token_that_names_no_key_a_set_of_this_second_is_new() {
    let nameless = mint().sign(&another().clone().with_kid(None));
    for (age, fetches) in [(0, 1), (999_999, 1), (1_000_000, 2), (1_000_001, 2)] {
        let script = Script::serving(&[known()]);
        let keys = script.keys();
        let verifier = verifier(&keys);
        keys.load().await.unwrap();
        advance(Duration::from_micros(age)).await;
        assert_eq!(keys.status().age, Some(Duration::from_micros(age)));
        assert_eq!(reason(&verifier, &nameless).await, "unknown_key");
        assert_eq!(script.fetches(), fetches, "after {age} us");
    }
}
