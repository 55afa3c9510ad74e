//! A key's row with its owner, as every store hands it over, and the one judgement all of them get.

use authcore::{ApiKeyFault, Identity, Method, Secret, Timestamp, UserId};
use serde::Serialize;

use super::ApiKey;
use super::limits::{KeyAllowance, KeyUsage};
use super::permissions::{self, Permissions};
use crate::session::{User, UserClaims};

/// A row of the `apikey` table and the user it belongs to, as they were read: nothing is judged yet.
#[derive(Clone, Debug)]
pub struct ApiKeyRecord {
    /// The row's id; no credential.
    pub id: String,
    /// The key the row was found by, as stored.
    pub key: ApiKey,
    /// The configuration it was made by; `None` or empty for `default`.
    pub config_id: Option<String>,
    /// For people to read.
    pub name: Option<String>,
    /// Whose key it is: a user's id, if the configuration's keys are users'.
    pub reference_id: UserId,
    /// Whether it is switched on.
    pub enabled: bool,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// JSON text such as `{"files":["read"]}`.
    pub permissions: Option<String>,
    /// How often and how fast it may be used.
    pub allowance: KeyAllowance,
    /// How often it was.
    pub usage: KeyUsage,
    /// The owner; `None` when there is no such user.
    pub owner: Option<User>,
    /// What the store knows the row again by when it counts a use: its own affair.
    pub as_read: Secret,
}

impl ApiKeyRecord {
    /// The identity a good key stands for: the key is this very one and of one of these configurations, it is switched
    /// on, its time is not over, its owner exists and is not banned. `source` says where the record was found.
    ///
    /// The owner is looked at although Better Auth does not: keys of a banned or deleted user go on working there.
    ///
    /// # Errors
    ///
    /// Which of these does not hold, the first in this order.
    pub fn judge(
        &self,
        key: &ApiKey,
        configurations: &[impl AsRef<str>],
        now: Timestamp,
        source: &'static str,
    ) -> Result<Identity, ApiKeyFault> {
        let configuration = self.config_id.as_deref().filter(|id| !id.is_empty()).unwrap_or(DEFAULT_CONFIGURATION);
        // Some databases compare without regard to case.
        let is_same = self.key.stored() == key.stored();
        if !is_same || !configurations.iter().any(|named| named.as_ref() == configuration) {
            return Err(ApiKeyFault::Unknown);
        }
        if !self.enabled {
            return Err(ApiKeyFault::Disabled);
        }
        if self.expires_at.is_some_and(|end| end < now) {
            return Err(ApiKeyFault::Expired);
        }
        let owner = self.owner.as_ref().filter(|owner| owner.id == self.reference_id);
        let owner = owner.ok_or(ApiKeyFault::OwnerMissing)?;
        if owner.is_banned(now) {
            return Err(ApiKeyFault::OwnerBanned);
        }
        Ok(self.identity(owner, source))
    }

    /// Whether it carries limits of its own.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.allowance.is_limited(&self.usage)
    }

    fn identity(&self, owner: &User, source: &'static str) -> Identity {
        let claims = Claims {
            user: UserClaims::of(owner),
            api_key_id: &self.id,
            api_key_name: self.name.as_deref(),
            permissions: permissions::read(self.permissions.as_deref()),
        };
        let claims = serde_json::to_string(&claims).expect("text and booleans always serialise");
        let mut assertion = Identity::assertion(owner.id.clone(), Method::ApiKey { source })
            .claims(claims)
            .issued_at(self.created_at)
            .token_id(&*self.id)
            .roles(owner.role.as_deref().unwrap_or("user"));
        if let Some(end) = self.expires_at {
            assertion = assertion.expires_at(end);
        }
        assertion.into_identity()
    }
}

/// What handlers read of a key's identity: of its owner as in Better Auth's JWTs, and what the key says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claims<'r> {
    #[serde(flatten)]
    user: UserClaims<'r>,
    api_key_id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key_name: Option<&'r str>,
    permissions: Permissions,
}

/// The configuration of keys that name none.
pub(super) const DEFAULT_CONFIGURATION: &str = "default";

#[cfg(test)]
mod tests;
