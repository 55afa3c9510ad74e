//! A real Better Auth server keeps its sessions in Redis, and we read along.

use authcore::{Clock as _, SystemClock, Unavailable};
use authcore_better_auth::{RedisSessions, SessionRecord, SessionStore as _, SessionToken};
use better_auth_harness::{BetterAuthServer, Member, Request};

use crate::redis_server::RedisServer;

type Found = Result<Option<SessionRecord>, Unavailable>;

async fn sessions(redis: &RedisServer) -> RedisSessions {
    RedisSessions::connect(&redis.url()).await.expect("Redis listens")
}

async fn find(sessions: &RedisSessions, token: &str) -> Found {
    sessions.session(&SessionToken::new(token).expect("a token")).await
}

fn email(found: Found) -> Option<String> {
    let record = found.expect("Redis could tell");
    record.and_then(|record| record.user).map(|user| user.email)
}

/// The session token in the cookie of someone who signed up.
fn token(member: &Member) -> String {
    let (_, cookie) = member.cookie.split_once("better-auth.session_token=").expect("a session cookie");
    cookie.split('.').next().expect("a token").to_owned()
}

fn post(server: &BetterAuthServer, member: &Member, path: &str) {
    let request = Request::new("POST", path).field("Origin", server.url()).field("Cookie", member.cookie.as_str());
    let answer = request.json("{}").send_to(server.authority()).expect("an answer");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
}

/// What the server itself says of the session.
fn own_word(server: &BetterAuthServer, member: &Member) -> serde_json::Value {
    let request = Request::new("GET", "/api/auth/get-session").field("Cookie", member.cookie.as_str());
    let answer = request.send_to(server.authority()).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn signs_in_and_out(server: &BetterAuthServer, sessions: &RedisSessions) {
    let ada = server.sign_up("ada@example.com").expect("an account");
    let record = find(sessions, &token(&ada)).await.expect("Redis answers").expect("a session");
    let token = SessionToken::new(&token(&ada)).expect("a token");
    let identity = record.judge(&token, SystemClock.now(), sessions.source()).expect("a live session");
    assert_eq!(
        (identity.user_id().as_str(), own_word(server, &ada)["user"]["id"].as_str()),
        (&*ada.id, Some(&*ada.id))
    );

    let bob = server.sign_up("bob@example.com").expect("an account");
    post(server, &ada, "/api/auth/sign-out");
    assert!(own_word(server, &ada).is_null());
    assert!(find(sessions, token.expose()).await.expect("Redis answers").is_none());
    assert_eq!(email(find(sessions, &self::token(&bob)).await).as_deref(), Some("bob@example.com"));
}

#[tokio::test]
async fn a_session_is_found_by_its_token_and_gone_after_sign_out() {
    for (setting, prefix) in [("better-auth:", "better-auth:"), ("none", "")] {
        let redis = RedisServer::start();
        let url = redis.url();
        let settings = [("REDIS_URL", url.as_str()), ("REDIS_PREFIX", setting)];
        let sessions = sessions(&redis).await.prefix(prefix);
        signs_in_and_out(&BetterAuthServer::start(&settings).expect("Better Auth"), &sessions).await;
        signs_in_and_out(&BetterAuthServer::start_latest(&settings).expect("Better Auth"), &sessions).await;
    }
}

/// Better Auth leaves the mark since 1.7.16.
#[tokio::test]
async fn revoke_all_sessions_holds_even_for_a_key_that_is_put_back() {
    let redis = RedisServer::start();
    let server = BetterAuthServer::start_latest(&[("REDIS_URL", &redis.url())]).expect("Better Auth");
    let sessions = sessions(&redis).await.prefix("better-auth:");
    let ada = server.sign_up("ada@example.com").expect("an account");
    let (token, key) = (token(&ada), format!("better-auth:{}", token(&ada)));
    let record = redis.run(&["GET", &key]);
    assert!(record.contains("ada@example.com"), "{record}");

    post(&server, &ada, "/api/auth/revoke-sessions");
    assert_eq!(redis.run(&["GET", &key]), "nil");
    assert!(find(&sessions, &token).await.expect("Redis answers").is_none());

    redis.run(&["SET", &key, &record]);
    assert!(own_word(&server, &ada).is_null(), "Better Auth itself does not take it back");
    assert!(find(&sessions, &token).await.expect("Redis answers").is_none());

    // It was the mark: without it the key counts again.
    let mark = format!("better-auth:revoked-sessions-before-{}", ada.id);
    assert_eq!(redis.run(&["DEL", &mark]), ":1");
    assert_eq!(own_word(&server, &ada)["user"]["email"], "ada@example.com");
    assert_eq!(email(find(&sessions, &token).await).as_deref(), Some("ada@example.com"));
}

/// With `storeSessionInDatabase` the server goes on without the key; we do where told to.
#[tokio::test]
async fn the_server_falls_back_to_its_database_unless_it_keeps_ended_sessions_there() {
    for (copies, falls_back) in [("on", true), ("preserve", false)] {
        let redis = RedisServer::start();
        let url = redis.url();
        let settings = [("REDIS_URL", url.as_str()), ("SESSIONS_IN_DATABASE", copies)];
        let server = BetterAuthServer::start_latest(&settings).expect("Better Auth");
        let sessions = sessions(&redis).await.prefix("better-auth:");
        let ada = server.sign_up("ada@example.com").expect("an account");
        assert!(find(&sessions, &token(&ada)).await.expect("Redis answers").is_some());
        redis.run(&["DEL", &format!("better-auth:{}", token(&ada))]);
        assert!(find(&sessions, &token(&ada)).await.expect("Redis answers").is_none());
        assert_eq!(own_word(&server, &ada).is_object(), falls_back, "{copies}");
    }
}
