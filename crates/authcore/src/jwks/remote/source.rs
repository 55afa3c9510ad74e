//! Where a key set is read from: a URL that is configured, or the one that an issuer's metadata names.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use url::Url;

use super::refresh::Rules;
use crate::error::BoxError;
use crate::jwks::fetch::{AnyFetch, Fetched};
use crate::jwks::metadata;
use crate::jwks::set::KeySet;

/// A place to read a key set from, and how.
pub(in crate::jwks) struct Source {
    pub(in crate::jwks) place: Place,
    pub(in crate::jwks) fetch: Arc<dyn AnyFetch>,
    pub(in crate::jwks) max_bytes: usize,
}

/// Where a key set is.
pub(in crate::jwks) enum Place {
    /// At this URL.
    At(Url),
    /// Where the metadata at `metadata` says, if it is that of `issuer`.
    Discovered { issuer: Arc<str>, metadata: Url, found: Mutex<Option<Found>> },
}

/// A URL of keys that metadata named.
pub(in crate::jwks) struct Found {
    url: Url,
    /// When the metadata is to be read again.
    until: Instant,
}

/// A set, and what was said about how long it serves.
pub(super) type Document = (KeySet, Option<std::time::Duration>);

impl Source {
    /// The URL that is asked first.
    pub(super) fn url(&self) -> &Url {
        match &self.place {
            Place::At(url) | Place::Discovered { metadata: url, .. } => url,
        }
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        match &self.place {
            Place::At(_) => None,
            Place::Discovered { issuer, .. } => Some(issuer),
        }
    }

    /// Reads the set once. Metadata is read again when its time is over, and when the URL it named gave no keys: then the
    /// keys may have moved. So this takes three requests at most.
    pub(super) async fn read(&self, rules: Rules) -> Result<Document, BoxError> {
        let (issuer, metadata, found) = match &self.place {
            Place::At(url) => return self.keys(url).await,
            Place::Discovered { issuer, metadata, found } => (issuer, metadata, found),
        };
        let take = || found.lock().unwrap_or_else(PoisonError::into_inner).take();
        let keep = |place| *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);

        let mut failed = None;
        // Taken out, so that a fetch that is cut short leaves the next one to read the metadata.
        if let Some(known) = take().filter(|known| Instant::now() < known.until) {
            match self.keys(&known.url).await {
                Ok(document) => {
                    keep(known);
                    return Ok(document);
                }
                Err(error) => failed = Some((known.url, error)),
            }
        }
        let answer = self.get(metadata).await.map_err(Undiscovered)?;
        let until = Instant::now() + rules.read_again(answer.max_age);
        let url = metadata::jwks_uri(&answer.body, issuer)?;
        if let Some((_, error)) = failed.filter(|(failed, _)| *failed == url) {
            return Err(error);
        }
        let document = self.keys(&url).await?;
        keep(Found { url, until });
        Ok(document)
    }

    async fn keys(&self, url: &Url) -> Result<Document, BoxError> {
        let answer = self.get(url).await?;
        let set = KeySet::from_json(std::str::from_utf8(&answer.body)?)?;
        // It must not replace a good one.
        if set.is_empty() { Err("the key set has no usable key".into()) } else { Ok((set, answer.max_age)) }
    }

    /// One document. Whatever fetched it, none that is too long is read.
    async fn get(&self, url: &Url) -> Result<Fetched, BoxError> {
        let answer = Arc::clone(&self.fetch).fetch_any(url.clone(), self.max_bytes).await?;
        if answer.body.len() > self.max_bytes {
            return Err(format!("more than {} bytes", self.max_bytes).into());
        }
        Ok(answer)
    }
}

/// What went wrong was getting the metadata, not the keys.
#[derive(Debug, thiserror::Error)]
#[error("metadata could not be fetched")]
struct Undiscovered(#[source] BoxError);
