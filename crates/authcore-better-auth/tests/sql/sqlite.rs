//! SQLite, in the three forms that times have there.

use std::time::Duration;

use authcore_better_auth::{Schema, SessionStore, SqlSessions};

use crate::bench::{Form, SqlBench, clock, number, text_id};
use crate::database::{Database, SqliteFile};
use crate::store_suite::{self, Bench, Seed, token};

pub(crate) fn built_in() -> Form {
    let iso = |milliseconds| format!("'{}Z'", clock(milliseconds, 'T'));
    Form {
        snake_case: false,
        plugins: true,
        id: ("text", text_id),
        time: ("date", iso),
        boolean: "integer",
        text: "text",
    }
}

async fn bench(file: &SqliteFile, form: Form, schema: Schema) -> SqlBench {
    SqlBench::new(Database::sqlite(file).await, &file.url(), form, schema).await
}

#[tokio::test]
async fn tables_of_better_auths_own_migrations_hold_to_the_suite() {
    let file = SqliteFile::new("built-in");
    let bench = bench(&file, built_in(), Schema::better_auth()).await;
    assert!(bench.sessions.absent().is_empty());
    store_suite::run(&bench).await;
    bench.survives_over_one_connection().await;
}

#[tokio::test]
async fn drizzles_integers_and_numbered_users_hold_to_the_suite() {
    let file = SqliteFile::new("drizzle");
    let form = Form {
        snake_case: true,
        id: ("integer", number),
        time: ("integer", |milliseconds| milliseconds.to_string()),
        ..built_in()
    };
    store_suite::run(&bench(&file, form, Schema::snake_case()).await).await;
}

#[tokio::test]
async fn prismas_offsets_hold_to_the_suite_without_any_plugin() {
    let file = SqliteFile::new("prisma");
    let iso = |milliseconds| format!("'{}+00:00'", clock(milliseconds, 'T'));
    let form = Form { plugins: false, time: ("text", iso), ..built_in() };
    let bench = bench(&file, form, Schema::better_auth()).await;
    let absent = bench.sessions.absent();
    assert!(absent.contains(&"user.banned") && absent.contains(&"session.impersonatedBy"), "{absent:?}");
    store_suite::run(&bench).await;
}

/// SQLite lists them apart: unseen, they would look like a server without bans.
#[tokio::test]
async fn generated_columns_are_columns() {
    let file = SqliteFile::new("generated");
    let bench = bench(&file, Form { plugins: false, ..built_in() }, Schema::better_auth()).await;
    assert!(bench.sessions.absent().contains(&"user.banned"));
    let banned = "ALTER TABLE \"user\" ADD COLUMN \"banned\" integer AS (\"name\" IS NOT NULL)";
    bench.database.run(banned).await;
    bench.insert(&Seed::live("Banned", 1)).await;
    let sessions = SqlSessions::connect(&file.url()).await.expect("the tables fit");
    assert!(!sessions.absent().contains(&"user.banned"), "{:?}", sessions.absent());
    let found = sessions.session(&token("Banned")).await.expect("it answers").expect("the session is there");
    assert!(found.user.expect("its user").banned);
}

#[tokio::test]
async fn sessions_are_opened_for_reading_only_while_better_auth_writes() {
    let file = SqliteFile::new("wal");
    let bench = bench(&file, built_in(), Schema::better_auth()).await;
    bench.database.run("PRAGMA journal_mode = wal").await;
    bench.insert(&Seed::live("InTheLog", 1)).await;
    let sessions = SqlSessions::connect(&file.url()).await.expect("a write-ahead log");
    bench.insert(&Seed::live("InTheLogLater", 2)).await;
    for text in ["InTheLog", "InTheLogLater"] {
        assert!(sessions.session(&token(text)).await.expect("it answers").is_some(), "{text}");
    }
    assert!(!std::path::Path::new("no-such.db").exists());
    let error = SqlSessions::connect("sqlite:no-such.db").await.expect_err("no file").to_string();
    assert!(error.starts_with("database URL: the database cannot be reached"), "{error}");
    assert!(!std::path::Path::new("no-such.db").exists(), "reading must not make a database");
}

/// Another program holds the file locked: a look-up waits for its deadline and judges nobody.
#[tokio::test]
async fn a_locked_database_is_an_outage_within_the_deadline() {
    struct Locked(SqlBench, Option<sqlx::pool::PoolConnection<sqlx::Sqlite>>);

    impl Bench for Locked {
        type Store = SqlSessions;

        fn store(&self) -> &SqlSessions {
            self.0.store()
        }

        fn deadline(&self) -> Duration {
            self.0.deadline()
        }

        fn user_id(&self, user: u32) -> String {
            self.0.user_id(user)
        }

        fn has_plugins(&self) -> bool {
            true
        }

        async fn insert(&self, seed: &Seed) {
            self.0.insert(seed).await;
        }

        async fn delete_session(&self, token: &str) {
            self.0.delete_session(token).await;
        }

        async fn delete_user(&self, user: u32) {
            self.0.delete_user(user).await;
        }

        async fn interrupt(&mut self) {
            let Database::Sqlite(pool) = &self.0.database else { unreachable!("a SQLite bench") };
            let mut connection = pool.acquire().await.expect("a connection");
            sqlx::query("BEGIN EXCLUSIVE").execute(&mut *connection).await.expect("the lock");
            self.1 = Some(connection);
        }

        async fn resume(&mut self) {
            let mut connection = self.1.take().expect("it was interrupted");
            sqlx::query("ROLLBACK").execute(&mut *connection).await.expect("the lock's end");
        }
    }

    let file = SqliteFile::new("locked");
    let mut bench = Locked(bench(&file, built_in(), Schema::better_auth()).await, None);
    store_suite::run_interrupted(&mut bench).await;
}
