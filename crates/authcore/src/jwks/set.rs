//! A set of keys, chosen from by id and algorithm.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::jwk::{self, Source};
use super::key::{Key, KeyRefused};
use crate::digest::sha256;
use crate::error::AuthError;
use crate::jwt::Algorithm;

/// Keys to verify with (RFC 7517 §5).
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    by_id: HashMap<Arc<str>, Place>,
    ignored: Vec<IgnoredKey>,
    fingerprint: SetFingerprint,
}

/// Tells sets apart that may judge a token differently, however they were loaded: of the keys, their order, ids and
/// algorithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SetFingerprint([u8; 16]);

/// The document, its entries unread: one that cannot be read must harm no other.
#[derive(Deserialize)]
struct Document<'d> {
    #[serde(borrow)]
    keys: Vec<&'d RawValue>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    At(usize),
    /// Several different keys share the id, so it names none.
    Contested,
}

/// An entry of a key set that is not used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredKey {
    /// The entry's `kid`, where it could be read.
    pub id: Option<Box<str>>,
    /// Why it is not used.
    pub why: KeyRefused,
}

impl KeySet {
    /// A set of these keys. Different keys under one id make that id unusable, never "the first wins".
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        let mut set = Self::default();
        for key in keys {
            set.add(key);
        }
        set.fingerprinted()
    }

    /// A set from the JSON text of a published JWK Set document. Entries are read one by one: one that cannot be used is
    /// listed in [`ignored`](Self::ignored) and harms no other. Secrets are never taken from a document.
    ///
    /// # Errors
    ///
    /// [`KeySetRefused`] when the document as a whole is not a JWK Set.
    pub fn from_json(document: &str) -> Result<Self, KeySetRefused> {
        // A struct could also be read from an array.
        if !document.trim_start().starts_with('{') {
            return Err(KeySetRefused::NotJson);
        }
        let Document { keys: entries } = serde_json::from_str(document).map_err(|error| match error.classify() {
            Category::Data => KeySetRefused::NoKeys,
            _ => KeySetRefused::NotJson,
        })?;
        let mut set = Self::default();
        for entry in entries {
            match jwk::read(entry.get(), Source::Published) {
                Ok(key) => set.add(key),
                Err((id, why)) => set.ignored.push(IgnoredKey { id, why }),
            }
        }
        Ok(set.fingerprinted())
    }

    /// The keys that can be used.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.usable().map(|(_, key)| key)
    }

    /// The entries that are not used, and why.
    #[must_use]
    pub fn ignored(&self) -> &[IgnoredKey] {
        &self.ignored
    }

    /// Whether there is no usable key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys().next().is_none()
    }

    /// Whether some entry goes by this id, usable or not.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// The one key for a token that names this key id and this algorithm.
    ///
    /// A key that has no id of its own may serve a token that names one, when it is the only such key for the algorithm.
    ///
    /// # Errors
    ///
    /// [`AuthError::UnknownKey`], [`AuthError::AmbiguousKey`] or [`AuthError::KeyMismatch`].
    pub fn select(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&Key, AuthError> {
        self.place_of(id, algorithm).map(|place| &self.keys[place])
    }

    /// Where the key stands that [`select`](Self::select) would hand out.
    pub(crate) fn place_of(&self, id: Option<&str>, algorithm: Algorithm) -> Result<usize, AuthError> {
        match id.and_then(|id| self.by_id.get(id)) {
            Some(Place::At(at)) if self.keys[*at].algorithm == algorithm => Ok(*at),
            Some(Place::At(_)) => Err(AuthError::KeyMismatch),
            Some(Place::Contested) => Err(AuthError::AmbiguousKey),
            None => {
                let fits = |key: &Key| key.algorithm == algorithm && (id.is_none() || key.id.is_none());
                let keys = self.keys.iter().enumerate().filter(|(_, key)| fits(key));
                let mut fitting = keys.filter(|(at, key)| self.is_usable(*at, key)).map(|(at, _)| at);
                match (fitting.next(), fitting.next()) {
                    (Some(only), None) => Ok(only),
                    (None, _) => Err(AuthError::UnknownKey),
                    (Some(_), Some(_)) => Err(AuthError::AmbiguousKey),
                }
            }
        }
    }

    /// The key at a place that this set gave.
    pub(crate) fn key_at(&self, place: usize) -> Option<&Key> {
        self.keys.get(place)
    }

    pub(crate) fn fingerprint(&self) -> SetFingerprint {
        self.fingerprint
    }

    fn usable(&self) -> impl Iterator<Item = (usize, &Key)> {
        self.keys.iter().enumerate().filter(|(at, key)| self.is_usable(*at, key))
    }

    fn is_usable(&self, at: usize, key: &Key) -> bool {
        match key.id.as_ref().and_then(|id| self.by_id.get(id)) {
            Some(Place::At(place)) => *place == at,
            Some(Place::Contested) => false,
            None => true,
        }
    }

    /// Once all keys are there.
    fn fingerprinted(mut self) -> Self {
        let mut pieces = Vec::new();
        for (at, key) in self.keys.iter().enumerate() {
            // The algorithm is part of a key's own fingerprint. Lengths come first, so that no two lists read alike.
            let id = key.id.as_deref().unwrap_or_default();
            pieces.extend([u8::from(self.is_usable(at, key)), u8::from(key.id.is_some())]);
            pieces.extend((id.len() as u64).to_le_bytes());
            pieces.extend(id.as_bytes());
            pieces.extend(key.fingerprint);
        }
        self.fingerprint.0.copy_from_slice(&sha256(&pieces)[..16]);
        self
    }

    fn add(&mut self, key: Key) {
        let at = self.keys.len();
        if let Some(id) = &key.id {
            match self.by_id.entry(Arc::clone(id)) {
                Entry::Vacant(free) => {
                    free.insert(Place::At(at));
                }
                Entry::Occupied(mut taken) => {
                    let same =
                        matches!(*taken.get(), Place::At(first) if self.keys[first].fingerprint == key.fingerprint);
                    if !same {
                        taken.insert(Place::Contested);
                        let id = Some(id.as_ref().into());
                        self.ignored.push(IgnoredKey { id, why: KeyRefused::DuplicateId });
                    }
                    return;
                }
            }
        } else if self.keys.iter().any(|known| known.id.is_none() && known.fingerprint == key.fingerprint) {
            return;
        }
        self.keys.push(key);
    }
}

/// Why a document is not a JWK Set at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetRefused {
    /// Not one JSON object.
    #[error("the key set is not one JSON object")]
    NotJson,
    /// Not exactly one array called `keys`.
    #[error("the key set has no array of keys")]
    NoKeys,
}

impl KeySetRefused {
    /// A stable word for this refusal.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NoKeys => "no_keys",
        }
    }
}
