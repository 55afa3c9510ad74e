//! What we say that Better Auth's own roles may do is what the package says.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use authcore::{MemberPermissions, Permissions};
use authcore_better_auth::{admin_permissions, organization_permissions};

/// Actions by resource, by role.
type Roles = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// The roles of a plugin with what each may do.
fn roles_of(plugin: &str) -> Roles {
    let script = format!(
        "import {{defaultRoles}} from 'better-auth/plugins/{plugin}/access';\n\
         const roles = Object.entries(defaultRoles).map(([name, role]) => [name, role.statements]);\n\
         console.log(JSON.stringify(Object.fromEntries(roles)));"
    );
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let node = Command::new("node").args(["--input-type=module", "-e", &script]).current_dir(package).output();
    let output = node.expect("install Node.js, and run npm ci in examples/better-auth");
    assert!(output.status.success(), "npm ci in examples/better-auth: {}", String::from_utf8_lossy(&output.stderr));
    let roles: Roles = serde_json::from_slice(&output.stdout).expect("what the script prints");
    assert!(roles.len() >= 2, "{plugin}: {roles:?}");
    roles
}

/// Every role, resource and actions there, as long as there are any.
fn grants(roles: &Roles) -> impl Iterator<Item = (&String, &String, &Vec<String>)> {
    let of_role = |(role, resources)| -> Vec<_> {
        let resources: &BTreeMap<String, Vec<String>> = resources;
        resources.iter().filter(|(_, actions)| !actions.is_empty()).map(|(of, actions)| (role, of, actions)).collect()
    };
    roles.iter().flat_map(of_role)
}

#[test]
fn roles_of_the_admin_plugin_may_here_what_they_may_there_and_no_more() {
    let roles = roles_of("admin");
    let theirs = grants(&roles).fold(Permissions::new(), |permissions, (role, resource, actions)| {
        permissions.allow_role(role.as_str(), resource.as_str(), actions.iter().map(String::as_str))
    });
    assert_eq!(admin_permissions(), theirs);
}

#[test]
fn roles_of_the_organization_plugin_may_here_what_they_may_there_and_no_more() {
    let roles = roles_of("organization");
    let theirs = grants(&roles).fold(MemberPermissions::new(), |permissions, (role, resource, actions)| {
        permissions.allow_role(role.as_str(), resource.as_str(), actions.iter().map(String::as_str))
    });
    assert_eq!(organization_permissions(), theirs);
}
