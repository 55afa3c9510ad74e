//! API keys in the database that holds the sessions.

use std::sync::Arc;

use authcore::{ConfigError, Timestamp, Unavailable};

use super::engine::Values;
use super::row::AsRead;
use super::statement::KeyStatements;
use super::time::written;
use super::{Ambiguous, SqlSessions, TooSlow, unavailable};
use crate::api_key::{ApiKey, ApiKeyRecord, KeyUsage};
use crate::store::ApiKeyStore;

/// The API keys in Better Auth's database. Made by [`SqlSessions::api_keys`]. Cheap to clone.
///
/// A look-up is one prepared statement, which reads the key and its owner. Uses are counted only after
/// [`SqlSessionsBuilder::write_key_counters`](crate::SqlSessionsBuilder::write_key_counters), by a second statement that
/// sets `remaining`, `lastRefillAt`, `requestCount` and `lastRequest` of that row if they still are what was read. Rows
/// are never deleted: the auth server does that.
#[derive(Clone, Debug)]
pub struct SqlApiKeys(SqlSessions);

impl SqlSessions {
    /// The API keys of the same database.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when there is no table for them (the API key plugin is not in use, or calls it something else), or
    /// when it was not of the expected shape on connecting.
    pub fn api_keys(&self) -> Result<SqlApiKeys, ConfigError> {
        match &self.0.statements.api_keys {
            Ok(Some(_)) => Ok(SqlApiKeys(self.clone())),
            Ok(None) => {
                let why = "schema: this database has no table of API keys; see Schema::table(\"apikey\", …)";
                Err(ConfigError::new(why))
            }
            Err(error) => Err(ConfigError::new(error.to_string())),
        }
    }

    /// Runs the statement that counts, as [`Self::ask`] runs one that reads: how many rows it matched.
    async fn change(&self, sql: &Arc<str>, arguments: Values) -> Result<u64, Unavailable> {
        let writer = self.0.writer.as_ref().ok_or_else(|| unavailable(ReadOnly))?;
        let (writer, sql, deadline) = (Arc::clone(writer), Arc::clone(sql), self.0.deadline);
        let asked = tokio::spawn(async move { tokio::time::timeout(deadline, writer.change(&sql, arguments)).await });
        asked.await.map_err(unavailable)?.map_err(|_| unavailable(TooSlow(deadline)))?.map_err(unavailable)
    }
}

impl SqlApiKeys {
    fn statements(&self) -> &KeyStatements {
        self.0.0.statements.api_keys.as_ref().ok().and_then(Option::as_ref).expect("not made without them")
    }
}

impl ApiKeyStore for SqlApiKeys {
    async fn api_key(&self, key: &ApiKey) -> Result<Option<ApiKeyRecord>, Unavailable> {
        let rows = self.0.ask(&self.statements().find, vec![key.stored().to_owned()]).await?;
        // Some collations ignore case: a row counts for the very key it holds.
        let mut same = rows.iter().filter(|row| row.optional("apikey.key") == Some(key.stored()));
        let Some(row) = same.next() else { return Ok(None) };
        if same.next().is_some() {
            return Err(unavailable(Ambiguous("API key")));
        }
        row.api_key(self.0.0.zone).map(Some).map_err(unavailable)
    }

    async fn spend(&self, record: &ApiKeyRecord, after: &KeyUsage) -> Result<bool, Unavailable> {
        let read: AsRead = serde_json::from_slice(record.as_read.expose_bytes()).map_err(unavailable)?;
        let time = |time: Option<Timestamp>| time.map(|time| written(time, &read.created_at, self.0.0.zone));
        let (before, counters) = (&record.usage, &read.counters);
        // What does not change is written back to the letter.
        let keep = |is_same: bool, index: usize, new: Option<String>| {
            if is_same { counters[index].clone() } else { new }
        };
        let mut arguments = vec![
            keep(before.remaining == after.remaining, 0, after.remaining.map(|left| left.to_string())),
            keep(before.last_refill_at == after.last_refill_at, 1, time(after.last_refill_at)),
            keep(before.request_count == after.request_count, 2, Some(after.request_count.to_string())),
            keep(before.last_request == after.last_request, 3, time(after.last_request)),
            Some(record.id.clone()),
        ];
        arguments.extend(counters.iter().cloned());
        Ok(self.0.change(&self.statements().count, arguments).await? > 0)
    }

    fn can_spend(&self) -> bool {
        self.0.0.writer.is_some()
    }

    fn source(&self) -> &'static str {
        "database"
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the database was not opened for counting")]
struct ReadOnly;
