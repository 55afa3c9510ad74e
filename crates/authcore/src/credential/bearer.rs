//! `Authorization: Bearer <token>` ([RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
//!
//! Refused: several field lines, anything but one `b64token` after the scheme. The scheme's name is
//! case-insensitive, and one or more spaces may follow it (RFC 9110 §11.4). Other schemes are not ours to judge.

use super::{is_tchar, trim};
use crate::error::AuthError;
use crate::head::RequestHead;

/// The bearer token of a request, borrowed; `Ok(None)` without one or with another scheme.
///
/// # Errors
///
/// [`AuthError::RepeatedAuthorization`] and [`AuthError::MalformedBearer`].
///
/// ```
/// use authcore::credential::bearer;
///
/// assert_eq!(bearer::parse(b"bEaReR abc.def").unwrap(), Some("abc.def"));
/// assert_eq!(bearer::parse(b"Basic YTpi").unwrap(), None);
/// assert_eq!(bearer::parse(b"Bearer a, Bearer b").unwrap_err().reason(), "malformed_bearer");
/// ```
pub fn token(head: &dyn RequestHead) -> Result<Option<&str>, AuthError> {
    match head.sole_field("authorization") {
        Ok(Some(value)) => parse(value),
        Ok(None) => Ok(None),
        Err(_) => Err(AuthError::RepeatedAuthorization),
    }
}

/// The bearer token of one `Authorization` field value.
///
/// # Errors
///
/// [`AuthError::MalformedBearer`] when the scheme is `Bearer` and what follows is not one token, or when there is no scheme
/// to tell by.
pub fn parse(value: &[u8]) -> Result<Option<&str>, AuthError> {
    let value = trim(value);
    let scheme_end = value.iter().position(|byte| !is_tchar(*byte)).unwrap_or(value.len());
    let (scheme, rest) = value.split_at(scheme_end);
    if scheme.is_empty() && !value.is_empty() {
        return Err(AuthError::MalformedBearer);
    }
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Ok(None);
    }
    // Spaces only: a tab is not what RFC 6750 allows after the scheme.
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    let token = &rest[spaces..];
    if spaces == 0 || !is_b64token(token) {
        return Err(AuthError::MalformedBearer);
    }
    std::str::from_utf8(token).map(Some).map_err(|_| AuthError::MalformedBearer)
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
pub(super) fn is_b64token(text: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = &text[..text.len() - padding];
    // All of them, also past a wrong one: so several are looked at in one step.
    let is_body = body.iter().fold(true, |all, byte| {
        all & (byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/'))
    });
    is_body && !body.is_empty()
}
