//! A flat table of arrival times by key. It is allocated once, never grows, and has nothing to sweep.
//!
//! A key belongs to one bucket of eight slots. A slot whose arrival time has passed is as good as empty, since its owner's
//! quota is whole again. A newcomer takes the slot with the earliest arrival time: an empty one, an idle one, or that of
//! whoever is nearest to being whole again, who then is. So strangers who come once displace one another, and of each
//! bucket the seven who owe most are kept whatever comes.
//!
//! When all eight owe more than the newcomer will, one of them is let off all the same. To let the newcomer through
//! uncounted instead would let it through without end; to refuse it would let whoever holds more addresses than there
//! are slots lock everybody else out. Whoever holds that many is not held by a limit on each of them anyway.
//!
//! **No key has two slots.** Tags are written only under the lock of their bucket, by who has looked through the bucket
//! under that lock and not found the key.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::slot::Slot;

/// The slots of keys whose hashes begin alike: two cache lines.
#[derive(Default)]
#[repr(align(64))]
struct Bucket([Slot; SLOTS]);

const SLOTS: usize = 8;

/// Locks for newcomers; each is some buckets'.
const LOCKS: usize = 64;

/// Slots for each 16 keys: 23 bytes a key, and one newcomer in 25 displaces somebody when as many owe as were planned for.
const SLOTS_FOR_16: usize = 23;

/// Where the keys of one quota are counted.
pub(super) struct Table {
    buckets: Box<[Bucket]>,
    locks: [Mutex<()>; LOCKS],
    displaced: AtomicU64,
    crowded: AtomicU64,
}

/// What came of a request: whether it was let through, and what its key owes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) allowed: bool,
    pub(super) debt: u64,
}

impl Table {
    pub(super) fn for_keys(keys: usize) -> Self {
        let buckets = (keys * SLOTS_FOR_16 / 16 / SLOTS).max(1);
        Self {
            buckets: (0..buckets).map(|_| Bucket::default()).collect(),
            locks: std::array::from_fn(|_| Mutex::new(())),
            displaced: AtomicU64::new(0),
            crowded: AtomicU64::new(0),
        }
    }

    /// Counts a key, by its hash, at this time. `admit` says what is owed after the request by what is owed before, or
    /// `None` where it is not to be let through; it may be asked again.
    pub(super) fn count(&self, hash: u64, now: u64, admit: impl Fn(u64) -> Option<u64>) -> Outcome {
        let (tag, index) = self.place(hash);
        let bucket = &self.buckets[index];
        match bucket.count(tag, now, &admit) {
            Some(outcome) => outcome,
            None => self.count_newcomer(index, tag, now, &admit),
        }
    }

    /// What a key owes, and nothing is changed.
    pub(super) fn debt(&self, hash: u64, now: u64) -> u64 {
        let (tag, index) = self.place(hash);
        let bucket = &self.buckets[index];
        let seen = bucket.count(tag, now, &|_| None);
        let seen = seen.or_else(|| {
            let _lock = self.lock(index);
            bucket.count(tag, now, &|_| None)
        });
        seen.map_or(0, |outcome| outcome.debt)
    }

    /// A hash's tag and bucket. Zero is no key's tag.
    fn place(&self, hash: u64) -> (u64, usize) {
        let index = (u128::from(hash) * self.buckets.len() as u128) >> 64;
        (hash.max(1), index as usize)
    }

    fn lock(&self, index: usize) -> MutexGuard<'_, ()> {
        self.locks[index % LOCKS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    fn count_newcomer(&self, index: usize, tag: u64, now: u64, admit: &impl Fn(u64) -> Option<u64>) -> Outcome {
        let bucket = &self.buckets[index];
        let _lock = self.lock(index);
        // Somebody else may have brought the key in. Under the lock no slot changes hands, so what is not found is not there.
        if let Some(outcome) = bucket.count(tag, now, admit) {
            return outcome;
        }
        let Some(debt) = admit(0) else {
            return Outcome { allowed: false, debt: 0 };
        };
        let displaced = bucket.seat(tag, now + debt);
        if displaced > now {
            self.displaced.fetch_add(1, Ordering::Relaxed);
        }
        if displaced > now + debt {
            self.crowded.fetch_add(1, Ordering::Relaxed);
        }
        Outcome { allowed: true, debt }
    }

    /// How many keys owe something, about: others count while it looks.
    pub(super) fn occupied(&self, now: u64) -> usize {
        let slots = self.buckets.iter().flat_map(|bucket| &bucket.0);
        slots.filter(|slot| slot.any_word().arrival() > now).count()
    }

    pub(super) fn slots(&self) -> usize {
        self.buckets.len() * SLOTS
    }

    /// How many keys were let off before their quota was whole.
    pub(super) fn displaced(&self) -> u64 {
        self.displaced.load(Ordering::Relaxed)
    }

    /// How many of these owed more than the newcomer.
    pub(super) fn crowded(&self) -> u64 {
        self.crowded.load(Ordering::Relaxed)
    }
}

impl Bucket {
    /// Counts a key that has a slot; `None` where it has none, or its slot is just changing hands.
    #[inline]
    fn count(&self, tag: u64, now: u64, admit: &impl Fn(u64) -> Option<u64>) -> Option<Outcome> {
        // Which of them it is cannot be foretold, so a loop that stops there would cost a misprediction.
        let found = self.0.iter().rev().fold(0_u32, |found, slot| found << 1 | u32::from(slot.seems_of(tag)));
        let slot = self.0.get(found.trailing_zeros() as usize)?;
        loop {
            let word = slot.word_of(tag)?;
            let debt = word.arrival().saturating_sub(now);
            let (done, outcome) = match admit(debt) {
                Some(debt) => (slot.advance(word, now + debt), Outcome { allowed: true, debt }),
                None => (slot.is_still(word), Outcome { allowed: false, debt }),
            };
            if done {
                return Some(outcome);
            }
        }
    }

    /// Gives a newcomer the slot with the earliest arrival time, which is returned. Only under the lock.
    fn seat(&self, tag: u64, arrival: u64) -> u64 {
        loop {
            let words = self.0.iter().map(|slot| (slot, slot.any_word()));
            let (slot, word) = words.min_by_key(|(_, word)| word.arrival()).expect("a bucket has slots");
            // Its owner may have been counted meanwhile, and owe more than another now.
            if slot.hand_on(word, tag, arrival) {
                return word.arrival();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One bucket and more keys than it has slots, by a clock that stands. Each key has a prime of its own and is counted
    /// by it, so a count that went to another key's slot shows; and what was let through is owed or was let off, so a count
    /// that was lost shows, and a key that had two slots.
    #[test]
    fn counts_stay_with_their_key_while_slots_change_hands() {
        const PRIMES: [u64; 12] = [11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53];
        let table = Table::for_keys(8);
        assert_eq!(table.slots(), SLOTS);
        let now = 1_000_000;
        let (mut through, mut let_off) = (0, 0);
        std::thread::scope(|scope| {
            let work = |thread: usize| {
                let (mut through, mut let_off) = (0, 0);
                for round in 0..30_000 {
                    let index = (round * 7 + round / 100 * 5 + thread * (round / 1_000)) % PRIMES.len();
                    let prime = PRIMES[index];
                    let admit = |debt: u64| {
                        assert_eq!(debt % prime, 0, "somebody else's count");
                        (debt < prime * 50).then_some(debt + prime)
                    };
                    let (allowed, forgiven) = count(&table, index as u64, now, &admit);
                    through += u64::from(allowed) * prime;
                    let_off += forgiven;
                }
                (through, let_off)
            };
            let running: Vec<_> = (0..4).map(|thread| scope.spawn(move || work(thread))).collect();
            for thread in running {
                let (its_through, its_let_off) = thread.join().expect("no panic");
                through += its_through;
                let_off += its_let_off;
            }
        });
        let words = table.buckets[0].0.iter().map(|slot| slot.any_word().arrival().saturating_sub(now));
        assert_eq!(through, words.sum::<u64>() + let_off);
        assert!(let_off > 0 && through > 0);
    }

    /// As the table does it, and what the displaced owed.
    fn count(table: &Table, hash: u64, now: u64, admit: &impl Fn(u64) -> Option<u64>) -> (bool, u64) {
        let (tag, index) = table.place(hash + 1);
        let bucket = &table.buckets[index];
        if let Some(outcome) = bucket.count(tag, now, admit) {
            return (outcome.allowed, 0);
        }
        let _lock = table.lock(index);
        match bucket.count(tag, now, admit) {
            Some(outcome) => (outcome.allowed, 0),
            None => (true, bucket.seat(tag, now + admit(0).expect("a newcomer")).saturating_sub(now)),
        }
    }

    #[test]
    fn the_hash_of_nobody_is_somebodys() {
        let table = Table::for_keys(8);
        let admit = |debt| (debt == 0).then_some(5);
        assert!(table.count(0, 1, admit).allowed);
        assert_eq!(table.count(0, 1, admit), Outcome { allowed: false, debt: 5 });
        assert_eq!((table.debt(0, 3), table.debt(7, 3), table.occupied(5), table.occupied(6)), (3, 0, 1, 0));
    }

    #[test]
    fn every_hash_has_a_bucket() {
        for keys in [8, 9, 100, 4_096] {
            let table = Table::for_keys(keys);
            assert_eq!((table.place(0).1, table.place(u64::MAX).1), (0, table.buckets.len() - 1));
        }
    }
}
