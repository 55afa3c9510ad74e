//! A pool whose connections are handed out only for a scope.

use std::fmt;

use authcore::{Access, Rows};
use sqlx::Pool;

use crate::engine::Engine;
use crate::engine::sealed::For;
use crate::lease::Lease;
use crate::owner::{Owner, caller_of};
use crate::rows::{RowsTx, WriteRows};
use crate::scope::{MayWrite, Scope};
use crate::transaction::{ReadTx, Reads, ScopedTx, WriteTx, Writes};

/// Connections to tables whose rows have owners. Each is lent for one scope and one transaction. Cheap to clone.
///
/// It is made by [`ScopedPool::postgres`], [`ScopedPool::sqlite`] or [`ScopedPool::mysql`]; there is no way back to the pool
/// inside. What is promised differs by engine: see the [front page](crate#what-is-promised).
pub struct ScopedPool<DB: Engine> {
    pool: Pool<DB>,
    /// Whether statements are prepared under a name that outlives the transaction.
    is_persistent: bool,
}

impl<DB: Engine> ScopedPool<DB> {
    #[cfg(any(feature = "postgres", feature = "sqlite", feature = "mysql"))]
    pub(crate) fn over(pool: Pool<DB>) -> Self {
        Self { pool, is_persistent: true }
    }

    /// Prepares each statement anew and without a name, for poolers that give each transaction another server connection
    /// and do not follow names (pgbouncer before 1.21, or with `max_prepared_statements = 0`). One round trip more for each
    /// statement. `statement_cache_capacity(0)` on the connection does not do it: sqlx 0.9 still gives names then.
    #[must_use]
    pub fn unnamed_statements(mut self) -> Self {
        self.is_persistent = false;
        self
    }

    /// A transaction that reads the rows of this scope. The database refuses whatever else it is asked for.
    ///
    /// # Errors
    ///
    /// When no connection is to be had or the transaction cannot begin; [`unavailable`](crate::unavailable) tells an
    /// outage from a fault.
    pub async fn read<S: Scope + ?Sized>(&self, scope: &S) -> Result<ReadTx<DB>, sqlx::Error> {
        self.begin(scope, Access::Read).await
    }

    /// A transaction that reads and changes the rows of this scope. Nothing of it stays without
    /// [`commit`](ScopedTx::commit).
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub async fn write<S: Scope + MayWrite + ?Sized>(&self, scope: &S) -> Result<WriteTx<DB>, sqlx::Error> {
        self.begin(scope, Access::Full).await
    }

    /// A transaction that reads these rows. The database refuses to change anything in it.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub async fn read_rows(&self, rows: &Rows) -> Result<RowsTx<DB, Reads>, sqlx::Error> {
        let tx = self.begin_for(For::Rows(rows), caller_of(rows), Access::Read).await?;
        Ok(RowsTx::new(tx, rows.clone()))
    }

    /// A transaction that reads and changes these rows. Nothing of it stays without [`commit`](RowsTx::commit).
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub async fn write_rows(&self, rows: &WriteRows) -> Result<RowsTx<DB, Writes>, sqlx::Error> {
        let rows = rows.rows();
        let tx = self.begin_for(For::Rows(rows), caller_of(rows), Access::Full).await?;
        Ok(RowsTx::new(tx, rows.clone()))
    }

    async fn begin<S: Scope + ?Sized, A>(&self, scope: &S, access: Access) -> Result<ScopedTx<DB, A>, sqlx::Error> {
        self.begin_for(For::Scope(scope.proven()), Owner::of(scope), access).await
    }

    async fn begin_for<A>(&self, whom: For<'_>, owner: Owner, access: Access) -> Result<ScopedTx<DB, A>, sqlx::Error> {
        let lease = Lease::begin(self.pool.acquire().await?, DB::begin(whom, access)).await?;
        Ok(ScopedTx::new(lease, owner, self.is_persistent))
    }
}

impl<DB: Engine> Clone for ScopedPool<DB> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), is_persistent: self.is_persistent }
    }
}

impl<DB: Engine> fmt::Debug for ScopedPool<DB> {
    /// Without the pool, whose options hold the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedPool").field("engine", &DB::NAME).finish_non_exhaustive()
    }
}
