//! Counts in process.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::decision::Decision;
use super::gcra::Rule;
use super::key::RateKey;
use super::quota::Quota;
use super::stopwatch::Stopwatch;
use super::store::{Counted, Counter, RateStore};
use super::table::Table;
use crate::clock::Clock;
use crate::error::ConfigError;

/// Counts in the memory of this process, and decides at once.
///
/// For one instance, or where each instance may have limits of its own; they are forgotten when the process ends. Each
/// counter has a table of a fixed size, 23 bytes for each of [`max_keys`](Self::max_keys), which is allocated when the
/// counter is made. Keys that have not been counted for as long as their quota takes to become whole leave by themselves,
/// and who would not fit displaces whoever is nearest to being whole again; [`occupancy`](Self::occupancy) says how often.
/// Keys are told apart by a hash of 64 bits under a secret of this store.
///
/// ```
/// use authcore::rate::{Counted, InProcess, RateKey, RateStore};
///
/// let store = InProcess::new().max_keys(1_000_000)?;
/// let counter = store.counter("login", "2/minute".parse()?);
/// let allowed = || match counter.count(&RateKey::custom("ann"), 1) {
///     Counted::Now(decision) => decision.is_allowed(),
///     Counted::Later(_) => unreachable!("decides at once"),
/// };
/// assert_eq!([allowed(), allowed(), allowed()], [true, true, false]);
/// # Ok::<(), authcore::ConfigError>(())
/// ```
pub struct InProcess {
    max_keys: usize,
    stopwatch: Stopwatch,
    hasher: RandomState,
    counters: Mutex<Vec<(String, Arc<Counts>)>>,
}

impl InProcess {
    /// For 100,000 keys a counter, 2.3 MB of it, by a monotonic clock.
    #[must_use]
    pub fn new() -> Self {
        Self {
            max_keys: 100_000,
            stopwatch: Stopwatch::monotonic(),
            hasher: RandomState::new(),
            counters: Mutex::default(),
        }
    }

    /// How many keys that are not whole a counter keeps apart: 8 to 2^28, by default 100,000. Counters that exist stay as
    /// they are.
    ///
    /// When about as many owe something at once, one newcomer in 25 displaces somebody who owes little; with half as many,
    /// one in 900.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] beyond these bounds.
    pub fn max_keys(self, max_keys: usize) -> Result<Self, ConfigError> {
        if !(8..=1 << 28).contains(&max_keys) {
            return Err(ConfigError::new("rate limits in process: max_keys is from 8 to 2^28"));
        }
        Ok(Self { max_keys, ..self })
    }

    /// Another clock, for tests. Counters that exist keep theirs. It should not go backwards: who owes something then waits
    /// until it has come back to where it was, and so long more.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { stopwatch: Stopwatch::by(clock), ..self }
    }

    /// How full each counter is, in the order in which they were made. Looks at every slot: for metrics, not for requests.
    #[must_use]
    pub fn occupancy(&self) -> Vec<Occupancy> {
        let counters = self.counters().clone();
        counters.into_iter().map(|(limit, counts)| counts.occupancy(limit)).collect()
    }

    fn counters(&self) -> MutexGuard<'_, Vec<(String, Arc<Counts>)>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for InProcess {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("max_keys", &self.max_keys).finish_non_exhaustive()
    }
}

impl RateStore for InProcess {
    fn counter(&self, limit: &str, quota: Quota) -> Arc<dyn Counter> {
        let mut counters = self.counters();
        let existing = counters.iter().find(|(name, counts)| name == limit && counts.rule.quota() == quota);
        if let Some((_, counts)) = existing {
            return Arc::clone(counts) as Arc<dyn Counter>;
        }
        let counts = Arc::new(Counts {
            rule: Rule::new(quota),
            table: Table::for_keys(self.max_keys),
            stopwatch: self.stopwatch.clone(),
            hasher: self.hasher.clone(),
        });
        counters.push((limit.to_owned(), Arc::clone(&counts)));
        counts
    }
}

/// The counts of one limit.
struct Counts {
    rule: Rule,
    table: Table,
    stopwatch: Stopwatch,
    hasher: RandomState,
}

impl Counter for Counts {
    fn count(&self, key: &RateKey<'_>, cost: u32) -> Counted {
        let hash = self.hasher.hash_one(key);
        let now = self.stopwatch.micros();
        let (allowed, debt) = if cost == 0 {
            let debt = self.table.debt(hash, now);
            (self.rule.admit(debt, 0).is_some(), debt)
        } else {
            let outcome = self.table.count(hash, now, |debt| self.rule.admit(debt, cost));
            (outcome.allowed, outcome.debt)
        };
        Counted::Now(Decision::new(self.rule.quota(), allowed, cost, debt))
    }
}

impl Counts {
    fn occupancy(&self, limit: String) -> Occupancy {
        Occupancy {
            limit,
            quota: self.rule.quota(),
            keys: self.table.occupied(self.stopwatch.micros()),
            slots: self.table.slots(),
            displaced: self.table.displaced(),
            crowded: self.table.crowded(),
        }
    }
}

/// How full a counter of [`InProcess`] is.
#[derive(Clone, Debug)]
pub struct Occupancy {
    limit: String,
    quota: Quota,
    keys: usize,
    slots: usize,
    displaced: u64,
    crowded: u64,
}

impl Occupancy {
    /// The limit's name.
    #[must_use]
    pub fn limit(&self) -> &str {
        &self.limit
    }

    /// The limit's quota.
    #[must_use]
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// Keys whose quota is not whole, about: others are counted meanwhile.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.keys
    }

    /// Slots for keys, of 16 bytes each: nearly half as many again as [`InProcess::max_keys`].
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// How often a key was forgotten before its quota was whole, to make room for another.
    #[must_use]
    pub fn displaced(&self) -> u64 {
        self.displaced
    }

    /// How often the forgotten key owed more than the new one, because all that it could give way to did. More than a few
    /// mean that [`InProcess::max_keys`] is too small for what is going on.
    #[must_use]
    pub fn crowded(&self) -> u64 {
        self.crowded
    }
}
