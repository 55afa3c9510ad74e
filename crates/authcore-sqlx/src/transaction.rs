//! One transaction for one scope.

use std::fmt;
use std::marker::PhantomData;

use sqlx::SqlSafeStr;

use crate::engine::Engine;
use crate::lease::Lease;
use crate::owner::Owner;
use crate::query::{OwnerMissing, ScopedQuery};

/// A transaction for one scope: [`ReadTx`] or [`WriteTx`], from a [`ScopedPool`](crate::ScopedPool).
///
/// Dropped, also by a panic or with a cancelled request, it is rolled back before anybody else gets the connection. The
/// scope's settings end with the transaction: nothing of them stays on the connection.
pub struct ScopedTx<DB: Engine, A> {
    lease: Lease<DB>,
    owner: Owner,
    is_persistent: bool,
    access: PhantomData<fn() -> A>,
}

/// A transaction that reads. There is nothing to commit: drop it when you have what you came for.
pub type ReadTx<DB> = ScopedTx<DB, Reads>;

/// A transaction that reads and writes.
pub type WriteTx<DB> = ScopedTx<DB, Writes>;

/// Marks a transaction that reads.
#[derive(Debug)]
pub enum Reads {}

/// Marks a transaction that reads and writes.
#[derive(Debug)]
pub enum Writes {}

/// What may run a statement that changes rows: a [`WriteTx`]'s.
#[diagnostic::on_unimplemented(
    message = "this transaction only reads",
    label = "cannot change rows",
    note = "open it for writing: `pool.write(&WriteScope::of(&scope)?).await?`, or `pool.write_rows` for rows"
)]
pub trait Writable: sealed::Writable {}

impl Writable for Writes {}

mod sealed {
    pub trait Writable {}

    impl Writable for super::Writes {}
}

impl<DB: Engine, A> ScopedTx<DB, A> {
    pub(crate) fn new(lease: Lease<DB>, owner: Owner, is_persistent: bool) -> Self {
        Self { lease, owner, is_persistent, access: PhantomData }
    }

    /// Whose rows these are.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// A statement about the owner's rows, in the engine's own words. It runs only after
    /// [`bind_owner`](ScopedQuery::bind_owner).
    #[must_use = "a statement does nothing until it is run"]
    pub fn query(&mut self, sql: impl SqlSafeStr) -> ScopedQuery<'_, DB, A, OwnerMissing> {
        ScopedQuery::new(&mut self.lease, sql.into_sql_str(), &self.owner, self.is_persistent)
    }

    /// Makes the changes last.
    ///
    /// PostgreSQL turns the commit of a transaction in which a statement failed into a rollback, and calls that a success:
    /// let errors of statements out before.
    ///
    /// # Errors
    ///
    /// When the database refuses them, or does not answer: then nobody can tell whether they last.
    /// [`sqlx::Error::InvalidSavePointStatement`] when a savepoint was neither released nor rolled back.
    pub async fn commit(self) -> Result<(), sqlx::Error>
    where
        A: Writable,
    {
        self.lease.commit().await
    }

    /// Rolls back, and waits until it is done. To drop the transaction does the same without waiting.
    ///
    /// # Errors
    ///
    /// When the database does not answer. The transaction is undone all the same.
    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        self.lease.rollback().await
    }

    /// What a statement is made of.
    pub(crate) fn parts(&mut self) -> (&mut Lease<DB>, &Owner, bool) {
        (&mut self.lease, &self.owner, self.is_persistent)
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn lease(&mut self) -> &mut Lease<DB> {
        &mut self.lease
    }
}

impl<DB: Engine, A> fmt::Debug for ScopedTx<DB, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedTx").field("engine", &DB::NAME).field("owner", &self.owner).finish_non_exhaustive()
    }
}
