//! Headers recognised by their bytes: most tokens of an issuer begin with the same segment, which need not be read again.
//!
//! What it said is remembered once a token with it has verified, so strangers put nothing in. The list is short, and
//! never makes room: an entry goes when the key set that it points into is gone.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::algorithm::Algorithm;
use crate::jwks::{KeySet, SetMark};

/// A header that passed, and the key it led to.
#[derive(Clone)]
pub(crate) struct KnownHeader {
    segment: Arc<str>,
    pub(crate) algorithm: Algorithm,
    set: SetMark,
    pub(crate) place: usize,
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
        self.set.is_of(set)
    }
}

impl KnownHeaders {
    /// The list as it is now: looked through without a lock, and without a write that other threads would notice.
    pub(crate) fn load(&self) -> Guard<Arc<Vec<KnownHeader>>> {
        self.0.load()
    }

    /// Remembers a header that led to this key, by which a token has verified.
    #[cold]
    pub(crate) fn remember(&self, segment: &str, algorithm: Algorithm, set: &KeySet, place: usize) {
        let has_room = || self.0.load().iter().filter(|known| known.set.is_live()).count() < MAX_HEADERS;
        if segment.len() > MAX_SEGMENT || !has_room() {
            return;
        }
        let new = KnownHeader { segment: segment.into(), algorithm, set: set.mark(), place };
        self.0.rcu(|known| {
            let others = known.iter().filter(|known| known.set.is_live() && *known.segment != *new.segment);
            others.take(MAX_HEADERS - 1).cloned().chain([new.clone()]).collect::<Vec<_>>()
        });
    }
}

/// The header of this segment, if it is known.
pub(crate) fn find<'k>(known: &'k [KnownHeader], segment: &str) -> Option<&'k KnownHeader> {
    known.iter().find(|known| *known.segment == *segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(headers: &KnownHeaders) -> usize {
        headers.load().len()
    }

    #[test]
    fn the_list_is_bounded_and_keeps_what_came_first() {
        let (headers, set) = (KnownHeaders::default(), KeySet::default());
        for number in 0..100 {
            headers.remember(&number.to_string(), Algorithm::EdDsa, &set, number);
            headers.remember(&"x".repeat(MAX_SEGMENT + 1), Algorithm::EdDsa, &set, 0);
        }
        assert_eq!(remembered(&headers), MAX_HEADERS);
        assert_eq!(find(&headers.load(), "0").map(|known| known.place), Some(0));
        assert!(find(&headers.load(), "99").is_none());
    }

    #[test]
    fn entries_of_a_set_that_is_gone_make_room() {
        let headers = KnownHeaders::default();
        let old = KeySet::default();
        for number in 0..100 {
            headers.remember(&number.to_string(), Algorithm::EdDsa, &old, number);
        }
        drop(old);

        let new = KeySet::default();
        headers.remember("0", Algorithm::EdDsa, &new, 7);
        assert_eq!(remembered(&headers), 1);
        let known = headers.load();
        let known = find(&known, "0").expect("it is known");
        assert!(known.is_of(&new) && !known.is_of(&KeySet::default()) && known.place == 7);
    }

    #[test]
    fn a_header_has_one_entry() {
        let (headers, one, other) = (KnownHeaders::default(), KeySet::default(), KeySet::default());
        for set in [&one, &other, &one] {
            headers.remember("header", Algorithm::EdDsa, set, 0);
        }
        assert_eq!(remembered(&headers), 1);
        assert!(find(&headers.load(), "header").is_some_and(|known| known.is_of(&one)));
    }
}
