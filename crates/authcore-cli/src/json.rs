//! Lines of JSON, member by member, in the order in which they are documented.

use std::fmt::Write as _;

use authcore::{AuthError, Refusal, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::text::is_hidden;

/// One answer in the making.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self("{".to_owned())
    }

    /// An answer to the question of this id, which goes back as it came.
    pub(crate) fn to(id: Option<&RawValue>) -> Self {
        Self::new().raw("id", id.map_or("null", RawValue::get))
    }

    pub(crate) fn with(self, name: &str, value: impl Serialize) -> Self {
        // Text, numbers, and lists of them always serialise.
        self.raw(name, &serde_json::to_string(&value).unwrap_or_else(|_| "null".to_owned()))
    }

    /// A value that is JSON already.
    pub(crate) fn raw(mut self, name: &str, json: &str) -> Self {
        let comma = if self.0.len() > 1 { "," } else { "" };
        _ = write!(self.0, "{comma}\"{name}\":");
        on_one_line(json, &mut self.0);
        self
    }

    /// Seconds since the epoch, with a fraction only where there is one.
    pub(crate) fn time(self, name: &str, at: Option<Timestamp>) -> Self {
        match at.map(Timestamp::as_micros) {
            None => self.raw(name, "null"),
            Some(micros) if micros % 1_000_000 == 0 => self.with(name, micros / 1_000_000),
            Some(micros) => {
                #[expect(clippy::cast_precision_loss, reason = "a year up to 9999 in microseconds is below 2^58")]
                let seconds = micros as f64 / 1e6;
                self.with(name, seconds)
            }
        }
    }

    /// The members of a refusal: the public code, the finer reason, and what is wrong.
    pub(crate) fn refused(self, error: &AuthError) -> Self {
        let refusal = Refusal::from(error);
        let detail = match error {
            AuthError::Unavailable(cause) => format!("{error}: {cause}"),
            _ => error.to_string(),
        };
        self.with("ok", false).with("code", refusal.code()).with("reason", error.reason()).with("detail", detail)
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Without white space between values, and with hidden characters escaped, which in JSON stand in strings alone.
fn on_one_line(json: &str, line: &mut String) {
    let (mut in_string, mut escaped) = (false, false);
    for letter in json.chars() {
        let outside = !in_string && matches!(letter, ' ' | '\t' | '\r' | '\n');
        if letter == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = in_string && letter == '\\' && !escaped;
        match letter {
            _ if outside => {}
            letter if is_hidden(letter) => {
                letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(line, "\\u{unit:04x}"));
            }
            letter => line.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_line(json: &str) -> String {
        let mut line = String::new();
        on_one_line(json, &mut line);
        line
    }

    #[test]
    fn white_space_goes_only_where_it_says_nothing() {
        assert_eq!(one_line("{ \"a b\" :\r\n[ 1 ,\t\"\\\" \\\\\" ] }"), "{\"a b\":[1,\"\\\" \\\\\"]}");
    }

    #[test]
    fn hidden_characters_are_escaped_as_json_has_it() {
        let text = "\"\u{202e}\u{7f}\u{9b}\u{e0001}é\"";
        let line = one_line(text);
        assert_eq!(line, "\"\\u202e\\u007f\\u009b\\udb40\\udc01é\"");
        assert_eq!(serde_json::from_str::<String>(&line).ok(), serde_json::from_str(text).ok());
    }

    #[test]
    fn times_have_a_fraction_only_where_there_is_one() {
        let line = Object::new().time("a", Some(Timestamp::from_seconds(7)));
        let line = line.time("b", Some(Timestamp::from_micros(1_500_000))).time("c", None);
        assert_eq!(line.end(), r#"{"a":7,"b":1.5,"c":null}"#);
    }
}
