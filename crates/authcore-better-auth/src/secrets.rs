//! The secret or secrets shared with the Better Auth server, checked and prepared once.

use std::fmt;
use std::sync::Arc;

use authcore::{Algorithm, ConfigError, Key, Secret};

use crate::cache::CacheKey;
use crate::crypto::MacKey;

/// The secret of a Better Auth server, or several by version of which the first is the current one. Cloning is cheap.
///
/// Signed cookies and the cookie caches `compact` and `jwt` are believed under the current secret alone, as Better Auth
/// does it, unless [`accept_previous`](Self::accept_previous) says otherwise. The `jwe` cache is encrypted under a key that
/// it names, and any listed secret opens it, also as Better Auth does it.
///
/// ```
/// use authcore::Secret;
/// use authcore_better_auth::Secrets;
///
/// let one = Secrets::new(&Secret::new("kept-in-the-environment-32-bytes+"))?;
/// let two = Secrets::versioned(&Secret::new("2:the-new-one-32-bytes-or-more-of-it,1:the-old-one-32-bytes-or-more-of-it"))?;
///
/// assert!(Secrets::new(&Secret::new("better-auth-secret-12345678901234567890")).is_err());
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Secrets {
    prepared: Arc<[Prepared]>,
    accept_previous: bool,
}

/// The keys made of one secret.
struct Prepared {
    mac: MacKey,
    session_cache: CacheKey,
}

impl Secrets {
    /// The one secret, as in `BETTER_AUTH_SECRET`: used as UTF-8 text, never decoded.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it is shorter than 32 bytes, publicly known (Better Auth's own default is), or the text of a key.
    pub fn new(secret: &Secret) -> Result<Self, ConfigError> {
        Ok(Self { prepared: Arc::new([Prepared::new(secret)?]), accept_previous: false })
    }

    /// Several by version, as in `BETTER_AUTH_SECRETS`: `2:new,1:old`, of which the first is current. White space around
    /// entries and secrets does not count.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when an entry is not a non-negative decimal number, a colon and a secret, when a version comes twice,
    /// or when a secret is refused as in [`new`](Self::new). It names the version, or the entry by its place.
    pub fn versioned(entries: &Secret) -> Result<Self, ConfigError> {
        let entries = std::str::from_utf8(entries.expose_bytes()).map_err(|_| ConfigError::new("not UTF-8 text"))?;
        let mut versions = Vec::new();
        let mut prepared = Vec::new();
        for (place, entry) in (1..).zip(entries.split(',')) {
            let (version, secret) = version_and_secret(entry)
                .ok_or_else(|| ConfigError::new(format!("entry {place}: write it as <version>:<secret>, as in 2:…")))?;
            if versions.contains(&version) {
                return Err(ConfigError::new(format!("version {version} comes twice: each needs its own number")));
            }
            versions.push(version);
            let secret = Prepared::new(&Secret::new(secret));
            prepared.push(secret.map_err(|error| ConfigError::new(format!("version {version}: {error}")))?);
        }
        Ok(Self { prepared: prepared.into(), accept_previous: false })
    }

    /// Whether what an earlier listed secret signed is believed too. Off by default: Better Auth does not, so a rotation
    /// signs everybody out there. The overlap ends when the earlier secret is taken off the list.
    #[must_use]
    pub fn accept_previous(mut self, accept: bool) -> Self {
        self.accept_previous = accept;
        self
    }

    /// Whether `tag` is the HMAC-SHA256 of `message` under a secret that signatures are believed of.
    pub(crate) fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        let believed = if self.accept_previous { self.prepared.len() } else { 1 };
        self.prepared[..believed].iter().any(|secret| secret.mac.verifies(message, tag))
    }

    /// The HMAC-SHA256 of `message` under the current secret.
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "only the server itself is sent a signature"))]
    pub(crate) fn sign(&self, message: &[u8]) -> impl AsRef<[u8]> + use<> {
        self.prepared[0].mac.sign(message)
    }

    /// The keys that may have encrypted a session cache.
    pub(crate) fn session_cache_keys(&self) -> impl Iterator<Item = &CacheKey> {
        self.prepared.iter().map(|secret| &secret.session_cache)
    }
}

impl Prepared {
    fn new(secret: &Secret) -> Result<Self, ConfigError> {
        // The core knows what is no secret.
        Key::hmac(Algorithm::Hs256, secret)?;
        let bytes = secret.expose_bytes();
        Ok(Self { mac: MacKey::new(bytes), session_cache: CacheKey::derive(bytes) })
    }
}

fn version_and_secret(entry: &str) -> Option<(u32, &str)> {
    let (version, secret) = entry.split_once(':')?;
    let version = version.trim();
    let decimal = version.bytes().all(|byte| byte.is_ascii_digit());
    Some((version.parse().ok().filter(|_| decimal)?, secret.trim()))
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prepared, accept_previous } = self;
        f.debug_struct("Secrets").field("count", &prepared.len()).field("accept_previous", accept_previous).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(entries: &str) -> String {
        Secrets::versioned(&Secret::new(entries)).expect_err("bad entries").to_string()
    }

    #[test]
    fn entries_are_versions_with_secrets() {
        let (new, old) = ("n".repeat(31) + "x", "o".repeat(31) + ":");
        for good in [format!("2:{new},1:{old}"), format!(" 0 : {new} , 7:{old} "), format!("1:{new}")] {
            assert!(Secrets::versioned(&Secret::new(good.clone())).is_ok(), "{good}");
        }
        for bad in ["", "2", &format!("-1:{new}"), &format!("+1:{new}"), &format!("1.5:{new}"), &format!(":{new}")] {
            assert_eq!(refusal(bad), "entry 1: write it as <version>:<secret>, as in 2:…", "{bad}");
        }
        assert!(refusal(&format!("2:{new},")).starts_with("entry 2: "));
        assert!(refusal(&format!("2:{new},2:{old}")).starts_with("version 2 comes twice"));
        assert!(refusal(&format!("2:{new},02:{old}")).starts_with("version 2 comes twice"));
    }

    #[test]
    fn bad_secrets_are_refused_by_their_version_and_never_shown() {
        for bad in
            ["short-secret", "better-auth-secret-12345678901234567890", "-----BEGIN PUBLIC KEY----- MCowBQYDK2VwAyEA"]
        {
            let message = refusal(&format!("9:{bad}"));
            assert!(message.starts_with("version 9: the shared secret") && !message.contains(bad), "{message}");
            assert!(Secrets::new(&Secret::new(bad)).is_err());
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let secrets = Secrets::new(&Secret::new("abcdefghijklmnopqrstuvwxyz-0123456789")).expect("a good secret");
        assert_eq!(format!("{secrets:?}"), "Secrets { count: 1, accept_previous: false }");
    }
}
