//! Strict JSON objects: every member name once, at every depth, and nothing after the last brace.
//!
//! Two parsers that disagree on which of two equal names counts are a way around every check (RFC 8725 §2.4). One pass
//! over the text checks it and finds the members that are asked for; it takes what serde_json takes, depth of 127 included; of members
//! that are asked for also numbers too large to hold, about which whoever asked has the say.

mod grammar;
mod names;

use std::borrow::Cow;

use grammar::{Grammar, Kind};
use names::Names;

pub(crate) use names::Wanted;

/// Whether `text` is one JSON object in which no object, at any depth, names a member twice.
///
/// For those who read a text with a parser of their own, which may not mind.
///
/// # Errors
///
/// [`Fault`], saying which of the two does not hold.
///
/// ```
/// use authcore::json::{self, Fault};
///
/// assert_eq!(json::check(r#"{"a":[{"b":1}]}"#), Ok(()));
/// assert_eq!(json::check(r#"{"a":[{"b":1,"\u0062":2}]}"#), Err(Fault::DuplicateMember));
/// assert_eq!(json::check("[]"), Err(Fault::NotAnObject));
/// ```
pub fn check(text: &str) -> Result<(), Fault> {
    walk(text, &Wanted::default(), &mut [])
}

/// Walks the object in `text`. The members named in `wanted` are put at the same place of `taken`, which is as long; all
/// others are only checked.
pub(crate) fn walk<'t>(text: &'t str, wanted: &Wanted, taken: &mut [Option<Json<'t>>]) -> Result<(), Fault> {
    let grammar = Grammar(text);
    let mut others = Names::default();
    let end = grammar.object(grammar.space(0), MAX_DEPTH, |name, at| {
        let place = wanted.place_of_name(name);
        if place.is_none() {
            others.add(name)?;
        }
        let (end, kind) = grammar.member(at, MAX_DEPTH - 1, place.is_some())?;
        if let Some(place) = place {
            match taken.get_mut(place) {
                Some(free @ None) => *free = grammar.between(at, end).map(|text| Json { text, at, kind }),
                _ => return Err(Fault::DuplicateMember),
            }
        }
        Ok(end)
    })?;
    others.check()?;
    if grammar.space(end) == text.len() { Ok(()) } else { Err(Fault::NotAnObject) }
}

/// Arrays and objects within each other: serde_json's own limit.
const MAX_DEPTH: u8 = 127;

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not one JSON object and nothing else.
    #[error("not one JSON object")]
    NotAnObject,
    /// Two members of one object have the same name.
    #[error("an object names a member twice")]
    DuplicateMember,
}

/// One value that [`walk`] found: its JSON text, checked, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'t> {
    text: &'t str,
    at: usize,
    kind: Kind,
}

impl<'t> Json<'t> {
    /// The JSON text.
    pub(crate) fn get(self) -> &'t str {
        self.text
    }

    /// The string it holds; `None` when it is of another type.
    pub(crate) fn string(self) -> Option<Cow<'t, str>> {
        match self.kind {
            Kind::PlainString => self.inside().map(Cow::Borrowed),
            Kind::EscapedString => unescape(self.text).map(Cow::Owned),
            Kind::Other => None,
        }
    }

    /// The string it holds, if that is spelt without escapes, and where in the walked text it begins.
    pub(crate) fn plain_string(self) -> Option<(&'t str, usize)> {
        if self.kind == Kind::PlainString { Some((self.inside()?, self.at + 1)) } else { None }
    }

    fn inside(self) -> Option<&'t str> {
        self.text.get(1..self.text.len() - 1)
    }

    /// Visits the strings it holds, alone or in an array; `None` when anything else is among them.
    pub(crate) fn each_string(self, mut visit: impl FnMut(&str)) -> Option<()> {
        if let Some(one) = self.string() {
            visit(&one);
            return Some(());
        }
        let grammar = Grammar(self.text);
        let walked = grammar.array(0, |at| {
            let (end, kind) = grammar.member(at, MAX_DEPTH, true)?;
            let element = grammar.between(at, end).and_then(|text| Json { text, at, kind }.string());
            visit(&element.ok_or(Fault::NotAnObject)?);
            Ok(end)
        });
        walked.ok().map(drop)
    }
}

/// What a string in quotes means, by serde_json's own rules.
fn unescape(quoted: &str) -> Option<String> {
    serde_json::from_str(quoted).ok()
}

#[cfg(test)]
mod tests;
