//! One look-up for all who need it.

use std::time::Duration;

use authcore_better_auth::SessionStore as _;

use crate::scripted::{holding, token};
use crate::{begin, is_live, settle};

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_at_once_are_one_look_up() {
    let store = holding([("ada", "ada")]);
    let sessions = store.remembered();
    store.hold();
    let mut requests = Vec::new();
    for _ in 0..100 {
        requests.push(begin(&sessions, "ada").await);
    }
    assert_eq!(store.asked(), 1);
    store.let_go();
    for request in requests {
        assert_eq!(request.await.expect("no panic"), Ok(Some("ada".into())));
    }
    assert!(is_live(&sessions, "ada").await);
    assert_eq!(store.asked(), 1);
}

#[test]
fn threads_that_race_are_one_look_up() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for _ in 0..50 {
            let store = holding([("ada", "ada")]);
            let sessions = store.remembered();
            let requests: Vec<_> = (0..32)
                .map(|_| {
                    let sessions = sessions.clone();
                    tokio::spawn(async move { is_live(&sessions, "ada").await })
                })
                .collect();
            for request in requests {
                assert!(request.await.expect("no panic"));
            }
            assert_eq!(store.asked(), 1);
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_look_up_goes_on_when_its_first_caller_goes_away() {
    let store = holding([("ada", "ada")]);
    let sessions = store.remembered();
    store.hold();
    let first = begin(&sessions, "ada").await;
    let second = begin(&sessions, "ada").await;
    first.abort();
    settle().await;
    store.let_go();
    assert_eq!(second.await.expect("no panic"), Ok(Some("ada".into())));
    assert_eq!(store.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_look_up_whose_callers_all_went_away_is_remembered() {
    let store = holding([("ada", "ada")]);
    let sessions = store.remembered();
    store.hold();
    begin(&sessions, "ada").await.abort();
    store.let_go();
    settle().await;
    assert!(is_live(&sessions, "ada").await);
    assert_eq!(store.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_to_all_who_waited_and_not_remembered() {
    let store = holding([("ada", "ada")]);
    let sessions = store.remembered();
    store.set_down(true);
    store.hold();
    let requests = [begin(&sessions, "ada").await, begin(&sessions, "ada").await, begin(&sessions, "ada").await];
    store.let_go();
    for request in requests {
        assert_eq!(request.await.expect("no panic"), Err("out of order".into()));
    }
    assert_eq!(store.asked(), 1);

    let error = sessions.session(&token("ada")).await.expect_err("still down");
    assert_eq!(error.retry_after(), Duration::from_secs(7), "the store's own word");
    store.set_down(false);
    assert!(is_live(&sessions, "ada").await);
    assert_eq!(store.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_panics_is_an_outage_and_not_remembered() {
    let store = holding([]);
    let sessions = store.remembered();
    for asked in 1..=2 {
        let error = sessions.session(&token("panics")).await.expect_err("nobody could tell");
        assert_eq!(error.to_string(), "the look-up was interrupted");
        assert_eq!(store.asked(), asked);
    }
}

/// As with actix, which has a runtime for each of its threads.
#[test]
fn a_look_up_that_ends_with_its_runtime_is_an_outage_and_not_remembered() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let store = holding([("ada", "ada")]);
    let sessions = store.remembered();
    store.hold();
    let first = runtime();
    drop(first.block_on(begin(&sessions, "ada")));
    let second = runtime();
    let waiting = second.block_on(begin(&sessions, "ada"));
    drop(first);
    second.block_on(async {
        assert_eq!(waiting.await.expect("no panic"), Err("the look-up was interrupted".into()));
        store.let_go();
        assert!(is_live(&sessions, "ada").await);
    });
    assert_eq!(store.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_never_ends_is_given_up() {
    let store = holding([("ada", "ada")]);
    let sessions = store.remembered();
    store.hold();
    // With nothing else to do the clock moves on to the next deadline.
    let error = sessions.session(&token("ada")).await.expect_err("nobody could tell");
    assert_eq!(error.to_string(), "the look-up took longer than 31 s");
    store.let_go();
    assert!(is_live(&sessions, "ada").await, "looked up anew");
}
