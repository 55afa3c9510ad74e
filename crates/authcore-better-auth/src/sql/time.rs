//! The forms in which Better Auth's database layers store an instant.

use authcore::Timestamp;

use crate::date::{self, number};

/// What zoneless times are written in: seconds east of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Zone(i64);

impl Zone {
    /// From `Z`, `+02:00` or `-05`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        zone(text.as_bytes()).map(Self)
    }
}

/// Reads `2026-11-27T19:07:13.112Z`, `… +00:00`, `2026-11-27 19:07:13` (in `zone`) and `1795806433112` (milliseconds since
/// the epoch). Anything else, and what lies outside the years 0 to 9999, is `None`; so is a number that is rather one of
/// seconds, as which a ban would have ended in 1970.
pub(crate) fn instant(text: &str, Zone(zone): Zone) -> Option<Timestamp> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let milliseconds: i64 = text.parse().ok()?;
        if milliseconds != 0 && milliseconds.unsigned_abs() < LEAST_MILLISECONDS {
            return None;
        }
        let micros = milliseconds.checked_mul(1000)?;
        return in_range(micros.div_euclid(MICROS)).map(|_| Timestamp::from_micros(micros));
    }
    clock(text.as_bytes(), zone)
}

/// An instant as text in the form of another that [`instant`] reads: to the millisecond, as JavaScript has them.
pub(super) fn written(instant: Timestamp, like: &str, Zone(zone): Zone) -> String {
    let milliseconds = instant.as_micros().div_euclid(1000);
    if !like.contains(':') {
        return milliseconds.to_string();
    }
    let end =
        like.get(19..).unwrap_or_default().trim_start_matches(|letter: char| letter == '.' || letter.is_ascii_digit());
    let (east, end) = match end {
        "" => (zone, ""),
        "Z" => (0, "Z"),
        _ => (0, "+00:00"),
    };
    let between = if like.contains('T') { 'T' } else { ' ' };
    date::text(milliseconds + east * 1000, between) + end
}

/// ISO 8601 with seconds, a space or a `T` between date and time, up to nine digits of a second, and a zone or none.
fn clock(text: &[u8], default_zone: i64) -> Option<Timestamp> {
    let (date_and_time, rest) = text.split_at_checked(19)?;
    let seconds = date::seconds(date_and_time, b'T').or_else(|| date::seconds(date_and_time, b' '))?;
    let (fraction, rest) = fraction(rest)?;
    let east = if rest.is_empty() { default_zone } else { zone(rest)? };
    in_range(seconds - east).map(|seconds| Timestamp::from_micros(seconds * MICROS + fraction))
}

/// Microseconds of `.112`, cut off and not rounded, and what follows.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else { return Some((0, text)) };
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    date::micros(digits).map(|micros| (micros, rest))
}

/// Seconds east of UTC.
fn zone(text: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match *text {
        [b'Z'] => return Some(0),
        [sign @ (b'+' | b'-'), h1, h2] => (sign, number(&[h1, h2])?, 0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => (sign, number(&[h1, h2])?, number(&[m1, m2])?),
        _ => return None,
    };
    let east = hours * 3600 + minutes * 60;
    let exists = hours <= 14 && minutes < 60;
    exists.then_some(if sign == b'-' { -east } else { east })
}

fn in_range(seconds: i64) -> Option<i64> {
    (Timestamp::from_seconds(seconds).as_seconds() == seconds).then_some(seconds)
}

const MICROS: i64 = 1_000_000;

/// March 1973: seconds are fewer until the year 5138.
const LEAST_MILLISECONDS: u64 = 100_000_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::date::days_in;

    const UTC: Zone = Zone(0);

    fn millis(text: &str, zone: &str) -> Option<i64> {
        let zone = Zone::parse(zone).expect("a zone");
        instant(text, zone).map(|instant| instant.as_micros() / 1000)
    }

    /// Forms that real servers left in real databases, with the instant meant.
    #[test]
    fn every_stored_form_is_the_instant_meant() {
        for (stored, zone, meant) in [
            ("2026-11-27T19:07:13.112Z", "Z", 1_795_806_433_112), // SQLite, built-in
            ("2026-11-27T19:07:13.112+00:00", "Z", 1_795_806_433_112), // SQLite, Prisma
            ("1795806616680", "Z", 1_795_806_616_680),            // SQLite, Drizzle
            ("2026-11-27T19:07:14.057000Z", "Z", 1_795_806_434_057), // PostgreSQL, built-in
            ("2026-11-27T19:10:19.971000", "Z", 1_795_806_619_971), // PostgreSQL, Drizzle
            ("2026-11-27 19:07:14.861", "Z", 1_795_806_434_861),  // MySQL
            ("2026-11-27 14:07:15.668", "-05:00", 1_795_806_435_668), // MySQL written in New York
        ] {
            assert_eq!(millis(stored, zone), Some(meant), "{stored} {zone}");
        }
        assert_eq!(millis("2026-11-27T19:07:13.112Z", "-05:00"), Some(1_795_806_433_112), "its own zone wins");
        assert_eq!(instant("1969-12-31T23:59:59.9999999Z", UTC), Some(Timestamp::from_micros(-1)));
        assert_eq!(instant("0", UTC), Some(Timestamp::from_micros(0)));
        for soonest in ["100000000000", "-100000000000"] {
            let micros = soonest.parse::<i64>().expect("a number") * 1000;
            assert_eq!(instant(soonest, UTC), Some(Timestamp::from_micros(micros)));
        }
    }

    #[test]
    fn nothing_else_is_an_instant() {
        for text in [
            "",
            "-",
            "soon",
            "infinity",
            "0000-00-00 00:00:00.000", // MySQL's zero date
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01",
            "2026-01-01T00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.0000000000Z",
            "2026-01-01T00:00:00 Z",
            "2026-01-01T00:00:00+15:00",
            "2026-01-01T00:00:00+1:00",
            "2026-01-01T00:00:00ZZ",
            "+12026-01-01T00:00:00Z",
            "1795806616680.5",
            " 1795806616680",
            "9223372036854775807",
            "253402300800000",
            "1795806433", // seconds, as Drizzle's other mode has them
            "99999999999",
            "-99999999999",
            "1",
            "٢٠٢٦-01-01T00:00:00Z",
        ] {
            assert_eq!(instant(text, UTC), None, "{text:?}");
        }
        for text in ["", "+", "UTC", "America/New_York", "+0500", "+05:60", "05:00"] {
            assert_eq!(Zone::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_instant_is_written_as_its_row_writes_them() {
        let instant_meant = Timestamp::from_micros(1_795_806_433_112_999);
        for (like, zone, text) in [
            ("2026-01-01T00:00:00.000Z", "Z", "2026-11-27T19:07:13.112Z"),
            ("2026-01-01T00:00:00+00:00", "Z", "2026-11-27T19:07:13.112+00:00"),
            ("2026-01-01T00:00:00.000+02:00", "Z", "2026-11-27T19:07:13.112+00:00"),
            ("2026-01-01T00:00:00.123456", "Z", "2026-11-27T19:07:13.112"),
            ("2026-01-01 00:00:00", "-05:00", "2026-11-27 14:07:13.112"),
            ("2026-01-01T00:00:00Z", "-05:00", "2026-11-27T19:07:13.112Z"),
            ("1767225600000", "-05:00", "1795806433112"),
        ] {
            let zone = Zone::parse(zone).expect("a zone");
            assert_eq!(written(instant_meant, like, zone), text, "{like}");
            assert_eq!(instant(text, zone), Some(Timestamp::from_micros(1_795_806_433_112_000)), "{text}");
        }
    }

    /// A plain second version: counts the days of all months since year 0.
    fn plainly_written(seconds: i64, micros: i64) -> String {
        let (mut left, time) = (seconds.div_euclid(86_400) + 719_528, seconds.rem_euclid(86_400));
        let (mut year, mut month) = (0, 1);
        while left >= days_in(month, year) {
            left -= days_in(month, year);
            (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        }
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z", left + 1)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in -62_167_219_200_i64..=Timestamp::MAX_SECONDS, micros in 0_i64..MICROS) {
            let text = plainly_written(seconds, micros);
            prop_assert_eq!(instant(&text, UTC), Some(Timestamp::from_micros(seconds * MICROS + micros)), "{}", text);
        }

        #[test]
        fn dates_are_written_as_a_plain_second_version_does(seconds in -62_167_219_200_i64..=Timestamp::MAX_SECONDS) {
            let text = written(Timestamp::from_micros(seconds * MICROS), "0000-01-01T00:00:00Z", UTC);
            prop_assert_eq!(text, plainly_written(seconds, 0).replace(".000000Z", ".000Z"));
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,40}") {
            let _ = instant(&text, UTC);
        }
    }
}
