//! How much is allowed: so many in so long, and how many at once.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::ConfigError;

/// So many in so long, and how many of them at once: `10/minute` lets ten through at once and then one every six seconds.
///
/// ```
/// use authcore::rate::Quota;
///
/// let quota: Quota = "100/15min".parse()?;
/// assert_eq!((quota.burst_size(), quota.interval().as_secs()), (100, 9));
/// assert_eq!(quota, Quota::per(100, std::time::Duration::from_secs(900))?);
/// assert!("0/minute".parse::<Quota>().is_err());
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    /// Microseconds after which one more is allowed.
    interval: u64,
    burst: u32,
}

impl Quota {
    /// The longest time in which a quota may become whole again.
    pub const MAX_WINDOW: Duration = Duration::from_secs(366 * 24 * 60 * 60);

    /// So many in this time, all of them at once if need be. One more is allowed each `period / count`, rounded up to the
    /// microsecond.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the count or the period is zero, there are more than one in a microsecond, or the quota would
    /// take longer than [`Self::MAX_WINDOW`] to become whole again.
    pub fn per(count: u32, period: Duration) -> Result<Self, ConfigError> {
        let refused = |why| Err(ConfigError::new(format!("quota: {why}, as in 10/minute")));
        if count == 0 || period.is_zero() {
            return refused("count and time are more than zero");
        }
        if period.as_nanos() < u128::from(count) * 1_000 {
            return refused("at most one in a microsecond");
        }
        let interval = period.as_nanos().div_ceil(u128::from(count) * 1_000);
        let interval = u64::try_from(interval).unwrap_or(u64::MAX);
        Self { interval, burst: count }.checked()
    }

    /// How many are allowed at once: the count by default. One that is larger lets more be saved up, a smaller one spreads
    /// requests out.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it is zero, or would take longer than [`Self::MAX_WINDOW`] to become whole again.
    pub fn burst(self, burst: u32) -> Result<Self, ConfigError> {
        if burst == 0 {
            return Err(ConfigError::new("quota: a burst of zero lets nothing through"));
        }
        Self { burst, ..self }.checked()
    }

    /// How many are allowed at once.
    #[must_use]
    pub fn burst_size(&self) -> u32 {
        self.burst
    }

    /// The time after which one more is allowed, in whole microseconds.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_micros(self.interval)
    }

    /// The time in which a quota that is used up becomes whole again.
    #[must_use]
    pub fn window(&self) -> Duration {
        Duration::from_micros(self.window_micros())
    }

    pub(crate) fn interval_micros(&self) -> u64 {
        self.interval
    }

    pub(crate) fn window_micros(&self) -> u64 {
        self.interval * u64::from(self.burst)
    }

    fn checked(self) -> Result<Self, ConfigError> {
        let window = self.interval.checked_mul(u64::from(self.burst)).map(Duration::from_micros);
        match window {
            Some(window) if window <= Self::MAX_WINDOW => Ok(self),
            _ => Err(ConfigError::new("quota: would take more than a year to become whole again")),
        }
    }
}

/// `COUNT/UNIT` or `COUNT/DURATION`: `10/minute`, `100/60s`, `5/15min`.
///
/// Units are `ms`, `s`, `second`, `min`, `minute`, `h`, `hour`, `d` and `day`; a duration has a whole number before one.
impl FromStr for Quota {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let refused = || ConfigError::new("quota: takes a count and a time, as in 10/minute or 100/15min");
        let (count, period) = text.trim().split_once('/').ok_or_else(refused)?;
        let digits = period.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = period.split_at(digits);
        let number = if number.is_empty() { Some(1) } else { whole(number) };
        let period = number.zip(unit_micros(unit)).and_then(|(number, unit)| number.checked_mul(unit));
        let count = whole(count).and_then(|count| u32::try_from(count).ok());
        let (count, period) = count.zip(period).ok_or_else(refused)?;
        Self::per(count, Duration::from_micros(period))
    }
}

/// Digits alone: no sign, no space.
fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn unit_micros(unit: &str) -> Option<u64> {
    let seconds = match unit {
        "ms" => return Some(1_000),
        "s" | "sec" | "second" => 1,
        "min" | "minute" => 60,
        "h" | "hour" => 60 * 60,
        "d" | "day" => 24 * 60 * 60,
        _ => return None,
    };
    Some(seconds * 1_000_000)
}

impl fmt::Display for Quota {
    /// The burst, and how long it takes to become whole again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}us", self.burst, self.window_micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(u32, u64)> {
        text.parse::<Quota>().ok().map(|quota| (quota.burst, quota.interval))
    }

    #[test]
    fn quotas_are_read_as_written() {
        for (text, burst, interval) in [
            ("10/minute", 10, 6_000_000),
            ("100/15min", 100, 9_000_000),
            ("100/60s", 100, 600_000),
            ("5/h", 5, 720_000_000),
            ("1/day", 1, 86_400_000_000),
            ("3/second", 3, 333_334),
            ("100/900000ms", 100, 9_000_000),
            (" 7/2d ", 7, 24_685_714_286),
        ] {
            assert_eq!(parsed(text), Some((burst, interval)), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "10",
            "/minute",
            "10/",
            "10/0s",
            "0/minute",
            "-1/minute",
            "+1/minute",
            "1.5/minute",
            "10/minutes ago",
            "10/-1s",
            "10/1.5h",
            "10 /minute",
            "10/ minute",
            "4294967296/minute",
            "10/fortnight",
            "10/MINUTE",
            "1000001/second",
            "1/367d",
            "10/99999999999999999999s",
            "2/18446744073709551615d",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
        assert_eq!(Quota::per(1, Duration::from_nanos(1_001)).map(|quota| quota.interval).ok(), Some(2));
        assert!(Quota::per(1, Duration::ZERO).is_err() && Quota::per(1, Duration::MAX).is_err());
        let quota: Quota = "1/day".parse().expect("good");
        assert!(quota.burst(0).is_err() && quota.burst(366).is_ok() && quota.burst(367).is_err());
        assert!(quota.burst(u32::MAX).is_err());
    }
}
