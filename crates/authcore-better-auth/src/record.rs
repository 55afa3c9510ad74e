//! A session with its user as JSON: what Better Auth keeps in its secondary storage and answers to `/get-session`.
//!
//! Read from a trusted place, and still strictly: a value that does not say who it is about says nothing. The cookie
//! cache holds the same two objects, but comes from the browser, and is read by rules of its own.

#[cfg(any(feature = "redis", test))]
pub(crate) mod api_key;
pub(crate) mod members;

use serde::de::{Deserialize, Deserializer, Error as _};

use self::members::{Id, Members, Unreadable};

use crate::date::Date;
use crate::session::{Session, SessionRecord, User};
use crate::token::SessionToken;

/// Longest text that is read, in bytes.
#[cfg_attr(not(any(feature = "redis", feature = "http")), expect(dead_code, reason = "for the stores"))]
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// Reads `{"session":{…},"user":{…}}`. Plugin fields may be missing or null alike, and unknown ones are passed over; each
/// name is there once in the three objects that are read.
pub(crate) fn read(json: &str) -> Result<SessionRecord, UnreadableSession> {
    read_both(json).map_err(UnreadableSession)
}

/// A text that is no session record.
#[derive(Debug, thiserror::Error)]
#[error("unreadable session record: {0}")]
pub(crate) struct UnreadableSession(Unreadable);

fn read_both(json: &str) -> Result<SessionRecord, Unreadable> {
    let record = Members::of("the record", json)?;
    let session = record.object("session")?.ok_or(Unreadable { what: "session", why: "is missing" })?;
    Ok(SessionRecord::new(read_session(&session)?, record.object("user")?.map(|user| read_user(&user)).transpose()?))
}

fn read_session(members: &Members<'_>) -> Result<Session, Unreadable> {
    Ok(Session {
        id: members.optional("id")?,
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

struct Token(SessionToken);

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        SessionToken::new(&text).map(Self).ok_or_else(|| D::Error::custom("no session token"))
    }
}

#[cfg(test)]
mod tests;
