//! A transaction for the rows that an isolation let through: those of the caller, of organizations, shared ones, or all.

mod query;

use std::fmt;

use authcore::{Access, Refusal, Rows};
use sqlx::SqlSafeStr;

pub use self::query::RowsQuery;
use crate::dialect::Draft;
use crate::engine::Engine;
use crate::query::{OwnerBound, OwnerMissing};
use crate::table::OwnedTable;
use crate::transaction::{ScopedTx, Writable};

/// Rows that may be changed: an isolation was asked for [`Action::Write`](authcore::Action::Write).
///
/// ```
/// # use authcore::{Action, Identity, Isolation, Method, UserId};
/// use authcore_sqlx::WriteRows;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let ann = UserId::new("ann")?;
/// # let identity = Identity::assertion(ann, Method::Other("example")).into_identity();
/// # let isolation = Isolation::default();
/// assert!(WriteRows::of(&isolation.rows(&identity, Action::Write)).is_ok());
/// let refused = WriteRows::of(&isolation.rows(&identity, Action::Read)).unwrap_err();
/// assert_eq!((refused.status(), refused.code()), (403, "insufficient_role"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WriteRows(Rows);

impl WriteRows {
    /// The rows, if they may be changed.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` when they were asked for to be read.
    pub fn of(rows: &Rows) -> Result<Self, Refusal> {
        if Access::Read.allows(rows.action()) { Err(Refusal::insufficient_role()) } else { Ok(Self(rows.clone())) }
    }

    /// The rows that were checked.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.0
    }
}

/// A transaction for rows, from [`ScopedPool::read_rows`](crate::ScopedPool::read_rows) or
/// [`write_rows`](crate::ScopedPool::write_rows). Dropped, it is rolled back, as a [`ScopedTx`] is.
pub struct RowsTx<DB: Engine, A> {
    tx: ScopedTx<DB, A>,
    rows: Rows,
}

impl<DB: Engine, A> RowsTx<DB, A> {
    pub(crate) fn new(tx: ScopedTx<DB, A>, rows: Rows) -> Self {
        Self { tx, rows }
    }

    /// The rows it is for.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The beginning of a statement, put together from left to right: each argument is added where its place is, so that
    /// none takes another's. It runs only after [`rows`](RowsQuery::rows).
    #[must_use = "a statement does nothing until it is run"]
    pub fn query(&mut self, sql: impl SqlSafeStr) -> RowsQuery<'_, DB, A, OwnerMissing> {
        let (lease, owner, is_persistent) = self.tx.parts();
        RowsQuery::new(lease, owner, &self.rows, Draft::new(sql.into_sql_str().as_str(), is_persistent))
    }

    /// A new row of the caller's own, and no more: what is done instead where there is one already (`ON CONFLICT`) is held
    /// by PostgreSQL's policies alone. The owner column and these others, whose values are [bound](RowsQuery::bind) in
    /// this order, the [end](RowsQuery::push) is `)`. The owner's is there already.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # async fn add(db: &authcore_sqlx::ScopedPool<sqlx::Sqlite>, rows: &authcore_sqlx::WriteRows,
    /// #     table: &authcore_sqlx::OwnedTable) -> Result<(), sqlx::Error> {
    /// let mut tx = db.write_rows(rows).await?;
    /// tx.insert(table, "title").push(", ").bind("Milk").push(")").execute().await?;
    /// tx.commit().await
    /// # }
    /// ```
    #[must_use = "a statement does nothing until it is run"]
    pub fn insert(&mut self, table: &OwnedTable, columns: &'static str) -> RowsQuery<'_, DB, A, OwnerBound>
    where
        A: Writable,
    {
        let (lease, owner, is_persistent) = self.tx.parts();
        let begin =
            format!("INSERT INTO {} ({}, {columns}) VALUES (", table.quoted_for::<DB>(), DB::quoted(table.owner()));
        let query = RowsQuery::new(lease, owner, &self.rows, Draft::new(begin, is_persistent));
        RowsQuery::<_, _, OwnerMissing>::bind_caller(query).bound()
    }

    /// Makes the changes last, as [`ScopedTx::commit`] does.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn commit(self) -> Result<(), sqlx::Error>
    where
        A: Writable,
    {
        self.tx.commit().await
    }

    /// Rolls back, and waits until it is done.
    ///
    /// # Errors
    ///
    /// When the database does not answer. The transaction is undone all the same.
    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        self.tx.rollback().await
    }
}

#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
impl<A> RowsTx<sqlx::Postgres, A> {
    /// The connection, for any statement that sqlx can run: policies hold it to what the rows cover, as far as the
    /// [migration](crate::OwnedTable::migration) of the table knows of them.
    #[must_use]
    pub fn connection(&mut self) -> &mut sqlx::PgConnection {
        self.tx.connection()
    }

    /// One more setting for policies of your own, as [`ScopedTx::set`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn set(&mut self, name: &str, value: &str) -> Result<(), sqlx::Error> {
        self.tx.set(name, value).await
    }
}

impl<DB: Engine, A> fmt::Debug for RowsTx<DB, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowsTx").field("engine", &DB::NAME).field("rows", &self.rows).finish_non_exhaustive()
    }
}
