//! SQLite: opened for reading only, and once more where something may be written.

use std::str::FromStr;
use std::sync::Arc;

use authcore::ConfigError;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteQueryResult};

use super::engine::{self, Access, Asked, Engine, Limits, Values};
use super::unreachable;

pub(super) struct Sqlite(pub(super) SqlitePool);

impl Sqlite {
    pub(super) async fn connect(url: &str, limits: Limits, access: Access) -> Result<Self, ConfigError> {
        let options = SqliteConnectOptions::from_str(url).map_err(|error| unreachable(&error))?;
        let options = options.read_only(access == Access::Read).create_if_missing(false).busy_timeout(limits.deadline);
        engine::try_out(&options).await?;
        Ok(Self(limits.pool().connect_lazy_with(options)))
    }
}

impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn quote(&self, name: &str) -> String {
        format!("\"{name}\"")
    }

    /// Generated columns too, which the plainer list leaves out.
    fn columns<'a>(&'a self, _: Option<&'a str>, table: &'a str) -> Asked<'a, Vec<(String, String)>> {
        let found = sqlx::query_as("SELECT name, type FROM pragma_table_xinfo(?)").bind(table);
        Box::pin(found.fetch_all(&self.0))
    }

    fn as_text(&self, column: &str, _: &str) -> String {
        format!("CAST({column} AS TEXT)")
    }

    fn argument(&self, position: usize, _: &str) -> String {
        format!("?{position}")
    }

    fn is_same(&self, text: &str, argument: &str) -> String {
        format!("{text} IS {argument}")
    }

    fn change<'a>(&'a self, sql: &'a Arc<str>, arguments: Values) -> Asked<'a, u64> {
        Box::pin(engine::change(&self.0, sql, arguments, SqliteQueryResult::rows_affected))
    }

    fn rows<'a>(&'a self, sql: &'a Arc<str>, arguments: Vec<String>) -> Asked<'a, Vec<Values>> {
        Box::pin(engine::rows(&self.0, sql, arguments))
    }
}
