//! Member names: which are asked for, and whether one stands twice in an object.

use std::borrow::Cow;

use super::grammar::Kind;
use super::{Fault, unescape};

/// A member name as it was met. Small and plain, so that it stays in registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'t> {
    tag: Tag,
    /// The whole name, left out where the tag says all; in its quotes if it is spelt with escapes.
    text: &'t str,
}

/// A name's length, to 255, and its first seven bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Tag(u64);

impl Tag {
    /// Longest name that its tag says all of.
    const SHORT: usize = 7;

    /// Of a name of at most that length, and the bytes that begin with it.
    #[inline]
    fn short(bytes: [u8; 8], length: usize) -> Self {
        let inside = !(u64::MAX << (8 * length));
        Self(u64::from_le_bytes(bytes) & inside | (length as u64) << 56)
    }

    #[inline]
    fn of(name: &str) -> Self {
        let first = match name.as_bytes().first_chunk::<8>() {
            Some(first) => *first,
            None => {
                let mut first = [0; 8];
                first[..name.len()].copy_from_slice(name.as_bytes());
                first
            }
        };
        let first = u64::from_le_bytes(first) & (u64::MAX >> 8);
        Self(first | (name.len().min(0xff) as u64) << 56)
    }

    /// One of 64 bits, most likely another one for another tag.
    #[inline]
    fn bit(self) -> u64 {
        1 << (self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
    }

    fn says_all(self) -> bool {
        self.0 >> 56 <= Self::SHORT as u64
    }
}

impl<'t> Name<'t> {
    /// A name of this length, and the bytes that begin with it.
    #[inline]
    pub(super) fn short(bytes: [u8; 8], length: usize) -> Self {
        Self { tag: Tag::short(bytes, length), text: "" }
    }

    /// A name by its spelling in quotes, which was checked.
    #[inline]
    pub(super) fn spelt(quoted: &'t str, kind: Kind) -> Self {
        let inside = quoted.get(1..quoted.len() - 1).unwrap_or_default();
        match kind {
            Kind::PlainString if inside.len() > Tag::SHORT => Self { tag: Tag::of(inside), text: inside },
            Kind::PlainString => Self { tag: Tag::of(inside), text: "" },
            _ => Self::escaped(quoted),
        }
    }

    #[cold]
    fn escaped(quoted: &'t str) -> Self {
        let tag = Tag::of(&unescape(quoted).unwrap_or_default());
        Self { tag, text: if tag.says_all() { "" } else { quoted } }
    }

    /// No name that is spelt without escapes has a quote in it.
    #[inline]
    fn is_escaped(self) -> bool {
        self.text.as_bytes().first() == Some(&b'"')
    }

    /// The whole name, or nothing where the tag says all.
    fn meaning(self) -> Cow<'t, str> {
        if self.is_escaped() { Cow::Owned(unescape(self.text).unwrap_or_default()) } else { Cow::Borrowed(self.text) }
    }
}

/// The names of members to take out of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// The bits of all tags: few names that are not wanted have to be looked for.
    bits: u64,
    tags: Vec<Tag>,
    names: Vec<Box<str>>,
}

impl Wanted {
    pub(crate) fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let names: Vec<Box<str>> = names.into_iter().map(Box::from).collect();
        let tags: Vec<_> = names.iter().map(|name| Tag::of(name)).collect();
        Self { bits: tags.iter().fold(0, |bits, tag| bits | tag.bit()), tags, names }
    }

    /// The place of a name; its first, should it be there twice.
    pub(crate) fn place_of(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|wanted| **wanted == *name)
    }

    #[inline]
    pub(super) fn place_of_name(&self, name: Name<'_>) -> Option<usize> {
        if self.bits & name.tag.bit() == 0 {
            return None;
        }
        let place = self.tags.iter().position(|tag| *tag == name.tag)?;
        if name.text.is_empty() { Some(place) } else { self.place_of(&name.meaning()) }
    }
}

/// The names seen in one object: a few beside each other on the stack, compared at once; many in a list, sorted and
/// compared at the end, so that a hostile object costs n log n. Long names spelt with escapes are among the many.
#[derive(Default)]
pub(super) struct Names<'t> {
    bits: u64,
    tags: [Tag; FEW],
    texts: [Option<&'t str>; FEW],
    count: usize,
    many: Vec<(Tag, Cow<'t, str>)>,
}

const FEW: usize = 16;

impl<'t> Names<'t> {
    #[inline(always)]
    pub(super) fn add(&mut self, name: Name<'t>) -> Result<(), Fault> {
        let Name { tag, text } = name;
        if self.count == FEW || name.is_escaped() {
            self.add_to_many(name);
            return Ok(());
        }
        let may_be_known = self.bits & tag.bit() != 0;
        if may_be_known
            && self.tags[..self.count].contains(&tag)
            && (text.is_empty() || self.texts.contains(&Some(text)))
        {
            return Err(Fault::DuplicateMember);
        }
        self.bits |= tag.bit();
        self.tags[self.count] = tag;
        self.texts[self.count] = Some(text);
        self.count += 1;
        Ok(())
    }

    #[cold]
    fn add_to_many(&mut self, name: Name<'t>) {
        self.many.push((name.tag, name.meaning()));
    }

    #[inline]
    pub(super) fn check(&mut self) -> Result<(), Fault> {
        if self.many.is_empty() { Ok(()) } else { self.check_many() }
    }

    #[cold]
    fn check_many(&mut self) -> Result<(), Fault> {
        let few = self.tags.into_iter().zip(self.texts).take(self.count);
        self.many.extend(few.map(|(tag, text)| (tag, Cow::Borrowed(text.unwrap_or_default()))));
        self.many.sort_unstable();
        if self.many.windows(2).any(|pair| pair[0] == pair[1]) { Err(Fault::DuplicateMember) } else { Ok(()) }
    }
}
