//! The settings of [`RemoteKeys`], and which of them are refused: a URL that leads astray, times that contradict each
//! other.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use url::{Host, Url};

use super::fetch::{AnyFetch, Fetch, HttpFetch};
use super::remote::RemoteKeys;
use crate::error::ConfigError;

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) refresh_every: Duration,
    pub(super) cooldown: Duration,
    pub(super) deadline: Duration,
    pub(super) max_stale: Duration,
    pub(super) max_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            refresh_every: Duration::from_secs(300),
            cooldown: Duration::from_secs(30),
            deadline: Duration::from_secs(5),
            max_stale: MAX_STALE,
            max_bytes: 512 * 1024,
        }
    }
}

/// Settings of [`RemoteKeys`].
#[must_use]
pub struct RemoteKeysBuilder {
    url: String,
    fetch: Option<Arc<dyn AnyFetch>>,
    settings: Settings,
}

impl RemoteKeysBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), fetch: None, settings: Settings::default() }
    }

    /// How the document is fetched: [`HttpFetch`] by default.
    pub fn fetch(mut self, fetch: impl Fetch) -> Self {
        self.fetch = Some(Arc::new(fetch));
        self
    }

    /// How long a set serves when the answer does not say (`Cache-Control: max-age`): 5 minutes by default. Either is
    /// kept between the cooldown and `max_stale`, and a refresh begins after four fifths of it.
    pub fn refresh_every(mut self, every: Duration) -> Self {
        self.settings.refresh_every = every;
        self
    }

    /// How long no fetch is begun after one that failed or that an unknown `kid` asked for: 30 s by default.
    pub fn cooldown(mut self, cooldown: Duration) -> Self {
        self.settings.cooldown = cooldown;
        self
    }

    /// How long one fetch may take as a whole: 5 s by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// How long the last good set serves while fetches fail: 24 h by default and at most, and no less than the cooldown.
    /// Then tokens get 503.
    pub fn max_stale(mut self, max_stale: Duration) -> Self {
        self.settings.max_stale = max_stale;
        self
    }

    /// The longest document that is read: 512 KiB by default.
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.settings.max_bytes = max_bytes;
        self
    }

    /// The keys; nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a URL that is not https (http is for loopback hosts only), names a link-local address or
    /// carries a password, for a setting out of its bounds, or when the platform's certificates cannot be loaded.
    pub fn build(self) -> Result<RemoteKeys, ConfigError> {
        let url = checked_url(&self.url)?;
        let Settings { cooldown, deadline, max_stale, max_bytes, .. } = self.settings;
        if cooldown.is_zero() || deadline.is_zero() || max_bytes == 0 {
            return Err(ConfigError::new("key set: cooldown, deadline and max_bytes must not be zero"));
        }
        if max_stale > MAX_STALE || max_stale < cooldown {
            return Err(ConfigError::new("key set: max_stale must be from the cooldown to 24 h"));
        }
        let fetch = match self.fetch {
            Some(fetch) => fetch,
            None => Arc::new(HttpFetch::new(&url)?),
        };
        Ok(RemoteKeys::new(url, fetch, self.settings))
    }
}

impl fmt::Debug for RemoteKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeysBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn checked_url(text: &str) -> Result<Url, ConfigError> {
    let refused = |why: &str| ConfigError::new(format!("key set URL: {why}"));
    let url = Url::parse(text).map_err(|error| refused(&error.to_string()))?;
    let host = url.host().ok_or_else(|| refused("names no host"))?;
    let address = match host {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address).to_canonical()),
        Host::Domain(_) => None,
    };
    let is_loopback = address.map_or(host == Host::Domain("localhost"), |address| address.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        _ => return Err(refused("must be https (http is for loopback hosts only)")),
    }
    let is_link_local = match address {
        Some(IpAddr::V4(address)) => address.is_link_local(),
        Some(IpAddr::V6(address)) => address.is_unicast_link_local(),
        None => false,
    };
    if is_link_local || !url.username().is_empty() || url.password().is_some() {
        return Err(refused("must not name a link-local address or carry a password"));
    }
    Ok(url)
}

/// Longest that a set is kept without a successful refresh.
const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);
