//! A published key set, fetched once as a server fetches it, for looking at the document itself.

use std::time::Duration;

use authcore::{HttpFetch, KeySet, KeySetRefused, RemoteKeys, Timestamp};
use url::Url;

/// What came, and the time that its server says it is.
pub(crate) struct Published {
    pub(crate) set: KeySet,
    pub(crate) date: Option<Timestamp>,
}

/// Why there is no key set.
pub(crate) enum Unpublished {
    /// The URL is not one that keys are fetched from.
    Url(String),
    /// Nothing came.
    Unreachable(String),
    /// What came is no key set.
    Refused(KeySetRefused),
}

impl std::fmt::Display for Unpublished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(why) | Self::Unreachable(why) => f.write_str(why),
            Self::Refused(why) => why.fmt(f),
        }
    }
}

/// By the rules and bounds of [`RemoteKeys`].
pub(crate) async fn fetch(url: &str) -> Result<Published, Unpublished> {
    RemoteKeys::at(url).map_err(|error| Unpublished::Url(error.to_string()))?;
    let url = Url::parse(url).map_err(|error| Unpublished::Url(error.to_string()))?;
    let http = HttpFetch::new(&url).map_err(|error| Unpublished::Url(error.to_string()))?;
    let fetched = tokio::time::timeout(DEADLINE, http.fetch_dated(&url, MAX_BYTES)).await;
    let fetched =
        fetched.map_err(|_| Unpublished::Unreachable(format!("no answer within {} s", DEADLINE.as_secs())))?;
    let (fetched, date) = fetched.map_err(|error| Unpublished::Unreachable(innermost(&*error)))?;
    Ok(Published { set: set(&fetched.body).map_err(Unpublished::Refused)?, date })
}

/// The key set in a document. What is no UTF-8 is no JSON (RFC 8259 §8.1).
pub(crate) fn set(body: &[u8]) -> Result<KeySet, KeySetRefused> {
    std::str::from_utf8(body).map_err(|_| KeySetRefused::NotJson).and_then(KeySet::from_json)
}

/// What failed, and why at the bottom of it.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let (what, why) = (error.to_string(), cause.to_string());
    if what == why { what } else { format!("{what}: {why}") }
}

const DEADLINE: Duration = Duration::from_secs(5);

/// As many as are read of a key set at most.
const MAX_BYTES: usize = 512 * 1024;
