//! How much is remembered, and of what.

use std::time::Duration;

use authcore_better_auth::RecentSessions;
use tokio::time::advance;

use crate::is_live;
use crate::scripted::{Scripted, holding};

const ROOM: usize = 1000;

fn remembered(store: &Scripted, entries: usize) -> RecentSessions<Scripted> {
    RecentSessions::over(store.clone()).max_entries(entries).build().expect("good settings")
}

fn entries(sessions: &RecentSessions<Scripted>) -> usize {
    let shown = format!("{sessions:?}");
    let (_, count) = shown.rsplit_once("entries: ").expect("it says how many");
    count.split(|letter: char| !letter.is_ascii_digit()).next().expect("a part").parse().expect("a number")
}

#[tokio::test(start_paused = true)]
async fn tokens_that_come_once_do_not_push_out_those_in_use() {
    let names: Vec<_> = (0..100).map(|number| format!("steady-{number}")).collect();
    let store = holding([]);
    let sessions = remembered(&store, ROOM);
    for round in 0..50 {
        for name in &names {
            is_live(&sessions, name).await;
        }
        for number in 0..ROOM {
            is_live(&sessions, &format!("flood-{round}-{number}")).await;
        }
    }
    let before = store.asked();
    for name in &names {
        is_live(&sessions, name).await;
    }
    assert_eq!(store.asked(), before, "50 000 one-time tokens, and all in use are still there");
    assert!(entries(&sessions) <= ROOM + 100, "{}", entries(&sessions));
}

#[tokio::test(start_paused = true)]
async fn a_token_in_use_keeps_its_place_when_its_answer_grows_too_old() {
    let store = holding([]);
    let sessions = remembered(&store, ROOM);
    for round in 0..20 {
        for _ in 0..3 {
            is_live(&sessions, "steady").await;
        }
        assert_eq!(store.asked(), round * 1001 + 1, "looked up once in a round");
        for number in 0..ROOM {
            is_live(&sessions, &format!("flood-{round}-{number}")).await;
        }
        advance(Duration::from_secs(1)).await;
    }
}

/// Users write their own names, and as long as they please.
#[tokio::test(start_paused = true)]
async fn what_is_large_is_told_and_not_remembered() {
    let store = holding([("large", "ada"), ("small", "bob")]);
    for (token, length) in [("large", 16 * 1024), ("small", 15 * 1024)] {
        let mut sessions = store.sessions();
        let user = sessions.get_mut(token).and_then(|record| record.user.as_mut()).expect("its user");
        user.image = Some("x".repeat(length));
    }
    let sessions = remembered(&store, ROOM);
    for _ in 0..3 {
        assert!(is_live(&sessions, "large").await);
        assert!(is_live(&sessions, "small").await);
    }
    assert_eq!((store.asked(), entries(&sessions)), (3 + 1, 1));
}

#[tokio::test(start_paused = true)]
async fn one_entry_is_enough_to_work_with() {
    let store = holding([("ada", "ada"), ("bob", "bob")]);
    let sessions = remembered(&store, 1);
    for _ in 0..3 {
        assert!(is_live(&sessions, "ada").await);
        assert!(is_live(&sessions, "ada").await);
        assert!(is_live(&sessions, "bob").await);
    }
    assert!(store.asked() < 9, "something is remembered");
    assert_eq!(entries(&sessions), 1);
}
