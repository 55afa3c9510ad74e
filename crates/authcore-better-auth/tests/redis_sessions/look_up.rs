//! What is found, from dumps of real servers' keys.

use authcore::Timestamp;
use authcore_better_auth::{RedisSessions, SessionStore as _, SessionToken};

use super::server::RedisServer;
use super::{complaint, email, find, sessions, stored, text, vectors};

#[tokio::test]
async fn sessions_are_found_as_better_auth_stored_them_and_gone_once_revoked() {
    let mut seen = 0;
    for vector in vectors().iter().filter(|vector| vector["after_sign_up"].is_object()) {
        let redis = RedisServer::start();
        let prefix = text(vector, "key_prefix");
        let sessions = sessions(&redis).await.prefix(prefix);
        let token = text(vector, "session_token");
        for (key, stored) in vector["after_sign_up"].as_object().expect("keys") {
            redis.run(&["SET", key, text(stored, "value")]);
        }
        let record = find(&sessions, token).await.expect("Redis answers").expect("a session");
        assert_eq!(record.session.user_id.as_str(), text(vector, "user_id"));

        let token = SessionToken::new(token).expect("a token");
        let expires = record.session.expires_at;
        assert!(record.clone().judge(&token, expires, sessions.source()).is_ok());
        let late = Timestamp::from_micros(expires.as_micros() + 1);
        assert_eq!(record.judge(&token, late, "redis").expect_err("late"), authcore::SessionFault::Expired);

        redis.run(&["FLUSHALL"]);
        for (key, stored) in vector["after_revoke_sessions"].as_object().expect("keys") {
            redis.run(&["SET", key, text(stored, "value")]);
        }
        assert!(find(&sessions, token.expose()).await.expect("Redis answers").is_none());
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[tokio::test]
async fn a_key_that_survived_the_revocation_is_no_session() {
    let vector = vectors().into_iter().find(|vector| vector["keys"].is_object()).expect("the marker's vector");
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    for (key, value) in vector["keys"].as_object().expect("keys") {
        redis.run(&["SET", key, value.as_str().expect("text")]);
    }
    assert!(find(&sessions, text(&vector, "session_token")).await.expect("Redis answers").is_none());
}

#[tokio::test]
async fn the_mark_ends_what_began_before_it_to_the_millisecond() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let (token, record) = stored();
    let (mark, began) = ("revoked-sessions-before-54yoJNSgcI58ahZtxBHfBl3W7UdBsSbb", 1_795_202_256_444_i64);
    redis.run(&["SET", &token, &record]);
    for (value, lives) in [(began - 1, true), (began, true), (began + 1, false), (0, true)] {
        redis.run(&["SET", mark, &value.to_string()]);
        assert_eq!(find(&sessions, &token).await.expect("Redis answers").is_some(), lives, "{value}");
    }
    // Nobody else's mark counts, and a session that does not say when it began is over.
    redis.run(&["DEL", mark]);
    redis.run(&["SET", "revoked-sessions-before-somebody", "9999999999999"]);
    let undated = record.replace("createdAt", "created");
    redis.run(&["SET", &token, &undated]);
    assert!(find(&sessions, &token).await.expect("Redis answers").is_some());
    redis.run(&["SET", mark, "1"]);
    assert!(find(&sessions, &token).await.expect("Redis answers").is_none());
}

#[tokio::test]
async fn what_better_auth_keeps_besides_is_no_session_of_anybody() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    for key in [
        "active-sessions-ann",
        "revoked-sessions-before-ann",
        "api-key:J1QnlUwU1WzS2rUGbIBj6oQzeXmbPuoCuPtyTP781Rc",
        "api-key:by-ref:ann",
        "verification:sign-in-otp-ann@example",
        "2001:db8::|/sign-in/email",
        "no-trusted-ip|/sign-in/email",
    ] {
        redis.run(&["SET", key, "[]"]);
        // Unreadable would be an outage, and tell who asks that the key is there.
        assert!(find(&sessions, key).await.expect("nothing to be read").is_none(), "{key}");
    }
    assert_eq!(redis.calls("getrange"), 0);
}

#[tokio::test]
async fn a_look_up_takes_two_round_trips_and_one_when_there_is_nothing() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let (token, record) = stored();
    redis.run(&["SET", &token, &record]);
    assert!(find(&sessions, &token).await.expect("Redis answers").is_some());
    assert_eq!((redis.calls("getrange"), redis.calls("get")), (2, 0));
    assert!(find(&sessions, "unknown").await.expect("Redis answers").is_none());
    assert_eq!(redis.calls("getrange"), 3);
}

#[tokio::test]
async fn prefix_and_database_keep_others_sessions_apart() {
    let redis = RedisServer::start();
    let plain = sessions(&redis).await;
    let third = RedisSessions::connect(&format!("{}/3", redis.url())).await.expect("Redis listens");
    let (token, record) = stored();
    redis.run(&["SET", &format!("shop:{token}"), &record]);
    assert_eq!(email(find(&plain, &token).await), None);
    assert_eq!(email(find(&third.clone().prefix("shop:"), &token).await), None);
    let shop = plain.prefix("shop:");
    assert_eq!(email(find(&shop, &token).await).as_deref(), Some("a@example.com"));
    redis.run(&["SET", "shop:revoked-sessions-before-54yoJNSgcI58ahZtxBHfBl3W7UdBsSbb", "9999999999999"]);
    assert_eq!(email(find(&shop, &token).await), None);
}

#[tokio::test]
async fn what_cannot_be_read_is_an_outage_that_names_no_token() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let (token, record) = stored();
    let twice = record.replace("\"token\":", "\"token\":\"x\",\"token\":");
    let large = format!("{record}{}", " ".repeat(256 * 1024));
    for (value, why) in [
        ("not JSON", "Redis: unreadable session record: the record is not a JSON object"),
        ("null", "Redis: unreadable session record: the record is not a JSON object"),
        (r#"{"user":null}"#, "Redis: unreadable session record: session is missing"),
        (&twice, "Redis: unreadable session record: session has a member twice"),
        (&record[..record.len() / 2], "Redis: unreadable session record: the record is not a JSON object"),
        (&large, "Redis: a value has more than 262144 bytes"),
    ] {
        redis.run(&["SET", &token, value]);
        assert_eq!(complaint(find(&sessions, &token).await), why);
    }
    // As Better Auth has it: an empty text is none.
    redis.run(&["SET", &token, ""]);
    assert!(find(&sessions, &token).await.expect("Redis answers").is_none());

    redis.run(&["SET", &token, &record]);
    for mark in ["soon", "-1", "1.5", "99999999999999999999"] {
        redis.run(&["SET", "revoked-sessions-before-54yoJNSgcI58ahZtxBHfBl3W7UdBsSbb", mark]);
        let why = complaint(find(&sessions, &token).await);
        assert!(
            ["Redis: the revocation mark cannot be read", "Redis: a value has more than 18 bytes"].contains(&&*why)
        );
    }

    redis.run(&["DEL", &token]);
    redis.run(&["LPUSH", &token, "an", "active", "list"]);
    let why = complaint(find(&sessions, &token).await);
    assert!(why.contains("WRONGTYPE") && !why.contains(&token), "{why}");
}
