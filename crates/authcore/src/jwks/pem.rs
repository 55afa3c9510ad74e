//! Public keys in PEM (RFC 7468 §13): read down to their numbers, and then judged as a JWK of these.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::{Key, KeyRefused};
use crate::base64url;
use crate::jwt::Algorithm;

impl Key {
    /// A public key from PEM: `PUBLIC KEY`, as `openssl pkey -pubout` prints it (RFC 5280 §4.1.2.7), or `RSA PUBLIC KEY`
    /// (RFC 8017 §A.1.1). It has no id. RSA is for `RS256` unless another algorithm is named; a curve implies its own.
    ///
    /// ```
    /// use authcore::{Algorithm, Key};
    /// use authcore_testkit::SigningKey;
    ///
    /// let pem = SigningKey::fixed(Algorithm::Es256).public_pem();
    /// assert_eq!(Key::from_pem(&pem, None)?.algorithm(), Algorithm::Es256);
    /// assert_eq!(Key::from_pem(&pem, Some(Algorithm::Rs256)).unwrap_err().code(), "algorithm_mismatch");
    /// # Ok::<(), authcore::KeyRefused>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyRefused`], saying why the key is of no use: [`KeyRefused::Malformed`] also for a certificate, a private key, or
    /// more than one block.
    pub fn from_pem(pem: &str, algorithm: Option<Algorithm>) -> Result<Self, KeyRefused> {
        let (label, der) = block(pem).ok_or(KeyRefused::Malformed)?;
        let members = match label {
            "PUBLIC KEY" => spki(&der)?,
            "RSA PUBLIC KEY" => rsa(&der).ok_or(KeyRefused::Malformed)?,
            _ => return Err(KeyRefused::Malformed),
        };
        let declared = algorithm.map(|algorithm| format!(r#","alg":"{algorithm}""#)).unwrap_or_default();
        Self::from_jwk(&format!("{{{members}{declared}}}"))
    }
}

/// The one block of a text: its label and its bytes. White space may stand around it and between lines.
fn block(pem: &str) -> Option<(&str, Vec<u8>)> {
    let (label, rest) = pem.trim().strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let body = rest.strip_suffix(&format!("-----END {label}-----"))?;
    let body: String = body.split_ascii_whitespace().collect();
    Some((label, STANDARD.decode(body).ok()?))
}

/// The members of a JWK, out of a `SubjectPublicKeyInfo`.
fn spki(der: &[u8]) -> Result<String, KeyRefused> {
    let read = || {
        let (algorithm, key) = element(sole(der, SEQUENCE)?, SEQUENCE)?;
        let (id, parameters) = element(algorithm, OBJECT_ID)?;
        // No unused bits.
        let key = sole(key, BIT_STRING)?.strip_prefix(&[0])?;
        Some((id, parameters, key))
    };
    let (id, parameters, key) = read().ok_or(KeyRefused::Malformed)?;
    match id {
        RSA_ENCRYPTION if parameters == [5, 0] => rsa(key).ok_or(KeyRefused::Malformed),
        ED25519 if parameters.is_empty() => {
            Ok(format!(r#""kty":"OKP","crv":"Ed25519","x":"{}""#, base64url::encode(key)))
        }
        EC_PUBLIC_KEY => {
            let curve = match sole(parameters, OBJECT_ID) {
                Some(P256) => "P-256",
                Some(P384) => "P-384",
                Some(P521) => "P-521",
                _ => return Err(KeyRefused::UnsupportedType),
            };
            // Uncompressed points only, as in a JWK.
            let point = key.strip_prefix(&[4]).ok_or(KeyRefused::Malformed)?;
            let (x, y) = point.split_at(point.len() / 2);
            let (x, y) = (base64url::encode(x), base64url::encode(y));
            Ok(format!(r#""kty":"EC","crv":"{curve}","x":"{x}","y":"{y}""#))
        }
        _ => Err(KeyRefused::UnsupportedType),
    }
}

/// The members of a JWK, out of an `RSAPublicKey`.
fn rsa(der: &[u8]) -> Option<String> {
    let (n, rest) = element(sole(der, SEQUENCE)?, INTEGER)?;
    let e = sole(rest, INTEGER)?;
    let (n, e) = (base64url::encode(positive(n)?), base64url::encode(positive(e)?));
    Some(format!(r#""kty":"RSA","n":"{n}","e":"{e}""#))
}

/// The bytes of an INTEGER that is not negative, in its one spelling: a zero in front only where it would read as negative
/// without (X.690 §8.3.2).
fn positive(integer: &[u8]) -> Option<&[u8]> {
    match integer {
        [0, rest @ ..] if matches!(rest, [0x80..=0xff, ..]) => Some(rest),
        [0] | [1..=0x7f, ..] => Some(integer),
        _ => None,
    }
}

/// The content of a DER element of this type, when nothing follows it.
fn sole(der: &[u8], tag: u8) -> Option<&[u8]> {
    element(der, tag).and_then(|(content, rest)| rest.is_empty().then_some(content))
}

/// The content of the first DER element, which is of this type, and what follows it. Lengths up to 65535, in their one
/// spelling.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (length, rest) = match rest {
        [length @ ..=0x7f, rest @ ..] => (usize::from(*length), rest),
        [0x81, length @ 0x80..=0xff, rest @ ..] => (usize::from(*length), rest),
        [0x82, high @ 1..=0xff, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;

/// 1.2.840.113549.1.1.1 (RFC 8017 §A.1)
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1 (RFC 5480 §2.1.1)
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7, 1.3.132.0.34 and 1.3.132.0.35 (RFC 5480 §2.1.1.1)
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
/// 1.3.101.112 (RFC 8410 §3)
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

#[cfg(test)]
mod tests {
    use super::*;

    const ED: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

    fn code(pem: &str) -> Result<Algorithm, &'static str> {
        Key::from_pem(pem, None).map(|key| key.algorithm()).map_err(KeyRefused::code)
    }

    #[test]
    fn the_key_of_rfc_8410_is_read_in_every_line_end() {
        for text in [ED.to_owned(), ED.replace('\n', "\r\n"), ED.trim_end().to_owned(), format!("\n {ED}\n")] {
            assert_eq!(code(&text), Ok(Algorithm::EdDsa), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_public_key_is_malformed_and_another_kind_unsupported() {
        let (begin, end) = ("-----BEGIN PUBLIC KEY-----\n", "-----END PUBLIC KEY-----");
        let of = |der: &[u8]| format!("{begin}{}\n{end}", STANDARD.encode(der));
        for bad in [
            String::new(),
            ED.replace("PUBLIC", "PRIVATE"),
            ED.replace("PUBLIC KEY", "CERTIFICATE"),
            ED.replace("END PUBLIC", "END RSA PUBLIC"),
            format!("{ED}{ED}"),
            ED.replace("MCow", "MCo="),
            of(&[0x30, 0x00]),
            of(&[0x30, 0x82, 0xff, 0xff]),
            of(&[0x30, 0x81, 0x02, 0x05, 0x00]),
        ] {
            assert_eq!(code(&bad), Err("malformed"), "{bad:?}");
        }
        // X25519 (RFC 8410 §3): for agreeing on keys, not for signatures.
        let der = STANDARD.decode("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=").expect("base64");
        let other: Vec<u8> = der.iter().enumerate().map(|(at, byte)| if at == 8 { 0x6e } else { *byte }).collect();
        assert_eq!(code(&of(&other)), Err("unsupported_type"));
        // An exponent of three bytes, the first of which need not be there.
        let (rsa, head) = ([&[0x02, 0x82, 0x01, 0x01, 0][..], &[0xff; 256]].concat(), [0x30, 0x82, 0x01, 0x0a]);
        let of_rsa = |e: &[u8]| {
            let der = [&head[..], &rsa, &[0x02, 3], e].concat();
            of(&der).replace("PUBLIC", "RSA PUBLIC")
        };
        assert_eq!((code(&of_rsa(&[1, 0, 1])), code(&of_rsa(&[0, 1, 1]))), (Ok(Algorithm::Rs256), Err("malformed")));
        let longer = [&der[..], &[0]].concat();
        assert_eq!(code(&of(&longer)), Err("malformed"));
    }

    #[test]
    fn integers_are_not_negative_and_have_one_spelling() {
        for (integer, bytes) in [(&[0, 0x80][..], &[0x80][..]), (&[0x7f], &[0x7f]), (&[1, 0], &[1, 0]), (&[0], &[0])] {
            assert_eq!(positive(integer), Some(bytes));
        }
        for bad in [&[0x80][..], &[], &[0, 1], &[0, 0x7f, 0xff], &[0, 0, 0x80]] {
            assert_eq!(positive(bad), None, "{bad:?}");
        }
    }
}
