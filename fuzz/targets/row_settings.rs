//! What PostgreSQL is told: the settings that begin a transaction, and the migration that makes policies of them. On a line
//! each: the caller, whose rows, an issuer, roles; the table, its owner column, its organization column (none where it is
//! empty) and what rows are shared by (the same); then organizations. The first byte says what the caller may do.
#![no_main]

use std::sync::Arc;

use authcore::{Access, Action, Caller, Identity, Isolation, Membership, Method, UserId};
use authcore_fuzz::json::Node;
use authcore_sqlx::fuzzing::{begin_for_rows, begin_for_scope};
use authcore_sqlx::{GrantTable, OwnedTable, OwnerType};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [mode, rest @ ..] = data else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let mut lines = text.split('\n');
    let [user, issuer, roles] = [(); 3].map(|()| lines.next().unwrap_or_default());
    let [table, owner, organization, kind] = [(); 4].map(|()| lines.next().unwrap_or_default());
    migration(*mode, [table, owner, organization, kind]);

    let Ok(user) = UserId::new(user) else { return };
    let caller = Identity::assertion(user.clone(), Method::Other("fuzz")).issuer(Arc::from(issuer)).roles(roles);
    let caller = caller.into_identity();
    let memberships: Vec<_> = lines.map(|id| Membership::assertion(id, user.clone(), ["member"])).collect();
    let isolation = Isolation::default().allow_members(Access::Full);
    let isolation = if mode & 2 == 0 { isolation } else { isolation.allow_shared() };
    let isolation = if mode & 4 == 0 { isolation } else { isolation.allow_role("admin") };
    let action = if mode & 1 == 0 { Action::Read } else { Action::Write };
    let access = if mode & 1 == 0 { Access::Read } else { Access::Full };

    let held: Vec<_> = caller.roles().collect();
    let mut of_caller = vec![("authcore.actor_id", user.to_string()), ("authcore.issuer", issuer.to_owned())];
    if !held.is_empty() {
        of_caller.push(("authcore.roles", held.join(",")));
    }
    let rows = isolation.rows(Caller::new(&caller, &memberships), action);
    let said = settings(&begin_for_rows(&rows, access), access);
    let list = said.iter().find(|(name, _)| name == "authcore.organization_ids").map(|(_, value)| value.clone());
    let list = list.expect("they are always said");
    // No text of PostgreSQL holds NUL, and a list that did would be none.
    let ids = memberships.iter().map(Membership::organization_id).filter(|id| !id.is_empty() && !id.contains('\0'));
    assert_eq!(Node::read(list.as_bytes()), Some(Node::List(ids.map(|id| Node::Text(id.to_owned())).collect())));
    let of_rows = [
        ("authcore.user_id", user.to_string()),
        ("authcore.action", action.as_str().to_owned()),
        ("authcore.every_row", (mode & 4 != 0 && caller.has_role("admin")).to_string()),
        ("authcore.organization_ids", list),
        ("authcore.include_shared", (mode & 2 != 0).to_string()),
    ];
    assert_said(&said, of_rows.into_iter().chain(of_caller.clone()));

    let own = [("authcore.user_id", user.to_string()), ("authcore.action", String::new())];
    let own = || own.clone().into_iter().chain(of_caller.clone());
    assert_said(&settings(&begin_for_scope(&caller.scope(), access), access), own());
    let Some(membership) = memberships.first() else { return };
    let Ok(scope) = isolation.in_organization(&caller, membership) else { return };
    let organization = ("authcore.organization_id", membership.organization_id().to_owned());
    assert_said(&settings(&begin_for_scope(&scope, access), access), own().chain([organization]));
});

fn assert_said<'s>(said: &[(String, String)], expected: impl Iterator<Item = (&'s str, String)>) {
    let expected: Vec<_> = expected.map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(said, expected);
}

/// The settings of a text that is made of these words and of hexadecimal digits, and of nothing else.
fn settings(text: &str, access: Access) -> Vec<(String, String)> {
    let begin = if access == Access::Read { "BEGIN READ ONLY;SELECT " } else { "BEGIN READ WRITE;SELECT " };
    let mut rest = text.strip_prefix(begin).expect("it begins a transaction");
    let mut found = Vec::new();
    loop {
        let after = rest.strip_prefix("pg_catalog.set_config('").expect("a setting");
        let (name, after) = after.split_once('\'').expect("a name");
        let after = after.strip_prefix(",pg_catalog.convert_from(pg_catalog.decode('").expect("a value");
        let (digits, after) = after.split_once('\'').expect("its digits");
        let after = after.strip_prefix(",'hex'),'UTF8'),true)").expect("until the end of the transaction");
        let is_name = name
            .strip_prefix("authcore.")
            .is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        assert!(is_name, "{name}");
        let pairs: Vec<_> =
            digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits")).collect();
        let bytes = pairs.iter().map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect();
        let value = String::from_utf8(bytes).expect("UTF-8");
        found.push((name.to_owned(), value));
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => break assert_eq!(after, ""),
        }
    }
    found
}

/// The same words whatever the names are; and an index for each column, under a name of its own that fits.
fn migration(mode: u8, names: [&str; 4]) {
    let holds = [OwnerType::Text, OwnerType::Uuid, OwnerType::BigInt][usize::from(mode >> 3) % 3];
    let write = |[table, owner, organization, kind]: [&str; 4]| {
        let mut table = OwnedTable::new(table, owner).ok()?.owner_type(holds);
        if !organization.is_empty() {
            table = table.organization(organization).ok()?;
        }
        if !kind.is_empty() {
            table = table.grants(&GrantTable::new("grants").ok()?, kind, "id").ok()?;
        }
        Some(table.migration())
    };
    let Some(migration) = write(names) else { return };
    let plain = ['\u{1d7d8}', '\u{1d7d9}', '\u{1d7da}', '\u{1d7db}'];
    let given = plain.map(String::from);
    let given = [0, 1, 2, 3].map(|place| if names[place].is_empty() { "" } else { given[place].as_str() });
    let expected = write(given).expect("plain names");
    let (lines, indices) = parted(&migration);
    let (expected, known) = parted(&expected);
    // All at once: a name may hold what stands for another.
    let mut filled = String::new();
    for letter in expected.join("\n").chars() {
        match plain.iter().position(|plain| *plain == letter) {
            Some(place) => filled.push_str(names[place]),
            None => filled.push(letter),
        }
    }
    assert_eq!(lines.join("\n"), filled);
    assert_eq!(indices.len(), known.len());
    let columns = [names[1], names[2]];
    let columns = columns.iter().filter(|column| !column.is_empty());
    for (line, column) in indices.iter().zip(columns) {
        let name = index_name(line);
        assert_eq!(*line, format!(r#"CREATE INDEX IF NOT EXISTS "{name}" ON "{}" ("{column}");"#, names[0]));
        assert!(name.len() <= 63 && !name.contains('"'), "{name}");
    }
    if let [one, other] = &indices[..] {
        assert!(names[1] == names[2] || index_name(one) != index_name(other), "one index for two columns: {one}");
    }
}

/// The lines, and those apart that make indices.
fn parted(migration: &str) -> (Vec<&str>, Vec<&str>) {
    migration.lines().partition(|line| !line.starts_with("CREATE INDEX "))
}

fn index_name(line: &str) -> &str {
    line.split('"').nth(1).expect("a name in quotation marks")
}
