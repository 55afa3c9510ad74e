//! Sixty-four users on four connections, straight to PostgreSQL.

use authcore_sqlx::ScopedPool;
use authcore_testkit::polled;

use crate::crowd;
use crate::database::{Server, tasks};
use crate::scopes::{scope, write_scope};

/// For a minute: `AUTHCORE_SOAK_SECONDS=60 cargo test -p authcore-sqlx --all-features --test it on_four -- --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_users_on_four_connections_see_their_own() {
    let server = Server::start().await;
    server.make_tasks().await;
    server.run("CREATE SEQUENCE ids START 1000000; GRANT USAGE ON SEQUENCE ids TO app").await;
    let pool = server.pool("app", 4).await;
    let db = ScopedPool::postgres(pool.clone(), [tasks()]).await.expect("row-level security holds");
    crowd::run(&server, &db, &pool).await;
    pool.close().await;
}

/// Each place where a transaction can be given up, one after another, on a pool of one connection.
#[tokio::test]
async fn a_transaction_given_up_anywhere_leaves_nothing_behind() {
    let server = Server::start().await;
    server.make_tasks().await;
    server.run("INSERT INTO tasks VALUES (1, 'ann', 'a'), (2, 'bob', 'b')").await;
    let pool = server.pool("app", 1).await;
    let db = ScopedPool::postgres(pool.clone(), [tasks()]).await.expect("row-level security holds");
    let (mut finished, mut given_up) = (0, 0);
    // How often one transaction waits is up to how fast the server answers.
    for polls in (0..9).cycle().take(200) {
        let write = async {
            let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
            tx.query("UPDATE tasks SET title = 'c' WHERE user_id = $1").bind_owner().execute().await.expect("one row");
            tx.commit().await.expect("it lasts");
        };
        match polled(polls, write).await {
            Some(()) => finished += 1,
            None => given_up += 1,
        }
        let ask = "SELECT (SELECT count(*) FROM tasks), current_setting('authcore.user_id', true)";
        let (count, user): (i64, Option<String>) = sqlx::query_as(ask).fetch_one(&pool).await.expect("an answer");
        assert_eq!((count, user.unwrap_or_default().as_str()), (0, ""), "after {polls}");
        let open = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND state LIKE 'idle in transaction%'";
        assert_eq!(server.value::<i64>(open).await, 0, "after {polls}");
        let mut tx = db.read(&scope("bob")).await.expect("a transaction");
        let seen: Vec<(String,)> =
            sqlx::query_as("SELECT user_id FROM tasks").fetch_all(tx.connection()).await.expect("rows");
        assert_eq!(seen, [("bob".to_owned(),)], "after {polls}");
        drop(tx);
        if finished >= 3 && given_up >= 8 {
            return;
        }
    }
    panic!("{finished} came to their end, {given_up} were given up");
}
