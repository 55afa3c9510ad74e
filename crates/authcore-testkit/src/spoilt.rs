//! Signatures that are almost right.

use authcore::Algorithm;

use crate::encode::{b64, unb64};
use crate::key::SigningKey;
use crate::mint::Mint;

impl SigningKey {
    /// The ways to spoil a signature of this key that a careless verifier might take, each with a name: numbers out of
    /// range, numbers with a second spelling, other lengths, other encodings. None of them verifies (RFC 7518 §3, RFC 8032
    /// §5.1.7, RFC 8017 §8.2.2).
    ///
    /// RSA's `s + n` has a byte more than the modulus for some messages, and is refused for its length then:
    /// [`spoilt_tokens`](Self::spoilt_tokens) has none of those.
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

    /// This token with each of the [`spoilt_signatures`](Self::spoilt_signatures), all as long as their names say: it gets
    /// a number for its `jti` where RSA's `s + n` would else be longer than the modulus.
    ///
    /// ```
    /// use authcore::Algorithm;
    /// use authcore_testkit::{SigningKey, mint};
    ///
    /// let tokens = SigningKey::fixed(Algorithm::Rs256).spoilt_tokens(&mint());
    /// assert!(tokens.iter().any(|(what, token)| *what == "s + n" && token.split('.').count() == 3));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`spoilt_signatures`](Self::spoilt_signatures) does, and when a `jti` changes nothing, as beside a
    /// [raw payload](Mint::raw_payload), and had to.
    #[must_use]
    pub fn spoilt_tokens(&self, mint: &Mint) -> Vec<(&'static str, String)> {
        let numbered = (1..100).map(|number| mint.clone().claim("jti", number.to_string()));
        let spoilt = std::iter::once(mint.clone()).chain(numbered).map(|mint| {
            let input = mint.signing_input(self);
            (self.spoilt_signatures(&input), input)
        });
        let length = |spoilt: &Named, of: &str| spoilt.iter().find(|(what, _)| *what == of).map(|(_, one)| one.len());
        let fits = |spoilt: &Named| length(spoilt, "s + n").is_none_or(|sum| Some(sum) == length(spoilt, "zero"));
        let (spoilt, input) =
            spoilt.into_iter().find(|(spoilt, _)| fits(spoilt)).expect("one message in a hundred fits");
        spoilt.into_iter().map(|(what, signature)| (what, format!("{input}.{}", b64(signature)))).collect()
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
    // 2^255 - 18, where a y ends at 2^255 - 20. It is not this signature's own R once more: S does not belong to it.
    let out_of_range = [&[0xee][..], &[0xff; 30], &[0x7f]].concat();
    vec![
        ("S + L", [r, &beyond].concat()),
        ("R out of range", [&out_of_range, s].concat()),
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
    element(0x30, &[integer(r), integer(s)].concat())
}

/// In as few bytes as there can be (X.690 §8.3.2), not below zero.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|digit| **digit == 0).count();
    let digits = &number[zeros..];
    let is_positive = digits.first().is_some_and(|first| *first < 0x80);
    element(2, &[if is_positive { &[][..] } else { &[0] }, digits].concat())
}

/// With its length in the short form where that will do, else in the long one (X.690 §10.1).
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).expect("less than 256 bytes");
    let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [&head, content].concat()
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

/// `a + b` of big-endian numbers of one length, with a byte more where the sum needs it.
fn plus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut sum = vec![0; a.len()];
    let mut carry = 0_u16;
    for at in (0..a.len()).rev() {
        let digit = u16::from(a[at]) + u16::from(b[at]) + carry;
        carry = digit / 256;
        sum[at] = (digit % 256) as u8;
    }
    if carry > 0 {
        sum.insert(0, 1);
    }
    sum
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature as lc;

    use super::*;
    use crate::mint;

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

    fn named(spoilt: Named, wanted: &str) -> Vec<u8> {
        spoilt.into_iter().find(|(what, _)| *what == wanted).expect("there is one").1
    }

    #[test]
    fn what_is_added_can_be_taken_away() {
        let (a, b) = ([0x12, 0xff, 0x80], [0x00, 0x01, 0xff]);
        assert_eq!(plus(&a, &b), [0x13, 0x01, 0x7f]);
        assert_eq!(minus(&plus(&a, &b), &b), a);
        assert_eq!(plus(&[0xff, 0x01], &[0x00, 0xff]), [0x01, 0x00, 0x00]);
    }

    #[test]
    fn s_plus_n_is_the_sum_and_as_long_as_the_modulus_in_a_token() {
        let key = SigningKey::fixed(Algorithm::Rs256);
        let modulus = unb64(key.public_jwk()["n"].as_str().expect("a modulus"));
        let wide = |number: &[u8]| [&vec![0; modulus.len() + 1 - number.len()], number].concat();
        let sums = (0..40).map(|number| {
            let message = format!("text {number}");
            let sum = named(key.spoilt_signatures(&message), "s + n");
            assert_eq!(minus(&wide(&sum), &wide(&modulus)), wide(&key.sign(message.as_bytes())), "{message}");
            sum.len()
        });
        let longer = sums.filter(|length| *length > modulus.len()).count();
        assert!((1..40).contains(&longer), "{longer} of 40 are too long: both kinds are to be seen");

        for key in [Algorithm::Rs256, Algorithm::Ps256].map(SigningKey::fixed) {
            for number in 0..20 {
                let tokens = key.spoilt_tokens(&mint().claim("number", number));
                let (_, token) = tokens.iter().find(|(what, _)| *what == "s + n").expect("there is one");
                let signature = unb64(token.rsplit('.').next().expect("a signature"));
                assert_eq!(signature.len(), modulus.len(), "{}, {number}", key.algorithm());
            }
        }
    }

    /// Such as those who want DER take.
    #[test]
    fn der_is_good_where_it_is_asked_for() {
        let verifiers = [
            (Algorithm::Es256, &lc::ECDSA_P256_SHA256_ASN1),
            (Algorithm::Es384, &lc::ECDSA_P384_SHA384_ASN1),
            (Algorithm::Es512, &lc::ECDSA_P521_SHA512_ASN1),
        ];
        for (algorithm, verifier) in verifiers {
            let key = SigningKey::fixed(algorithm);
            let public = lc::UnparsedPublicKey::new(verifier, key.public_der());
            // Numbers that begin with a zero byte and with a high bit are among so many.
            for number in 0..300 {
                let signature = key.sign(b"text");
                let (r, s) = signature.split_at(signature.len() / 2);
                assert!(public.verify(b"text", &der(r, s)).is_ok(), "{algorithm}, {number}: {:02x?}", der(r, s));
            }
        }
    }

    #[test]
    fn der_has_numbers_and_lengths_in_their_shortest_form() {
        assert_eq!(der(&[0, 0, 0x7f], &[0, 0x80]), [0x30, 7, 2, 1, 0x7f, 2, 2, 0, 0x80]);
        assert_eq!(integer(&[0, 0]), [2, 1, 0]);
        assert_eq!(der(&[1; 66], &[0xff; 66])[..5], [0x30, 0x81, 137, 2, 66]);
        assert_eq!(der(&[1; 61], &[1; 61])[..3], [0x30, 126, 2]);
    }
}
