//! Keys for a server that accepts shared-secret tokens beside those of its key set.

use authcore::{Algorithm, KeyResolver, KeySet, KeySnapshot, Miss};

/// HS256 tokens are judged by the secret alone, all others by the key set alone: neither can stand in for the other.
pub(crate) struct SecretBeside<K> {
    pub(crate) secret: KeySet,
    pub(crate) published: K,
}

impl<K: KeyResolver> KeyResolver for SecretBeside<K> {
    fn current(&self, algorithm: Algorithm) -> Option<KeySnapshot<'_>> {
        if algorithm.is_symmetric() { self.secret.current(algorithm) } else { self.published.current(algorithm) }
    }

    fn after_miss(&self, key_id: Option<&str>) -> Miss {
        self.published.after_miss(key_id)
    }
}
