//! SQLite: the statement has to name its owner, and to have a place for it.

use std::path::PathBuf;

use authcore_sqlx::ScopedPool;
use authcore_testkit::polled;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Sqlite, SqlitePool};

use crate::scopes::{audit_scope, scope, write_scope};

/// A file that is removed at the end.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("authcore-sqlx-{}-{name}.db", std::process::id())))
    }

    pub(crate) async fn pool(&self, connections: u32) -> SqlitePool {
        let options = SqliteConnectOptions::new().filename(&self.0).create_if_missing(true);
        SqlitePoolOptions::new().max_connections(connections).connect_with(options).await.expect("a new file")
    }

    async fn tasks(&self) -> ScopedPool<Sqlite> {
        let pool = self.pool(1).await;
        let make = "CREATE TABLE tasks (id integer PRIMARY KEY, user_id text NOT NULL, title text NOT NULL); \
                    INSERT INTO tasks VALUES (1, 'ann', 'a'), (2, 'bob', 'b')";
        sqlx::raw_sql(make).execute(&pool).await.expect("a table");
        ScopedPool::sqlite(pool)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display())); // not all of them are there
        }
    }
}

const OWN: &str = "SELECT user_id, title FROM tasks WHERE user_id = ?";

async fn own(db: &ScopedPool<Sqlite>, user: &str) -> Vec<(String, String)> {
    let mut tx = db.read(&scope(user)).await.expect("a transaction");
    tx.query(OWN).bind_owner().fetch_all().await.expect("rows")
}

fn row(user: &str, title: &str) -> (String, String) {
    (user.to_owned(), title.to_owned())
}

#[tokio::test]
async fn the_owner_is_an_argument_of_each_statement() {
    let file = File::new("argument");
    let db = file.tasks().await;
    assert_eq!(own(&db, "ann").await, [row("ann", "a")]);
    assert_eq!(own(&db, "bob").await, [row("bob", "b")]);
    assert!(own(&db, "' OR 1=1 --").await.is_empty());

    let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
    let rename = "UPDATE tasks SET title = ? WHERE user_id = ? AND id = ?";
    for (id, changed) in [(1, 1), (2, 0)] {
        let done = tx.query(rename).bind("new").bind_owner().bind(id).execute().await.expect("no error");
        assert_eq!(done.rows_affected(), changed);
    }
    tx.commit().await.expect("it lasts");
    assert_eq!(own(&db, "ann").await, [row("ann", "new")]);
}

/// SQLite itself would run it, and show everything.
#[tokio::test]
async fn a_statement_without_a_place_for_the_owner_is_refused() {
    let file = File::new("place");
    let db = file.tasks().await;
    let mut tx = db.read(&scope("ann")).await.expect("a transaction");
    let all = tx.query("SELECT user_id, title FROM tasks").bind_owner().fetch_all::<(String, String)>().await;
    let refused = all.expect_err("the owner has no place").to_string();
    assert_eq!(refused, "1 arguments are bound, and the statement has 0 places");
    let missing = tx.query("SELECT user_id, title FROM tasks WHERE user_id = ? AND id = ?").bind_owner();
    let refused = missing.fetch_all::<(String, String)>().await.expect_err("an argument is missing").to_string();
    assert_eq!(refused, "1 arguments are bound, and the statement has 2 places");
}

#[tokio::test]
async fn a_transaction_that_reads_changes_nothing() {
    let file = File::new("read");
    let db = file.tasks().await;
    for scope in [scope("ann"), audit_scope("ann", "eve")] {
        let mut tx = db.read(&scope).await.expect("a transaction");
        let delete = tx.query("DELETE FROM tasks WHERE user_id = ? RETURNING user_id").bind_owner();
        let refused = delete.fetch_all::<(String,)>().await.expect_err("it only reads").to_string();
        assert!(refused.contains("attempt to write a readonly database"), "{refused}");
    }
    assert_eq!(own(&db, "ann").await, [row("ann", "a")]);
}

#[tokio::test]
async fn what_is_dropped_or_given_up_is_undone() {
    let file = File::new("drop");
    let db = file.tasks().await;
    let delete = "DELETE FROM tasks WHERE user_id = ?";
    let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
    tx.query(delete).bind_owner().execute().await.expect("a row");
    drop(tx);
    assert_eq!(own(&db, "ann").await, [row("ann", "a")]);
    let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
    tx.query(delete).bind_owner().execute().await.expect("a row");
    tx.rollback().await.expect("undone");
    assert_eq!(own(&db, "ann").await, [row("ann", "a")]);
    for polls in 0..9 {
        let write = async {
            let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
            tx.query(delete).bind_owner().execute().await.expect("a row");
            tx.rollback().await.expect("undone");
        };
        let _ = polled(polls, write).await; // some of them end
        assert_eq!(own(&db, "ann").await, [row("ann", "a")], "after {polls}");
    }
}
