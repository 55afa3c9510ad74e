//! The table of the token cache under loom, which runs the orders in which a few threads' steps can come, up to so many
//! preemptions as each model says, and the values that relaxed reads may see. It is the very source of `jwt/cache`, over loom's types in the place of the standard library's.

#[path = "../src/jwt/cache/front.rs"]
mod front;
#[path = "../src/jwt/cache/set.rs"]
mod set;
#[path = "token_cache_model/sync.rs"]
mod sync;
#[path = "../src/jwt/cache/table.rs"]
#[expect(dead_code, reason = "the models ask for less than a verifier does")]
mod table;

use std::sync::Arc;

use loom::thread;
use set::Spot;
use sync::{AtomicU32, Ordering};
use table::{Item, Table};

/// What was made of a token under some set of keys.
struct Known {
    token: &'static [u8],
    keys: u32,
}

impl Item for Known {
    fn is_for(&self, token: &[u8]) -> bool {
        self.token == token
    }

    fn is_like(&self, other: &Self) -> bool {
        self.token == other.token
    }

    fn bytes(&self) -> usize {
        10
    }

    fn apart(&self) -> Self {
        Self { ..*self }
    }
}

/// All in one set, by one tag: whoever finds the wrong one would take it for the right one.
const SPOT: Spot = Spot { set: 0, tag: 1 };

/// A table whose parts are made: loom does not know of the standard library's `OnceLock`, that it orders what comes after.
fn table(max_entries: usize, max_bytes: usize) -> Arc<Table<Known>> {
    let table = Table::new(max_entries, max_bytes);
    table.was_here(SPOT);
    look(&table, b"one", 1);
    Arc::new(table)
}

fn look(table: &Table<Known>, token: &'static [u8], keys: u32) -> bool {
    let found = table.look(SPOT, token, |known| (known.keys == keys).then_some(known.token));
    assert!(found.is_none_or(|found| found == token));
    found.is_some()
}

fn keep(table: &Table<Known>, token: &'static [u8], keys: u32) {
    table.keep(SPOT, token, Known { token, keys });
}

/// Every interleaving in which threads are interrupted so many times where they need not be: all of two threads' that
/// matter, and of three threads' what there is time for.
fn model(interruptions: usize, check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(interruptions);
    builder.max_branches = 100_000;
    builder.check(check);
}

/// Once all threads are done, the ledger says what is there, and that is within bounds.
fn settle(table: &Table<Known>, max_entries: usize, max_bytes: usize) {
    let [one, two] = [b"one", b"two"].map(|token| table.recount(&[(SPOT, token)]));
    for (entries, copies) in [one, two] {
        assert!(copies <= entries, "a copy of what is not there");
    }
    let (entries, copies) = (one.0 + two.0, one.1 + two.1);
    let ledger = table.ledger();
    assert_eq!((ledger.entries, ledger.bytes), (entries, (entries + copies) * 10));
    assert!(ledger.entries <= max_entries && ledger.bytes <= max_bytes);
}

#[test]
fn bounds_hold_whoever_writes_at_once() {
    model(6, || {
        let table = table(1, 20);
        let other = Arc::clone(&table);
        let writer = thread::spawn(move || keep(&other, b"one", 1));
        keep(&table, b"two", 1);
        writer.join().expect("no panic");
        settle(&table, 1, 20);
    });
}

#[test]
fn a_reader_finds_its_own_token_or_none_while_places_change_hands() {
    model(2, || {
        let table = table(1, 100);
        keep(&table, b"one", 1);
        let other = Arc::clone(&table);
        let writer = thread::spawn(move || keep(&other, b"two", 1));
        let other = Arc::clone(&table);
        let reader = thread::spawn(move || look(&other, b"two", 1));
        look(&table, b"one", 1);
        writer.join().expect("no panic");
        reader.join().expect("no panic");
        settle(&table, 1, 100);
    });
}

#[test]
fn no_copy_outlives_what_it_is_a_copy_of() {
    model(6, || {
        let table = table(1, 100);
        keep(&table, b"one", 1);
        // The next hit makes it hot.
        for _ in 0..7 {
            assert!(look(&table, b"one", 1));
        }
        let other = Arc::clone(&table);
        let writer = thread::spawn(move || {
            // It was used, so the first time it stays.
            keep(&other, b"two", 1);
            keep(&other, b"two", 1);
        });
        look(&table, b"one", 1);
        writer.join().expect("no panic");
        settle(&table, 1, 100);
    });
}

#[test]
fn who_sees_the_new_keys_never_finds_what_the_old_ones_let_through() {
    model(6, || {
        let table = table(1, 100);
        let keys = Arc::new(AtomicU32::new(1));
        keep(&table, b"one", 1);
        let (table_there, keys_there) = (Arc::clone(&table), Arc::clone(&keys));
        // A request that began under the old keys ends late, and so does what it remembers. By the new ones it is refused.
        let late = thread::spawn(move || {
            let seen = keys_there.load(Ordering::Acquire);
            if !look(&table_there, b"one", seen) && seen == 1 {
                keep(&table_there, b"one", seen);
            }
        });
        keys.store(2, Ordering::Release);
        assert!(!look(&table, b"one", keys.load(Ordering::Acquire)));
        late.join().expect("no panic");
        settle(&table, 1, 100);
    });
}
