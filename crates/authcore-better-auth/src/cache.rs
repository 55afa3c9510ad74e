//! The cookie cache (`session_data`): session and user in a cookie, so that no store need be asked.
//!
//! What is cached may be out of date: after a sign-out, a ban or a change of role it still says what it said. How long is
//! [`CookieCacheBuilder::max_age`]'s to bound. Six rules decide whether it counts: the session cookie is good, the cache
//! verifies under the one configured strategy, has its exact shape, is about this very session, has the expected version,
//! and neither cache nor session is over. A cache that breaks one is ignored, and never makes a request worse than one
//! without it: the store is asked.

mod chunks;
mod compact;
mod fault;
mod jwe;
mod jwt;
mod payload;
mod published;
mod settings;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use authcore::{Clock, JwtVerifier, RequestHead, Timestamp, Unavailable};

pub use fault::CacheFault;
pub(crate) use jwe::CacheKey;
pub use settings::CookieCacheBuilder;

use crate::secrets::Secrets;
use crate::session::SessionRecord;
use crate::token::SessionToken;
use payload::Payload;

/// Reads the cookie cache of one strategy. Cloning is cheap.
///
/// ```
/// use authcore::Secret;
/// use authcore_better_auth::{CookieCache, CookieNames, Secrets, SignedCookie};
/// use authcore_testkit::TestHead;
///
/// let names = CookieNames::at("https://app.example.com");
/// let secrets = Secrets::new(&Secret::new("kept-in-the-environment-32-bytes+"))?;
/// let cookie = SignedCookie::new(&names, &secrets)?;
/// let cache = CookieCache::compact(&secrets).build(&names)?;
///
/// let head = TestHead::get("/");
/// if let Ok(Some(token)) = cookie.read(&head) {
///     match cache.read(&head, &token) {
///         Ok(Some(cached)) => { /* judge cached.record */ }
///         Ok(None) | Err(_) => { /* ask the store */ }
///     }
/// }
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct CookieCache(Arc<Inner>);

struct Inner {
    name: Box<str>,
    strategy: Strategy,
    version: Box<str>,
    max_bytes: usize,
    max_age: Duration,
    clock: Arc<dyn Clock>,
}

enum Strategy {
    Compact(Secrets),
    Jwt(Secrets),
    Jwe(Secrets),
    Published(JwtVerifier),
}

/// A session that was found in the cache, and how far it can be relied on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CachedSession {
    /// Session and user as they were at [`cached_at`](Self::cached_at): still to be judged.
    pub record: SessionRecord,
    /// When the auth server read them. What happened since is not in them.
    pub cached_at: Timestamp,
    /// When they cease to count: where the cache itself or [`max_age`](CookieCacheBuilder::max_age) ends, whichever is
    /// first.
    pub valid_until: Timestamp,
}

/// The cache of a request, copied out of it: put together, not decoded. `Debug` hides it.
#[derive(Clone)]
pub struct CacheCookie(String);

/// A cache that verifies, and when it says that it ends.
struct Opened {
    payload: Payload,
    expires_at: Timestamp,
}

impl CookieCache {
    /// The session that a request has in its cache. `token` is that of its signed cookie, and nothing else: without that
    /// cookie the cache counts for nothing, and a bearer token never brings it in. `Ok(None)` when there is no cache.
    ///
    /// Keys are not fetched here: see [`open_fetching`](Self::open_fetching).
    ///
    /// # Errors
    ///
    /// Why the cache is ignored: for a log or a metric. The store is asked then, as without a cache.
    pub fn read(&self, head: &dyn RequestHead, token: &SessionToken) -> Result<Option<CachedSession>, CacheFault> {
        let Some(text) = chunks::collect(head, &self.0.name, self.0.max_bytes)? else { return Ok(None) };
        self.open_text(&text, token).map(Some)
    }

    /// The cache of a request, to be opened when the request is no longer at hand.
    ///
    /// # Errors
    ///
    /// Why it is ignored, as far as that shows without decoding.
    pub fn take(&self, head: &dyn RequestHead) -> Result<Option<CacheCookie>, CacheFault> {
        let text = chunks::collect(head, &self.0.name, self.0.max_bytes)?;
        Ok(text.map(|text| CacheCookie(text.into_owned())))
    }

    /// Opens a cache as [`read`](Self::read) does, fetching keys where that may help: after a [`CacheFault::UnknownKey`],
    /// which only a cache signed by a [published](Self::published) key set meets.
    ///
    /// # Errors
    ///
    /// Why the cache is ignored. An issuer that cannot be reached is [`CacheFault::UnknownKey`] too, since the store can
    /// still be asked.
    pub async fn open_fetching(&self, cookie: &CacheCookie, token: &SessionToken) -> Result<CachedSession, CacheFault> {
        self.open_or_outage(cookie, token).await.unwrap_or(Err(CacheFault::UnknownKey))
    }

    /// [`open_fetching`](Self::open_fetching), which says when the keys could not be had: where there is no store to ask,
    /// nobody has judged the session then.
    pub(crate) async fn open_or_outage(
        &self,
        cookie: &CacheCookie,
        token: &SessionToken,
    ) -> Result<Result<CachedSession, CacheFault>, Unavailable> {
        Ok(match &self.0.strategy {
            Strategy::Published(verifier) => {
                let opened = published::open_fetching(verifier, &cookie.0).await?;
                opened.and_then(|opened| self.judge(opened, token))
            }
            _ => self.open_text(&cookie.0, token),
        })
    }

    fn open_text(&self, text: &str, token: &SessionToken) -> Result<CachedSession, CacheFault> {
        let opened = match &self.0.strategy {
            Strategy::Compact(secrets) => compact::open(secrets, text),
            Strategy::Jwt(secrets) => jwt::open(secrets, text),
            Strategy::Jwe(secrets) => jwe::open(secrets, text),
            Strategy::Published(verifier) => published::open(verifier, text),
        };
        self.judge(opened?, token)
    }

    /// The rules that have nothing to do with the strategy.
    fn judge(&self, opened: Opened, token: &SessionToken) -> Result<CachedSession, CacheFault> {
        let Opened { payload: Payload { session, user, updated_at, version, .. }, expires_at } = opened;
        if session.token.expose() != token.expose() {
            return Err(CacheFault::OtherSession);
        }
        if session.user_id != user.id {
            return Err(CacheFault::OtherUser);
        }
        if version != *self.0.version {
            return Err(CacheFault::OtherVersion);
        }
        let now = self.0.clock.now();
        if expires_at <= now || session.expires_at < now {
            return Err(CacheFault::Expired);
        }
        let stale_at = updated_at.saturating_add(self.0.max_age);
        // A cache from the future would count for longer than it may.
        if stale_at <= now || updated_at > now.saturating_add(CLOCK_SKEW) {
            return Err(CacheFault::TooOld);
        }
        let record = SessionRecord::new(session, Some(user));
        Ok(CachedSession { record, cached_at: updated_at, valid_until: expires_at.min(stale_at) })
    }
}

/// How far the auth server's clock may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_secs(30);

impl fmt::Debug for CookieCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let strategy = match self.0.strategy {
            Strategy::Compact(_) => "compact",
            Strategy::Jwt(_) => "jwt",
            Strategy::Jwe(_) => "jwe",
            Strategy::Published(_) => "published",
        };
        f.debug_struct("CookieCache").field("name", &self.0.name).field("strategy", &strategy).finish_non_exhaustive()
    }
}

impl fmt::Debug for CacheCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheCookie(redacted)")
    }
}

/// The text in base64url without padding, in its one spelling.
fn decode(text: &str) -> Result<Vec<u8>, CacheFault> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).map_err(|_| CacheFault::Malformed)
}

/// [`decode`], to a known length.
fn decode_exact<const N: usize>(text: &str) -> Result<[u8; N], CacheFault> {
    // Longer ones need not be decoded.
    if text.len() != (N * 4).div_ceil(3) {
        return Err(CacheFault::Malformed);
    }
    decode(text)?.try_into().map_err(|_| CacheFault::Malformed)
}

/// The bytes as UTF-8 text.
fn text_of(bytes: &[u8]) -> Result<&str, CacheFault> {
    std::str::from_utf8(bytes).map_err(|_| CacheFault::Malformed)
}
