//! The cases that every store has to hold to.

use std::time::Duration;

use authcore_better_auth::RedisSessions;

use super::server::RedisServer;
use super::sessions;
use super::store_suite::{self, Bench, Seed};
use super::stored_json::{record, user_id, without_user};

struct RedisBench {
    redis: RedisServer,
    sessions: RedisSessions,
}

impl RedisBench {
    async fn start() -> Self {
        let redis = RedisServer::start();
        let sessions = sessions(&redis).await.prefix("better-auth:");
        Self { redis, sessions }
    }
}

impl Bench for RedisBench {
    type Store = RedisSessions;

    fn store(&self) -> &RedisSessions {
        &self.sessions
    }

    fn deadline(&self) -> Duration {
        Duration::from_millis(500)
    }

    fn user_id(&self, user: u32) -> String {
        user_id(user)
    }

    fn has_plugins(&self) -> bool {
        true
    }

    async fn insert(&self, seed: &Seed) {
        self.redis.run(&["SET", &format!("better-auth:{}", seed.token), &record(seed)]);
        let tokens = format!("tokens-of-{}", user_id(seed.user));
        self.redis.run(&["SET", &tokens, &seed.token]);
    }

    async fn delete_session(&self, token: &str) {
        assert_eq!(self.redis.run(&["DEL", &format!("better-auth:{token}")]), ":1");
    }

    async fn delete_user(&self, user: u32) {
        let key = format!("better-auth:{}", self.redis.run(&["GET", &format!("tokens-of-{}", user_id(user))]));
        let record = without_user(&self.redis.run(&["GET", &key]));
        self.redis.run(&["SET", &key, &record]);
    }

    async fn interrupt(&mut self) {
        self.redis.signal("STOP");
    }

    async fn resume(&mut self) {
        self.redis.signal("CONT");
    }
}

#[tokio::test]
async fn redis_is_a_store() {
    store_suite::run(&RedisBench::start().await).await;
}

#[tokio::test]
async fn redis_interrupted_judges_nobody() {
    store_suite::run_interrupted(&mut RedisBench::start().await).await;
}
