//! A session with its user, as every store and cache hands it over, and the one judgement all of them get.

use authcore::{AuthError, Identity, Method, SessionFault, Timestamp, UserId};
use serde::Serialize;

use crate::token::SessionToken;

/// A session and the user it belongs to, as they were read: nothing is judged yet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionRecord {
    /// The session.
    pub session: Session,
    /// Its user; `None` when there is no such user any more.
    pub user: Option<User>,
}

/// A row of Better Auth's `session` table.
#[derive(Clone, Debug)]
pub struct Session {
    /// The row's id; no credential. Secondary storage has none before Better Auth 1.6.
    pub id: Option<String>,
    /// The token the row was found by, as stored.
    pub token: SessionToken,
    /// The user it belongs to.
    pub user_id: UserId,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it began.
    pub created_at: Option<Timestamp>,
    /// The administrator who acts as the user (admin plugin).
    pub impersonated_by: Option<UserId>,
    /// What the user chose last (organization plugin): a hint, no proof of membership.
    pub active_organization_id: Option<String>,
    /// What the user chose last (organization plugin with teams): a hint, no proof of membership.
    pub active_team_id: Option<String>,
}

/// A row of Better Auth's `user` table.
#[derive(Clone, Debug)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// Lower case, unique.
    pub email: String,
    /// Whether the address was verified.
    pub email_verified: bool,
    /// For people to read.
    pub name: String,
    /// URL of a picture.
    pub image: Option<String>,
    /// Roles, separated by commas (admin plugin).
    pub role: Option<String>,
    /// Whether the user is banned (admin plugin).
    pub banned: bool,
    /// When the ban ends; `None` for never.
    pub ban_expires: Option<Timestamp>,
}

impl User {
    /// Whether a ban is in force: set, and without an end or not ended yet.
    #[must_use]
    pub fn is_banned(&self, now: Timestamp) -> bool {
        self.banned && self.ban_expires.is_none_or(|end| end > now)
    }
}

impl SessionRecord {
    /// With what was read.
    #[must_use]
    pub fn new(session: Session, user: Option<User>) -> Self {
        Self { session, user }
    }

    /// The identity a live session stands for: the token is this very one, its time is not over, its user exists and is
    /// not banned. `source` says where the record was found.
    ///
    /// # Errors
    ///
    /// Which of these does not hold.
    pub fn judge(self, token: &SessionToken, now: Timestamp, source: &'static str) -> Result<Identity, SessionFault> {
        let Self { session, user } = self;
        // Some databases compare without regard to case.
        if session.token.expose() != token.expose() {
            return Err(SessionFault::Unknown);
        }
        if session.expires_at < now {
            return Err(SessionFault::Expired);
        }
        let user = user.filter(|user| user.id == session.user_id).ok_or(SessionFault::UserMissing)?;
        if user.is_banned(now) {
            return Err(SessionFault::UserBanned);
        }
        let claims = serde_json::to_string(&Claims::of(&session, &user)).expect("text and booleans always serialise");
        let mut assertion = Identity::assertion(session.user_id, Method::Session { source })
            .claims(claims)
            .expires_at(session.expires_at)
            .roles(user.role.as_deref().unwrap_or("user"));
        if let Some(administrator) = session.impersonated_by {
            assertion = assertion.impersonated_by(administrator);
        }
        if let Some(began) = session.created_at {
            assertion = assertion.issued_at(began);
        }
        if let Some(id) = session.id {
            assertion = assertion.session_id(id);
        }
        Ok(assertion.into_identity())
    }
}

/// What handlers read of a user, whichever credential came: named as in Better Auth's JWTs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserClaims<'u> {
    sub: &'u str,
    id: &'u str,
    email: &'u str,
    email_verified: bool,
    name: &'u str,
    image: Option<&'u str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'u str>,
}

impl<'u> UserClaims<'u> {
    pub(crate) fn of(user: &'u User) -> Self {
        Self {
            sub: user.id.as_str(),
            id: user.id.as_str(),
            email: &user.email,
            email_verified: user.email_verified,
            name: &user.name,
            image: user.image.as_deref(),
            role: user.role.as_deref(),
        }
    }
}

/// What handlers read of a session's identity.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claims<'s> {
    #[serde(flatten)]
    user: UserClaims<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impersonated_by: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_organization_id: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_team_id: Option<&'s str>,
}

impl<'s> Claims<'s> {
    fn of(session: &'s Session, user: &'s User) -> Self {
        Self {
            user: UserClaims::of(user),
            session_id: session.id.as_deref(),
            impersonated_by: session.impersonated_by.as_ref().map(UserId::as_str),
            active_organization_id: session.active_organization_id.as_deref(),
            active_team_id: session.active_team_id.as_deref(),
        }
    }
}

/// How a session credential came, for its refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Cookie,
    Bearer,
}

impl Carrier {
    pub(crate) fn refuse(self, fault: SessionFault) -> AuthError {
        AuthError::Session { fault, bearer: self == Self::Bearer }
    }
}
