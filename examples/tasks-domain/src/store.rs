//! Tasks in SQLite. Every function takes a [`UserScope`] and filters by its owner in the statement that does the work,
//! so somebody else's task is never told apart from one that is not there.

use std::time::{Duration, Instant};

use authcore::{Refusal, UserScope};
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Sqlite, SqlitePool};

use crate::page::Page;
use crate::settings::Database;
use crate::start::StartError;
use crate::task::{NewTask, Task, TaskChange, TaskList};

/// Where the tasks are. Cheap to clone.
///
/// SQLite lets one connection write at a time, so all writing goes over one: writers queue in here, and never meet
/// "database is locked". Readers have connections of their own and are not held up (write-ahead log).
#[derive(Clone, Debug)]
pub struct TaskStore {
    reading: SqlitePool,
    writing: SqlitePool,
    /// A database in memory lives as long as some connection to it, and a pool may lose one when a caller goes away while
    /// it waits. Nobody uses this one.
    keeping: Option<SqlitePool>,
}

impl TaskStore {
    /// Opens the store, making the file when there is none, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// When the database cannot be opened, or its tables are not those of this program.
    pub async fn open(database: &Database) -> Result<Self, StartError> {
        let patient_until = Instant::now() + PATIENCE;
        let connected = loop {
            match Self::connect(database).await {
                // Another server is making the same file: turning the log on is the one thing SQLite does not wait for.
                Err(error) if sqlite_code(&error) == Some(BUSY) && Instant::now() < patient_until => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                other => break other,
            }
        };
        let store = connected.map_err(|error| StartError::Store(error.into()))?;
        store.migrate().await.map_err(|error| StartError::Store(error.into()))?;
        Ok(store)
    }

    /// In one transaction that begins with the lock on writing, so that servers which start together take turns.
    async fn migrate(&self) -> Result<(), MigrateError> {
        let mut transaction = self.writing.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::migrate!().run(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    async fn connect(database: &Database) -> Result<Self, sqlx::Error> {
        let options = database.options().clone().busy_timeout(PATIENCE);
        if database.is_in_memory() {
            let options = options.shared_cache(true);
            let keeping = sole_connection().idle_timeout(None).max_lifetime(None).connect_with(options.clone()).await?;
            // One connection for all: those that share a cache lock one another out.
            let pool = sole_connection().connect_with(options).await?;
            return Ok(Self { reading: pool.clone(), writing: pool, keeping: Some(keeping) });
        }
        let options = options.create_if_missing(true);
        let writing = sole_connection().connect_with(options.clone().journal_mode(SqliteJournalMode::Wal)).await?;
        let reading = pool_options().max_connections(READERS);
        let reading = reading.connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Self { reading, writing, keeping: None })
    }

    /// A page of the owner's tasks.
    ///
    /// # Errors
    ///
    /// `503 store_unavailable`.
    pub async fn list(&self, scope: &UserScope, page: &Page) -> Result<TaskList, Refusal> {
        let limit = usize::from(page.limit);
        let tasks = sqlx::query_as::<_, Task>(
            "SELECT id, user_id, title, description, completed, created_at, updated_at FROM tasks \
             WHERE user_id = ?1 AND id > ?2 AND (?3 IS NULL OR completed = ?3) ORDER BY id LIMIT ?4",
        )
        .bind(scope.owner().as_str())
        .bind(page.after)
        .bind(page.completed)
        .bind(i64::from(page.limit) + 1); // one more, to know whether there is a next page
        let mut tasks = tasks.fetch_all(&self.reading).await.map_err(refuse)?;

        let goes_on = tasks.len() > limit;
        tasks.truncate(limit);
        let next = tasks.last().filter(|_| goes_on).map(|last| last.id.to_string());
        Ok(TaskList { user_id: scope.owner().to_string(), count: tasks.len(), next, tasks })
    }

    /// One of the owner's tasks.
    ///
    /// # Errors
    ///
    /// `404 not_found`, `503 store_unavailable`.
    pub async fn find(&self, scope: &UserScope, id: i64) -> Result<Task, Refusal> {
        let task = sqlx::query_as::<_, Task>(
            "SELECT id, user_id, title, description, completed, created_at, updated_at FROM tasks \
             WHERE id = ?1 AND user_id = ?2",
        );
        sole_row(task.bind(id).bind(scope.owner().as_str()), &self.reading).await
    }

    /// Makes a task for the owner.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` for a scope that only reads, `503 store_unavailable`.
    pub async fn create(&self, scope: &UserScope, new: &NewTask) -> Result<Task, Refusal> {
        scope.require_write()?;
        let task = sqlx::query_as::<_, Task>(
            "INSERT INTO tasks (user_id, title, description, created_at, updated_at) \
             VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) \
             RETURNING id, user_id, title, description, completed, created_at, updated_at",
        );
        let task = task.bind(scope.owner().as_str()).bind(&new.title).bind(&new.description);
        sole_row(task, &self.writing).await
    }

    /// Changes one of the owner's tasks.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` for a scope that only reads, `404 not_found`, `503 store_unavailable`.
    pub async fn change(&self, scope: &UserScope, id: i64, change: &TaskChange) -> Result<Task, Refusal> {
        scope.require_write()?;
        let task = sqlx::query_as::<_, Task>(
            "UPDATE tasks SET title = coalesce(?3, title), \
             description = CASE WHEN ?4 THEN ?5 ELSE description END, \
             completed = coalesce(?6, completed), updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') \
             WHERE id = ?1 AND user_id = ?2 \
             RETURNING id, user_id, title, description, completed, created_at, updated_at",
        )
        .bind(id)
        .bind(scope.owner().as_str())
        .bind(&change.title)
        .bind(change.description.is_some())
        .bind(change.description.as_ref().and_then(Option::as_ref))
        .bind(change.completed);
        sole_row(task, &self.writing).await
    }

    /// Turns `completed` of one of the owner's tasks over.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` for a scope that only reads, `404 not_found`, `503 store_unavailable`.
    pub async fn toggle(&self, scope: &UserScope, id: i64) -> Result<Task, Refusal> {
        scope.require_write()?;
        let task = sqlx::query_as::<_, Task>(
            "UPDATE tasks SET completed = 1 - completed, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') \
             WHERE id = ?1 AND user_id = ?2 \
             RETURNING id, user_id, title, description, completed, created_at, updated_at",
        );
        sole_row(task.bind(id).bind(scope.owner().as_str()), &self.writing).await
    }

    /// Deletes one of the owner's tasks.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` for a scope that only reads, `404 not_found`, `503 store_unavailable`.
    pub async fn delete(&self, scope: &UserScope, id: i64) -> Result<(), Refusal> {
        scope.require_write()?;
        let deleted = sqlx::query("DELETE FROM tasks WHERE id = ?1 AND user_id = ?2")
            .bind(id)
            .bind(scope.owner().as_str())
            .execute(&self.writing)
            .await
            .map_err(refuse)?;
        if deleted.rows_affected() == 0 { Err(Refusal::not_found()) } else { Ok(()) }
    }

    /// Whether the database answers.
    pub async fn is_reachable(&self) -> bool {
        let asked = sqlx::query("SELECT 1 FROM tasks LIMIT 1").fetch_optional(&self.reading);
        matches!(tokio::time::timeout(Duration::from_secs(2), asked).await, Ok(Ok(_)))
    }

    /// Waits for what is under way and closes the database. For the end of the program.
    pub async fn close(&self) {
        for pool in [&self.reading, &self.writing].into_iter().chain(&self.keeping) {
            pool.close().await;
        }
    }
}

/// Runs a statement that touches one row at most.
async fn sole_row<'q>(
    statement: sqlx::query::QueryAs<'q, Sqlite, Task, sqlx::sqlite::SqliteArguments>,
    pool: &SqlitePool,
) -> Result<Task, Refusal> {
    // To its end: a statement that writes commits only there, and may fail at it.
    let rows = statement.fetch_all(pool).await.map_err(refuse)?;
    rows.into_iter().next().ok_or_else(Refusal::not_found)
}

/// What went wrong goes to the log, where the request's span names its id; the client learns only whose fault it is.
fn refuse(error: sqlx::Error) -> Refusal {
    if is_outage(&error) {
        tracing::warn!(%error, "the task store cannot be reached");
        return Refusal::unavailable("store_unavailable", "Tasks cannot be reached at the moment", RETRY_AFTER);
    }
    tracing::error!(%error, "the task store refused a statement");
    Refusal::internal()
}

fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        // SQLITE_LOCKED, READONLY, IOERR, FULL and CANTOPEN.
        _ => matches!(sqlite_code(error), Some(BUSY | 6 | 8 | 10 | 13 | 14)),
    }
}

/// SQLite's primary result code, the low byte of what it reports (<https://www.sqlite.org/rescode.html>).
fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
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
const RETRY_AFTER: Duration = Duration::from_secs(1);
const READERS: u32 = 4;

#[cfg(test)]
mod tests;
