//! MySQL and MariaDB: read-only transactions, and owners compared byte for byte.

use authcore::{Access, ConfigError};
use sqlx::{Executor, MySql, MySqlConnection, MySqlPool, SqlSafeStr, SqlStr};

use crate::engine::{
    count_places,
    sealed::{Begin, For},
};
use crate::pool::ScopedPool;
use crate::table::OwnedTable;

impl ScopedPool<MySql> {
    /// Over a pool, after a look at the tables.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a table or its owner column is not there, the database cannot be reached, or the column is no
    /// text (`07` would be 7) or its collation takes other spellings for the same: `utf8mb4_general_ci`, a common default, takes `Ann` for `ann`.
    #[cfg_attr(docsrs, doc(cfg(feature = "mysql")))]
    pub async fn mysql(pool: MySqlPool, tables: impl IntoIterator<Item = OwnedTable>) -> Result<Self, ConfigError> {
        for table in tables {
            check(&pool, &table).await?;
        }
        Ok(Self::over(pool))
    }
}

async fn check(pool: &MySqlPool, table: &OwnedTable) -> Result<(), ConfigError> {
    let of_table = [Some(table.owner()), table.organization_column()].into_iter().flatten();
    for column in of_table {
        check_column(pool, table, (table.schema(), table.name(), column)).await?;
    }
    if let Some(shared) = table.shared() {
        for place in shared.grants.places() {
            check_column(pool, table, place).await?;
        }
    }
    Ok(())
}

/// Schema, table and column.
type Place<'t> = (Option<&'t str>, &'t str, &'t str);

async fn check_column(pool: &MySqlPool, table: &OwnedTable, place: Place<'_>) -> Result<(), ConfigError> {
    let (schema, name, column) = place;
    let found = sqlx::query_as(
        "SELECT CONVERT(data_type USING utf8mb4), CONVERT(collation_name USING utf8mb4) \
         FROM information_schema.columns \
         WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? AND column_name = ?",
    );
    let found: Option<(String, Option<String>)> =
        found.bind(schema).bind(name).bind(column).fetch_optional(pool).await.map_err(|error| {
            ConfigError::new(format!("table {table}: the database cannot be asked about it: {error}"))
        })?;
    let fault = |cause: String| Err(ConfigError::new(format!("table {table}: {cause}")));
    match found {
        None if name == table.name() => fault(format!("there is none with a column `{column}`")),
        None => fault(format!("there is no table `{name}` of grants with a column `{column}`")),
        Some((_, Some(collation))) if !collation.ends_with("_bin") => fault(format!(
            "`{column}` compares by {collation}, which may take one user for another: ALTER TABLE … MODIFY it with COLLATE \
             utf8mb4_bin"
        )),
        // A number is compared with a text as numbers, and `acme` is 0.
        Some((kind, None)) => {
            fault(format!("`{column}` is of type {kind}: make it varchar(255) with COLLATE utf8mb4_bin"))
        }
        Some((_, Some(_))) => Ok(()),
    }
}

impl Begin for MySql {
    /// With sqlx 0.9 it would wait for answers that were never asked for, and keep its place in the pool for ever.
    const TAKES_UP_AFTER_CANCELLING: bool = false;

    fn begin(_: For<'_>, access: Access) -> SqlStr {
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
