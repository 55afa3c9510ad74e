//! Where a verifier gets its keys from.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use super::set::KeySet;
use crate::error::Unavailable;
use crate::jwt::Algorithm;

/// A source of keys. [`KeySet`] is the static one, [`RemoteKeys`](super::RemoteKeys) fetches.
pub trait KeyResolver: Send + Sync + 'static {
    /// The keys to judge a token of this algorithm by right now. Never waits; `None` while there are none at all.
    fn current(&self, algorithm: Algorithm) -> Option<KeySnapshot<'_>>;

    /// Whose keys these are, byte for byte as tokens name it in `iss`, where the source knows. A verifier expects it, unless
    /// told otherwise.
    fn issuer(&self) -> Option<Arc<str>> {
        None
    }

    /// Asked when [`current`](Self::current) held no key for a token that names `key_id`: may fetching help?
    fn after_miss(&self, key_id: Option<&str>) -> Miss;
}

/// What to do about a key that is not known.
pub enum Miss {
    /// Nothing: the keys are up to date and this one is not among them.
    Unknown,
    /// Nobody can tell at the moment.
    Unavailable(Unavailable),
    /// Wait for this, then ask once more. It begins when it is first polled.
    Fetch(Fetching),
}

/// A fetch in progress; it fails when no keys could be had.
pub type Fetching = Pin<Box<dyn Future<Output = Result<(), Unavailable>> + Send>>;

/// A key set at one moment: it stays as it is while a newer one may be loaded.
pub struct KeySnapshot<'a>(Held<'a>);

enum Held<'a> {
    Borrowed(&'a KeySet),
    Shared(Arc<KeySet>),
    #[cfg(feature = "remote-jwks")]
    Loaded(arc_swap::Guard<Arc<super::remote::Loaded>>),
}

impl<'a> From<&'a KeySet> for KeySnapshot<'a> {
    fn from(set: &'a KeySet) -> Self {
        Self(Held::Borrowed(set))
    }
}

impl From<Arc<KeySet>> for KeySnapshot<'_> {
    fn from(set: Arc<KeySet>) -> Self {
        Self(Held::Shared(set))
    }
}

#[cfg(feature = "remote-jwks")]
impl From<arc_swap::Guard<Arc<super::remote::Loaded>>> for KeySnapshot<'_> {
    fn from(loaded: arc_swap::Guard<Arc<super::remote::Loaded>>) -> Self {
        Self(Held::Loaded(loaded))
    }
}

impl Deref for KeySnapshot<'_> {
    type Target = KeySet;

    fn deref(&self) -> &KeySet {
        match &self.0 {
            Held::Borrowed(set) => set,
            Held::Shared(set) => set,
            #[cfg(feature = "remote-jwks")]
            Held::Loaded(loaded) => &loaded.set,
        }
    }
}

impl KeyResolver for KeySet {
    fn current(&self, _: Algorithm) -> Option<KeySnapshot<'_>> {
        Some(self.into())
    }

    fn after_miss(&self, _: Option<&str>) -> Miss {
        Miss::Unknown
    }
}
