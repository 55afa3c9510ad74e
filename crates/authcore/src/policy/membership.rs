//! That a user belongs to an organization, and as what.

use std::sync::Arc;

use super::permissions::MemberPermissions;
use crate::identity::{Identity, Method, UserId};
use crate::refusal::Refusal;

/// Proof that a user belongs to an organization, with the roles they have there. Whoever looked it up asserts it.
///
/// The user is one of the one issuer that the application takes users from: where a verifier trusts several, look
/// memberships up for callers of the right one alone.
///
/// An organization that a token or a session names is no proof: it is what its user chose last, and stays there after the
/// user was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    organization_id: Arc<str>,
    user_id: UserId,
    roles: Vec<String>,
}

impl Membership {
    /// Asserts that this user belongs to this organization. For look-ups only: whoever calls this vouches for it.
    pub fn assertion<R: Into<String>>(
        organization_id: impl Into<Arc<str>>,
        user_id: UserId,
        roles: impl IntoIterator<Item = R>,
    ) -> Self {
        let roles = roles.into_iter().map(Into::into).collect();
        Self { organization_id: organization_id.into(), user_id, roles }
    }

    /// The organization.
    #[must_use]
    pub fn organization_id(&self) -> &str {
        &self.organization_id
    }

    pub(crate) fn shared_organization_id(&self) -> &Arc<str> {
        &self.organization_id
    }

    /// The member.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        &self.user_id
    }

    /// The roles in this organization, such as `owner`, `admin` or `member`. A member may have none.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(String::as_str)
    }

    /// Whether this role is among them.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().any(|held| held == role)
    }

    /// Whether it is this caller's, in an organization that has an id.
    #[must_use]
    pub fn is_of(&self, caller: &Identity) -> bool {
        self.user_id == *caller.user_id() && !self.organization_id.is_empty()
    }

    /// Whether the caller may do this in the organization: it is their membership, one of its roles may, and where they
    /// call by an API key, so may the key.
    #[must_use]
    pub fn has_permission(
        &self,
        caller: &Identity,
        permissions: &MemberPermissions,
        resource: &str,
        action: &str,
    ) -> bool {
        let key_allows = !matches!(caller.method(), Method::ApiKey { .. }) || caller.has_permission(resource, action);
        self.is_of(caller) && key_allows && permissions.allow(self.roles(), resource, action)
    }

    /// For handlers that need a permission in the organization: see [`Self::has_permission`].
    ///
    /// # Errors
    ///
    /// `403 insufficient_role`.
    pub fn require_permission(
        &self,
        caller: &Identity,
        permissions: &MemberPermissions,
        resource: &str,
        action: &str,
    ) -> Result<(), Refusal> {
        let is_allowed = self.has_permission(caller, permissions, resource, action);
        if is_allowed { Ok(()) } else { Err(Refusal::insufficient_role()) }
    }
}
