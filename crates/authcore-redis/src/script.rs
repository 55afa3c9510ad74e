//! The decision, in Lua: made where the count is kept, by the clock that is there.

use aws_lc_rs::digest;
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisError, ToRedisArgs};

use crate::client::{Question, run};

/// Microseconds since the epoch, by the server. Integers in Lua are exact up to 2^53: until the year 2255.
const SERVER_CLOCK: &str = "\
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
";

/// GCRA. Of each key the moment is kept at which its quota is whole again; the debt is the time until then.
///
/// Answers the debt, of who is refused as `-1 - debt`. Who only looks and who is refused writes nothing. Debts beyond the
/// window come of a clock that was set back, or of somebody else's writing; nobody waits longer for them than a window. Keys
/// live a little longer than they count, since servers expire by a coarser clock. Why nothing can be written is handed on,
/// without the line that Redis 6 puts before its code.
const DECIDE: &str = "\
local cost, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local debt = (tonumber(redis.call('GET', KEYS[1]) or 0) or 0) - now
if not (debt > 0) then debt = 0 end
if debt > window then debt = window end
if debt + cost > window then return -1 - debt end
if cost == 0 then return debt end
debt = debt + cost
local life = math.ceil(debt / 1000) + 100
local set = redis.pcall('SET', KEYS[1], string.format('%.0f', now + debt), 'PX', string.format('%.0f', life))
if set.err then return {err = (string.gsub(set.err, '^@user_script: %d+: %-', ''))} end
return debt
";

/// The time of a replay, as it is sent along, in microseconds since the epoch.
const GIVEN_CLOCK: &str = "local now = tonumber(ARGV[3])\n";

/// The script, and the name by which a server knows it that has seen it once.
pub(crate) struct Script {
    text: String,
    sha1: String,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self::with_clock(SERVER_CLOCK)
    }

    /// By the clock of a replay, which may run at any speed: so its keys live an hour longer than they count, by the
    /// server's.
    pub(crate) fn of_replay() -> Self {
        Self::of([GIVEN_CLOCK, &DECIDE.replace("+ 100\n", "+ 3600100\n")].concat())
    }

    fn with_clock(clock: &str) -> Self {
        Self::of([clock, DECIDE].concat())
    }

    pub(crate) fn of(text: String) -> Self {
        let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        let sha1 = sha1.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { text, sha1 }
    }

    /// Runs it on one key: by name, and in full where the server does not know it (any more).
    pub(crate) async fn run<T: FromRedisValue, A: ToRedisArgs + Sync>(
        &self,
        redis: MultiplexedConnection,
        asking: bool,
        key: &str,
        arguments: &[A],
    ) -> Result<T, RedisError> {
        let command = |name: &str, script: &str| {
            let mut command = redis::cmd(name);
            command.arg(script).arg(1).arg(key);
            arguments.iter().for_each(|argument| _ = command.arg(argument));
            command
        };
        match run(command("EVALSHA", &self.sha1), redis.clone(), asking).await {
            Err(error) if error.code() == Some("NOSCRIPT") => run(command("EVAL", &self.text), redis, asking).await,
            known => known,
        }
    }
}

/// What is asked: outside a replay no clock of ours is in it. Times are in microseconds.
pub(crate) struct Ask<'k> {
    pub(crate) key: &'k str,
    /// Interval times cost; what is more than the window is refused whatever it is.
    pub(crate) cost: u64,
    pub(crate) window: u64,
    /// The time, in a replay alone.
    pub(crate) now: Option<u64>,
}

/// The decision on what is asked.
pub(crate) struct Decide<'s, 'k>(pub(crate) &'s Script, pub(crate) Ask<'k>);

impl Question for Decide<'_, '_> {
    type Answer = Verdict;

    async fn ask(&self, redis: MultiplexedConnection, asking: bool) -> Result<Verdict, RedisError> {
        let Self(script, Ask { key, cost, window, now }) = self;
        let answer: i64 = match now {
            None => script.run(redis, asking, key, &[*cost, *window]).await?,
            Some(now) => script.run(redis, asking, key, &[*cost, *window, *now]).await?,
        };
        Ok(Verdict::from(answer))
    }
}

/// What was decided, and the microseconds until the quota is whole again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) allowed: bool,
    pub(crate) debt: u64,
}

impl From<i64> for Verdict {
    fn from(answer: i64) -> Self {
        let allowed = answer >= 0;
        let debt = if allowed { answer } else { -1 - answer };
        Self { allowed, debt: debt.unsigned_abs() }
    }
}

#[cfg(test)]
mod tests;
