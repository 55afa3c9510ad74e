//! The text that begins a transaction and says for whom: the only place that asserts a text to be safe.
//!
//! It goes in one piece as a simple query, and that takes no arguments; so values are written in hexadecimal digits, which
//! need no quoting and which the server turns back. Settings are local to the transaction (`true`), functions are named with
//! their schema, so that no other of their name can be meant.

use std::fmt::Write as _;

use authcore::{Access, UserScope};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

pub(super) fn statement(scope: &UserScope, access: Access) -> SqlStr {
    let begin = match access {
        Access::Read => "BEGIN READ ONLY",
        Access::Full => "BEGIN READ WRITE",
    };
    AssertSqlSafe(text(begin, &settings(scope))).into_sql_str()
}

/// What policies can read: the name, and the value for this scope.
fn settings(scope: &UserScope) -> [(&'static str, &str); 2] {
    [(USER_ID, scope.owner().as_str()), ("authcore.actor_id", scope.actor().as_str())]
}

pub(super) const USER_ID: &str = "authcore.user_id";

fn text(begin: &'static str, settings: &[(&'static str, &str)]) -> String {
    let room = settings.iter().map(|(_, value)| 128 + 2 * value.len()).sum::<usize>();
    let mut text = String::with_capacity(32 + room);
    text.push_str(begin);
    for (index, (name, value)) in settings.iter().enumerate() {
        text.push_str(if index == 0 { ";SELECT " } else { "," });
        text.push_str("pg_catalog.set_config('");
        text.push_str(name);
        text.push_str("',pg_catalog.convert_from(pg_catalog.decode('");
        for byte in value.bytes() {
            let _ = write!(text, "{byte:02x}"); // a String takes everything
        }
        text.push_str("','hex'),'UTF8'),true)");
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_is_digits_whatever_it_holds() {
        assert_eq!(
            text("BEGIN READ ONLY", &[("a.b", "ü'\\"), ("c.d", "")]),
            "BEGIN READ ONLY;SELECT pg_catalog.set_config('a.b',pg_catalog.convert_from(pg_catalog.decode('c3bc275c','hex'),\
             'UTF8'),true),pg_catalog.set_config('c.d',pg_catalog.convert_from(pg_catalog.decode('','hex'),'UTF8'),true)"
        );
    }

    proptest! {
        #[test]
        fn no_value_changes_the_shape(value in "\\PC{0,64}") {
            let text = text("BEGIN", &[("a.b", &value)]);
            let digits = value.len() * 2;
            let plain = super::text("BEGIN", &[("a.b", "")]);
            let place = plain.find("''").expect("an empty value") + 1;
            prop_assert_eq!(text.len(), plain.len() + digits);
            prop_assert!(text[place..place + digits].bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
            prop_assert_eq!([&text[..place], &text[place + digits..]].concat(), plain);
        }
    }
}
