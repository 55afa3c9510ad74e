//! The tokens whose hashes begin alike: a few places, and marks of those that came by.

use std::sync::Arc;

use super::sync::{AtomicU32, AtomicU64, Held, Ordering, Slot};
use super::table::Item;

/// Where a token belongs: its set, and the tag it goes by there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) set: u32,
    /// Never 0.
    pub(crate) tag: u32,
}

impl Spot {
    /// The number of its set among so many.
    pub(crate) fn index_in(self, sets: usize) -> usize {
        ((u64::from(self.set) * sets as u64) >> 32) as usize
    }
}

/// Places of a set. With their tags and the bits of their use they fill a cache line: that is all a miss reads.
pub(crate) const WAYS: usize = 15;

/// Words of four marks each: some two marks for each place. At 16 bits a mark, one stranger in two thousand is mistaken for
/// somebody who came by before.
const MARKS: usize = 8;

/// Read by anybody; written under the table's lock, the marks and bits of use apart.
#[repr(align(64))]
pub(crate) struct Set<T> {
    /// 0 where the place is free. A tag may be read before its item or without it: the item decides.
    tags: [AtomicU32; WAYS],
    /// A bit for each place that was used since the hand came by.
    used: AtomicU32,
    /// Of the last 32 that came by.
    marks: [AtomicU64; MARKS],
    slots: [Slot<T>; WAYS],
    /// The marks made so far.
    marked: AtomicU32,
}

impl<T: Item> Set<T> {
    pub(crate) fn empty() -> Self {
        Self {
            tags: std::array::from_fn(|_| AtomicU32::new(0)),
            used: AtomicU32::new(0),
            marks: std::array::from_fn(|_| AtomicU64::new(0)),
            slots: std::array::from_fn(|_| Slot::empty()),
            marked: AtomicU32::new(0),
        }
    }

    /// This very token, and its place.
    pub(crate) fn find(&self, tag: u32, token: &[u8]) -> Option<(usize, Held<T>)> {
        (0..WAYS).filter(|way| self.tags[*way].load(Ordering::Relaxed) == tag).find_map(|way| {
            let held = self.slots[way].load();
            held.get().is_some_and(|item| item.is_for(token)).then_some((way, held))
        })
    }

    /// Written only when it is news: most hits change nothing.
    pub(crate) fn mark_used(&self, way: usize) {
        if !self.is_used(way) {
            self.used.fetch_or(1 << way, Ordering::Relaxed);
        }
    }

    /// Whether a token with this tag is among the last that came by here; from now on it is.
    ///
    /// The oldest mark goes, wherever it is: if each had but one place to be, two that come by in turn would efface each
    /// other for ever. Threads that mark at once may lose a mark.
    pub(crate) fn was_here(&self, tag: u32) -> bool {
        let mark = u64::from(tag >> 16).max(1);
        if self.marks.iter().any(|four| holds(four.load(Ordering::Relaxed), mark)) {
            return true;
        }
        let marked = self.marked.load(Ordering::Relaxed);
        let four = &self.marks[marked as usize % MARKS];
        four.store(four.load(Ordering::Relaxed) << 16 | mark, Ordering::Relaxed);
        self.marked.store(marked.wrapping_add(1), Ordering::Relaxed);
        false
    }

    pub(crate) fn free_way(&self) -> Option<usize> {
        (0..WAYS).find(|way| self.tag(*way) == 0)
    }

    pub(crate) fn is_used(&self, way: usize) -> bool {
        self.used.load(Ordering::Relaxed) & (1 << way) != 0
    }

    /// As the hand comes by. Tells whether it was used since the last time.
    pub(crate) fn mark_unused(&self, way: usize) -> bool {
        let was_used = self.is_used(way);
        if was_used {
            self.used.fetch_and(!(1 << way), Ordering::Relaxed);
        }
        was_used
    }

    pub(crate) fn tag(&self, way: usize) -> u32 {
        self.tags[way].load(Ordering::Relaxed)
    }

    pub(crate) fn load(&self, way: usize) -> Held<T> {
        self.slots[way].load()
    }

    pub(crate) fn put(&self, way: usize, tag: u32, item: T) {
        self.slots[way].store(Some(Arc::new(item)));
        self.tags[way].store(tag, Ordering::Relaxed);
    }

    pub(crate) fn clear(&self, way: usize) {
        self.tags[way].store(0, Ordering::Relaxed);
        self.mark_unused(way);
        self.slots[way].store(None);
    }
}

/// Whether one of the four parts of 16 bits is this one: then their difference has a part that is zero, and to take one from
/// that part borrows.
pub(super) fn holds(four: u64, mark: u64) -> bool {
    const ONES: u64 = 0x0001_0001_0001_0001;
    let difference = four ^ (mark * ONES);
    difference.wrapping_sub(ONES) & !difference & (ONES << 15) != 0
}
