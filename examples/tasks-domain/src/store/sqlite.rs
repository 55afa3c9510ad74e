//! SQLite: opened, and brought up to date.

use std::time::{Duration, Instant};

use authcore_sqlx::ScopedPool;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Sqlite, SqlitePool};

use super::{Tables, statements};
use crate::start::StartError;

/// SQLite lets one connection write at a time, so all writing goes over one: writers queue in here, and never meet
/// "database is locked". Readers have connections of their own and are not held up (write-ahead log).
pub(super) async fn open(options: &SqliteConnectOptions, in_memory: bool) -> Result<Tables<Sqlite>, StartError> {
    let options = options.clone().busy_timeout(PATIENCE);
    let patient_until = Instant::now() + PATIENCE;
    let connected = loop {
        match connect(options.clone(), in_memory).await {
            // Another server is making the same file: turning the log on is the one thing SQLite does not wait for.
            Err(error) if code(&error) == Some(BUSY) && Instant::now() < patient_until => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => break other,
        }
    };
    let Pools { reading, writing, keeping } = connected.map_err(|error| StartError::Store(error.into()))?;
    migrate(&writing).await.map_err(|error| StartError::Store(error.into()))?;
    Ok(Tables {
        reading: ScopedPool::sqlite(reading.clone()),
        writing: ScopedPool::sqlite(writing.clone()),
        statements: &statements::SQLITE,
        pool: reading,
        others: std::iter::once(writing).chain(keeping).collect(),
    })
}

/// Whether the file may not be written. The store's own reading transactions never try to.
pub(super) fn is_read_only(error: &sqlx::Error) -> bool {
    code(error) == Some(READ_ONLY)
}

struct Pools {
    reading: SqlitePool,
    writing: SqlitePool,
    /// A database in memory lives as long as some connection to it, and a pool may lose one when a caller goes away while
    /// it waits. Nobody uses this one.
    keeping: Option<SqlitePool>,
}

async fn connect(options: SqliteConnectOptions, in_memory: bool) -> Result<Pools, sqlx::Error> {
    if in_memory {
        let options = options.shared_cache(true);
        let keeping = sole_connection().idle_timeout(None).max_lifetime(None).connect_with(options.clone()).await?;
        // One connection for all: those that share a cache lock one another out.
        let pool = sole_connection().connect_with(options).await?;
        return Ok(Pools { reading: pool.clone(), writing: pool, keeping: Some(keeping) });
    }
    let options = options.create_if_missing(true);
    let writing = sole_connection().connect_with(options.clone().journal_mode(SqliteJournalMode::Wal)).await?;
    let reading = pool_options().max_connections(READERS).connect_lazy_with(options);
    Ok(Pools { reading, writing, keeping: None })
}

/// In one transaction that begins with the lock on writing, so that servers which start together take turns.
async fn migrate(writing: &SqlitePool) -> Result<(), MigrateError> {
    let mut transaction = writing.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::migrate!("migrations/sqlite").run(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

/// SQLite's primary result code, the low byte of what it reports (<https://www.sqlite.org/rescode.html>).
fn code(error: &sqlx::Error) -> Option<u32> {
    let error = error.as_database_error()?.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    let code: u32 = sqlx::error::DatabaseError::code(error)?.parse().ok()?;
    Some(code & 0xff)
}

fn sole_connection() -> SqlitePoolOptions {
    pool_options().min_connections(1).max_connections(1)
}

fn pool_options() -> SqlitePoolOptions {
    // A connection inside the process does not break down between two uses.
    SqlitePoolOptions::new().acquire_timeout(PATIENCE).test_before_acquire(false)
}

/// How long a request waits for its turn, and for other programs that have the file locked.
const PATIENCE: Duration = Duration::from_secs(5);
/// SQLITE_BUSY: another connection has the database locked.
const BUSY: u32 = 5;
/// SQLITE_READONLY.
const READ_ONLY: u32 = 8;
const READERS: u32 = 4;
