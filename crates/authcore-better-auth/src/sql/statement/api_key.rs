//! The statements for API keys: one that reads a key with its owner, one that counts a use of it.

use std::sync::Arc;

use authcore::ConfigError;

use super::{FEW, Fields, Need, Statement, Table, Writer, no_column};
use crate::sql::engine::Engine;
use crate::sql::schema::Schema;
use crate::sql::unreachable;

/// What is asked of a table of keys.
pub(in crate::sql) struct KeyStatements {
    /// A key by what is stored of it, with its owner.
    pub(in crate::sql) find: Statement,
    /// Sets the four [`COUNTERS`] of the row with the id that follows, where they are still as the last four arguments.
    pub(in crate::sql) count: Arc<str>,
    /// An id that no row has, and that the column can hold.
    nobody: &'static str,
}

/// What is written, and nothing else is.
pub(in crate::sql) const COUNTERS: [&str; 4] =
    ["apikey.remaining", "apikey.lastRefillAt", "apikey.requestCount", "apikey.lastRequest"];

impl KeyStatements {
    pub(super) fn of(engine: &dyn Engine, schema: &Schema, keys: &Table, user: &Table) -> Result<Self, ConfigError> {
        // Since keys have configurations their owners are called references: one that is not found has another name
        // here, and without it an organization's key would pass for a user's.
        if keys.column("apikey.configId").is_none() && !schema.renames("apikey.referenceId", &["userId", "user_id"]) {
            return Err(no_column(schema, "apikey", "apikey.configId", false));
        }
        let write = Writer { engine };
        let is_number = keys.core("apikey.id").declared.to_ascii_lowercase().contains("int");
        Ok(Self {
            find: write.api_key(keys, user),
            count: write.count(keys).into(),
            nobody: if is_number { "-1" } else { crate::sql::UUID_OF_NOBODY },
        })
    }

    /// Runs both for nobody: a column may be there and yet not be readable, or writable.
    pub(in crate::sql) async fn try_out(
        &self,
        reader: &dyn Engine,
        writer: Option<&dyn Engine>,
    ) -> Result<(), ConfigError> {
        let refused = |error| ConfigError::new(format!("schema: API keys cannot be looked up: {error}"));
        reader.rows(&self.find.sql, vec![crate::sql::UUID_OF_NOBODY.to_owned()]).await.map_err(refused)?;
        let Some(writer) = writer else { return Ok(()) };
        writer.check().await.map_err(|error| unreachable(&error))??;
        let mut arguments = vec![None; 2 * COUNTERS.len() + 1];
        arguments[COUNTERS.len()] = Some(self.nobody.to_owned());
        let refused = |error| ConfigError::new(format!("write_key_counters: API keys cannot be counted: {error}"));
        writer.change(&self.count, arguments).await.map(drop).map_err(refused)
    }
}

impl Writer<'_> {
    fn api_key(&self, keys: &Table, user: &Table) -> Statement {
        let (key, id) = (keys.core("apikey.key"), user.core("user.id"));
        let reference = keys.core("apikey.referenceId");
        let owner = self.engine.reference(&reference.name, &reference.declared, &id.declared);
        let join = format!("{} LEFT JOIN {} ON {} = {owner}", keys.from, user.from, id.name);
        self.select(&[keys, user], &join, &self.equal(1, key), FEW, vec![key])
    }

    fn count(&self, keys: &Table) -> String {
        let counters = COUNTERS.map(|field| keys.core(field));
        let set = counters.iter().zip(1..).map(|(column, position)| {
            format!("{} = {}", column.bare(), self.engine.argument(position, &column.declared))
        });
        let same = counters.iter().zip(COUNTERS.len() + 2..).map(|(column, position)| {
            let text = self.engine.as_text(&column.name, &column.declared);
            self.engine.is_same(&text, &self.engine.argument(position, ""))
        });
        let (set, same): (Vec<_>, Vec<_>) = (set.collect(), same.collect());
        let row = self.equal(COUNTERS.len() + 1, keys.core("apikey.id"));
        format!("UPDATE {} SET {} WHERE {row} AND {}", keys.from, set.join(", "), same.join(" AND "))
    }
}

/// Limits are no plugin of the plugin: a column that is not found has another name here, and would go unheeded.
pub(super) const API_KEY: Fields = &[
    ("apikey.id", Need::Core),
    ("apikey.key", Need::Core),
    ("apikey.configId", Need::Plugin),
    ("apikey.referenceId", Need::Core),
    ("apikey.name", Need::Plugin),
    ("apikey.enabled", Need::Core),
    ("apikey.expiresAt", Need::Core),
    ("apikey.createdAt", Need::Core),
    ("apikey.permissions", Need::Plugin),
    ("apikey.remaining", Need::Core),
    ("apikey.refillInterval", Need::Core),
    ("apikey.refillAmount", Need::Core),
    ("apikey.lastRefillAt", Need::Core),
    ("apikey.rateLimitEnabled", Need::Core),
    ("apikey.rateLimitTimeWindow", Need::Core),
    ("apikey.rateLimitMax", Need::Core),
    ("apikey.requestCount", Need::Core),
    ("apikey.lastRequest", Need::Core),
];
