//! A MariaDB server whose own zone is five hours behind UTC, and whose collation ignores case.

use std::time::Duration;

use authcore_better_auth::{Schema, SessionStore, SqlSessions};

use crate::bench::{Form, SqlBench, clock, number, text_id};
use crate::database::Database;
use crate::store_suite::{self, Bench, Seed, token};
use crate::support::engines::Engine;

pub(crate) fn built_in() -> Form {
    let time = |milliseconds| format!("'{}'", clock(milliseconds, ' '));
    let (id, text) = (("varchar(36)", text_id as fn(u32) -> String), "varchar(255)");
    Form { snake_case: false, plugins: true, id, time: ("timestamp(3)", time), boolean: "tinyint(1)", text }
}

async fn bench(engine: &Engine, database: &str, form: Form, schema: Schema) -> SqlBench {
    let first = Database::at(&engine.first_database()).await;
    first.run(&format!("CREATE DATABASE \"{database}\"")).await;
    let url = engine.url(database);
    SqlBench::new(Database::at(&url).await, &url, form, schema).await
}

#[tokio::test]
async fn tables_of_every_form_hold_to_the_suite_on_mariadb() {
    let engine = Engine::mariadb();
    let first = bench(&engine, "built-in", built_in(), Schema::better_auth()).await;
    store_suite::run(&first).await;
    first.survives_over_one_connection().await;
    let drizzle = Form { snake_case: true, boolean: "boolean", ..built_in() };
    store_suite::run(&bench(&engine, "drizzle", drizzle, Schema::snake_case()).await).await;
    // Written by a process in New York that nobody told to use UTC.
    let new_york = |milliseconds| format!("'{}'", clock(milliseconds - 5 * 3_600_000, ' '));
    let local = Form { time: ("datetime(3)", new_york), id: ("integer", number), plugins: false, ..built_in() };
    store_suite::run(&bench(&engine, "local", local, Schema::better_auth().zone("-05:00")).await).await;
    a_row_counts_for_the_token_it_holds(&engine).await;
    a_pool_in_another_zone_is_refused(&engine).await;
    what_may_not_be_read_is_found_on_connecting(&engine).await;
    sessions_cannot_write(&engine).await;
    a_frozen_server_is_an_outage(&engine).await;

    let mut bench = bench(&engine, "outage", built_in(), Schema::better_auth()).await.over(engine);
    store_suite::run_interrupted(&mut bench).await;
}

async fn a_row_counts_for_the_token_it_holds(engine: &Engine) {
    let bench = bench(engine, "case", built_in(), Schema::better_auth()).await;
    bench.database.run("ALTER TABLE \"session\" DROP INDEX \"token\"").await;
    bench.insert(&Seed::live("mixedcase", 1)).await;
    bench.insert(&Seed::live("MixedCase", 2)).await;
    let user = async |text| {
        let found = bench.sessions.session(&token(text)).await.expect("it answers");
        found.map(|record| record.session.user_id.to_string())
    };
    assert_eq!(user("MixedCase").await, Some(text_id(2)));
    assert_eq!(user("mixedcase").await, Some(text_id(1)));
    assert_eq!(user("MIXEDCASE").await, None);
    bench.database.run("INSERT INTO \"session\" SELECT * FROM \"session\" WHERE \"userId\" LIKE '%0002'").await;
    let error = bench.sessions.session(&token("MixedCase")).await.expect_err("two rows for one token");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("two rows hold one session token"));
}

async fn a_pool_in_another_zone_is_refused(engine: &Engine) {
    let options = engine.url("case").parse::<sqlx::mysql::MySqlConnectOptions>().expect("a URL");
    let pool = |options| sqlx::mysql::MySqlPoolOptions::new().connect_lazy_with(options);
    let refused = SqlSessions::builder().mysql_pool(pool(options.clone().timezone(Some("-05:00".into())))).await;
    let error = refused.expect_err("another zone").to_string();
    assert_eq!(error, "pool: its sessions are in time zone `-05:00`: use `+00:00`");
    SqlSessions::builder().mysql_pool(pool(options)).await.expect("sqlx's own zone is UTC");
}

async fn what_may_not_be_read_is_found_on_connecting(engine: &Engine) {
    let bench = bench(engine, "granted", built_in(), Schema::better_auth()).await;
    // All but `banned`: hidden, it would look like a server without bans.
    bench.database.run("CREATE USER reader; GRANT SELECT ON \"granted\".\"session\" TO reader").await;
    let columns = "\"id\", \"name\", \"email\", \"emailVerified\", \"image\", \"role\", \"banExpires\"";
    bench.database.run(&format!("GRANT SELECT ({columns}) ON \"granted\".\"user\" TO reader")).await;
    let url = engine.url("granted").replace("auth:pa55word@", "reader@");
    let error = SqlSessions::connect(&url).await.expect_err("no right to read `banned`").to_string();
    let expected =
        "schema: nobody can tell whether table `user` has a column `banned`: grant SELECT on the whole table";
    assert_eq!(error, expected);
    // That another one is really not there says nothing of it.
    bench.database.run("ALTER TABLE \"granted\".\"user\" DROP COLUMN \"image\"").await;
    let error = SqlSessions::connect(&url).await.expect_err("still no right to read `banned`").to_string();
    assert_eq!(error, expected);
    bench.database.run("ALTER TABLE \"granted\".\"user\" ADD COLUMN \"image\" text").await;
    bench.database.run("GRANT SELECT ON \"granted\".\"user\" TO reader").await;
    let sessions = SqlSessions::connect(&url).await.expect("all rights that are needed");
    assert!(sessions.absent().is_empty(), "{:?}", sessions.absent());
}

async fn sessions_cannot_write(engine: &Engine) {
    let bench = bench(engine, "readonly", built_in(), Schema::better_auth()).await;
    bench.insert(&Seed::live("Kept", 1)).await;
    for sql in [
        "CREATE TABLE log (entry integer)",
        "CREATE FUNCTION note() RETURNS varchar(9) BEGIN INSERT INTO log VALUES (1); RETURN 'noted'; END",
        "RENAME TABLE session TO kept",
        "CREATE VIEW session AS SELECT note() AS id, token, userId, expiresAt, createdAt, impersonatedBy, \
         activeOrganizationId, activeTeamId FROM kept",
    ] {
        bench.database.run(sql).await;
    }
    let error = bench.sessions.session(&token("Kept")).await.expect_err("reading must not write");
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(cause.contains("READ ONLY transaction"), "{error:?}");
}

/// Connections stay open and nobody answers: what a network does that drops packets.
async fn a_frozen_server_is_an_outage(engine: &Engine) {
    let bench = bench(engine, "frozen", built_in(), Schema::better_auth()).await;
    bench.insert(&Seed::live("Frozen", 1)).await;
    for _ in 0..3 {
        assert!(bench.sessions.session(&token("Frozen")).await.expect("it answers").is_some());
    }
    let frozen = token("Frozen");
    engine.freeze();
    let began = std::time::Instant::now();
    let asked = [(); 20].map(|()| {
        let sessions = bench.sessions.clone();
        tokio::spawn(async move { sessions.session(&token("Frozen")).await.is_err() })
    });
    // Callers who do not wait for the end leave no connection behind in the middle of it.
    let impatient = (0..20).map(|_| tokio::time::timeout(Duration::from_millis(20), bench.sessions.session(&frozen)));
    for impatient in impatient {
        impatient.await.expect_err("a frozen server cannot have answered");
    }
    for asked in asked {
        assert!(asked.await.expect("no panic"), "a frozen server cannot have answered");
    }
    let took = began.elapsed();
    engine.thaw();
    assert!(took < bench.deadline() * 2, "{took:?}");
    // More than there are connections were lost, and none of their places.
    for _ in 0..20 {
        let found = bench.sessions.session(&token("Frozen")).await;
        assert!(found.expect("it answers again").is_some());
    }
}
