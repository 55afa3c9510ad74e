use super::*;

/// Milliseconds since the epoch at which everything is judged.
const NOW: i64 = 1_795_806_433_112;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_micros(milliseconds.saturating_mul(1000))
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn refilled(interval: Option<u64>, amount: Option<i64>) -> KeyAllowance {
    KeyAllowance { refill_interval: interval.map(ms), refill_amount: amount, ..KeyAllowance::default() }
}

fn rate(window: u64, max: i64) -> KeyAllowance {
    KeyAllowance { rate_limit_enabled: true, time_window: Some(ms(window)), max: Some(max), ..KeyAllowance::default() }
}

fn left(remaining: i64) -> KeyUsage {
    KeyUsage { remaining: Some(remaining), ..KeyUsage::default() }
}

/// One use of a key made a second before.
fn used(allowance: &KeyAllowance, before: &KeyUsage) -> Outcome {
    allowance.use_once(before, at(NOW - 1000), at(NOW))
}

const fn later(wait: u64) -> Result<(), OverQuota> {
    Err(OverQuota { retry_after: Some(ms(wait)) })
}

const NEVER: Result<(), OverQuota> = Err(OverQuota { retry_after: None });

#[test]
fn uses_that_are_left_are_taken_one_by_one() {
    for (remaining, allowance, verdict, after) in [
        (2, refilled(None, None), Ok(()), 1),
        (1, refilled(None, None), Ok(()), 0),
        (0, refilled(None, None), NEVER, 0),
        (-1, refilled(None, None), NEVER, -1),
        (i64::MAX, refilled(None, None), Ok(()), i64::MAX - 1),
        (i64::MIN, refilled(None, None), NEVER, i64::MIN),
        // Half of a refill, or one of nothing, is none.
        (0, refilled(Some(10), None), NEVER, 0),
        (0, refilled(None, Some(5)), NEVER, 0),
        (0, refilled(Some(0), Some(5)), NEVER, 0),
        (0, refilled(Some(10), Some(0)), NEVER, 0),
        (0, refilled(Some(10), Some(-5)), NEVER, 0),
    ] {
        let outcome = used(&allowance, &left(remaining));
        assert_eq!((outcome.verdict, outcome.after.remaining), (verdict, Some(after)), "{remaining} {allowance:?}");
        assert_eq!(outcome.after.last_refill_at, None);
    }
}

/// A second after the key was made, or `since` after its last refill: due when more than the interval has passed.
#[test]
fn a_refill_is_due_after_the_interval_and_not_at_its_end() {
    for (since, interval, remaining, verdict, after, is_refilled) in [
        (None, 999, 0, Ok(()), 4, true),
        (None, 1000, 0, later(1), 0, false),
        (None, 1001, 0, later(2), 0, false),
        (None, 999, 3, Ok(()), 4, true), // a refill takes away nothing and adds nothing to what is left
        (None, 999, 9, Ok(()), 4, true),
        (None, 1000, 3, Ok(()), 2, false),
        (Some(500), 499, 0, Ok(()), 4, true),
        (Some(500), 500, 0, later(1), 0, false),
        (Some(500), 86_400_000, 0, later(86_399_501), 0, false),
        (Some(-500), 500, 0, later(1001), 0, false), // refilled by a clock ahead of ours
    ] {
        let before = KeyUsage { last_refill_at: since.map(|since| at(NOW - since)), ..left(remaining) };
        let outcome = used(&refilled(Some(interval), Some(5)), &before);
        assert_eq!((outcome.verdict, outcome.after.remaining), (verdict, Some(after)), "{since:?} {interval}");
        let refilled_at = if is_refilled { Some(at(NOW)) } else { before.last_refill_at };
        assert_eq!(outcome.after.last_refill_at, refilled_at, "{since:?} {interval}");
    }
}

#[test]
fn uses_are_counted_in_a_window_from_one_to_the_next() {
    for (since, count, verdict, after) in [
        (None, 0, Ok(()), 1),
        (None, 99, Ok(()), 1), // never used, whatever the count says
        (Some(0), 1, Ok(()), 2),
        (Some(0), 2, later(1001), 2),
        (Some(999), 2, later(2), 2),
        (Some(1000), 2, later(1), 2),
        (Some(1001), 2, Ok(()), 1),
        (Some(1000), 1, Ok(()), 2),
        (Some(1001), 1, Ok(()), 1),
        (Some(-5000), 2, later(6001), 2), // used by a clock ahead of ours
        (Some(0), i64::MAX, later(1001), i64::MAX),
        (Some(0), i64::MIN, Ok(()), i64::MIN + 1),
    ] {
        let last_request = since.map(|since| at(NOW - since));
        let before = KeyUsage { request_count: count, last_request, ..KeyUsage::default() };
        let outcome = used(&rate(1000, 2), &before);
        let is_allowed = verdict.is_ok();
        assert_eq!((outcome.verdict, outcome.after.request_count), (verdict, after), "{since:?} {count}");
        let used_at = if is_allowed { Some(at(NOW)) } else { last_request };
        assert_eq!(outcome.after.last_request, used_at, "{since:?} {count}");
    }
    // As Better Auth has it, the first use in a window is not held against the maximum.
    assert_eq!(used(&rate(1000, 0), &KeyUsage::default()).verdict, Ok(()));
}

#[test]
fn a_use_that_comes_too_fast_still_costs_one() {
    let before = KeyUsage { request_count: 2, last_request: Some(at(NOW)), ..left(3) };
    let outcome = used(&rate(1000, 2), &before);
    assert_eq!(outcome, Outcome { after: KeyUsage { remaining: Some(2), ..before.clone() }, verdict: later(1001) });
    // With nothing left it is not counted at all.
    let before = KeyUsage { request_count: 1, ..left(0) };
    assert_eq!(used(&rate(1000, 2), &before), Outcome { after: before, verdict: NEVER });
}

#[test]
fn what_is_limited_is_said_by_the_row() {
    let unlimited = KeyUsage::default();
    assert!(!KeyAllowance::default().is_limited(&unlimited));
    assert!(KeyAllowance::default().is_limited(&left(0)));
    assert!(!refilled(Some(1), Some(1)).is_limited(&unlimited), "a refill of nothing that is counted");
    assert!(rate(1, 1).is_limited(&unlimited));
    for allowance in [
        KeyAllowance { rate_limit_enabled: false, ..rate(1, 1) },
        KeyAllowance { time_window: None, ..rate(1, 1) },
        KeyAllowance { max: None, ..rate(1, 1) },
    ] {
        assert!(!allowance.is_limited(&unlimited), "{allowance:?}");
    }
}

/// With the rate limit switched off the time of use is noted; with one that is not complete nothing is.
#[test]
fn a_use_is_noted_as_better_auth_notes_it() {
    let off = used(&KeyAllowance { rate_limit_enabled: false, ..rate(1000, 0) }, &left(2));
    assert_eq!(off.after, KeyUsage { last_request: Some(at(NOW)), ..left(1) });
    let incomplete = used(&KeyAllowance { max: None, ..rate(1000, 0) }, &left(2));
    assert_eq!(incomplete.after, left(1));
}

#[test]
fn times_are_whole_milliseconds_and_none_overflows() {
    let now = Timestamp::from_micros(NOW * 1000 + 999);
    let outcome = rate(1000, 2).use_once(&KeyUsage::default(), at(0), now);
    assert_eq!(outcome.after.last_request, Some(at(NOW)));

    let instants = [i64::MIN, -1, 0, 1, i64::MAX].map(Timestamp::from_micros);
    let spans = [Duration::ZERO, ms(1), ms(u64::MAX), Duration::MAX];
    for (span, (now, then)) in spans.iter().flat_map(|span| {
        let pairs = instants.iter().flat_map(|now| instants.iter().map(move |then| (*now, *then)));
        pairs.map(move |pair| (*span, pair))
    }) {
        for number in [i64::MIN, -1, 0, 1, i64::MAX] {
            let allowance = KeyAllowance {
                refill_interval: Some(span),
                refill_amount: Some(number),
                rate_limit_enabled: true,
                time_window: Some(span),
                max: Some(number),
            };
            let before = KeyUsage {
                remaining: Some(number),
                last_refill_at: Some(then),
                request_count: number,
                last_request: Some(then),
            };
            let outcome = allowance.use_once(&before, then, now);
            assert!(outcome.verdict.is_err() || outcome.after.remaining.is_some_and(|left| left >= 0));
        }
    }
}
