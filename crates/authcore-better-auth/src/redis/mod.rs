//! Sessions in Better Auth's secondary storage, where that is Redis or speaks its protocol.

mod api_keys;
mod or_database;
mod prefixes;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use authcore::{BoxError, ConfigError, Unavailable};

use api_keys::API_KEY;
pub use api_keys::RedisApiKeys;
use authcore_redis_link::{Link, RedisUrl, connector, told};
pub use or_database::RedisOrDatabase;
use tokio::runtime::Handle;

use crate::record;
use crate::session::{Session, SessionRecord};
use crate::store::SessionStore;
use crate::token::SessionToken;

/// The sessions that Better Auth keeps in Redis (`secondaryStorage`), read and never written.
///
/// ```no_run
/// use authcore_better_auth::RedisSessions;
///
/// # async fn start() -> Result<(), authcore::ConfigError> {
/// // `better-auth:` for `@better-auth/redis-storage`; a storage of your own may use none.
/// let sessions = RedisSessions::connect("redis://127.0.0.1:6379").await?.prefix("better-auth:");
/// # Ok(())
/// # }
/// ```
///
/// A look-up asks for the session and then for the mark that "revoke all sessions" leaves for its user
/// (`revoked-sessions-before-<userId>`, Better Auth 1.7.16 and later): two round trips for a session that is there, one
/// for a token nobody knows. The mark is read last, so that a revocation under way is not missed.
///
/// One connection carries all look-ups and is made anew when it breaks. Clones share it. It belongs to the tokio runtime
/// that it was made in. It goes to one address: the primary's, since a replica learns of a sign-out late. Redis Cluster,
/// which spreads a user's keys over several servers, is not spoken.
///
/// The commands are `GETRANGE` and `PING`: a Redis user that may do no more is enough (`+getrange +ping`), besides
/// `SELECT` when the URL names a database. Counting the uses of API keys takes
/// [more](RedisApiKeys::write_key_counters).
#[derive(Clone)]
#[must_use]
pub struct RedisSessions {
    link: Arc<Link>,
    prefix: Arc<str>,
    deadline: Duration,
}

impl RedisSessions {
    /// Connects to `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS on the platform's certificates.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for another kind of URL, and when Redis does not let us in within five seconds: at start-up that is
    /// a wrong address or password more often than an outage.
    pub async fn connect(url: &str) -> Result<Self, ConfigError> {
        Self::connect_to(url, None).await
    }

    /// As [`RedisSessions::connect`] over TLS, trusting the certificates in this PEM text besides the platform's: for a
    /// Redis with a certificate authority of its own.
    ///
    /// # Errors
    ///
    /// As [`RedisSessions::connect`], and when the text holds no certificate or the URL asks for no TLS.
    pub async fn connect_trusting(url: &str, pem: &[u8]) -> Result<Self, ConfigError> {
        Self::connect_to(url, Some(pem)).await
    }

    async fn connect_to(url: &str, pem: Option<&[u8]>) -> Result<Self, ConfigError> {
        let url = RedisUrl::parse(url)?;
        let tls = connector(&url, pem)?;
        let runtime = Handle::try_current().map_err(|_| ConfigError::new("Redis: to be made in a tokio runtime"))?;
        let link = Arc::new(Link::to(url, tls, DEADLINE, &runtime));
        let refused = |error: BoxError| ConfigError::new(format!("Redis: {error}"));
        link.first().await.map_err(refused)?;
        Ok(Self { link, prefix: Arc::from(""), deadline: DEADLINE })
    }

    /// What Better Auth's storage puts before each key: nothing by default, as in the core of Better Auth.
    /// `@better-auth/redis-storage` puts `better-auth:` unless its `keyPrefix` says otherwise.
    pub fn prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a look-up may take, both round trips together: 500 ms by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Asks this store for sessions that Redis does not have: for Better Auth with `storeSessionInDatabase` and **without**
    /// `preserveSessionInDatabase`, which keeps ended sessions in the database.
    pub fn or_database<S: SessionStore>(self, database: S) -> RedisOrDatabase<S> {
        RedisOrDatabase::new(self, database)
    }

    /// What stands before the names of Better Auth's keys in this Redis, each once: by up to 100,000 of the keys that are
    /// there, those of which that list a user's sessions. For finding out which [prefix](Self::prefix) is right; it reads no
    /// value and names no user.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when Redis does not answer in time, each step by itself.
    pub async fn prefixes_in_use(&self) -> Result<Vec<String>, Unavailable> {
        prefixes::in_use(self).await
    }

    async fn find(&self, token: &SessionToken) -> Result<Found, Unavailable> {
        self.in_time(self.find_in_time(token)).await
    }

    /// What is asked of Redis, within the deadline.
    async fn in_time<T>(&self, asking: impl Future<Output = Result<T, BoxError>>) -> Result<T, Unavailable> {
        let answer = tokio::time::timeout(self.deadline, asking).await.unwrap_or_else(|_| {
            self.link.overdue();
            Err(format!("no answer within {} ms", self.deadline.as_millis()).into())
        });
        answer.map_err(|error| Unavailable::new(format!("Redis: {error}"), RETRY_AFTER))
    }

    async fn find_in_time(&self, token: &SessionToken) -> Result<Found, BoxError> {
        if is_of_others(token.expose()) {
            return Ok(Found::Missing);
        }
        let Some(json) = self.value(token.expose(), record::MAX_BYTES).await? else { return Ok(Found::Missing) };
        let record = Box::new(record::read(&json)?);
        Ok(if self.is_revoked_in_time(&record.session).await? { Found::Revoked } else { Found::Live(record) })
    }

    /// Whether all sessions of its user were ended after it began.
    async fn is_revoked(&self, session: &Session) -> Result<bool, Unavailable> {
        self.in_time(self.is_revoked_in_time(session)).await
    }

    async fn is_revoked_in_time(&self, session: &Session) -> Result<bool, BoxError> {
        let mark = self.value(&format!("{MARK}{}", session.user_id), MAX_MARK).await?;
        let Some(mark) = mark else { return Ok(false) };
        let mark = millis(&mark).ok_or("the revocation mark cannot be read")?;
        // A session that does not say when it began cannot show that it began later.
        let began = session.created_at.map(|began| began.as_micros().div_euclid(1000));
        Ok(began.is_none_or(|began| began < mark))
    }

    /// The text under a key, of which no more is fetched than may be read. `None` for an empty text too, as Better Auth
    /// has it.
    async fn value(&self, key: &str, max_bytes: usize) -> Result<Option<String>, BoxError> {
        let key = format!("{}{key}", self.prefix);
        let mut connection = self.link.connection().await?;
        let mut command = redis::cmd("GETRANGE");
        let head = command.arg(key).arg(0).arg(max_bytes).query_async::<Vec<u8>>(&mut connection).await;
        // Errors in full may repeat the key, which is a session token.
        let value = head.map_err(|error| told(&error))?;
        if value.len() > max_bytes {
            return Err(format!("a value has more than {max_bytes} bytes").into());
        }
        let text = String::from_utf8(value).map_err(|_| "a value is not text")?;
        Ok((!text.is_empty()).then_some(text))
    }
}

impl SessionStore for RedisSessions {
    async fn session(&self, token: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        Ok(match self.find(token).await? {
            Found::Live(record) => Some(*record),
            Found::Missing | Found::Revoked => None,
        })
    }

    fn source(&self) -> &'static str {
        "redis"
    }
}

impl fmt::Debug for RedisSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No URL: it may hold a password.
        let Self { link: _, prefix, deadline } = self;
        f.debug_struct("RedisSessions").field("prefix", prefix).field("deadline", deadline).finish_non_exhaustive()
    }
}

/// What Redis knows of a token.
enum Found {
    /// Nothing: it may never have heard of it.
    Missing,
    /// That all sessions of its user were ended after it began.
    Revoked,
    /// The session, neither judged nor revoked.
    Live(Box<SessionRecord>),
}

/// Whether Better Auth keeps something else under this key. To read it would be an outage, and tell who asks that it is
/// there: a verification under way, or a rate limit's `<address>|<path>`.
fn is_of_others(key: &str) -> bool {
    [LIST, MARK, API_KEY, VERIFICATION].iter().any(|other| key.starts_with(other)) || key.contains('|')
}

/// Decimal milliseconds since the epoch.
pub(crate) fn millis(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Before what a verification under way is known by.
const VERIFICATION: &str = "verification:";

/// Before a user's id: the list of their sessions.
const LIST: &str = "active-sessions-";

/// Before a user's id: when all of their sessions were ended.
const MARK: &str = "revoked-sessions-before-";

const DEADLINE: Duration = Duration::from_millis(500);

/// When trying again may help: reconnecting takes no longer.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Longest mark that is read: milliseconds have 13 digits until the year 2286.
const MAX_MARK: usize = 18;
