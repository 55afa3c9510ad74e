//! The compact serialisation: three base64url segments between two dots (RFC 7515 §7.1).

use crate::base64url;
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
        let mut dots = memchr::memchr_iter(b'.', token.as_bytes());
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(AuthError::NotCompact);
        };
        let (header, payload) = (&token[..first], &token[first + 1..second]);
        if header.is_empty() || payload.is_empty() {
            return Err(AuthError::NotCompact);
        }
        Ok(Self { header, payload, signature: &token[second + 1..], signing_input: &token[..second] })
    }
}

/// Decodes one segment.
pub(crate) fn decode(segment: &str, part: Part) -> Result<Vec<u8>, AuthError> {
    base64url::decode(segment).ok_or(AuthError::NotBase64(part))
}

/// Decodes one segment that holds UTF-8 text.
pub(crate) fn decode_text(segment: &str, part: Part) -> Result<String, AuthError> {
    String::from_utf8(decode(segment, part)?).map_err(|_| AuthError::NotJsonObject(part))
}

/// Room for the bytes of a third segment: on the stack, unless they are more than those of RSA with 4096 bits.
pub(crate) struct SignatureRoom {
    short: [u8; 512],
    long: Vec<u8>,
}

impl SignatureRoom {
    pub(crate) fn new() -> Self {
        Self { short: [0; 512], long: Vec::new() }
    }

    pub(crate) fn decode(&mut self, segment: &str) -> Result<&[u8], AuthError> {
        match self.short.get_mut(..base64url::decoded_length(segment)) {
            Some(bytes) => {
                base64url::decode_into(segment, bytes).ok_or(AuthError::NotBase64(Part::Signature))?;
                Ok(bytes)
            }
            None => {
                self.long = decode(segment, Part::Signature)?;
                Ok(&self.long)
            }
        }
    }
}
