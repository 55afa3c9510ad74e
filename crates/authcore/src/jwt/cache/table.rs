//! A bounded table: read by all threads without a lock, written by one at a time.
//!
//! Readers find a token by its tag, compare it whole, and let the caller judge it. Who has something to write and finds
//! somebody else at it lets it be, so that nobody ever waits; the token will come again.
//!
//! Room is made by second chance: a hand goes round the places, and frees those that were not used since it last came by. What threads keep at hand counts as used once, since hits there leave no trace.

use std::sync::OnceLock;

use super::front::{Front, Fronts};
use super::set::{Set, Spot, WAYS};
use super::sync::{Held, Lock, likely_threads};

/// What a table holds.
pub(crate) trait Item {
    /// Whether it is about this token, by all of its bytes.
    fn is_for(&self, token: &[u8]) -> bool;

    /// Whether both are about one token.
    fn is_like(&self, other: &Self) -> bool;

    /// How many bytes of memory it takes.
    fn bytes(&self) -> usize;

    /// The same in memory of its own, so that no word of it is shared.
    fn apart(&self) -> Self;
}

pub(crate) struct Table<T> {
    /// Made when first needed.
    pages: Box<[Page<T>]>,
    sets: usize,
    max_entries: usize,
    max_bytes: usize,
    fronts: Fronts<T>,
    ledger: Lock<Ledger>,
}

type Page<T> = OnceLock<Box<[Set<T>]>>;

/// What the table holds in all. Whoever has it may write.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ledger {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
    pub(crate) admitted: u64,
    pub(crate) displaced: u64,
    /// The place the hand is at, counted through all sets.
    hand: usize,
}

/// Sets of a page: 4 KiB.
const PAGE: usize = 16;

/// Entries that a set is planned for. Of 8 among 15 places, one newcomer in 600 meets a full set.
const PLANNED: usize = 8;

/// How many places the hand passes at most to make room for one.
const REACH: usize = 256;

impl<T: Item> Table<T> {
    pub(crate) fn new(max_entries: usize, max_bytes: usize) -> Self {
        let pages = max_entries.div_ceil(PLANNED * PAGE);
        Self {
            pages: (0..pages).map(|_| OnceLock::new()).collect(),
            sets: pages * PAGE,
            max_entries,
            max_bytes,
            fronts: Fronts::new(likely_threads()),
            ledger: Lock::new(Ledger::default()),
        }
    }

    /// What `judge` makes of the item about this token; `None` where there is none, or where it makes nothing of it.
    pub(crate) fn look<R>(&self, spot: Spot, token: &[u8], judge: impl FnOnce(&T) -> Option<R>) -> Option<R> {
        let front = self.fronts.mine();
        let found = match front.find(spot.tag, token) {
            Some(held) => held.get().and_then(judge),
            None => self.look_further(front, spot, token, judge),
        };
        front.count(found.is_some());
        found
    }

    /// Whether a token that belongs there came by lately; from now on one did.
    pub(crate) fn was_here(&self, spot: Spot) -> bool {
        self.set_at(spot.index_in(self.sets)).was_here(spot.tag)
    }

    /// Keeps an item, in place of an older one about the same token; unless there is no room, or somebody else is writing.
    pub(crate) fn keep(&self, spot: Spot, token: &[u8], item: T) {
        let bytes = item.bytes();
        let Some(mut ledger) = self.ledger.try_lock() else { return };
        let set = self.set_at(spot.index_in(self.sets));
        if let Some((way, held)) = set.find(spot.tag, token) {
            self.let_go(&mut ledger, set, way, &held);
        }
        if bytes > self.max_bytes || !self.make_room(&mut ledger, bytes) {
            return;
        }
        if let Some(way) = set.free_way().or_else(|| self.displace(&mut ledger, set)) {
            set.put(way, spot.tag, item);
            ledger.entries += 1;
            ledger.bytes += bytes;
            ledger.admitted += 1;
        }
    }

    pub(crate) fn ledger(&self) -> Ledger {
        *self.ledger.lock()
    }

    /// Hits and misses.
    pub(crate) fn counted(&self) -> (u64, u64) {
        self.fronts.counted()
    }

    /// Items about these tokens and copies of them, counted one by one: what the ledger must say.
    #[cfg(test)]
    pub(crate) fn recount(&self, tokens: &[(Spot, &[u8])]) -> (usize, usize) {
        let is_there =
            |(spot, token): &&(Spot, &[u8])| self.set_at(spot.index_in(self.sets)).find(spot.tag, token).is_some();
        let copies = |(spot, token): &(Spot, &[u8])| self.fronts.copies(spot.tag, token);
        (tokens.iter().filter(is_there).count(), tokens.iter().map(copies).sum())
    }

    fn look_further<R>(
        &self,
        front: &Front<T>,
        spot: Spot,
        token: &[u8],
        judge: impl FnOnce(&T) -> Option<R>,
    ) -> Option<R> {
        let index = spot.index_in(self.sets);
        let set = &self.pages[index / PAGE].get()?[index % PAGE];
        let (way, held) = set.find(spot.tag, token)?;
        let found = judge(held.get()?)?;
        set.mark_used(way);
        if front.is_hot(spot.tag) {
            self.bring_forward(front, set, way, spot.tag, &held);
        }
        Some(found)
    }

    /// Puts a copy at hand of who asked, if there is room for it.
    #[cold]
    fn bring_forward(&self, front: &Front<T>, set: &Set<T>, way: usize, tag: u32, held: &Held<T>) {
        let Some(item) = held.get() else { return };
        let copy = item.apart();
        let Some(mut ledger) = self.ledger.try_lock() else { return };
        // It may have gone in between, and then a copy would outlive it.
        if !set.load(way).get().is_some_and(|still| std::ptr::eq(still, item)) {
            return;
        }
        let before = ledger.bytes - front.at(tag).get().map_or(0, Item::bytes);
        let after = before + copy.bytes();
        if after <= self.max_bytes {
            front.put(tag, copy);
            ledger.bytes = after;
        }
    }

    /// Whether there is room for one more, once the hand has moved on as far as it reaches.
    fn make_room(&self, ledger: &mut Ledger, bytes: usize) -> bool {
        let fits = |ledger: &Ledger| ledger.entries < self.max_entries && ledger.bytes + bytes <= self.max_bytes;
        for _ in 0..REACH.min(self.sets * WAYS) {
            if fits(ledger) {
                return true;
            }
            let (index, way) = (ledger.hand / WAYS, ledger.hand % WAYS);
            ledger.hand = (ledger.hand + 1) % (self.sets * WAYS);
            let Some(page) = self.pages[index / PAGE].get() else { continue };
            let set = &page[index % PAGE];
            if !set.mark_unused(way) {
                self.displace_from(ledger, set, way);
            }
        }
        fits(ledger)
    }

    /// Frees a place of a full set. Where all are in use the newcomer has to do without, and next time they need to have
    /// been used again.
    fn displace(&self, ledger: &mut Ledger, set: &Set<T>) -> Option<usize> {
        let freed = (0..WAYS).find(|way| !set.is_used(*way) && self.displace_from(ledger, set, *way));
        if freed.is_none() {
            (0..WAYS).for_each(|way| _ = set.mark_unused(way));
        }
        freed
    }

    /// Whether a place could be freed: not if a thread had a copy at hand, which is what it loses instead.
    fn displace_from(&self, ledger: &mut Ledger, set: &Set<T>, way: usize) -> bool {
        let held = set.load(way);
        let Some(item) = held.get() else { return false };
        if let Some(bytes) = self.fronts.forget(set.tag(way), item) {
            ledger.bytes -= bytes;
            return false;
        }
        self.let_go(ledger, set, way, &held);
        ledger.displaced += 1;
        true
    }

    fn let_go(&self, ledger: &mut Ledger, set: &Set<T>, way: usize, held: &Held<T>) {
        let Some(item) = held.get() else { return };
        ledger.bytes -= item.bytes() + self.fronts.forget(set.tag(way), item).unwrap_or(0);
        ledger.entries -= 1;
        set.clear(way);
    }

    fn set_at(&self, index: usize) -> &Set<T> {
        let page = self.pages[index / PAGE].get_or_init(|| (0..PAGE).map(|_| Set::empty()).collect());
        &page[index % PAGE]
    }
}
