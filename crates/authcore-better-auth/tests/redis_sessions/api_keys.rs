//! API keys in Redis: rows as Better Auth keeps them there, their owners elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authcore::{Timestamp, Unavailable, UserId};
use authcore_better_auth::{
    ApiKey, ApiKeyStore as _, ApiKeys, KeyLimits, RedisApiKeys, RedisSessions, User, UserStore,
};
use serde_json::{Value, json};

use super::key_suite::{self, KeyBench, KeySeed, NOW, said};
use super::server::RedisServer;
use super::sessions;
use super::stored_json::date;

/// The users of a database that is not Redis.
#[derive(Clone, Debug, Default)]
struct Users(Arc<Mutex<HashMap<UserId, User>>>);

impl UserStore for Users {
    async fn user(&self, id: &UserId) -> Result<Option<User>, Unavailable> {
        match id.as_str() {
            "user-of-an-outage" => Err(Unavailable::new("down", Duration::from_secs(1))),
            _ => Ok(self.0.lock().expect("no test panics in here").get(id).cloned()),
        }
    }
}

struct RedisKeys {
    redis: RedisServer,
    keys: RedisApiKeys<Users>,
    users: Users,
}

impl RedisKeys {
    async fn start() -> Self {
        let (redis, users) = (RedisServer::start(), Users::default());
        let sessions = sessions(&redis).await.prefix("better-auth:");
        Self { keys: sessions.api_keys(users.clone()), redis, users }
    }

    /// As Better Auth stores it: the same row under two keys, which end when it does.
    fn store(&self, seed: &KeySeed, row: &str) {
        for key in [format!("api-key:{}", seed.stored()), format!("api-key:by-id:{}", self.key_id(seed.number))] {
            let key = format!("better-auth:{key}");
            self.redis.run(&["SET", &key, row]);
            if seed.expires.is_some() {
                self.redis.run(&["EXPIRE", &key, "3600"]);
            }
        }
    }

    async fn enforced(&self, key: &str) -> &'static str {
        let keys = ApiKeys::builder(self.counter()).limits(KeyLimits::Enforce).build().expect("it may count");
        said(&keys, key).await
    }
}

impl KeyBench for RedisKeys {
    type Store = RedisApiKeys<Users>;

    fn reader(&self) -> RedisApiKeys<Users> {
        self.keys.clone()
    }

    fn counter(&self) -> RedisApiKeys<Users> {
        self.keys.clone().write_key_counters()
    }

    fn user_id(&self, number: u32) -> String {
        format!("user-{number}")
    }

    fn key_id(&self, number: u32) -> String {
        format!("row-{number}")
    }

    async fn insert(&self, seed: &KeySeed) {
        let id = UserId::new(&self.user_id(seed.number)).expect("an id");
        let user = User {
            id: id.clone(),
            email: format!("user{}@example.com", seed.number),
            email_verified: true,
            name: format!("User {}", seed.number),
            image: None,
            role: seed.role.map(str::to_owned),
            banned: seed.banned,
            ban_expires: seed.ban_expires.map(|end| Timestamp::from_micros(NOW * 1_000_000 + end * 1000)),
        };
        self.users.0.lock().expect("no test panics in here").insert(id, user);
        self.store(seed, &row(self, seed).to_string());
        let list = json!([self.key_id(seed.number)]).to_string();
        self.redis.run(&["SET", &format!("better-auth:api-key:by-ref:{}", self.user_id(seed.number)), &list]);
    }

    async fn delete_owner(&self, number: u32) {
        let id = UserId::new(&self.user_id(number)).expect("an id");
        self.users.0.lock().expect("no test panics in here").remove(&id);
    }

    async fn dump(&self) -> BTreeMap<String, String> {
        let mut cells = BTreeMap::new();
        for key in self.redis.names() {
            let value = self.redis.run(&["GET", &key]);
            let row: Value = serde_json::from_str(&value).expect("JSON");
            let Some(id) = row["id"].as_str() else {
                cells.insert(key, value); // a list of an owner's keys
                continue;
            };
            for (name, value) in row.as_object().expect("a row") {
                cells.insert(format!("{key} {id}/{name}"), value.to_string());
            }
            let lives = self.redis.run(&["TTL", &key]) != ":-1";
            cells.insert(format!("{key} {id}/has an end"), lives.to_string());
        }
        cells
    }
}

fn row(bench: &RedisKeys, seed: &KeySeed) -> Value {
    json!({
        "id": bench.key_id(seed.number), "configId": seed.config, "name": format!("Key {} ü", seed.number),
        "start": "pk_abc", "prefix": null, "key": seed.stored(), "referenceId": bench.user_id(seed.number),
        "refillInterval": seed.refill.map(|(interval, _)| interval), "refillAmount": seed.refill.map(|(_, amount)| amount),
        "lastRefillAt": null, "enabled": seed.enabled, "rateLimitEnabled": seed.rate.is_some(),
        "rateLimitTimeWindow": seed.rate.map(|(window, _)| window), "rateLimitMax": seed.rate.map(|(_, max)| max),
        "requestCount": seed.request_count, "remaining": seed.remaining, "lastRequest": seed.last_request.map(date),
        "expiresAt": seed.expires.map(date), "createdAt": date(-60_000), "updatedAt": date(-60_000),
        "permissions": seed.permissions, "metadata": {"a": [1, {"b": "}"}]},
    })
}

#[tokio::test]
async fn redis_is_a_store_of_keys() {
    let bench = RedisKeys::start().await;
    key_suite::run(&bench).await;
    // A text as JavaScript writes dates.
    let row: Value =
        serde_json::from_str(&bench.redis.run(&["GET", "better-auth:api-key:by-id:row-18"])).expect("a row");
    assert_eq!(row["lastRequest"], "2026-11-27T19:07:14.501Z");
    assert_eq!(bench.redis.calls("del"), 0);
}

/// Both copies change, an end stays an end, and what is gone is not made again.
#[tokio::test]
async fn a_use_changes_both_copies_and_revives_none() {
    let bench = RedisKeys::start().await;
    let seed = KeySeed { remaining: Some(5), expires: Some(3_600_000), ..KeySeed::good("Counted", 1) };
    bench.insert(&seed).await;
    let [by_key, by_id] = [seed.stored(), "by-id:row-1".to_owned()].map(|key| format!("better-auth:api-key:{key}"));
    let is_counted = ApiKey::new("Counted").expect("a key");
    let count = async |remaining| {
        let record = bench.reader().api_key(&is_counted).await.expect("Redis answers").expect("the key is there");
        let mut after = record.usage.clone();
        after.remaining = Some(remaining);
        bench.counter().spend(&record, &after).await.expect("Redis answers")
    };
    let before = bench.redis.run(&["GET", &by_key]);
    assert!(count(4).await);
    let expected = before.replace("\"remaining\":5", "\"remaining\":4");
    assert_eq!(bench.redis.run(&["GET", &by_key]), expected);
    assert_eq!(bench.redis.run(&["GET", &by_id]), expected);
    assert!(
        bench.redis.run(&["TTL", &by_key]).starts_with(":3") && bench.redis.run(&["TTL", &by_id]).starts_with(":3")
    );

    bench.redis.run(&["DEL", &by_id]);
    assert!(count(3).await);
    assert_eq!(bench.redis.run(&["GET", &by_id]), "nil");
    let record = bench.reader().api_key(&is_counted).await.expect("Redis answers").expect("the key is there");
    bench.redis.run(&["DEL", &by_key]);
    assert!(!bench.counter().spend(&record, &record.usage).await.expect("Redis answers"));
    assert_eq!(bench.redis.run(&["GET", &by_key]), "nil");
}

#[tokio::test]
async fn what_cannot_be_read_is_an_outage_that_names_no_key() {
    let bench = RedisKeys::start().await;
    let seed = KeySeed { is_hashed: false, ..KeySeed::good("SecretKey", 1) };
    bench.insert(&seed).await;
    let good = row(&bench, &seed).to_string();
    let key = ApiKey::as_stored("SecretKey").expect("a key");
    let large = format!("{good}{}", " ".repeat(256 * 1024));
    for (value, why) in [
        ("not JSON", "Redis: unreadable API key: the row is not a JSON object"),
        ("[]", "Redis: unreadable API key: the row is not a JSON object"),
        ("{}", "Redis: unreadable API key: id is missing"),
        (&good[..good.len() / 2], "Redis: unreadable API key: the row is not a JSON object"),
        (
            &good.replace("\"enabled\":true", "\"enabled\":1"),
            "Redis: unreadable API key: enabled has a value of another kind",
        ),
        (
            &good.replace("{\"configId\"", "{\"id\":\"x\",\"configId\""),
            "Redis: unreadable API key: the row has a member twice",
        ),
        (&large, "Redis: a value has more than 262144 bytes"),
    ] {
        bench.store(&seed, value);
        let error = bench.reader().api_key(&key).await.expect_err("nobody could tell");
        assert_eq!(error.to_string(), why);
    }
    bench.store(&seed, &good.replace("\"key\":\"SecretKey\"", "\"key\":\"AnotherKey\""));
    let keys = ApiKeys::builder(bench.reader()).stored_in_plain_text().build().expect("good settings");
    let verdict = authcore::Authenticator::verify(&keys, key.clone().into()).await;
    assert_eq!(verdict.expect_err("another key's row").reason(), "api_key_unknown");

    bench.store(&seed, &good.replace("user-1", "user-of-an-outage"));
    assert!(bench.reader().api_key(&key).await.is_err(), "users who cannot be asked are an outage");
    let name = "better-auth:api-key:SecretKey";
    bench.redis.run(&["DEL", name]);
    bench.redis.run(&["LPUSH", name, "a"]);
    let why = bench.reader().api_key(&key).await.expect_err("nobody could tell").to_string();
    assert!(why.contains("WRONGTYPE") && !why.contains("SecretKey"), "{why}");
}

#[tokio::test]
async fn a_frozen_redis_judges_and_counts_nobody() {
    let bench = RedisKeys::start().await;
    bench.insert(&KeySeed { remaining: Some(5), ..KeySeed::good("Counted", 1) }).await;
    let key = ApiKey::new("Counted").expect("a key");
    let record = bench.reader().api_key(&key).await.expect("Redis answers").expect("the key is there");
    bench.redis.signal("STOP");
    assert_eq!(bench.enforced("Counted").await, "unavailable");
    assert!(bench.counter().spend(&record, &record.usage).await.is_err(), "nobody knows whether it was counted");
    bench.redis.signal("CONT");
}

/// What a Redis user needs: to read, and with counting what the script does.
#[tokio::test]
async fn rights_to_a_few_commands_are_enough() {
    let bench = RedisKeys::start().await;
    bench.insert(&KeySeed { remaining: Some(5), ..KeySeed::good("Counted", 1) }).await;
    bench.redis.run(&["ACL", "SETUSER", "reader", "on", ">pa55word", "~better-auth:*", "+getrange", "+ping"]);
    let rights = ["on", ">pa55word", "~better-auth:*", "+getrange", "+ping", "+eval", "+get", "+set"];
    bench.redis.run(&[&["ACL", "SETUSER", "counter"], rights.as_slice()].concat());
    let keys = async |user: &str| {
        let url = bench.redis.url().replace("redis://", &format!("redis://{user}:pa55word@"));
        let sessions = RedisSessions::connect(&url).await.expect("Redis lets us in").prefix("better-auth:");
        let keys = sessions.api_keys(bench.users.clone()).write_key_counters();
        ApiKeys::builder(keys).limits(KeyLimits::Enforce).build().expect("it may count")
    };
    assert_eq!(said(&keys("reader").await, "Counted").await, "unavailable", "no right to count");
    assert_eq!(said(&keys("counter").await, "Counted").await, "accepted");
}
