//! How a remote key set is doing, for health checks and metrics.

use std::time::Duration;

/// How a [`RemoteKeys`](super::RemoteKeys) is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RemoteStatus {
    /// How many keys can be used: none once the set is too old.
    pub usable_keys: usize,
    /// How old the set is; `None` while none was ever loaded.
    pub age: Option<Duration>,
    /// What went wrong at the last fetch, if it failed.
    pub last_error: Option<String>,
    /// How long until the next refresh may begin, were anybody to ask: the end of the cooldown where that comes later
    /// than the set is due. Zero when it is overdue.
    pub next_refresh: Duration,
    /// Fetches begun. One fetch is one request for the keys, and those for the issuer's metadata where it is asked.
    pub fetches: u64,
    /// Fetches that failed.
    pub failures: u64,
}

impl RemoteStatus {
    /// Whether tokens can be judged: some set is loaded, is not too old, and has a usable key.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.age.is_some() && self.usable_keys > 0
    }
}
