//! MySQL and MariaDB: read-only transactions, and owners compared byte for byte.

use authcore::{Access, ConfigError, UserScope};
use sqlx::{Executor, MySql, MySqlConnection, MySqlPool, SqlSafeStr, SqlStr};

use crate::engine::{count_places, sealed::Begin};
use crate::pool::ScopedPool;
use crate::table::OwnedTable;

impl ScopedPool<MySql> {
    /// Over a pool, after a look at the tables.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a table or its owner column is not there, the database cannot be reached, or the column's
    /// collation takes other spellings for the same: `utf8mb4_general_ci`, a common default, takes `Ann` for `ann`.
    #[cfg_attr(docsrs, doc(cfg(feature = "mysql")))]
    pub async fn mysql(pool: MySqlPool, tables: impl IntoIterator<Item = OwnedTable>) -> Result<Self, ConfigError> {
        for table in tables {
            check(&pool, &table).await?;
        }
        Ok(Self::over(pool))
    }
}

async fn check(pool: &MySqlPool, table: &OwnedTable) -> Result<(), ConfigError> {
    let found = sqlx::query_as(
        "SELECT CONVERT(data_type USING utf8mb4), CONVERT(collation_name USING utf8mb4) \
         FROM information_schema.columns \
         WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? AND column_name = ?",
    )
    .bind(table.schema())
    .bind(table.name())
    .bind(table.owner());
    let found: Option<(String, Option<String>)> = found
        .fetch_optional(pool)
        .await
        .map_err(|error| ConfigError::new(format!("table {table}: the database cannot be asked about it: {error}")))?;
    let column = table.owner();
    match found {
        None => Err(ConfigError::new(format!("table {table}: there is none with a column `{column}`"))),
        Some((_, Some(collation))) if !collation.ends_with("_bin") => Err(ConfigError::new(format!(
            "table {table}: `{column}` compares by {collation}, which may take one user for another: ALTER TABLE … MODIFY it \
             with COLLATE utf8mb4_bin"
        ))),
        Some(_) => Ok(()),
    }
}

impl Begin for MySql {
    /// With sqlx 0.9 it would wait for answers that were never asked for, and keep its place in the pool for ever.
    const TAKES_UP_AFTER_CANCELLING: bool = false;

    fn begin(_: &UserScope, access: Access) -> SqlStr {
        match access {
            Access::Read => "START TRANSACTION READ ONLY",
            Access::Full => "START TRANSACTION READ WRITE",
        }
        .into_sql_str()
    }

    /// sqlx 0.9 notices by itself, and then waits on this connection for an answer to what it did not ask.
    async fn fits(connection: &mut MySqlConnection, sql: &SqlStr, arguments: usize) -> Result<(), sqlx::Error> {
        let statement = connection.prepare(sql.clone()).await?;
        count_places::<MySql>(&statement, arguments)
    }
}
