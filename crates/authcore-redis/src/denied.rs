//! Who was refused, remembered until it is worth asking again: a hot key that is over its quota costs no command.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::script::Verdict;

/// Refusals by key. Of bounded size: where it is full, the store is asked.
pub(crate) struct Denied {
    /// Keyed at random, so that nobody can choose keys that meet in one place.
    hasher: RandomState,
    shards: Box<[Mutex<Shard>]>,
    shard_size: usize,
}

impl Denied {
    pub(crate) fn of_at_most(keys: usize) -> Self {
        let hasher = RandomState::new();
        let shard = || Mutex::new(Shard { refusals: HashMap::with_hasher(hasher.clone()), sweep_at: None });
        let shards = (0..SHARDS).map(|_| shard()).collect();
        Self { hasher, shards, shard_size: keys.div_ceil(SHARDS) }
    }

    /// Remembers a refusal of this cost. It was asked for at `asked`, which is before the store decided; so nothing is
    /// remembered for longer than the store said, nor for longer than [`LONGEST`].
    pub(crate) fn remember(&self, key: u128, debt: u64, cost: u64, window: u64, asked: Instant) {
        let wait = (debt + cost).saturating_sub(window);
        let until = asked.checked_add(Duration::from_micros(wait).min(LONGEST)).filter(|_| cost <= window);
        // What can never be allowed is not a matter of time, and is not remembered.
        let Some(until) = until else { return };
        self.shard(key).insert(key, Refusal { asked, until, debt }, self.shard_size);
    }

    /// What is certain without asking. By now the debt is at least what is left of the one remembered: time alone lessens it,
    /// and others only add to it. So who exceeds the window by that is refused; who only looks is shown it.
    pub(crate) fn recall(&self, key: u128, cost: u64, window: u64, now: Instant) -> Option<Verdict> {
        let mut shard = self.shard(key);
        let refusal = shard.refusals.get(&key)?;
        if refusal.until <= now {
            shard.refusals.remove(&key);
            return None;
        }
        let debt = refusal.debt.saturating_sub(micros_rounded_up(now.saturating_duration_since(refusal.asked)));
        let refused = debt + cost > window;
        (refused || cost == 0).then_some(Verdict { allowed: !refused, debt })
    }

    fn shard(&self, key: u128) -> MutexGuard<'_, Shard> {
        let index = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or(0) % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Shard {
    refusals: HashMap<u128, Refusal, RandomState>,
    /// When the first of those that fill it up is over.
    sweep_at: Option<Instant>,
}

struct Refusal {
    asked: Instant,
    until: Instant,
    debt: u64,
}

impl Shard {
    fn insert(&mut self, key: u128, refusal: Refusal, size: usize) {
        if self.refusals.len() >= size && !self.refusals.contains_key(&key) {
            let now = Instant::now();
            if self.sweep_at.is_some_and(|at| now < at) {
                return;
            }
            self.refusals.retain(|_, refusal| refusal.until > now);
            self.sweep_at = self.refusals.values().map(|refusal| refusal.until).min();
            if self.refusals.len() >= size {
                return;
            }
        }
        self.refusals.insert(key, refusal);
    }
}

fn micros_rounded_up(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX)
}

/// So that a count that was reset in the store is soon noticed, also where quotas take days.
const LONGEST: Duration = Duration::from_secs(60);

const SHARDS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: u64 = 10_000_000;

    fn after(begin: Instant, micros: u64) -> Instant {
        begin + Duration::from_micros(micros)
    }

    #[test]
    fn a_refusal_is_remembered_until_the_cost_would_be_let_through_and_no_longer() {
        let (denied, begin) = (Denied::of_at_most(100), Instant::now());
        // Would be let through after three seconds.
        denied.remember(1, 9_000_000, 4_000_000, WINDOW, begin);
        let recall = |cost, micros| denied.recall(1, cost, WINDOW, after(begin, micros));
        let refused = |debt| Some(Verdict { allowed: false, debt });
        assert_eq!(recall(4_000_000, 0), refused(9_000_000));
        assert_eq!(recall(5_000_000, 1), refused(8_999_999));
        assert_eq!(recall(0, 2_000_000), Some(Verdict { allowed: true, debt: 7_000_000 }));
        // A smaller cost is refused while the debt alone refuses it.
        assert_eq!(recall(1_000_000, 0), None);
        assert_eq!(recall(2_000_000, 999_999), refused(8_000_001));
        assert_eq!(recall(2_000_000, 1_000_000), None);
        assert_eq!(denied.recall(2, 4_000_000, WINDOW, begin), None);
        assert_eq!(recall(4_000_000, 2_999_999), refused(6_000_001));
        assert_eq!(recall(4_000_000, 3_000_000), None);
        assert_eq!(recall(0, 0), None, "forgotten for good");
    }

    #[test]
    fn nothing_is_remembered_for_more_than_a_minute() {
        let (denied, begin) = (Denied::of_at_most(100), Instant::now());
        let day = 86_400_000_000;
        denied.remember(1, day, day, day, begin);
        let recall = |micros| denied.recall(1, day, day, after(begin, micros));
        assert_eq!(recall(59_999_999), Some(Verdict { allowed: false, debt: day - 59_999_999 }));
        assert_eq!(recall(60_000_000), None);
    }

    #[test]
    fn what_can_never_be_let_through_is_not_remembered() {
        let (denied, begin) = (Denied::of_at_most(100), Instant::now());
        denied.remember(1, WINDOW, WINDOW + 1, WINDOW, begin);
        assert_eq!(denied.recall(1, WINDOW + 1, WINDOW, begin), None);
    }

    #[test]
    fn no_more_keys_are_remembered_than_was_said_and_room_is_made_of_those_that_are_over() {
        let denied = Denied::of_at_most(SHARDS * 10);
        let now = Instant::now();
        let past = now.checked_sub(Duration::from_secs(5)).expect("the machine runs for longer");
        let count = || denied.shards.iter().map(|shard| shard.lock().expect("a lock").refusals.len()).sum::<usize>();
        for key in 0..10_000 {
            denied.remember(key, WINDOW, 1_000_000, WINDOW, past);
        }
        assert!(count() <= SHARDS * 10);
        for key in 10_000..20_000 {
            denied.remember(key, WINDOW, 1_000_000, WINDOW, now);
        }
        let kept = (10_000..20_000).filter(|&key| denied.recall(key, 1_000_000, WINDOW, now).is_some()).count();
        assert!(kept >= SHARDS * 9 && count() <= SHARDS * 10, "{kept} {}", count());
    }
}
