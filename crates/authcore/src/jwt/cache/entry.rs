//! One remembered token: its bytes, what it yielded, and what that rests on.

use std::sync::Arc;

use super::table::Item;
use crate::identity::Identity;
use crate::jwks::SetFingerprint;
use crate::jwt::Algorithm;
use crate::jwt::expectations::InForce;
use crate::secret::Secret;

/// What a token yielded, and what that holds under: nothing else of it needs to be looked at again.
#[derive(Clone)]
pub(in crate::jwt) struct Verified {
    pub(in crate::jwt) identity: Identity,
    pub(in crate::jwt) in_force: InForce,
    /// Whose token it is, among those that its verifier takes.
    pub(in crate::jwt) trust: u16,
    /// Whose keys to ask for.
    pub(in crate::jwt) algorithm: Algorithm,
    /// The keys it was judged by. By the same ones it would be judged the same.
    pub(in crate::jwt) keys: SetFingerprint,
}

/// A token that verified.
pub(super) struct Entry {
    /// Its first segment, which tokens under one key have in common.
    header: Header,
    /// All that follows.
    rest: Secret,
    pub(super) verified: Verified,
}

/// A header segment, held once for many tokens.
pub(super) type Header = Arc<Box<[u8]>>;

impl Entry {
    /// `token` begins with `header`.
    pub(super) fn new(header: Header, token: &[u8], verified: &Verified) -> Self {
        let rest = Secret::new(&token[header.len()..]);
        Self { header, rest, verified: verified.clone() }
    }
}

impl Item for Entry {
    fn is_for(&self, token: &[u8]) -> bool {
        token.strip_prefix(&**self.header) == Some(self.rest.expose_bytes())
    }

    fn is_like(&self, other: &Self) -> bool {
        self.header == other.header && self.rest.expose_bytes() == other.rest.expose_bytes()
    }

    /// With the header, as if it were nobody else's: the bound holds even where no two are alike.
    fn bytes(&self) -> usize {
        let token = self.header.len() + ALLOCATION + self.rest.expose_bytes().len();
        SHARED + size_of::<Self>() + token + self.verified.identity.bytes()
    }

    fn apart(&self) -> Self {
        let verified = Verified { identity: self.verified.identity.apart(), ..self.verified.clone() };
        Self { header: Arc::clone(&self.header), rest: self.rest.clone(), verified }
    }
}

/// About what an allocator takes for itself, and loses by rounding.
const ALLOCATION: usize = 2 * size_of::<usize>();

/// The same for what an `Arc` points at, with its two counts of references.
const SHARED: usize = ALLOCATION + 2 * size_of::<usize>();
