//! One remembered token: its bytes, what it yielded, and what that rests on.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::table::Item;
use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::jwks::SetFingerprint;
use crate::jwt::Algorithm;
use crate::jwt::expectations::InForce;

/// What a token yielded, and what that holds under: nothing else of it needs to be looked at again.
pub(in crate::jwt) struct Verified {
    pub(in crate::jwt) identity: Identity,
    pub(in crate::jwt) in_force: InForce,
    pub(in crate::jwt) basis: Basis,
}

/// What a verdict rests on, beside the time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::jwt) struct Basis {
    /// Whose token it is, among those that its verifier takes.
    pub(in crate::jwt) trust: usize,
    /// Whose keys to ask for.
    pub(in crate::jwt) algorithm: Algorithm,
    /// The keys it was judged by. By the same ones it would be judged the same.
    pub(in crate::jwt) keys: SetFingerprint,
}

/// A token that verified.
pub(super) struct Entry {
    lead: Arc<Lead>,
    /// All that follows the header. A credential, so it is wiped.
    rest: Zeroizing<Box<[u8]>>,
    pub(super) identity: Identity,
    /// From when it is in force; until when, the identity says.
    since: Timestamp,
}

/// What tokens under one key have in common, held once for many.
pub(super) struct Lead {
    /// Their first segment.
    header: Box<[u8]>,
    basis: Basis,
}

impl Lead {
    pub(super) fn new(header: &[u8], basis: Basis) -> Self {
        Self { header: header.into(), basis }
    }

    pub(super) fn is(&self, header: &[u8], basis: Basis) -> bool {
        *self.header == *header && self.basis == basis
    }
}

impl Entry {
    /// `token` begins with the header of `lead`.
    pub(super) fn new(lead: Arc<Lead>, token: &[u8], verified: &Verified) -> Self {
        let rest = Zeroizing::new(token[lead.header.len()..].into());
        Self { lead, rest, identity: verified.identity.clone(), since: verified.in_force.since() }
    }

    pub(super) fn in_force(&self) -> InForce {
        InForce::between(self.since, self.identity.expires_at())
    }

    pub(super) fn basis(&self) -> &Basis {
        &self.lead.basis
    }
}

impl Item for Entry {
    fn is_for(&self, token: &[u8]) -> bool {
        token.strip_prefix(&*self.lead.header) == Some(&self.rest)
    }

    fn is_like(&self, other: &Self) -> bool {
        self.lead.header == other.lead.header && self.rest == other.rest
    }

    /// With what it has in common with others, as if it were nobody else's: the bound holds even where no two are alike.
    fn bytes(&self) -> usize {
        let lead = SHARED + size_of::<Lead>() + ALLOCATION + self.lead.header.len();
        SHARED + size_of::<Self>() + lead + ALLOCATION + self.rest.len() + self.identity.bytes()
    }

    fn apart(&self) -> Self {
        let (lead, identity) = (Arc::clone(&self.lead), self.identity.apart());
        Self { lead, rest: self.rest.clone(), identity, since: self.since }
    }
}

/// About what an allocator takes for itself, and loses by rounding.
const ALLOCATION: usize = 2 * size_of::<usize>();

/// The same for what an `Arc` points at, with its two counts of references.
const SHARED: usize = ALLOCATION + 2 * size_of::<usize>();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Method, UserId};
    use crate::jwks::KeySet;

    fn entry(token: &str) -> Entry {
        let user = UserId::new("ann").expect("a plain id");
        let identity = Identity::assertion(user, Method::Other("test")).into_identity();
        let basis = Basis { trust: 0, algorithm: Algorithm::EdDsa, keys: KeySet::default().fingerprint() };
        let header = token.split('.').next().expect("a header");
        let in_force = InForce::between(Timestamp::from_seconds(1), None);
        let verified = Verified { identity, in_force, basis };
        Entry::new(Arc::new(Lead::new(header.as_bytes(), basis)), token.as_bytes(), &verified)
    }

    #[test]
    fn entries_are_about_one_token_by_all_of_its_bytes() {
        let token = "header.payload.signature";
        let others =
            ["header.payload.signaturE", "Header.payload.signature", "header.payloa.dsignature", "header.payload."];
        assert!(entry(token).is_for(token.as_bytes()) && entry(token).is_like(&entry(token)));
        assert!(entry(token).apart().is_like(&entry(token)));
        for other in others {
            assert!(!entry(token).is_for(other.as_bytes()) && !entry(token).is_like(&entry(other)), "{other}");
        }
    }
}
