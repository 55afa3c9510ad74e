//! Values of options, as people write them.

use std::time::Duration;

use authcore::Timestamp;

/// Unix seconds, fractions allowed, up to the year 9999.
pub(crate) fn unix_seconds(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse::<i64>() {
        return of_seconds(seconds as f64).map(|_| Timestamp::from_seconds(seconds));
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'e' | b'E' | b'+'));
    let seconds = text.parse::<f64>().ok().filter(|_| plain).ok_or(NO_TIME)?;
    of_seconds(seconds)
}

/// The same of a number.
pub(crate) fn of_seconds(seconds: f64) -> Result<Timestamp, String> {
    #[expect(clippy::cast_precision_loss, reason = "the bound is far below 2^53")]
    let most = Timestamp::MAX_SECONDS as f64;
    if !(-62_167_219_200.0..=most).contains(&seconds) {
        return Err(NO_TIME.to_owned());
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded above and below")]
    Ok(Timestamp::from_micros((seconds * 1e6).round() as i64))
}

const NO_TIME: &str = "takes Unix seconds up to the year 9999, as in 1750000000 or 1750000000.5";

/// `30s`, `15m`, `2h`, `1d`, `500ms`, or a number of seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 0,
    };
    let whole = number.parse::<u64>().ok().filter(|_| millis > 0).and_then(|number| number.checked_mul(millis));
    whole.map(Duration::from_millis).ok_or_else(|| "takes a whole number and a unit, as in 30s, 15m or 1d".to_owned())
}

/// A whole number. Below zero only where its type is, and no larger than its type holds.
pub(crate) fn whole<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "takes a whole number within its range".to_owned())
}

/// A header field as it stands in a request: `Name: value`.
pub(crate) fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("takes a header field, as in 'Cookie: name=value'")?;
    Ok((name.trim().to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_with_or_without_a_fraction() {
        let micros = |text| unix_seconds(text).ok().map(Timestamp::as_micros);
        assert_eq!(micros("1750000000"), Some(1_750_000_000_000_000));
        assert_eq!(micros("1750000000.25"), Some(1_750_000_000_250_000));
        assert_eq!(micros("1.75e9"), Some(1_750_000_000_000_000));
        assert_eq!(micros("-1"), Some(-1_000_000));
        for bad in ["", "now", "inf", "NaN", "1e300", "253402300800", "1750000000000000", "-1e12", "0x10"] {
            assert_eq!(micros(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_have_a_unit_or_are_seconds() {
        let millis = |text| duration(text).ok().map(|duration| duration.as_millis());
        for (text, expected) in [("30s", 30_000), ("30", 30_000), ("15m", 900_000), ("2h", 7_200_000), ("5ms", 5)] {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
        for bad in ["", "s", "-1s", "1.5s", "1 s", "1w", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(millis(bad), None, "{bad}");
        }
    }
}
