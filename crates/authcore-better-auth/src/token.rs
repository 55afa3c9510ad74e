//! The session token: what a signed cookie carries and a store looks up.

use std::fmt;

use authcore::Secret;

use crate::crypto;

/// A session token as Better Auth stores it, in plain text: whoever has it has the session. `Debug` hides it.
#[derive(Clone)]
pub struct SessionToken(Secret);

impl SessionToken {
    /// Longest token that is looked up, in bytes. Better Auth's own have 32.
    pub const MAX_BYTES: usize = 256;

    /// Takes a token over; `None` when it is empty, too long, or holds anything but visible ASCII.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        (visible && !text.is_empty() && text.len() <= Self::MAX_BYTES).then(|| Self(Secret::new(text)))
    }

    /// The token itself, for looking it up.
    #[must_use]
    pub fn expose(&self) -> &str {
        std::str::from_utf8(self.0.expose_bytes()).expect("made from text")
    }

    /// SHA-256 of the token, in hexadecimal: a name for it in logs and reports, which lets nobody in.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        crypto::sha256_hex(self.0.expose_bytes())
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(redacted)")
    }
}
