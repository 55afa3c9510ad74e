//! Strict JSON objects: every member name once, at every depth, and nothing after the last brace.
//!
//! Two parsers that disagree on which of two equal names counts are a way around every check (RFC 8725 §2.4).
//! Depth is bounded by serde_json's own limit of 128.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

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
    walk::<&str>(text, &[], &mut [])
}

/// Walks the object in `text`. The JSON text of members named in `names` is put at the same place of `taken`; all others
/// are only checked. A name that `names` lists twice counts at its first place.
pub(crate) fn walk<'t, N: AsRef<str>>(
    text: &'t str,
    names: &[N],
    taken: &mut [Option<&'t RawValue>],
) -> Result<(), Fault> {
    let twice = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walked =
        Object { twice: &twice, names, taken }.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    walked.map_err(|_| if twice.get() { Fault::DuplicateMember } else { Fault::NotAnObject })
}

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

/// The top-level object.
struct Object<'s, 't, N> {
    twice: &'s Cell<bool>,
    names: &'s [N],
    taken: &'s mut [Option<&'t RawValue>],
}

impl<'t, N: AsRef<str>> DeserializeSeed<'t> for Object<'_, 't, N> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'t, N: AsRef<str>> Visitor<'t> for Object<'_, 't, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let mut others = Names::default();
        while let Some(Name(name)) = map.next_key()? {
            match self.names.iter().position(|wanted| wanted.as_ref() == name) {
                Some(place) if self.taken[place].is_some() => return Err(duplicate(self.twice)),
                Some(place) => {
                    let raw: &'t RawValue = map.next_value()?;
                    check_inside(raw, self.twice)?;
                    self.taken[place] = Some(raw);
                }
                None => {
                    others.add(name, self.twice)?;
                    map.next_value_seed(Anything(self.twice))?;
                }
            }
        }
        others.check(self.twice)
    }
}

/// Taking a raw value only skims it: escapes and nested names are looked at here.
fn check_inside<E: de::Error>(raw: &RawValue, twice: &Cell<bool>) -> Result<(), E> {
    if !raw.get().starts_with(['{', '[']) && !raw.get().contains('\\') {
        return Ok(());
    }
    Anything(twice).deserialize(&mut serde_json::Deserializer::from_str(raw.get())).map_err(de::Error::custom)
}

/// Any value, checked and dropped.
struct Anything<'s>(&'s Cell<bool>);

impl<'t> DeserializeSeed<'t> for Anything<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Anything<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Anything(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = Names::default();
        while let Some(Name(name)) = map.next_key()? {
            names.add(name, self.0)?;
            map.next_value_seed(Anything(self.0))?;
        }
        names.check(self.0)
    }
}

/// A member name, borrowed unless it was written with escapes.
struct Name<'t>(Cow<'t, str>);

impl<'t> de::Deserialize<'t> for Name<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'t> Visitor<'t> for NameVisitor {
            type Value = Name<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }

            fn visit_borrowed_str<E>(self, name: &'t str) -> Result<Name<'t>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'t>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

/// The names seen in one object: a few beside each other on the stack, compared at once; many in a list, sorted and
/// compared at the end, so that a hostile object costs n log n.
#[derive(Default)]
struct Names<'t> {
    few: [Cow<'t, str>; FEW],
    count: usize,
    many: Vec<Cow<'t, str>>,
}

const FEW: usize = 16;

impl<'t> Names<'t> {
    fn add<E: de::Error>(&mut self, name: Cow<'t, str>, twice: &Cell<bool>) -> Result<(), E> {
        if self.count == FEW {
            self.many.push(name);
            return Ok(());
        }
        if self.few[..self.count].contains(&name) {
            return Err(duplicate(twice));
        }
        self.few[self.count] = name;
        self.count += 1;
        Ok(())
    }

    fn check<E: de::Error>(mut self, twice: &Cell<bool>) -> Result<(), E> {
        if self.many.is_empty() {
            return Ok(());
        }
        self.many.extend(self.few.into_iter().take(self.count));
        self.many.sort_unstable();
        if self.many.windows(2).any(|pair| pair[0] == pair[1]) { Err(duplicate(twice)) } else { Ok(()) }
    }
}

fn duplicate<E: de::Error>(twice: &Cell<bool>) -> E {
    twice.set(true);
    E::custom("a member is named twice")
}

/// The string a member holds; `None` when it is of another type.
pub(crate) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get();
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(text).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

/// The strings a member holds, alone or in an array; `None` when anything else is among them.
pub(crate) fn texts(raw: &RawValue) -> Option<Vec<Cow<'_, str>>> {
    if let Some(one) = text(raw) {
        return Some(vec![one]);
    }
    let elements: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
    elements.into_iter().map(text).collect()
}
