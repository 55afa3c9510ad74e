//! Many questions on standard input, a JSON line each; as many answers, in order, each sent at once.
//!
//! A bad line is answered and does not stop the rest. Of a line at most [`MAX_LINE`] bytes are kept; a longer one is read
//! to its end and answered without being looked at.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Write};

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::fault::{Fault, Verdict, is_read};
use crate::json::Object;

/// The longest line that is read, in bytes, its end not counted: 4 MiB.
pub(crate) const MAX_LINE: usize = 4 * 1024 * 1024;

/// Answers each line of standard input by `answer`, which is handed the line and an answer that has its id.
pub(crate) fn run(answer: impl FnMut(&Line<'_>, Object) -> Result<Object, BadLine>) -> Result<Verdict, Fault> {
    over(io::stdin().lock(), io::stdout().lock(), answer)
}

/// The same for each line of `input`, to `output`.
pub(crate) fn over(
    mut input: impl BufRead,
    mut output: impl Write,
    mut answer: impl FnMut(&Line<'_>, Object) -> Result<Object, BadLine>,
) -> Result<Verdict, Fault> {
    let mut buffer = Vec::new();
    while let Some(whole) = next_line(&mut input, &mut buffer).map_err(|error| Fault::of("standard input", error))? {
        let mut text = if whole { answered(&buffer, &mut answer) } else { bad(None, &too_long()) };
        text.push('\n');
        if !is_read(output.write_all(text.as_bytes()).and_then(|()| output.flush()))? {
            break;
        }
    }
    Ok(Verdict::Accepted)
}

fn answered(bytes: &[u8], answer: &mut impl FnMut(&Line<'_>, Object) -> Result<Object, BadLine>) -> String {
    let line = match Line::parse(bytes) {
        Ok(line) => line,
        Err((id, BadLine(why))) => return bad(id.as_deref(), &why),
    };
    match answer(&line, Object::to(line.id)) {
        Ok(object) => object.end(),
        Err(BadLine(why)) => bad(line.id, &why),
    }
}

fn bad(id: Option<&RawValue>, why: &str) -> String {
    Object::to(id).with("ok", false).with("code", "bad_request").with("detail", why).end()
}

fn too_long() -> String {
    format!("the line is longer than {MAX_LINE} bytes")
}

/// Reads a line into `buffer`, without its end: whether it was kept whole, or `None` when there is no further one.
fn next_line(input: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<Option<bool>> {
    buffer.clear();
    let (mut whole, mut any) = (true, false);
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            return Ok(any.then_some(whole));
        }
        any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        whole = whole && buffer.len() + part.len() <= MAX_LINE;
        if whole {
            buffer.extend_from_slice(part);
        }
        let used = end.map_or(chunk.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(Some(whole));
        }
    }
}

/// Why a line is no question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadLine(pub(crate) String);

impl BadLine {
    /// A member that is missing or of another kind.
    pub(crate) fn member(name: &str, takes: impl fmt::Display) -> Self {
        Self(format!("`{name}` {takes}"))
    }
}

/// A question: one JSON object, its members unread.
pub(crate) struct Line<'l> {
    pub(crate) id: Option<&'l RawValue>,
    members: Vec<(Cow<'l, str>, &'l RawValue)>,
}

impl<'l> Line<'l> {
    /// Reads a line; or says what is wrong, with its id where that is known.
    fn parse(bytes: &'l [u8]) -> Result<Self, (Option<Box<RawValue>>, BadLine)> {
        let unknown = |why: &str| (None, BadLine(why.to_owned()));
        let text = std::str::from_utf8(bytes).map_err(|_| unknown("the line is not UTF-8"))?;
        if text.trim_ascii().is_empty() {
            return Err(unknown("the line is empty"));
        }
        let Members(members) = serde_json::from_str(text).map_err(|_| unknown("the line is not one JSON object"))?;
        let mut ids = members.iter().filter(|(name, _)| name == "id").map(|(_, value)| *value);
        let id = ids.next().filter(|_| ids.next().is_none());
        match authcore::json::check(text) {
            Ok(()) => Ok(Self { id, members }),
            Err(fault) => Err((id.map(ToOwned::to_owned), BadLine(format!("the line is refused: {fault}")))),
        }
    }

    /// The JSON text of a member; `None` when it is absent or null.
    pub(crate) fn raw(&self, name: &str) -> Option<&'l str> {
        let found = self.members.iter().find(|(given, _)| given == name).map(|(_, value)| value.get());
        found.filter(|json| *json != "null")
    }

    /// A member read at its type.
    pub(crate) fn read<T: Deserialize<'l>>(&self, name: &str, takes: &str) -> Result<Option<T>, BadLine> {
        let Some(json) = self.raw(name) else { return Ok(None) };
        serde_json::from_str(json).map(Some).map_err(|_| BadLine::member(name, format!("takes {takes}")))
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, BadLine> {
        self.read(name, "a string")
    }

    /// The text of `name`, or what `name_b64` encodes, which need not be text.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, BadLine> {
        let encoded = format!("{name}_b64");
        match (self.text(name)?, self.text(&encoded)?) {
            (Some(text), None) => Ok(text.into_bytes()),
            (None, Some(text)) => decode(&text).ok_or_else(|| BadLine::member(&encoded, "takes base64")),
            (None, None) => Err(BadLine::member(name, "is missing")),
            (Some(_), Some(_)) => Err(BadLine::member(name, format!("and `{encoded}` are both there: send one"))),
        }
    }

    /// The moment in `now`, in Unix seconds; `None` when the line does not say.
    pub(crate) fn now(&self) -> Result<Option<authcore::Timestamp>, BadLine> {
        let seconds: Option<f64> = self.read("now", "a number of Unix seconds")?;
        seconds.map(crate::value::of_seconds).transpose().map_err(|why| BadLine::member("now", why))
    }
}

/// Base64 of either alphabet, padded or not.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, lenient).decode(text).ok()
}

/// The names that an object gives to several of its own members, each once.
pub(crate) fn repeated(json: &str) -> Vec<String> {
    let Ok(Members(members)) = serde_json::from_str(json) else { return Vec::new() };
    let mut names: Vec<_> = members.into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    let mut repeated: Vec<_> =
        names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].to_string()).collect();
    repeated.dedup();
    repeated
}

/// The members of an object in their order, also those of one name.
struct Members<'l>(Vec<(Cow<'l, str>, &'l RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name.0, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// A name, borrowed where it is spelt without escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'n>(#[serde(borrow)] Cow<'n, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<Option<usize>> {
        let mut reader = io::BufReader::with_capacity(7, input);
        let mut buffer = Vec::new();
        let mut lines = Vec::new();
        while let Some(whole) = next_line(&mut reader, &mut buffer).expect("no fault in memory") {
            lines.push(whole.then_some(buffer.len()));
        }
        lines
    }

    #[test]
    fn lines_end_at_line_feeds_and_the_last_need_not() {
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"\n"), [Some(0)]);
        assert_eq!(lines(b"ab\n\n0123456789\nc"), [Some(2), Some(0), Some(10), Some(1)]);
    }

    #[test]
    fn a_line_up_to_the_bound_is_kept_and_a_longer_one_is_passed_over() {
        let mut input = vec![b'a'; MAX_LINE];
        input.push(b'\n');
        input.extend(vec![b'b'; MAX_LINE + 1]);
        input.extend(b"\nc");
        let mut reader = &input[..];
        let mut buffer = Vec::new();
        let mut next = || next_line(&mut reader, &mut buffer).expect("no fault in memory");
        assert_eq!([next(), next(), next(), next()], [Some(true), Some(false), Some(true), None]);
        assert!(buffer.capacity() <= 2 * MAX_LINE);
    }

    #[test]
    fn both_alphabets_are_base64() {
        for text in ["-_8", "+/8", "+/8=", "-_8="] {
            assert_eq!(decode(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        assert_eq!(decode("a"), None);
    }
}
