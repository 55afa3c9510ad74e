//! Tests of the table by words that stand for tokens, with spots of their own choice.

use super::TokenCache;
use super::front::Fronts;
use super::set::{Set, Spot, WAYS, holds};
use super::spot::Spots;
use super::table::{Item, Table};

/// A token of one word, and how many bytes it takes.
struct Word(&'static str, usize);

impl Item for Word {
    fn is_for(&self, token: &[u8]) -> bool {
        self.0.as_bytes() == token
    }

    fn is_like(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn bytes(&self) -> usize {
        self.1
    }

    fn apart(&self) -> Self {
        Self(self.0, self.1)
    }
}

/// The same spot for all, as if by the weakest of hashes.
const SAME: Spot = Spot { set: 0, tag: 7 };

const WORDS: [&str; 20] = [
    "ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen", "ibis", "jay", "koi", "lark", "mole", "newt", "owl", "pig",
    "quail", "ram", "stag", "tern",
];

/// A word of 100 bytes.
fn keep(table: &Table<Word>, word: &'static str) {
    table.keep(SAME, word.as_bytes(), Word(word, 100));
}

fn knows(table: &Table<Word>, word: &str) -> bool {
    knows_at(table, SAME, word)
}

fn knows_at(table: &Table<Word>, spot: Spot, word: &str) -> bool {
    let found = table.look(spot, word.as_bytes(), |found| Some(found.0));
    assert!(found.is_none_or(|found| found == word), "{found:?} for {word}");
    found.is_some()
}

/// Whether the ledger says what is there, and that is within bounds.
#[track_caller]
fn settle(table: &Table<Word>, max_entries: usize, max_bytes: usize) -> usize {
    let words = WORDS.map(|word| (SAME, word.as_bytes()));
    let (entries, copies) = table.recount(&words);
    let ledger = table.ledger();
    assert_eq!((ledger.entries, ledger.bytes), (entries, (entries + copies) * 100));
    assert!(entries <= max_entries && ledger.bytes <= max_bytes);
    entries
}

#[test]
fn four_marks_in_a_word_are_told_apart() {
    let four = 0x0001_8000_ffff_7fff;
    for held in [0x0001, 0x8000, 0xffff, 0x7fff] {
        assert!(holds(four, held), "{held:x}");
    }
    for other in [0x0002, 0x8001, 0xfffe, 0x0100, 0x7ffe] {
        assert!(!holds(four, other), "{other:x}");
    }
}

#[test]
fn the_last_32_that_came_by_are_known() {
    let set = Set::<Word>::empty();
    for number in 1..=33 {
        assert!(!set.was_here(number << 16), "{number} for the first time");
    }
    for number in 2..=33 {
        assert!(set.was_here(number << 16), "{number} again");
    }
    assert!(!set.was_here(1 << 16), "33 others came by since");
}

#[test]
fn a_set_fills_four_cache_lines() {
    assert_eq!((size_of::<Set<Word>>(), align_of::<Set<Word>>()), (256, 64));
}

#[test]
fn tokens_that_share_a_spot_are_told_apart_by_their_bytes() {
    let table = Table::new(100, 100_000);
    keep(&table, "ant");
    assert!(knows(&table, "ant") && !knows(&table, "bee") && !knows(&table, "an") && !knows(&table, ""));
    keep(&table, "bee");
    for _ in 0..100 {
        assert!(knows(&table, "ant") && knows(&table, "bee") && !knows(&table, "bef"));
    }
    assert_eq!(settle(&table, 100, 100_000), 2);
}

#[test]
fn what_the_caller_refuses_is_not_found_and_not_counted_as_used() {
    let table = Table::new(1, 100_000);
    keep(&table, "ant");
    assert_eq!(table.look(SAME, b"ant", |_| None::<()>), None);
    assert_eq!(table.counted(), (0, 1));
    keep(&table, "bee");
    assert!(knows(&table, "bee") && !knows(&table, "ant"));
}

#[test]
fn the_newest_item_about_a_token_takes_the_place_of_the_older() {
    let table = Table::new(100, 100_000);
    for _ in 0..3 {
        keep(&table, "ant");
        for _ in 0..100 {
            assert!(knows(&table, "ant"));
        }
    }
    assert_eq!(settle(&table, 100, 100_000), 1);
    assert_eq!(table.ledger().bytes, 200, "with the one copy");
}

#[test]
fn entries_are_bounded_and_those_in_use_stay() {
    let table = Table::new(3, 100_000);
    for word in ["ant", "bee", "cat"] {
        keep(&table, word);
    }
    assert!(knows(&table, "ant") && knows(&table, "cat"));
    keep(&table, "dog");
    assert!(knows(&table, "ant") && knows(&table, "cat") && knows(&table, "dog") && !knows(&table, "bee"));
    assert_eq!(settle(&table, 3, 100_000), 3);
}

#[test]
fn bytes_are_bounded_with_the_copies_at_hand() {
    let table = Table::new(100, 250);
    keep(&table, "ant");
    keep(&table, "bee");
    for _ in 0..100 {
        assert!(knows(&table, "ant"));
    }
    assert_eq!(table.ledger().bytes, 200, "there is no room for a copy");
    keep(&table, "cat");
    assert!(knows(&table, "ant") && !knows(&table, "bee") && knows(&table, "cat"));
    settle(&table, 100, 250);

    let table = Table::new(100, 300);
    keep(&table, "ant");
    for _ in 0..100 {
        assert!(knows(&table, "ant"));
    }
    assert_eq!(table.ledger().bytes, 200, "one copy");
    keep(&table, "bee");
    keep(&table, "cat");
    assert!(knows(&table, "ant") && !knows(&table, "bee") && knows(&table, "cat"), "what is used stays, and its copy");
    assert_eq!(settle(&table, 100, 300), 2);
}

#[test]
fn an_item_larger_than_all_room_is_not_kept_and_takes_nobodys_place() {
    for (bytes, kept) in [(199, true), (200, true), (201, false), (usize::MAX, false)] {
        let table = Table::new(100, 200);
        keep(&table, "ant");
        table.keep(SAME, b"bee", Word("bee", bytes));
        assert_eq!((knows(&table, "bee"), knows(&table, "ant")), (kept, !kept), "{bytes}");
        assert_eq!(table.ledger().bytes, if kept { bytes } else { 100 });
    }
}

/// A copy is at hand after eight hits in a row, at a place that 32 tags share.
#[test]
fn a_token_has_to_be_asked_for_in_a_row_to_be_at_hand() {
    let table = Table::new(100, 100_000);
    let (ant, bee) = (Spot { set: 0, tag: 7 }, Spot { set: 0, tag: 7 + 32 });
    for (spot, word) in [(ant, "ant"), (bee, "bee")] {
        table.keep(spot, word.as_bytes(), Word(word, 100));
    }
    let ask = |times: usize, spot, word| assert!((0..times).all(|_| knows_at(&table, spot, word)), "{word}");
    let copies = || [(ant, "ant"), (bee, "bee")].map(|(spot, word)| table.recount(&[(spot, word.as_bytes())]).1);

    for _ in 0..100 {
        ask(1, ant, "ant");
        ask(1, bee, "bee");
    }
    assert_eq!((copies(), table.ledger().bytes), ([0, 0], 200), "they came in turn");
    ask(7, ant, "ant");
    assert_eq!((copies(), table.ledger().bytes), ([0, 0], 200));
    ask(1, ant, "ant");
    assert_eq!((copies(), table.ledger().bytes), ([1, 0], 300), "the eighth in a row");

    for _ in 0..3 {
        ask(7, bee, "bee");
        ask(1, ant, "ant");
        assert_eq!((copies(), table.ledger().bytes), ([1, 0], 300), "a hit of what is at hand ends the row of others");
    }
    ask(8, bee, "bee");
    assert_eq!((copies(), table.ledger().bytes), ([0, 1], 300));
}

#[test]
fn the_copies_of_all_threads_are_let_go_together() {
    let fronts = Fronts::new(4);
    for (thread, word) in ["ant", "ant", "bee", "ant"].into_iter().enumerate() {
        fronts.of(thread).put(7, Word(word, 100 + thread));
    }
    assert_eq!(fronts.forget(7, &Word("ant", 0)), Some(100 + 101 + 103));
    assert_eq!((fronts.copies(7, b"ant"), fronts.copies(7, b"bee")), (0, 1));
    assert_eq!(fronts.forget(7, &Word("ant", 0)), None);
    assert_eq!(fronts.forget(7 + 32, &Word("bee", 0)), None, "by another tag");
}

#[test]
fn a_full_set_gives_up_what_is_not_used() {
    let table = Table::new(1_000, 100_000);
    let (early, late) = WORDS.split_at(WAYS);
    for word in early {
        keep(&table, word);
    }
    for word in &early[1..] {
        assert!(knows(&table, word));
    }
    keep(&table, late[0]);
    assert!(!knows(&table, early[0]) && early[1..].iter().all(|word| knows(&table, word)) && knows(&table, late[0]));
    // Now all are in use: the next has to do without.
    keep(&table, late[1]);
    assert!(!knows(&table, late[1]) && knows(&table, late[0]));
    assert_eq!(settle(&table, 1_000, 100_000), WAYS);
    // Since then only that one was used, so each newcomer finds a place.
    for word in &late[1..] {
        keep(&table, word);
        assert!(knows(&table, word), "{word}");
    }
    assert!(late.iter().all(|word| knows(&table, word)));
    assert_eq!(early.iter().filter(|word| knows(&table, word)).count(), WAYS - late.len());
    assert_eq!(settle(&table, 1_000, 100_000), WAYS);
}

#[test]
fn what_is_at_hand_outlives_the_hand_once() {
    let table = Table::new(1, 100_000);
    keep(&table, "ant");
    for _ in 0..100 {
        assert!(knows(&table, "ant"));
    }
    keep(&table, "bee");
    assert!(knows(&table, "ant") && !knows(&table, "bee"), "it was used");
    for _ in 0..3 {
        keep(&table, "cat");
    }
    assert!(knows(&table, "cat") && !knows(&table, "ant"), "it was not used since");
    assert_eq!(settle(&table, 1, 100_000), 1);
}

#[test]
fn many_threads_keep_to_the_bounds() {
    let table = Table::new(8, 1_200);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let table = &table;
            scope.spawn(move || {
                for turn in 0..5_000 {
                    let word = WORDS[(turn * (thread + 3)) % WORDS.len()];
                    if !knows(table, word) {
                        keep(table, word);
                    }
                }
            });
        }
    });
    settle(&table, 8, 1_200);
}

/// A token of a number.
struct Numbered(String);

impl Item for Numbered {
    fn is_for(&self, token: &[u8]) -> bool {
        self.0.as_bytes() == token
    }

    fn is_like(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn bytes(&self) -> usize {
        1_300
    }

    fn apart(&self) -> Self {
        Self(self.0.clone())
    }
}

#[test]
fn ten_thousand_tokens_in_turn_all_find_room_by_default() {
    let TokenCache { max_entries, max_bytes } = TokenCache::default();
    // By other keys one token in many runs finds its 15 places taken.
    let (spots, table) = (Spots::fixed(), Table::new(max_entries, max_bytes));
    // Signatures look like chance.
    let digest = |number: u32| crate::digest::sha256(&number.to_be_bytes());
    let hex = |number: u32| digest(number).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let tokens: Vec<_> = (0..10_000).map(|number| format!("a.b.{}", hex(number))).collect();
    let misses_of_a_round = || {
        let known = |token: &&String| {
            let spot = spots.of(token.as_bytes()).expect("a long token");
            let known = table.look(spot, token.as_bytes(), |_| Some(())).is_some();
            if !known && table.was_here(spot) {
                table.keep(spot, token.as_bytes(), Numbered((*token).clone()));
            }
            known
        };
        tokens.len() - tokens.iter().filter(known).count()
    };
    assert_eq!(misses_of_a_round(), 10_000);
    // A token may meet the mark of another, and be taken for one that was here.
    assert!(misses_of_a_round() >= 9_900);
    let misses = misses_of_a_round();
    assert!(misses <= 10, "{misses}");
    assert_eq!(table.ledger().displaced, 0);
}
