//! Counts in process: how many get through, what is kept, and what is forgotten.

#![cfg(feature = "in-process-limits")]

use std::net::Ipv6Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use authcore::rate::{Address, Counted, Counter, Decision, InProcess, Quota, RateKey, RateStore};
use authcore::{ManualClock, Timestamp};
use proptest::prelude::*;

fn quota(text: &str) -> Quota {
    text.parse().expect("a good quota")
}

fn count(counter: &dyn Counter, key: &RateKey<'_>, cost: u32) -> Decision {
    match counter.count(key, cost) {
        Counted::Now(decision) => decision,
        Counted::Later(_) => unreachable!("decides at once"),
    }
}

/// A store of this size by a clock that stands, with one counter.
fn standing(max_keys: usize, quota: Quota) -> (InProcess, Arc<dyn Counter>, ManualClock) {
    let clock = ManualClock::at(1_700_000_000);
    let store = InProcess::new().max_keys(max_keys).expect("within bounds").clock(clock.clone());
    let counter = store.counter("login", quota);
    (store, counter, clock)
}

/// One of any number of networks.
fn stranger(index: u64) -> RateKey<'static> {
    let network = (0x2001_0db8_u128 << 96) | (u128::from(index) << 64);
    RateKey::address(Address::of(Ipv6Addr::from_bits(network).into(), 64))
}

#[test]
fn r140_of_25_at_once_exactly_20_get_through() {
    let (_, counter, _) = standing(100, quota("20/minute"));
    let begin = Barrier::new(25);
    let through = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..25 {
            scope.spawn(|| {
                begin.wait();
                let decision = count(&*counter, &RateKey::custom("ann"), 1);
                through.fetch_add(u32::from(decision.is_allowed()), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(through.into_inner(), 20);
}

#[test]
fn r140_threads_that_race_share_one_quota_in_every_round() {
    for threads in [2, 4, 8] {
        let (_, counter, clock) = standing(100, quota("20/minute"));
        let begin = Barrier::new(threads);
        let through = AtomicU32::new(0);
        let rounds = 200;
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let (counter, clock, begin, through) = (&*counter, &clock, &begin, &through);
                scope.spawn(move || {
                    for round in 0..rounds {
                        // An old key that is whole again in even rounds, a new one in odd ones.
                        let key = RateKey::custom(if round % 2 == 0 { "ann".into() } else { format!("ann{round}") });
                        begin.wait();
                        let mine = (0..40).filter(|_| count(counter, &key, 1).is_allowed()).count();
                        through.fetch_add(mine as u32, Ordering::Relaxed);
                        begin.wait();
                        if thread == 0 {
                            assert_eq!(through.swap(0, Ordering::Relaxed), 20, "{threads} threads, round {round}");
                            clock.advance(Duration::from_secs(60));
                        }
                        begin.wait();
                    }
                });
            }
        });
    }
}

#[test]
fn r141_a_cost_above_the_burst_is_never_let_through_and_costs_nothing() {
    let (store, counter, clock) = standing(100, quota("10/minute"));
    let key = RateKey::custom("ann");
    let refused = count(&*counter, &key, 11);
    assert!(!refused.is_allowed() && refused.is_never() && refused.retry_after().is_none());
    assert_eq!((refused.remaining(), store.occupancy()[0].keys()), (10, 0));

    assert!(count(&*counter, &key, 9).is_allowed());
    for cost in [11, 12, 1_000_000, u32::MAX] {
        let refused = count(&*counter, &key, cost);
        assert!(!refused.is_allowed() && refused.is_never());
        assert_eq!(refused.remaining(), 1);
    }
    clock.advance(Duration::from_secs(3_600));
    assert!(!count(&*counter, &key, 11).is_allowed() && count(&*counter, &key, 10).is_allowed());
}

#[test]
fn r147_strangers_without_number_take_no_more_memory_and_free_no_offender() {
    flood(4_096, 100_000);
}

/// `cargo test --release -p authcore --test it -- --ignored r147`
#[test]
#[ignore = "ten million keys: for release builds"]
fn r147_ten_million_strangers() {
    flood(100_000, 10_000_000);
}

/// Some offenders at their limit, then these many addresses once each.
fn flood(max_keys: usize, strangers: u64) {
    let (store, counter, clock) = standing(max_keys, quota("10/minute"));
    let offenders: Vec<_> = (0..50).map(|index| RateKey::custom(format!("offender {index}"))).collect();
    for offender in &offenders {
        assert!(count(&*counter, offender, 10).is_allowed() && !count(&*counter, offender, 1).is_allowed());
    }
    let slots = store.occupancy()[0].slots();
    assert!(slots * 16 <= max_keys * 24);
    for index in 0..strangers {
        assert!(count(&*counter, &stranger(index), 1).is_allowed(), "within the quota");
    }
    for offender in &offenders {
        let decision = count(&*counter, offender, 1);
        assert!(!decision.is_allowed());
        assert_eq!(decision.retry_after(), Some(Duration::from_secs(6)));
    }
    let occupancy = &store.occupancy()[0];
    assert_eq!(occupancy.slots(), slots);
    assert!(occupancy.keys() > slots * 9 / 10 && occupancy.keys() <= slots);
    assert_eq!((occupancy.displaced(), occupancy.crowded()), (strangers + 50 - occupancy.keys() as u64, 0));

    clock.advance(Duration::from_secs(60));
    assert_eq!(store.occupancy()[0].keys(), 0, "they leave by themselves");
    assert!(offenders.iter().all(|offender| count(&*counter, offender, 10).is_allowed()));
}

#[test]
fn a_full_table_lets_one_offender_off_and_no_more() {
    let (store, counter, _) = standing(8, quota("10/minute"));
    assert_eq!(store.occupancy()[0].slots(), 8);
    let offenders: Vec<_> = (0..8).map(|index| RateKey::custom(format!("offender {index}"))).collect();
    // The first owes least.
    for (offender, cost) in offenders.iter().zip(3..) {
        assert!(count(&*counter, offender, cost).is_allowed());
    }
    for index in 0..1_000 {
        assert!(count(&*counter, &stranger(index), 1).is_allowed());
    }
    let left: Vec<u32> = offenders.iter().map(|offender| count(&*counter, offender, 0).remaining()).collect();
    assert_eq!(left, [10, 6, 5, 4, 3, 2, 1, 0]);
    assert_eq!((store.occupancy()[0].displaced(), store.occupancy()[0].crowded()), (1_000, 1));
}

#[test]
fn keys_that_are_whole_again_make_room() {
    let (store, counter, clock) = standing(8, quota("10/minute"));
    for minute in 0..100 {
        for index in 0..8 {
            assert!(count(&*counter, &stranger(minute * 8 + index), 10).is_allowed());
        }
        assert_eq!(store.occupancy()[0].keys(), 8);
        clock.advance(Duration::from_micros(59_999_999));
        assert_eq!(store.occupancy()[0].keys(), 8);
        clock.advance(Duration::from_micros(1));
        assert_eq!(store.occupancy()[0].keys(), 0);
    }
    assert_eq!(store.occupancy()[0].displaced(), 0);
}

#[test]
fn looking_counts_nothing() {
    let (store, counter, _) = standing(8, quota("2/minute"));
    let key = RateKey::custom("ann");
    assert_eq!(count(&*counter, &key, 0).remaining(), 2);
    assert_eq!(store.occupancy()[0].keys(), 0);
    assert!(count(&*counter, &key, 2).is_allowed());
    let seen = count(&*counter, &key, 0);
    assert!(seen.is_allowed());
    assert_eq!((seen.remaining(), seen.reset_after()), (0, Duration::from_secs(60)));
}

#[test]
fn a_clock_that_goes_back_lets_nobody_through_early() {
    let (_, counter, clock) = standing(8, quota("2/minute"));
    let key = RateKey::custom("ann");
    clock.advance(Duration::from_secs(7_200));
    assert!(count(&*counter, &key, 2).is_allowed());
    clock.set(Timestamp::from_seconds(1_700_003_600));
    let decision = count(&*counter, &key, 1);
    assert!(!decision.is_allowed());
    assert_eq!(decision.retry_after(), Some(Duration::from_secs(3_600 + 30)));
    // Before the store was made: as when it was made.
    clock.set(Timestamp::from_seconds(0));
    assert!(!count(&*counter, &key, 1).is_allowed());
    assert!(count(&*counter, &RateKey::custom("bob"), 2).is_allowed());
    clock.set(Timestamp::from_seconds(1_700_007_200 + 60));
    assert!(count(&*counter, &key, 2).is_allowed());
}

#[test]
fn after_34_years_the_clock_stands_and_limits_hold() {
    let (_, counter, clock) = standing(8, quota("1/366d"));
    clock.advance(Duration::from_secs(1_000 * 366 * 24 * 3_600));
    let key = RateKey::custom("ann");
    assert!(count(&*counter, &key, 1).is_allowed());
    clock.advance(Duration::from_secs(366 * 24 * 3_600));
    assert!(!count(&*counter, &key, 1).is_allowed() && count(&*counter, &RateKey::custom("bob"), 1).is_allowed());
}

#[test]
fn counters_are_apart_by_name_and_quota_and_one_where_both_are_the_same() {
    let store = InProcess::new();
    let key = RateKey::custom("ann");
    let one = quota("1/minute");
    assert!(count(&*store.counter("login", one), &key, 1).is_allowed());
    assert!(!count(&*store.counter("login", one), &key, 1).is_allowed());
    assert!(count(&*store.counter("sign-up", one), &key, 1).is_allowed());
    assert!(count(&*store.counter("login", quota("2/minute")), &key, 1).is_allowed());
    let names: Vec<_> = store.occupancy().iter().map(|each| format!("{} {}", each.limit(), each.quota())).collect();
    assert_eq!(names, ["login 1/60000000us", "sign-up 1/60000000us", "login 2/60000000us"]);
}

#[test]
fn the_size_has_bounds() {
    for (keys, good) in [(0, false), (7, false), (8, true), (1 << 28, true), ((1 << 28) + 1, false)] {
        assert_eq!(InProcess::new().max_keys(keys).is_ok(), good, "{keys}");
    }
}

proptest! {
    /// Some keys in any order, against one number for each.
    #[test]
    fn each_decision_is_the_plain_rules(
        interval in 1_u64..2_000_000,
        burst in 1_u32..30,
        steps in prop::collection::vec((0_usize..5, 0_u64..3_000_000, 0_u32..35), 1..300),
    ) {
        let quota = Quota::per(1, Duration::from_micros(interval)).and_then(|one| one.burst(burst)).expect("good");
        let (_, counter, clock) = standing(100, quota);
        let mut now = 0;
        let mut arrivals = [0_u64; 5];
        for (who, wait, cost) in steps {
            let wait = wait.saturating_sub(1_500_000);
            clock.advance(Duration::from_micros(wait));
            now += wait;
            let debt = arrivals[who].max(now) - now;
            let after = debt + u64::from(cost) * interval;
            let allowed = after <= u64::from(burst) * interval;
            let debt = if allowed { after } else { debt };
            arrivals[who] = now + debt;
            let decision = count(&*counter, &stranger(who as u64), cost);
            prop_assert_eq!(decision, Decision::new(quota, allowed, cost, debt));
        }
    }
}
