//! The table of an audit: its columns, how it is made, how it is written to.

use authcore::ConfigError;
use sqlx::Pool;

use super::AuditWriter;
use super::chain::Head;
use super::entry::{COLUMNS, Entry};
use crate::dialect::{Dialect, Draft, Sink as _, Value};
use crate::engine::Engine;
use crate::table::{checked, quoted};

/// A table that decisions are added to, and never changed in.
///
/// Its columns: `chain` and `seq`, the row's place; `at`, RFC 3339 in UTC with microseconds, as text; `actor`, `issuer` and
/// `impersonated_by`, who asked; `action`, `kind`, `object_id`, `owner` and `organization`, for
/// what; `decision` (`allowed`, `denied`, or
/// `lost` for a count of those that are missing); `reason`; and `hash`. Texts are cut at 1 KiB. No credential is among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditTable {
    schema: Option<String>,
    name: String,
}

impl AuditTable {
    /// The table of this name.
    ///
    /// # Errors
    ///
    /// As [`OwnedTable::new`](crate::OwnedTable::new).
    pub fn new(name: impl Into<String>) -> Result<Self, ConfigError> {
        Ok(Self { schema: None, name: checked(name)? })
    }

    /// In this schema: of PostgreSQL, or MySQL's word for a database.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn in_schema(mut self, schema: impl Into<String>) -> Result<Self, ConfigError> {
        self.schema = Some(checked(schema)?);
        Ok(self)
    }

    /// What writes to it, by connections of a pool that no [`ScopedPool`](crate::ScopedPool) has: one is enough.
    pub fn writer<DB: Engine>(&self, pool: Pool<DB>) -> AuditWriter<DB> {
        AuditWriter::new(pool, self.clone())
    }

    /// A migration that makes the table. The service's role needs `SELECT` and `INSERT` on it, and nothing else.
    #[must_use]
    pub fn create_table<DB: Engine>(&self) -> String {
        let (key, text) = (DB::KEY, DB::TEXT);
        let fields: String = COLUMNS.map(|column| format!("    {} {text},\n", DB::quoted(column))).concat();
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (\n    \
                 {chain} {key} NOT NULL,\n    \
                 {seq} bigint NOT NULL,\n\
                 {fields}    \
                 {hash} {key} NOT NULL,\n    \
                 PRIMARY KEY ({chain}, {seq})\n\
             );\n",
            table = self.quoted::<DB>(),
            chain = DB::quoted("chain"),
            seq = DB::quoted("seq"),
            hash = DB::quoted("hash"),
        )
    }

    /// A migration for PostgreSQL after which the table only grows: this role may read and add, and a trigger refuses
    /// changes to whoever is not a superuser or the table's owner, who could switch it off.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a role's name with other characters than [`OwnedTable::new`](crate::OwnedTable::new) takes.
    #[cfg(feature = "postgres")]
    #[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
    pub fn append_only(&self, role: &str) -> Result<String, ConfigError> {
        let (table, role) = (self.quoted::<sqlx::Postgres>(), checked(role)?);
        let function = quoted::<sqlx::Postgres>(self.schema.as_deref(), "authcore_append_only");
        Ok(format!(
            "REVOKE ALL ON {table} FROM PUBLIC, \"{role}\";\n\
             GRANT SELECT, INSERT ON {table} TO \"{role}\";\n\
             CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n    \
                 RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';\n\
             END $$;\n\
             DROP TRIGGER IF EXISTS \"authcore_append_only\" ON {table};\n\
             CREATE TRIGGER \"authcore_append_only\" BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}\n    \
                 FOR EACH STATEMENT EXECUTE PROCEDURE {function}();\n"
        ))
    }

    /// The statement that adds these after a head, and the head after it.
    pub(super) fn insertion<DB: Dialect>(&self, head: &Head, entries: &[Entry]) -> (Draft<DB>, Head) {
        let columns = ["chain", "seq"].into_iter().chain(COLUMNS).chain(["hash"]).map(DB::quoted);
        let columns = columns.collect::<Vec<_>>().join(", ");
        let mut draft = Draft::new(format!("INSERT INTO {} ({columns}) VALUES ", self.quoted::<DB>()), false);
        let mut head = head.clone();
        for (index, entry) in entries.iter().enumerate() {
            head = head.then(entry);
            let place = [Value::from(head.chain.as_str()), Value::Number(head.seq)];
            let fields = entry.0.iter().map(|field| Value::from(field.as_deref()));
            let values = place.into_iter().chain(fields).chain([Value::from(head.hash().as_str())]);
            draft.text(if index == 0 { "(" } else { ", (" });
            for (index, value) in values.enumerate() {
                draft.text(if index == 0 { "" } else { ", " });
                draft.value(value);
            }
            draft.text(")");
        }
        (draft, head)
    }

    pub(super) fn quoted<DB: Dialect>(&self) -> String {
        quoted::<DB>(self.schema.as_deref(), &self.name)
    }
}
