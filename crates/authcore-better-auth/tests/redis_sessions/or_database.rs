//! When the database behind Redis is asked, and when not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use authcore::Unavailable;
use authcore_better_auth::{BetterAuthSettings, SessionRecord, SessionStore, SessionToken};

use super::server::RedisServer;
use super::{sessions, stored};

/// A database that has every session, and counts how often it is asked.
#[derive(Clone, Debug)]
struct Database {
    record: SessionRecord,
    asked: Arc<AtomicU32>,
}

impl SessionStore for Database {
    async fn session(&self, _: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(Some(self.record.clone()))
    }

    fn source(&self) -> &'static str {
        "database"
    }
}

#[tokio::test]
async fn the_database_is_asked_only_for_a_key_that_is_not_there() {
    let mut redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let (token, record) = stored();
    let token = SessionToken::new(&token).expect("a token");
    redis.run(&["SET", token.expose(), &record]);
    let record = sessions.session(&token).await.expect("Redis answers").expect("a session");

    let asked = Arc::new(AtomicU32::new(0));
    let both = sessions.clone().or_database(Database { record, asked: Arc::clone(&asked) });
    assert!(both.session(&token).await.expect("Redis answers").is_some());
    assert_eq!(asked.load(Ordering::Relaxed), 0, "Redis has it");

    let other = SessionToken::new("somebody-elses").expect("a token");
    assert!(both.session(&other).await.expect("the database answers").is_some());
    assert_eq!(asked.load(Ordering::Relaxed), 1, "Redis does not have it");
    assert!(sessions.session(&other).await.expect("Redis answers").is_none(), "and nobody else was told to ask");

    redis.run(&["SET", "revoked-sessions-before-54yoJNSgcI58ahZtxBHfBl3W7UdBsSbb", "9999999999999"]);
    assert!(both.session(&token).await.expect("Redis answers").is_none());
    assert_eq!(asked.load(Ordering::Relaxed), 1, "revoked is not missing");

    redis.run(&["SET", token.expose(), "{}"]);
    assert!(both.session(&token).await.is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 1, "unreadable is not missing");

    redis.stop();
    assert!(both.session(&token).await.is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 1, "an outage is not missing");
}

#[tokio::test]
async fn a_database_that_fails_behind_redis_is_named_itself() {
    let redis = RedisServer::start();
    let settings = BetterAuthSettings::from_vars(|name| match name {
        "BETTER_AUTH_SECRET" => Some("a-secret-of-the-tests-with-32-bytes-or-more".into()),
        "BETTER_AUTH_REDIS_URL" => Some(redis.url()),
        "BETTER_AUTH_DATABASE_URL" => Some("sqlite:/nowhere/auth.db".into()),
        _ => None,
    });
    let settings = settings.expect("good settings").expect("sessions");
    let message = settings.connect().await.expect_err("no such file").to_string();
    assert!(message.starts_with("BETTER_AUTH_DATABASE_URL: "), "{message}");
}
