//! Revocations that all instances see from the next request on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use authcore::{
    Checked, Clock as _, ConfigError, Identity, Revocation, Revoked, SystemClock, Timestamp, Unavailable, UserId,
};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError, Value};

use crate::builder::{OverRedis, RedisBuilder, RedisRevocationsBuilder};
use crate::client::{Question, Redis, run, sha256};
use crate::servers::Slot;

/// What was taken back, in Redis: seen by all instances from the next request on, which costs each request one command and
/// one round trip (`MGET` of up to three keys).
///
/// - **While Redis cannot be asked, nobody can tell**: such requests are 503, after the deadline at the latest.
/// - Keys are gone as soon as no living token is concerned. A Redis that evicts keys when memory is short lets tokens live
///   again: give it `noeviction`, or a memory of its own; one that keeps nothing on disk forgets when it is started anew.
/// - Nothing that users or issuers wrote is sent, only hashes of it. What concerns one user stands on one node of a cluster.
/// - Replicas take over with what they have heard of: [`revoke`](Self::revoke) is done when the primary has it.
///
/// The commands are `MGET`, `SET`, `EVAL`, `PING` and, inside the script, `GET` and `SET`.
#[derive(Clone)]
#[must_use]
pub struct RedisRevocations {
    shared: Arc<Shared>,
}

struct Shared {
    redis: Redis,
    longest: Duration,
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

    /// Takes back what this issuer's user holds.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it could not be written, or nobody knows whether it was: try again.
    pub async fn revoke(&self, issuer: Option<&str>, user: &UserId, what: Revoked<'_>) -> Result<(), Unavailable> {
        let Shared { redis, longest } = &*self.shared;
        let of_user = OfUser::new(issuer, user);
        let whole_life = longest.saturating_add(MOST_LEEWAY);
        let write = match what {
            Revoked::Token { id, expires_at } => {
                let left = expires_at.saturating_add(MOST_LEEWAY).since(SystemClock.now());
                if left.is_zero() {
                    return Ok(());
                }
                set(of_user.token(&redis.prefix, id), left)
            }
            Revoked::Session(id) => set(of_user.session(&redis.prefix, id), whole_life),
            Revoked::IssuedBefore(moment) => {
                let mut command = redis::cmd("EVAL");
                command
                    .arg(LATEST)
                    .arg(1)
                    .arg(of_user.all(&redis.prefix))
                    .arg(moment.as_micros())
                    .arg(millis(whole_life));
                command
            }
            _ => return Err(Unavailable::new("this kind of revocation is not kept in Redis", Duration::ZERO)),
        };
        redis.ask(of_user.slot(), &Write(write)).await
    }
}

impl Revocation for RedisRevocations {
    fn check(&self, caller: &Identity) -> Checked {
        let (shared, caller) = (Arc::clone(&self.shared), caller.clone());
        Checked::Later(Box::pin(async move {
            let of_user = OfUser::new(caller.issuer(), caller.user_id());
            let mut command = redis::cmd("MGET");
            let prefix = &shared.redis.prefix;
            command.arg(of_user.all(prefix));
            for key in [
                caller.token_id().map(|id| of_user.token(prefix, id)),
                caller.session_id().map(|id| of_user.session(prefix, id)),
            ] {
                command.arg(key);
            }
            let found = shared.redis.ask(of_user.slot(), &Read(command)).await?;
            let [issued_before, ids @ ..] = &found[..] else { return Ok(false) };
            // What is there but cannot be read was not written by us: better one sign-in too many.
            let too_old = issued_before.as_ref().is_some_and(|text| {
                let moment = text.parse().map(Timestamp::from_micros);
                moment.map_or(true, |moment| caller.issued_at().is_none_or(|issued| issued < moment))
            });
            Ok(too_old || ids.iter().any(Option::is_some))
        }))
    }
}

impl OverRedis for RedisRevocations {
    type With = Duration;

    const PREFIX: &str = "authcore:revoked:";

    fn over(redis: Redis, longest: Duration) -> Self {
        Self { shared: Arc::new(Shared { redis, longest }) }
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

    fn all(&self, prefix: &str) -> String {
        format!("{prefix}{{{}}}", self.0)
    }

    fn token(&self, prefix: &str, id: &str) -> String {
        format!("{prefix}{{{}}}:token:{}", self.0, hexadecimal(id.as_bytes()))
    }

    fn session(&self, prefix: &str, id: &str) -> String {
        format!("{prefix}{{{}}}:session:{}", self.0, hexadecimal(id.as_bytes()))
    }
}

/// 128 bits of a SHA-256.
fn hexadecimal(text: &[u8]) -> String {
    sha256(text)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn set(key: String, life: Duration) -> Cmd {
    let mut command = redis::cmd("SET");
    command.arg(key).arg(1).arg("PX").arg(millis(life));
    command
}

fn millis(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX).clamp(1, LONGEST_LIFE)
}

struct Read(Cmd);

impl Question for Read {
    type Answer = Vec<Option<String>>;

    async fn ask(&self, redis: MultiplexedConnection, asking: bool) -> Result<Self::Answer, RedisError> {
        run(self.0.clone(), redis, asking).await
    }
}

struct Write(Cmd);

impl Question for Write {
    type Answer = ();

    async fn ask(&self, redis: MultiplexedConnection, asking: bool) -> Result<(), RedisError> {
        run::<Value>(self.0.clone(), redis, asking).await.map(drop)
    }
}

/// Of two moments the later one counts, and is kept for the whole time.
const LATEST: &str = "\
local known = tonumber(redis.call('GET', KEYS[1]) or 0) or 0
local moment = ARGV[1]
if known > tonumber(moment) then moment = string.format('%.0f', known) end
return redis.call('SET', KEYS[1], moment, 'PX', ARGV[2])
";

/// The most that any verifier allows after `exp`.
const MOST_LEEWAY: Duration = Duration::from_secs(60);

/// Ten years, in milliseconds: what Redis takes for sure.
const LONGEST_LIFE: u64 = 10 * 365 * 24 * 60 * 60 * 1000;
