//! What differs between the engines: how a transaction for one scope begins.

use sqlx::Database;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
use sqlx::{Either, Statement};

/// PostgreSQL, SQLite or MySQL, by the feature of that name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no engine of this build",
    note = "switch on one of the features `postgres`, `sqlite`, `mysql`"
)]
pub trait Engine: Database + sealed::Begin {}

#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
impl Engine for sqlx::Postgres {}

#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
impl Engine for sqlx::Sqlite {}

#[cfg(feature = "mysql")]
#[cfg_attr(docsrs, doc(cfg(feature = "mysql")))]
impl Engine for sqlx::MySql {}

/// Refuses a statement that has another number of places than arguments.
#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub(crate) fn count_places<DB: Database>(statement: &DB::Statement, arguments: usize) -> Result<(), sqlx::Error> {
    let places = match statement.parameters() {
        Some(Either::Left(types)) => types.len(),
        Some(Either::Right(count)) => count,
        None => 0,
    };
    if places == arguments {
        return Ok(());
    }
    Err(sqlx::Error::InvalidArgument(format!("{arguments} arguments are bound, and the statement has {places} places")))
}

pub(crate) mod sealed {
    use authcore::{Access, Rows, UserScope};
    use sqlx::SqlStr;

    use crate::dialect::Dialect;

    /// For whom a transaction begins.
    #[derive(Clone, Copy)]
    pub enum For<'p> {
        Scope(&'p UserScope),
        Rows(&'p Rows),
    }

    pub trait Begin: Dialect {
        /// Whether a connection whose statement was given up half-way reads the rest of its answer before the next one.
        const TAKES_UP_AFTER_CANCELLING: bool = true;

        /// What begins a transaction, in one round trip.
        fn begin(whom: For<'_>, access: Access) -> SqlStr;

        /// Refuses a statement that has another number of places than arguments, where the engine would not do so well.
        fn fits(
            _connection: &mut Self::Connection,
            _sql: &SqlStr,
            _arguments: usize,
        ) -> impl Future<Output = Result<(), sqlx::Error>> + Send {
            std::future::ready(Ok(()))
        }
    }
}
