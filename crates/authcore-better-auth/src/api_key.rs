//! API keys of the `@better-auth/api-key` plugin: read from a request, looked up, judged, and counted where that is
//! wanted.

mod authenticator;
mod builder;
mod fields;
mod limits;
mod permissions;
mod record;

use std::fmt;

use authcore::Secret;

use crate::crypto;

pub use authenticator::{ApiKeys, PresentedKey};
pub use builder::ApiKeysBuilder;
pub use limits::{KeyAllowance, KeyLimits, KeyUsage};
pub use record::ApiKeyRecord;

/// An API key as a store has it, to be looked up by and compared with. The key itself is forgotten at once: only what
/// Better Auth keeps of it is held. `Debug` hides that too, since it may be the key.
#[derive(Clone)]
pub struct ApiKey(Secret);

impl ApiKey {
    /// Longest key that is looked up, in bytes. Better Auth's own have 64 and their prefix.
    pub const MAX_BYTES: usize = 512;

    /// A key as somebody presents it; `None` when it is empty, too long, or holds anything but visible ASCII. Better
    /// Auth keeps the SHA-256 of it, as base64url without padding.
    ///
    /// ```
    /// use authcore_better_auth::ApiKey;
    ///
    /// let key = ApiKey::new("pk_LuPRlIZUiUzivdUOsLXVZbmPouZwCgPYriWXFZRtTsEfZycYEWcOrQYMffkFnHtN").expect("a key");
    /// assert_eq!(key.stored(), "J1QnlUwU1WzS2rUGbIBj6oQzeXmbPuoCuPtyTP781Rc");
    /// ```
    #[must_use]
    pub fn new(presented: &str) -> Option<Self> {
        is_key(presented).then(|| Self(Secret::new(crypto::sha256_text(presented.as_bytes()))))
    }

    /// A key in the form that a store holds it in: the hash, or with `disableKeyHashing` the key. `None` as in
    /// [`Self::new`].
    #[must_use]
    pub fn as_stored(text: &str) -> Option<Self> {
        is_key(text).then(|| Self(Secret::new(text)))
    }

    /// What the store holds of it: the column `key`.
    #[must_use]
    pub fn stored(&self) -> &str {
        std::str::from_utf8(self.0.expose_bytes()).expect("made from text")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(redacted)")
    }
}

fn is_key(text: &str) -> bool {
    (1..=ApiKey::MAX_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a real server made of its keys.
    #[test]
    fn keys_are_stored_as_better_auth_stores_them() {
        let file: serde_json::Value = serde_json::from_str(include_str!("../testdata/api-keys.json")).expect("JSON");
        let vectors = file["keys"].as_array().expect("a list");
        assert!(!vectors.is_empty());
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().expect("text");
            let key = ApiKey::new(text("key")).expect("a key");
            assert_eq!(key.stored(), text("stored"));
            assert_eq!(ApiKey::as_stored(text("stored")).expect("a hash").stored(), key.stored());
        }
    }

    #[test]
    fn a_key_is_short_visible_text_and_hidden() {
        for good in ["x", "~!", &"a".repeat(512)] {
            assert!(ApiKey::new(good).is_some(), "{good}");
        }
        for bad in ["", " x", "x y", "x\n", "x\0", "ü", "\u{7f}", &"a".repeat(513)] {
            assert!(ApiKey::new(bad).is_none() && ApiKey::as_stored(bad).is_none(), "{bad:?}");
        }
        assert_eq!(format!("{:?}", ApiKey::as_stored("secret")), "Some(ApiKey(redacted))");
    }
}
