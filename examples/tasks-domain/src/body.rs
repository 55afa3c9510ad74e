//! Request bodies: media type, then size, then JSON, then rules, then the owner they name. The first that fails answers.

use authcore::{BodyOwner, FieldError, Refusal, UserScope};
use serde_json::{Map, Value};

/// The longest body that is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// Checks that a request says its body is JSON, before any of it is read.
///
/// `content_types` and `content_encodings` are the values of every field line of these names.
///
/// # Errors
///
/// `415 unsupported_media_type`, also for two Content-Type lines, a charset other than UTF-8 (RFC 8259 §8.1) and a
/// content coding (RFC 9110 §15.5.16).
pub fn require_json<'r>(
    content_types: impl IntoIterator<Item = &'r [u8]>,
    content_encodings: impl IntoIterator<Item = &'r [u8]>,
) -> Result<(), Refusal> {
    let mut types = content_types.into_iter();
    let is_json = matches!((types.next(), types.next()), (Some(sole), None) if is_json(sole));
    let is_plain = content_encodings.into_iter().all(|coding| coding.eq_ignore_ascii_case(b"identity"));
    if is_json && is_plain {
        return Ok(());
    }
    let detail = "The body has to be JSON: Content-Type: application/json";
    Err(Refusal::new(415, "unsupported_media_type", detail))
}

fn is_json(content_type: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(content_type) else { return false };
    let mut parts = text.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// `413 too_large`: the body is longer than [`MAX_BODY`].
#[must_use]
pub fn too_large() -> Refusal {
    Refusal::new(413, "too_large", "The body is longer than 64 KiB")
}

/// `400 bad_request`: the body broke off, or its framing is wrong.
#[must_use]
pub fn broken_off() -> Refusal {
    Refusal::bad_request("The body could not be read to its end")
}

/// A JSON object whose rules are being checked. Fields nobody asks for are ignored.
#[derive(Debug)]
pub(crate) struct JsonObject {
    members: Map<String, Value>,
    owner: BodyOwner,
    errors: Vec<FieldError>,
}

impl JsonObject {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let not_json = |_| Refusal::bad_request("The body is not JSON");
        let Value::Object(members) = serde_json::from_slice(body).map_err(not_json)? else {
            let message = "must be a JSON object".into();
            return Err(Refusal::validation_failed(vec![FieldError { field: "body".into(), message }]));
        };
        let owner = serde_json::from_slice(body).map_err(not_json)?;
        Ok(Self { members, owner, errors: Vec::new() })
    }

    /// A text of at least one and at most `max` characters, white space around it taken off. Required.
    pub(crate) fn line(&mut self, field: &'static str, max: usize) -> String {
        let line = match self.members.get(field) {
            None => Err("is required".to_owned()),
            Some(Value::String(text)) if text.contains('\0') => Err(NO_NUL.to_owned()),
            Some(Value::String(text)) if (1..=max).contains(&text.trim().chars().count()) => Ok(text.trim().to_owned()),
            Some(Value::String(_)) => Err(format!("must be 1 to {max} characters long")),
            Some(_) => Err("must be a string".to_owned()),
        };
        self.keep(field, line)
    }

    /// [`line`](Self::line) where the field may be left out.
    pub(crate) fn line_if_given(&mut self, field: &'static str, max: usize) -> Option<String> {
        self.members.contains_key(field).then(|| self.line(field, max))
    }

    /// A text of at most `max` characters, kept as it is. `Some(None)` when the field is null, `None` when left out.
    pub(crate) fn text_if_given(&mut self, field: &'static str, max: usize) -> Option<Option<String>> {
        let text = match self.members.get(field)? {
            Value::Null => Ok(None),
            Value::String(text) if text.contains('\0') => Err(NO_NUL.to_owned()),
            Value::String(text) if text.chars().count() <= max => Ok(Some(text.clone())),
            Value::String(_) => Err(format!("must be at most {max} characters long")),
            _ => Err("must be a string or null".to_owned()),
        };
        Some(self.keep(field, text))
    }

    pub(crate) fn flag_if_given(&mut self, field: &'static str) -> Option<bool> {
        let flag = self.members.get(field)?.as_bool().ok_or_else(|| "must be true or false".to_owned());
        Some(self.keep(field, flag))
    }

    /// What was read, unless a rule is broken, or the body names somebody else than the owner of the rows.
    pub(crate) fn finish<T>(self, read: T, scope: &UserScope) -> Result<T, Refusal> {
        if !self.errors.is_empty() {
            return Err(Refusal::validation_failed(self.errors));
        }
        self.owner.check(scope)?;
        Ok(read)
    }

    fn keep<T: Default>(&mut self, field: &'static str, value: Result<T, String>) -> T {
        value.unwrap_or_else(|message| {
            self.errors.push(FieldError { field: field.into(), message: message.into() });
            T::default()
        })
    }
}

/// PostgreSQL's `text` cannot hold it, and no engine is to take what another does not.
const NO_NUL: &str = "must not hold the character U+0000";

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(types: &[&str], encodings: &[&str]) -> u16 {
        let lines = |values: &[&str]| values.iter().map(|value| value.as_bytes().to_vec()).collect::<Vec<_>>();
        let (types, encodings) = (lines(types), lines(encodings));
        let checked = require_json(types.iter().map(Vec::as_slice), encodings.iter().map(Vec::as_slice));
        checked.map_or_else(|refusal| refusal.status(), |()| 200)
    }

    #[test]
    fn only_json_in_utf_8_without_a_coding_is_read() {
        for good in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""] {
            assert_eq!(verdict(&[good], &[]), 200, "{good}");
        }
        for bad in ["text/plain", "application/jsonp", "application/json; charset=latin1", "application/xml", ""] {
            assert_eq!(verdict(&[bad], &[]), 415, "{bad}");
        }
        assert_eq!(verdict(&[], &[]), 415);
        assert_eq!(verdict(&["application/json", "application/json"], &[]), 415);
        assert_eq!(verdict(&["application/json"], &["gzip"]), 415);
        assert_eq!(verdict(&["application/json"], &["identity"]), 200);
    }

    #[test]
    fn what_is_not_json_is_400_and_what_is_not_an_object_422() {
        let status = |body: &[u8]| JsonObject::parse(body).map_or_else(|refusal| refusal.status(), |_| 200);
        for broken in ["", "{", "{} x", "{'a':1}", "{\"a\":NaN}", "\u{feff}{}", "{\"a\":\"\\ud800\"}"] {
            assert_eq!(status(broken.as_bytes()), 400, "{broken}");
        }
        assert_eq!(status(b"{\"a\":\"\xff\"}"), 400);
        assert_eq!(status("[".repeat(50_000).as_bytes()), 400);
        for other in ["[]", "null", "1", "\"x\"", "true"] {
            assert_eq!(status(other.as_bytes()), 422, "{other}");
        }
        assert_eq!(status(b" {\"unknown\": [1, 2]} "), 200);
    }
}
