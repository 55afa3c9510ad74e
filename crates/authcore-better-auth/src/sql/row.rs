//! Rows become records here. What cannot be read is an outage: it is nobody's fault who presents a token.

mod api_key;

use std::sync::Arc;

use authcore::{Timestamp, UserId};

use super::engine::Values;
use super::time::{Zone, instant};
use crate::session::{Session, User};
use crate::token::SessionToken;

pub(super) use api_key::AsRead;

/// A row by Better Auth's names of its fields.
pub(crate) struct Row {
    fields: Arc<[&'static str]>,
    values: Values,
}

/// A field that holds what no such field should. Says which, never what.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` holds what cannot be read")]
pub(crate) struct Unreadable(&'static str);

impl Row {
    pub(crate) fn new(fields: Arc<[&'static str]>, values: Values) -> Self {
        Self { fields, values }
    }

    /// Null, and a column that is not there, are `None`.
    pub(super) fn optional(&self, field: &'static str) -> Option<&str> {
        let index = self.fields.iter().position(|known| *known == field)?;
        self.values.get(index)?.as_deref()
    }

    pub(super) fn text(&self, field: &'static str) -> Result<&str, Unreadable> {
        self.optional(field).ok_or(Unreadable(field))
    }

    pub(crate) fn session(&self, zone: Zone) -> Result<Session, Unreadable> {
        Ok(Session {
            id: Some(self.text("session.id")?.to_owned()),
            token: SessionToken::new(self.text("session.token")?).ok_or(Unreadable("session.token"))?,
            user_id: user_id("session.userId", self.text("session.userId")?)?,
            expires_at: self.time("session.expiresAt", zone)?.ok_or(Unreadable("session.expiresAt"))?,
            created_at: self.time("session.createdAt", zone)?,
            impersonated_by: self.user("session.impersonatedBy")?,
            active_organization_id: self.owned("session.activeOrganizationId"),
            active_team_id: self.owned("session.activeTeamId"),
        })
    }

    pub(crate) fn user_record(&self, zone: Zone) -> Result<Option<User>, Unreadable> {
        let Some(id) = self.user("user.id")? else { return Ok(None) };
        Ok(Some(User {
            id,
            email: self.text("user.email")?.to_owned(),
            email_verified: self.flag("user.emailVerified")?,
            name: self.text("user.name")?.to_owned(),
            image: self.owned("user.image"),
            role: self.owned("user.role"),
            banned: self.flag("user.banned")?,
            ban_expires: self.time("user.banExpires", zone)?,
        }))
    }

    fn owned(&self, field: &'static str) -> Option<String> {
        self.optional(field).map(str::to_owned)
    }

    fn user(&self, field: &'static str) -> Result<Option<UserId>, Unreadable> {
        self.optional(field).map(|text| user_id(field, text)).transpose()
    }

    fn time(&self, field: &'static str, zone: Zone) -> Result<Option<Timestamp>, Unreadable> {
        self.optional(field).map(|text| instant(text, zone).ok_or(Unreadable(field))).transpose()
    }

    fn flag(&self, field: &'static str) -> Result<bool, Unreadable> {
        self.flag_or(field, false)
    }

    fn flag_or(&self, field: &'static str, default: bool) -> Result<bool, Unreadable> {
        match self.optional(field) {
            None => Ok(default),
            Some("0" | "false") => Ok(false),
            Some("1" | "true") => Ok(true),
            Some(_) => Err(Unreadable(field)),
        }
    }
}

fn user_id(field: &'static str, text: &str) -> Result<UserId, Unreadable> {
    UserId::new(text).map_err(|_| Unreadable(field))
}
