//! One decision as it is kept: its fields as text, of bounded length.

use authcore::{Decision, Timestamp};
use chrono::{DateTime, SecondsFormat};

/// The fields of one row, in the order of [`COLUMNS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry(pub(crate) [Option<String>; COLUMNS.len()]);

/// What a row says, between the place in its chain and the hash.
pub(crate) const COLUMNS: [&str; 11] = [
    "at",
    "actor",
    "issuer",
    "impersonated_by",
    "action",
    "kind",
    "object_id",
    "owner",
    "organization",
    "decision",
    "reason",
];

impl Entry {
    pub(super) fn of(decision: &Decision<'_>, now: Timestamp) -> Self {
        let Decision { caller, action, object, owner, organization, is_allowed, reason, .. } = decision;
        let fields = [
            None,
            Some(caller.user_id().as_str()),
            caller.issuer(),
            caller.impersonated_by().map(|administrator| administrator.as_str()),
            Some(action.as_str()),
            object.map(|object| object.kind()),
            object.map(|object| object.id()),
            *owner,
            *organization,
            Some(if *is_allowed { "allowed" } else { "denied" }),
            Some(reason),
        ];
        Self::at(now, fields.map(|text| text.map(bounded)))
    }

    /// That so many decisions before this one are missing.
    pub(super) fn lost(count: u64, now: Timestamp) -> Self {
        let mut fields = [const { None }; COLUMNS.len()];
        fields[9] = Some("lost".to_owned());
        fields[10] = Some(format!("{count} decisions were lost"));
        Self::at(now, fields)
    }

    /// In ASCII: what else there is as `\u{…}`.
    pub(super) fn escape(&mut self) {
        let ascii = |text: &mut String| {
            let escaped = text.chars().map(|letter| match letter {
                letter if letter.is_ascii() => letter.to_string(),
                letter => letter.escape_unicode().to_string(),
            });
            *text = escaped.collect();
        };
        self.0.iter_mut().flatten().for_each(ascii);
    }

    fn at(now: Timestamp, mut fields: [Option<String>; COLUMNS.len()]) -> Self {
        fields[0] = Some(rfc3339(now));
        Self(fields)
    }
}

/// 1 KiB at most, the rest left out for an ellipsis, and without `NUL`, which not every database takes: no caller's text
/// makes a row that cannot be written.
fn bounded(text: &str) -> String {
    const MOST: usize = 1024;
    let mut end = text.len().min(MOST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let kept = text[..end].replace('\0', "\u{fffd}");
    if end < text.len() { kept + "\u{2026}" } else { kept }
}

/// RFC 3339, in UTC, with microseconds: `2026-01-31T09:30:00.000000Z`. Of one length, so that texts sort as times do.
fn rfc3339(at: Timestamp) -> String {
    let time = DateTime::from_timestamp_micros(at.as_micros()).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (951_868_800, "2000-03-01T00:00:00"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (1_700_000_000, "2023-11-14T22:13:20"),
            (-1, "1969-12-31T23:59:59"),
            (Timestamp::MAX_SECONDS, "9999-12-31T23:59:59"),
        ] {
            assert_eq!(rfc3339(Timestamp::from_seconds(seconds)), format!("{text}.000000Z"));
        }
        assert_eq!(rfc3339(Timestamp::from_micros(1_700_000_000_000_042)), "2023-11-14T22:13:20.000042Z");
    }

    #[test]
    fn no_text_is_too_long_or_holds_what_a_database_refuses() {
        assert_eq!(bounded("a\0b"), "a\u{fffd}b");
        assert_eq!(bounded(&"x".repeat(1024)), "x".repeat(1024));
        assert_eq!(bounded(&"ä".repeat(600)), "ä".repeat(512) + "…");
        assert_eq!(bounded(&("x".to_owned() + &"ä".repeat(600))), "x".to_owned() + &"ä".repeat(511) + "…");
    }
}
