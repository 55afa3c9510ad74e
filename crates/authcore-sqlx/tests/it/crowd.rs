//! Sixty-four users on a few connections at once, with panics, cancelled requests, time-outs and rollbacks among them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use authcore_sqlx::ScopedPool;
use authcore_testkit::polled;
use sqlx::{PgPool, Postgres, Row as _};

use crate::database::{Server, state};
use crate::dice::Dice;
use crate::scopes::{scope, write_scope};

/// How long a run takes: 3 s, or as many as `AUTHCORE_SOAK_SECONDS` says.
pub(crate) fn run_time() -> Duration {
    let asked = std::env::var("AUTHCORE_SOAK_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(asked.unwrap_or(3))
}

/// What became of the steps.
#[derive(Default)]
struct Tally {
    read: AtomicU64,
    committed: AtomicU64,
    cut_off: AtomicU64,
    panicked: AtomicU64,
    timed_out: AtomicU64,
    rolled_back: AtomicU64,
}

/// Each user reads, writes and goes astray in an order of their own; not one row crosses.
pub(crate) async fn run(server: &Server, db: &ScopedPool<Postgres>, unscoped: &PgPool) {
    server.run("INSERT INTO tasks SELECT n, 'user-' || n % 64, 'first' FROM generate_series(1, 6400) AS n").await;
    let (end, tally) = (Instant::now() + run_time(), std::sync::Arc::new(Tally::default()));
    let users: Vec<_> = (0..USERS)
        .map(|user| {
            let (db, tally) = (db.clone(), std::sync::Arc::clone(&tally));
            tokio::spawn(async move {
                let mut dice = Dice::new(user + 1);
                let mut sure = 0;
                while Instant::now() < end {
                    sure += step(&db, user, &mut dice, &tally).await;
                }
                sure
            })
        })
        .collect();
    let stranger = tokio::spawn(without_a_scope(unscoped.clone(), end));
    for (user, steps) in users.into_iter().enumerate() {
        let sure: i64 = steps.await.unwrap_or_else(|error| panic!("user-{user}: {error}"));
        let sql = format!("SELECT count(*) FROM tasks WHERE user_id = 'user-{user}' AND title = 'kept'");
        let kept: i64 = server.value(&sql).await;
        // A commit that was cut off may have been heard.
        assert!(kept >= sure, "user-{user}: {kept} of {sure} are there");
        let lost: i64 = server.value("SELECT count(*) FROM tasks WHERE title = 'lost'").await;
        assert_eq!(lost, 0, "what was not committed is not there");
    }
    let asked = stranger.await.expect("no error and no row without a scope");
    for (what, count) in [
        ("read", &tally.read),
        ("committed", &tally.committed),
        ("cut off", &tally.cut_off),
        ("panicked", &tally.panicked),
        ("timed out", &tally.timed_out),
        ("rolled back", &tally.rolled_back),
    ] {
        let count = count.load(Ordering::Relaxed);
        println!("{what}: {count}");
        assert!(count > 0, "{what}: this run shows nothing");
    }
    println!("asked without a scope: {asked}");
    let foreign: i64 =
        server.value("SELECT count(*) FROM tasks WHERE id <= 6400 AND user_id <> 'user-' || id % 64").await;
    assert_eq!(foreign, 0, "nobody gave a row away or took one");
}

const USERS: u64 = 64;

/// One transaction of some kind. Returns how many rows it is sure to have added.
async fn step(db: &ScopedPool<Postgres>, user: u64, dice: &mut Dice, tally: &Tally) -> i64 {
    let (name, polls) = (format!("user-{user}"), u32::try_from(dice.below(24)).expect("small"));
    match dice.below(12) {
        0..4 => {
            sees_only_own(db, &name).await;
            tally.read.fetch_add(1, Ordering::Relaxed);
        }
        4 | 5 => {
            write(db, &name, "kept", true).await;
            tally.committed.fetch_add(1, Ordering::Relaxed);
            return 1;
        }
        6 => {
            write(db, &name, "lost", false).await;
            tally.rolled_back.fetch_add(1, Ordering::Relaxed);
        }
        7 | 8 => {
            let done = match dice.below(2) {
                0 => polled(polls, sees_only_own(db, &name)).await.map(|()| 0),
                _ => polled(polls, write(db, &name, "kept", true)).await.map(|()| 1),
            };
            if done.is_none() {
                tally.cut_off.fetch_add(1, Ordering::Relaxed);
            }
            return done.unwrap_or(0);
        }
        9 => {
            let (db, name) = (db.clone(), name.clone());
            let panicked = tokio::spawn(async move {
                let mut tx = db.write(&write_scope(&name)).await.expect("a transaction");
                tx.query(ADD).bind_owner().bind("lost").execute().await.expect("a row");
                // As a panic does, without its message.
                std::panic::resume_unwind(Box::new("cut short"));
            });
            assert!(panicked.await.is_err_and(|error| error.is_panic()));
            tally.panicked.fetch_add(1, Ordering::Relaxed);
        }
        10 => {
            let mut tx = db.write(&write_scope(&name)).await.expect("a transaction");
            tx.query(ADD).bind_owner().bind("lost").execute().await.expect("a row");
            sqlx::raw_sql("SET LOCAL statement_timeout = 1").execute(tx.connection()).await.expect("a setting");
            let late = sqlx::raw_sql("SELECT pg_sleep(10)").execute(tx.connection()).await.expect_err("too slow");
            assert_eq!(state(&late), "57014", "{late}");
            tally.timed_out.fetch_add(1, Ordering::Relaxed);
        }
        _ => {
            let sleep = async {
                let mut tx = db.read(&scope(&name)).await.expect("a transaction");
                sqlx::raw_sql("SELECT pg_sleep(0.02)").execute(tx.connection()).await.expect("time goes by");
            };
            if tokio::time::timeout(Duration::from_millis(5), sleep).await.is_err() {
                tally.cut_off.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    0
}

/// Without a `WHERE`.
async fn sees_only_own(db: &ScopedPool<Postgres>, name: &str) {
    let mut tx = db.read(&scope(name)).await.expect("a transaction");
    let all = "SELECT coalesce(array_agg(DISTINCT user_id), '{}'), count(*) >= 100, min($1) FROM tasks";
    let (owners, all_there, _): (Vec<String>, bool, Option<String>) =
        tx.query(all).bind_owner().fetch_one().await.expect("rows");
    assert_eq!(owners, [name], "a row has crossed");
    assert!(all_there, "rows are missing");
}

async fn write(db: &ScopedPool<Postgres>, name: &str, title: &str, lasts: bool) {
    let mut tx = db.write(&write_scope(name)).await.expect("a transaction");
    tx.query(ADD).bind_owner().bind(title).execute().await.expect("a row");
    if lasts {
        tx.commit().await.expect("it lasts");
    }
}

const ADD: &str = "INSERT INTO tasks (id, user_id, title) VALUES (nextval('ids'), $1, $2)";

/// Somebody uses the same connections without a scope, and sees nothing at any time.
async fn without_a_scope(pool: PgPool, end: Instant) -> u64 {
    let mut asked = 0;
    while Instant::now() < end {
        // In one piece: outside of a transaction, a pooler may send what is prepared to one server and the rest to another.
        let ask = "SELECT (SELECT count(*) FROM tasks), coalesce(current_setting('authcore.user_id', true), '')";
        let row = sqlx::raw_sql(ask).fetch_one(&pool).await.expect("an answer");
        let (count, user): (i64, String) = (row.get(0), row.get(1));
        assert_eq!((count, user.as_str()), (0, ""), "a setting was left behind");
        asked += 1;
    }
    asked
}
