//! What the fuzz targets share: keys and secrets that nobody could guess, a clock that stands, and second opinions.
//!
//! The fuzzer knows none of the keys here, so whatever is accepted was made by [`jwt`] or [`cookies`], or is a defect.

pub mod cookies;
pub mod head;
pub mod json;
pub mod jwt;
pub mod path;

use std::fmt::{Debug, Display};

/// The moment at which everything is judged: 2026-11-20T19:11:40Z.
pub const NOW: i64 = 1_795_201_900;

/// Stands in each secret, and in an input for each byte `0x01`: no message may hold it.
pub const MARKER: &str = "marker-7f3a9c";

/// The input with [`MARKER`] for each byte `0x01`.
#[must_use]
pub fn planted(data: &[u8]) -> Vec<u8> {
    replaced(data, |byte| (byte == 1).then_some(MARKER))
}

/// The input with a text in the place of some bytes.
#[must_use]
pub fn replaced<'t>(data: &[u8], text: impl Fn(u8) -> Option<&'t str>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(data.len());
    for byte in data {
        match text(*byte) {
            Some(text) => bytes.extend_from_slice(text.as_bytes()),
            None => bytes.push(*byte),
        }
    }
    bytes
}

/// An error says nothing that was secret.
#[track_caller]
pub fn assert_tells_no_secret(error: &(impl Display + Debug)) {
    let told = format!("{error}\n{error:?}\n{error:#?}");
    assert!(!told.contains(MARKER), "a secret is told: {told}");
}

/// An error is one of those that its documentation names, and says nothing that was secret.
#[track_caller]
pub fn assert_documented(error: &(impl Display + Debug), reason: &str, documented: &[&str]) {
    assert!(documented.contains(&reason), "not a documented reason: {reason}");
    assert_tells_no_secret(error);
}

/// Splits the input in two at its first line end.
#[must_use]
pub fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[]),
    }
}
