//! How a cookie cache is read.

use std::sync::Arc;
use std::time::Duration;

use authcore::{Clock, ConfigError, JwtVerifierBuilder, KeyResolver, RemoteKeys, SystemClock};

use super::{CookieCache, Inner, Strategy, published};
use crate::clock::SharedClock;
use crate::cookie::{self, CookieNames};
use crate::secrets::Secrets;

/// Settings of a [`CookieCache`]. They have to be those of the Better Auth server.
#[must_use]
pub struct CookieCacheBuilder {
    kind: Kind,
    version: String,
    max_bytes: usize,
    max_age: Duration,
    clock: Arc<dyn Clock>,
}

enum Kind {
    Compact(Secrets),
    Jwt(Secrets),
    Jwe(Secrets),
    Published(Box<JwtVerifierBuilder>),
    /// With the keys and the issuer of the server it is of.
    ByServer,
}

impl CookieCache {
    /// `cookieCache.strategy: "compact"`, Better Auth's default: JSON with an HMAC.
    pub fn compact(secrets: &Secrets) -> CookieCacheBuilder {
        CookieCacheBuilder::new(Kind::Compact(secrets.clone()))
    }

    /// `cookieCache.strategy: "jwt"`: an HS256 token under the secret.
    pub fn jwt(secrets: &Secrets) -> CookieCacheBuilder {
        CookieCacheBuilder::new(Kind::Jwt(secrets.clone()))
    }

    /// `cookieCache.strategy: "jwe"`: encrypted under a key made of the secret.
    pub fn jwe(secrets: &Secrets) -> CookieCacheBuilder {
        CookieCacheBuilder::new(Kind::Jwe(secrets.clone()))
    }

    /// `cookieCache.strategy: "jwt"` with the jwt plugin's `sessionCookieCache: true`: a token signed with the published
    /// keys. `issuer` is the origin of Better Auth's base URL. The session cookie still takes the secret.
    pub fn published(keys: impl KeyResolver, issuer: &str) -> CookieCacheBuilder {
        CookieCacheBuilder::new(Kind::Published(Box::new(published::verifier(keys, issuer))))
    }

    /// As [`published`](Self::published), with the keys and the origin of the server whose
    /// [builder](crate::BetterAuthBuilder::cookie_cache) it is given to.
    pub fn published_by_server() -> CookieCacheBuilder {
        CookieCacheBuilder::new(Kind::ByServer)
    }
}

impl CookieCacheBuilder {
    fn new(kind: Kind) -> Self {
        Self { kind, version: "1".into(), max_bytes: MAX_BYTES, max_age: MAX_AGE, clock: Arc::new(SystemClock) }
    }

    /// `cookieCache.version`: `"1"` by default. A server that makes it by a function cannot be followed.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// How stale a cached session may be, counted from when the auth server read it: 300 s by default, which is also Better
    /// Auth's default `cookieCache.maxAge`. For so long a sign-out, a ban or a change of role goes unnoticed. The cache's own
    /// end counts as well. A server without a database keeps its sessions nowhere else: for it, set this to `session.expiresIn`
    /// (7 days by default), and know that such a session cannot be ended.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// The longest cookie that is looked at, all chunks together: 16 KiB by default, which is as much as Node accepts of
    /// header fields.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The clock caches are judged by: the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// With what a server knows: its keys and origin if they are wanted, and its clock if it has one of its own.
    pub(crate) fn of_server(
        mut self,
        keys: Option<&RemoteKeys>,
        origin: Option<&str>,
        clock: Option<&Arc<dyn Clock>>,
    ) -> Self {
        if let (Kind::ByServer, Some(keys), Some(origin)) = (&self.kind, keys, origin) {
            self.kind = Kind::Published(Box::new(published::verifier(keys.clone(), origin)));
        }
        if let Some(clock) = clock {
            self.clock = Arc::clone(clock);
        }
        self
    }

    /// The cache under its name.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the name cannot be that of a cookie, the version or the issuer is empty, the age is zero, or the
    /// server that should know the keys does not.
    pub fn build(self, names: &CookieNames) -> Result<CookieCache, ConfigError> {
        let Self { kind, version, max_bytes, max_age, clock } = self;
        if version.is_empty() || max_age.is_zero() {
            return Err(ConfigError::new("cookie cache: version may not be empty, nor max_age zero"));
        }
        let strategy = match kind {
            Kind::Compact(secrets) => Strategy::Compact(secrets),
            Kind::Jwt(secrets) => Strategy::Jwt(secrets),
            Kind::Jwe(secrets) => Strategy::Jwe(secrets),
            Kind::ByServer => {
                return Err(ConfigError::new(
                    "cookie cache: there is no base URL that its keys and issuer follow from",
                ));
            }
            Kind::Published(verifier) => {
                Strategy::Published(verifier.max_token_bytes(max_bytes).clock(SharedClock(Arc::clone(&clock))).build()?)
            }
        };
        let name = cookie::checked(names.session_data())?;
        Ok(CookieCache(Arc::new(Inner { name, strategy, version: version.into(), max_bytes, max_age, clock })))
    }
}

const MAX_BYTES: usize = 16 * 1024;

const MAX_AGE: Duration = Duration::from_secs(300);
