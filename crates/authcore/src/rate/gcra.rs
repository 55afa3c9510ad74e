//! The arithmetic, which is governor's, over one word of state.
//!
//! Of each key one time is kept, its arrival time: when its quota is whole again. Its debt is what is missing until then,
//! `max(arrival, now) - now`, in whole microseconds. A cost is let through exactly if
//!
//! ```text
//! debt + cost * interval <= burst * interval
//! ```
//!
//! and then the debt grows by `cost * interval`; otherwise nothing changes. A cost of zero changes nothing either way.
//! That is the whole rule, so that another store can agree with this one to the microsecond.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};

use super::quota::Quota;

/// A quota in governor's words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    quota: Quota,
    governors: governor::Quota,
}

impl Rule {
    pub(super) fn new(quota: Quota) -> Self {
        // governor only adds and compares, so its nanoseconds may be our microseconds: nothing is multiplied or rounded.
        let interval = Duration::from_nanos(quota.interval_micros());
        let burst = NonZeroU32::new(quota.burst_size()).unwrap_or(NonZeroU32::MIN);
        let one = governor::Quota::with_period(interval).expect("a quota's interval is not zero");
        Self { quota, governors: one.allow_burst(burst) }
    }

    pub(super) fn quota(&self) -> Quota {
        self.quota
    }

    /// The debt after this cost, or `None` when it is not let through.
    pub(super) fn admit(&self, debt: u64, cost: u32) -> Option<u64> {
        // Governor multiplies before it compares.
        if cost > self.quota.burst_size() {
            return None;
        }
        let Some(cost) = NonZeroU32::new(cost) else {
            return (debt <= self.quota.window_micros()).then_some(debt);
        };
        let word = Word(Cell::new(debt));
        let limiter = Limiter::new(self.governors, &word, Now);
        match limiter.check_n(cost) {
            Ok(Ok(())) => Some(word.0.get()),
            // Too much for now, or more than the burst and so for ever.
            Ok(Err(_)) | Err(_) => None,
        }
    }
}

/// A few numbers on the stack.
type Limiter<'w> = governor::RateLimiter<NotKeyed, &'w Word, Now, NoOpMiddleware<Nanos>>;

/// One key's debt, as governor reads and writes it: a time from now on.
struct Word(Cell<u64>);

impl StateStore for &Word {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (allowed, debt) = decide(Some(self.0.get().into()))?;
        self.0.set(debt.as_u64());
        Ok(allowed)
    }
}

/// The moment of the decision, from which debts are measured.
struct Now;

impl Clock for Now {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use proptest::prelude::*;

    /// The rule as the module's page states it.
    fn plainly(quota: Quota, debt: u64, cost: u32) -> Option<u64> {
        let (interval, burst) = (u128::from(quota.interval_micros()), u128::from(quota.burst_size()));
        let after = u128::from(debt) + u128::from(cost) * interval;
        (after <= burst * interval).then(|| u64::try_from(after).expect("at most a window"))
    }

    fn quotas() -> impl Strategy<Value = Quota> {
        let quota = (1_u32..50, 1_u64..5_000_000, 1_u32..60);
        quota.prop_filter_map("makes sense", |(count, micros, burst)| {
            Quota::per(count, Duration::from_micros(micros)).ok()?.burst(burst).ok()
        })
    }

    proptest! {
        #[test]
        fn each_step_is_the_plain_rules_and_governors_own(
            quota in quotas(),
            steps in prop::collection::vec((0_u64..200, 0_u64..1_000, 0_u32..70), 1..200),
        ) {
            let rule = Rule::new(quota);
            let clock = FakeRelativeClock::default();
            let interval = quota.interval();
            let peer = governor::Quota::with_period(interval).expect("not zero")
                .allow_burst(NonZeroU32::new(quota.burst_size()).expect("not zero"));
            let peer = governor::RateLimiter::hashmap_with_clock(peer, clock.clone());
            let mut arrival = 0_u64;
            let mut now = 0_u64;
            for (intervals, fraction, cost) in steps {
                // Mostly by less than an interval, and often to the very microsecond at which one more is due.
                let wait = if intervals < 100 { 0 } else { interval.as_micros() as u64 * (intervals - 100) / 20 };
                let wait = wait + if fraction < 500 { 0 } else { interval.as_micros() as u64 * fraction / 1_000 };
                now += wait;
                clock.advance(Duration::from_micros(wait));

                let debt = arrival.saturating_sub(now);
                let after = rule.admit(debt, cost);
                prop_assert_eq!(after, plainly(quota, debt, cost));
                if let Some(cost) = NonZeroU32::new(cost) {
                    let theirs = matches!(peer.check_key_n(&"somebody", cost), Ok(Ok(())));
                    prop_assert_eq!(after.is_some(), theirs);
                }
                arrival = after.map_or(arrival, |debt| now + debt);
            }
        }
    }

    #[test]
    fn a_cost_that_no_sum_could_hold_is_refused() {
        for (quota, cost) in
            [("10/day", 2_135_039_825), ("5/day", 1_067_519_913), ("1/2h", u32::MAX), ("1/366d", u32::MAX)]
        {
            let quota: Quota = quota.parse().expect("a quota");
            assert_eq!(Rule::new(quota).admit(0, cost), None, "{quota}");
            assert_eq!(plainly(quota, 0, cost), None);
        }
    }

    #[test]
    fn the_last_microsecond_counts() {
        let rule = Rule::new("10/minute".parse().expect("good"));
        for (debt, cost, after) in [
            (0, 1, Some(6_000_000)),
            (0, 10, Some(60_000_000)),
            (0, 11, None),
            (54_000_000, 1, Some(60_000_000)),
            (54_000_001, 1, None),
            (60_000_000, 1, None),
            (60_000_000, 0, Some(60_000_000)),
            // Only where the clock went back is more than a window owed.
            (60_000_001, 0, None),
            (1 << 50, 1, None),
            (0, u32::MAX, None),
        ] {
            assert_eq!(rule.admit(debt, cost), after, "{cost} at a debt of {debt}");
            assert_eq!(plainly(rule.quota, debt, cost), after);
        }
    }
    #[test]
    fn the_longest_window_does_not_overflow() {
        let quota = Quota::per(1, Quota::MAX_WINDOW).expect("just within");
        assert_eq!(Rule::new(quota).admit(0, 1), Some(quota.window_micros()));
        let quota =
            Quota::per(1_000_000, Duration::from_secs(1)).and_then(|quota| quota.burst(u32::MAX)).expect("an hour");
        assert_eq!(Rule::new(quota).admit(0, u32::MAX), Some(u64::from(u32::MAX)));
        assert_eq!(Rule::new(quota).admit(1, u32::MAX), None);
    }
}
