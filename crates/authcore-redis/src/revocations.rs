//! Revocations that all instances see from the next request on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use authcore::{
    Checked, Clock as _, ConfigError, Identity, JwtVerifierBuilder, Revocation, Revoked, SystemClock, Timestamp,
    Unavailable, UserId,
};
use redis::RedisError;
use redis::aio::MultiplexedConnection;

use crate::builder::{OverRedis, RedisBuilder, RedisRevocationsBuilder};
use crate::client::{Question, Redis, sha256};
use crate::script::Script;
use crate::servers::Slot;

/// What was taken back, in Redis: seen by all instances from the next request on, which costs each request one command and
/// one round trip; of an issuer that goes by several names, for each.
///
/// - **While Redis cannot be asked, nobody can tell**: such requests are 503, after the deadline at the latest.
/// - Keys are gone as soon as no living token is concerned. A Redis that evicts keys when memory is short lets tokens live
///   again: give it `noeviction`, or a memory of its own; one that keeps nothing on disk forgets when it is started anew.
/// - Nothing that users or issuers wrote is sent, only hashes of it. What concerns one user stands under one key.
/// - Only a primary is believed. One that takes over has what it had heard of: [`revoke`](Self::revoke) is done when the
///   primary of the moment has it.
///
/// The commands are `EVALSHA`, `EVAL`, `PING` and, inside the scripts, `HDEL`, `HMGET`, `HGET`, `HSET`, `HLEN`, `HGETALL`, `PTTL`
/// and `PEXPIRE`; besides, `SELECT` when the URL names a database, and `ASKING` in a cluster.
#[derive(Clone)]
#[must_use]
pub struct RedisRevocations {
    shared: Arc<Shared>,
}

struct Shared {
    redis: Redis,
    longest: Duration,
    read: Script,
    write: Script,
}

impl RedisRevocations {
    /// Connects to `redis://[user:password@]host[:port][/database]`, or `rediss://`, with the default settings. Tokens live
    /// for this long at most, from `iat` to `exp`: sessions and users are kept for that long.
    ///
    /// # Errors
    ///
    /// As [`RedisRevocationsBuilder::connect`].
    pub async fn connect(url: &str, longest_lifetime: Duration) -> Result<Self, ConfigError> {
        Self::builder(url, longest_lifetime).connect().await
    }

    /// With settings other than the default ones.
    pub fn builder(url: impl Into<String>, longest_lifetime: Duration) -> RedisRevocationsBuilder {
        RedisBuilder::new(url, longest_lifetime)
    }

    /// Takes back what this issuer's user holds. Of more than 64 tokens and sessions of one user that are not over yet,
    /// all that were issued until now are taken back instead, and those of the next minute with them, since clocks differ.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it could not be written, or nobody knows whether it was: try again.
    pub async fn revoke(&self, issuer: Option<&str>, user: &UserId, what: Revoked<'_>) -> Result<(), Unavailable> {
        let Shared { redis, longest, write, .. } = &*self.shared;
        let of_user = OfUser::new(issuer, user);
        let whole_life = longest.saturating_add(MOST_LEEWAY);
        let now = SystemClock.now();
        let (field, value, life) = match what {
            Revoked::Token { id, expires_at } => {
                let until = expires_at.saturating_add(MOST_LEEWAY);
                let left = until.since(now);
                if left.is_zero() {
                    return Ok(());
                }
                (token(id), until, left)
            }
            Revoked::Session(id) => (session(id), now.saturating_add(whole_life), whole_life),
            // Tokens of that moment may still be made until it is there.
            Revoked::IssuedBefore(moment) => (BEFORE.to_owned(), moment, whole_life.saturating_add(moment.since(now))),
            _ => return Err(Unavailable::new("this kind of revocation is not kept in Redis", Duration::ZERO)),
        };
        let arguments = [
            field,
            value.as_micros().to_string(),
            now.as_micros().to_string(),
            millis(life).to_string(),
            millis(whole_life.saturating_add(MOST_AHEAD)).to_string(),
            now.saturating_add(MOST_AHEAD).as_micros().to_string(),
        ];
        let key = of_user.key(&redis.prefix);
        redis.ask(of_user.slot(), &Write { script: write, key: &key, arguments }).await
    }
}

impl Revocation for RedisRevocations {
    fn check(&self, caller: &Identity) -> Checked {
        let (shared, caller) = (Arc::clone(&self.shared), caller.clone());
        Checked::Later(Box::pin(async move {
            let of_user = OfUser::new(caller.issuer(), caller.user_id());
            let (token, session) = (caller.token_id().map(token), caller.session_id().map(session));
            let fields: Vec<_> = [Some(BEFORE.to_owned()), token, session].into_iter().flatten().collect();
            let key = of_user.key(&shared.redis.prefix);
            let question = Read { script: &shared.read, key: &key, fields: &fields };
            let found = shared.redis.ask(of_user.slot(), &question).await?;
            let [issued_before, ids @ ..] = &found[..] else { return Ok(true) };
            if found.len() != fields.len() {
                return Err(Unavailable::new("Redis: an answer of another shape", Duration::ZERO));
            }
            // What is there but cannot be read was not written by us: better one sign-in too many.
            let too_old = issued_before.as_ref().is_some_and(|text| {
                let moment = text.parse().map(Timestamp::from_micros);
                moment.map_or(true, |moment| caller.was_issued_before(moment))
            });
            Ok(too_old || ids.iter().any(Option::is_some))
        }))
    }
}

impl OverRedis for RedisRevocations {
    type With = Duration;

    const PREFIX: &str = "authcore:revoked:";

    fn over(redis: Redis, longest: Duration) -> Self {
        let (read, write) = (Script::of(READ.to_owned()), Script::of(WRITE.to_owned()));
        Self { shared: Arc::new(Shared { redis, longest, read, write }) }
    }

    fn redis(&self) -> &Redis {
        &self.shared.redis
    }
}

impl fmt::Debug for RedisRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No URL: it may hold a password.
        let Redis { prefix, deadline, .. } = &self.shared.redis;
        f.debug_struct("RedisRevocations").field("prefix", prefix).field("deadline", deadline).finish_non_exhaustive()
    }
}

/// The keys of one user, all of one slot.
struct OfUser(String);

impl OfUser {
    fn new(issuer: Option<&str>, user: &UserId) -> Self {
        // No issuer is another one than the empty one, and lengths tell where it ends.
        let (known, issuer) = (u8::from(issuer.is_some()), issuer.unwrap_or_default().as_bytes());
        let length = u64::try_from(issuer.len()).unwrap_or(u64::MAX).to_be_bytes();
        Self(hexadecimal(&[&[known][..], &length, issuer, user.as_str().as_bytes()].concat()))
    }

    fn slot(&self) -> Slot {
        Slot::of(&self.0)
    }

    fn key(&self, prefix: &str) -> String {
        format!("{prefix}{{{}}}", self.0)
    }
}

fn token(id: &str) -> String {
    format!("token:{}", hexadecimal(id.as_bytes()))
}

fn session(id: &str) -> String {
    format!("session:{}", hexadecimal(id.as_bytes()))
}

/// The field that holds the moment before which all that was issued is taken back.
const BEFORE: &str = "before";

/// 128 bits of a SHA-256.
fn hexadecimal(text: &[u8]) -> String {
    sha256(text)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn millis(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX).clamp(1, LONGEST_LIFE)
}

struct Read<'r> {
    script: &'r Script,
    key: &'r str,
    fields: &'r [String],
}

impl Question for Read<'_> {
    type Answer = Vec<Option<String>>;

    async fn ask(&self, redis: MultiplexedConnection, asking: bool) -> Result<Self::Answer, RedisError> {
        self.script.run(redis, asking, self.key, self.fields).await
    }
}

struct Write<'w> {
    script: &'w Script,
    key: &'w str,
    arguments: [String; 6],
}

impl Question for Write<'_> {
    type Answer = ();

    async fn ask(&self, redis: MultiplexedConnection, asking: bool) -> Result<(), RedisError> {
        self.script.run::<i64, _>(redis, asking, self.key, &self.arguments).await.map(drop)
    }
}

/// What is asked for, of a primary: deleting nothing is a write, which a replica refuses. Why is handed on without the line
/// that Redis 6 puts before its code.
const READ: &str = "\
local none = redis.pcall('HDEL', KEYS[1], '')
if type(none) == 'table' and none.err then
  return {err = (string.gsub(none.err, '^@user_script: %d+: %-', ''))}
end
return redis.call('HMGET', KEYS[1], unpack(ARGV))
";

/// Field, value, now, how long this is kept, how long all that a user holds would be, and the moment before which that was
/// issued: of two values the later one counts, and nothing shortens how long it is kept. Of more than 64 ids those that are
/// over go; if that is no help, all that was issued until now is taken back instead, also by a clock that is ahead.
const WRITE: &str = "\
local function latest(field, value)
  local known = tonumber(redis.call('HGET', KEYS[1], field) or 0) or 0
  if known > tonumber(value) then value = string.format('%.0f', known) end
  return redis.pcall('HSET', KEYS[1], field, value)
end
local set = latest(ARGV[1], ARGV[2])
if type(set) == 'table' and set.err then
  return {err = (string.gsub(set.err, '^@user_script: %d+: %-', ''))}
end
local life = tonumber(ARGV[4])
for _, until_when in ipairs({ARGV[3], 'inf'}) do
  if redis.call('HLEN', KEYS[1]) > 65 then
    local all = redis.call('HGETALL', KEYS[1])
    for at = 1, #all, 2 do
      if all[at] ~= 'before' and (tonumber(all[at + 1]) or 0) < tonumber(until_when) then
        redis.call('HDEL', KEYS[1], all[at])
      end
    end
    if until_when == 'inf' then
      latest('before', ARGV[6])
      life = math.max(life, tonumber(ARGV[5]))
    end
  end
end
life = math.max(life, redis.call('PTTL', KEYS[1]))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', life))
return 1
";

/// The most that any verifier allows after `exp`.
const MOST_LEEWAY: Duration = JwtVerifierBuilder::MAX_LEEWAY;

/// How far ahead a token may be dated that is taken, with all of that second.
const MOST_AHEAD: Duration = MOST_LEEWAY.saturating_add(Duration::from_secs(1));

/// Ten years, in milliseconds: what Redis takes for sure.
const LONGEST_LIFE: u64 = 10 * 365 * 24 * 60 * 60 * 1000;
