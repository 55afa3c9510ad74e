//! Headers recognised by their bytes: most tokens of an issuer begin with the same segment, which need not be read again.
//!
//! What it said is remembered once a token with it has verified, so strangers put nothing in. The list is short, and
//! makes room for no more than the keys in use: entries of an algorithm go when its keys have changed.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::algorithm::Algorithm;
use crate::identity::Origin;
use crate::jwks::{KeySet, SetFingerprint};

/// A header that passed, and the key it led to.
#[derive(Clone)]
pub(crate) struct KnownHeader {
    segment: Arc<str>,
    pub(crate) algorithm: Algorithm,
    set: SetFingerprint,
    pub(crate) place: usize,
    /// What the tokens with it have in common.
    pub(crate) origin: Arc<Origin>,
}

#[derive(Default)]
pub(crate) struct KnownHeaders(ArcSwap<Vec<KnownHeader>>);

/// An issuer signs with a key or two, and writes one header for each.
const MAX_HEADERS: usize = 16;

/// Longest segment kept, in characters.
const MAX_SEGMENT: usize = 512;

impl KnownHeader {
    /// Whether its key is one of this set, which it still is at the same place.
    pub(crate) fn is_of(&self, set: &KeySet) -> bool {
        self.set == set.fingerprint()
    }

    /// Whether another one stays beside it: of an algorithm's keys there is one set at a time.
    fn leaves(&self, other: &Self) -> bool {
        (other.algorithm != self.algorithm || other.set == self.set) && *other.segment != *self.segment
    }
}

impl KnownHeaders {
    /// The list as it is now: looked through without a lock, and without a write that other threads would notice.
    pub(crate) fn load(&self) -> Guard<Arc<Vec<KnownHeader>>> {
        self.0.load()
    }

    /// Remembers a header that led to this key, by which a token has verified.
    #[cold]
    pub(crate) fn remember(
        &self,
        segment: &str,
        algorithm: Algorithm,
        set: &KeySet,
        place: usize,
        origin: Arc<Origin>,
    ) {
        let new = KnownHeader { segment: segment.into(), algorithm, set: set.fingerprint(), place, origin };
        if segment.len() > MAX_SEGMENT || self.load().iter().filter(|known| new.leaves(known)).count() >= MAX_HEADERS {
            return;
        }
        self.0.rcu(|known| with(known, &new));
    }
}

/// The list with one more, and no longer than it may be if others filled it in between.
fn with(known: &[KnownHeader], new: &KnownHeader) -> Vec<KnownHeader> {
    let others = known.iter().filter(|known| new.leaves(known)).take(MAX_HEADERS - 1);
    others.chain([new]).cloned().collect()
}

/// The header of this segment, if it is known.
pub(crate) fn find<'k>(known: &'k [KnownHeader], segment: &str) -> Option<&'k KnownHeader> {
    known.iter().find(|known| *known.segment == *segment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Method;
    use crate::jwks::Key;
    use crate::secret::Secret;

    fn set_of(secret: &str) -> KeySet {
        let secret = Secret::new(format!("{secret:0>32}"));
        KeySet::new([Key::hmac(Algorithm::Hs256, &secret).expect("a long secret")])
    }

    fn origin() -> Arc<Origin> {
        Arc::new(Origin { issuer: None, first_name: None, method: Method::Other("test") })
    }

    fn remembered(headers: &KnownHeaders) -> usize {
        headers.load().len()
    }

    #[test]
    fn the_list_is_bounded_and_keeps_what_came_first() {
        let (headers, set) = (KnownHeaders::default(), KeySet::default());
        for number in 0..100 {
            headers.remember(&number.to_string(), Algorithm::EdDsa, &set, number, origin());
            headers.remember(&"x".repeat(MAX_SEGMENT + 1), Algorithm::EdDsa, &set, 0, origin());
        }
        assert_eq!(remembered(&headers), MAX_HEADERS);
        assert_eq!(find(&headers.load(), "0").map(|known| known.place), Some(0));
        assert!(find(&headers.load(), "99").is_none());
    }

    #[test]
    fn a_segment_is_kept_up_to_its_bound() {
        let (headers, set) = (KnownHeaders::default(), KeySet::default());
        for (length, kept) in [(MAX_SEGMENT - 1, 1), (MAX_SEGMENT, 2), (MAX_SEGMENT + 1, 2), (MAX_SEGMENT * 9, 2)] {
            headers.remember(&"x".repeat(length), Algorithm::EdDsa, &set, 0, origin());
            assert_eq!(remembered(&headers), kept, "{length}");
        }
    }

    #[test]
    fn a_list_that_others_filled_in_between_stays_bounded() {
        let known = |place: usize| KnownHeader {
            segment: place.to_string().into(),
            algorithm: Algorithm::EdDsa,
            set: KeySet::default().fingerprint(),
            place,
            origin: origin(),
        };
        for (before, stay) in [(0, 0), (MAX_HEADERS - 1, 15), (MAX_HEADERS, 15), (MAX_HEADERS + 1, 15)] {
            let list = with(&(0..before).map(known).collect::<Vec<_>>(), &known(99));
            assert!(list.iter().map(|known| known.place).eq((0..stay).chain([99])), "{before} before");
        }
    }

    #[test]
    fn entries_of_keys_that_were_replaced_make_room() {
        let headers = KnownHeaders::default();
        let old = set_of("old");
        for number in 0..100 {
            headers.remember(&number.to_string(), Algorithm::EdDsa, &old, number, origin());
        }
        let new = set_of("new");
        headers.remember("0", Algorithm::EdDsa, &new, 7, origin());
        assert_eq!(remembered(&headers), 1);
        let known = headers.load();
        let known = find(&known, "0").expect("it is known");
        assert!(known.is_of(&new) && known.is_of(&set_of("new")) && !known.is_of(&old) && known.place == 7);
    }

    #[test]
    fn a_header_has_one_entry() {
        let (headers, one, other) = (KnownHeaders::default(), set_of("one"), set_of("other"));
        for set in [&one, &other, &one] {
            headers.remember("header", Algorithm::EdDsa, set, 0, origin());
        }
        assert_eq!(remembered(&headers), 1);
        assert!(find(&headers.load(), "header").is_some_and(|known| known.is_of(&one)));
    }
}
