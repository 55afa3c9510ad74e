//! Wall-clock time for judging tokens, passed in so that tests need not sleep.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// An instant: microseconds since the Unix epoch, which holds every `NumericDate` of RFC 7519 up to the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last second that fits four digits of a year: `9999-12-31T23:59:59Z`.
    pub const MAX_SECONDS: i64 = 253_402_300_799;

    /// From whole seconds since the epoch; what lies outside the years 0 to 9999 is clamped to them.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        const MIN: i64 = -62_167_219_200;
        let seconds = if seconds < MIN { MIN } else { seconds };
        let seconds = if seconds > Self::MAX_SECONDS { Self::MAX_SECONDS } else { seconds };
        Self(seconds * 1_000_000)
    }

    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant and a duration later; stops at the end of the range instead of wrapping.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A source of wall-clock time.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for Box<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The operating system's clock.
///
/// On Linux it is read to the kernel's tick, of some milliseconds, which costs a quarter of reading it to the nanosecond:
/// tokens are dated in whole seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        since_epoch().unwrap_or(Timestamp(i64::MAX))
    }
}

/// `None` for what 64 bits of microseconds do not hold: 292,000 years.
#[cfg(target_os = "linux")]
fn since_epoch() -> Option<Timestamp> {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    Some(Timestamp(now.tv_sec.checked_mul(1_000_000)?.checked_add(now.tv_nsec / 1_000)?))
}

#[cfg(not(target_os = "linux"))]
fn since_epoch() -> Option<Timestamp> {
    use std::time::{SystemTime, UNIX_EPOCH};
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // In 64 bits: `as_micros` divides in 128.
    let micros = since_epoch.as_secs().checked_mul(1_000_000)?.checked_add(since_epoch.subsec_micros().into())?;
    i64::try_from(micros).ok().map(Timestamp)
}

/// A clock that moves only when told to. Clones share the time.
#[derive(Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock standing at this many seconds since the epoch.
    #[must_use]
    pub fn at(seconds: i64) -> Self {
        Self(Arc::new(AtomicI64::new(Timestamp::from_seconds(seconds).0)))
    }

    /// Sets the clock, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::Relaxed);
    }

    /// Moves the clock forwards.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(by));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ManualClock({})", self.now().as_seconds())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn seconds_outside_four_digits_of_a_year_are_clamped_to_them() {
        const FIRST: i64 = -62_167_219_200;
        let clamped = |seconds: i64| Timestamp::from_seconds(seconds).as_seconds();
        for (seconds, expected) in [
            (i64::MIN, FIRST),
            (FIRST - 1, FIRST),
            (FIRST, FIRST),
            (FIRST + 1, FIRST + 1),
            (-1, -1),
            (0, 0),
            (Timestamp::MAX_SECONDS - 1, Timestamp::MAX_SECONDS - 1),
            (Timestamp::MAX_SECONDS, Timestamp::MAX_SECONDS),
            (Timestamp::MAX_SECONDS + 1, Timestamp::MAX_SECONDS),
            (i64::MAX, Timestamp::MAX_SECONDS),
        ] {
            assert_eq!(clamped(seconds), expected, "{seconds}");
        }
        assert_eq!(format!("{:?}", ManualClock::at(7)), "ManualClock(7)");
    }

    #[test]
    fn the_systems_clock_is_that_of_the_standard_library() {
        let of_std = || {
            let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
            Timestamp(i64::try_from(since_epoch.as_micros()).expect("not so late"))
        };
        // A tick comes late where the machine has other things to do, but not every time.
        let mut lags = (0..100).map(|_| {
            let (before, now, after) = (of_std(), SystemClock.now(), of_std());
            assert!(now <= after, "{now:?} {after:?}");
            before.since(now)
        });
        assert!(lags.any(|lag| lag <= Duration::from_millis(11)));
    }
}
