//! What was decided, and what a client may be told of it.

use std::time::Duration;

use super::quota::Quota;

/// Whether a request is within its quota, and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    quota: Quota,
    allowed: bool,
    cost: u32,
    /// Microseconds until the quota is whole again.
    debt: u64,
}

impl Decision {
    /// From what a store knows: whether it let this cost through, and in how many microseconds the quota is whole again, this
    /// request counted if it was let through. For stores of one's own.
    #[must_use]
    pub fn new(quota: Quota, allowed: bool, cost: u32, whole_again_micros: u64) -> Self {
        Self { quota, allowed, cost, debt: whole_again_micros }
    }

    /// Whether the request is let through.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// The quota it was measured by.
    #[must_use]
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// How many requests of cost 1 would be let through now.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        let left = self.quota.window_micros().saturating_sub(self.debt) / self.quota.interval_micros();
        u32::try_from(left).unwrap_or(u32::MAX)
    }

    /// The time until the quota is whole again.
    #[must_use]
    pub fn reset_after(&self) -> Duration {
        Duration::from_micros(self.debt)
    }

    /// The time until [`remaining`](Self::remaining) next grows; zero when it is whole.
    #[must_use]
    pub fn grows_after(&self) -> Duration {
        let whole = u64::from(self.quota.burst_size());
        let next = u64::from(self.remaining()) + 1;
        let debt_then = whole.saturating_sub(next) * self.quota.interval_micros();
        Duration::from_micros(if next > whole { 0 } else { self.debt.saturating_sub(debt_then) })
    }

    /// The time until this cost would be let through; `None` when it was, and when it never can be.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let window = self.quota.window_micros();
        let cost = self.quota.interval_micros().saturating_mul(u64::from(self.cost));
        let never = cost > window;
        (!self.allowed && !never).then(|| Duration::from_micros(self.debt.saturating_add(cost).saturating_sub(window)))
    }

    /// Whether this cost is more than the quota ever holds.
    #[must_use]
    pub fn is_never(&self) -> bool {
        !self.allowed && self.cost > self.quota.burst_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(allowed: bool, cost: u32, debt: u64) -> Decision {
        Decision::new("10/minute".parse().expect("good"), allowed, cost, debt)
    }

    #[test]
    fn what_is_left_follows_from_when_it_is_whole_again() {
        for (debt, remaining, grows) in [
            (0, 10, 0),
            (1, 9, 1),
            (6_000_000, 9, 6_000_000),
            (6_000_001, 8, 1),
            (59_999_999, 0, 5_999_999),
            (60_000_000, 0, 6_000_000),
        ] {
            let decision = decision(true, 1, debt);
            assert_eq!(decision.remaining(), remaining, "{debt}");
            assert_eq!(decision.grows_after().as_micros(), grows, "{debt}");
            assert_eq!(decision.reset_after().as_micros(), u128::from(debt));
            assert_eq!(decision.retry_after(), None);
        }
    }

    #[test]
    fn who_is_refused_is_told_when_to_come_back_unless_it_is_never() {
        let wait = |cost, debt| decision(false, cost, debt).retry_after().map(|wait| wait.as_micros());
        assert_eq!(wait(1, 60_000_000), Some(6_000_000));
        assert_eq!(wait(1, 54_000_001), Some(1));
        assert_eq!(wait(10, 6_000_000), Some(6_000_000));
        assert_eq!(wait(11, 0), None);
        assert!(decision(false, 11, 0).is_never() && !decision(false, 10, 1).is_never());
    }
}
