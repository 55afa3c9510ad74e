//! base64url in its one canonical spelling: no padding, no other alphabet, no stray low bits (RFC 4648 §3.5, §5).

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::NO_PAD;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static ENGINE: LazyLock<base64::engine::simd::Simd> = LazyLock::new(|| base64::engine::simd::Simd::url_safe(NO_PAD));

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static ENGINE: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD));

/// The bytes; `None` for any other spelling.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    // Room filled with what is at hand: zeroed memory comes by a slower way (`calloc`), and all of it is written over.
    let mut bytes = text.as_bytes().get(..decoded_length(text))?.to_vec();
    decode_into(text, &mut bytes)?;
    Some(bytes)
}

/// Bytes in that spelling.
pub(crate) fn encode(bytes: &[u8]) -> String {
    ENGINE.encode(bytes)
}

/// Decodes into a slice of the [`decoded_length`].
pub(crate) fn decode_into(text: &str, bytes: &mut [u8]) -> Option<()> {
    let written = ENGINE.decode_slice(text, bytes).ok()?;
    (written == bytes.len()).then_some(())
}

/// How many bytes a text stands for, if it is well spelt.
pub(crate) fn decoded_length(text: &str) -> usize {
    text.len() / 4 * 3 + text.len() % 4 * 3 / 4
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_length_is_decoded_back(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(decode(&URL_SAFE_NO_PAD.encode(&bytes)), Some(bytes));
        }

        /// Also where vectors take several characters at once.
        #[test]
        fn whatever_is_taken_is_the_canonical_spelling(
            bytes in prop::collection::vec(any::<u8>(), 0..150),
            at: prop::sample::Index,
            by in "[A-Za-z0-9_=+/ \\n.-]|\\PC",
        ) {
            let text = URL_SAFE_NO_PAD.encode(&bytes);
            let mut spoilt: Vec<char> = text.chars().chain(['A']).collect();
            let at = at.index(spoilt.len());
            spoilt.splice(at..=at, by.chars());
            let spoilt: String = spoilt.into_iter().collect();
            match decode(&spoilt) {
                Some(decoded) => prop_assert_eq!(URL_SAFE_NO_PAD.encode(decoded), spoilt),
                None => prop_assert!(URL_SAFE_NO_PAD.decode(&spoilt).is_err()),
            }
        }
    }

    #[test]
    fn stray_bits_padding_and_other_alphabets_are_refused() {
        for front in ["", &"AAAA".repeat(40)] {
            for bad in ["A", "AB", "AAB", "AA==", "AAA=", "AA+A", "AA/A", "AA A", "AAA\n", "AA.A", "AAA\u{e9}"] {
                assert_eq!(decode(&format!("{front}{bad}")), None, "{bad:?}");
            }
        }
    }
}
