//! What is taken back, for how long, and how much of it there can be.

use super::*;
use crate::clock::ManualClock;
use crate::identity::Method;

const NOW: i64 = 1_750_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(NOW + seconds)
}

fn user(id: &str) -> UserId {
    UserId::new(id).expect("an id")
}

fn caller(id: &str, token: &str, session: &str, issued: Option<i64>) -> Identity {
    let assertion = Identity::assertion(user(id), Method::Other("test")).issuer("issuer".into());
    let assertion = assertion.token_id(token).session_id(session);
    match issued {
        Some(seconds) => assertion.issued_at(at(seconds)).into_identity(),
        None => assertion.into_identity(),
    }
}

fn is_revoked(revoked: &RevokedTokens, caller: &Identity) -> bool {
    matches!(revoked.check(caller), Checked::Now(true))
}

fn of_at_most(max: usize) -> (RevokedTokens, ManualClock) {
    let clock = ManualClock::at(NOW);
    (RevokedTokens::with(Duration::from_secs(900), max, clock.clone()), clock)
}

#[test]
fn what_is_taken_back_is_that_and_nothing_beside_it() {
    let (revoked, _) = of_at_most(100);
    let issuer = Some("issuer");
    let revoke = |id: &str, what| revoked.revoke(issuer, &user(id), what).expect("room");
    revoke("ann", Revoked::Token { id: "t1", expires_at: at(900) });
    revoke("ann", Revoked::Session("s1"));
    revoke("bob", Revoked::IssuedBefore(at(10)));

    assert!(is_revoked(&revoked, &caller("ann", "t1", "s", Some(0))));
    assert!(is_revoked(&revoked, &caller("ann", "t", "s1", Some(0))));
    assert!(!is_revoked(&revoked, &caller("ann", "t2", "s2", Some(0))));
    assert!(!is_revoked(&revoked, &caller("ann", "s1", "t1", Some(0))), "a session's id is no token's");
    assert!(!is_revoked(&revoked, &caller("cat", "t1", "s1", Some(0))), "somebody else's");
    assert!(is_revoked(&revoked, &caller("bob", "t", "s", Some(9))));
    assert!(!is_revoked(&revoked, &caller("bob", "t", "s", Some(10))));
    assert!(is_revoked(&revoked, &caller("bob", "t", "s", None)), "who knows when");
    let elsewhere = Identity::assertion(user("bob"), Method::Other("test")).issuer("other".into());
    assert!(!is_revoked(&revoked, &elsewhere.into_identity()), "another issuer's user of the same id");
}

#[test]
fn of_two_moments_the_later_one_counts() {
    let (revoked, _) = of_at_most(100);
    for moment in [10, 20, 5] {
        revoked.revoke(None, &user("ann"), Revoked::IssuedBefore(at(moment))).expect("room");
    }
    let ann = |issued| Identity::assertion(user("ann"), Method::Other("t")).issued_at(at(issued)).into_identity();
    assert!(is_revoked(&revoked, &ann(19)) && !is_revoked(&revoked, &ann(20)));
    assert_eq!(revoked.len(), 1);
}

#[test]
fn there_is_room_again_when_the_tokens_have_expired_and_not_before() {
    let (revoked, clock) = of_at_most(3);
    let ann = user("ann");
    revoked.revoke(None, &ann, Revoked::Token { id: "short", expires_at: at(100) }).expect("room");
    revoked.revoke(None, &ann, Revoked::Session("s")).expect("room");
    revoked.revoke(None, &user("bob"), Revoked::IssuedBefore(at(0))).expect("room");
    revoked.revoke(None, &ann, Revoked::Session("s")).expect("it is held already");
    // 60 s is how long an expired token may still be taken.
    clock.advance(Duration::from_secs(159));
    let error = revoked.revoke(None, &ann, Revoked::Session("s2")).expect_err("full").to_string();
    assert_eq!(error, "revocation: no room for more than 3");
    clock.advance(Duration::from_secs(1));
    revoked.revoke(None, &ann, Revoked::Session("s2")).expect("the token is over");
    assert_eq!(revoked.len(), 3);
    clock.advance(Duration::from_secs(800));
    revoked.revoke(None, &user("cat"), Revoked::Session("s")).expect("the first session is over");
    assert_eq!(revoked.len(), 2, "the second session, begun later, and the new one");
}

#[test]
fn a_moment_to_come_is_kept_until_the_tokens_before_it_are_over() {
    let (revoked, clock) = of_at_most(1);
    revoked.revoke(None, &user("ann"), Revoked::IssuedBefore(at(5000))).expect("room");
    // A second one, of a time before, shortens nothing.
    revoked.revoke(None, &user("ann"), Revoked::IssuedBefore(at(0))).expect("it is held already");
    clock.set(at(5959));
    revoked.revoke(None, &user("bob"), Revoked::Session("s")).expect_err("no room yet");
    let late = Identity::assertion(user("ann"), Method::Other("t")).issued_at(at(4999)).into_identity();
    assert!(is_revoked(&revoked, &late));
    clock.set(at(5960));
    revoked.revoke(None, &user("bob"), Revoked::Session("s")).expect("they are over");
}

#[test]
fn one_user_takes_little_room() {
    let (revoked, _) = of_at_most(100);
    for session in 0..10_000 {
        revoked.revoke(None, &user("ann"), Revoked::Session(&session.to_string())).expect("room");
    }
    assert!(revoked.len() <= MAX_OF_USER + 1, "{}", revoked.len());
    let ann = |session: &str, issued| {
        let assertion = Identity::assertion(user("ann"), Method::Other("t")).session_id(session);
        assertion.issued_at(at(issued)).into_identity()
    };
    assert!(is_revoked(&revoked, &ann("7", -1)) && is_revoked(&revoked, &ann("9999", 0)));
    assert!(is_revoked(&revoked, &ann("another", 60)), "all that were issued until now, by whatever clock");
    assert!(!is_revoked(&revoked, &ann("another", 61)));
    revoked.revoke(None, &user("bob"), Revoked::Session("s")).expect("there is room for others");
}

#[test]
fn a_token_that_an_issuer_dated_ahead_stays_taken_back_among_many() {
    let (revoked, clock) = of_at_most(100);
    let ahead = caller("ann", "t", "s", Some(60));
    let token = Revoked::Token { id: "t", expires_at: at(960) };
    revoked.revoke(Some("issuer"), &user("ann"), token).expect("room");
    for session in 0..=MAX_OF_USER {
        assert!(is_revoked(&revoked, &ahead), "{session}");
        revoked.revoke(Some("issuer"), &user("ann"), Revoked::Session(&session.to_string())).expect("room");
    }
    // Until it is over, leeway and all.
    clock.set(at(1020));
    for other in 0..=98 {
        revoked.revoke(None, &user(&format!("other-{other}")), Revoked::Session("s")).expect("room");
    }
    revoked.revoke(None, &user("one-too-many"), Revoked::Session("s")).expect_err("nothing can be forgotten yet");
    assert!(is_revoked(&revoked, &ahead));
}

#[test]
fn an_id_beyond_all_measure_is_refused() {
    let (revoked, _) = of_at_most(3);
    let id = "x".repeat(513);
    let error = revoked.revoke(None, &user("ann"), Revoked::Session(&id)).expect_err("too long").to_string();
    assert_eq!(error, "revocation: an id takes at most 512 bytes");
    assert!(revoked.is_empty() && revoked.revoke(None, &user("ann"), Revoked::Session(&id[1..])).is_ok());
    let error = revoked.revoke(Some(&id), &user("ann"), Revoked::Session("s")).expect_err("too long").to_string();
    assert_eq!(error, "revocation: an issuer takes at most 512 bytes");
    assert!(revoked.revoke(Some(&id[1..]), &user("ann"), Revoked::Session("s")).is_ok());
    assert!(!revoked.is_empty() && revoked.len() == 2);
}

#[test]
fn of_64_each_is_held_by_itself_and_one_more_takes_back_all() {
    let (revoked, _) = of_at_most(100);
    let take_back = |session: i64| {
        let id = session.to_string();
        let what = match session % 2 {
            0 => Revoked::Session(&id),
            _ => Revoked::Token { id: &id, expires_at: at(900) },
        };
        revoked.revoke(Some("issuer"), &user("ann"), what).expect("room");
    };
    (0..64).for_each(take_back);
    let another = caller("ann", "another", "another", Some(-1));
    assert_eq!((revoked.len(), is_revoked(&revoked, &another)), (64, false));
    take_back(64);
    assert_eq!((revoked.len(), is_revoked(&revoked, &another)), (1, true));
}

#[test]
fn what_is_over_is_none_of_the_64() {
    let (revoked, clock) = of_at_most(100);
    let ann = user("ann");
    for token in 0..64 {
        let token = Revoked::Token { id: &token.to_string(), expires_at: at(100) };
        revoked.revoke(Some("issuer"), &ann, token).expect("room");
    }
    clock.advance(Duration::from_secs(160));
    revoked.revoke(Some("issuer"), &ann, Revoked::Session("s")).expect("room");
    assert!(is_revoked(&revoked, &caller("ann", "t", "s", Some(150))));
    assert!(!is_revoked(&revoked, &caller("ann", "t", "another", Some(150))));
    assert_eq!(revoked.len(), 1);
}

/// How many users something is kept of.
fn users(revoked: &RevokedTokens) -> usize {
    revoked.0.shards.iter().map(|shard| shard.by_user.read().expect("no panic").len()).sum()
}

#[test]
fn nothing_is_kept_of_who_found_no_room_nor_of_whose_tokens_are_over() {
    let (revoked, clock) = of_at_most(2);
    for id in ["ann", "bob"] {
        revoked.revoke(None, &user(id), Revoked::Session("s")).expect("room");
    }
    for stranger in 0..100 {
        revoked.revoke(None, &user(&stranger.to_string()), Revoked::Session("s")).expect_err("full");
    }
    assert_eq!((revoked.len(), users(&revoked)), (2, 2));
    clock.advance(Duration::from_secs(960));
    revoked.revoke(None, &user("cat"), Revoked::Session("s")).expect("the others are over");
    assert_eq!((revoked.len(), users(&revoked)), (1, 1));
}

#[test]
fn a_full_store_is_gone_through_again_only_when_something_may_go() {
    let (revoked, clock) = of_at_most(2);
    let looks_again = || revoked.0.sweep_at.load(Ordering::Relaxed);
    revoked.revoke(None, &user("ann"), Revoked::Token { id: "t", expires_at: at(100) }).expect("room");
    revoked.revoke(None, &user("bob"), Revoked::Session("s")).expect("room");
    revoked.revoke(None, &user("cat"), Revoked::Session("s")).expect_err("full");
    assert_eq!(looks_again(), at(160).as_micros());
    clock.set(at(160));
    revoked.revoke(None, &user("cat"), Revoked::Session("s")).expect("the token is over");
    assert_eq!(looks_again(), at(960).as_micros());
}

#[test]
fn users_are_spread_so_that_most_looks_take_no_lock() {
    let (revoked, _) = of_at_most(10_000);
    for id in 0..2_560 {
        revoked.revoke(None, &user(&id.to_string()), Revoked::Session("s")).expect("room");
    }
    let used = revoked.0.shards.iter().filter(|shard| shard.users.load(Ordering::Relaxed) > 0).count();
    assert!(used > SHARDS / 2, "{used} of {SHARDS}");
}

#[test]
fn debug_shows_how_many_and_neither_whose_nor_which() {
    let (revoked, _) = of_at_most(3);
    revoked.revoke(Some("issuer"), &user("ann"), Revoked::Session("s1")).expect("room");
    assert_eq!(format!("{revoked:?}"), "RevokedTokens { longest: 900s, max: 3, len: 1 }");
}
