//! A user's id.

use std::fmt;
use std::sync::Arc;

/// A user's id: opaque text, compared byte for byte. No folding, no normalisation: `Ann`, `ann` and `ann` with
/// another Unicode spelling are three users.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

impl UserId {
    /// The longest id that is accepted, in bytes. OpenID Connect Core §2 allows a `sub` 255 characters.
    pub const MAX_BYTES: usize = 255;

    /// Checks an id that comes from a trusted place: a verified claim, one's own database.
    ///
    /// # Errors
    ///
    /// [`InvalidUserId`] when it is empty, longer than [`Self::MAX_BYTES`], begins or ends with white space, or holds
    /// a control character: such ids invite two spellings of one user.
    pub fn new(text: &str) -> Result<Self, InvalidUserId> {
        let is_fit = is_graphic(text) || !(is_padded(text) || text.contains(char::is_control));
        if text.is_empty() || text.len() > Self::MAX_BYTES || !is_fit {
            return Err(InvalidUserId);
        }
        Ok(Self(Arc::from(text)))
    }

    /// The same in memory of its own.
    pub(super) fn apart(&self) -> Self {
        Self(Arc::from(self.as_str()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether it is printable ASCII without spaces, as nearly all ids are: then there is nothing to look for.
fn is_graphic(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & byte.is_ascii_graphic())
}

fn is_padded(text: &str) -> bool {
    text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace)
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for UserId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A text that cannot be a user's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a user id: empty, too long, padded with white space, or holding a control character")]
pub struct InvalidUserId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_opaque_but_never_ambiguous() {
        for good in ["a", "a:b", "*", "../x", "' OR 1=1 --", "user%2D1", "Ünï", "a b", "\u{200b}x"] {
            assert_eq!(UserId::new(good).map(|id| id.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", " a", "a ", "a\n", "a\0b", "a\u{7f}", "\u{a0}a", &"x".repeat(256)] {
            assert_eq!(UserId::new(bad), Err(InvalidUserId), "{bad:?}");
        }
    }
}
