//! A user's id.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A user's id: opaque text, compared byte for byte. No folding, no normalisation: `Ann`, `ann` and `ann` with
/// another Unicode spelling are three users. Cloning is cheap.
#[derive(Clone)]
pub struct UserId(Text);

#[derive(Clone)]
enum Text {
    /// Held here: so it costs no memory of its own, and no count of references that threads would wait for.
    Short {
        length: u8,
        bytes: [u8; SHORT],
    },
    Long(Arc<str>),
}

/// Longest text that is held in place: UUIDs have 36 characters, the ids of Better Auth 32.
const SHORT: usize = 38;

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
        Ok(Self(Text::new(text)))
    }

    /// The same in memory of its own.
    pub(super) fn apart(&self) -> Self {
        match &self.0 {
            Text::Short { .. } => self.clone(),
            Text::Long(text) => Self(Text::Long(Arc::from(&**text))),
        }
    }

    /// How long its text is, where that is not held in place.
    pub(super) fn bytes_apart(&self) -> Option<usize> {
        match &self.0 {
            Text::Short { .. } => None,
            Text::Long(text) => Some(text.len()),
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Short { .. } => std::str::from_utf8(self.as_bytes()).expect("what was text is text"),
            Text::Long(text) => text,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Short { length, bytes } => &bytes[..usize::from(*length).min(SHORT)],
            Text::Long(text) => text.as_bytes(),
        }
    }
}

impl Text {
    fn new(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(short), Ok(length)) => {
                short.copy_from_slice(text.as_bytes());
                Self::Short { length, bytes }
            }
            _ => Self::Long(Arc::from(text)),
        }
    }
}

impl PartialEq for UserId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for UserId {}

impl PartialOrd for UserId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UserId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for UserId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// Whether it is printable ASCII without spaces, as nearly all ids are: then there is nothing to look for.
fn is_graphic(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & byte.is_ascii_graphic())
}

fn is_padded(text: &str) -> bool {
    text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace)
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UserId").field(&self.as_str()).finish()
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl AsRef<str> for UserId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// A text that cannot be a user's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a user id: empty, too long, padded with white space, or holding a control character")]
pub struct InvalidUserId;

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

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

    #[test]
    fn ids_are_told_apart_by_their_bytes_however_they_are_held() {
        let id = |text: &str| UserId::new(text).expect("a plain id");
        let lengths = [1, SHORT - 1, SHORT, SHORT + 1, UserId::MAX_BYTES];
        let ids: Vec<_> = lengths.into_iter().flat_map(|length| ["b", "a"].map(|one| one.repeat(length))).collect();
        for one in &ids {
            assert_eq!((id(one).as_str(), id(one).clone().apart()), (&**one, id(one)));
            assert_eq!(format!("{:?}", id(one)), format!("UserId({one:?})"));
            for other in &ids {
                assert_eq!(id(one) == id(other), one == other, "{one} {other}");
                assert_eq!(id(one).cmp(&id(other)), one.cmp(other), "{one} {other}");
                assert_eq!(id(one).partial_cmp(&id(other)), Some(one.cmp(other)), "{one} {other}");
            }
            assert_eq!(id(one).as_ref(), one);
        }
        let hash = |text: &String| BuildHasherDefault::<DefaultHasher>::default().hash_one(id(text));
        assert_eq!(ids.iter().map(hash).collect::<std::collections::HashSet<_>>().len(), ids.len());
        let seen: std::collections::HashSet<_> = ids.iter().chain(&ids).map(|text| id(text)).collect();
        assert_eq!(seen.len(), ids.len());
    }

    #[test]
    fn a_long_id_is_counted_where_it_is_and_apart_it_is_elsewhere() {
        let id = |length: usize| UserId::new(&"a".repeat(length)).expect("a plain id");
        let place = |id: &UserId| id.as_str().as_ptr();
        for length in [SHORT + 1, UserId::MAX_BYTES] {
            let long = id(length);
            assert_eq!((long.bytes_apart(), place(&long.clone())), (Some(length), place(&long)));
            assert_ne!(place(&long.apart()), place(&long));
        }
        assert_eq!((id(1).bytes_apart(), id(SHORT).bytes_apart()), (None, None));
    }

    #[test]
    fn an_id_is_small() {
        assert_eq!((size_of::<UserId>(), size_of::<Option<UserId>>()), (40, 40));
    }
}
