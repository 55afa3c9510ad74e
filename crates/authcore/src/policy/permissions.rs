//! What roles may do to which kinds of things.

use std::collections::BTreeMap;

/// Which role may do what to which resource: the access control of Better Auth's admin and organization plugins, said
/// again for the resource server, which cannot ask it for each request.
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
type ByResource = BTreeMap<Box<str>, Vec<Box<str>>>;

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
        let mut granted = roles.into_iter().filter_map(granted);
        granted.any(|actions| actions.iter().any(|granted| **granted == *action))
    }
}
