//! Connecting to Better Auth's database, and finding out what it has.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use authcore::ConfigError;

use super::engine::{Access, Engine, Limits};
#[cfg(feature = "mysql")]
use super::mysql;
#[cfg(feature = "postgres")]
use super::postgres;
use super::schema::Schema;
#[cfg(feature = "sqlite")]
use super::sqlite;
use super::statement::Statements;
use super::{Inner, SqlSessions, TooSlow, UUID_OF_NOBODY, unreachable};

/// Settings of [`SqlSessions`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SqlSessionsBuilder {
    schema: Schema,
    limits: Limits,
    write_key_counters: bool,
    sessions_elsewhere: bool,
}

impl Default for SqlSessionsBuilder {
    fn default() -> Self {
        let limits = Limits { deadline: Duration::from_secs(2), connections: 8 };
        Self { schema: Schema::better_auth(), limits, write_key_counters: false, sessions_elsewhere: false }
    }
}

impl SqlSessionsBuilder {
    /// What the tables and columns are called: [`Schema::better_auth`] by default.
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// How long a look-up may take, waiting for a connection included: 2 s by default, between 10 ms and 30 s.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = deadline;
        self
    }

    /// How many connections there are at most: 8 by default, between 1 and 64. They are made as they are needed.
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.limits.connections = connections;
        self
    }

    /// Opens connections that may write beside those that may not, as many again, for
    /// [`KeyLimits::Enforce`](crate::KeyLimits::Enforce). All that is written through them are the columns `remaining`,
    /// `lastRefillAt`, `requestCount` and `lastRequest` of `apikey`: no other right to write is needed. Off by default.
    pub fn write_key_counters(mut self) -> Self {
        self.write_key_counters = true;
        self
    }

    /// Takes a database without a table of sessions too, as Better Auth has it with a secondary storage and without
    /// `storeSessionInDatabase`: its users, memberships and API keys. A session cannot be looked up there then.
    pub fn sessions_elsewhere(mut self) -> Self {
        self.sessions_elsewhere = true;
        self
    }

    /// Connects, finds out which columns there are, and tries the look-up.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a setting is out of its bounds, the URL is not of a database that this build knows, the
    /// database cannot be reached, or its tables are not called what the schema says.
    pub async fn connect(self, url: &str) -> Result<SqlSessions, ConfigError> {
        self.check()?;
        let limits = self.limits;
        let connecting = async {
            let engine = engine_at(url, limits, Access::Read).await?;
            let writer = match self.write_key_counters {
                true => Some(engine_at(url, limits, Access::Write).await?),
                false => None,
            };
            self.prepare(engine, writer).await
        };
        within(limits, connecting).await
    }

    /// Over connections of your own, which then decide what is read-only. For a pooler that refuses start-up parameters.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`].
    #[cfg(feature = "sqlite")]
    #[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
    pub async fn sqlite_pool(self, pool: sqlx::SqlitePool) -> Result<SqlSessions, ConfigError> {
        within(self.limits, self.prepare_over(Arc::new(sqlite::Sqlite(pool)))).await
    }

    /// Over connections of your own, which then decide what is read-only. For a pooler that refuses start-up parameters.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`].
    #[cfg(feature = "postgres")]
    #[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
    pub async fn postgres_pool(self, pool: sqlx::PgPool) -> Result<SqlSessions, ConfigError> {
        within(self.limits, self.prepare_over(Arc::new(postgres::Postgres(pool)))).await
    }

    /// Over connections of your own, which then decide what is read-only. Their sessions have to be in UTC, as sqlx has
    /// them by default.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`].
    #[cfg(feature = "mysql")]
    #[cfg_attr(docsrs, doc(cfg(feature = "mysql")))]
    pub async fn mysql_pool(self, pool: sqlx::MySqlPool) -> Result<SqlSessions, ConfigError> {
        within(self.limits, self.prepare_over(Arc::new(mysql::MySql(pool)))).await
    }

    fn check(&self) -> Result<(), ConfigError> {
        let Limits { deadline, connections } = self.limits;
        if !(Duration::from_millis(10)..=Duration::from_secs(30)).contains(&deadline) {
            return Err(ConfigError::new("deadline: use 10 ms to 30 s"));
        }
        if !(1..=64).contains(&connections) {
            return Err(ConfigError::new("max_connections: use 1 to 64"));
        }
        self.schema.check()
    }

    async fn prepare_over(self, engine: Arc<dyn Engine>) -> Result<SqlSessions, ConfigError> {
        let writer = self.write_key_counters.then(|| Arc::clone(&engine));
        self.prepare(engine, writer).await
    }

    async fn prepare(
        self,
        engine: Arc<dyn Engine>,
        writer: Option<Arc<dyn Engine>>,
    ) -> Result<SqlSessions, ConfigError> {
        self.check()?;
        engine.check().await.map_err(|error| unreachable(&error))??;
        let mut statements = Statements::prepare(&*engine, &self.schema, !self.sessions_elsewhere).await?;
        // A column may be there and yet not be readable, or not comparable with the other side of the join.
        if let Some(session) = &statements.session {
            let nobody = engine.rows(&session.sql, vec![UUID_OF_NOBODY.to_owned()]).await;
            nobody.map_err(|error| ConfigError::new(format!("schema: sessions cannot be looked up: {error}")))?;
        }
        if let Ok(Some(keys)) = &statements.api_keys
            && let Err(error) = keys.try_out(&*engine, writer.as_deref()).await
        {
            statements.api_keys = Err(error);
        }
        if self.write_key_counters || self.schema.speaks_of("apikey") {
            statements.api_keys = Ok(statements.api_keys?);
        }
        let (zone, deadline) = (self.schema.offset()?, self.limits.deadline);
        Ok(SqlSessions(Arc::new(Inner { engine, writer, statements, zone, deadline })))
    }
}

/// Connecting may take longer than a look-up, and not for ever.
async fn within<T>(limits: Limits, connecting: impl Future<Output = Result<T, ConfigError>>) -> Result<T, ConfigError> {
    let patience = limits.deadline.max(Duration::from_secs(10));
    tokio::time::timeout(patience, connecting).await.unwrap_or_else(|_| Err(unreachable(&TooSlow(patience))))
}

async fn engine_at(url: &str, limits: Limits, access: Access) -> Result<Arc<dyn Engine>, ConfigError> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    match scheme {
        #[cfg(feature = "sqlite")]
        "sqlite" => Ok(Arc::new(sqlite::Sqlite::connect(url, limits, access).await?)),
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => Ok(Arc::new(postgres::Postgres::connect(url, limits, access).await?)),
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => Ok(Arc::new(mysql::MySql::connect(url, limits, access).await?)),
        _ => {
            // A build that knows none of them does not compile this file.
            let _ = (limits, access);
            Err(ConfigError::new(format!("database URL: this build knows {}", known_schemes().join(", "))))
        }
    }
}

fn known_schemes() -> Vec<&'static str> {
    let all = [
        (cfg!(feature = "sqlite"), "sqlite:"),
        (cfg!(feature = "postgres"), "postgres:"),
        (cfg!(feature = "mysql"), "mysql:"),
    ];
    all.iter().filter(|(is_known, _)| *is_known).map(|(_, scheme)| *scheme).collect()
}
