//! Counting in Redis: what is asked, what is remembered, and what an outage is.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use authcore::rate::{Counted, Counter, Decision, Quota, RateKey, RateStore};
use authcore::{Clock, ConfigError, Unavailable};

use crate::builder::{OverRedis, RedisBuilder, RedisRatesBuilder};
use crate::client::{Redis, sha256};
use crate::denied::Denied;
use crate::script::{Ask, Decide, Script, Verdict};
use crate::servers::Slot;

/// Counts in Redis, for all instances together.
///
/// The decision is that of counting in process, to the microsecond, by the server's clock: those of the instances do not
/// matter. It takes one command and one round trip, on one connection that all clones and counters share and that is made anew
/// when it breaks. It belongs to the tokio runtime that it was made in.
///
/// - **A key that is over its quota costs no command** until it may be let through again: that it was refused is remembered
///   in process, of at most 100,000 keys and for a minute at most. What such a decision shows is the debt at the refusal less
///   the time since then; requests let through elsewhere meanwhile are not in it. That a key was deleted in Redis is noticed
///   after that.
/// - **Outages are [`Unavailable`]**, after the deadline at the latest; at once while the connection is known to be down or
///   silent. A decision that was given up may have been counted.
/// - **Nothing that users wrote is sent**: a key is the prefix and 32 hexadecimal digits in braces, of a SHA-256 over the
///   limit's name, its quota and the [digest](RateKey::digest) of who is counted. With another quota, counting starts afresh.
/// - Keys are gone as soon as their quota is whole again. A Redis that evicts keys when memory is short forgets counts before:
///   give it `noeviction`, or a memory of its own.
/// - Replicas take over with what they have heard of: after a fail-over a few requests too many may get through.
///
/// The commands are `EVALSHA`, `EVAL`, `PING` and, inside the script, `TIME`, `GET` and `SET`: a Redis user that may do no
/// more (`+evalsha +eval +ping +time +get +set`, `~authcore:rate:*`) is enough, besides `SELECT` when the URL names a
/// database, and `ASKING` in a cluster.
///
/// In a Redis Cluster the URL names any of its nodes. Which of them counts a key is learnt from their redirections; while
/// nobody has taken over from one that is lost, its keys are an outage.
#[derive(Clone)]
#[must_use]
pub struct RedisRates {
    shared: Arc<Shared>,
}

impl RedisRates {
    /// Connects to `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS on the platform's certificates,
    /// with the default settings.
    ///
    /// # Errors
    ///
    /// As [`RedisRatesBuilder::connect`].
    pub async fn connect(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url).connect().await
    }

    /// As [`RedisRates::connect`] over TLS, trusting the certificates in this PEM text besides the platform's.
    ///
    /// # Errors
    ///
    /// As [`RedisRatesBuilder::connect`].
    pub async fn connect_trusting(url: &str, pem: &[u8]) -> Result<Self, ConfigError> {
        Self::builder(url).trusting(pem).connect().await
    }

    /// As [`RedisRates::connect`], without waiting: a service starts while Redis is down.
    ///
    /// # Errors
    ///
    /// As [`RedisRatesBuilder::lazy`].
    pub fn lazy(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url).lazy()
    }

    /// With settings other than the default ones.
    pub fn builder(url: impl Into<String>) -> RedisRatesBuilder {
        RedisBuilder::new(url, None)
    }
}

impl RedisRatesBuilder {
    /// Decides by this clock, whose time is sent along, and not by the server's: for trying a quota on arrivals that were
    /// recorded, at any speed. Refusals are not remembered in process. Its counts have nothing to do with those by the
    /// server's clock only under another [prefix](Self::prefix), so take one. Times are from the epoch to the year 2255.
    ///
    /// ```no_run
    /// use authcore::ManualClock;
    /// use authcore_redis::RedisRates;
    ///
    /// # async fn start() -> Result<(), authcore::ConfigError> {
    /// let clock = ManualClock::at(1_700_000_000);
    /// let rates = RedisRates::builder("redis://127.0.0.1").prefix("replay:").replaying(clock.clone()).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn replaying(self, clock: impl Clock) -> Self {
        self.with(Some(Box::new(clock)))
    }
}

impl OverRedis for RedisRates {
    /// The clock of a replay.
    type With = Option<Box<dyn Clock>>;

    const PREFIX: &str = "authcore:rate:";

    fn over(redis: Redis, replay: Option<Box<dyn Clock>>) -> Self {
        let script = if replay.is_some() { Script::of_replay() } else { Script::new() };
        Self { shared: Arc::new(Shared { redis, script, replay, denied: Denied::of_at_most(MAX_DENIED) }) }
    }

    fn redis(&self) -> &Redis {
        &self.shared.redis
    }
}

impl RateStore for RedisRates {
    fn counter(&self, limit: &str, quota: Quota) -> Arc<dyn Counter> {
        let (interval, burst) = (micros(quota.interval()), quota.burst_size());
        let name = [limit.as_bytes(), &interval.to_be_bytes(), &burst.to_be_bytes()].concat();
        Arc::new(RedisCounter { shared: Arc::clone(&self.shared), quota, name: sha256(&name) })
    }
}

impl fmt::Debug for RedisRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No URL: it may hold a password.
        let Redis { prefix, deadline, .. } = &self.shared.redis;
        f.debug_struct("RedisRates").field("prefix", prefix).field("deadline", deadline).finish_non_exhaustive()
    }
}

struct RedisCounter {
    shared: Arc<Shared>,
    quota: Quota,
    /// Of the limit's name and its quota, whose numbers are of fixed length.
    name: [u8; 32],
}

impl Counter for RedisCounter {
    fn count(&self, key: &RateKey<'_>, cost: u32) -> Counted {
        let mut key_bytes = [0; 16];
        key_bytes.copy_from_slice(&sha256(&[self.name, key.digest()].concat())[..16]);
        let key = u128::from_be_bytes(key_bytes);
        let window = micros(self.quota.window());
        // Beyond the window everything is refused alike; 2^53 is never reached.
        let cost_micros = micros(self.quota.interval()).saturating_mul(u64::from(cost)).min(window + 1);
        let quota = self.quota;
        let decision = move |verdict: Verdict| Decision::new(quota, verdict.allowed, cost, verdict.debt);
        if let Some(verdict) = self.shared.denied.recall(key, cost_micros, window, Instant::now()) {
            return Counted::Now(decision(verdict));
        }
        let shared = Arc::clone(&self.shared);
        Counted::Later(Box::pin(async move { shared.ask(key, cost_micros, window).await.map(decision) }))
    }
}

/// What clones and counters have in common.
struct Shared {
    redis: Redis,
    script: Script,
    /// Instead of the server's clock.
    replay: Option<Box<dyn Clock>>,
    denied: Denied,
}

impl Shared {
    async fn ask(&self, key: u128, cost: u64, window: u64) -> Result<Verdict, Unavailable> {
        let asked = Instant::now();
        let now = self.replay.as_ref().map(|clock| u64::try_from(clock.now().as_micros()).unwrap_or(0));
        let tag = format!("{key:032x}");
        let text = format!("{}{{{tag}}}", self.redis.prefix);
        let decide = Decide(&self.script, Ask { key: &text, cost, window, now });
        let verdict = self.redis.ask(Slot::of(&tag), &decide).await?;
        if !verdict.allowed && now.is_none() {
            self.denied.remember(key, verdict.debt, cost, window, asked);
        }
        Ok(verdict)
    }
}

/// Of a quota: at most a year.
fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// About 10 MB when all of them are remembered.
const MAX_DENIED: usize = 100_000;
