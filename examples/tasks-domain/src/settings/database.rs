//! `DATABASE_URL`: which database the tasks are in.

use std::fmt;
use std::str::FromStr as _;

use authcore::ConfigError;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use url::Url;

/// Which database the tasks are in.
#[derive(Clone)]
pub struct Database(Place);

#[derive(Clone)]
pub(crate) enum Place {
    Sqlite { options: SqliteConnectOptions, in_memory: bool },
    Postgres(PgConnectOptions),
}

impl Database {
    /// Reads `sqlite::memory:`, `sqlite:path/to/file.db`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming `DATABASE_URL`. It does not show the URL, which may hold a password.
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        let place = match url.split_once(':') {
            Some(("sqlite", place)) => sqlite(url, place),
            Some(("postgres" | "postgresql", _)) => postgres(url),
            Some(("mysql", _)) => Err("this kind of database is not served by this build; name another"),
            _ => Err("name an SQLite file or a PostgreSQL server"),
        };
        let refused = |why| ConfigError::new(format!("DATABASE_URL: {why}, as in {EXAMPLES}"));
        place.map(Self).map_err(refused)
    }

    pub(crate) fn place(&self) -> &Place {
        &self.0
    }
}

impl fmt::Debug for Database {
    /// Without the URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Place::Sqlite { in_memory: true, .. } => "Database(SQLite in memory)",
            Place::Sqlite { .. } => "Database(SQLite)",
            Place::Postgres(_) => "Database(PostgreSQL)",
        })
    }
}

fn sqlite(url: &str, place: &str) -> Result<Place, &'static str> {
    let (path, query) = place.split_once('?').unwrap_or((place, ""));
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() {
        return Err("names no file; say which");
    }
    let options = SqliteConnectOptions::from_str(url);
    let options = options.map_err(|_| "has a parameter that SQLite does not take; leave it out")?;
    let in_memory = path == ":memory:" || query.split('&').any(|parameter| parameter == "mode=memory");
    Ok(Place::Sqlite { options, in_memory })
}

/// sqlx passes over parameters that it does not know, and a misspelt `sslmode` would be one.
fn postgres(url: &str) -> Result<Place, &'static str> {
    let parsed = Url::parse(url).ok().filter(|parsed| parsed.has_host() || parsed.query().is_some());
    let parsed =
        parsed.ok_or("is no URL of a PostgreSQL server; mind that `@`, `/` and `?` in a password are escaped")?;
    let is_known = |name: &str| PARAMETERS.contains(&name) || name.starts_with("options[") && name.ends_with(']');
    if !parsed.query_pairs().all(|(name, _)| is_known(&name)) {
        return Err("has a parameter that is not taken here; leave it out");
    }
    let options = PgConnectOptions::from_str(url);
    let options = options.map_err(|_| "has a parameter whose value cannot be; sslmode takes disable to verify-full")?;
    Ok(Place::Postgres(options))
}

const EXAMPLES: &str = "sqlite:tasks.db or postgres://tasks@db.example.com/tasks?sslmode=verify-full";

/// What sqlx 0.9 reads, under the names that libpq gives.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_from_files() {
        for memory in ["sqlite::memory:", "sqlite://:memory:", "sqlite:name?mode=memory&cache=shared"] {
            let database = Database::parse(memory).expect("a good URL");
            assert!(matches!(database.place(), Place::Sqlite { in_memory: true, .. }), "{memory}");
        }
        for file in ["sqlite:tasks.db", "sqlite:///var/lib/tasks.db?mode=rwc"] {
            let database = Database::parse(file).expect("a good URL");
            assert!(matches!(database.place(), Place::Sqlite { in_memory: false, .. }), "{file}");
        }
    }

    #[test]
    fn a_postgresql_url_is_read_with_its_sslmode_and_never_shown() {
        use sqlx::postgres::PgSslMode;
        for (url, mode) in [
            ("postgres://u:hidden@db/tasks", PgSslMode::Prefer),
            ("postgresql://u:hidden@db:5433/tasks?sslmode=verify-full", PgSslMode::VerifyFull),
            ("postgres:///tasks?host=/run/postgresql&password=hidden&sslmode=disable", PgSslMode::Disable),
            ("postgres://u@db/tasks?options[search_path]=app&sslmode=require", PgSslMode::Require),
        ] {
            let database = Database::parse(url).expect(url);
            let Place::Postgres(options) = database.place() else { panic!("{url}") };
            assert_eq!(format!("{:?}", options.get_ssl_mode()), format!("{mode:?}"), "{url}");
            assert_eq!(format!("{database:?}"), "Database(PostgreSQL)");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_why_without_the_url() {
        for (url, why) in [
            ("tasks.db", "name an SQLite file or"),
            ("mysql://u:hidden@db/tasks", "not served by this build"),
            ("sqlite:", "names no file"),
            ("sqlite://", "names no file"),
            ("sqlite:tasks.db?mode=odd", "a parameter that SQLite does not take"),
            ("postgres:", "no URL of a PostgreSQL server"),
            ("postgres://", "no URL of a PostgreSQL server"),
            ("postgres://u:hidden/@db/tasks", "no URL of a PostgreSQL server"),
            ("postgres://u:hidden@db/tasks?sslmode=perhaps", "a parameter whose value cannot be"),
            // Passed over, it would leave the connection unencrypted.
            ("postgres://u:hidden@db/tasks?ssl_mode=require", "a parameter that is not taken here"),
            ("postgres://u:hidden@db/tasks?SSLMODE=require", "a parameter that is not taken here"),
        ] {
            let message = Database::parse(url).expect_err(url).to_string();
            assert!(message.starts_with("DATABASE_URL: ") && message.contains(why), "{url}: {message}");
            assert!(!message.contains("hidden") && !message.contains('\n'), "{message}");
        }
    }
}
