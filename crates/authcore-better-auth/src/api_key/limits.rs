//! How often, and how fast, a key may be used: arithmetic only. Better Auth's own, step by step; its times are whole
//! milliseconds.

use std::time::Duration;

use authcore::Timestamp;

/// What becomes of keys that carry limits of their own: a number of uses left, or so many in a time.
///
/// By Better Auth's default every key carries one: ten uses in a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyLimits {
    /// They are refused here: a limit that only some services count is none.
    #[default]
    Refuse,
    /// They are accepted without counting, also when nothing is left of them.
    Ignore,
    /// They are counted where the auth server counts them, in the key's row: for stores that may write there.
    Enforce,
}

/// What a key's row allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyAllowance {
    /// How long after the last refill the next is due.
    pub refill_interval: Option<Duration>,
    /// To how many uses it is refilled.
    pub refill_amount: Option<i64>,
    /// Whether the uses in a time are limited.
    pub rate_limit_enabled: bool,
    /// The time in which uses are counted: from one to the next.
    pub time_window: Option<Duration>,
    /// How many there may be in it.
    pub max: Option<i64>,
}

/// The counters of a key's row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyUsage {
    /// How many uses are left; `None` for any number.
    pub remaining: Option<i64>,
    /// When it was refilled.
    pub last_refill_at: Option<Timestamp>,
    /// How many uses there were in the present window.
    pub request_count: i64,
    /// When it was used.
    pub last_request: Option<Timestamp>,
}

/// What one more use comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The counters after it, also after a refused one.
    pub(super) after: KeyUsage,
    pub(super) verdict: Result<(), OverQuota>,
}

/// Nothing is left, or not yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OverQuota {
    pub(super) retry_after: Option<Duration>,
}

impl KeyAllowance {
    /// Whether a key of this allowance and these counters carries a limit.
    #[must_use]
    pub fn is_limited(&self, usage: &KeyUsage) -> bool {
        usage.remaining.is_some() || self.rate().is_some()
    }

    /// One more use at `now`. As in Better Auth, one that comes too fast still costs one of those that are left.
    pub(super) fn use_once(&self, before: &KeyUsage, created_at: Timestamp, now: Timestamp) -> Outcome {
        let now = Timestamp::from_micros(now.as_micros().div_euclid(1000).saturating_mul(1000));
        let mut after = before.clone();
        let verdict = self.take_one(&mut after, created_at, now).and_then(|()| self.count(&mut after, now));
        Outcome { after, verdict }
    }

    /// Takes one of the uses that are left, after a refill if one is due.
    fn take_one(&self, usage: &mut KeyUsage, created_at: Timestamp, now: Timestamp) -> Result<(), OverQuota> {
        let Some(mut left) = usage.remaining else { return Ok(()) };
        let mut retry_after = None;
        if let Some((interval, amount)) = self.refill() {
            let last = usage.last_refill_at.unwrap_or(created_at);
            match left_of(interval, last, now) {
                None => (left, usage.last_refill_at) = (amount, Some(now)),
                wait => retry_after = wait,
            }
        }
        if left <= 0 {
            return Err(OverQuota { retry_after });
        }
        usage.remaining = Some(left - 1);
        Ok(())
    }

    /// Counts a use within the window, which begins anew with each.
    fn count(&self, usage: &mut KeyUsage, now: Timestamp) -> Result<(), OverQuota> {
        if !self.rate_limit_enabled {
            usage.last_request = Some(now);
            return Ok(());
        }
        let Some((window, max)) = self.rate() else { return Ok(()) };
        let wait = usage.last_request.and_then(|last| left_of(window, last, now));
        match wait {
            None => usage.request_count = 1,
            Some(_) if usage.request_count >= max => return Err(OverQuota { retry_after: wait }),
            Some(_) => usage.request_count = usage.request_count.saturating_add(1),
        }
        usage.last_request = Some(now);
        Ok(())
    }

    /// Zero is "not configured" in JavaScript.
    fn refill(&self) -> Option<(Duration, i64)> {
        let interval = self.refill_interval.filter(|interval| !interval.is_zero())?;
        Some((interval, self.refill_amount.filter(|amount| *amount > 0)?))
    }

    fn rate(&self) -> Option<(Duration, i64)> {
        self.rate_limit_enabled.then_some(())?;
        self.time_window.zip(self.max)
    }
}

/// How long until more than this time has passed since; `None` when it has. To the millisecond after its end, since
/// exactly so much is not more.
fn left_of(time: Duration, since: Timestamp, now: Timestamp) -> Option<Duration> {
    let over = since.saturating_add(time);
    (now <= over).then(|| over.since(now).saturating_add(Duration::from_millis(1)))
}

#[cfg(test)]
mod tests;
