//! The members of a JSON object, read strictly: each name once, each value of its kind.

use std::collections::BTreeMap;
use std::fmt;

use authcore::UserId;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What is wrong with a text. Names the member, never its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {why}")]
pub(crate) struct Unreadable {
    pub(crate) what: &'static str,
    pub(crate) why: &'static str,
}

/// The members of one object, by name.
pub(crate) struct Members<'j>(BTreeMap<String, &'j RawValue>);

impl<'j> Members<'j> {
    pub(crate) fn of(what: &'static str, json: &'j str) -> Result<Self, Unreadable> {
        let List(list) = serde_json::from_str(json).map_err(|_| Unreadable { what, why: "is not a JSON object" })?;
        let count = list.len();
        let members = BTreeMap::from_iter(list);
        // Parsers disagree on which of two counts (RFC 8259 §4).
        if members.len() < count {
            return Err(Unreadable { what, why: "has a member twice" });
        }
        Ok(Self(members))
    }

    /// `None` when missing or null.
    pub(crate) fn object(&self, name: &'static str) -> Result<Option<Members<'j>>, Unreadable> {
        let raw = self.0.get(name).filter(|raw| raw.get() != "null");
        raw.map(|raw| Members::of(name, raw.get())).transpose()
    }

    /// `None` when missing or null.
    pub(crate) fn optional<T: DeserializeOwned>(&self, what: &'static str) -> Result<Option<T>, Unreadable> {
        let read = |raw: &&RawValue| serde_json::from_str::<Option<T>>(raw.get());
        let value = self.0.get(what).map(read).transpose();
        value.map(Option::flatten).map_err(|_| Unreadable { what, why: "has a value of another kind" })
    }

    pub(crate) fn required<T: DeserializeOwned>(&self, what: &'static str) -> Result<T, Unreadable> {
        self.optional(what)?.ok_or(Unreadable { what, why: "is missing" })
    }
}

/// The members of an object in their order, duplicates and all.
pub(super) struct List<'j>(pub(super) Vec<(String, &'j RawValue)>);

impl<'j> Deserialize<'j> for List<'j> {
    fn deserialize<D: Deserializer<'j>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'j> Visitor<'j> for Entries {
            type Value = List<'j>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<List<'j>, A::Error> {
                let mut list = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    list.push(entry);
                }
                Ok(List(list))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// A user's id.
pub(crate) struct Id(pub(crate) UserId);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        UserId::new(&String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}
