//! What the three engines have in common, and where statements are run: the only place that asserts a text to be safe.
//! Each is put together once from our own words and from names that [`Schema`](super::Schema) has checked; whatever a
//! request brings is an argument.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use authcore::ConfigError;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{
    Arguments, AssertSqlSafe, ColumnIndex, ConnectOptions, Connection, Database, Decode, Encode, Executor,
    IntoArguments, Pool, Row as _, Type,
};

use super::unreachable;

pub(super) type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'a>>;

/// A row as text, whatever its columns are; `None` for null.
pub(super) type Values = Vec<Option<String>>;

/// A database of one kind: how it spells a statement, and how it runs one.
pub(super) trait Engine: Send + Sync + 'static {
    /// In one word, for messages.
    fn name(&self) -> &'static str;

    /// A name as part of a statement.
    fn quote(&self, name: &str) -> String;

    /// The columns of a table that these connections see, by name and declared type; none when there is no such table.
    fn columns<'a>(&'a self, namespace: Option<&'a str>, table: &'a str) -> Asked<'a, Vec<(String, String)>>;

    /// Whether these connections may not even learn if the table has this column, which [`Self::columns`] did not name.
    fn hides<'a>(&'a self, _table: &'a str, _column: &'a str) -> Asked<'a, bool> {
        Box::pin(async { Ok(false) })
    }

    /// Whether two spellings of a column's name are one.
    fn same_column(&self, one: &str, other: &str) -> bool {
        one.eq_ignore_ascii_case(other)
    }

    /// A column as text.
    fn as_text(&self, column: &str, declared: &str) -> String;

    /// The argument at this position, counted from 1, to be compared with a column.
    fn argument(&self, position: usize, declared: &str) -> String;

    /// Whether the column can hold this value at all. What it cannot hold is not asked for.
    fn can_hold(&self, _declared: &str, _value: &str) -> bool {
        true
    }

    /// A column that means another one, of perhaps another type, so that both can be compared and the other's index
    /// serves. Where an engine compares texts with numbers by itself, `5x` may pass for 5: whoever reads the row
    /// compares again.
    fn reference(&self, column: &str, _declared: &str, _other: &str) -> String {
        column.to_owned()
    }

    /// Whether a text equals an argument, null being equal to null.
    fn is_same(&self, text: &str, argument: &str) -> String;

    /// Runs a statement that changes rows, and counts those it matched.
    fn change<'a>(&'a self, sql: &'a Arc<str>, arguments: Values) -> Asked<'a, u64>;

    /// Runs a statement.
    fn rows<'a>(&'a self, sql: &'a Arc<str>, arguments: Vec<String>) -> Asked<'a, Vec<Values>>;

    /// Settings of the connections that would make what is read wrong.
    fn check(&self) -> Asked<'_, Result<(), ConfigError>> {
        Box::pin(async { Ok(Ok(())) })
    }
}

/// What the connections of a pool may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// The limits of a pool, for all engines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) deadline: Duration,
    pub(super) connections: u32,
}

impl Limits {
    /// A pool within the limits. A connection that was idle for a second is tried before it is used: the database may
    /// have been restarted meanwhile.
    pub(super) fn pool<DB: Database>(self) -> PoolOptions<DB> {
        PoolOptions::new()
            .max_connections(self.connections)
            .acquire_timeout(self.deadline)
            .idle_timeout(Duration::from_secs(600))
            .max_lifetime(Duration::from_secs(1800))
            .test_before_acquire(false)
            .before_acquire(|connection: &mut DB::Connection, usage| {
                Box::pin(async move { Ok(usage.idle_for < Duration::from_secs(1) || connection.ping().await.is_ok()) })
            })
    }
}

/// Connects once without a pool, which tells no more than that it waited in vain.
pub(super) async fn try_out<C, O>(options: &O) -> Result<(), ConfigError>
where
    C: Connection,
    O: ConnectOptions<Connection = C>,
{
    let connected = options.connect().await.map_err(|error| unreachable(&error))?;
    connected.close().await.map_err(|error| unreachable(&error))
}

/// Runs a statement and reads all rows as text.
pub(super) async fn rows<DB>(
    pool: &Pool<DB>,
    sql: &Arc<str>,
    arguments: Vec<String>,
) -> Result<Vec<Values>, sqlx::Error>
where
    DB: Database,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> String: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    let mut values = DB::Arguments::default();
    for argument in arguments {
        values.add(argument).map_err(sqlx::Error::Encode)?;
    }
    let mut lease = Lease(Some(pool.acquire().await?));
    let query = sqlx::query_with(AssertSqlSafe(Arc::clone(sql)), values);
    let found = query.fetch_all(&mut **lease.0.as_mut().expect("until it is given back")).await;
    lease.give_back(pool);
    found?.iter().map(|row| (0..row.len()).map(|index| row.try_get(index)).collect()).collect()
}

/// Runs a statement that changes rows, and counts those it matched.
pub(super) async fn change<DB>(
    pool: &Pool<DB>,
    sql: &Arc<str>,
    arguments: Values,
    matched: fn(&DB::QueryResult) -> u64,
) -> Result<u64, sqlx::Error>
where
    DB: Database,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> Option<String>: Encode<'q, DB> + Type<DB>,
{
    let mut values = DB::Arguments::default();
    for argument in arguments {
        values.add(argument).map_err(sqlx::Error::Encode)?;
    }
    let mut lease = Lease(Some(pool.acquire().await?));
    let query = sqlx::query_with(AssertSqlSafe(Arc::clone(sql)), values);
    let done = query.execute(&mut **lease.0.as_mut().expect("until it is given back")).await;
    lease.give_back(pool);
    done.map(|done| matched(&done))
}

/// A connection that leaves the pool if its statement never ended. Giving it back, or taking leave of the server, would keep
/// its place until the server answers, which it may never do.
struct Lease<DB: Database>(Option<PoolConnection<DB>>);

impl<DB: Database> Lease<DB> {
    fn give_back(&mut self, pool: &Pool<DB>) {
        if let Some(mut connection) = self.0.take() {
            // The pool asks the server once more before it lets the next one have the connection, and would wait on.
            tokio::spawn(tokio::time::timeout(pool.options().get_acquire_timeout(), connection.return_to_pool()));
        }
    }
}

impl<DB: Database> Drop for Lease<DB> {
    fn drop(&mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}
