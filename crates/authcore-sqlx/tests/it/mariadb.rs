//! MariaDB: owners compared byte for byte, transactions that read, and nothing left behind.

use std::time::{Duration, Instant};

use authcore::{Caller, Identity, Method, Object, Sharing as _, UserId};
use authcore_sqlx::{GrantTable, OwnedTable, ScopedPool};
use authcore_testkit::polled;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{AssertSqlSafe, MySql, MySqlPool};

use crate::database::state;
use crate::engines::Engine;
use crate::scopes::{scope, write_scope};

fn tasks() -> OwnedTable {
    OwnedTable::new("tasks", "user_id").expect("good names")
}

#[tokio::test]
async fn the_owner_is_an_argument_of_each_statement() {
    let engine = Engine::mariadb();
    let pool = patiently_at(&engine.url("auth")).await;
    let make = "CREATE TABLE tasks (id bigint PRIMARY KEY, user_id varchar(255) COLLATE utf8mb4_general_ci NOT NULL, \
                title text NOT NULL); INSERT INTO tasks VALUES (1, 'ann', 'a'), (2, 'bob', 'b'), (3, 'Ann', 'c')";
    sqlx::raw_sql(make).execute(&pool).await.expect("a table");

    let refused = ScopedPool::mysql(pool.clone(), [tasks()]).await.expect_err("Ann would be ann").to_string();
    assert!(refused.starts_with("table `tasks`: `user_id` compares by utf8mb4_general_ci"), "{refused}");
    let absent = OwnedTable::new("tasks", "owner").expect("good names");
    let refused = ScopedPool::mysql(pool.clone(), [absent]).await.expect_err("no such column").to_string();
    assert_eq!(refused, "table `tasks`: there is none with a column `owner`");
    let mend = "ALTER TABLE tasks MODIFY user_id varchar(255) COLLATE utf8mb4_bin NOT NULL";
    sqlx::raw_sql(mend).execute(&pool).await.expect("another collation");
    let lent = pool.clone();
    let db = ScopedPool::mysql(pool, [tasks()]).await.expect("owners are compared byte for byte");

    assert_eq!(own(&db, "ann").await, ["a"]);
    assert_eq!(own(&db, "Ann").await, ["c"]);
    assert!(own(&db, "' OR 1=1 #").await.is_empty());
    let mut tx = db.read(&scope("ann")).await.expect("a transaction");
    let all = tx.query("SELECT title FROM tasks").bind_owner().fetch_all::<(String,)>().await;
    let refused = all.expect_err("the owner has no place").to_string();
    assert_eq!(refused, "1 arguments are bound, and the statement has 0 places");
    let delete = tx.query("DELETE FROM tasks WHERE user_id = ? RETURNING title").bind_owner();
    let refused = delete.fetch_all::<(String,)>().await.expect_err("it only reads");
    assert_eq!(state(&refused), "25006", "{refused}");
    drop(tx);

    let delete = "DELETE FROM tasks WHERE user_id = ?";
    for polls in 0..13 {
        let write = async {
            let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
            tx.query(delete).bind_owner().execute().await.expect("a row");
        };
        let _ = polled(polls, write).await; // some of them end
        assert_eq!(own(&db, "ann").await, ["a"], "after {polls}");
    }
    let grants = GrantTable::new("shared").expect("a good name");
    sqlx::raw_sql(AssertSqlSafe(grants.create_table::<MySql>())).execute(&lent).await.expect("made");
    let grants = grants.over(lent).unnamed_statements();
    let ann = Identity::assertion(UserId::new("ann").expect("an id"), Method::Other("test")).into_identity();
    let plan = Object::new("plan", "17");
    for polls in 0..13 {
        let _ = polled(polls, grants.shared(&Caller::from(&ann), &plan)).await; // some of them end
        let asked = tokio::time::timeout(Duration::from_secs(20), grants.shared(&Caller::from(&ann), &plan)).await;
        assert_eq!(asked.expect("a connection").expect("an answer"), None, "after {polls}");
    }

    let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
    let slow = tx.query("SELECT SLEEP(5), user_id FROM tasks WHERE user_id = ?").bind_owner();
    assert!(polled(1, slow.fetch_all::<(i64, String)>()).await.is_none(), "it has to be waited for");
    let refused = tx.query(delete).bind_owner().execute().await.expect_err("nobody knows what would be answered");
    assert!(matches!(refused, sqlx::Error::Protocol(_)), "{refused}");
    tx.commit().await.expect_err("nor whether this would be heard");
    let mut tx = db.write(&write_scope("ann")).await.expect("a transaction on another connection");
    assert_eq!(tx.query(delete).bind_owner().execute().await.expect("a row").rows_affected(), 1);
    tx.commit().await.expect("it lasts");
    assert!(own(&db, "ann").await.is_empty());
    assert_eq!(own(&db, "bob").await, ["b"]);
}

async fn own(db: &ScopedPool<MySql>, user: &str) -> Vec<String> {
    let mut tx = db.read(&scope(user)).await.expect("a transaction");
    let rows: Vec<(String,)> =
        tx.query("SELECT title FROM tasks WHERE user_id = ?").bind_owner().fetch_all().await.expect("rows");
    rows.into_iter().map(|(title,)| title).collect()
}

/// Waits until the server is there. One connection: what is left behind would be found.
async fn patiently_at(url: &str) -> MySqlPool {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        match MySqlPoolOptions::new().max_connections(1).connect(url).await {
            Ok(pool) => return pool,
            Err(error) => assert!(Instant::now() < patience, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
