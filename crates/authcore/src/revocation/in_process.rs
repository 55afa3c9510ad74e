//! Revocations kept in this process: few writes, and a look on every request that mostly finds nothing.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::{Checked, Revocation, Revoked};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::error::ConfigError;
use crate::identity::{Identity, UserId};
use crate::jwt::JwtVerifierBuilder;

/// What was taken back, in this process alone: for a single instance, or where instances tell each other.
///
/// Nothing is forgotten before the tokens that it concerns have expired; where there is no room for more, taking back fails
/// and says so. Clones share what they hold.
///
/// ```
/// use std::time::Duration;
///
/// use authcore::{JwtVerifier, KeySet, Revoked, RevokedTokens, SystemClock, Clock as _};
/// # let keys = KeySet::default();
///
/// // Better Auth's tokens live for 15 minutes.
/// let revoked = RevokedTokens::new(Duration::from_secs(15 * 60));
/// let verifier = JwtVerifier::builder(keys).revocation(revoked.clone()).build()?;
///
/// # fn sign_out_everywhere(revoked: &RevokedTokens, caller: &authcore::Identity) -> Result<(), authcore::ConfigError> {
/// revoked.revoke(caller.issuer(), caller.user_id(), Revoked::IssuedBefore(SystemClock.now()))
/// # }
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct RevokedTokens(Arc<Inner>);

struct Inner {
    longest: Duration,
    max: usize,
    clock: Box<dyn Clock>,
    hasher: RandomState,
    shards: Box<[Shard]>,
    /// Of all shards together.
    count: AtomicUsize,
    /// In microseconds since the epoch: before that nothing can be forgotten.
    sweep_at: AtomicI64,
}

#[derive(Default)]
struct Shard {
    /// How many users are in it: most are empty, and then nobody takes the lock.
    users: AtomicUsize,
    by_user: RwLock<HashMap<UserId, Vec<OfUser>>>,
}

/// What was taken back of one issuer's user.
#[derive(Clone)]
struct OfUser {
    issuer: Option<Box<str>>,
    /// Tokens and sessions by id, each until the last token it concerns has expired.
    tokens: HashMap<Box<str>, Timestamp>,
    sessions: HashMap<Box<str>, Timestamp>,
    issued_before: Option<(Timestamp, Timestamp)>,
}

impl RevokedTokens {
    /// For tokens that live for this long at most, from `iat` to `exp`: sessions and users are kept for that long, and a token
    /// that lives longer is good again afterwards. Holds up to 100,000 revocations: 80 MB, were each of another user.
    pub fn new(longest_lifetime: Duration) -> Self {
        Self::made(longest_lifetime, MAX, SystemClock)
    }

    /// The same with room for this many, and with this clock: nothing has been taken back yet.
    pub fn with(longest_lifetime: Duration, max_entries: usize, clock: impl Clock) -> Self {
        Self::made(longest_lifetime, max_entries, clock)
    }

    fn made(longest: Duration, max: usize, clock: impl Clock) -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        let (clock, hasher) = (Box::new(clock), RandomState::new());
        let (count, sweep_at) = (AtomicUsize::new(0), AtomicI64::new(i64::MIN));
        Self(Arc::new(Inner { longest, max, clock, hasher, shards, count, sweep_at }))
    }

    /// Takes back what this issuer's user holds, from the next request on. The issuer is that of the user's tokens, as
    /// [`Identity::issuer`] tells it: `None` where they name none. Of more than 64 tokens and sessions of one user that are not
    /// over yet, all that were issued until now are taken back instead, and those of the next minute with them, since clocks
    /// differ.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when there is no room: then nothing was taken back. And for an id of more than 512 bytes.
    pub fn revoke(&self, issuer: Option<&str>, user: &UserId, what: Revoked<'_>) -> Result<(), ConfigError> {
        let inner = &*self.0;
        let now = inner.clock.now();
        if let Revoked::Token { id, .. } | Revoked::Session(id) = what
            && id.len() > MAX_ID
        {
            return Err(ConfigError::new("revocation: an id takes at most 512 bytes"));
        }
        if issuer.is_some_and(|issuer| issuer.len() > MAX_ID) {
            return Err(ConfigError::new("revocation: an issuer takes at most 512 bytes"));
        }
        if inner.count.load(Ordering::Relaxed) >= inner.max {
            inner.sweep(now);
        }
        let shard = inner.shard(user);
        let mut by_user = shard.by_user.write().unwrap_or_else(PoisonError::into_inner);
        let of_issuers = by_user.entry(user.clone()).or_default();
        let known = of_issuers.iter().position(|of| of.issuer.as_deref() == issuer);
        let before = known.map_or(0, |at| of_issuers[at].len());
        let mut of_user = known.map_or_else(|| OfUser::of(issuer), |at| of_issuers.swap_remove(at));
        let had = of_user.clone();
        of_user.add(what, now, inner.longest);
        let after = of_user.len();
        // Room is taken before anything is written, so that no more is ever held.
        let fits =
            after <= before || inner.count.fetch_add(after - before, Ordering::AcqRel) + after - before <= inner.max;
        if !fits {
            inner.count.fetch_sub(after - before, Ordering::AcqRel);
            of_user = had;
        } else if after < before {
            inner.count.fetch_sub(before - after, Ordering::AcqRel);
        }
        if of_user.len() > 0 {
            of_issuers.push(of_user);
        }
        if of_issuers.is_empty() {
            by_user.remove(user);
        }
        shard.users.store(by_user.len(), Ordering::Release);
        if fits { Ok(()) } else { Err(ConfigError::new(format!("revocation: no room for more than {}", inner.max))) }
    }

    /// How many revocations are held, those that concern no living token any more included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Revocation for RevokedTokens {
    fn check(&self, caller: &Identity) -> Checked {
        let inner = &*self.0;
        if inner.count.load(Ordering::Acquire) == 0 {
            return Checked::Now(false);
        }
        let shard = inner.shard(caller.user_id());
        if shard.users.load(Ordering::Acquire) == 0 {
            return Checked::Now(false);
        }
        let by_user = shard.by_user.read().unwrap_or_else(PoisonError::into_inner);
        let of_issuers = by_user.get(caller.user_id()).map(Vec::as_slice).unwrap_or_default();
        let of_user = of_issuers.iter().find(|of| of.issuer.as_deref() == caller.issuer());
        Checked::Now(of_user.is_some_and(|of| of.covers(caller)))
    }
}

impl Inner {
    fn shard(&self, user: &UserId) -> &Shard {
        &self.shards[usize::try_from(self.hasher.hash_one(user) >> 32).unwrap_or(0) % SHARDS]
    }

    /// Forgets what concerns no living token.
    fn sweep(&self, now: Timestamp) {
        if now.as_micros() < self.sweep_at.load(Ordering::Relaxed) {
            return;
        }
        let mut next = i64::MAX;
        for shard in &self.shards {
            let mut by_user = shard.by_user.write().unwrap_or_else(PoisonError::into_inner);
            let mut forgotten = 0;
            by_user.retain(|_, of_issuers| {
                of_issuers.retain_mut(|of| {
                    forgotten += of.forget(now);
                    next = next.min(of.first_to_go());
                    of.len() > 0
                });
                !of_issuers.is_empty()
            });
            self.count.fetch_sub(forgotten, Ordering::Relaxed);
            shard.users.store(by_user.len(), Ordering::Release);
        }
        // What is taken back from now on may go earlier, by a token's own end; it then waits for this.
        self.sweep_at.store(next, Ordering::Relaxed);
    }
}

impl OfUser {
    fn of(issuer: Option<&str>) -> Self {
        let issuer = issuer.map(Box::from);
        Self { issuer, tokens: HashMap::new(), sessions: HashMap::new(), issued_before: None }
    }

    fn add(&mut self, what: Revoked<'_>, now: Timestamp, longest: Duration) {
        let kept = |from: Timestamp| from.saturating_add(longest).saturating_add(MOST_LEEWAY);
        let longer = |ids: &mut HashMap<Box<str>, Timestamp>, id: &str, until: Timestamp| {
            let known = ids.get(id).copied();
            ids.insert(id.into(), known.map_or(until, |known| known.max(until)));
        };
        match what {
            Revoked::Token { id, expires_at } => longer(&mut self.tokens, id, expires_at.saturating_add(MOST_LEEWAY)),
            Revoked::Session(id) => longer(&mut self.sessions, id, kept(now)),
            // Tokens of that moment may still be made until it is there.
            Revoked::IssuedBefore(moment) => self.issued_before(moment, kept(moment.max(now))),
        }
        if self.ids() > MAX_OF_USER {
            self.forget(now);
        }
        if self.ids() > MAX_OF_USER {
            // Rather all that one user holds than the room of all others.
            let last = self.tokens.values().chain(self.sessions.values()).max().copied();
            // An issuer whose clock is ahead dated some of these later than now.
            let moment = now.saturating_add(MOST_AHEAD);
            self.issued_before(moment, kept(moment).max(last.unwrap_or(now)));
            self.tokens.clear();
            self.sessions.clear();
        }
    }

    fn issued_before(&mut self, moment: Timestamp, until: Timestamp) {
        let (known_moment, known_until) = self.issued_before.unwrap_or((moment, until));
        self.issued_before = Some((known_moment.max(moment), known_until.max(until)));
    }

    /// When the first of it may be forgotten, in microseconds since the epoch.
    fn first_to_go(&self) -> i64 {
        let ids = self.tokens.values().chain(self.sessions.values());
        let untils = ids.copied().chain(self.issued_before.map(|(_, until)| until));
        untils.map(Timestamp::as_micros).min().unwrap_or(i64::MAX)
    }

    fn covers(&self, caller: &Identity) -> bool {
        let holds = |ids: &HashMap<Box<str>, Timestamp>, id: Option<&str>| id.is_some_and(|id| ids.contains_key(id));
        let too_old = |(moment, _): (Timestamp, Timestamp)| caller.was_issued_before(moment);
        holds(&self.tokens, caller.token_id())
            || holds(&self.sessions, caller.session_id())
            || self.issued_before.is_some_and(too_old)
    }

    fn forget(&mut self, now: Timestamp) -> usize {
        let before = self.len();
        self.tokens.retain(|_, until| *until > now);
        self.sessions.retain(|_, until| *until > now);
        self.issued_before = self.issued_before.filter(|(_, until)| *until > now);
        before - self.len()
    }

    fn len(&self) -> usize {
        self.ids() + usize::from(self.issued_before.is_some())
    }

    fn ids(&self) -> usize {
        self.tokens.len() + self.sessions.len()
    }
}

impl fmt::Debug for RevokedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { longest, max, .. } = &*self.0;
        f.debug_struct("RevokedTokens").field("longest", longest).field("max", max).field("len", &self.len()).finish()
    }
}

const MAX: usize = 100_000;

const MAX_ID: usize = 512;

/// Of one user, before all of their tokens are taken back instead.
const MAX_OF_USER: usize = 64;

/// The most that any verifier allows after `exp`.
const MOST_LEEWAY: Duration = JwtVerifierBuilder::MAX_LEEWAY;

/// How far ahead a token may be dated that is taken, with all of that second.
const MOST_AHEAD: Duration = MOST_LEEWAY.saturating_add(Duration::from_secs(1));

const SHARDS: usize = 256;

#[cfg(test)]
mod tests;
