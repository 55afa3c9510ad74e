//! Look-ups in a second by 32 tasks at once on real servers, each store by itself and with its look-ups remembered for
//! five seconds.
//!
//! `cargo bench -p authcore-benches --bench session_look_ups`

use std::path::PathBuf;
use std::time::{Duration, Instant};

use authcore_better_auth::{RecentSessions, RedisSessions, SessionStore, SessionToken, SqlSessions};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tokio::runtime::Runtime;

use engines::Engine;
use server::RedisServer;

#[path = "../../crates/authcore-better-auth/tests/support/engines.rs"]
#[expect(dead_code, reason = "tests do more with a server than ask it")]
mod engines;

#[path = "../../crates/authcore-redis/tests/it/server.rs"]
#[expect(dead_code, reason = "tests do more with a server than ask it")]
mod server;

fn session_look_ups(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");

    let file = SqliteFile::new();
    let sessions = runtime.block_on(async {
        let database = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&file.0).create_if_missing(true));
        let database = database.await.expect("a new file");
        for statement in tables("date", "integer") {
            sqlx::query(AssertSqlSafe(statement)).execute(&database).await.expect("a good statement");
        }
        database.close().await;
        SqlSessions::connect(&format!("sqlite:{}", file.0.display())).await.expect("the tables fit")
    });
    compare(criterion, &runtime, "SQLite", sessions);

    let engine = Engine::postgres();
    let sessions = runtime.block_on(async {
        let database = patiently_at(&engine.first_database()).await;
        for statement in tables("timestamptz", "boolean") {
            sqlx::query(AssertSqlSafe(statement)).execute(&database).await.expect("a good statement");
        }
        database.close().await;
        SqlSessions::connect(&engine.first_database()).await.expect("the tables fit")
    });
    compare(criterion, &runtime, "PostgreSQL", sessions);

    let redis = RedisServer::start();
    for number in 0..SESSIONS {
        redis.run(&["SET", &token(number), &stored(number)]);
    }
    let sessions = runtime.block_on(RedisSessions::connect(&redis.url())).expect("Redis listens");
    compare(criterion, &runtime, "Redis", sessions);
}

/// The store alone, and remembered.
fn compare<S: SessionStore + Clone>(criterion: &mut Criterion, runtime: &Runtime, name: &str, store: S) {
    let mut group = criterion.benchmark_group(format!("session look-ups/{name}"));
    group.throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(8));
    group.bench_function("each time", |bench| bench.iter_custom(|count| time(runtime, &store, count)));
    // One for all samples: it forgets as it does in service.
    let recent = RecentSessions::over(store.clone()).build().expect("good settings");
    group.bench_function("RecentSessions", |bench| bench.iter_custom(|count| time(runtime, &recent, count)));
    group.finish();
}

/// How long so many look-ups take when they are shared out among the tasks.
fn time<S: SessionStore + Clone>(runtime: &Runtime, store: &S, count: u64) -> Duration {
    runtime.block_on(async {
        let began = Instant::now();
        let tasks: Vec<_> = (0..TASKS.min(count))
            .map(|task| {
                let (store, share) = (store.clone(), count / TASKS + u64::from(task < count % TASKS));
                tokio::spawn(async move {
                    for step in 0..share {
                        // Each task has an order of its own; 7 and the number of sessions have no factor in common.
                        let token = SessionToken::new(&token((task * 31 + step * 7) % SESSIONS)).expect("a token");
                        assert!(store.session(&token).await.expect("the store answers").is_some());
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no look-up fails");
        }
        began.elapsed()
    })
}

const TASKS: u64 = 32;

const SESSIONS: u64 = 1000;

/// As long as Better Auth's tokens are.
fn token(number: u64) -> String {
    format!("sxU2kDjMdOqnuMjvJsXMEVr2rilW{number:04}")
}

fn user_id(number: u64) -> String {
    format!("HxiEJ8zGrJbf3UYfSWWe9ECwLxMv{number:04}")
}

/// Better Auth's tables with its admin plugin, one session for each user.
fn tables(time: &str, boolean: &str) -> Vec<String> {
    let yes = if boolean == "boolean" { "true" } else { "1" };
    let no = if boolean == "boolean" { "false" } else { "0" };
    let user = format!(
        "CREATE TABLE \"user\" (\"id\" text NOT NULL PRIMARY KEY, \"name\" text NOT NULL, \"email\" text NOT NULL UNIQUE, \
         \"emailVerified\" {boolean} NOT NULL, \"image\" text, \"createdAt\" {time} NOT NULL, \"updatedAt\" {time} NOT NULL, \
         \"role\" text, \"banned\" {boolean}, \"banReason\" text, \"banExpires\" {time})"
    );
    let session = format!(
        "CREATE TABLE \"session\" (\"id\" text NOT NULL PRIMARY KEY, \"expiresAt\" {time} NOT NULL, \"token\" text NOT NULL \
         UNIQUE, \"createdAt\" {time} NOT NULL, \"updatedAt\" {time} NOT NULL, \"ipAddress\" text, \"userAgent\" text, \
         \"userId\" text NOT NULL REFERENCES \"user\" (\"id\"), \"impersonatedBy\" text)"
    );
    let values = |row: fn(u64) -> String| (0..SESSIONS).map(row).collect::<Vec<_>>().join(", ");
    let users = values(|number| {
        let id = user_id(number);
        format!("('{id}', 'Ada Lovelace', '{number}@example.com', YES, '{MADE}', '{MADE}', 'user', NO)")
    });
    let users = users.replace("YES", yes).replace("NO", no);
    let sessions = values(|number| {
        let (user, token) = (user_id(number), token(number));
        format!("('id-{number}', '{ENDS}', '{token}', '{MADE}', '{MADE}', '{user}')")
    });
    vec![
        user,
        session,
        format!(
            "INSERT INTO \"user\" (\"id\", \"name\", \"email\", \"emailVerified\", \"createdAt\", \"updatedAt\", \"role\", \
             \"banned\") VALUES {users}"
        ),
        format!(
            "INSERT INTO \"session\" (\"id\", \"expiresAt\", \"token\", \"createdAt\", \"updatedAt\", \"userId\") \
             VALUES {sessions}"
        ),
    ]
}

/// What Better Auth keeps in Redis.
fn stored(number: u64) -> String {
    let (user, token) = (user_id(number), token(number));
    let session = serde_json::json!({
        "expiresAt": ENDS, "token": token, "createdAt": MADE, "updatedAt": MADE, "ipAddress": "", "userAgent": "",
        "userId": user, "impersonatedBy": null, "id": format!("id-{number}"),
    });
    let user = serde_json::json!({
        "name": "Ada Lovelace", "email": format!("{number}@example.com"), "emailVerified": true, "image": null,
        "createdAt": MADE, "updatedAt": MADE, "role": "user", "banned": false, "banReason": null, "banExpires": null,
        "id": user,
    });
    serde_json::json!({"session": session, "user": user}).to_string()
}

const MADE: &str = "2026-11-20T19:11:31.865Z";

const ENDS: &str = "2100-01-01T00:00:00.000Z";

/// Waits until the server is there.
async fn patiently_at(url: &str) -> PgPool {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        match PgPool::connect(url).await {
            Ok(database) => return database,
            Err(error) => assert!(Instant::now() < patience, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Removed when dropped.
struct SqliteFile(PathBuf);

impl SqliteFile {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("authcore-bench-{}.db", std::process::id())))
    }
}

impl Drop for SqliteFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0); // a file left behind spoils no number
    }
}

criterion_group!(benches, session_look_ups);
criterion_main!(benches);
