//! Signatures that are almost right.

use authcore::Algorithm;

use crate::encode::unb64;
use crate::key::SigningKey;

impl SigningKey {
    /// The ways to spoil a signature of this key that a careless verifier takes, each with a name: numbers out of range,
    /// numbers with a second spelling, other lengths, other encodings. None of them verifies (RFC 7518 §3, RFC 8032 §5.1.7,
    /// RFC 8017 §8.2.2).
    ///
    /// ```
    /// use authcore::{Algorithm, JwtVerifier, KeySet};
    /// use authcore_testkit::{SigningKey, b64, mint};
    ///
    /// let key = SigningKey::fixed(Algorithm::EdDsa);
    /// let verifier = JwtVerifier::builder(KeySet::new([key.key()])).build()?;
    /// let input = mint().signing_input(key);
    /// for (what, signature) in key.spoilt_signatures(&input) {
    ///     let error = verifier.check(&format!("{input}.{}", b64(signature))).unwrap_err();
    ///     assert_eq!(error.reason(), "bad_signature", "{what}");
    /// }
    /// # Ok::<(), authcore::ConfigError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// When signing fails, which takes a machine without randomness.
    #[must_use]
    pub fn spoilt_signatures(&self, message: impl AsRef<[u8]>) -> Vec<(&'static str, Vec<u8>)> {
        let good = self.sign(message.as_ref());
        let mut spoilt = vec![
            ("empty", Vec::new()),
            ("zero", vec![0; good.len()]),
            ("one byte short", good[..good.len() - 1].to_vec()),
            ("one byte long", [&good[..], &[0]].concat()),
            ("another last bit", [&good[..good.len() - 1], &[good[good.len() - 1] ^ 1]].concat()),
            ("hexadecimal", good.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()),
        ];
        spoilt.extend(match self.algorithm() {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => vec![("16 bytes", good[..16].to_vec())],
            Algorithm::EdDsa => of_ed25519(&good),
            Algorithm::Es256 => of_p256(&good),
            Algorithm::Es384 | Algorithm::Es512 => of_any_curve(&good),
            _ => of_rsa(&good, &unb64(self.public_jwk()["n"].as_str().expect("an RSA key has a modulus"))),
        });
        spoilt
    }
}

/// The ES256 signature that verifies whenever this one does: `(r, n - s)`. So a token's text is no id of it.
///
/// # Panics
///
/// When it does not have the 64 bytes of one.
#[must_use]
pub fn mirrored_es256(signature: &[u8]) -> Vec<u8> {
    assert_eq!(signature.len(), 64, "an ES256 signature");
    [&signature[..32], &minus(&P256_ORDER, &signature[32..])].concat()
}

type Named = Vec<(&'static str, Vec<u8>)>;

fn of_any_curve(good: &[u8]) -> Named {
    let (r, s) = good.split_at(good.len() / 2);
    let zero = vec![0; r.len()];
    vec![
        ("r = 0", [&zero, s].concat()),
        ("s = 0", [r, &zero].concat()),
        ("r and s swapped", [s, r].concat()),
        ("DER", der(r, s)),
    ]
}

fn of_p256(good: &[u8]) -> Named {
    let (r, s) = good.split_at(32);
    let order = [("r = n", [&P256_ORDER, s].concat()), ("s = n", [r, &P256_ORDER].concat())];
    of_any_curve(good).into_iter().chain(order).collect()
}

fn of_ed25519(good: &[u8]) -> Named {
    let (r, s) = good.split_at(32);
    let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
    let beyond = reversed(&plus(&reversed(s), &reversed(&ED25519_ORDER)));
    // 2^255 - 18: the point whose y is 1, spelt a second time.
    let second_one = [&[0xee][..], &[0xff; 30], &[0x7f]].concat();
    vec![
        ("S + L", [r, &beyond].concat()),
        ("R in a second spelling", [&second_one, s].concat()),
        ("R and S swapped", [s, r].concat()),
    ]
}

fn of_rsa(good: &[u8], modulus: &[u8]) -> Named {
    let one = [vec![0; modulus.len() - 1], vec![1]].concat();
    vec![
        ("1", one),
        ("n", modulus.to_vec()),
        ("s + n", plus(good, modulus)),
        ("s behind a zero", [&[0], good].concat()),
        ("s without its first byte", good[1..].to_vec()),
    ]
}

/// `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 §2.2.3), as other uses of ECDSA have it.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("less than 256 bytes");
    let integer = |number: &[u8]| {
        let digits = [&[0], number].concat();
        [&[2, length(&digits)], &digits[..]].concat()
    };
    let body = [integer(r), integer(s)].concat();
    let head = if body.len() < 0x80 { vec![0x30, length(&body)] } else { vec![0x30, 0x81, length(&body)] };
    [head, body].concat()
}

/// The order of P-256's base point (FIPS 186-5), big-endian.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of Ed25519's base point (RFC 8032 §5.1), little-endian.
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// `a - b` of big-endian numbers of one length, `a` the larger.
fn minus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut difference = vec![0; a.len()];
    let mut borrow = 0_i16;
    for at in (0..a.len()).rev() {
        let digit = i16::from(a[at]) - i16::from(b[at]) - borrow;
        borrow = i16::from(digit < 0);
        difference[at] = digit.rem_euclid(256) as u8;
    }
    difference
}

/// `a + b` of big-endian numbers of one length, what overflows dropped.
fn plus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut sum = vec![0; a.len()];
    let mut carry = 0_u16;
    for at in (0..a.len()).rev() {
        let digit = u16::from(a[at]) + u16::from(b[at]) + carry;
        carry = digit / 256;
        sum[at] = (digit % 256) as u8;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_one_and_none_is_good() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::fixed(algorithm);
            let mut spoilt: Vec<_> = key.spoilt_signatures("text").into_iter().map(|(_, bytes)| bytes).collect();
            let is_deterministic = algorithm.is_symmetric() || algorithm == Algorithm::EdDsa;
            assert!(!is_deterministic || !spoilt.contains(&key.sign(b"text")), "{algorithm}");
            let count = spoilt.len();
            spoilt.sort_unstable();
            spoilt.dedup();
            assert_eq!(spoilt.len(), count, "{algorithm}");
        }
    }

    #[test]
    fn what_is_added_can_be_taken_away() {
        let (a, b) = ([0x12, 0xff, 0x80], [0x00, 0x01, 0xff]);
        assert_eq!(plus(&a, &b), [0x13, 0x01, 0x7f]);
        assert_eq!(minus(&plus(&a, &b), &b), a);
    }
}
