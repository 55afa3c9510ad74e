//! API keys in Better Auth's secondary storage.

use std::fmt;

use authcore::{BoxError, Unavailable};
use authcore_redis_link::told;

use super::{RETRY_AFTER, RedisSessions};
use crate::api_key::{ApiKey, ApiKeyRecord, KeyUsage};
use crate::record;
use crate::store::{ApiKeyStore, UserStore};

/// The API keys that Better Auth keeps in Redis (`apiKey({ storage: "secondary-storage" })`). Made by
/// [`RedisSessions::api_keys`].
///
/// A look-up is one round trip, and a question to the user store for a key that is there. Uses are counted only after
/// [`Self::write_key_counters`]: then a script puts a row with other counters in the place of the very one that was read,
/// under both keys that hold it. Nothing is ever made or deleted, and times to live stay.
///
/// With `fallbackToDatabase` Better Auth keeps the keys in its database too. Read them there then, and do not enforce
/// their limits: what is counted in one place does not show in the other.
#[derive(Clone)]
#[must_use]
pub struct RedisApiKeys<U> {
    sessions: RedisSessions,
    users: U,
    writes: bool,
}

impl RedisSessions {
    /// The API keys in the same Redis, whose owners are looked up among these users.
    pub fn api_keys<U: UserStore>(&self, users: U) -> RedisApiKeys<U> {
        RedisApiKeys { sessions: self.clone(), users, writes: false }
    }

    /// Puts one text in the place of another under the first key, and under the second if that is there.
    async fn replace(&self, keys: [String; 2], old: &[u8], new: &str) -> Result<bool, Unavailable> {
        let keys = keys.map(|key| format!("{}{key}", self.prefix));
        self.in_time(async {
            let mut connection = self.link.connection().await?;
            let mut command = redis::cmd("EVAL");
            command.arg(REPLACE).arg(keys.len()).arg(&keys[..]).arg(old).arg(new);
            command.query_async(&mut connection).await.map_err(|error| told(&error).into())
        })
        .await
    }
}

impl<U> RedisApiKeys<U> {
    /// Lets uses be counted, for [`KeyLimits::Enforce`](crate::KeyLimits::Enforce). Redis 6 and later; its user needs
    /// `+eval +get +set` besides, on `api-key:*` after the prefix. Off by default.
    pub fn write_key_counters(mut self) -> Self {
        self.writes = true;
        self
    }
}

impl<U: UserStore> RedisApiKeys<U> {
    /// The row, without its owner.
    async fn row(&self, key: &ApiKey) -> Result<Option<ApiKeyRecord>, BoxError> {
        let Some(json) = self.sessions.value(&by_key(key), record::MAX_BYTES).await? else { return Ok(None) };
        Ok(Some(record::api_key::read(&json)?))
    }
}

impl<U: UserStore> ApiKeyStore for RedisApiKeys<U> {
    async fn api_key(&self, key: &ApiKey) -> Result<Option<ApiKeyRecord>, Unavailable> {
        // Where keys are not hashed, somebody could ask for what is kept beside them.
        if OTHERS.iter().any(|other| key.stored().starts_with(other)) {
            return Ok(None);
        }
        let Some(mut record) = self.sessions.in_time(self.row(key)).await? else { return Ok(None) };
        record.owner = self.users.user(&record.reference_id).await?;
        Ok(Some(record))
    }

    async fn spend(&self, record: &ApiKeyRecord, after: &KeyUsage) -> Result<bool, Unavailable> {
        if !self.writes {
            return Err(Unavailable::new("Redis: not opened for counting", RETRY_AFTER));
        }
        let new = record::api_key::counted(record, after).map_err(|error| Unavailable::new(error, RETRY_AFTER))?;
        let keys = [by_key(&record.key), format!("{BY_ID}{}", record.id)];
        self.sessions.replace(keys, record.as_read.expose_bytes(), &new).await
    }

    fn can_spend(&self) -> bool {
        self.writes
    }

    fn source(&self) -> &'static str {
        "redis"
    }
}

impl<U> fmt::Debug for RedisApiKeys<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sessions, users: _, writes } = self;
        f.debug_struct("RedisApiKeys").field("sessions", sessions).field("writes", writes).finish_non_exhaustive()
    }
}

fn by_key(key: &ApiKey) -> String {
    format!("{API_KEY}{}", key.stored())
}

/// Before a row's id: the same row again.
/// Where Better Auth keeps API keys, by their hash.
pub(super) const API_KEY: &str = "api-key:";

const BY_ID: &str = "api-key:by-id:";

/// What stands in the place of a key where something else is kept.
const OTHERS: [&str; 2] = ["by-id:", "by-ref:"];

/// `XX`: what was deleted meanwhile is not made again.
const REPLACE: &str = "\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'XX', 'KEEPTTL')
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('SET', KEYS[2], ARGV[2], 'XX', 'KEEPTTL') end
return 1";
