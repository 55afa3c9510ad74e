//! A plain second reading of JSON: everything is kept, also the members that are named twice.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Any JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// The value in `text`, if there is one and nothing else.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        serde_json::from_str(std::str::from_utf8(text).ok()?).ok()
    }

    #[must_use]
    pub fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// Whether an object in it, at whatever depth, names a member twice.
    #[must_use]
    pub fn names_twice(&self) -> bool {
        match self {
            Self::List(values) => values.iter().any(Self::names_twice),
            Self::Object(members) => {
                let names: HashSet<_> = members.iter().map(|(name, _)| name).collect();
                names.len() < members.len() || members.iter().any(|(_, value)| value.names_twice())
            }
            _ => false,
        }
    }

    /// The first member of this name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The text of a member.
    #[must_use]
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.member(name)?.text()
    }

    /// The number of a member, also where it is written as a fraction.
    #[must_use]
    pub fn number_of(&self, name: &str) -> Option<f64> {
        self.member(name)?.number()
    }

    #[expect(clippy::cast_precision_loss, reason = "times are far below 2^53")]
    fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// The members of one object, their values unread.
pub struct Members<'j>(Vec<(String, &'j RawValue)>);

impl<'j> Members<'j> {
    /// The object in `json`, if there is one and nothing else.
    #[must_use]
    pub fn of(json: &'j str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// Whether two of its own members have one name.
    #[must_use]
    pub fn names_twice(&self) -> bool {
        self.0.iter().map(|(name, _)| name).collect::<HashSet<_>>().len() < self.0.len()
    }

    /// How many members have this name.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(known, _)| known == name).count()
    }

    /// The object that a member holds.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<Self> {
        Self::of(self.raw(name)?)
    }

    /// What a member holds.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<Node> {
        Node::read(self.raw(name)?.as_bytes())
    }

    /// The text that a member holds.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.read(name)?.text().map(str::to_owned)
    }

    /// The number that a member holds, also where it is written as a fraction.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.read(name)?.number()
    }

    fn raw(&self, name: &str) -> Option<&'j str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, raw)| raw.get())
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(All)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Integer(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "beyond any time")]
    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(i64::try_from(value).map_or(Node::Number(value as f64), Node::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Node::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}
