//! A PostgreSQL server whose own zone is New York.

use std::time::{Duration, Instant};

use authcore_better_auth::{Schema, SessionStore, SqlSessions};

use crate::bench::{DEADLINE, Form, SqlBench, clock, number, text_id, uuid};
use crate::database::Database;
use crate::store_suite::{self, Bench, Seed, token};
use crate::support::engines::Engine;

pub(crate) fn built_in() -> Form {
    let time = |milliseconds| format!("'{}+00'", clock(milliseconds, ' '));
    Form {
        snake_case: false,
        plugins: true,
        id: ("text", text_id),
        time: ("timestamptz", time),
        boolean: "boolean",
        text: "text",
    }
}

/// Times without a zone, ids as uuid: what Drizzle makes.
pub(crate) fn drizzle() -> Form {
    let time = |milliseconds| format!("'{}'", clock(milliseconds, ' '));
    Form { snake_case: true, id: ("uuid", uuid), time: ("timestamp", time), ..built_in() }
}

async fn bench(engine: &Engine, database: &str, form: Form, schema: Schema) -> SqlBench {
    let first = Database::at(&engine.first_database()).await;
    first.run(&format!("CREATE DATABASE \"{database}\"")).await;
    let url = engine.url(database);
    SqlBench::new(Database::at(&url).await, &url, form, schema).await
}

#[tokio::test]
async fn tables_of_every_form_hold_to_the_suite_on_postgres() {
    let engine = Engine::postgres();
    let first = bench(&engine, "built-in", built_in(), Schema::better_auth()).await;
    store_suite::run(&first).await;
    first.survives_over_one_connection().await;
    store_suite::run(&bench(&engine, "drizzle", drizzle(), Schema::snake_case()).await).await;
    let numbered = Form { id: ("integer", number), plugins: false, ..built_in() };
    store_suite::run(&bench(&engine, "numbered", numbered, Schema::better_auth()).await).await;
    own_names(&engine).await;
    what_may_not_be_read_is_found_on_connecting(&engine).await;
    sessions_cannot_write(&engine).await;
    a_lock_does_not_hold_a_look_up_beyond_its_deadline(&engine).await;

    let mut bench = bench(&engine, "outage", built_in(), Schema::better_auth()).await.over(engine);
    store_suite::run_interrupted(&mut bench).await;
}

async fn own_names(engine: &Engine) {
    let bench = bench(engine, "renamed", built_in(), Schema::better_auth()).await;
    bench.insert(&Seed::live("Renamed", 1)).await;
    let rename = "CREATE SCHEMA private; ALTER TABLE \"user\" SET SCHEMA private; ALTER TABLE private.\"user\" RENAME TO people; \
                  ALTER TABLE \"session\" SET SCHEMA private; ALTER TABLE private.\"session\" RENAME \"userId\" TO \"owner-id\"";
    bench.database.run(rename).await;
    let schema =
        Schema::better_auth().postgres_schema("private").table("user", "people").column("session.userId", "owner-id");
    let renamed = SqlSessions::builder().schema(schema).connect(&engine.url("renamed")).await.expect("the tables fit");
    let found = renamed.session(&token("Renamed")).await.expect("it answers").expect("the session is there");
    assert_eq!(found.session.user_id.as_str(), text_id(1));
    assert!(found.user.is_some());

    let error = SqlSessions::connect(&engine.url("renamed")).await.expect_err("other names").to_string();
    assert!(error.contains("has no table `session`"), "{error}");
}

async fn what_may_not_be_read_is_found_on_connecting(engine: &Engine) {
    let bench = bench(engine, "granted", built_in(), Schema::better_auth()).await;
    // All but `banned`: hidden, it would look like a server without bans.
    bench.database.run("CREATE ROLE reader LOGIN; GRANT SELECT ON \"session\" TO reader").await;
    bench
        .database
        .run("GRANT SELECT (\"id\", \"name\", \"email\", \"emailVerified\", \"image\") ON \"user\" TO reader")
        .await;
    let url = engine.url("granted").replace("auth:pa55word@", "reader@");
    let error = SqlSessions::connect(&url).await.expect_err("no right to read `banned`").to_string();
    assert!(error.contains("permission denied"), "{error}");
    bench.database.run("GRANT SELECT ON \"user\" TO reader").await;
    SqlSessions::connect(&url).await.expect("all rights that are needed");
}

/// What one session may do beyond reading, seen in the server's own list of them.
async fn sessions_cannot_write(engine: &Engine) {
    let bench = bench(engine, "readonly", built_in(), Schema::better_auth()).await;
    let writes = "CREATE FUNCTION wipe() RETURNS text LANGUAGE plpgsql AS \
                  $$ BEGIN DELETE FROM \"session\"; RETURN 'wiped'; END $$; \
                  CREATE VIEW v AS SELECT wipe() AS \"id\", token, \"userId\", \"expiresAt\", \"createdAt\" FROM \"session\"";
    bench.insert(&Seed::live("Kept", 1)).await;
    bench.database.run(writes).await;
    let schema = Schema::better_auth().table("session", "v");
    let sessions =
        SqlSessions::builder().schema(schema).connect(&engine.url("readonly")).await.expect("a view will do");
    let error = sessions.session(&token("Kept")).await.expect_err("reading must not write");
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(cause.contains("read-only transaction"), "{error:?}");
}

async fn a_lock_does_not_hold_a_look_up_beyond_its_deadline(engine: &Engine) {
    let bench = bench(engine, "locked", built_in(), Schema::better_auth()).await;
    bench.insert(&Seed::live("Locked", 1)).await;
    let Database::Postgres(pool) = &bench.database else { unreachable!("a PostgreSQL bench") };
    let mut lock = pool.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE \"session\" IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.expect("the lock");
    let began = Instant::now();
    bench.sessions.session(&token("Locked")).await.expect_err("nobody could tell");
    assert!(began.elapsed() < DEADLINE + Duration::from_millis(500), "{:?}", began.elapsed());
    lock.rollback().await.expect("the lock's end");
    assert!(bench.sessions.session(&token("Locked")).await.expect("it answers").is_some());
}
