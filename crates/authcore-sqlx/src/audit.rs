//! An audit in a table: decisions queue up in memory, and a task of their own writes them down.

mod chain;
mod entry;
mod queue;
mod table;
mod verify;
mod writer;

use std::fmt;
use std::sync::Arc;

use authcore::{Audit, Clock, ConfigError, Decision, SystemClock, Unavailable};
use sqlx::Pool;

pub use self::chain::ChainHead;
use self::entry::Entry;
use self::queue::Queue;
pub use self::table::AuditTable;
pub use self::verify::Chained;
use self::writer::Writer;
use crate::engine::Engine;

/// An [`Audit`] whose decisions become rows of an [`AuditTable`], each with a hash over the one before. Clones share it.
///
/// Requests never wait for the database and never fail by it. While it cannot be written to, decisions stay in the queue
/// and are tried again each second; what does not fit any more is counted, and the count gets a row of its own, in its
/// place among the others.
///
/// After the last clone is dropped, what is queued is written, once tried: [`Self::close`] waits for it.
///
/// ```no_run
/// # #[cfg(feature = "sqlite")]
/// # async fn example(pool: sqlx::SqlitePool) -> Result<(), Box<dyn std::error::Error>> {
/// use authcore::Isolation;
/// use authcore_sqlx::AuditTable;
///
/// let audit = AuditTable::new("decisions")?.writer(pool).only_foreign().start()?;
/// let isolation = Isolation::path("/api/{user_id}/**").allow_role("admin").audit(audit.clone());
/// // … serve …
/// audit.close().await?;
/// # let _ = isolation;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqlAudit(Arc<Handle>);

/// Ends the writer with the last of those who could tell it anything.
struct Handle {
    queue: Arc<Queue>,
    keep: Keep,
    clock: Box<dyn Clock>,
}

/// Which decisions are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    All,
    Foreign,
    Denied,
}

/// A [`SqlAudit`] in the making, from [`AuditTable::writer`].
#[must_use]
pub struct AuditWriter<DB: Engine> {
    pool: Pool<DB>,
    table: AuditTable,
    capacity: usize,
    keep: Keep,
    clock: Box<dyn Clock>,
}

impl<DB: Engine> AuditWriter<DB> {
    fn new(pool: Pool<DB>, table: AuditTable) -> Self {
        Self { pool, table, capacity: 8192, keep: Keep::All, clock: Box::new(SystemClock) }
    }

    /// How many decisions the queue holds, 8192 by default and one at least; some 128 more are in the writer's hands. A
    /// decision takes a few hundred bytes, and 10 KiB at most.
    pub fn capacity(mut self, decisions: usize) -> Self {
        self.capacity = decisions.max(1);
        self
    }

    /// Leaves out what callers do to their own, unless an administrator acts as them. What is denied is kept.
    pub fn only_foreign(mut self) -> Self {
        self.keep = Keep::Foreign;
        self
    }

    /// Leaves out what is allowed.
    pub fn only_denied(mut self) -> Self {
        self.keep = Keep::Denied;
        self
    }

    /// Another clock than the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Starts a chain of its own, so that several instances can write to one table.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] outside of a tokio runtime, and where the system has no random numbers.
    pub fn start(self) -> Result<SqlAudit, ConfigError> {
        let runtime = tokio::runtime::Handle::try_current();
        let runtime = runtime.map_err(|_| ConfigError::new("audit: it is started within a tokio runtime"))?;
        let head = chain::Head::begin().ok_or_else(|| ConfigError::new("audit: there are no random numbers"))?;
        let queue = Arc::new(Queue::new(self.capacity, head.to_public()));
        runtime.spawn(Writer::new(self.pool, self.table, head, Arc::clone(&queue)).run());
        Ok(SqlAudit(Arc::new(Handle { queue, keep: self.keep, clock: self.clock })))
    }
}

impl SqlAudit {
    /// Waits until the decisions so far are written.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the database did not take them. They are kept, and tried again. Also when the audit has ended.
    pub async fn flush(&self) -> Result<(), Unavailable> {
        self.0.queue.flush().await
    }

    /// Writes what is queued, and ends. Decisions that other clones are told from now on are lost.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the database did not take them: they are lost.
    pub async fn close(self) -> Result<(), Unavailable> {
        self.0.queue.close();
        self.0.queue.closed().await
    }

    /// How many decisions were lost so far, for a metric.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.queue.lost()
    }

    /// The end of the chain as it was last written. Noted elsewhere, it proves that nothing was cut off or written anew: see
    /// [`AuditTable::verify_beyond`].
    #[must_use]
    pub fn head(&self) -> ChainHead {
        self.0.queue.head()
    }
}

impl Audit for SqlAudit {
    fn record(&self, decision: &Decision<'_>) {
        let is_kept = match self.0.keep {
            Keep::All => true,
            Keep::Foreign => !is_own(decision),
            Keep::Denied => !decision.is_allowed,
        };
        if is_kept {
            let now = self.0.clock.now();
            self.0.queue.push(now, || Entry::of(decision, now));
        }
    }
}

fn is_own(decision: &Decision<'_>) -> bool {
    decision.is_allowed && ["own", "owner"].contains(&decision.reason) && decision.caller.impersonated_by().is_none()
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for SqlAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlAudit").field("chain", &self.head().chain).finish_non_exhaustive()
    }
}

impl<DB: Engine> fmt::Debug for AuditWriter<DB> {
    /// Without the pool, whose options hold the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditWriter").field("table", &self.table).finish_non_exhaustive()
    }
}
