//! What roles may do to which kinds of things.

use std::collections::{BTreeMap, BTreeSet};

/// Which role of the service may do what to which resource: the access control of Better Auth's admin plugin, said again for
/// the resource server, which cannot ask it for each request. Of roles in an organization, [`MemberPermissions`].
///
/// Nothing is allowed that is not said. A caller with several roles may do what any one of them may.
///
/// ```
/// use authcore::Permissions;
///
/// let permissions = Permissions::new()
///     .allow_role("editor", "article", ["create", "update"])
///     .allow_role("editor", "comment", ["delete"]);
/// assert!(permissions.allow(["reader", "editor"], "article", "update"));
/// assert!(!permissions.allow(["editor"], "article", "delete"));
/// ```
#[must_use]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    by_role: BTreeMap<Box<str>, ByResource>,
}

/// What may be done to each.
type ByResource = BTreeMap<Box<str>, BTreeSet<Box<str>>>;

impl Permissions {
    /// None at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a role do these things to this resource, besides what it may already.
    pub fn allow_role<A: Into<Box<str>>>(
        mut self,
        role: impl Into<Box<str>>,
        resource: impl Into<Box<str>>,
        actions: impl IntoIterator<Item = A>,
    ) -> Self {
        let granted = self.by_role.entry(role.into()).or_default().entry(resource.into()).or_default();
        granted.extend(actions.into_iter().map(Into::into));
        self
    }

    /// Whether one of these roles may do this.
    pub fn allow<'r>(&self, roles: impl IntoIterator<Item = &'r str>, resource: &str, action: &str) -> bool {
        let granted = |role: &str| self.by_role.get(role)?.get(resource);
        let mut granted = roles.into_iter().filter(|role| !role.is_empty()).filter_map(granted);
        granted.any(|actions| actions.contains(action))
    }
}

/// Which role in an organization may do what to which resource there: the access control of Better Auth's organization
/// plugin. A type of its own, since an `admin` of some organization is none of the service.
///
/// Roles that an organization makes for itself (`organizationRole`, dynamic access control) are in its database, not here.
///
/// ```
/// use authcore::MemberPermissions;
///
/// let permissions = MemberPermissions::new().allow_role("editor", "article", ["create", "update"]);
/// assert!(permissions.allow(["editor"], "article", "update"));
/// ```
#[must_use]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberPermissions(Permissions);

impl MemberPermissions {
    /// None at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a role in an organization do these things to this resource, besides what it may already.
    pub fn allow_role<A: Into<Box<str>>>(
        self,
        role: impl Into<Box<str>>,
        resource: impl Into<Box<str>>,
        actions: impl IntoIterator<Item = A>,
    ) -> Self {
        Self(self.0.allow_role(role, resource, actions))
    }

    /// Whether one of these roles may do this.
    pub fn allow<'r>(&self, roles: impl IntoIterator<Item = &'r str>, resource: &str, action: &str) -> bool {
        self.0.allow(roles, resource, action)
    }
}
