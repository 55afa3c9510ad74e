//! A PostgreSQL server with a role for the service, which owns nothing.

use std::time::{Duration, Instant};

use authcore_sqlx::OwnedTable;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

use crate::engines::Engine;

/// The server, and its superuser's way in.
pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) admin: PgPool,
}

impl Server {
    /// With the roles `keeper`, who owns the tables, and `app`, who may read and write them.
    pub(crate) async fn start() -> Self {
        let engine = Engine::postgres();
        let admin = patiently_at(&engine.first_database()).await;
        let server = Self { engine, admin };
        server
            .run("CREATE ROLE keeper NOLOGIN; CREATE ROLE app LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO keeper")
            .await;
        server
    }

    /// Statements in the superuser's name.
    pub(crate) async fn run(&self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.admin).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// `tasks` under row-level security.
    pub(crate) async fn make_tasks(&self) {
        self.run(
            "CREATE UNLOGGED TABLE tasks (id bigint PRIMARY KEY, user_id text NOT NULL, title text NOT NULL); \
             ALTER TABLE tasks OWNER TO keeper; GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO app",
        )
        .await;
        self.run(&tasks().migration()).await;
    }

    /// Connections as this role.
    pub(crate) async fn pool(&self, role: &str, connections: u32) -> PgPool {
        let options = PgConnectOptions::new().host("127.0.0.1").port(self.engine.port()).username(role);
        let options = options.database("postgres");
        PgPoolOptions::new().max_connections(connections).connect_with(options).await.expect("the role may log in")
    }

    /// One value that the superuser sees.
    pub(crate) async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&self.admin)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

pub(crate) fn tasks() -> OwnedTable {
    OwnedTable::new("tasks", "user_id").expect("good names")
}

/// The SQLSTATE of an error that the database gave.
pub(crate) fn state(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.map_or_else(|| format!("not of the database: {error}"), |code| code.into_owned())
}

/// Waits until the server is there.
async fn patiently_at(url: &str) -> PgPool {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        match PgPool::connect(url).await {
            Ok(pool) => return pool,
            Err(error) => assert!(Instant::now() < patience, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
