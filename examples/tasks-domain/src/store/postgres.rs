//! PostgreSQL: opened as a role that row-level security holds, and brought up to date.

use std::time::Duration;

use authcore::ConfigError;
use authcore_sqlx::{OwnedTable, ScopedPool};
use sqlx::migrate::{Migrate as _, MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Postgres};

use super::{Tables, statements};
use crate::start::StartError;

pub(super) async fn open(options: &PgConnectOptions) -> Result<Tables<Postgres>, StartError> {
    let tasks = OwnedTable::new("tasks", "user_id")?;
    // Not from a pool, which tells no more than that it waited in vain.
    let connecting = tokio::time::timeout(CONNECTING, options.connect());
    let mut connection = connecting.await.map_err(|_| failed("no answer in 10 s"))?.map_err(failed)?;
    let limited = options.clone().options([("statement_timeout", LONGEST_STATEMENT)]);
    let pool = PgPoolOptions::new().acquire_timeout(PATIENCE).connect_lazy_with(limited);

    // The role first: what it makes would be its own.
    ScopedPool::postgres(pool.clone(), []).await.map_err(named)?;
    require_unicode(&mut connection).await?;
    migrate(&mut connection, &tasks).await?;
    require_rights(&mut connection).await?;
    connection.close().await.map_err(failed)?;

    let scoped = ScopedPool::postgres(pool.clone(), [tasks]).await.map_err(named)?;
    Ok(Tables { reading: scoped.clone(), writing: scoped, statements: &statements::POSTGRES, pool, others: Vec::new() })
}

/// In one transaction that begins with a lock of the database's, so that servers which start together take turns.
async fn migrate(connection: &mut PgConnection, tasks: &OwnedTable) -> Result<(), StartError> {
    let mut migrator = sqlx::migrate!("migrations/postgres");
    migrator.set_locking(false); // the migrator's own lock would outlive a transaction that fails
    let mut transaction = connection.begin().await.map_err(failed)?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await.map_err(failed)?;
    match run(&mut transaction, &migrator, tasks).await {
        Ok(()) => transaction.commit().await.map_err(failed),
        Err(error) if is_forbidden(&error) => {
            transaction.rollback().await.map_err(failed)?;
            Err(forbidden(connection, &error).await)
        }
        Err(error) => Err(failed(error)),
    }
}

async fn run(connection: &mut PgConnection, migrator: &Migrator, tasks: &OwnedTable) -> Result<(), MigrateError> {
    if is_up_to_date(connection, migrator).await? {
        return Ok(()); // which a role that owns nothing may find out
    }
    migrator.run(&mut *connection).await?;
    // The text is made of names that were checked.
    sqlx::raw_sql(AssertSqlSafe(tasks.migration())).execute(connection).await?;
    Ok(())
}

async fn is_up_to_date(connection: &mut PgConnection, migrator: &Migrator) -> Result<bool, MigrateError> {
    let has_any = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(MIGRATIONS);
    if !has_any.fetch_one(&mut *connection).await? {
        return Ok(false);
    }
    let applied = connection.list_applied_migrations(MIGRATIONS).await?;
    let applied = applied.iter().map(|migration| (migration.version, &migration.checksum));
    Ok(applied.eq(migrator.iter().map(|migration| (migration.version, &migration.checksum))))
}

/// Refuses a database that cannot hold every title, nor every user's id.
async fn require_unicode(connection: &mut PgConnection) -> Result<(), StartError> {
    let encoding: String = sqlx::query_scalar("SHOW server_encoding").fetch_one(connection).await.map_err(failed)?;
    if encoding == "UTF8" {
        return Ok(());
    }
    let mend = "make another by CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0";
    Err(ConfigError::new(format!("DATABASE_URL: the database keeps text in {encoding}: {mend}")).into())
}

/// Refuses a role that would start, and then fail each request.
async fn require_rights(connection: &mut PgConnection) -> Result<(), StartError> {
    let missing = sqlx::query_scalar(
        "SELECT format('GRANT %s ON tasks TO %I', string_agg(needed, ', '), current_user) \
         FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS needed \
         WHERE NOT has_table_privilege('tasks', needed) HAVING count(*) > 0",
    );
    let missing: Option<String> = missing.fetch_optional(connection).await.map_err(failed)?;
    let Some(grant) = missing else { return Ok(()) };
    Err(ConfigError::new(format!("DATABASE_URL: the role lacks rights: let the owner of the table run: {grant}"))
        .into())
}

/// What an owner has to do where the role may not change the tables.
async fn forbidden(connection: &mut PgConnection, error: &MigrateError) -> StartError {
    let asked = sqlx::query_scalar(
        "SELECT format('GRANT SELECT ON _sqlx_migrations TO %1$I; GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO %1$I', \
         current_user)",
    );
    match asked.fetch_one(connection).await {
        Ok::<String, _>(grants) => StartError::Setting(ConfigError::new(format!(
            "DATABASE_URL: the role may not bring the tables up to date ({error}): start once as their owner, who then runs: \
             {grants}"
        ))),
        Err(error) => failed(error),
    }
}

/// SQLSTATE 42501, insufficient_privilege.
fn is_forbidden(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else { return false };
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "42501")
}

fn named(error: ConfigError) -> StartError {
    StartError::Setting(ConfigError::new(format!("DATABASE_URL: {error}")))
}

fn failed(error: impl Into<authcore::BoxError>) -> StartError {
    StartError::Store(error.into())
}

const CONNECTING: Duration = Duration::from_secs(10);
/// How long a request waits for a connection, also while the server cannot be reached.
const PATIENCE: Duration = Duration::from_secs(2);
/// In milliseconds: how long the server works, or waits for somebody else's lock, before it gives a statement up.
const LONGEST_STATEMENT: &str = "5000";
/// Where sqlx notes what has been run.
const MIGRATIONS: &str = "_sqlx_migrations";
/// "tasks" in ASCII: any number that no other program in the same database locks.
const LOCK: i64 = 0x74_61_73_6b_73;
