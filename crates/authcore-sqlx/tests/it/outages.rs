//! A database that cannot be asked is an outage; one that refuses is not.

use std::time::Duration;

use authcore_sqlx::{ScopedPool, unavailable};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::database::{Server, tasks};
use crate::scopes::{scope, write_scope};

#[tokio::test]
async fn an_outage_is_told_from_a_refusal() {
    let mut server = Server::start().await;
    server.make_tasks().await;
    let options =
        PgConnectOptions::new().host("127.0.0.1").port(server.engine.port()).username("app").database("postgres");
    let pool =
        PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_millis(300)).connect_with(options);
    let pool = pool.await.expect("the role may log in");
    let db = ScopedPool::postgres(pool, [tasks()]).await.expect("row-level security holds");

    let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
    let busy = db.read(&scope("ann")).await.expect_err("the only connection is taken");
    assert!(matches!(busy, sqlx::Error::PoolTimedOut), "{busy}");
    assert!(unavailable(busy).is_ok());

    let planted = "INSERT INTO tasks VALUES (1, 'bob', $1)";
    let refused = unavailable(tx.query(planted).bind_owner().execute().await.expect_err("not one's own"));
    assert!(refused.is_err(), "a refusal is no outage");
    drop(tx);

    let mut tx = db.write(&write_scope("ann")).await.expect("a transaction");
    server.engine.stop();
    let broken = tx.query("SELECT id FROM tasks WHERE user_id = $1").bind_owner().fetch_all::<(i64,)>().await;
    let broken = broken.expect_err("the server is gone");
    assert!(unavailable(broken).is_ok());
    drop(tx);
    let gone = db.read(&scope("ann")).await.expect_err("the server is gone");
    assert!(unavailable(gone).is_ok());
}
