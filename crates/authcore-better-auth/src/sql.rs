//! Better Auth's own database as the place where sessions are looked up.

mod api_keys;
mod builder;
mod engine;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
pub(crate) mod row;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
pub(crate) mod time;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use authcore::{BoxError, ConfigError, Unavailable};

pub use self::api_keys::SqlApiKeys;
pub use self::builder::SqlSessionsBuilder;
use self::engine::Engine;
use self::row::{Row, Unreadable};
pub use self::schema::Schema;
use self::statement::{Statement, Statements};
use self::time::Zone;
use crate::session::SessionRecord;
use crate::store::SessionStore;
use crate::token::SessionToken;
use crate::users::{Memberships, UserDirectory};

/// Sessions in the database that Better Auth keeps them in: SQLite, PostgreSQL, MySQL or MariaDB. Read, never written:
/// only the counters of API keys may be, where [that is asked for](SqlSessionsBuilder::write_key_counters). Cheap to
/// clone.
///
/// A session counts as long as its row is there, so a sign-out or a ban takes effect at once. A look-up is one prepared
/// statement, and takes two seconds at most.
///
/// ```no_run
/// # async fn run() -> Result<(), authcore::ConfigError> {
/// use authcore_better_auth::{Schema, SqlSessions};
///
/// let sessions = SqlSessions::connect("postgres://reader@db.example.com/app?sslmode=verify-full").await?;
/// let drizzle = SqlSessions::builder().schema(Schema::snake_case()).connect("sqlite:app.db").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqlSessions(Arc<Inner>);

struct Inner {
    engine: Arc<dyn Engine>,
    /// Connections that may write, for the counters of API keys and nothing else.
    writer: Option<Arc<dyn Engine>>,
    statements: Statements,
    zone: Zone,
    deadline: Duration,
}

impl SqlSessions {
    /// The database at this URL, with tables as Better Auth's own migrations make them. `sqlite:`, `postgres:` and
    /// `mysql:` (or `mariadb:`) need the feature of that name.
    ///
    /// `sslmode` (or `ssl-mode`) in the URL says what is asked of TLS: encrypted if the server can, by default. Use
    /// `verify-full`, in MySQL `VERIFY_IDENTITY`, for a database across a network.
    ///
    /// # Errors
    ///
    /// As [`SqlSessionsBuilder::connect`].
    pub async fn connect(url: &str) -> Result<Self, ConfigError> {
        Self::builder().connect(url).await
    }

    /// Other names, limits or an existing pool.
    pub fn builder() -> SqlSessionsBuilder {
        SqlSessionsBuilder::default()
    }

    /// The users of the same database.
    #[must_use]
    pub fn users(&self) -> UserDirectory {
        UserDirectory::new(self.clone())
    }

    /// The memberships in organizations, in the same database.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when there is no table for them: the organization plugin is not in use, or calls it something else.
    pub fn memberships(&self) -> Result<Memberships, ConfigError> {
        match self.0.statements.member {
            Some(_) => Ok(Memberships::new(self.clone())),
            None => {
                Err(ConfigError::new("schema: this database has no table of members; see Schema::table(\"member\", …)"))
            }
        }
    }

    /// Whether sessions can be looked up here: not, where they are [elsewhere](SqlSessionsBuilder::sessions_elsewhere) alone.
    #[must_use]
    pub fn has_sessions(&self) -> bool {
        self.0.statements.session.is_some()
    }

    /// Columns of plugins that were not there on connecting, such as `user.banned`. They count as empty until the program
    /// is started again.
    #[must_use]
    pub fn absent(&self) -> &[&'static str] {
        &self.0.statements.absent
    }

    /// The user statement that takes this many ids, and how many it takes.
    pub(crate) async fn users_by_id(&self, ids: &[&str]) -> Result<Vec<crate::User>, Unavailable> {
        let (size, statement) =
            self.0.statements.users.iter().find(|(size, _)| ids.len() <= *size).ok_or_else(|| unavailable(TooMany))?;
        let declared = |id: &&&str| statement.can_match(&*self.0.engine, &[(**id).to_owned()]);
        let mut asked: Vec<String> = ids.iter().filter(declared).map(|id| (*id).to_owned()).collect();
        let Some(last) = asked.last().cloned() else { return Ok(Vec::new()) };
        asked.resize(*size, last);
        let rows = self.ask(statement, asked).await?;
        let users: Result<Vec<_>, _> = rows.iter().map(|row| row.user_record(self.0.zone)).collect();
        Ok(users.map_err(unavailable)?.into_iter().flatten().collect())
    }

    /// The `role` of each row of `member` for these two.
    pub(crate) async fn member_roles(&self, organization: &str, user: &str) -> Result<Vec<String>, Unavailable> {
        let statement = self.0.statements.member.as_ref().ok_or_else(|| unavailable(NoTable("member")))?;
        let rows = self.ask(statement, vec![organization.to_owned(), user.to_owned()]).await?;
        roles(&rows, &[("member.organizationId", organization), ("member.userId", user)])
    }

    /// As [`Self::member_roles`], if the user is in this team of the organization as well.
    pub(crate) async fn team_roles(
        &self,
        organization: &str,
        team: &str,
        user: &str,
    ) -> Result<Vec<String>, Unavailable> {
        let statement = self.0.statements.team_member.as_ref().ok_or_else(|| unavailable(NoTable("teamMember")))?;
        let rows = self.ask(statement, vec![organization.to_owned(), user.to_owned(), team.to_owned()]).await?;
        let same = [("member.organizationId", organization), ("member.userId", user), ("teamMember.teamId", team)];
        roles(&rows, &same)
    }

    /// Runs a statement within the deadline. It goes on when the caller goes away, since a connection can only be used
    /// again after its end.
    async fn ask(&self, statement: &Statement, arguments: Vec<String>) -> Result<Vec<Row>, Unavailable> {
        if !statement.can_match(&*self.0.engine, &arguments) {
            return Ok(Vec::new());
        }
        let (engine, sql, deadline) = (Arc::clone(&self.0.engine), Arc::clone(&statement.sql), self.0.deadline);
        let asked = tokio::spawn(async move { tokio::time::timeout(deadline, engine.rows(&sql, arguments)).await });
        let rows =
            asked.await.map_err(unavailable)?.map_err(|_| unavailable(TooSlow(deadline)))?.map_err(unavailable)?;
        Ok(rows.into_iter().map(|values| statement.row(values)).collect())
    }
}

impl SessionStore for SqlSessions {
    async fn session(&self, token: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        let statement = self.0.statements.session.as_ref().ok_or_else(|| unavailable(NoTable("session")))?;
        let rows = self.ask(statement, vec![token.expose().to_owned()]).await?;
        // Some collations ignore case: a row counts for the very token it holds.
        let mut same = rows.iter().filter(|row| row.optional("session.token") == Some(token.expose()));
        let Some(row) = same.next() else { return Ok(None) };
        if same.next().is_some() {
            return Err(unavailable(Ambiguous("session token")));
        }
        let read = || Ok(SessionRecord::new(row.session(self.0.zone)?, row.user_record(self.0.zone)?));
        read().map(Some).map_err(|error: Unreadable| unavailable(error))
    }

    fn source(&self) -> &'static str {
        "database"
    }
}

impl fmt::Debug for SqlSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No URL: it may hold a password.
        let absent = &self.0.statements.absent;
        f.debug_struct("SqlSessions")
            .field("engine", &self.0.engine.name())
            .field("absent", absent)
            .finish_non_exhaustive()
    }
}

/// What roles the rows for exactly these ids grant, each as its comma list.
fn roles(rows: &[Row], same: &[(&'static str, &str)]) -> Result<Vec<String>, Unavailable> {
    let is_same = |row: &&Row| same.iter().all(|(field, value)| row.optional(field) == Some(value));
    let roles: Result<Vec<_>, _> =
        rows.iter().filter(is_same).map(|row| row.text("member.role").map(str::to_owned)).collect();
    roles.map_err(unavailable)
}

fn unavailable(source: impl Into<BoxError>) -> Unavailable {
    Unavailable::new(source, Duration::from_secs(1))
}

/// The database's words, which hold neither URL nor password.
fn unreachable(error: &dyn fmt::Display) -> ConfigError {
    ConfigError::new(format!("database URL: the database cannot be reached: {error}"))
}

#[derive(Debug, thiserror::Error)]
#[error("the database took longer than {} ms", .0.as_millis())]
struct TooSlow(Duration);

#[derive(Debug, thiserror::Error)]
#[error("two rows hold one {0}")]
struct Ambiguous(&'static str);

#[derive(Debug, thiserror::Error)]
#[error("more than {MAX_USERS} users were asked for at once")]
struct TooMany;

#[derive(Debug, thiserror::Error)]
#[error("the database has no table for `{0}`")]
struct NoTable(&'static str);

/// How many users one statement asks for at most.
pub(crate) const MAX_USERS: usize = 1000;

/// No token of Better Auth's, and fit for a column of any type that holds tokens.
const UUID_OF_NOBODY: &str = "00000000-0000-0000-0000-000000000000";
