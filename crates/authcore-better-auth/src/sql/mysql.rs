//! MySQL and MariaDB: each session is told to speak of times in UTC, and to read only if that is all it is for.

use std::str::FromStr;
use std::sync::Arc;

use authcore::ConfigError;
use sqlx::mysql::{MySqlConnectOptions, MySqlQueryResult};
use sqlx::{Executor as _, MySqlConnection, MySqlPool};

use super::engine::{self, Access, Asked, Engine, Limits, Values};
use super::unreachable;

pub(super) struct MySql(pub(super) MySqlPool);

impl MySql {
    pub(super) async fn connect(url: &str, limits: Limits, access: Access) -> Result<Self, ConfigError> {
        let options = MySqlConnectOptions::from_str(url).map_err(|error| unreachable(&error))?;
        // A URL written for Node may name a `timezone` that means another thing there.
        let options = options.timezone(Some(UTC.to_owned()));
        engine::try_out(&options).await?;
        let mut pool = limits.pool();
        if access == Access::Read {
            pool = pool.after_connect(|connection: &mut MySqlConnection, _| {
                Box::pin(async move { connection.execute("SET SESSION TRANSACTION READ ONLY").await.map(drop) })
            });
        }
        Ok(Self(pool.connect_lazy_with(options)))
    }
}

impl Engine for MySql {
    fn name(&self) -> &'static str {
        "MySQL"
    }

    fn quote(&self, name: &str) -> String {
        format!("`{name}`")
    }

    fn columns<'a>(&'a self, _: Option<&'a str>, table: &'a str) -> Asked<'a, Vec<(String, String)>> {
        let found = sqlx::query_as(
            "SELECT CONVERT(column_name USING utf8mb4), CONVERT(data_type USING utf8mb4) \
             FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?",
        );
        Box::pin(found.bind(table).fetch_all(&self.0))
    }

    /// Who has rights to some columns of a table finds no others listed, be they there or not: asking for one may tell.
    fn hides<'a>(&'a self, table: &'a str, column: &'a str) -> Asked<'a, bool> {
        let sql = format!("SELECT {} FROM {} LIMIT 0", self.quote(column), self.quote(table));
        Box::pin(async move {
            let Err(error) = engine::rows(&self.0, &sql.into(), Vec::new()).await else { return Ok(true) };
            match error.as_database_error().and_then(|error| error.code()).as_deref() {
                Some(NO_SUCH_COLUMN) => Ok(false),
                Some(NO_RIGHT) => Ok(true),
                _ => Err(error),
            }
        })
    }

    fn as_text(&self, column: &str, declared: &str) -> String {
        match declared {
            "bit" => format!("CONVERT({column} + 0 USING utf8mb4)"),
            _ => format!("CONVERT({column} USING utf8mb4)"),
        }
    }

    fn argument(&self, _: usize, _: &str) -> String {
        "?".to_owned()
    }

    fn is_same(&self, text: &str, argument: &str) -> String {
        format!("{text} <=> {argument}")
    }

    /// Matched and not only changed rows: sqlx asks for that (`CLIENT_FOUND_ROWS`).
    fn change<'a>(&'a self, sql: &'a Arc<str>, arguments: Values) -> Asked<'a, u64> {
        Box::pin(engine::change(&self.0, sql, arguments, MySqlQueryResult::rows_affected))
    }

    fn rows<'a>(&'a self, sql: &'a Arc<str>, arguments: Vec<String>) -> Asked<'a, Vec<Values>> {
        Box::pin(engine::rows(&self.0, sql, arguments))
    }

    fn check(&self) -> Asked<'_, Result<(), ConfigError>> {
        Box::pin(async {
            let zone = sqlx::query_scalar("SELECT CONVERT(@@session.time_zone USING utf8mb4)");
            let zone: String = zone.fetch_one(&self.0).await?;
            Ok(match zone.as_str() {
                UTC | "UTC" => Ok(()),
                _ => Err(ConfigError::new(format!("pool: its sessions are in time zone `{zone}`: use `{UTC}`"))),
            })
        })
    }
}

/// SQLSTATE of `ER_BAD_FIELD_ERROR`.
const NO_SUCH_COLUMN: &str = "42S22";

/// SQLSTATE of `ER_COLUMNACCESS_DENIED_ERROR`.
const NO_RIGHT: &str = "42000";

const UTC: &str = "+00:00";
