//! PostgreSQL: the scope becomes settings of the transaction, which row-level security reads.

mod begin;
mod check;
mod migration;
mod policy;

use authcore::{Access, ConfigError};
use sqlx::{PgConnection, PgPool, Postgres, SqlStr};

use crate::engine::sealed::{Begin, For};
use crate::pool::ScopedPool;
use crate::table::OwnedTable;
use crate::transaction::ScopedTx;

impl ScopedPool<Postgres> {
    /// Over a pool, after a look at its role and at these tables: whether row-level security holds them here.
    ///
    /// The role should own nothing and have only the rights it needs: see
    /// [`OwnedTable::migration`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the cause and the mend, when
    ///
    /// - the role is a superuser or has `BYPASSRLS`, or it owns a table without `FORCE ROW LEVEL SECURITY`,
    /// - a table is not there, has no row-level security, or no policy that reads `authcore.user_id`,
    /// - a table with an organization or grants has no such column, no policy for it, or the role may not read the grants,
    /// - another permissive policy of it lets everything through (`USING (true)`),
    /// - the role may `TRUNCATE` a table that is not its own, which no policy holds,
    /// - the role may read or change a partition of a table, or the table that it is a partition of, and that one has no
    ///   row-level security of its own,
    /// - the role may read a view over a table that runs with the rights of somebody whom no policy holds, or a materialized
    ///   view of it,
    /// - the database cannot be asked.
    #[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
    pub async fn postgres(pool: PgPool, tables: impl IntoIterator<Item = OwnedTable>) -> Result<Self, ConfigError> {
        // One transaction, so that a pooler does not spread a question over several servers.
        let mut asking = pool.begin().await.map_err(check::unasked)?;
        check::role(&mut asking).await?;
        for table in tables {
            check::table(&mut asking, &table).await?;
        }
        asking.rollback().await.map_err(check::unasked)?;
        Ok(Self::over(pool))
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
impl<A> ScopedTx<Postgres, A> {
    /// The connection, for any statement that sqlx can run: policies hold it to the owner's rows, also where it forgets its
    /// `WHERE`. Nested transactions ([`sqlx::Connection::begin`]) are savepoints here.
    ///
    /// A transaction that only reads stays so, since the server allows no change of that after the first statement.
    #[must_use]
    pub fn connection(&mut self) -> &mut PgConnection {
        self.lease().connection()
    }

    /// One more setting for policies of your own, such as `app.organization_id`, until the end of the transaction. One round
    /// trip. Settings of the name `authcore.…` are the scope's alone.
    ///
    /// # Errors
    ///
    /// [`sqlx::Error::InvalidArgument`] for a name that begins with `authcore.`; otherwise the database's.
    pub async fn set(&mut self, name: &str, value: &str) -> Result<(), sqlx::Error> {
        if name.trim_start().get(..9).is_some_and(|prefix| prefix.eq_ignore_ascii_case("authcore.")) {
            return Err(sqlx::Error::InvalidArgument(format!("setting `{name}`: authcore's own come from the scope")));
        }
        let set = sqlx::query("SELECT pg_catalog.set_config($1, $2, true)").bind(name).bind(value);
        set.persistent(false).execute(self.connection()).await.map(drop)
    }
}

impl Begin for Postgres {
    fn begin(whom: For<'_>, access: Access) -> SqlStr {
        begin::statement(whom, access)
    }
}
