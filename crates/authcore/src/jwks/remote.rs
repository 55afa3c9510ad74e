//! A key set behind a URL, or wherever an issuer says that it is, kept fresh and kept through outages.
//!
//! - The first token that needs keys, and a token with an unknown `kid`, cause one fetch; whoever needs it waits for the
//!   same one, and it goes on when its first caller goes away.
//! - After a fetch that failed, and after one that an unknown `kid` asked for, there is none for a cooldown: random
//!   `kid`s cause no storm, and keys already known are not affected.
//! - A fetch that does not end is given up; clones may live on several runtimes, of which any may come to rest.
//! - A set is refreshed in the background before it is due; the last good one serves meanwhile, and through an outage.
//! - An unknown `kid` is refused only when the last fetch succeeded. While fetches fail nobody could judge it.
//!
//! Ages run on the monotonic clock, so that a jump of the wall clock changes nothing.

mod flight;
mod refresh;
mod source;
mod status;

use std::fmt;
use std::sync::Arc;

use url::Position;

pub(super) use self::flight::Loaded;
use self::flight::Shared;
pub(super) use self::refresh::Rules;
use self::refresh::{Cause, Verdict};
pub(super) use self::source::{Place, Source};
pub use self::status::RemoteStatus;
use super::metadata::Metadata;
use super::resolver::{KeyResolver, KeySnapshot, Miss};
use super::settings::RemoteKeysBuilder;
use crate::error::{ConfigError, Unavailable};
use crate::jwt::Algorithm;

/// Keys fetched from a URL. Cloning is cheap; clones share keys and fetches.
///
/// Fetches need a tokio runtime with I/O and time enabled; outside of any, keys that are not there are [`Unavailable`].
///
/// ```no_run
/// use authcore::{JwtVerifier, RemoteKeys};
///
/// let keys = RemoteKeys::at("https://id.example.com/.well-known/jwks.json")?;
/// let verifier = JwtVerifier::builder(keys.clone()).issuer("https://id.example.com").audience("tasks-api").build()?;
/// assert!(keys.status().last_error.is_none());
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct RemoteKeys(Arc<Shared>);

impl RemoteKeys {
    /// Keys at a URL with the default settings.
    ///
    /// # Errors
    ///
    /// As [`RemoteKeysBuilder::build`].
    pub fn at(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url).build()
    }

    /// Begins with the URL of a JWK Set document.
    pub fn builder(url: &str) -> RemoteKeysBuilder {
        RemoteKeysBuilder::at(url)
    }

    /// Keys of an issuer, found by OpenID Connect Discovery, with the default settings.
    ///
    /// A verifier that is told no other issuer expects this one in a token's `iss`.
    ///
    /// ```no_run
    /// use authcore::{JwtVerifier, RemoteKeys};
    ///
    /// let keys = RemoteKeys::discover("https://id.example.com")?;
    /// let verifier = JwtVerifier::builder(keys).audience("tasks-api").build()?;
    /// # Ok::<(), authcore::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`RemoteKeysBuilder::build`].
    pub fn discover(issuer: &str) -> Result<Self, ConfigError> {
        Self::discovery(issuer, Metadata::OpenIdConnect).build()
    }

    /// Begins with an issuer, in the spelling that its tokens have in `iss`, and the document it describes itself in.
    ///
    /// The document counts only when its `issuer` is the same byte for byte, and no member is named twice. Its `jwks_uri`
    /// may be on another host and is held to the rules of a configured URL; its scheme must be the issuer's. The document
    /// is read again as its `Cache-Control` says, within the bounds of a key set, and when its `jwks_uri` gives no keys.
    /// Whatever goes wrong is an outage: tokens get 503 where the last good keys do not serve.
    pub fn discovery(issuer: &str, metadata: Metadata) -> RemoteKeysBuilder {
        RemoteKeysBuilder::discovery(issuer, metadata)
    }

    pub(super) fn new(source: Source, rules: Rules) -> Self {
        Self(Arc::new(Shared::new(source, rules)))
    }

    /// The issuer whose keys these are, byte for byte as it was given; `None` when only a URL was.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.0.source.issuer()
    }

    /// Loads the keys now, unless they are loaded already: at start-up, so that the first request need not wait.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when they could not be had. Later requests will try again after the cooldown.
    pub async fn load(&self) -> Result<(), Unavailable> {
        let shared = &self.0;
        let is_loaded = shared.rules.usable_age(shared.loaded.load().fetched, shared.now()).is_some();
        if is_loaded { Ok(()) } else { Shared::fetch_for(Arc::clone(shared), None).await }
    }

    /// How things stand.
    #[must_use]
    pub fn status(&self) -> RemoteStatus {
        let shared = &self.0;
        shared.step(|refresh, now| {
            let loaded = shared.loaded.load();
            RemoteStatus {
                usable_keys: shared.rules.usable_age(loaded.fetched, now).map_or(0, |_| loaded.set.keys().count()),
                age: loaded.fetched.map(|fetched| now.saturating_sub(fetched)),
                last_error: refresh.last_error.clone(),
                next_refresh: refresh.next().saturating_sub(now),
                fetches: refresh.fetches,
                failures: refresh.failures,
            }
        })
    }
}

impl KeyResolver for RemoteKeys {
    fn current(&self, _: Algorithm) -> Option<KeySnapshot<'_>> {
        let shared = &self.0;
        let now = shared.now();
        let loaded = shared.loaded.load();
        loaded.fetched?;
        if shared.is_due(now) && tokio::runtime::Handle::try_current().is_ok() {
            shared.start(|_| Cause::Schedule);
        }
        shared.rules.usable_age(loaded.fetched, now).is_some().then(|| loaded.into())
    }

    fn issuer(&self) -> Option<Arc<str>> {
        self.0.source.issuer().map(Arc::from)
    }

    fn after_miss(&self, key_id: Option<&str>) -> Miss {
        let shared = &self.0;
        match shared.step(|refresh, now| refresh.miss(now, shared.has_arrived(key_id))) {
            Verdict::Fetch => Miss::Fetch(Box::pin(Shared::fetch_for(Arc::clone(shared), key_id.map(Box::from)))),
            Verdict::Unavailable(error, cooling) => Miss::Unavailable(Unavailable::new(error, cooling)),
            Verdict::Unknown => Miss::Unknown,
        }
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A query may tell too much.
        f.debug_struct("RemoteKeys").field("url", &&self.0.source.url()[..Position::AfterPath]).finish_non_exhaustive()
    }
}
