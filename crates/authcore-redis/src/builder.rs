//! Where the Redis is, and on what terms it is asked.

use std::time::Duration;

use authcore::{BoxError, ConfigError};
use tokio::runtime::Handle;

use crate::client::Redis;
use crate::rates::RedisRates;
use crate::servers::Servers;
use authcore_redis_link::{RedisUrl, connector};

/// Settings of what is kept in Redis.
#[must_use]
pub struct RedisBuilder<S: OverRedis> {
    url: String,
    pem: Option<Vec<u8>>,
    prefix: String,
    deadline: Duration,
    with: S::With,
}

/// Settings of [`RedisRates`].
pub type RedisRatesBuilder = RedisBuilder<RedisRates>;

/// Settings of [`RedisRevocations`](crate::RedisRevocations).
pub type RedisRevocationsBuilder = RedisBuilder<crate::RedisRevocations>;

/// Something that is kept in Redis.
pub trait OverRedis: Sized {
    /// What it needs to know besides.
    type With;

    /// What its keys begin with unless said otherwise.
    const PREFIX: &str;

    /// Kept there.
    fn over(redis: Redis, with: Self::With) -> Self;

    /// Where it is kept.
    fn redis(&self) -> &Redis;
}

impl<S: OverRedis> RedisBuilder<S> {
    pub(crate) fn new(url: impl Into<String>, with: S::With) -> Self {
        Self { url: url.into(), pem: None, prefix: S::PREFIX.to_owned(), deadline: DEADLINE, with }
    }

    pub(crate) fn with(self, with: S::With) -> Self {
        Self { with, ..self }
    }

    /// How long an answer may take, connecting included: 20 ms by default, since every request waits for it; from 1 ms to
    /// 5 s.
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// What keys begin with: `authcore:rate:` and `authcore:revoked:` by default. 1 to 64 printable ASCII characters without spaces and braces.
    /// Services that are to count apart in one Redis take different ones.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Trusts the certificates in this PEM text besides the platform's: for a Redis with a certificate authority of its own.
    pub fn trusting(self, pem: impl Into<Vec<u8>>) -> Self {
        Self { pem: Some(pem.into()), ..self }
    }

    /// Connects, and waits for it up to five seconds.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] as [`Self::lazy`], and when Redis does not let us in: at start-up that is a wrong address or password
    /// more often than an outage.
    pub async fn connect(self) -> Result<S, ConfigError> {
        let store = self.lazy()?;
        let refused = |error: BoxError| ConfigError::new(format!("Redis: {error}"));
        store.redis().servers.first().first().await.map_err(refused)?;
        Ok(store)
    }

    /// Connects in the background: the service starts without Redis too. What limits do meanwhile is theirs to say.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for another kind of URL, a setting out of bounds, certificates without TLS or none in the text, and
    /// outside a tokio runtime.
    pub fn lazy(self) -> Result<S, ConfigError> {
        let url = RedisUrl::parse(&self.url)?;
        if !is_prefix(&self.prefix) {
            let why = "1 to 64 printable ASCII characters without spaces and braces";
            return Err(ConfigError::new(format!("Redis prefix: takes {why}, as in {}", S::PREFIX)));
        }
        if !(SHORTEST..=LONGEST).contains(&self.deadline) {
            return Err(ConfigError::new("Redis deadline: takes 1 ms to 5 s, as in 20 ms"));
        }
        let tls = connector(&url, self.pem.as_deref())?;
        let runtime = Handle::try_current().map_err(|_| ConfigError::new("Redis: to be made in a tokio runtime"))?;
        let servers = Servers::at(url, tls, self.deadline, runtime);
        Ok(S::over(Redis { servers, prefix: self.prefix, deadline: self.deadline }, self.with))
    }
}

impl<S: OverRedis> std::fmt::Debug for RedisBuilder<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // No URL: it may hold a password.
        let Self { url: _, pem: _, prefix, deadline, with: _ } = self;
        let mut shown = f.debug_struct("RedisBuilder");
        shown.field("prefix", prefix).field("deadline", deadline).finish_non_exhaustive()
    }
}

/// Braces would decide on the cluster's slot, one for all keys.
fn is_prefix(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}');
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

const DEADLINE: Duration = Duration::from_millis(20);
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(5);
