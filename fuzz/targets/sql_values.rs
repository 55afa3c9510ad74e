//! What the databases hand over as text: on the first line a zone, then an instant, then the values of a row, each on a line
//! of its own; a line of `-` is null.
#![no_main]

use std::sync::Arc;

use authcore::Timestamp;
use authcore_better_auth::fuzzing::{json_date, sql_instant, sql_row};
use authcore_fuzz::{assert_tells_no_secret, first_line, planted};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = planted(data);
    let Ok(text) = std::str::from_utf8(&data) else { return };
    let (zone, rest) = first_line(text.as_bytes());
    let (instant, row) = first_line(rest);
    let text = |bytes| std::str::from_utf8(bytes).expect("cut at line ends");
    instants(text(zone), text(instant));
    rows(text(row));
});

fn instants(zone: &str, text: &str) {
    let found = sql_instant(text, zone);
    assert_eq!(found, sql_instant(text, zone));
    let in_utc = sql_instant(text, "Z");
    if text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit()) {
        // Of milliseconds; what is rather of seconds nobody takes for a time in 1970.
        let number = text.parse::<i64>().ok().filter(|number| *number == 0 || number.unsigned_abs() >= 100_000_000_000);
        let instant = number.and_then(|number| number.checked_mul(1000)).map(Timestamp::from_micros);
        assert_eq!(in_utc, instant.filter(|instant| (MIN..=Timestamp::MAX_SECONDS).contains(&instant.as_seconds())));
    }
    if let Some(instant) = found {
        assert!((MIN..=Timestamp::MAX_SECONDS).contains(&instant.as_seconds()));
        let written = written(instant);
        assert_eq!(sql_instant(&written, zone), Some(instant), "{text} is {written}");
        assert_eq!(sql_instant(&written.replace('T', " "), "Z"), Some(instant));
        assert_eq!(json_date(&written), Some(instant));
        // Its own zone wins; without one it is in the zone given, and without either in UTC.
        let east = seconds_east(zone).expect("an accepted zone") * 1_000_000;
        let bare = written.trim_end_matches('Z');
        let meant = Timestamp::from_micros(instant.as_micros() - east);
        let meant = Some(meant).filter(|meant| (MIN..=Timestamp::MAX_SECONDS).contains(&meant.as_seconds()));
        assert_eq!(sql_instant(bare, zone), meant, "{bare} {zone}");
        assert_eq!(sql_instant(&format!("{bare}{zone}"), "+14"), meant);
        let shift = in_utc.map(|utc| utc.as_micros() - instant.as_micros());
        assert!(shift.is_none_or(|shift| shift == 0 || shift == east), "{text} {zone}");
    }
    if let Some(date) = json_date(text) {
        assert_eq!(in_utc, Some(date), "dates in JSON are instants in databases");
    }
}

/// `Z`, `+02:00` or `-05`.
fn seconds_east(zone: &str) -> Option<i64> {
    let Some(sign) = [("+", 1), ("-", -1)].iter().find(|(sign, _)| zone.starts_with(sign)) else {
        return (zone == "Z").then_some(0);
    };
    let (hours, minutes) = zone[1..].split_once(':').unwrap_or((&zone[1..], "0"));
    Some(sign.1 * (hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60))
}

fn rows(row: &str) {
    let values = row.split('\n').map(|value| (value != "-").then(|| value.to_owned())).collect::<Vec<_>>();
    let value = |field| FIELDS.iter().position(|known| *known == field).and_then(|place| values.get(place)?.as_deref());
    let record = match sql_row(Arc::from(FIELDS), values.clone()) {
        Ok(record) => record,
        Err(error) => {
            let message = error.to_string();
            let field = message.strip_suffix("` holds what cannot be read").and_then(|rest| rest.strip_prefix('`'));
            assert!(field.is_some_and(|field| FIELDS.contains(&field)), "{message}");
            assert_tells_no_secret(&error);
            return;
        }
    };
    assert_eq!(Some(record.session.token.expose()), value("session.token"));
    assert_eq!(Some(record.session.user_id.as_str()), value("session.userId"));
    assert_eq!(record.session.id.as_deref(), value("session.id"));
    assert_eq!(record.session.impersonated_by.as_ref().map(AsRef::as_ref), value("session.impersonatedBy"));
    assert_eq!(Some(record.session.expires_at), value("session.expiresAt").and_then(|text| sql_instant(text, "Z")));
    assert_eq!(record.user.as_ref().map(|user| user.id.as_str()), value("user.id"));
    if let Some(user) = record.user {
        assert_eq!(user.role.as_deref(), value("user.role"));
        assert_eq!(user.banned, matches!(value("user.banned"), Some("1" | "true")));
        assert_eq!(user.ban_expires, value("user.banExpires").and_then(|text| sql_instant(text, "Z")));
        assert!(value("user.banned").is_none_or(|flag| ["0", "1", "false", "true"].contains(&flag)));
    }
}

/// Counts the days of all months since year 0.
fn written(instant: Timestamp) -> String {
    let (seconds, micros) = (instant.as_seconds(), instant.as_micros().rem_euclid(1_000_000));
    let (mut left, time) = (seconds.div_euclid(86_400) + 719_528, seconds.rem_euclid(86_400));
    let (mut year, mut month) = (0, 1);
    while left >= days_in(month, year) {
        left -= days_in(month, year);
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z", left + 1)
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The first second of year 0.
const MIN: i64 = -62_167_219_200;

const FIELDS: [&str; 16] = [
    "session.id",
    "session.token",
    "session.userId",
    "session.expiresAt",
    "session.createdAt",
    "session.impersonatedBy",
    "session.activeOrganizationId",
    "session.activeTeamId",
    "user.id",
    "user.email",
    "user.emailVerified",
    "user.name",
    "user.image",
    "user.role",
    "user.banned",
    "user.banExpires",
];
