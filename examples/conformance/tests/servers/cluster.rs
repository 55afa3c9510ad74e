//! A PostgreSQL server for all tests that run at the same time, with a database and a role for each who asks.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::engines::Engine;

/// A real server. Ended when the last test that holds it is done.
pub(crate) struct Cluster {
    pub(crate) engine: Engine,
}

impl Cluster {
    /// The one that runs, or a new one.
    pub(crate) fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Self::new());
            *running = Arc::downgrade(&new);
            new
        })
    }

    /// A server of the caller's own.
    pub(crate) fn new() -> Self {
        Self { engine: Engine::postgres() }
    }

    /// A new database that belongs to a new role of the same name, by its URL. The role is plain: it logs in, and that is all.
    pub(crate) async fn database(&self, name: &str) -> String {
        self.run("postgres", &format!("CREATE ROLE {name} LOGIN")).await;
        self.run("postgres", &format!("CREATE DATABASE {name} OWNER {name}")).await;
        self.url(name, name)
    }

    /// The URL of this role's way into this database.
    pub(crate) fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{database}", self.engine.port())
    }

    /// Statements in the superuser's name.
    pub(crate) async fn run(&self, database: &str, sql: &str) {
        let mut admin = self.admin(database).await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        admin.close().await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// A connection of the superuser's, once the server is there.
    pub(crate) async fn admin(&self, database: &str) -> PgConnection {
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            match PgConnection::connect(&self.engine.url(database)).await {
                Ok(connection) => return connection,
                Err(error) => assert!(Instant::now() < patience, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    /// Until this many statements in a database stand before locks of somebody else's.
    pub(crate) async fn until_waiting(&self, database: &str, count: i64) {
        let mut watching = self.admin(database).await;
        let patience = Instant::now() + Duration::from_secs(30);
        let asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'";
        while sqlx::query_scalar(asked).bind(database).fetch_one(&mut watching).await.ok() != Some(count) {
            assert!(Instant::now() < patience, "nobody waits");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
