//! PostgreSQL ends the connection that a question of the auth server's is under way on.

use std::process::Command;
use std::time::{Duration, Instant};

use better_auth_harness::{Answer, BetterAuthServer, Request};
use sqlx::{Connection as _, PgConnection};

use crate::database::Database;
use crate::engines::Engine;

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_in_use_ends_its_request_and_not_the_server() {
    let engine = Engine::postgres();
    drop(Database::at(&engine.first_database()).await); // once it is there
    let server = BetterAuthServer::start(&[("DATABASE_URL", &engine.first_database())]).expect("a server");
    let cookie = server.sign_up("ada@example.com").expect("an account").cookie;
    let (authority, question) = (server.authority().to_owned(), move |authority: &str| {
        Request::new("GET", "/api/auth/get-session").field("Cookie", cookie.as_str()).send_to(authority)
    });

    let connection = async || PgConnection::connect(&engine.first_database()).await.expect("a connection");
    let (mut admin, mut watching) = (connection().await, connection().await);
    let mut holding = admin.begin().await.expect("a transaction");
    sqlx::raw_sql("LOCK TABLE \"session\"").execute(&mut *holding).await.expect("the lock");
    let asked = tokio::task::spawn_blocking({
        let (authority, question) = (authority.clone(), question.clone());
        move || question(&authority)
    });
    let waiting = until_waiting(&mut watching).await;
    // Without a word of farewell.
    let killed = Command::new("sh").args(["-c", &format!("kill -KILL {waiting}")]).status().expect("a shell");
    assert!(killed.success());

    let refused = asked.await.expect("no panic").map_or(0, |answer: Answer| answer.status);
    assert_eq!(refused, 500, "{}", server.log());
    let patience = Instant::now() + Duration::from_secs(30);
    let found = loop {
        match question(&authority).expect("it still listens") {
            found if found.status == 200 => break found,
            other => assert!(Instant::now() < patience, "{} {}", other.status, server.log()),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(found.json()["user"]["email"], "ada@example.com");
}

/// The process whose question of a session stands before the lock. Within a transaction it would be told the same each time.
async fn until_waiting(watching: &mut PgConnection) -> i32 {
    let patience = Instant::now() + Duration::from_secs(30);
    let sql = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'select %\"session\"%'";
    loop {
        if let Ok(Some(process)) = sqlx::query_scalar(sql).fetch_optional(&mut *watching).await {
            return process;
        }
        assert!(Instant::now() < patience, "nobody waits");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
