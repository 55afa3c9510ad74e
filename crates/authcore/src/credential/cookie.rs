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
    head.field_lines("cookie", &mut |line| {
        for pair in line.split(|byte| *byte == b';') {
            match pair_named(pair, name) {
                Some(value) if found.is_some_and(|first| first != value) => ambiguous = true,
                Some(value) => found = Some(value),
                None => {}
            }
        }
        if ambiguous { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if ambiguous { Err(Ambiguous) } else { Ok(found) }
}

fn pair_named<'p>(pair: &'p [u8], name: &str) -> Option<&'p [u8]> {
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    (trim(&pair[..equals]) == name.as_bytes()).then(|| trim(&pair[equals + 1..]))
}

/// Two cookies of one name with different values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("several cookies of one name with different values")]
pub struct Ambiguous;
