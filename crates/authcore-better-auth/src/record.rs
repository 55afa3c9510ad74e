//! A session with its user as JSON: what Better Auth keeps in its secondary storage and answers to `/get-session`.
//!
//! Read from a trusted place, and still strictly: a value that does not say who it is about says nothing. The cookie
//! cache holds the same two objects, but comes from the browser, and is read by rules of its own.

use std::collections::BTreeMap;
use std::fmt;

use authcore::UserId;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::date::Date;
use crate::session::{Session, SessionRecord, User};
use crate::token::SessionToken;

/// Longest text that is read, in bytes.
#[cfg_attr(not(any(feature = "redis", feature = "http")), expect(dead_code, reason = "for the stores"))]
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// Reads `{"session":{…},"user":{…}}`. Plugin fields may be missing or null alike, and unknown ones are passed over; each
/// name is there once in the three objects that are read.
pub(crate) fn read(json: &str) -> Result<SessionRecord, Unreadable> {
    let record = Members::of("the record", json)?;
    let session = record.object("session")?.ok_or(Unreadable { what: "session", why: "is missing" })?;
    Ok(SessionRecord::new(read_session(&session)?, record.object("user")?.map(|user| read_user(&user)).transpose()?))
}

fn read_session(members: &Members<'_>) -> Result<Session, Unreadable> {
    Ok(Session {
        id: members.required("id")?,
        token: members.required::<Token>("token")?.0,
        user_id: members.required::<Id>("userId")?.0,
        expires_at: members.required::<Date>("expiresAt")?.0,
        created_at: members.optional::<Date>("createdAt")?.map(|date| date.0),
        impersonated_by: members.optional::<Id>("impersonatedBy")?.map(|id| id.0),
        active_organization_id: members.optional("activeOrganizationId")?,
        active_team_id: members.optional("activeTeamId")?,
    })
}

fn read_user(members: &Members<'_>) -> Result<User, Unreadable> {
    Ok(User {
        id: members.required::<Id>("id")?.0,
        email: members.required("email")?,
        email_verified: members.required("emailVerified")?,
        name: members.required("name")?,
        image: members.optional("image")?,
        role: members.optional("role")?,
        banned: members.optional("banned")?.unwrap_or(false),
        ban_expires: members.optional::<Date>("banExpires")?.map(|date| date.0),
    })
}

/// A text that is no session record. Names the member, never its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unreadable session record: {what} {why}")]
pub(crate) struct Unreadable {
    what: &'static str,
    why: &'static str,
}

/// The members of one object, by name.
struct Members<'j>(BTreeMap<String, &'j RawValue>);

impl<'j> Members<'j> {
    fn of(what: &'static str, json: &'j str) -> Result<Self, Unreadable> {
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
    fn object(&self, name: &'static str) -> Result<Option<Members<'j>>, Unreadable> {
        let raw = self.0.get(name).filter(|raw| raw.get() != "null");
        raw.map(|raw| Members::of(name, raw.get())).transpose()
    }

    /// `None` when missing or null.
    fn optional<T: DeserializeOwned>(&self, what: &'static str) -> Result<Option<T>, Unreadable> {
        let read = |raw: &&RawValue| serde_json::from_str::<Option<T>>(raw.get());
        let value = self.0.get(what).map(read).transpose();
        value.map(Option::flatten).map_err(|_| Unreadable { what, why: "has a value of another kind" })
    }

    fn required<T: DeserializeOwned>(&self, what: &'static str) -> Result<T, Unreadable> {
        self.optional(what)?.ok_or(Unreadable { what, why: "is missing" })
    }
}

/// The members of an object in their order, duplicates and all.
struct List<'j>(Vec<(String, &'j RawValue)>);

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

struct Token(SessionToken);

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        SessionToken::new(&text).map(Self).ok_or_else(|| D::Error::custom("no session token"))
    }
}

struct Id(UserId);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        UserId::new(&String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
