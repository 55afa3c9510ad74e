//! What the roles that Better Auth comes with may do, as its plugins have it by default.

use authcore::{MemberPermissions, Permissions};

/// The roles of the admin plugin, `admin` and `user`, as they are unless the plugin is given others: `admin` may do
/// everything to users and sessions but impersonate other administrators, `user` nothing.
///
/// What an application adds by `createAccessControl` is added here by
/// [`Permissions::allow_role`]. Of `adminUserIds` a resource server knows nothing: such users have the role they have.
///
/// ```
/// let permissions = authcore_better_auth::admin_permissions().allow_role("support", "user", ["list", "get"]);
/// assert!(permissions.allow(["support"], "user", "get") && !permissions.allow(["support"], "user", "ban"));
/// ```
pub fn admin_permissions() -> Permissions {
    let on_users =
        ["create", "list", "set-role", "ban", "impersonate", "delete", "set-password", "set-email", "get", "update"];
    let permissions = Permissions::new().allow_role("admin", "user", on_users);
    permissions.allow_role("admin", "session", ["list", "revoke", "delete"])
}

/// The roles of the organization plugin, `owner`, `admin` and `member`, as they are unless the plugin is given others. They
/// are roles of a [`Membership`](authcore::Membership), not of a user: ask by
/// [`Membership::require_permission`](authcore::Membership::require_permission).
///
/// ```
/// use authcore::{Identity, Membership, Method, UserId};
///
/// let permissions = authcore_better_auth::organization_permissions();
/// let ann = Identity::assertion(UserId::new("ann")?, Method::Other("example")).into_identity();
/// let admin = Membership::assertion("acme", UserId::new("ann")?, ["admin"]);
/// assert!(admin.has_permission(&ann, &permissions, "member", "delete"));
/// assert!(!admin.has_permission(&ann, &permissions, "organization", "delete"));
/// # Ok::<(), authcore::InvalidUserId>(())
/// ```
pub fn organization_permissions() -> MemberPermissions {
    let both = ["owner", "admin"].into_iter().fold(MemberPermissions::new(), |permissions, role| {
        permissions
            .allow_role(role, "organization", ["update"])
            .allow_role(role, "member", ["create", "update", "delete"])
            .allow_role(role, "invitation", ["create", "cancel"])
            .allow_role(role, "team", ["create", "update", "delete"])
            .allow_role(role, "ac", ["create", "read", "update", "delete"])
    });
    both.allow_role("owner", "organization", ["delete"]).allow_role("member", "ac", ["read"])
}
