//! RFC 8259's grammar over a text: each function takes a place and hands out the place after what stands there.
//!
//! Places are passed by value, so that they stay in registers. Plain strings and integers, which claims are made of, are
//! judged here; those with escapes, fractions or exponents by serde_json, once it is known where they end.

use serde::de::IgnoredAny;

use super::names::{Name, Names};
use super::{Fault, unescape};

/// A text in which values are walked over.
#[derive(Clone, Copy)]
pub(super) struct Grammar<'t>(pub(super) &'t str);

/// What a value is, as far as anybody asks who reads its text later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string whose every character stands for itself.
    PlainString,
    EscapedString,
    Other,
}

type After = Result<usize, Fault>;

impl<'t> Grammar<'t> {
    /// Any value, which may hold arrays and objects to this depth; all of it is checked.
    pub(super) fn value(self, at: usize, depth: u8) -> After {
        match self.byte(at) {
            Some(b'"') => self.string(at).map(|(end, _)| end),
            Some(b'-' | b'0'..=b'9') => self.number(at, fits_a_number),
            Some(b'{') => {
                let mut names = Names::default();
                let end = self.object(at, depth, |name, at| {
                    names.add(name)?;
                    self.value(at, depth - 1)
                })?;
                names.check().map(|()| end)
            }
            Some(b'[') if depth > 0 => self.array(at, |at| self.value(at, depth - 1)),
            Some(b't') => self.literal(at, "true"),
            Some(b'f') => self.literal(at, "false"),
            Some(b'n') => self.literal(at, "null"),
            _ => Err(Fault::NotAnObject),
        }
    }

    /// As [`Self::value`], and what it is. A number that was asked for may be too large for anybody to hold, since whoever
    /// asked will say so.
    #[inline(always)]
    pub(super) fn member(self, at: usize, depth: u8, is_asked_for: bool) -> Result<(usize, Kind), Fault> {
        match self.byte(at) {
            Some(b'"') => self.string(at),
            Some(b'-' | b'0'..=b'9') => {
                let end =
                    self.number(at, |number| if is_asked_for { is_number(number) } else { fits_a_number(number) })?;
                Ok((end, Kind::Other))
            }
            _ => Ok((self.value(at, depth)?, Kind::Other)),
        }
    }

    /// An object. `member` gets each name, and the place of the value that follows.
    #[inline(always)]
    pub(super) fn object(self, at: usize, depth: u8, mut member: impl FnMut(Name<'t>, usize) -> After) -> After {
        if depth == 0 {
            return Err(Fault::NotAnObject);
        }
        self.list(at, *b"{}", |at| {
            let (name, end) = match self.short_name(at) {
                Some(short) => short,
                None => self.long_name(at)?,
            };
            member(name, self.colon(end)?)
        })
    }

    #[inline(always)]
    fn colon(self, at: usize) -> After {
        Ok(self.space(self.expect(self.space(at), b':')?))
    }

    /// An array. `element` gets the place of each value.
    #[inline]
    pub(super) fn array(self, at: usize, element: impl FnMut(usize) -> After) -> After {
        self.list(at, *b"[]", element)
    }

    /// Elements between commas, and brackets around them.
    #[inline(always)]
    fn list(self, at: usize, [open, close]: [u8; 2], mut element: impl FnMut(usize) -> After) -> After {
        let mut at = self.space(self.expect(at, open)?);
        if self.byte(at) == Some(close) {
            return Ok(at + 1);
        }
        loop {
            at = self.space(element(at)?);
            match self.byte(at) {
                Some(b',') => at = self.space(at + 1),
                Some(byte) if byte == close => return Ok(at + 1),
                _ => return Err(Fault::NotAnObject),
            }
        }
    }

    #[inline(always)]
    fn short_name(self, at: usize) -> Option<(Name<'t>, usize)> {
        let [b'"', word @ ..] = self.rest(at).first_chunk::<9>()? else { return None };
        let length = special_bytes(u64::from_le_bytes(*word)).trailing_zeros() as usize / 8;
        (word.get(length) == Some(&b'"')).then(|| (Name::short(*word, length), at + length + 2))
    }

    #[inline(always)]
    fn long_name(self, at: usize) -> Result<(Name<'t>, usize), Fault> {
        let (end, kind) = self.string(at)?;
        Ok((Name::spelt(self.between(at, end).unwrap_or_default(), kind), end))
    }

    #[inline(always)]
    fn string(self, at: usize) -> Result<(usize, Kind), Fault> {
        let inside = self.expect(at, b'"')?;
        let end = inside + plain_run(self.rest(inside));
        match self.byte(end) {
            Some(b'"') => Ok((end + 1, Kind::PlainString)),
            _ => self.escaped_string(at, end).map(|end| (end, Kind::EscapedString)),
        }
    }

    /// The rest of a string that begins at `start`, from the first byte that does not stand for itself.
    #[cold]
    fn escaped_string(self, start: usize, mut at: usize) -> After {
        while self.byte(at) == Some(b'\\') {
            // Whatever is escaped, it does not end the string. Were it half a character, nobody would take the whole.
            at += 2;
            at += plain_run(self.rest(at));
        }
        let end = self.expect(at, b'"')?;
        self.between(start, end).and_then(unescape).map(|_| end).ok_or(Fault::NotAnObject)
    }

    /// A number. `judge` is asked about one that is no plain integer.
    #[inline]
    fn number(self, at: usize, judge: impl FnOnce(&str) -> bool) -> After {
        let digits = self.rest(at + usize::from(self.byte(at) == Some(b'-')));
        let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_plain = (1..=MAX_PLAIN_DIGITS).contains(&count) && (digits[0] != b'0' || count == 1);
        if is_plain && !matches!(digits.get(count), Some(b'.' | b'e' | b'E')) {
            return Ok(self.0.len() - digits.len() + count);
        }
        let belongs = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
        let end = at + self.rest(at).iter().take_while(belongs).count();
        if self.between(at, end).is_some_and(judge) { Ok(end) } else { Err(Fault::NotAnObject) }
    }

    fn literal(self, at: usize, word: &str) -> After {
        if self.rest(at).starts_with(word.as_bytes()) { Ok(at + word.len()) } else { Err(Fault::NotAnObject) }
    }

    /// After white space, if there is any.
    #[inline]
    pub(super) fn space(self, mut at: usize) -> usize {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.byte(at) {
            at += 1;
        }
        at
    }

    #[inline]
    pub(super) fn between(self, start: usize, end: usize) -> Option<&'t str> {
        self.0.get(start..end)
    }

    #[inline]
    fn expect(self, at: usize, byte: u8) -> After {
        if self.byte(at) == Some(byte) { Ok(at + 1) } else { Err(Fault::NotAnObject) }
    }

    #[inline]
    fn byte(self, at: usize) -> Option<u8> {
        self.0.as_bytes().get(at).copied()
    }

    #[inline]
    fn rest(self, at: usize) -> &'t [u8] {
        self.0.as_bytes().get(at..).unwrap_or_default()
    }
}

/// Whether it is a number, however large.
#[cold]
fn is_number(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Whether it is a number that serde_json can hold.
#[cold]
fn fits_a_number(text: &str) -> bool {
    serde_json::from_str::<f64>(text).is_ok()
}

/// An integer of that many digits is below the largest number that serde_json takes.
const MAX_PLAIN_DIGITS: usize = 300;

/// How many bytes stand for themselves in a string: up to a quote, a backslash or a control character.
#[inline]
fn plain_run(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let run = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
    words.len() * 8 + run
}

/// Marks the bytes that do not stand for themselves by their high bits. Above the lowest mark others may be wrong.
#[inline]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGH_BITS: u64 = ONES << 7;
    // To turn the bit of 2 puts the quote just above the control characters, and nothing else there.
    let is_quote_or_control = (word ^ (ONES * 2)).wrapping_sub(ONES * 0x21);
    let is_backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    (is_quote_or_control | is_backslash) & !word & HIGH_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_of_a_word_is_found_wherever_it_is() {
        for byte in 0..=0xff {
            for at in 0..8 {
                for others in [b'#', b' ', b'!', 0x7f, 0x80, 0xff, b'[', b']'] {
                    let mut word = [others; 8];
                    word[at] = byte;
                    let found = special_bytes(u64::from_le_bytes(word)).trailing_zeros() as usize / 8;
                    let is_special = matches!(byte, 0..0x20 | b'"' | b'\\');
                    assert_eq!(found, if is_special { at } else { 8 }, "{byte:#x} among {others:#x}");
                }
            }
        }
    }
}
