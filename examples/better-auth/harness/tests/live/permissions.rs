//! What we say that Better Auth's own roles may do is what the package says.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use authcore::Permissions;
use authcore_better_auth::{admin_permissions, organization_permissions};

/// Actions by resource.
type Statements = BTreeMap<String, Vec<String>>;

/// The roles of a plugin with what each may do, and all there is to do.
fn plugin(name: &str) -> (BTreeMap<String, Statements>, Statements) {
    let script = format!(
        "import {{defaultRoles, defaultStatements}} from 'better-auth/plugins/{name}/access';\n\
         const roles = Object.entries(defaultRoles).map(([name, role]) => [name, role.statements]);\n\
         console.log(JSON.stringify([Object.fromEntries(roles), defaultStatements]));"
    );
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let node = Command::new("node").args(["--input-type=module", "-e", &script]).current_dir(package).output();
    let output = node.expect("install Node.js, and run npm ci in examples/better-auth");
    assert!(output.status.success(), "npm ci in examples/better-auth: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("what the script prints")
}

fn compare(name: &str, permissions: &Permissions) {
    let (roles, everything) = plugin(name);
    assert!(roles.len() >= 2 && everything.len() >= 2, "{name}: {roles:?}");
    for (role, granted) in &roles {
        for (resource, actions) in &everything {
            for action in actions {
                let theirs = granted.get(resource).is_some_and(|granted| granted.contains(action));
                assert_eq!(
                    permissions.allow([role.as_str()], resource, action),
                    theirs,
                    "{name}: {role} {resource} {action}"
                );
            }
        }
    }
    assert!(!permissions.allow(["", "nobody"], "user", "list"));
}

#[test]
fn roles_of_the_admin_plugin_may_here_what_they_may_there() {
    compare("admin", &admin_permissions());
}

#[test]
fn roles_of_the_organization_plugin_may_here_what_they_may_there() {
    compare("organization", &organization_permissions());
}
