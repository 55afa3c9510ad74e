//! Dates as Better Auth writes them into JSON.

use std::fmt;

use authcore::Timestamp;
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// An instant in the one form that JavaScript's `toISOString` and Better Auth's own check allow:
/// `YYYY-MM-DDTHH:MM:SS[.fraction]Z`. Fractions count to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date(pub(crate) Timestamp);

impl Date {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z')?;
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, micros(fraction.as_bytes())?),
            None => (text, 0),
        };
        let seconds = seconds(whole.as_bytes(), b'T')?;
        Some(Self(Timestamp::from_micros(seconds * 1_000_000 + fraction)))
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Date;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date as YYYY-MM-DDTHH:MM:SS.sssZ")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Date, E> {
                Date::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Other("text"), &self))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// Seconds from the epoch to `YYYY-MM-DDTHH:MM:SS` as if in UTC, with this byte between date and time.
pub(crate) fn seconds(date_and_time: &[u8], between: u8) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, separator, h1, h2, b':', i1, i2, b':', s1, s2] = *date_and_time
    else {
        return None;
    };
    let year = number(&[y1, y2, y3, y4])?;
    let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[i1, i2])?, number(&[s1, s2])?);
    let on_the_clock = separator == between && hour < 24 && minute < 60 && second < 60;
    if !on_the_clock || !(1..=12).contains(&month) || !(1..=days_in(month, year)).contains(&day) {
        return None;
    }
    Some(days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// `YYYY-MM-DDTHH:MM:SS.mmm` in UTC, with this between date and time: what JavaScript's `toISOString` puts before its
/// `Z`.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql", feature = "redis", test))]
pub(crate) fn text(milliseconds: i64, between: char) -> String {
    let (days, of_day) = (milliseconds.div_euclid(86_400_000), milliseconds.rem_euclid(86_400_000));
    let (year, month, day) = date_of(days);
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}.{:03}", of_day % 1000)
}

/// The digits as a number; `None` when something else is among them.
pub(crate) fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

/// A fraction of a second in microseconds, cut off where it is finer. JavaScript writes three digits.
pub(crate) fn micros(digits: &[u8]) -> Option<i64> {
    if !(1..=9).contains(&digits.len()) {
        return None;
    }
    number(digits)?;
    let six: [u8; 6] = std::array::from_fn(|place| digits.get(place).copied().unwrap_or(b'0'));
    number(&six)
}

pub(crate) fn days_in(month: i64, year: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar, the year taken to begin in March so that the odd day comes last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 719_469
}

/// The other way round: the year is guessed from its mean length, and then put right.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql", feature = "redis", test))]
fn date_of(days: i64) -> (i64, i64, i64) {
    let mut year = 1970 + (days * 400).div_euclid(146_097);
    while days_since_epoch(year, 1, 1) > days {
        year -= 1;
    }
    while days_since_epoch(year + 1, 1, 1) <= days {
        year += 1;
    }
    let (mut month, mut left) = (1, days - days_since_epoch(year, 1, 1));
    while left >= days_in(month, year) {
        left -= days_in(month, year);
        month += 1;
    }
    (year, month, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros_of(text: &str) -> Option<i64> {
        Date::parse(text).map(|date| date.0.as_micros())
    }

    #[test]
    fn dates_are_instants() {
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.000001Z", 1),
            ("1969-12-31T23:59:59.999Z", -1_000),
            ("2000-02-29T12:34:56.5Z", 951_827_696_500_000),
            ("2026-11-27T19:11:31.865Z", 1_795_806_691_865_000),
            ("9999-12-31T23:59:59.999999999Z", 253_402_300_799_999_999),
            ("0000-03-01T00:00:00Z", -62_162_035_200_000_000),
        ] {
            assert_eq!(micros_of(text), Some(micros), "{text}");
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut expected = Date::parse("1899-12-31T00:00:00Z").expect("a date").0.as_micros();
        for year in 1900..2110 {
            for month in 1..=12 {
                for day in 1..=days_in(month, year) {
                    expected += 86_400_000_000;
                    assert_eq!(micros_of(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z")), Some(expected));
                }
            }
        }
    }

    #[test]
    fn dates_are_written_as_they_are_read() {
        for milliseconds in [0, -1, 951_827_696_500, 1_795_806_691_865, 253_402_300_799_999, -62_167_219_200_000] {
            let written = text(milliseconds, 'T') + "Z";
            assert_eq!(micros_of(&written), Some(milliseconds * 1000), "{written}");
        }
        assert_eq!(text(1_795_806_691_865, ' '), "2026-11-27 19:11:31.865");
    }

    #[test]
    fn other_forms_and_impossible_dates_are_none() {
        for text in [
            "",
            "2026-11-27",
            "2026-11-27T19:11:31",
            "2026-11-27T19:11:31+00:00",
            "2026-11-27 19:11:31Z",
            "2026-11-27T19:11Z",
            "2026-11-27t19:11:31z",
            "2026-11-27T19:11:31.Z",
            "2026-11-27T19:11:31.1234567890Z",
            "2026-11-27T19:11:31,5Z",
            "2026-11-27T19:11:31.-5Z",
            "+2026-11-27T19:11:31Z",
            "12026-11-27T19:11:31Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "２026-01-01T00:00:00Z",
            " 2026-01-01T00:00:00Z",
        ] {
            assert_eq!(micros_of(text), None, "{text}");
        }
    }
}
