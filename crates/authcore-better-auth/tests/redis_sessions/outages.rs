//! Redis down, silent, busy or back again.

use std::time::{Duration, Instant};

use authcore_better_auth::RedisSessions;

use super::server::{RedisServer, free_port};
use super::{complaint, find, sessions, stored};

/// Looks up until Redis could tell, for ten seconds at most.
async fn recovered(sessions: &RedisSessions) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        if find(sessions, "anybody").await.is_ok() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn a_redis_that_ends_is_an_outage_at_once_and_a_new_one_is_found() {
    let mut redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let (token, record) = stored();
    redis.run(&["SET", &token, &record]);
    assert!(find(&sessions, &token).await.expect("Redis answers").is_some());

    redis.stop();
    for _ in 0..3 {
        let begin = Instant::now();
        let error = find(&sessions, &token).await.expect_err("Redis is gone");
        assert!(begin.elapsed() < Duration::from_millis(1500), "{:?}", begin.elapsed());
        assert!(!error.retry_after().is_zero());
        assert!(error.to_string().starts_with("Redis: ") && !error.to_string().contains(&token), "{error}");
    }
    redis.start_again();
    assert!(recovered(&sessions).await);
    redis.run(&["SET", &token, &record]);
    assert!(find(&sessions, &token).await.expect("Redis answers").is_some());
}

#[tokio::test]
async fn a_redis_that_does_not_answer_is_an_outage_after_the_deadline() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await.deadline(Duration::from_millis(200));
    redis.signal("STOP");
    let begin = Instant::now();
    assert_eq!(complaint(find(&sessions, "anybody").await), "Redis: no answer within 200 ms");
    assert!((200..1200).contains(&begin.elapsed().as_millis()), "{:?}", begin.elapsed());
    redis.signal("CONT");
    assert!(recovered(&sessions).await);
}

/// Silent for longer than the connection is trusted: it is given up, and another made.
#[tokio::test]
async fn a_connection_that_stays_silent_is_replaced() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await.deadline(Duration::from_millis(100));
    assert!(find(&sessions, "anybody").await.is_ok());
    redis.signal("STOP");
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(2500) {
        // Once that is known nobody waits for it. The look-up under way when it is given up learns of that.
        let why = complaint(find(&sessions, "anybody").await);
        let known = ["Redis: no answer within 100 ms", "Redis: I/O error", "Redis: not connected: no answer"];
        assert!(known.contains(&&*why), "{why}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    redis.signal("CONT");
    assert!(recovered(&sessions).await);
    // Ours before, ours now, perhaps one that was given up in between, and the one that asks.
    assert!((3..=4).contains(&redis.connections()), "{}", redis.connections());
}

#[tokio::test]
async fn a_connection_that_redis_closes_is_replaced() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    assert!(find(&sessions, "anybody").await.is_ok());
    redis.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    assert!(recovered(&sessions).await);
}

#[tokio::test]
async fn nobody_at_the_address_is_told_at_start_up() {
    let url = format!("redis://ada:pa55word@127.0.0.1:{}", free_port());
    let error = RedisSessions::connect(&url).await.expect_err("nobody listens").to_string();
    assert!(error.starts_with("Redis: not connected: Connection refused") && !error.contains("pa55word"), "{error}");
}

#[tokio::test]
async fn many_look_ups_share_one_connection() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await.deadline(Duration::from_secs(10));
    let (token, record) = stored();
    redis.run(&["SET", &token, &record]);
    let look_ups: Vec<_> = (0..200)
        .map(|_| {
            let (sessions, token) = (sessions.clone(), token.clone());
            tokio::spawn(async move { find(&sessions, &token).await.is_ok_and(|found| found.is_some()) })
        })
        .collect();
    for look_up in look_ups {
        assert!(look_up.await.expect("no panic"));
    }
    assert!(redis.run(&["INFO", "stats"]).contains("total_connections_received:3"));
}
