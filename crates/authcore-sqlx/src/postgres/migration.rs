//! The statements that put a table under row-level security.

use aws_lc_rs::digest;

use super::begin::USER_ID;
use super::policy;
use crate::table::{OwnedTable, OwnerType};

impl OwnedTable {
    /// A migration for PostgreSQL: run it as the table's owner. To run it again does no harm.
    ///
    /// Rows are seen, changed and added only where the owner column equals `authcore.user_id` of the transaction; without
    /// that setting nobody owns anything. `FORCE` holds the table's owner as well. The setting is read in a scalar
    /// subquery, once for each statement and not for each row, so that the index serves.
    ///
    /// A table with an [organization](Self::organization) or [grants](Self::grants) has a second policy, for transactions
    /// that are for [`Rows`](authcore::Rows): it shows what the predicate lets in. The table of grants has to be there, and
    /// the role needs to read it.
    ///
    /// What the migration does not say is which role the service has. It should be one of its own:
    ///
    /// ```sql
    /// CREATE ROLE app LOGIN NOSUPERUSER NOBYPASSRLS;
    /// GRANT SELECT, INSERT, UPDATE, DELETE ON "tasks" TO app;   -- neither TRUNCATE nor REFERENCES
    /// ```
    ///
    /// ```
    /// # fn main() -> Result<(), authcore::ConfigError> {
    /// let migration = authcore_sqlx::OwnedTable::new("tasks", "user_id")?.migration();
    /// assert!(migration.contains("ALTER TABLE \"tasks\" FORCE ROW LEVEL SECURITY;"));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
    #[must_use]
    pub fn migration(&self) -> String {
        let (table, owner, caller) = (self.quoted(), self.owner(), caller(self.holds()));
        let columns = [Some(owner), self.organization_column()].into_iter().flatten();
        let indices: String = columns.map(|column| index(self.name(), &table, column)).collect();
        let beyond = policy::statements(self);
        format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;\n\
             ALTER TABLE {table} FORCE ROW LEVEL SECURITY;\n\
             DROP POLICY IF EXISTS \"authcore_owner\" ON {table};\n\
             DROP POLICY IF EXISTS \"authcore_rows\" ON {table};\n\
             CREATE POLICY \"authcore_owner\" ON {table}\n    \
                 USING (\"{owner}\" = {caller})\n    \
                 WITH CHECK (\"{owner}\" = {caller});\n\
             {indices}{beyond}"
        )
    }
}

/// The caller's id as the column has it. `''` is what a setting becomes once a transaction that had it is over. An id that
/// cannot be in the column is null: it equals nothing, and fails no statement.
fn caller(holds: OwnerType) -> String {
    let id = format!("nullif(pg_catalog.current_setting('{USER_ID}', true), '')");
    match holds {
        OwnerType::Text => format!("(SELECT {id})"),
        OwnerType::Uuid => format!(
            "(SELECT CASE WHEN {id} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN ({id})::uuid END)"
        ),
        OwnerType::BigInt => {
            format!("(SELECT CASE WHEN {id} ~ '^(0|-?[1-9][0-9]{{0,17}})$' THEN ({id})::bigint END)")
        }
    }
}

fn index(name: &str, table: &str, column: &str) -> String {
    format!("CREATE INDEX IF NOT EXISTS \"{}\" ON {table} (\"{column}\");\n", index_name(name, column))
}

/// PostgreSQL cuts longer names, so that those of two columns would be one, and the second index never made. Here they end
/// in what tells them apart instead: the first bytes of a hash of the whole.
fn index_name(table: &str, column: &str) -> String {
    let whole = format!("{table}_{column}_idx");
    if whole.len() <= LONGEST_NAME {
        return whole;
    }
    let hash = digest::digest(&digest::SHA256, whole.as_bytes());
    let end: String = hash.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let end = format!("_{end}_idx");
    let mut cut = LONGEST_NAME - end.len();
    while !whole.is_char_boundary(cut) {
        cut -= 1;
    }
    whole[..cut].to_owned() + &end
}

/// In bytes.
const LONGEST_NAME: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migration_says_all_there_is_to_say() {
        let table = OwnedTable::new("tasks", "user_id").and_then(|table| table.in_schema("app")).expect("good names");
        assert_eq!(
            table.migration(),
            "ALTER TABLE \"app\".\"tasks\" ENABLE ROW LEVEL SECURITY;\n\
             ALTER TABLE \"app\".\"tasks\" FORCE ROW LEVEL SECURITY;\n\
             DROP POLICY IF EXISTS \"authcore_owner\" ON \"app\".\"tasks\";\n\
             DROP POLICY IF EXISTS \"authcore_rows\" ON \"app\".\"tasks\";\n\
             CREATE POLICY \"authcore_owner\" ON \"app\".\"tasks\"\n    \
                 USING (\"user_id\" = (SELECT nullif(pg_catalog.current_setting('authcore.user_id', true), '')))\n    \
                 WITH CHECK (\"user_id\" = (SELECT nullif(pg_catalog.current_setting('authcore.user_id', true), '')));\n\
             CREATE INDEX IF NOT EXISTS \"tasks_user_id_idx\" ON \"app\".\"tasks\" (\"user_id\");\n"
        );
    }

    #[test]
    fn a_table_beyond_ownership_has_a_second_policy() {
        let table = OwnedTable::new("tasks", "user_id").expect("good names");
        let own = table.migration();
        let every = table.clone().every_row().migration();
        let beyond = every.strip_prefix(&own).expect("all that an owner's table has");
        assert!(
            beyond.contains("CREATE POLICY \"authcore_rows\" ON \"tasks\"")
                && beyond.contains(super::super::begin::EVERY_ROW)
        );
        assert!(
            !beyond.contains("authcore.organization_ids") && !beyond.contains("authcore.include_shared"),
            "{beyond}"
        );
        let organization = table.organization("org").expect("a good name").migration();
        let index = "CREATE INDEX IF NOT EXISTS \"tasks_org_idx\" ON \"tasks\" (\"org\");\n";
        assert!(organization.starts_with(&(own + index)) && organization.contains("\"org\" = ANY"), "{organization}");
    }

    #[test]
    fn long_names_make_an_index_of_63_bytes_at_most_for_each_column() {
        for table in ["ä".repeat(31), "t".repeat(63)] {
            let [one, other] = ["user_id", "organization_id"].map(|column| index_name(&table, column));
            assert!(one.len() <= 63 && one.ends_with("_idx") && one.starts_with(&table[..40]), "{one}");
            assert_ne!(one, other);
        }
        let (table, longest) = ("t".repeat(51), "t".repeat(51) + "_user_id_idx");
        assert_eq!((index_name(&table, "user_id"), longest.len()), (longest, 63));
    }
}
