//! `Forwarded`, element by element ([RFC 7239 §4](https://www.rfc-editor.org/rfc/rfc7239#section-4)).
//!
//! Elements are told apart from the right, so that a quote which a client left open swallows nothing that a proxy
//! appended. An element that breaks the grammar anywhere cannot be used, nor one that names `for` twice or not at all.
//! Spaces around `;` are let by: the grammar has none there, but they leave nothing to doubt.

use std::borrow::Cow;
use std::net::IpAddr;

use super::node;
use crate::credential::{is_tchar, trim};

/// Where the comma before the last element stands; `None` when there is only one.
///
/// Going left, a quote outside quotes closes a string, and the first one that no backslash escapes opens it. In elements
/// that keep to the grammar that is what a reader from the left would find.
pub(super) fn last_comma(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in text.iter().enumerate().rev() {
        match byte {
            b'"' if !quoted => quoted = true,
            b'"' => quoted = is_escaped(&text[..at]),
            b',' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Whether what comes after `before` is escaped: an odd number of backslashes, the others escape one another.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The address that an element gives as `for`.
pub(super) fn address(element: &[u8]) -> Option<IpAddr> {
    let mut found = None;
    let mut rest = element;
    while !rest.is_empty() {
        // A pair may be missing: `for=192.0.2.1;;proto=https`.
        if rest[0] != b';' {
            let (pair, after) = Pair::of(rest)?;
            if pair.name.eq_ignore_ascii_case(b"for") && found.replace(pair.value).is_some() {
                return None;
            }
            rest = trim(after);
        }
        match rest {
            [b';', after @ ..] => rest = trim(after),
            [] => break,
            _ => return None,
        }
    }
    node::identified(std::str::from_utf8(&found?).ok()?)
}

struct Pair<'t> {
    name: &'t [u8],
    value: Cow<'t, [u8]>,
}

impl<'t> Pair<'t> {
    /// `forwarded-pair = token "=" ( token / quoted-string )` at the beginning of a text, and what comes after.
    fn of(text: &'t [u8]) -> Option<(Self, &'t [u8])> {
        let (name, rest) = token(text)?;
        let value = rest.strip_prefix(b"=")?;
        let (value, rest) = match value.strip_prefix(b"\"") {
            Some(quoted) => unquoted(quoted).map(|(value, rest)| (value.into(), rest))?,
            None => token(value).map(|(value, rest)| (value.into(), rest))?,
        };
        Some((Self { name, value }, rest))
    }
}

fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| !is_tchar(*byte)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The rest of a `quoted-string` (RFC 9110 §5.6.4) after its first quote: what it says, and what comes after.
fn unquoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::new();
    let mut bytes = text.iter().enumerate();
    loop {
        let byte = match bytes.next()? {
            (at, b'"') => return Some((value, &text[at + 1..])),
            (_, b'\\') => bytes.next()?.1,
            (_, byte) => byte,
        };
        if byte.is_ascii_control() && *byte != b'\t' {
            return None;
        }
        value.push(*byte);
    }
}
