//! What is cached: session, user, when they were read, and a version. Judged by shape, which is a check of security: other
//! tokens are signed with the same secret.
//!
//! A member of a wrong type spoils the whole; a role or a ban in an unexpected form is never passed over. Unknown members
//! are fine, since applications add fields of their own. Where Better Auth's own check is laxer (`userId` of any type) its
//! server never makes use of it. Where it is stricter (a text that looks like a date fails it) that is a fault of its reader.

use authcore::{Timestamp, UserId, json};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::value::RawValue;

use super::fault::CacheFault;
use crate::date::Date;
use crate::session::{Session, User};
use crate::token::SessionToken;

pub(super) struct Payload {
    pub(super) session: Session,
    pub(super) user: User,
    pub(super) updated_at: Timestamp,
    pub(super) version: String,
    /// When it ends, for the strategies that make it a token.
    pub(super) exp: Option<Timestamp>,
    /// The session's token once more, where the key set signs.
    pub(super) sid: Option<String>,
}

impl Payload {
    /// Reads the JSON that was verified: these very bytes.
    pub(super) fn read(text: &str) -> Result<Self, CacheFault> {
        json::check(text).map_err(|_| CacheFault::NotASession)?;
        Self::shaped(text).ok_or(CacheFault::NotASession)
    }

    fn shaped(text: &str) -> Option<Self> {
        let payload: PayloadJson<'_> = serde_json::from_str(text).ok()?;
        let session: SessionJson = object(payload.session)?;
        let user: UserJson = object(payload.user)?;
        Some(Self {
            session: session.into_session()?,
            user: user.into_user()?,
            updated_at: milliseconds(payload.updated_at)?,
            // A server whose option is empty writes, and expects, "1".
            version: payload.version.filter(|version| !version.is_empty()).unwrap_or_else(|| "1".into()),
            exp: payload.exp.map(Timestamp::from_seconds),
            sid: payload.sid,
        })
    }
}

/// Milliseconds since the epoch; `None` outside of the years that a [`Timestamp`] is for.
pub(super) fn milliseconds(number: i64) -> Option<Timestamp> {
    let in_range = (0..=Timestamp::MAX_SECONDS * 1000).contains(&number);
    in_range.then(|| Timestamp::from_micros(number * 1000))
}

/// An object, and no array, from which a struct could be read too.
fn object<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    raw.get().starts_with('{').then(|| serde_json::from_str(raw.get()).ok())?
}

/// May be missing, but not null.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct PayloadJson<'t> {
    #[serde(borrow)]
    session: &'t RawValue,
    #[serde(borrow)]
    user: &'t RawValue,
    updated_at: i64,
    #[serde(default, deserialize_with = "present")]
    version: Option<String>,
    #[serde(default, deserialize_with = "present")]
    exp: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    sid: Option<String>,
}

/// Fields that are only checked begin with an underscore.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionJson {
    id: String,
    token: String,
    user_id: String,
    expires_at: Date,
    #[serde(default, deserialize_with = "present")]
    created_at: Option<Date>,
    #[serde(default, deserialize_with = "present", rename = "updatedAt")]
    _updated_at: Option<Date>,
    #[serde(rename = "ipAddress")]
    _ip_address: Option<String>,
    #[serde(rename = "userAgent")]
    _user_agent: Option<String>,
    impersonated_by: Option<String>,
    active_organization_id: Option<String>,
    active_team_id: Option<String>,
}

impl SessionJson {
    fn into_session(self) -> Option<Session> {
        Some(Session {
            id: Some(self.id),
            token: SessionToken::new(&self.token)?,
            user_id: UserId::new(&self.user_id).ok()?,
            expires_at: self.expires_at.0,
            created_at: self.created_at.map(|date| date.0),
            impersonated_by: self.impersonated_by.map(|id| UserId::new(&id)).transpose().ok()?,
            active_organization_id: self.active_organization_id,
            active_team_id: self.active_team_id,
        })
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserJson {
    id: String,
    email: String,
    name: String,
    #[serde(default)]
    email_verified: bool,
    image: Option<String>,
    #[serde(default, deserialize_with = "present", rename = "createdAt")]
    _created_at: Option<Date>,
    #[serde(default, deserialize_with = "present", rename = "updatedAt")]
    _updated_at: Option<Date>,
    role: Option<String>,
    banned: Option<bool>,
    ban_expires: Option<Date>,
}

impl UserJson {
    fn into_user(self) -> Option<User> {
        Some(User {
            id: UserId::new(&self.id).ok()?,
            email: self.email,
            email_verified: self.email_verified,
            name: self.name,
            image: self.image,
            role: self.role,
            banned: self.banned.unwrap_or(false),
            ban_expires: self.ban_expires.map(|date| date.0),
        })
    }
}
