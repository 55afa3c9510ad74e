//! For how long an answer counts.

use std::time::Duration;

use authcore::{SessionFault, Timestamp};
use authcore_better_auth::{RecentSessions, SessionStore as _};
use tokio::time::advance;

use crate::scripted::{NOW, holding, token};
use crate::{begin, is_live};

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_sign_out_elsewhere_is_seen_after_max_age() {
    let store = holding([("ada", "ada")]);
    let sessions = store.remembered();
    assert!(is_live(&sessions, "ada").await);
    store.sign_out("ada");
    advance(Duration::from_secs(5) - MOMENT).await;
    assert!(is_live(&sessions, "ada").await, "what the documentation admits");
    advance(MOMENT).await;
    assert!(!is_live(&sessions, "ada").await);
    assert_eq!(store.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn age_counts_from_the_start_of_a_look_up() {
    let store = holding([("ada", "ada")]);
    let sessions = RecentSessions::over(store.clone()).max_age(Duration::from_secs(2)).build().expect("good settings");
    store.hold();
    let first = begin(&sessions, "ada").await;
    store.sign_out("ada");
    advance(Duration::from_secs(2) - MOMENT).await;
    let in_time = begin(&sessions, "ada").await;
    advance(MOMENT).await;
    let too_late = begin(&sessions, "ada").await;
    store.let_go();
    assert_eq!(first.await.expect("no panic"), Ok(Some("ada".into())));
    assert_eq!(in_time.await.expect("no panic"), Ok(Some("ada".into())));
    assert_eq!(too_late.await.expect("no panic"), Ok(None), "it began when the first look-up was 2 s old");
    assert_eq!(store.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_token_is_asked_for_again_after_a_second() {
    let store = holding([]);
    let sessions = store.remembered();
    for (wait, asked) in [(Duration::ZERO, 1), (Duration::from_secs(1) - MOMENT, 1), (MOMENT, 2)] {
        advance(wait).await;
        assert!(!is_live(&sessions, "nobody").await);
        assert_eq!(store.asked(), asked);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_token_is_remembered_no_longer_than_a_known_one() {
    let store = holding([]);
    let short = Duration::from_millis(100);
    let sessions = RecentSessions::over(store.clone()).max_age(short).build().expect("good settings");
    for (wait, asked) in [(Duration::ZERO, 1), (short - MOMENT, 1), (MOMENT, 2)] {
        advance(wait).await;
        assert!(!is_live(&sessions, "nobody").await);
        assert_eq!(store.asked(), asked);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_on_time_though_it_is_remembered() {
    let store = holding([("ada", "ada")]);
    let sessions = store.remembered();
    for (second, verdict) in [(NOW + 10, Ok(())), (NOW + 11, Err(SessionFault::Expired))] {
        let record = sessions.session(&token("ada")).await.expect("it answers").expect("it is there");
        let judged = record.judge(&token("ada"), Timestamp::from_seconds(second), sessions.source());
        assert_eq!(judged.map(|_| ()), verdict);
    }
    assert_eq!((store.asked(), sessions.source()), (1, "scripted"));
}

#[test]
fn settings_have_bounds() {
    let built = |age, entries| {
        let built = RecentSessions::over(holding([])).max_age(age).max_entries(entries).build();
        built.map(|_| ()).map_err(|error| error.to_string())
    };
    let (shortest, longest) = (Duration::from_millis(100), Duration::from_secs(60));
    for good in [(shortest, 1), (longest, 1_000_000)] {
        assert_eq!(built(good.0, good.1), Ok(()));
    }
    for age in [shortest - MOMENT, longest + MOMENT] {
        assert_eq!(built(age, 1), Err("recent sessions: max_age: use 100 ms to 60 s".into()));
    }
    for entries in [0, 1_000_001] {
        assert_eq!(built(shortest, entries), Err("recent sessions: max_entries: use 1 to 1000000".into()));
    }
}

#[tokio::test]
async fn debug_shows_no_token() {
    let store = holding([("ada-token", "ada")]);
    let sessions = store.remembered();
    assert!(is_live(&sessions, "ada-token").await);
    store.sessions().clear();
    let shown = format!("{sessions:?}");
    assert!(shown.starts_with("RecentSessions {") && !shown.contains("ada-token"), "{shown}");
}
