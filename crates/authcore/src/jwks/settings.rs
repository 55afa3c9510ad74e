//! The settings of [`RemoteKeys`], and which of them are refused: a URL that leads astray, times that contradict each
//! other.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use url::Url;

use super::fetch::{AnyFetch, Fetch, HttpFetch};
use super::location;
use super::metadata::Metadata;
use super::remote::{Place, RemoteKeys, Rules, Source};
use crate::error::ConfigError;

/// Settings of [`RemoteKeys`].
#[must_use]
pub struct RemoteKeysBuilder {
    origin: Origin,
    fetch: Option<Arc<dyn AnyFetch>>,
    rules: Rules,
    max_bytes: usize,
}

/// What is configured to lead to the keys.
enum Origin {
    Url(String),
    Issuer(String, Metadata),
}

impl RemoteKeysBuilder {
    pub(super) fn at(url: &str) -> Self {
        Self::new(Origin::Url(url.to_owned()))
    }

    pub(super) fn discovery(issuer: &str, metadata: Metadata) -> Self {
        Self::new(Origin::Issuer(issuer.to_owned(), metadata))
    }

    fn new(origin: Origin) -> Self {
        let rules = Rules {
            refresh_every: Duration::from_secs(300),
            cooldown: Duration::from_secs(30),
            deadline: Duration::from_secs(5),
            max_stale: MAX_STALE,
        };
        Self { origin, fetch: None, rules, max_bytes: 512 * 1024 }
    }

    /// How the document is fetched: [`HttpFetch`] by default.
    pub fn fetch(mut self, fetch: impl Fetch) -> Self {
        self.fetch = Some(Arc::new(fetch));
        self
    }

    /// How long a set serves when the answer does not say (`Cache-Control: max-age`): 5 minutes by default. Either is
    /// kept between the cooldown and `max_stale`, and a refresh begins after four fifths of it.
    pub fn refresh_every(mut self, every: Duration) -> Self {
        self.rules.refresh_every = every;
        self
    }

    /// How long no fetch is begun after one that failed or that an unknown `kid` asked for: 30 s by default.
    pub fn cooldown(mut self, cooldown: Duration) -> Self {
        self.rules.cooldown = cooldown;
        self
    }

    /// How long one fetch may take as a whole: 5 s by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.rules.deadline = deadline;
        self
    }

    /// How long the last good set serves while fetches fail: 24 h by default and at most, and no less than the cooldown.
    /// Then tokens get 503.
    pub fn max_stale(mut self, max_stale: Duration) -> Self {
        self.rules.max_stale = max_stale;
        self
    }

    /// The longest document that is read: 512 KiB by default.
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The keys; nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a URL that is not https (http is for loopback hosts only), names a link-local address or
    /// carries a password, for an issuer with a query or a fragment, for a setting out of its bounds, or when the
    /// platform's certificates cannot be loaded.
    pub fn build(self) -> Result<RemoteKeys, ConfigError> {
        let (url, place) = self.origin.place()?;
        let Rules { cooldown, deadline, max_stale, .. } = self.rules;
        if cooldown.is_zero() || deadline.is_zero() || self.max_bytes == 0 {
            return Err(ConfigError::new("key set: cooldown, deadline and max_bytes must not be zero"));
        }
        if max_stale > MAX_STALE || max_stale < cooldown {
            return Err(ConfigError::new("key set: max_stale must be from the cooldown to 24 h"));
        }
        let fetch = match self.fetch {
            Some(fetch) => fetch,
            None => Arc::new(HttpFetch::new(&url)?),
        };
        Ok(RemoteKeys::new(Source { place, fetch, max_bytes: self.max_bytes }, self.rules))
    }
}

impl Origin {
    /// Where to look, and the URL that is asked first.
    fn place(self) -> Result<(Url, Place), ConfigError> {
        match self {
            Self::Url(url) => {
                let url = location::checked(&url).map_err(|why| ConfigError::new(format!("key set URL: {why}")))?;
                Ok((url.clone(), Place::At(url)))
            }
            Self::Issuer(issuer, metadata) => {
                let metadata =
                    metadata.url(&issuer).map_err(|why| ConfigError::new(format!("issuer of a key set: {why}")))?;
                let issuer = issuer.into();
                Ok((metadata.clone(), Place::Discovered { issuer, metadata, found: Mutex::default() }))
            }
        }
    }
}

impl fmt::Debug for RemoteKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeysBuilder").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// Longest that a set is kept without a successful refresh.
const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);
