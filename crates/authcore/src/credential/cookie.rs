//! Cookies by name ([RFC 6265 §5.4](https://www.rfc-editor.org/rfc/rfc6265#section-5.4)), without guessing.
//!
//! Refused: two cookies of one name with different values. Not recognised: a name in another case, a nameless
//! `=name=value`, quoted values split over `;`, `$Version` and the like: a pair is what stands between two semicolons,
//! its name what stands before the first `=`, and both are compared as bytes.

use std::ops::ControlFlow;

use super::trim;
use crate::head::RequestHead;

/// The value of the cookie of this name, as it was sent; `Ok(None)` when there is none.
///
/// Several `Cookie` lines count as one list, since HTTP/2 may split them (RFC 9113 §8.2.3).
///
/// # Errors
///
/// [`Ambiguous`] when the name occurs with different values: nobody can tell which one the browser meant, since order
/// depends on paths and ages that are not sent.
pub fn value<'h>(head: &'h dyn RequestHead, name: &str) -> Result<Option<&'h [u8]>, Ambiguous> {
    let mut found = None;
    let mut ambiguous = false;
    each(head, &mut |given, value| {
        if given != name.as_bytes() {
            return ControlFlow::Continue(());
        }
        ambiguous = found.is_some_and(|first| first != value);
        found = Some(value);
        if ambiguous { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if ambiguous { Err(Ambiguous) } else { Ok(found) }
}

/// Calls `visit` with name and value of each cookie, in order, until it breaks: for cookies that come in parts under
/// several names. What it makes of a name that comes twice is its own affair; for one cookie there is [`value`].
pub fn each<'h>(head: &'h dyn RequestHead, visit: &mut dyn FnMut(&'h [u8], &'h [u8]) -> ControlFlow<()>) {
    head.field_lines("cookie", &mut |line| {
        line.split(|byte| *byte == b';').filter_map(pair).try_for_each(|(n, v)| visit(n, v))
    });
}

fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    Some((trim(&text[..equals]), trim(&text[equals + 1..])))
}

/// Two cookies of one name with different values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("several cookies of one name with different values")]
pub struct Ambiguous;
