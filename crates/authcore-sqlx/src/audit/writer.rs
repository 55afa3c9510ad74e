//! The task that writes entries down, in the order in which they came.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Pool;

use super::chain::Head;
use super::entry::Entry;
use super::queue::{Outcome, Queue};
use super::table::AuditTable;
use crate::engine::Engine;

pub(super) struct Writer<DB: Engine> {
    pool: Pool<DB>,
    table: AuditTable,
    head: Head,
    queue: Arc<Queue>,
    /// Taken from the queue, and not written yet.
    held: Vec<Entry>,
}

/// Rows in one statement.
const BATCH: usize = 128;

/// How long a statement may take.
const DEADLINE: Duration = Duration::from_secs(30);

impl<DB: Engine> Writer<DB> {
    pub(super) fn new(pool: Pool<DB>, table: AuditTable, head: Head, queue: Arc<Queue>) -> Self {
        Self { pool, table, head, queue, held: Vec::new() }
    }

    pub(super) async fn run(mut self) {
        loop {
            let (waiting, is_end) = self.queue.next(!self.held.is_empty()).await;
            let outcome: Outcome = self.write_all().await.map_err(|error| error.to_string());
            if let Err(cause) = &outcome {
                tracing::warn!(chain = self.head.chain, cause, "decisions are not written to the audit");
            }
            for waiting in waiting {
                let _ = waiting.send(outcome.clone()); // who has gone away need not know
            }
            if is_end {
                self.queue.end(&outcome, self.held.len());
                self.held.clear();
                return;
            }
        }
    }

    /// What is there by now: who waits for it does not wait for what comes meanwhile.
    async fn write_all(&mut self) -> Result<(), sqlx::Error> {
        let mut due = self.held.len() + self.queue.len();
        while due > 0 {
            if self.held.is_empty() {
                self.held = self.queue.take(BATCH);
            }
            self.write().await?;
            due = due.saturating_sub(self.held.len().max(1));
            self.held.clear();
        }
        Ok(())
    }

    /// All that is held, in one statement: all of it or nothing is written.
    async fn write(&mut self) -> Result<(), sqlx::Error> {
        let end = match self.insert().await {
            Err(error) if is_taken(&error) => self.settle(error).await?,
            // A database that keeps less than Unicode: better escaped than not at all.
            Err(error) if is_unfit(&error) => {
                self.held.iter_mut().for_each(Entry::escape);
                self.insert().await?
            }
            done => done?,
        };
        self.queue.set_head(end.to_public());
        self.head = end;
        Ok(())
    }

    async fn insert(&self) -> Result<Head, sqlx::Error> {
        let (draft, end) = self.table.insertion::<DB>(&self.head, &self.held);
        let mut connection = self.pool.acquire().await?;
        match tokio::time::timeout(DEADLINE, DB::run(&mut connection, draft)).await {
            Ok(done) => done.map(|_| end),
            Err(_) => {
                // Nobody knows what it will be answered: not for the next one.
                drop(connection.detach());
                Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into())
            }
        }
    }

    /// Rows are in these places already: by an earlier try whose answer was lost, or by somebody else, and then this goes
    /// on in a chain that nobody knows of.
    async fn settle(&mut self, error: sqlx::Error) -> Result<Head, sqlx::Error> {
        let (_, end) = self.table.insertion::<DB>(&self.head, &self.held);
        let asked = tokio::time::timeout(DEADLINE, self.table.hash_at(&self.pool, &end.chain, end.seq)).await;
        if asked.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?? == Some(end.hash()) {
            return Ok(end);
        }
        tracing::error!(chain = self.head.chain, seq = end.seq, "somebody else writes to this chain of the audit");
        self.head = Head::begin().ok_or(error)?;
        self.insert().await
    }
}

/// Whoever waits hears of it also where the runtime ends, or the task is aborted.
impl<DB: Engine> Drop for Writer<DB> {
    fn drop(&mut self) {
        self.queue.cut_off(self.held.len());
    }
}

/// SQLSTATE class 22, data exception: a text that the database's encoding does not have.
fn is_unfit(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code.starts_with("22"))
}

fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
