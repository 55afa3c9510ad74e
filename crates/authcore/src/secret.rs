//! Text that must not be printed.

use std::fmt;

use zeroize::Zeroizing;

/// A secret: a token, a cookie value, a shared key. `Debug` hides it, and its memory is wiped on drop.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the secret's bytes over.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        // As it is: to shrink it could leave a copy behind.
        Self(Zeroizing::new(bytes.into()))
    }

    /// The secret itself. Named so that every place that lets it out is easy to find.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}
