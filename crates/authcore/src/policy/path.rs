//! The raw path of a request, decoded once and refused when it can be read in two ways.

use std::borrow::Cow;

use crate::refusal::Refusal;

/// A path whose every segment means one thing to every router.
///
/// Refused: what does not begin with `/`; empty segments but for one trailing slash; `.` and `..`, encoded or not; `\` and
/// `;`; bad escapes; escapes that decode to `/`, `\`, control characters or bytes that are no UTF-8; raw non-ASCII.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestPath<'r> {
    /// Without the slashes at either end.
    inside: &'r str,
    trailing_slash: bool,
}

/// Longest path looked at, in bytes.
const MAX_PATH: usize = 8 * 1024;

impl<'r> RequestPath<'r> {
    pub(crate) fn parse(raw: &'r str) -> Result<Self, AmbiguousPath> {
        let rest = raw.strip_prefix('/').ok_or(AmbiguousPath)?;
        let inside = rest.strip_suffix('/').unwrap_or(rest);
        if raw.len() > MAX_PATH {
            return Err(AmbiguousPath);
        }
        // `/` has no segment, `//` an empty one.
        if raw != "/" && inside.split('/').any(|segment| !is_unambiguous(segment)) {
            return Err(AmbiguousPath);
        }
        Ok(Self { inside, trailing_slash: inside != rest })
    }

    /// The segments, decoded. A trailing slash adds none.
    pub(crate) fn segments(self) -> impl Iterator<Item = Cow<'r, str>> {
        self.raw_segments().map(|segment| decode(segment).unwrap_or(Cow::Borrowed(segment)))
    }

    /// The segments as they were sent.
    pub(crate) fn raw_segments(self) -> impl Iterator<Item = &'r str> {
        let segments = (!self.inside.is_empty()).then(|| self.inside.split('/'));
        segments.into_iter().flatten()
    }

    /// Whether it ends in a slash, `/` itself apart.
    pub(crate) fn has_trailing_slash(self) -> bool {
        self.trailing_slash
    }
}

/// A path that routers may read differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AmbiguousPath;

impl From<AmbiguousPath> for Refusal {
    fn from(_: AmbiguousPath) -> Self {
        Self::bad_request("The path is ambiguous").for_reason("ambiguous_path")
    }
}

fn is_unambiguous(segment: &str) -> bool {
    if segment.is_empty() || segment.bytes().any(|byte| !matches!(byte, b'!'..=b'~') || matches!(byte, b'\\' | b';')) {
        return false;
    }
    decode(segment).is_some_and(|text| {
        !matches!(&*text, "." | "..") && !text.contains(|c: char| c.is_control() || matches!(c, '/' | '\\'))
    })
}

/// Percent-decodes a segment; `None` for a bad escape or bytes that are no UTF-8.
fn decode(segment: &str) -> Option<Cow<'_, str>> {
    let Some(first) = segment.find('%') else { return Some(Cow::Borrowed(segment)) };
    let (head, mut rest) = segment.as_bytes().split_at(first);
    let mut decoded = head.to_vec();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            decoded.push(*byte);
            continue;
        }
        let [high, low, after @ ..] = rest else { return None };
        decoded.push(hex(*high)? << 4 | hex(*low)?);
        rest = after;
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(raw: &str) -> Option<Vec<String>> {
        RequestPath::parse(raw).ok().map(|path| path.segments().map(Cow::into_owned).collect())
    }

    #[test]
    fn segments_are_decoded_exactly_once() {
        assert_eq!(segments("/"), Some(vec![]));
        assert_eq!(segments("/api/user%2D1/tasks"), Some(vec!["api".into(), "user-1".into(), "tasks".into()]));
        assert_eq!(segments("/a%252Db"), Some(vec!["a%2Db".into()]));
        assert_eq!(segments("/%C3%BCber/"), Some(vec!["über".into()]));
    }

    #[test]
    fn whatever_routers_may_read_differently_is_refused() {
        let refused = [
            "",
            "api",
            "*",
            "http://host/api",
            "//",
            "/a//b",
            "/a/../b",
            "/a/.",
            "/%2e%2e/a",
            "/.%2E",
            "/a;x=y",
            "/a\\b",
            "/a%2Fb",
            "/a%5Cb",
            "/a%00",
            "/a%0d%0a",
            "/%ff",
            "/%c0%af",
            "/%zz",
            "/%2",
            "/%",
            "/%+1",
            "/a b",
            "/ü",
            "/a%7f",
        ];
        for raw in refused {
            assert_eq!(segments(raw), None, "{raw}");
        }
        assert_eq!(segments(&format!("/{}", "a".repeat(8191))).map(|found| found.len()), Some(1));
        assert_eq!(segments(&format!("/{}", "a".repeat(8192))), None);
    }
}
