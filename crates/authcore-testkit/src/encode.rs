//! Base64, PEM and the little DER that public keys need.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Base64url without padding (RFC 7515 §2), as in each segment of a token.
#[must_use]
pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes behind base64url without padding.
///
/// # Panics
///
/// When the text is anything else, or not its canonical spelling.
#[must_use]
pub fn unb64(text: impl AsRef<[u8]>) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url without padding")
}

/// PEM (RFC 7468): 64 characters a line, each line ended by `newline`, also the last.
pub(crate) fn pem(label: &str, der: &[u8], newline: &str) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----{newline}");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push_str(newline);
        rest = after;
    }
    pem + &format!("-----END {label}-----{newline}")
}

/// `n` and `e` of an `RSAPublicKey` (RFC 8017 §A.1.1), big-endian and without leading zeros.
pub(crate) fn rsa_numbers(pkcs1: &[u8]) -> (&[u8], &[u8]) {
    let (sequence, _) = der_value(pkcs1);
    let (n, rest) = der_value(sequence);
    let (e, _) = der_value(rest);
    (n.strip_prefix(&[0]).unwrap_or(n), e.strip_prefix(&[0]).unwrap_or(e))
}

/// The content of the first DER element, and what follows it.
fn der_value(der: &[u8]) -> (&[u8], &[u8]) {
    match der {
        [_, length @ ..=0x7f, rest @ ..] => rest.split_at(usize::from(*length)),
        [_, 0x81, length, rest @ ..] => rest.split_at(usize::from(*length)),
        [_, 0x82, high, low, rest @ ..] => rest.split_at(usize::from(u16::from_be_bytes([*high, *low]))),
        _ => panic!("not DER of an RSA key"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_goes_there_and_back() {
        for length in 0..70_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(151)).collect();
            assert_eq!(unb64(b64(&bytes)), bytes);
        }
        assert_eq!(b64([0xfb, 0xff]), "-_8");
    }

    #[test]
    fn pem_breaks_lines_after_64_characters() {
        let lines: Vec<usize> = pem("PUBLIC KEY", &[0; 49], "\n").lines().map(str::len).collect();
        assert_eq!(lines, [26, 64, 4, 24]);
    }
}
