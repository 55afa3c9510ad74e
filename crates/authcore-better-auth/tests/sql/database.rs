//! A database that the tests write into.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, MySqlPool, PgPool, SqlitePool};

/// The tests' own way into a database, beside the one that is tested.
#[derive(Clone)]
pub(crate) enum Database {
    Sqlite(SqlitePool),
    Postgres(PgPool),
    MariaDb(MySqlPool),
}

impl Database {
    pub(crate) async fn sqlite(file: &SqliteFile) -> Self {
        let options = SqliteConnectOptions::new().filename(&file.0).create_if_missing(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        Self::Sqlite(pool.expect("a new file"))
    }

    /// Waits until the server is there.
    pub(crate) async fn at(url: &str) -> Self {
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            let connected = match url.starts_with("postgres") {
                true => PgPoolOptions::new().connect(url).await.map(Self::Postgres),
                false => MySqlPoolOptions::new().connect(url).await.map(Self::MariaDb),
            };
            match connected {
                Ok(database) => return database,
                Err(error) => assert!(Instant::now() < patience, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Runs statements as SQLite and PostgreSQL quote them.
    pub(crate) async fn run(&self, sql: &str) {
        let done = match self {
            Self::Sqlite(pool) => sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.map(drop),
            Self::Postgres(pool) => sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.map(drop),
            Self::MariaDb(pool) => sqlx::raw_sql(AssertSqlSafe(sql.replace('"', "`"))).execute(pool).await.map(drop),
        };
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

impl Database {
    /// What is in these tables, cell by cell: `table/id/column`, and its text.
    pub(crate) async fn cells(&self, tables: &[&str]) -> BTreeMap<String, String> {
        let mut cells = BTreeMap::new();
        for table in tables {
            for column in self.columns(table).await {
                let text = match self {
                    Self::Sqlite(_) => {
                        format!("COALESCE(CAST(\"{column}\" AS TEXT) || ' ' || typeof(\"{column}\"), 'null')")
                    }
                    Self::Postgres(_) => format!("COALESCE(\"{column}\"::text, 'null')"),
                    Self::MariaDb(_) => format!("COALESCE(CAST(\"{column}\" AS CHAR), 'null')"),
                };
                let id = if let Self::MariaDb(_) = self { "CAST(\"id\" AS CHAR)" } else { "CAST(\"id\" AS TEXT)" };
                for (id, text) in self.pairs(&format!("SELECT {id}, {text} FROM \"{table}\"")).await {
                    cells.insert(format!("{table}/{id}/{column}"), text);
                }
            }
        }
        cells
    }

    async fn columns(&self, table: &str) -> Vec<String> {
        let sql = match self {
            Self::Sqlite(_) => format!("SELECT name, name FROM pragma_table_info('{table}')"),
            Self::Postgres(_) => format!(
                "SELECT column_name::text, column_name::text FROM information_schema.columns WHERE table_name = '{table}' \
                 AND table_schema = 'public'"
            ),
            Self::MariaDb(_) => format!(
                "SELECT CONVERT(column_name USING utf8mb4), CONVERT(column_name USING utf8mb4) \
                 FROM information_schema.columns WHERE table_name = '{table}' AND table_schema = DATABASE()"
            ),
        };
        self.pairs(&sql).await.into_iter().map(|(name, _)| name).collect()
    }

    async fn pairs(&self, sql: &str) -> Vec<(String, String)> {
        let found = match self {
            Self::Sqlite(pool) => sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await,
            Self::Postgres(pool) => sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await,
            Self::MariaDb(pool) => sqlx::query_as(AssertSqlSafe(sql.replace('"', "`"))).fetch_all(pool).await,
        };
        found.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

/// A file that is removed at the end.
pub(crate) struct SqliteFile(PathBuf);

impl SqliteFile {
    pub(crate) fn new(name: &str) -> Self {
        let file = std::env::temp_dir().join(format!("authcore-{}-{name}.db", std::process::id()));
        let _ = std::fs::remove_file(&file); // usually there is none
        Self(file)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("the folder's name is text")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.path())
    }
}

impl Drop for SqliteFile {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.path())); // not all of them are there
        }
    }
}
