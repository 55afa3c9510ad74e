//! The claims that are judged (RFC 7519 §4.1): each read at its own JSON type, or refused.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::error::AuthError;
use crate::json;

/// `iss`, `sub` and `jti`: a string, where present.
pub(crate) fn text<'t>(claim: Option<&'t RawValue>, name: &str) -> Result<Option<Cow<'t, str>>, AuthError> {
    let Some(raw) = claim else { return Ok(None) };
    json::text(raw).map(Some).ok_or_else(|| malformed(name))
}

/// `aud`: a string or an array of strings (RFC 7519 §4.1.3), where present.
pub(crate) fn texts<'t>(claim: Option<&'t RawValue>, name: &str) -> Result<Option<Vec<Cow<'t, str>>>, AuthError> {
    let Some(raw) = claim else { return Ok(None) };
    json::texts(raw).map(Some).ok_or_else(|| malformed(name))
}

/// `exp`, `nbf` and `iat`: a `NumericDate`, where present. Fractions and exponents are numbers too (RFC 7519 §2).
/// What lies beyond the year 9999 is refused: it is a mistake in the unit, or an attempt to live for ever.
pub(crate) fn time(claim: Option<&RawValue>, name: &str) -> Result<Option<Timestamp>, AuthError> {
    let Some(raw) = claim else { return Ok(None) };
    numeric_date(raw.get()).map(Some).ok_or_else(|| malformed(name))
}

fn numeric_date(number: &str) -> Option<Timestamp> {
    if let Ok(seconds) = number.parse::<i64>() {
        return (seconds <= Timestamp::MAX_SECONDS).then(|| Timestamp::from_seconds(seconds));
    }
    if !number.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return None;
    }
    let seconds: f64 = number.parse().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "the bound is far below 2^53")]
    let in_range = seconds < (Timestamp::MAX_SECONDS + 1) as f64;
    // Far below zero the cast saturates, and an instant long past stays long past.
    #[expect(clippy::cast_possible_truncation, reason = "bounded above, saturating below")]
    in_range.then(|| Timestamp::from_micros((seconds * 1e6) as i64))
}

/// Roles: a string (Better Auth separates several by commas) or an array of strings. Anything else grants nothing, and
/// neither does an array element that holds a comma.
pub(crate) fn roles(claim: Option<&RawValue>) -> Option<Box<str>> {
    let raw = claim?;
    if let Some(roles) = json::text(raw) {
        return Some(roles.into_owned().into_boxed_str());
    }
    let roles = json::texts(raw)?;
    let roles: Vec<_> = roles.into_iter().filter(|role| !role.contains(',')).collect();
    Some(roles.join(",").into_boxed_str())
}

pub(crate) fn malformed(name: &str) -> AuthError {
    AuthError::MalformedClaim(name.into())
}

pub(crate) fn missing(name: &str) -> AuthError {
    AuthError::MissingClaim(name.into())
}
