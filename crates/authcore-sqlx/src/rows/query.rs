//! A statement put together from left to right, which runs only once it says which rows it is about.

use std::marker::PhantomData;

use authcore::Rows;
use sqlx::database::HasStatementCache;
use sqlx::{Arguments as _, Encode, Executor, FromRow, IntoArguments, SqlSafeStr, Type};

use crate::dialect::Draft;
use crate::dialect::Sink as _;
use crate::engine::Engine;
use crate::lease::Lease;
use crate::owner::Owner;
use crate::query::{BindsOwner, OwnerBound, ScopedQuery};
use crate::table::OwnedTable;
use crate::transaction::Writable;

/// A statement in the making, from [`RowsTx::query`](crate::RowsTx::query).
#[must_use = "a statement does nothing until it is run"]
pub struct RowsQuery<'t, DB: Engine, A, O> {
    lease: &'t mut Lease<DB>,
    owner: &'t Owner,
    rows: &'t Rows,
    draft: Draft<DB>,
    state: PhantomData<fn() -> (A, O)>,
}

impl<'t, DB: Engine, A, O> RowsQuery<'t, DB, A, O> {
    pub(super) fn new(lease: &'t mut Lease<DB>, owner: &'t Owner, rows: &'t Rows, draft: Draft<DB>) -> Self {
        Self { lease, owner, rows, draft, state: PhantomData }
    }

    /// Adds words.
    pub fn push(mut self, sql: impl SqlSafeStr) -> Self {
        self.draft.text.push_str(sql.into_sql_str().as_str());
        self
    }

    /// Adds an argument and its place. One that cannot be encoded fails the statement when it is run.
    pub fn bind<'v, T: Encode<'v, DB> + Type<DB>>(mut self, value: T) -> Self {
        self.draft.place(|arguments| arguments.add(value));
        self
    }

    /// Adds the condition that a row of this table is among those of the transaction, in parentheses.
    pub fn rows(mut self, table: &OwnedTable) -> RowsQuery<'t, DB, A, OwnerBound> {
        table.write::<DB>(self.rows, &mut self.draft);
        self.bound()
    }

    /// Adds the caller's id as an argument and its place, for a column that says who did it. It says nothing of whose rows
    /// the statement is about.
    pub fn bind_caller(mut self) -> Self {
        self.draft.value(self.owner.user_id().as_str().into());
        self
    }

    pub(super) fn bound(self) -> RowsQuery<'t, DB, A, OwnerBound> {
        let Self { lease, owner, rows, draft, .. } = self;
        RowsQuery::new(lease, owner, rows, draft)
    }

    fn ready(self) -> ScopedQuery<'t, DB, A, O> {
        ScopedQuery::of_draft(self.lease, self.draft, self.owner)
    }
}

impl<DB, A, O> RowsQuery<'_, DB, A, O>
where
    DB: Engine + HasStatementCache,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// All rows, each as a tuple or a struct of its columns.
    ///
    /// # Errors
    ///
    /// Those of the database, and a row that is not a `T`.
    pub async fn fetch_all<T>(self) -> Result<Vec<T>, sqlx::Error>
    where
        O: BindsOwner,
        T: for<'r> FromRow<'r, DB::Row> + Send + Unpin,
    {
        self.ready().fetch_all().await
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Self::fetch_all`].
    pub async fn fetch_optional<T>(self) -> Result<Option<T>, sqlx::Error>
    where
        O: BindsOwner,
        T: for<'r> FromRow<'r, DB::Row> + Send + Unpin,
    {
        self.ready().fetch_optional().await
    }

    /// The first row.
    ///
    /// # Errors
    ///
    /// As [`Self::fetch_all`], and [`sqlx::Error::RowNotFound`].
    pub async fn fetch_one<T>(self) -> Result<T, sqlx::Error>
    where
        O: BindsOwner,
        T: for<'r> FromRow<'r, DB::Row> + Send + Unpin,
    {
        self.ready().fetch_one().await
    }

    /// Changes rows, and says how many.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn execute(self) -> Result<DB::QueryResult, sqlx::Error>
    where
        O: BindsOwner,
        A: Writable,
    {
        self.ready().execute().await
    }
}
