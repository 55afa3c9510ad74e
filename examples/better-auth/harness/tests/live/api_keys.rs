//! Keys that a real server made, and what it and we say of each as it changes.

use authcore::{Authenticator as _, Identity};
use authcore_better_auth::{ApiKey, ApiKeyStore, ApiKeys, KeyLimits, RedisSessions, SqlSessions};
use better_auth_harness::{BetterAuthServer, Browser, Request};
use serde_json::{Value, json};

use crate::database::{Database, SqliteFile};
use crate::engines::Engine;
use crate::redis_server::RedisServer;

const SECRET: &str = "a-secret-of-the-tests-with-32-bytes-or-more";

/// A server, and its keys as we read them.
struct Both<F> {
    server: BetterAuthServer,
    database: Database,
    /// With what becomes of limits: the store is opened anew for each.
    keys: F,
}

fn start(storage: &str, more: &[(&str, &str)]) -> BetterAuthServer {
    let settings = [
        ("BETTER_AUTH_SECRET", SECRET),
        ("API_KEYS", storage),
        ("API_KEY_SESSIONS", "on"),
        ("DELETE_USER", "on"),
        ("ADMIN_EMAILS", "root@example.com"),
    ];
    BetterAuthServer::start(&[&settings, more].concat()).unwrap_or_else(|error| panic!("{error}"))
}

fn keys(store: impl ApiKeyStore, limits: KeyLimits) -> ApiKeys {
    ApiKeys::builder(store).limits(limits).build().expect("good settings")
}

async fn in_database(url: &str, limits: KeyLimits) -> ApiKeys {
    let builder = SqlSessions::builder();
    let builder = if limits == KeyLimits::Enforce { builder.write_key_counters() } else { builder };
    let database = builder.connect(url).await.expect("Better Auth's own tables fit");
    keys(database.api_keys().expect("a table of keys"), limits)
}

async fn ours(keys: &ApiKeys, key: &str) -> Result<Identity, &'static str> {
    let key = ApiKey::new(key).expect("a key");
    keys.verify(key.into()).await.map_err(|error| error.reason())
}

impl<F: AsyncFn(KeyLimits) -> ApiKeys> Both<F> {
    /// What the server says of a key: the session it makes up for it, or why not.
    fn theirs(&self, key: &str) -> Result<Value, String> {
        let request = Request::new("GET", "/api/auth/get-session").field("x-api-key", key);
        let answer = request.send_to(self.server.authority()).expect("an answer");
        let body = answer.json();
        if answer.status == 200 && body.is_object() { Ok(body) } else { Err(format!("{} {body}", answer.status)) }
    }

    fn sign_up(&self, name: &str) -> (Browser, String) {
        let mut browser = self.server.browser();
        let id = browser.sign_up(&format!("{name}@example.com")).unwrap_or_else(|error| panic!("{error}"));
        (browser, id)
    }

    async fn hold(&self) {
        self.a_key_stands_for_its_owner_until_it_is_switched_off_or_deleted().await;
        self.a_banned_or_deleted_owner_has_no_keys().await;
        self.uses_are_counted_as_the_server_counts_them().await;
    }

    async fn a_key_stands_for_its_owner_until_it_is_switched_off_or_deleted(&self) {
        let (mut ada, id) = self.sign_up("ada");
        let made = ada.create_api_key("ci").expect("a key");
        let (key, key_id) = (made["key"].as_str().expect("text"), made["id"].clone());
        let (ignoring, refusing) = ((self.keys)(KeyLimits::Ignore).await, (self.keys)(KeyLimits::Refuse).await);

        let identity = ours(&ignoring, key).await.expect("a good key");
        assert_eq!(identity.user_id().as_str(), id);
        let claims: Value = identity.claims().expect("an object");
        assert_eq!((&claims["apiKeyId"], &claims["apiKeyName"]), (&key_id, &json!("ci")));
        let session = self.theirs(key).expect("a session");
        assert_eq!((&session["user"]["id"], &session["session"]["id"]), (&json!(id), &key_id));
        assert_eq!(ours(&refusing, key).await.expect_err("ten a day"), "api_key_limited");

        let unknown = key.to_lowercase();
        assert!(self.theirs(&unknown).is_err());
        assert_eq!(ours(&ignoring, &unknown).await.expect_err("no such key"), "api_key_unknown");

        ada.post("api-key/update", json!({"keyId": key_id, "enabled": false})).expect("switched off");
        assert!(self.theirs(key).is_err());
        assert_eq!(ours(&ignoring, key).await.expect_err("off"), "api_key_disabled");
        ada.post("api-key/update", json!({"keyId": key_id, "enabled": true})).expect("switched on");
        assert!(self.theirs(key).is_ok() && ours(&ignoring, key).await.is_ok());
        ada.post("api-key/delete", json!({"keyId": key_id})).expect("deleted");
        assert!(self.theirs(key).is_err());
        assert_eq!(ours(&ignoring, key).await.expect_err("deleted"), "api_key_unknown");
    }

    /// The server looks at neither.
    async fn a_banned_or_deleted_owner_has_no_keys(&self) {
        let (mut bob, id) = self.sign_up("bob");
        let made = bob.create_api_key("ci").expect("a key");
        let key = made["key"].as_str().expect("text");
        let ignoring = (self.keys)(KeyLimits::Ignore).await;
        assert!(ours(&ignoring, key).await.is_ok());
        let (mut root, _) = self.sign_up("root");
        root.ban(&id, None).expect("a ban");
        assert!(self.theirs(key).is_ok(), "to the server the key is as good as before");
        assert_eq!(ours(&ignoring, key).await.expect_err("banned"), "api_key_owner_banned");
        self.database.run(&format!("DELETE FROM \"account\" WHERE \"userId\" = '{id}'")).await;
        self.database.run(&format!("DELETE FROM \"user\" WHERE \"id\" = '{id}'")).await;
        assert_eq!(ours(&ignoring, key).await.expect_err("gone"), "api_key_owner_missing");
    }

    async fn uses_are_counted_as_the_server_counts_them(&self) {
        let (mut eve, _) = self.sign_up("eve");
        let made = eve.create_api_key("ci").expect("a key");
        let key = made["key"].as_str().expect("text");
        let enforcing = (self.keys)(KeyLimits::Enforce).await;
        for turn in 0..5 {
            assert!(self.theirs(key).is_ok(), "{turn}");
            ours(&enforcing, key).await.unwrap_or_else(|reason| panic!("{turn}: {reason}"));
        }
        assert_eq!(ours(&enforcing, key).await.expect_err("ten a day, of both together"), "over_quota");
        let refused = self.theirs(key).expect_err("for the server too");
        assert!(
            refused.contains("RATE_LIMITED") || refused.starts_with("429") || refused.starts_with("401"),
            "{refused}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_in_sqlite_are_judged_as_the_server_does_or_more_strictly() {
    let file = SqliteFile::new("api-keys");
    let server = start("database", &[("DATABASE_PATH", file.path())]);
    let database = Database::sqlite(&file).await;
    let url = file.url();
    Both { server, database, keys: async |limits| in_database(&url, limits).await }.hold().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_in_postgres_and_mariadb_are_judged_so_too() {
    for engine in [Engine::postgres(), Engine::mariadb()] {
        Database::at(&engine.first_database()).await.run("CREATE DATABASE \"keys\"").await;
        let url = engine.url("keys");
        let server = start("database", &[("DATABASE_URL", &url)]);
        let database = Database::at(&url).await;
        Both { server, database, keys: async |limits| in_database(&url, limits).await }.hold().await;
    }
}

/// The sessions are there alone as well, so the database has no table of them.
#[tokio::test(flavor = "multi_thread")]
async fn keys_in_redis_are_judged_so_too_and_their_owners_come_from_the_database() {
    let (file, redis) = (SqliteFile::new("api-keys-in-redis"), RedisServer::start());
    let redis_url = redis.url();
    let server = start("redis", &[("DATABASE_PATH", file.path()), ("REDIS_URL", &redis_url)]);
    let database = Database::sqlite(&file).await;
    let url = file.url();
    let in_redis = async |limits| {
        let elsewhere = SqlSessions::builder().sessions_elsewhere().connect(&url).await.expect("users are there");
        assert!(!elsewhere.has_sessions());
        let redis = RedisSessions::connect(&redis_url).await.expect("Redis listens").prefix("better-auth:");
        let store = redis.api_keys(elsewhere.users());
        keys(if limits == KeyLimits::Enforce { store.write_key_counters() } else { store }, limits)
    };
    Both { server, database, keys: in_redis }.hold().await;
}
