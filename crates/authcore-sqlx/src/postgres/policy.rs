//! The policy that shows what a transaction for rows covers beyond the caller's own.

use sqlx::Postgres;

use super::begin::{ACTION, EVERY_ROW, INCLUDE_SHARED, ORGANIZATION_IDS, USER_ID};
use crate::dialect::Dialect as _;
use crate::table::OwnedTable;

/// The statement that makes it; empty for a table whose rows are their owners' alone.
///
/// Each setting is read in a subquery, once for each statement. Without an action, in a transaction for one scope, the
/// policy shows nothing; new rows are looked at only where the action is to write.
pub(super) fn statements(table: &OwnedTable) -> String {
    if !table.is_beyond_owner() {
        return String::new();
    }
    let (name, action) = (table.quoted(), setting(ACTION));
    let rows = alternatives(table).join("\n        OR ");
    format!(
        "CREATE POLICY \"authcore_rows\" ON {name}\n    \
             USING ({action} IN ('read', 'write') AND (\n        {rows}))\n    \
             WITH CHECK ({action} = 'write' AND (\n        {rows}));\n"
    )
}

/// As the predicate has them, save for the owner, whom a policy of their own lets in.
fn alternatives(table: &OwnedTable) -> Vec<String> {
    let mut alternatives = vec![format!("{} = 'true'", setting(EVERY_ROW))];
    alternatives.extend(table.organization_column().map(|column| {
        let ids = format!("nullif(pg_catalog.current_setting('{ORGANIZATION_IDS}', true), '')::pg_catalog.jsonb");
        format!("\"{column}\" = ANY (ARRAY(SELECT pg_catalog.jsonb_array_elements_text({ids})))")
    }));
    alternatives.extend(table.shared().map(|shared| {
        let names = shared.grants.names::<Postgres>();
        let query = format!(
            "SELECT {object} FROM {grants} WHERE {user} = {caller} AND {kind} = '{word}' AND ({access} = 'full' \
             OR {access} = 'read' AND {action} = 'read')",
            object = names.object_id,
            grants = names.table,
            user = names.user_id,
            caller = setting(USER_ID),
            kind = names.kind,
            word = shared.kind,
            access = names.access,
            action = setting(ACTION),
        );
        let (id, among) = (Postgres::as_text(&Postgres::quoted(&shared.id)), Postgres::among(&query));
        format!("{} = 'true' AND {id}{among}", setting(INCLUDE_SHARED))
    }));
    alternatives
}

fn setting(name: &str) -> String {
    format!("(SELECT pg_catalog.current_setting('{name}', true))")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants::GrantTable;

    #[test]
    fn the_policy_says_what_the_predicate_does() {
        let table = OwnedTable::new("tasks", "user_id").expect("good names");
        assert_eq!(statements(&table), "");
        let grants = GrantTable::new("grants").expect("a good name");
        let table = table.organization("org").and_then(|table| table.grants(&grants, "task", "id"));
        let said = statements(&table.expect("good names"));
        let rows = "\n        (SELECT pg_catalog.current_setting('authcore.every_row', true)) = 'true'\n        \
            OR \"org\" = ANY (ARRAY(SELECT pg_catalog.jsonb_array_elements_text(nullif(\
            pg_catalog.current_setting('authcore.organization_ids', true), '')::pg_catalog.jsonb)))\n        \
            OR (SELECT pg_catalog.current_setting('authcore.include_shared', true)) = 'true' AND \
            CAST(\"id\" AS text) = ANY (ARRAY(SELECT \"object_id\" FROM \"grants\" WHERE \"user_id\" = \
            (SELECT pg_catalog.current_setting('authcore.user_id', true)) AND \"kind\" = 'task' AND \
            (\"access\" = 'full' OR \"access\" = 'read' AND \
            (SELECT pg_catalog.current_setting('authcore.action', true)) = 'read')))));\n";
        assert!(said.ends_with(&format!("= 'write' AND ({rows}")), "{said}");
        assert_eq!(said.matches(rows.trim_end_matches(");\n")).count(), 2, "the same for what is and what is to be");
    }
}
