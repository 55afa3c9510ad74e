//! Copies of the hottest tokens, apart for each thread.
//!
//! To hand out an identity is to count a reference to it. Where threads hand out the same one again and again, that count
//! becomes the word they all wait for; so each gets a copy to count on its own.

use std::sync::{Arc, OnceLock};

use super::sync::{AtomicU32, AtomicU64, Held, Ordering, Slot, thread_number};
use super::table::Item;

/// One front for each thread, where there are not more threads than cores; else some share.
pub(crate) struct Fronts<T>(Box<[OnceLock<Box<Front<T>>>]>);

/// What one thread keeps at hand. Aligned so that no two threads write to neighbouring cache lines.
#[repr(align(128))]
pub(crate) struct Front<T> {
    places: [Place<T>; PLACES],
    hits: AtomicU64,
    misses: AtomicU64,
}

/// A copy of one token; written under the table's lock, `rival` apart.
struct Place<T> {
    /// 0 where there is none.
    tag: AtomicU32,
    /// The tag that was asked for here last but is not here, and below it how many times in a row.
    rival: AtomicU64,
    slot: Slot<T>,
}

const PLACES: usize = 32;

/// So many hits in a row, at a place that some other token of 32 would share, make a token hot. Ten thousand tokens in
/// turn make none.
const HOT: u64 = 8;

impl<T: Item> Fronts<T> {
    pub(crate) fn new(threads: usize) -> Self {
        Self((0..threads.next_power_of_two()).map(|_| OnceLock::new()).collect())
    }

    pub(crate) fn mine(&self) -> &Front<T> {
        self.of(thread_number())
    }

    pub(crate) fn of(&self, thread: usize) -> &Front<T> {
        self.0[thread & (self.0.len() - 1)].get_or_init(|| Box::new(Front::empty()))
    }

    /// Lets go of the copies of an item, and tells how many bytes they took; `None` when there are none.
    pub(crate) fn forget(&self, tag: u32, item: &T) -> Option<usize> {
        self.made().filter_map(|front| front.forget(tag, item)).reduce(|one, other| one + other)
    }

    #[cfg(test)]
    pub(crate) fn copies(&self, tag: u32, token: &[u8]) -> usize {
        self.made().filter(|front| front.find(tag, token).is_some()).count()
    }

    /// Hits and misses.
    pub(crate) fn counted(&self) -> (u64, u64) {
        self.made().fold((0, 0), |(hits, misses), front| {
            (hits + front.hits.load(Ordering::Relaxed), misses + front.misses.load(Ordering::Relaxed))
        })
    }

    fn made(&self) -> impl Iterator<Item = &Front<T>> {
        self.0.iter().filter_map(|front| front.get().map(|front| &**front))
    }
}

impl<T: Item> Front<T> {
    fn empty() -> Self {
        let place = |_| Place { tag: AtomicU32::new(0), rival: AtomicU64::new(0), slot: Slot::empty() };
        Self { places: std::array::from_fn(place), hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// The copy of this very token.
    pub(crate) fn find(&self, tag: u32, token: &[u8]) -> Option<Held<T>> {
        let place = self.place(tag);
        if place.tag.load(Ordering::Relaxed) != tag {
            return None;
        }
        let held = place.slot.load();
        if !held.get().is_some_and(|item| item.is_for(token)) {
            return None;
        }
        if place.rival.load(Ordering::Relaxed) != 0 {
            place.rival.store(0, Ordering::Relaxed);
        }
        Some(held)
    }

    /// Whether a token that is not at hand ought to be. Then it has to earn it again.
    pub(crate) fn is_hot(&self, tag: u32) -> bool {
        let rival = &self.place(tag).rival;
        let last = rival.load(Ordering::Relaxed);
        let run = if last >> 8 == u64::from(tag) { (last & 0xff) + 1 } else { 1 };
        let is_hot = run >= HOT;
        rival.store(if is_hot { 0 } else { u64::from(tag) << 8 | run }, Ordering::Relaxed);
        is_hot
    }

    /// The copy that another one would take the place of.
    pub(crate) fn at(&self, tag: u32) -> Held<T> {
        self.place(tag).slot.load()
    }

    pub(crate) fn put(&self, tag: u32, copy: T) {
        let place = self.place(tag);
        place.slot.store(Some(Arc::new(copy)));
        place.tag.store(tag, Ordering::Relaxed);
    }

    fn forget(&self, tag: u32, item: &T) -> Option<usize> {
        let place = self.place(tag);
        if place.tag.load(Ordering::Relaxed) != tag {
            return None;
        }
        let held = place.slot.load();
        let bytes = held.get().filter(|copy| copy.is_like(item))?.bytes();
        place.tag.store(0, Ordering::Relaxed);
        place.slot.store(None);
        Some(bytes)
    }

    pub(crate) fn count(&self, hit: bool) {
        let count = if hit { &self.hits } else { &self.misses };
        // Not `fetch_add`, which would cost more than it is worth: the word is this thread's own.
        count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    fn place(&self, tag: u32) -> &Place<T> {
        &self.places[tag as usize % PLACES]
    }
}
