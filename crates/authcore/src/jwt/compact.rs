//! The compact serialisation: three base64url segments between two dots (RFC 7515 §7.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{AuthError, Part};

/// A token cut at its dots, nothing decoded yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compact<'t> {
    pub(crate) header: &'t str,
    pub(crate) payload: &'t str,
    pub(crate) signature: &'t str,
    /// What the signature covers: header, dot, payload, as they were sent.
    pub(crate) signing_input: &'t str,
}

impl<'t> Compact<'t> {
    /// Cuts a token of at most `max_bytes`. Looks for three dots at the most, however many there are.
    pub(crate) fn parse(token: &'t str, max_bytes: usize) -> Result<Self, AuthError> {
        if token.len() > max_bytes {
            return Err(AuthError::TooLong(max_bytes));
        }
        let mut segments = token.splitn(4, '.');
        match (segments.next(), segments.next(), segments.next(), segments.next()) {
            (Some(header), Some(payload), Some(signature), None) if !header.is_empty() && !payload.is_empty() => {
                let signing_input = &token[..header.len() + 1 + payload.len()];
                Ok(Self { header, payload, signature, signing_input })
            }
            _ => Err(AuthError::NotCompact),
        }
    }
}

/// Decodes one segment, canonical spelling only: no padding, no other alphabet, no stray low bits.
pub(crate) fn decode(segment: &str, part: Part) -> Result<Vec<u8>, AuthError> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| AuthError::NotBase64(part))
}

/// Decodes one segment that holds UTF-8 text.
pub(crate) fn decode_text(segment: &str, part: Part) -> Result<String, AuthError> {
    String::from_utf8(decode(segment, part)?).map_err(|_| AuthError::NotJsonObject(part))
}
