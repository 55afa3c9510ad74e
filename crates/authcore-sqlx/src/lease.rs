//! A connection in a transaction. It goes back to its pool only if the server will end the transaction first.

use sqlx::SqlStr;
use sqlx::pool::PoolConnection;
// sqlx itself gives this trait no path.
use sqlx_core::transaction::TransactionManager;

use crate::engine::Engine;

/// A connection on which a transaction has begun, or is about to.
pub(crate) struct Lease<DB: Engine> {
    /// `None` only while it is dropped.
    connection: Option<PoolConnection<DB>>,
    has_begun: bool,
    /// Whether a statement was begun whose answer nobody has read to its end.
    is_busy: bool,
}

impl<DB: Engine> Lease<DB> {
    /// Begins a transaction by this statement.
    ///
    /// Whoever gives up in between, or whose statement fails half-way, leaves a connection of which nobody can tell what
    /// the server made of it: sqlx takes it for one without a transaction and rolls nothing back. It is closed instead.
    pub(crate) async fn begin(connection: PoolConnection<DB>, statement: SqlStr) -> Result<Self, sqlx::Error> {
        let mut lease = Self { connection: Some(connection), has_begun: false, is_busy: false };
        DB::TransactionManager::begin(lease.connection(), Some(statement)).await?;
        lease.has_begun = true;
        Ok(lease)
    }

    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        self.connection.as_mut().expect("until it is dropped")
    }

    /// The connection, to run a statement of which [`Self::done`] tells the end.
    pub(crate) fn begin_statement(&mut self) -> Result<&mut DB::Connection, sqlx::Error> {
        if self.is_busy && !DB::TAKES_UP_AFTER_CANCELLING {
            let why = "a statement of this transaction was given up half-way: nothing more can be asked in it";
            return Err(sqlx::Error::Protocol(why.to_owned()));
        }
        self.is_busy = true;
        Ok(self.connection())
    }

    pub(crate) fn done(&mut self) {
        self.is_busy = false;
    }

    pub(crate) async fn commit(mut self) -> Result<(), sqlx::Error> {
        // A savepoint that was forgotten would be released in place of the transaction.
        if DB::TransactionManager::get_transaction_depth(self.connection()) != 1 {
            return Err(sqlx::Error::InvalidSavePointStatement);
        }
        let done = DB::TransactionManager::commit(self.begin_statement()?).await;
        self.done();
        done
    }

    pub(crate) async fn rollback(mut self) -> Result<(), sqlx::Error> {
        while DB::TransactionManager::get_transaction_depth(self.connection()) > 0 {
            let done = DB::TransactionManager::rollback(self.begin_statement()?).await;
            self.done();
            done?;
        }
        Ok(())
    }
}

impl<DB: Engine> Drop for Lease<DB> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if !self.has_begun || self.is_busy && !DB::TAKES_UP_AFTER_CANCELLING {
            drop(connection.detach());
            return;
        }
        // The pool sends what is queued here, and waits for the answer, before it lets anybody else have the connection.
        for _ in 0..DB::TransactionManager::get_transaction_depth(&connection) {
            DB::TransactionManager::start_rollback(&mut connection);
        }
    }
}

/// A connection for one statement outside of a transaction. Where the engine does not take up after a statement that was
/// given up half-way, it is closed then.
pub(crate) struct Lent<DB: Engine>(Option<PoolConnection<DB>>);

impl<DB: Engine> From<PoolConnection<DB>> for Lent<DB> {
    fn from(connection: PoolConnection<DB>) -> Self {
        Self(Some(connection))
    }
}

impl<DB: Engine> Lent<DB> {
    /// Runs the statement; the connection goes back once it is answered.
    pub(crate) async fn answered<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut DB::Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let answer = ask(self.0.as_mut().expect("it is lent once")).await;
        drop(self.0.take());
        answer
    }
}

impl<DB: Engine> Drop for Lent<DB> {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take()
            && !DB::TAKES_UP_AFTER_CANCELLING
        {
            drop(connection.detach());
        }
    }
}
