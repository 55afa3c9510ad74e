//! Where a token belongs in the table, by a hash under a random key.

use std::hash::{BuildHasher as _, RandomState};

use super::set::Spot;

/// A keyed hash of the last 32 bytes of a token, which are of its signature.
///
/// A multilinear sum (NH of [RFC 4418 §5.2.1], on words of 64 bits), spread by one more multiplication: whoever does not
/// know the keys cannot choose two tails that meet more often than by chance. Nor would it gain much: only tokens that
/// verified are in the table, all bytes are compared, and those that meet compete for 15 places among themselves.
///
/// [RFC 4418 §5.2.1]: https://www.rfc-editor.org/rfc/rfc4418#section-5.2.1
pub(super) struct Spots([u64; 6]);

/// The shortest signature that verifies is that of HS256, of 43 characters.
const TAIL: usize = 32;

impl Spots {
    /// By keys of its own, from the operating system's randomness.
    pub(super) fn random() -> Self {
        let random = RandomState::new();
        Self(std::array::from_fn(|number| random.hash_one(number)))
    }

    /// By keys that are the same in each run: what depends on chance comes out as it did before.
    #[cfg(test)]
    pub(super) fn fixed() -> Self {
        Self(std::array::from_fn(|number| 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number as u64 + 1)))
    }

    /// `None` for what is too short to verify.
    pub(super) fn of(&self, token: &[u8]) -> Option<Spot> {
        let [key, keys @ .., last] = self.0;
        let tail = token.last_chunk::<TAIL>()?;
        let mut words = [0; TAIL / 8];
        for ((word, bytes), key) in words.iter_mut().zip(tail.chunks_exact(8)).zip(keys) {
            *word = bytes.try_into().map_or(0, u64::from_le_bytes).wrapping_add(key);
        }
        let [a, b, c, d] = words.map(u128::from);
        let sum = fold((a * b).wrapping_add(c * d)).wrapping_add(token.len() as u64);
        let hash = fold(u128::from(sum.wrapping_add(key)) * u128::from(last | 1));
        #[expect(clippy::cast_possible_truncation, reason = "two halves")]
        Some(Spot { set: (hash >> 32) as u32, tag: (hash as u32).max(1) })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "two halves")]
fn fold(wide: u128) -> u64 {
    wide as u64 ^ (wide >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &[u8] = b"header.payload.abcdefghijklmnopqrstuvwxyz0123456789-_ABCDEF";

    #[test]
    fn spots_differ_by_key_and_by_every_byte_of_the_tail() {
        let (one, other) = (Spots::random(), Spots::random());
        let spot = one.of(TOKEN).expect("a long token");
        assert_eq!(one.of(TOKEN), Some(spot));
        assert_ne!(other.of(TOKEN), Some(spot));
        for (at, bit) in (TOKEN.len() - TAIL..TOKEN.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut changed = TOKEN.to_vec();
            changed[at] ^= 1 << bit;
            assert_ne!(one.of(&changed), Some(spot), "byte {at}, bit {bit}");
        }
        assert_ne!(one.of(&TOKEN[1..]), Some(spot), "length");
    }

    /// A token that ends in these words.
    fn ending_in(words: [u64; TAIL / 8]) -> Vec<u8> {
        words.into_iter().flat_map(u64::to_le_bytes).collect()
    }

    #[test]
    fn tails_that_differ_by_choice_do_not_meet() {
        let words = [0x6162_6364_6566_6768, 0x7172_7374_7576_7778, 0x4142_4344_4546_4748, 0x3031_3233_3435_3637];
        // Even keys and odd ones, beside those that are different from one another.
        for spots in [Spots::fixed(), Spots([0; 6]), Spots([1; 6])] {
            let spot = |change: &dyn Fn(&mut [u64; 4])| {
                let mut words = words;
                change(&mut words);
                spots.of(&ending_in(words)).expect("long enough")
            };
            let plain = spot(&|_| ());
            for (more, less) in [(0, 1), (1, 0), (2, 3), (3, 2), (0, 2), (1, 3)] {
                let shifted = spot(&|words| (words[more], words[less]) = (words[more] + 1, words[less] - 1));
                assert_ne!(shifted, plain, "one more in word {more}, one less in {less}");
            }
            for word in 0..4 {
                assert_ne!(spot(&|words| words[word] ^= 1 << 63), plain, "the highest bit of word {word}");
            }
        }
    }

    #[test]
    fn tokens_that_end_alike_spread_by_their_lengths() {
        let (spots, mut sets) = (Spots::fixed(), [0_u32; 64]);
        for longer in 0..1024 {
            let token = [vec![b'a'; longer], TOKEN.to_vec()].concat();
            sets[spots.of(&token).expect("a long token").index_in(64)] += 1;
        }
        // 16 each by chance.
        assert!(sets.iter().all(|tokens| *tokens <= 64), "{sets:?}");
    }

    #[test]
    fn what_is_too_short_to_verify_has_no_spot() {
        let spots = Spots::random();
        assert_eq!((spots.of(b""), spots.of(&TOKEN[..TAIL - 1])), (None, None));
        assert!(spots.of(&TOKEN[..TAIL]).is_some());
    }

    #[test]
    fn signatures_that_count_up_spread_evenly() {
        let spots = Spots::random();
        let mut sets = [0_u32; 64];
        for number in 0..64 * 256 {
            let token = format!("a.b.{number:0>86}");
            sets[spots.of(token.as_bytes()).expect("a long token").index_in(64)] += 1;
        }
        // 256 each by chance, give or take 16: ten times that would be no chance.
        assert!(sets.iter().all(|tokens| (96..416).contains(tokens)), "{sets:?}");
    }
}
