//! Roles and tables that row-level security does not hold are refused at start-up, each by its cause and its mend.

use authcore_sqlx::{OwnedTable, OwnerType, ScopedPool};

use crate::database::{Server, tasks};
use crate::scopes::{scope, write_scope};

#[tokio::test]
async fn i128_what_no_policy_holds_is_refused_at_start_up() {
    let server = Server::start().await;
    server.make_tasks().await;
    let refusal = async |role: &str| {
        let pool = server.pool(role, 1).await;
        let refused = ScopedPool::postgres(pool, [tasks()]).await.err().map(|error| error.to_string());
        refused.unwrap_or_default()
    };
    assert_eq!(refusal("app").await, "");

    let superuser = refusal("auth").await;
    assert!(superuser.starts_with("role `auth`: a superuser") && superuser.contains("NOSUPERUSER"), "{superuser}");
    server.run("ALTER ROLE app BYPASSRLS").await;
    assert_eq!(
        refusal("app").await,
        "role `app`: has BYPASSRLS, so no policy holds it: ALTER ROLE \"app\" NOBYPASSRLS"
    );
    server.run("ALTER ROLE app NOBYPASSRLS").await;

    for (spoil, mend, cause) in [
        (
            "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE tasks ENABLE ROW LEVEL SECURITY",
            "table `tasks`: has no row-level security: ALTER TABLE \"tasks\" ENABLE ROW LEVEL SECURITY",
        ),
        ("GRANT TRUNCATE ON tasks TO app", "REVOKE TRUNCATE ON tasks FROM app", "REVOKE TRUNCATE ON \"tasks\""),
        (
            "ALTER TABLE tasks OWNER TO app; GRANT ALL ON tasks TO app; ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE tasks FORCE ROW LEVEL SECURITY; ALTER TABLE tasks OWNER TO keeper; REVOKE ALL ON tasks FROM app; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO app",
            "the role owns it and no policy holds an owner: ALTER TABLE \"tasks\" FORCE ROW LEVEL SECURITY",
        ),
        (
            "GRANT keeper TO app; ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY",
            "REVOKE keeper FROM app; ALTER TABLE tasks FORCE ROW LEVEL SECURITY",
            "the role owns it",
        ),
        (
            "CREATE POLICY anybody ON tasks FOR SELECT TO app USING (true)",
            "DROP POLICY anybody ON tasks",
            "policy `anybody` lets every row through",
        ),
        (
            "CREATE POLICY anything ON tasks FOR INSERT WITH CHECK (true)",
            "DROP POLICY anything ON tasks",
            "policy `anything` lets every row through",
        ),
        (
            "DROP POLICY authcore_owner ON tasks; CREATE POLICY other ON tasks USING (user_id = current_user)",
            "DROP POLICY other ON tasks; CREATE POLICY authcore_owner ON tasks USING \
             (user_id = (SELECT nullif(current_setting('authcore.user_id', true), '')))",
            "no policy of it reads `authcore.user_id`",
        ),
        (
            "CREATE VIEW open_view AS SELECT * FROM tasks; GRANT SELECT ON open_view TO app",
            "DROP VIEW open_view",
            "view open_view shows all of its rows: ALTER VIEW open_view SET (security_invoker = true)",
        ),
        (
            "CREATE VIEW a AS SELECT * FROM tasks; CREATE VIEW b AS SELECT * FROM a; ALTER VIEW b OWNER TO keeper; \
             GRANT SELECT ON a TO keeper; GRANT SELECT ON b TO app",
            "DROP VIEW b; DROP VIEW a",
            "view b shows all of its rows",
        ),
        (
            "CREATE MATERIALIZED VIEW kept AS SELECT * FROM tasks; ALTER MATERIALIZED VIEW kept OWNER TO keeper; \
             GRANT SELECT ON kept TO app",
            "DROP MATERIALIZED VIEW kept",
            "view kept shows all of its rows",
        ),
        (
            "CREATE TABLE part () INHERITS (tasks); GRANT SELECT ON part TO app",
            "REVOKE SELECT ON part FROM app; DROP TABLE part",
            "no policy holds part, its partition or parent, which shows its rows too: REVOKE ALL ON part FROM the role",
        ),
        (
            "CREATE TABLE part () INHERITS (tasks); CREATE TABLE deep () INHERITS (part); GRANT DELETE ON deep TO app",
            "DROP TABLE deep; DROP TABLE part",
            "no policy holds deep, its partition or parent",
        ),
        (
            "CREATE TABLE whole (LIKE tasks); ALTER TABLE tasks INHERIT whole; GRANT SELECT (title) ON whole TO app",
            "ALTER TABLE tasks NO INHERIT whole; DROP TABLE whole",
            "no policy holds whole, its partition or parent",
        ),
        (
            "ALTER TABLE tasks RENAME COLUMN user_id TO u",
            "ALTER TABLE tasks RENAME COLUMN u TO user_id",
            "no column `user_id`",
        ),
        ("ALTER TABLE tasks RENAME TO todo", "ALTER TABLE todo RENAME TO tasks", "there is none of this name"),
    ] {
        server.run(spoil).await;
        let said = refusal("app").await;
        assert!(said.contains(cause), "{spoil}: {said:?}");
        server.run(mend).await;
        assert_eq!(refusal("app").await, "", "{mend}");
    }

    // These show no more than the caller may see.
    server
        .run(
            "CREATE VIEW mine WITH (security_invoker = on) AS SELECT * FROM tasks; GRANT SELECT ON mine TO app; \
             CREATE VIEW for_admins AS SELECT * FROM tasks; \
             CREATE VIEW of_keeper AS SELECT * FROM tasks; ALTER VIEW of_keeper OWNER TO keeper; GRANT SELECT ON of_keeper TO app; \
             CREATE TABLE part () INHERITS (tasks); CREATE TABLE held () INHERITS (tasks); GRANT SELECT ON held TO app; \
             ALTER TABLE held ENABLE ROW LEVEL SECURITY; \
             CREATE SCHEMA closed; CREATE TABLE closed.part () INHERITS (tasks); GRANT SELECT ON closed.part TO app",
        )
        .await;
    assert_eq!(refusal("app").await, "");
    server.run("ALTER TABLE tasks OWNER TO app").await;
    assert_eq!(refusal("app").await, "", "an owner held by FORCE");
}

/// Ids that the column cannot hold are nobody's: no rows, and no error that says what the column is.
#[tokio::test]
async fn owners_may_be_uuids_or_numbers() {
    let server = Server::start().await;
    let (uuid, other) = ("0190a5f0-7c1e-7d3a-8b54-2f1f6f1f9a10", "0190a5f0-7c1e-7d3a-8b54-2f1f6f1f9a11");
    server
        .run(&format!(
            "CREATE SCHEMA app; CREATE TABLE app.by_uuid (owner uuid); CREATE TABLE app.by_number (owner bigint); \
             INSERT INTO app.by_uuid VALUES ('{uuid}'), ('{other}'); INSERT INTO app.by_number VALUES (7), (8); \
             GRANT USAGE ON SCHEMA app TO app; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA app TO app"
        ))
        .await;
    let table = |name: &str, holds| {
        let table = OwnedTable::new(name, "owner").and_then(|table| table.in_schema("app"));
        table.expect("good names").owner_type(holds)
    };
    let tables = [table("by_uuid", OwnerType::Uuid), table("by_number", OwnerType::BigInt)];
    for table in &tables {
        server.run(&table.migration()).await;
        server.run(&table.migration()).await; // once more does no harm
    }
    let db = ScopedPool::postgres(server.pool("app", 1).await, tables).await.expect("row-level security holds");
    let seen = async |user: &str, sql: &'static str| {
        let mut tx = db.read(&scope(user)).await.expect("a transaction");
        let rows: Vec<String> =
            sqlx::query_scalar(sql).fetch_all(tx.connection()).await.unwrap_or_else(|error| panic!("{user}: {error}"));
        rows
    };
    let (by_uuid, by_number) = ("SELECT owner::text FROM app.by_uuid", "SELECT owner::text FROM app.by_number");
    assert_eq!(seen(uuid, by_uuid).await, [uuid]);
    assert_eq!(seen("7", by_number).await, ["7"]);
    let longer = format!("{uuid}0");
    for user in ["ann", "7 7", "07", "+7", "7.0", "0x7", "99999999999999999999", &uuid.to_uppercase(), &longer] {
        assert!(seen(user, by_uuid).await.is_empty() && seen(user, by_number).await.is_empty(), "{user}");
    }
    let mut tx = db.write(&write_scope(uuid)).await.expect("a transaction");
    tx.query("INSERT INTO app.by_uuid VALUES ($1::uuid)").bind_owner().execute().await.expect("one's own");
}
