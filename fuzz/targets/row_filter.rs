//! Which rows a statement is about. On a line each: the user; the table, its owner column, its organization column, an alias
//! and a schema, each empty for none but the first two; then organizations that the user belongs to. The first byte says
//! what the owner column holds and what the user may do.
#![no_main]

use std::sync::LazyLock;

use authcore::{Access, Action, Caller, Identity, Isolation, Membership, Method, Object, Rows, UserId};
use authcore_sqlx::{Engine, GrantTable, OwnedTable, OwnerType};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{MySql, Pool, Postgres, QueryBuilder, Sqlite};
use tokio::runtime::Runtime;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [mode, rest @ ..] = data else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let mut lines = text.split('\n');
    let [user, table, owner, organization, alias, schema] = [(); 6].map(|()| lines.next().unwrap_or_default());
    let Ok(user) = UserId::new(user) else { return };
    let caller = Identity::assertion(user.clone(), Method::Other("fuzz")).into_identity();
    let memberships: Vec<_> = lines.map(|id| Membership::assertion(id, user.clone(), ["member"])).collect();
    let isolation = Isolation::default().allow_members(if mode & 1 == 0 { Access::Read } else { Access::Full });
    let isolation = if mode & 2 == 0 { isolation } else { isolation.allow_shared() };
    let action = if mode & 4 == 0 { Action::Read } else { Action::Write };
    let rows = isolation.rows(Caller::new(&caller, &memberships), action);
    touched(&rows, &isolation, Caller::new(&caller, &memberships));

    let holds = [OwnerType::Text, OwnerType::Uuid, OwnerType::BigInt][usize::from(mode >> 3) % 3];
    let names = Names { table, owner, organization, alias, schema };
    let is_name = |name: &&str| name.len() <= 63 && name.chars().all(|c| c.is_alphanumeric() || "_-$".contains(c));
    let are_names = !table.is_empty() && !owner.is_empty() && names.all().iter().all(is_name);
    let Some(table) = names.table(holds) else { return assert!(!are_names, "{:?} is refused", names.all()) };
    assert!(are_names, "{:?} is taken", names.all());
    says::<Postgres>(&table, &names, holds, &rows, '"', |n| format!("${n}"));
    says::<Sqlite>(&table, &names, holds, &rows, '"', |_| "?".to_owned());
    says::<MySql>(&table, &names, holds, &rows, '`', |_| "?".to_owned());
});

struct Names<'n> {
    table: &'n str,
    owner: &'n str,
    organization: &'n str,
    alias: &'n str,
    schema: &'n str,
}

impl Names<'_> {
    fn all(&self) -> [&str; 5] {
        [self.table, self.owner, self.organization, self.alias, self.schema]
    }

    fn table(&self, holds: OwnerType) -> Option<OwnedTable> {
        let set = |table: OwnedTable, name: &str, add: fn(OwnedTable, String) -> Result<OwnedTable, _>| {
            if name.is_empty() { Some(table) } else { add(table, name.to_owned()).ok() }
        };
        let table = OwnedTable::new(self.table, self.owner).ok()?.owner_type(holds);
        let table = set(table, self.organization, OwnedTable::organization)?;
        let table = set(table, self.alias, OwnedTable::called)?;
        set(table, self.schema, OwnedTable::in_schema)
    }
}

/// The condition, written a second time: names in quotation marks, and places. No argument is in it.
fn says<DB: Engine>(
    table: &OwnedTable,
    names: &Names<'_>,
    holds: OwnerType,
    rows: &Rows,
    quote: char,
    place: impl Fn(usize) -> String,
) {
    let quoted = |name: &str| format!("{quote}{name}{quote}");
    let whole = match (names.alias, names.schema) {
        ("", "") => quoted(names.table),
        ("", schema) => format!("{}.{}", quoted(schema), quoted(names.table)),
        (alias, _) => quoted(alias),
    };
    let (id, is_pg) = (rows.user_id().as_str(), quote == '"' && place(1) == "$1");
    let (mut places, mut alternatives) = (0, Vec::new());
    let mut next = || {
        places += 1;
        place(places)
    };
    let column = format!("{whole}.{}", quoted(names.owner));
    match holds {
        OwnerType::Uuid if !is_uuid(id) => {}
        OwnerType::Uuid if is_pg => alternatives.push(format!("{column} = CAST({} AS uuid)", next())),
        OwnerType::BigInt if !is_big_int(id) => {}
        _ => alternatives.push(format!("{column} = {}", next())),
    }
    // No text of PostgreSQL holds NUL.
    let known = rows.organizations().filter(|id| !is_pg || !id.contains('\0')).count();
    if known > 0 && !names.organization.is_empty() {
        let all: Vec<_> = (0..known).map(|_| next()).collect();
        alternatives.push(format!("{whole}.{} IN ({})", quoted(names.organization), all.join(", ")));
    }
    let alternatives = if alternatives.is_empty() { "FALSE".to_owned() } else { alternatives.join(" OR ") };
    let mut builder = QueryBuilder::<DB>::new("SELECT 1 WHERE ");
    table.filter(rows, &mut builder);
    assert_eq!(builder.sql().as_str(), format!("SELECT 1 WHERE ({alternatives})"));
}

fn is_uuid(id: &str) -> bool {
    let parts: Vec<_> = id.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.concat().bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// At most 18 digits, so that no sum overflows, in the shortest spelling.
fn is_big_int(id: &str) -> bool {
    let digits = id.strip_prefix('-').unwrap_or(id);
    let is_number = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && (!digits.starts_with('0') || id == "0")
}

/// A database in memory, whose rows stay as they are.
static DATABASE: LazyLock<(Runtime, Pool<Sqlite>)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let pool = runtime.block_on(async {
        let options = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = options.connect("sqlite::memory:").await.expect("a database in memory");
        let mut builder = QueryBuilder::<Sqlite>::new("CREATE TABLE tasks (id int, user_id text, org text)");
        builder.build().execute(&pool).await.expect("a table");
        let grants = GrantTable::new("grants").expect("a name").create_table::<Sqlite>();
        sqlx::raw_sql(sqlx::AssertSqlSafe(grants)).execute(&pool).await.expect("a table");
        for (id, (user, organization)) in (0_i64..).zip(ROWS) {
            let insert = sqlx::query("INSERT INTO tasks VALUES (?, ?, ?)").bind(id).bind(user).bind(organization);
            insert.execute(&pool).await.expect("a row");
        }
        for (kind, id, user, access) in GRANTS {
            let insert = sqlx::query("INSERT INTO grants VALUES (?, ?, ?, ?)").bind(kind).bind(id).bind(user);
            insert.bind(access).execute(&pool).await.expect("a row");
        }
        pool
    });
    (runtime, pool)
});

/// Whose each row is, and which organization's.
const ROWS: [(&str, Option<&str>); 8] = [
    ("alice", None),
    ("bob", Some("acme")),
    ("ALICE", Some("ACME")),
    ("7", Some("be\"ta")),
    ("alice ", Some("acme'); --")),
    ("' OR '1'='1", Some("%")),
    ("", Some("")),
    ("älice", None),
];

const GRANTS: [(&str, &str, &str, &str); 4] = [
    ("task", "1", "alice", "read"),
    ("task", "3", "alice", "full"),
    ("other", "2", "alice", "full"),
    ("task", "0", "bob", "full"),
];

/// SQLite finds exactly the rows that the isolation lets the caller touch, one by one, and those that were shared.
fn touched(rows: &Rows, isolation: &Isolation, caller: Caller<'_>) {
    let grants = GrantTable::new("grants").expect("a name");
    let table = OwnedTable::new("tasks", "user_id").and_then(|table| table.organization("org"));
    let table = table.and_then(|table| table.grants(&grants, "task", "id")).expect("good names");
    let mut builder = QueryBuilder::<Sqlite>::new("SELECT id FROM tasks WHERE ");
    table.filter(rows, &mut builder);
    builder.push(" ORDER BY id");
    let (runtime, pool) = &*DATABASE;
    let found: Vec<(i64,)> = runtime.block_on(builder.build_query_as().fetch_all(pool)).expect("rows");

    let action = rows.action();
    let is_shared = |id: i64| {
        rows.include_shared()
            && GRANTS.iter().any(|(kind, object, user, access)| {
                (*kind, *user) == ("task", rows.user_id().as_str())
                    && object.parse() == Ok(id)
                    && (*access == "full" || action == Action::Read)
            })
    };
    let expected = (0_i64..).zip(ROWS).filter(|(id, (user, organization))| {
        let object = Object::new("task", "any").of_user(*user);
        let object = organization.map_or(object, |organization| object.of_organization(organization));
        isolation.judge(caller, action, &object).is_ok() || is_shared(*id)
    });
    assert!(found.iter().map(|(id,)| *id).eq(expected.map(|(id, _)| id)), "{found:?} for {}", rows.user_id().as_str());
}
