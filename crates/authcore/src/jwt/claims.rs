//! The claims that are judged (RFC 7519 §4.1): each read at its own JSON type, or refused.

use std::borrow::Cow;

use crate::clock::Timestamp;
use crate::error::AuthError;
use crate::identity::Place;
use crate::json::Json;

/// `iss` and `sub`: a string, where present.
pub(crate) fn text<'t>(claim: Option<Json<'t>>, name: &str) -> Result<Option<Cow<'t, str>>, AuthError> {
    let Some(json) = claim else { return Ok(None) };
    json.string().map(Some).ok_or_else(|| malformed(name))
}

/// `jti` and `sid`: a string, where present, to be kept with the claims.
pub(crate) fn kept_text(claim: Option<Json<'_>>, name: &str) -> Result<Option<Place>, AuthError> {
    let Some(json) = claim else { return Ok(None) };
    place(json).map(Some).ok_or_else(|| malformed(name))
}

/// `aud`: a string or an array of strings (RFC 7519 §4.1.3), where present. Whether one of them is `meant`.
pub(crate) fn any_text(
    claim: Option<Json<'_>>,
    name: &str,
    meant: impl Fn(&str) -> bool,
) -> Result<Option<bool>, AuthError> {
    let Some(json) = claim else { return Ok(None) };
    let mut any = false;
    json.each_string(|one| any |= meant(one)).ok_or_else(|| malformed(name))?;
    Ok(Some(any))
}

/// `exp`, `nbf` and `iat`: a `NumericDate`, where present. Fractions and exponents are numbers too (RFC 7519 §2).
/// What lies beyond the year 9999 is refused: it is a mistake in the unit, or an attempt to live for ever.
pub(crate) fn time(claim: Option<Json<'_>>, name: &str) -> Result<Option<Timestamp>, AuthError> {
    let Some(json) = claim else { return Ok(None) };
    numeric_date(json.get()).map(Some).ok_or_else(|| malformed(name))
}

fn numeric_date(number: &str) -> Option<Timestamp> {
    if let Ok(seconds) = number.parse() {
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
pub(crate) fn roles(claim: Option<Json<'_>>) -> Option<Place> {
    let json = claim?;
    if let Some(place) = place(json) {
        return Some(place);
    }
    let mut roles: Vec<String> = Vec::new();
    json.each_string(|role| {
        if !role.contains(',') {
            roles.push(role.to_owned());
        }
    })?;
    Some(Place::Apart(roles.join(",").into()))
}

/// Where the string that a claim holds is to be found later.
fn place(json: Json<'_>) -> Option<Place> {
    match json.plain_string() {
        Some((text, at)) => Some(Place::Within(at..at + text.len())),
        None => Some(Place::Apart(json.string()?.into())),
    }
}

pub(crate) fn malformed(name: &str) -> AuthError {
    AuthError::MalformedClaim(name.into())
}

pub(crate) fn missing(name: &str) -> AuthError {
    AuthError::MissingClaim(name.into())
}
