//! A slot: two words that say who is counted and until when, changed by any number of threads at once.
//!
//! - `tag` is the key's hash; zero where nobody has been counted yet. It changes only under the lock of the slot's bucket.
//! - `word` is the arrival time and, below it, a version that is one higher each time the slot changes hands. Anybody may
//!   change the arrival time, by compare-and-swap.
//!
//! To give a slot to another key, under the lock: swap the word that was judged for [`TAKEN`], store the tag, store a word
//! of the next version. To count: load the word, load the tag, and if the tag is one's own, swap the word for one with a
//! later arrival time; when nothing is to be written, load the word once more and find it unchanged.
//!
//! **A count never reaches another key's slot.** Let a thread have loaded word `w` and then its own tag.
//! - Was the slot given to its key after `w` was current? The tag it saw was stored after `w` was swapped for `TAKEN`, and
//!   seen with acquire, so its swap (or second load) comes after that one in the word's history and cannot find `w`.
//! - Is the slot given away after it saw the tag? Giving it away swaps a word for `TAKEN`: if that is `w`, the thread's own
//!   swap fails; if the thread was first, giving it away fails, and is begun again with what the thread wrote.
//! - Was `w` somebody else's who came later? `w` is stored after its owner's tag and seen with acquire, so the tag that is
//!   seen next is that one's or a later one's: not the thread's own, unless its key has come back, which is the first case.
//!
//! `w` itself comes back only when a slot has changed hands 16,384 times between two loads of one thread and then holds
//! the same microsecond again: one request would be counted for somebody else.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// Sixteen bytes of a bucket.
#[derive(Default)]
pub(super) struct Slot {
    tag: AtomicU64,
    word: AtomicU64,
}

/// An arrival time in microseconds (50 bits) and the slot's version (14 bits).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(u64);

const VERSION_BITS: u32 = 14;
const VERSION_MASK: u64 = (1 << VERSION_BITS) - 1;

/// No key's word: arrival times end well before.
const TAKEN: u64 = u64::MAX;

/// The latest arrival time that a word holds: 35.7 years.
pub(super) const LATEST_ARRIVAL: u64 = (1 << (64 - VERSION_BITS)) - 2;

impl Word {
    pub(super) fn arrival(self) -> u64 {
        self.0 >> VERSION_BITS
    }

    /// The same owner's word, later.
    fn at(self, arrival: u64) -> Self {
        Self(arrival.min(LATEST_ARRIVAL) << VERSION_BITS | self.version())
    }

    /// The next owner's first word.
    fn handed_on(self, arrival: u64) -> Self {
        Self(self.at(arrival).0 & !VERSION_MASK | self.version().wrapping_add(1) & VERSION_MASK)
    }

    fn version(self) -> u64 {
        self.0 & VERSION_MASK
    }
}

impl Slot {
    /// Whether this looks like the key's slot; [`Self::word_of`] knows.
    pub(super) fn seems_of(&self, tag: u64) -> bool {
        self.tag.load(Relaxed) == tag
    }

    /// The key's word; `None` when the slot is another's or is just changing hands.
    pub(super) fn word_of(&self, tag: u64) -> Option<Word> {
        let word = self.word.load(Acquire);
        (word != TAKEN && self.tag.load(Acquire) == tag).then_some(Word(word))
    }

    /// Whether the word is still what [`Self::word_of`] said.
    pub(super) fn is_still(&self, word: Word) -> bool {
        self.word.load(Relaxed) == word.0
    }

    /// Moves the owner's arrival time, unless the word has changed.
    pub(super) fn advance(&self, word: Word, arrival: u64) -> bool {
        self.word.compare_exchange(word.0, word.at(arrival).0, AcqRel, Relaxed).is_ok()
    }

    /// Whatever word there is; for who holds the bucket's lock, or only wants to look.
    pub(super) fn any_word(&self) -> Word {
        Word(self.word.load(Acquire))
    }

    /// Gives the slot to another key, unless the word has changed. Only under the bucket's lock.
    pub(super) fn hand_on(&self, word: Word, tag: u64, arrival: u64) -> bool {
        // Nothing between the three can panic, so a lock that is poisoned guards nothing half done.
        let taken = self.word.compare_exchange(word.0, TAKEN, AcqRel, Relaxed).is_ok();
        if taken {
            self.tag.store(tag, Release);
            self.word.store(word.handed_on(arrival).0, Release);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_word_comes_back_only_when_the_slot_has_changed_hands_16384_times() {
        let slot = Slot::default();
        let mut seen = HashSet::new();
        for owner in 1..=16_384 {
            assert!(seen.insert(slot.any_word().0), "owner {owner} has an earlier one's word");
            assert!(slot.hand_on(slot.any_word(), owner, 7));
            let word = slot.word_of(owner).expect("the owner's");
            assert!(slot.advance(word, 7), "the same arrival time, the same owner");
            assert_eq!((slot.word_of(owner) == Some(word), word.arrival()), (true, 7));
        }
        assert!(slot.hand_on(slot.any_word(), 1, 7));
        assert!(seen.contains(&slot.any_word().0));
    }

    #[test]
    fn a_slot_is_nobodys_while_it_changes_hands_and_one_owners_afterwards() {
        let slot = Slot::default();
        assert!(slot.hand_on(slot.any_word(), 1, 5));
        assert!(slot.word_of(1).is_some() && slot.word_of(2).is_none());
        let taken = Slot { tag: 1.into(), word: TAKEN.into() };
        assert!(taken.word_of(1).is_none() && taken.word_of(2).is_none());
    }

    #[test]
    fn what_was_judged_is_written_only_while_it_stands() {
        let slot = Slot::default();
        assert!(slot.hand_on(slot.any_word(), 1, 5));
        let judged = slot.word_of(1).expect("the owner's");
        assert!(slot.is_still(judged) && slot.advance(judged, 6));
        assert!(!slot.is_still(judged) && !slot.advance(judged, 7) && !slot.hand_on(judged, 2, 8));
        assert_eq!(slot.word_of(1).expect("the owner's").arrival(), 6);
    }

    #[test]
    fn the_latest_arrival_leaves_the_version_alone() {
        let slot = Slot::default();
        assert!(slot.hand_on(slot.any_word(), 1, u64::MAX));
        let word = slot.word_of(1).expect("not taken");
        assert_eq!((word.arrival(), word.version()), (LATEST_ARRIVAL, 1));
        assert_eq!(LATEST_ARRIVAL / 1_000_000 / 86_400 / 365, 35, "years");
    }
}
