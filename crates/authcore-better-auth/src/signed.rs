//! Signed values: `<value>.<HMAC-SHA256 of it in standard base64, padded>`, as in cookies and in `set-auth-token`.
//!
//! The name of the cookie is no part of what is signed, so a value signed for one cookie verifies under another name too.
//! A session token is therefore only a token: the store says whether it is a session's.

use std::borrow::Cow;

use authcore::SessionFault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::secrets::Secrets;
use crate::token::SessionToken;

/// The longest signed value: the longest token, the dot, the signature.
const MAX_BYTES: usize = SessionToken::MAX_BYTES + 1 + SIGNATURE_CHARACTERS;

const SIGNATURE_CHARACTERS: usize = 44;

/// The token in a signed value whose signature verifies. Cut at the last dot; one spelling of each signature.
pub(crate) fn open(signed: &[u8], secrets: &Secrets) -> Result<SessionToken, SessionFault> {
    if signed.len() > MAX_BYTES {
        return Err(SessionFault::Malformed);
    }
    let dot = signed.iter().rposition(|byte| *byte == b'.').ok_or(SessionFault::Malformed)?;
    let (value, signature) = (&signed[..dot], &signed[dot + 1..]);
    let tag = tag(signature).ok_or(SessionFault::Malformed)?;
    if !secrets.verifies(value, &tag) {
        return Err(SessionFault::BadSignature);
    }
    std::str::from_utf8(value).ok().and_then(SessionToken::new).ok_or(SessionFault::Malformed)
}

fn tag(signature: &[u8]) -> Option<[u8; 32]> {
    if signature.len() != SIGNATURE_CHARACTERS {
        return None;
    }
    // One more than 32, since the decoder counts in threes.
    let mut bytes = [0; 33];
    let length = STANDARD.decode_slice(signature, &mut bytes).ok()?;
    bytes[..length].try_into().ok()
}

/// Decodes percent escapes once, where there are any; `None` for a broken one, or for more than a signed value can need.
pub(crate) fn unescape(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    if text.len() > 3 * MAX_BYTES {
        return None;
    }
    // Most of a value is plain, and copied in one go.
    let (mut plain, mut rest) = until_escape(text);
    if rest.is_empty() {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    loop {
        decoded.extend_from_slice(plain);
        let [b'%', high, low, after @ ..] = rest else { break };
        decoded.push(hex(*high)? << 4 | hex(*low)?);
        (plain, rest) = until_escape(after);
    }
    rest.is_empty().then_some(Cow::Owned(decoded))
}

fn until_escape(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| *byte == b'%').unwrap_or(text.len()))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
