//! Tasks in SQLite or PostgreSQL. Every function takes a [`UserScope`] and names its owner in the statement that does the
//! work, so somebody else's task is never told apart from one that is not there. On PostgreSQL row-level security holds
//! each statement to the same rows once more.

mod postgres;
mod sqlite;
mod statements;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use authcore::{Refusal, UserScope};
use authcore_sqlx::{ReadTx, ScopedPool, WriteScope, WriteTx, unavailable};
use sqlx::{Pool, Postgres, Sqlite};

use crate::page::Page;
use crate::settings::{Database, Place};
use crate::start::StartError;
use crate::task::{NewTask, Task, TaskChange, TaskList};

use statements::Statements;

/// Where the tasks are. Cheap to clone.
#[derive(Clone)]
pub struct TaskStore(Engine);

#[derive(Clone)]
enum Engine {
    Sqlite(Arc<Tables<Sqlite>>),
    Postgres(Arc<Tables<Postgres>>),
}

/// The table in one engine: ways to it that only a scope opens, and what is said there.
struct Tables<DB: authcore_sqlx::Engine> {
    reading: ScopedPool<DB>,
    writing: ScopedPool<DB>,
    statements: &'static Statements,
    /// The connections behind `reading`, to ask whether the database is there.
    pool: Pool<DB>,
    /// What else is to be closed in the end.
    others: Vec<Pool<DB>>,
}

/// Says the same to whichever engine it is, since they differ in types only, and does not wait for ever.
macro_rules! on {
    ($store:expr, $tables:ident => $work:expr) => {
        match &$store.0 {
            Engine::Sqlite($tables) => in_time(async { $work }).await,
            Engine::Postgres($tables) => in_time(async { $work }).await,
        }
    };
}

impl TaskStore {
    /// Opens the store, making an SQLite file when there is none, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// When the database cannot be opened, its tables are not those of this program, or, on PostgreSQL, the role lacks
    /// rights or is one that row-level security does not hold.
    pub async fn open(database: &Database) -> Result<Self, StartError> {
        Ok(Self(match database.place() {
            Place::Sqlite { options, in_memory } => Engine::Sqlite(Arc::new(sqlite::open(options, *in_memory).await?)),
            Place::Postgres(options) => Engine::Postgres(Arc::new(postgres::open(options).await?)),
        }))
    }

    /// A page of the owner's tasks.
    ///
    /// # Errors
    ///
    /// `503 store_unavailable`.
    pub async fn list(&self, scope: &UserScope, page: &Page) -> Result<TaskList, Refusal> {
        let limit = usize::from(page.limit);
        let mut tasks: Vec<Task> = on!(self, tables => {
            let mut tx = tables.read(scope).await?;
            let list = tx.query(tables.statements.list).bind_owner().bind(page.after).bind(page.completed);
            // One more, to know whether there is a next page.
            list.bind(i64::from(page.limit) + 1).fetch_all().await.map_err(refuse)
        })?;

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
        on!(self, tables => {
            let mut tx = tables.read(scope).await?;
            let found = tx.query(tables.statements.find).bind(id).bind_owner().fetch_optional().await;
            found.map_err(refuse)?.ok_or_else(Refusal::not_found)
        })
    }

    /// Makes a task for the owner.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` for a scope that only reads, `503 store_unavailable`.
    pub async fn create(&self, scope: &UserScope, new: &NewTask) -> Result<Task, Refusal> {
        let scope = WriteScope::of(scope)?;
        on!(self, tables => {
            let mut tx = tables.write(&scope).await?;
            let insert = tx.query(tables.statements.create).bind_owner().bind(&new.title).bind(&new.description);
            let made = insert.fetch_optional().await;
            settle(tx, made).await
        })
    }

    /// Changes one of the owner's tasks.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` for a scope that only reads, `404 not_found`, `503 store_unavailable`.
    pub async fn change(&self, scope: &UserScope, id: i64, change: &TaskChange) -> Result<Task, Refusal> {
        let scope = WriteScope::of(scope)?;
        let description = change.description.as_ref().and_then(Option::as_ref);
        on!(self, tables => {
            let mut tx = tables.write(&scope).await?;
            let update = tx.query(tables.statements.change).bind(id).bind_owner().bind(&change.title);
            let update = update.bind(change.description.is_some()).bind(description).bind(change.completed);
            let changed = update.fetch_optional().await;
            settle(tx, changed).await
        })
    }

    /// Turns `completed` of one of the owner's tasks over.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` for a scope that only reads, `404 not_found`, `503 store_unavailable`.
    pub async fn toggle(&self, scope: &UserScope, id: i64) -> Result<Task, Refusal> {
        let scope = WriteScope::of(scope)?;
        on!(self, tables => {
            let mut tx = tables.write(&scope).await?;
            let toggled = tx.query(tables.statements.toggle).bind(id).bind_owner().fetch_optional().await;
            settle(tx, toggled).await
        })
    }

    /// Deletes one of the owner's tasks.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` for a scope that only reads, `404 not_found`, `503 store_unavailable`.
    pub async fn delete(&self, scope: &UserScope, id: i64) -> Result<(), Refusal> {
        let scope = WriteScope::of(scope)?;
        on!(self, tables => {
            let mut tx = tables.write(&scope).await?;
            let deleted = tx.query(tables.statements.delete).bind(id).bind_owner().fetch_optional().await;
            settle(tx, deleted).await.map(|(_,): (i64,)| ())
        })
    }

    /// Whether the database answers, within two seconds.
    pub async fn is_reachable(&self) -> bool {
        let asked = async {
            on!(self, tables => {
                let asked = sqlx::query("SELECT 1 FROM tasks LIMIT 1").fetch_optional(&tables.pool).await;
                asked.map(|_| ()).map_err(refuse)
            })
            .is_ok()
        };
        tokio::time::timeout(Duration::from_secs(2), asked).await.unwrap_or(false)
    }

    /// Waits for what is under way and closes the database. For the end of the program.
    pub async fn close(&self) {
        match &self.0 {
            Engine::Sqlite(tables) => tables.close().await,
            Engine::Postgres(tables) => tables.close().await,
        }
    }
}

impl fmt::Debug for TaskStore {
    /// Without the pools, whose options may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Engine::Sqlite(_) => "TaskStore(SQLite)",
            Engine::Postgres(_) => "TaskStore(PostgreSQL)",
        })
    }
}

impl<DB: authcore_sqlx::Engine> Tables<DB> {
    async fn read(&self, scope: &UserScope) -> Result<ReadTx<DB>, Refusal> {
        self.reading.read(scope).await.map_err(refuse)
    }

    async fn write(&self, scope: &WriteScope) -> Result<WriteTx<DB>, Refusal> {
        self.writing.write(scope).await.map_err(refuse)
    }

    async fn close(&self) {
        for pool in std::iter::once(&self.pool).chain(&self.others) {
            pool.close().await;
        }
    }
}

/// A database that stands still, or a network that swallows what it is given, tells nobody so.
async fn in_time<T>(work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let done = tokio::time::timeout(LONGEST, work).await;
    done.unwrap_or_else(|_| Err(refuse(std::io::Error::from(std::io::ErrorKind::TimedOut).into())))
}

/// Makes what a statement did to its one row last; without a row there is nothing to last.
async fn settle<DB: authcore_sqlx::Engine, T>(
    tx: WriteTx<DB>,
    row: Result<Option<T>, sqlx::Error>,
) -> Result<T, Refusal> {
    let row = row.map_err(refuse)?.ok_or_else(Refusal::not_found)?;
    tx.commit().await.map_err(refuse)?;
    Ok(row)
}

/// What went wrong goes to the log, where the request's span names its id; the client learns only whose fault it is.
fn refuse(error: sqlx::Error) -> Refusal {
    let outage = match unavailable(error) {
        Ok(outage) => outage,
        Err(error) if sqlite::is_read_only(&error) => authcore::Unavailable::new(error, Duration::from_secs(1)),
        Err(error) => {
            tracing::error!(%error, "the task store refused a statement");
            return Refusal::internal();
        }
    };
    tracing::warn!(error = %outage, "the task store cannot be reached");
    Refusal::unavailable("store_unavailable", "Tasks cannot be reached at the moment", outage.retry_after())
}

/// What can end by itself does so before: a wait for a connection, a wait for a lock.
const LONGEST: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests;
