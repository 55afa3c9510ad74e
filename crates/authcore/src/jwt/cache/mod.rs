//! Tokens that verified a moment ago, so that a client's next request costs no signature check.
//!
//! What is remembered is that these very bytes were good under this set of keys, and from when until when they are. Each
//! hit asks anew: for the keys in use now, which must be the same set, and for the time, by the rule of the first look. So
//! a key withdrawn, a token expired or a clock set back count at once; only successes are remembered, and a token that is
//! one byte off is another token.
//!
//! - **A hit writes to no word that other threads read.** There is no list of recent use and no shared counter; even the
//!   count of references to an identity is a thread's own where a token is hot ([`front`]).
//! - **Strangers pass through.** A token is kept at its second sight, so those that come once cost a glance and no memory,
//!   and it takes the place of one that was not used lately ([`table`]).
//! - **Room is bounded** by entries and by bytes, and taken as it fills.

mod entry;
mod front;
mod set;
mod spot;
mod sync;
mod table;
#[cfg(test)]
mod tests;
mod thread;

use std::sync::Arc;

use super::expectations::InForce;
use crate::error::ConfigError;
use crate::identity::Identity;
pub(super) use entry::{Basis, Verified};
use entry::{Entry, Lead};
use spot::Spots;
use sync::Slot;
use table::{Ledger, Table};

/// How many verified tokens a [`JwtVerifier`](crate::JwtVerifier) remembers, and in how much memory. Both bounds hold at
/// any time; memory is taken as it fills.
///
/// ```
/// use authcore::{JwtVerifier, KeySet, TokenCache};
///
/// let cache = TokenCache::default().max_entries(100_000).max_bytes(128 * 1024 * 1024);
/// let verifier = JwtVerifier::builder(KeySet::default()).cache(cache).build()?;
/// assert_eq!(verifier.cache_status().map(|status| status.entries), Some(0));
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct TokenCache {
    max_entries: usize,
    max_bytes: usize,
}

impl Default for TokenCache {
    /// 20 000 tokens in 32 MiB, of some 1.2 kB each with their identities: whichever bound comes
    /// first.
    fn default() -> Self {
        Self { max_entries: 20_000, max_bytes: 32 * 1024 * 1024 }
    }
}

impl TokenCache {
    /// How many tokens are remembered at most: 20 000 by default, between 1 and 16 777 216. Make it a quarter more than are
    /// in use within the time that a client pauses. The index takes 32 bytes for each, counted in no
    /// bound.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// How many bytes tokens and identities take at most: 32 MiB by default, at least 64 KiB.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    pub(super) fn prepare(self) -> Result<Remembered, ConfigError> {
        if !(1..=1 << 24).contains(&self.max_entries) {
            return Err(ConfigError::new("token cache: max_entries: use 1 to 16777216"));
        }
        if self.max_bytes < 64 * 1024 {
            return Err(ConfigError::new("token cache: max_bytes: use 64 KiB or more"));
        }
        // No entry is smaller, so there will be no more of them.
        let entries = self.max_entries.min(self.max_bytes / SMALLEST);
        let table = Table::new(entries, self.max_bytes);
        Ok(Remembered { spots: Spots::random(), table, lead: Slot::empty() })
    }
}

/// Fewer bytes than any token takes with its identity.
const SMALLEST: usize = 512;

/// How a verifier's cache is doing, since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenCacheStatus {
    /// Tokens remembered now. Some may have expired: their room is taken when it is needed.
    pub entries: usize,
    /// Bytes these take at most with their identities, and with the copies that threads keep of the hottest ones.
    pub bytes: usize,
    /// Tokens that were known. Threads count for themselves, so a few may go uncounted where there are more threads than
    /// cores.
    pub hits: u64,
    /// Tokens that had to be verified, good or bad; counted as `hits` are.
    pub misses: u64,
    /// Tokens taken in.
    pub admitted: u64,
    /// Tokens whose place another took.
    pub displaced: u64,
}

/// The tokens one verifier remembers.
pub(super) struct Remembered {
    spots: Spots,
    table: Table<Entry>,
    /// Of the token remembered last, and most likely of the next.
    lead: Slot<Lead>,
}

impl Remembered {
    /// The identity of a token that is remembered, if it `stands` now.
    pub(super) fn recall(&self, token: &str, stands: impl FnOnce(&Basis, InForce) -> bool) -> Option<Identity> {
        let spot = self.spots.of(token.as_bytes())?;
        let judge = |entry: &Entry| stands(entry.basis(), entry.in_force()).then(|| entry.identity.clone());
        self.table.look(spot, token.as_bytes(), judge)
    }

    /// Remembers a token that was verified, if it was here before.
    pub(super) fn remember(&self, token: &str, verified: &Verified) {
        if let Some(spot) = self.spots.of(token.as_bytes())
            && self.table.was_here(spot)
        {
            let token = token.as_bytes();
            self.table.keep(spot, token, Entry::new(self.lead_of(token, verified.basis), token, verified));
        }
    }

    fn lead_of(&self, token: &[u8], basis: Basis) -> Arc<Lead> {
        let header = token.split(|byte| *byte == b'.').next().unwrap_or_default();
        if let Some(last) = self.lead.load().shared().filter(|last| last.is(header, basis)) {
            return last;
        }
        let new = Arc::new(Lead::new(header, basis));
        self.lead.store(Some(Arc::clone(&new)));
        new
    }

    pub(super) fn status(&self) -> TokenCacheStatus {
        let Ledger { entries, bytes, admitted, displaced, .. } = self.table.ledger();
        let (hits, misses) = self.table.counted();
        TokenCacheStatus { entries, bytes, hits, misses, admitted, displaced }
    }
}
