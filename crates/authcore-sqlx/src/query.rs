//! A statement that runs only once its owner is bound.

use std::marker::PhantomData;

use sqlx::database::HasStatementCache;
use sqlx::error::BoxDynError;
use sqlx::{Arguments, AssertSqlSafe, Encode, Executor, FromRow, IntoArguments, SqlSafeStr, SqlStr, Type};

use crate::dialect::Draft;
use crate::engine::Engine;
use crate::lease::Lease;
use crate::owner::Owner;
use crate::transaction::Writable;

/// A statement in the making, from [`ScopedTx::query`](crate::ScopedTx::query): arguments are bound in the order of their
/// places, the owner among them.
#[must_use = "a statement does nothing until it is run"]
pub struct ScopedQuery<'t, DB: Engine, A, O> {
    lease: &'t mut Lease<DB>,
    sql: SqlStr,
    owner: &'t Owner,
    is_persistent: bool,
    arguments: Result<DB::Arguments, BoxDynError>,
    state: PhantomData<fn() -> (A, O)>,
}

/// Marks a statement whose owner is not bound yet.
#[derive(Debug)]
pub enum OwnerMissing {}

/// Marks a statement whose owner is bound.
#[derive(Debug)]
pub enum OwnerBound {}

/// What may run: a statement that says whose rows it is about.
#[diagnostic::on_unimplemented(
    message = "this statement does not say whose rows it is about",
    label = "the owner is not bound",
    note = "name the owner in it and bind it: `… WHERE user_id = $1` (`?` in MySQL) with `.bind_owner()`, or `.rows(&table)` \
            in a transaction for rows"
)]
pub trait BindsOwner: sealed::BindsOwner {}

impl BindsOwner for OwnerBound {}

mod sealed {
    pub trait BindsOwner {}

    impl BindsOwner for super::OwnerBound {}
}

impl<'t, DB: Engine, A, O> ScopedQuery<'t, DB, A, O> {
    pub(crate) fn new(lease: &'t mut Lease<DB>, sql: SqlStr, owner: &'t Owner, is_persistent: bool) -> Self {
        Self { lease, sql, owner, is_persistent, arguments: Ok(DB::Arguments::default()), state: PhantomData }
    }

    /// A statement whose arguments are bound already.
    pub(crate) fn of_draft(lease: &'t mut Lease<DB>, draft: Draft<DB>, owner: &'t Owner) -> Self {
        let Draft { text, arguments, is_persistent } = draft;
        // Parts that are safe by their types, checked names and places of arguments.
        let sql = AssertSqlSafe(text).into_sql_str();
        Self { lease, sql, owner, is_persistent, arguments, state: PhantomData }
    }

    /// Binds the next argument. One that cannot be encoded fails the statement when it is run.
    pub fn bind<'v, T: Encode<'v, DB> + Type<DB>>(mut self, value: T) -> Self {
        self.add(value);
        self
    }

    /// Binds the scope's owner as the next argument.
    pub fn bind_owner(mut self) -> ScopedQuery<'t, DB, A, OwnerBound>
    where
        Owner: for<'q> Encode<'q, DB> + Type<DB>,
    {
        self.add(self.owner.clone());
        let Self { lease, sql, owner, is_persistent, arguments, .. } = self;
        ScopedQuery { lease, sql, owner, is_persistent, arguments, state: PhantomData }
    }

    fn add<'v, T: Encode<'v, DB> + Type<DB>>(&mut self, value: T) {
        if let Ok(arguments) = &mut self.arguments
            && let Err(error) = arguments.add(value)
        {
            self.arguments = Err(error);
        }
    }
}

impl<DB, A, O> ScopedQuery<'_, DB, A, O>
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
        let (lease, sql, arguments, is_persistent) = self.ready().await?;
        let query = sqlx::query_as_with(sql, arguments).persistent(is_persistent);
        let rows = query.fetch_all(lease.begin_statement()?).await;
        lease.done();
        rows
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
        let (lease, sql, arguments, is_persistent) = self.ready().await?;
        let query = sqlx::query_as_with(sql, arguments).persistent(is_persistent);
        let rows = query.fetch_optional(lease.begin_statement()?).await;
        lease.done();
        rows
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
        self.fetch_optional().await?.ok_or(sqlx::Error::RowNotFound)
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
        let (lease, sql, arguments, is_persistent) = self.ready().await?;
        let query = sqlx::query_with(sql, arguments).persistent(is_persistent);
        let done = query.execute(lease.begin_statement()?).await;
        lease.done();
        done
    }
}

impl<'t, DB: Engine, A, O> ScopedQuery<'t, DB, A, O> {
    async fn ready(self) -> Result<(&'t mut Lease<DB>, SqlStr, DB::Arguments, bool), sqlx::Error> {
        let Self { lease, sql, arguments, is_persistent, .. } = self;
        let arguments = arguments.map_err(sqlx::Error::Encode)?;
        let fits = DB::fits(lease.begin_statement()?, &sql, arguments.len()).await;
        lease.done();
        fits?;
        Ok((lease, sql, arguments, is_persistent))
    }
}
