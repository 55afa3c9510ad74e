//! The text that begins a transaction and says for whom: the only place that asserts a text to be safe.
//!
//! It goes in one piece as a simple query, and that takes no arguments; so values are written in hexadecimal digits, which
//! need no quoting and which the server turns back. Settings are local to the transaction (`true`), functions are named with
//! their schema, so that no other of their name can be meant.

use std::borrow::Cow;
use std::fmt::Write as _;

use authcore::{Access, Identity, Rows, UserScope};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::engine::sealed::For;

pub(super) fn statement(whom: For<'_>, access: Access) -> SqlStr {
    let begin = match access {
        Access::Read => "BEGIN READ ONLY",
        Access::Full => "BEGIN READ WRITE",
    };
    let settings = match whom {
        For::Scope(scope) => of_scope(scope),
        For::Rows(rows) => of_rows(rows),
    };
    AssertSqlSafe(text(begin, &settings)).into_sql_str()
}

/// The name of a setting, and its value.
type Setting<'s> = (&'static str, Cow<'s, str>);

fn of_scope(scope: &UserScope) -> Vec<Setting<'_>> {
    // No action: what is for rows does not count here, whatever the session was left with.
    let mut settings = vec![(USER_ID, scope.owner().as_str().into()), (ACTION, "".into())];
    add_caller(&mut settings, scope.caller());
    settings.extend(scope.organization_id().map(|id| ("authcore.organization_id", id.into())));
    settings
}

/// What policies for rows read is always said, so that nothing else of it counts.
fn of_rows(rows: &Rows) -> Vec<Setting<'_>> {
    let said = |holds| if holds { "true" } else { "false" }.into();
    // No column of PostgreSQL holds NUL.
    let organizations: Vec<_> = rows.organizations().filter(|id| !id.contains('\0')).collect();
    let mut settings = vec![
        (USER_ID, rows.user_id().as_str().into()),
        (ACTION, rows.action().as_str().into()),
        (EVERY_ROW, said(rows.are_all())),
        (ORGANIZATION_IDS, serde_json::json!(organizations).to_string().into()),
        (INCLUDE_SHARED, said(rows.include_shared())),
    ];
    add_caller(&mut settings, rows.caller());
    settings
}

fn add_caller<'s>(settings: &mut Vec<Setting<'s>>, caller: &'s Identity) {
    settings.push(("authcore.actor_id", caller.user_id().as_str().into()));
    settings.extend(caller.issuer().map(|issuer| ("authcore.issuer", issuer.into())));
    let roles = caller.roles().collect::<Vec<_>>().join(",");
    if !roles.is_empty() {
        settings.push(("authcore.roles", roles.into()));
    }
}

pub(super) const USER_ID: &str = "authcore.user_id";
pub(super) const ACTION: &str = "authcore.action";
pub(super) const EVERY_ROW: &str = "authcore.every_row";
pub(super) const ORGANIZATION_IDS: &str = "authcore.organization_ids";
pub(super) const INCLUDE_SHARED: &str = "authcore.include_shared";

fn text(begin: &'static str, settings: &[Setting<'_>]) -> String {
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
            text("BEGIN READ ONLY", &[("a.b", "ü'\\".into()), ("c.d", "".into())]),
            "BEGIN READ ONLY;SELECT pg_catalog.set_config('a.b',pg_catalog.convert_from(pg_catalog.decode('c3bc275c','hex'),\
             'UTF8'),true),pg_catalog.set_config('c.d',pg_catalog.convert_from(pg_catalog.decode('','hex'),'UTF8'),true)"
        );
    }

    proptest! {
        #[test]
        fn no_value_changes_the_shape(value in "\\PC{0,64}") {
            let text = text("BEGIN", &[("a.b", value.as_str().into())]);
            let digits = value.len() * 2;
            let plain = super::text("BEGIN", &[("a.b", "".into())]);
            let place = plain.find("''").expect("an empty value") + 1;
            prop_assert_eq!(text.len(), plain.len() + digits);
            prop_assert!(text[place..place + digits].bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
            prop_assert_eq!([&text[..place], &text[place + digits..]].concat(), plain);
        }
    }
}
