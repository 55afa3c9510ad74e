//! Tasks in PostgreSQL: the suite under row-level security, and who may serve.

use std::path::Path;
use std::thread;

use serde_json::json;
use tasks_conformance::{Example, NotStarted, Request, run_against};

use crate::cluster::Cluster;
use crate::support::{VERIFYING, assert_clean_log, assert_passed, signer, with_secret, with_tasks_in};

/// What an owner runs for a role of the server's own.
const GRANTS: &str = "GRANT SELECT ON _sqlx_migrations TO app; GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO app";

#[tokio::test]
async fn both_servers_keep_the_contract_on_postgresql_and_answer_alike() {
    let cluster = Cluster::shared();
    // One as the owner of its tables, the other as a role that owns nothing.
    let owned = cluster.database("suite_owned").await;
    let kept = cluster.database("suite_kept").await;
    drop(with_tasks_in(Example::Axum, &kept));
    cluster.run("suite_kept", &format!("CREATE ROLE app LOGIN; {GRANTS}")).await;
    let (axum, one) = with_tasks_in(Example::Axum, &owned);
    let (actix, other) = with_tasks_in(Example::Actix, &cluster.url("app", "suite_kept"));

    let report = run_against(&one, &other, |_| ());

    assert_passed(&report);
    assert_eq!(report.skipped(), 0, "the secret is known");
    assert_clean_log(&axum, &one);
    assert_clean_log(&actix, &other);
}

#[tokio::test]
async fn postgresql_and_sqlite_give_the_same_answers() {
    let cluster = Cluster::shared();
    let (_sqlite, one) = with_secret(Example::Actix);
    let (_postgres, other) = with_tasks_in(Example::Actix, &cluster.database("suite_same").await);
    assert_passed(&run_against(&one, &other, |_| ()));
}

#[tokio::test]
async fn servers_that_start_together_on_an_empty_database_take_turns() {
    let cluster = Cluster::shared();
    let url = cluster.database("together").await;
    let servers: Vec<_> = thread::scope(|scope| {
        let start = |example| {
            scope.spawn({
                let url = &url;
                move || with_tasks_in(example, url)
            })
        };
        let starting = [Example::Axum, Example::Actix, Example::Axum, Example::Actix].map(start);
        starting.into_iter().map(|server| server.join().expect("each of them starts")).collect()
    });
    let token = signer().sign(&signer().mint("ann"));
    for (server, _) in &servers {
        let post = Request::new("POST", "/api/tasks").bearer(&token).json(json!({"title": "shared"}));
        assert_eq!(post.send_to(server.authority()).expect("an answer").status, 201);
    }
    for (server, _) in &servers {
        let list = Request::new("GET", "/api/tasks").bearer(&token).send_to(server.authority()).expect("an answer");
        assert_eq!(list.json()["count"], 4);
    }
}

#[tokio::test]
async fn a_role_without_the_rights_is_told_what_an_owner_has_to_run() {
    let cluster = Cluster::shared();
    let owner = cluster.database("rights").await;
    cluster.run("rights", "CREATE ROLE \"Bare\" LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC").await;
    cluster.run("rights", "GRANT USAGE ON SCHEMA public TO \"Bare\"").await;
    let bare = cluster.url("Bare", "rights");
    let told = |words: &[&str]| {
        for example in Example::ALL {
            let line = refusal(example, &bare);
            assert!(words.iter().all(|word| line.contains(word)), "{}: {line}", example.name());
        }
    };
    told(&[
        "may not bring the tables up to date (",
        "permission denied for schema public",
        "start once as their owner, who then runs: GRANT SELECT ON _sqlx_migrations TO \"Bare\"; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO \"Bare\"",
    ]);
    drop(with_tasks_in(Example::Axum, &owner));
    told(&["permission denied for table _sqlx_migrations", "GRANT SELECT ON _sqlx_migrations TO \"Bare\""]);
    cluster
        .run("rights", "GRANT SELECT ON _sqlx_migrations TO \"Bare\"; GRANT SELECT, DELETE ON tasks TO \"Bare\"")
        .await;
    told(&["lacks rights: let the owner of the table run: GRANT INSERT, UPDATE ON tasks TO \"Bare\""]);
    cluster.run("rights", "GRANT INSERT, UPDATE ON tasks TO \"Bare\"").await;
    for example in Example::ALL {
        drop(with_tasks_in(example, &bare));
    }
}

#[tokio::test]
async fn i128_a_role_that_no_policy_holds_stops_the_server_at_start() {
    let cluster = Cluster::shared();
    let url = cluster.database("held").await;
    let superuser = cluster.url("auth", "held");
    for example in Example::ALL {
        let line = refusal(example, &superuser);
        assert!(line.starts_with("DATABASE_URL: role `auth`: a superuser, whom no policy holds"), "{line}");
    }
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    let count: i64 = sqlx::query_scalar(tables).fetch_one(&mut cluster.admin("held").await).await.expect("a number");
    assert_eq!(count, 0, "whom it refuses, it makes no tables for");

    drop(with_tasks_in(Example::Axum, &url));
    for (spoil, mend, cause) in [
        ("ALTER ROLE held BYPASSRLS", "ALTER ROLE held NOBYPASSRLS", "role `held`: has BYPASSRLS"),
        (
            "ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE tasks FORCE ROW LEVEL SECURITY",
            "table `tasks`: the role owns it and no policy holds an owner: ALTER TABLE \"tasks\" FORCE",
        ),
        (
            "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE tasks ENABLE ROW LEVEL SECURITY",
            "table `tasks`: has no row-level security",
        ),
        (
            "CREATE POLICY anybody ON tasks USING (true)",
            "DROP POLICY anybody ON tasks",
            "table `tasks`: policy `anybody` lets every row through",
        ),
    ] {
        cluster.run("held", spoil).await;
        for example in Example::ALL {
            let line = refusal(example, &url);
            assert!(line.starts_with(&format!("DATABASE_URL: {cause}")), "{}: {line}", example.name());
        }
        cluster.run("held", mend).await;
    }
    for example in Example::ALL {
        drop(with_tasks_in(example, &url));
    }
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_text_stops_the_server_at_start() {
    let cluster = Cluster::shared();
    cluster.run("postgres", "CREATE ROLE latin LOGIN").await;
    let make = "CREATE DATABASE latin OWNER latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
    cluster.run("postgres", make).await;
    let line = refusal(Example::Axum, &cluster.url("latin", "latin"));
    assert!(
        line.starts_with("DATABASE_URL: the database keeps text in LATIN1: make another by CREATE DATABASE"),
        "{line}"
    );
}

#[tokio::test]
async fn sslmode_is_honoured() {
    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/authcore-better-auth/testdata/tls");
    let cluster = Cluster::new();
    let url = cluster.database("tls").await;
    let plain = refusal(Example::Axum, &format!("{url}?sslmode=require"));
    assert!(plain.contains("does not support TLS"), "no silent fall back to plain text: {plain}");

    let cluster = Cluster { engine: cluster.engine.encrypted(Path::new(FOLDER)) };
    cluster.run("tls", "SELECT 'it is there'").await;
    let authority = format!("{FOLDER}/authority.pem");
    for (example, asked) in [
        (Example::Axum, "sslmode=require".to_owned()),
        (Example::Axum, format!("sslmode=verify-full&sslrootcert={authority}")),
        (Example::Actix, format!("sslmode=verify-full&sslrootcert={authority}")),
    ] {
        drop(with_tasks_in(example, &format!("{url}?{asked}")));
    }
    let unencrypted = refusal(Example::Axum, &format!("{url}?sslmode=disable"));
    assert!(unencrypted.contains("no encryption"), "{unencrypted}");
    let unknown = refusal(Example::Actix, &format!("{url}?sslmode=verify-full"));
    assert!(unknown.contains("UnknownIssuer"), "an authority that nobody named: {unknown}");
}

/// The one line with which a server ends that cannot serve tasks from there.
fn refusal(example: Example, database: &str) -> String {
    let started = example.start(&[VERIFYING.as_slice(), &[("DATABASE_URL", database)]].concat());
    let NotStarted { status, stderr } = started.expect_err("a server that must not serve");
    let is_one_line = stderr.lines().count() == 1 && stderr.starts_with("DATABASE_URL: ");
    assert!(matches!(status, Some(1 | 2)) && is_one_line, "{}: {status:?}: {stderr}", example.name());
    stderr
}
