//! SQLite: nothing in the database knows owners, so the statement has to name them.

use authcore::Access;
use sqlx::{Executor, SqlSafeStr, SqlStr, Sqlite, SqliteConnection, SqlitePool};

use crate::engine::{
    count_places,
    sealed::{Begin, For},
};
use crate::pool::ScopedPool;

impl ScopedPool<Sqlite> {
    /// Over a pool of its own: whether a connection may write is set at the beginning of each transaction and stays until
    /// the next.
    ///
    /// Give owner columns SQLite's default collation, `BINARY`: with `NOCASE`, `Ann` would be `ann`.
    #[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
    #[must_use]
    pub fn sqlite(pool: SqlitePool) -> Self {
        Self::over(pool)
    }
}

impl Begin for Sqlite {
    /// Whoever writes takes the lock at once: a transaction that asks for it later may find that it cannot have it.
    fn begin(_: For<'_>, access: Access) -> SqlStr {
        match access {
            Access::Read => "PRAGMA query_only = ON; BEGIN",
            Access::Full => "PRAGMA query_only = OFF; BEGIN IMMEDIATE",
        }
        .into_sql_str()
    }

    /// SQLite leaves an argument without a place alone: a statement that forgets the owner would run.
    async fn fits(connection: &mut SqliteConnection, sql: &SqlStr, arguments: usize) -> Result<(), sqlx::Error> {
        let statement = connection.prepare(sql.clone()).await?;
        count_places::<Sqlite>(&statement, arguments)
    }
}
