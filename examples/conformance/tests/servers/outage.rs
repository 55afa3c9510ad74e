//! PostgreSQL goes away under a running server, and comes back.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::Connection as _;
use tasks_conformance::{Answer, Example, Request, Server};

use crate::cluster::Cluster;
use crate::support::{signer, with_tasks_in};
use crate::tap::Tap;

#[tokio::test]
async fn postgresql_stopped_is_503_and_started_again_is_200() {
    let mut cluster = Cluster::new();
    let url = cluster.database("outage").await;
    let servers = Example::ALL.map(|example| with_tasks_in(example, &url).0);
    let ids = servers.each_ref().map(|server| {
        let made = send(server, Request::new("POST", "/api/tasks").json(json!({"title": "kept"})));
        assert_eq!((made.status, send(server, Request::new("GET", "/ready")).status), (201, 200));
        made.json()["id"].clone()
    });

    cluster.engine.stop();
    thread::scope(|scope| {
        for (server, id) in servers.iter().zip(&ids) {
            for request in [
                Request::new("GET", "/api/tasks"),
                Request::new("POST", "/api/tasks").json(json!({"title": "lost"})),
                Request::new("GET", format!("/api/ann/tasks/{id}")),
                Request::new("PUT", format!("/api/tasks/{id}")).json(json!({"title": "lost"})),
                Request::new("PATCH", format!("/api/user/tasks/{id}/complete")),
                Request::new("DELETE", format!("/api/tasks/{id}")),
            ] {
                scope.spawn(|| refused_for_now(server.authority(), request));
            }
            scope.spawn(|| {
                let ready = send(server, Request::new("GET", "/ready"));
                assert_eq!((ready.status, &ready.json()["failing"]), (503, &json!(["database"])));
                assert!(ready.field("retry-after").is_some());
            });
            // What needs no tasks goes on.
            assert_eq!(send(server, Request::new("GET", "/health")).status, 200);
            assert_eq!(send(server, Request::new("GET", "/api/user/profile")).status, 200);
        }
    });

    cluster.engine.start();
    for (server, id) in servers.iter().zip(&ids) {
        until_ready(server);
        let found = send(server, Request::new("GET", format!("/api/tasks/{id}")));
        assert_eq!((found.status, &found.json()["title"]), (200, &json!("kept")));
        let log = server.log();
        assert!(!log.contains("panicked") && log.contains("the task store cannot be reached"), "{log}");
    }
}

/// Connections stay open, and nobody answers: neither who asks for one, nor who asked something before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_that_stands_still_is_503_too() {
    let cluster = Cluster::shared();
    cluster.database("still").await;
    let tap = Tap::before(cluster.engine.port());
    let servers = Example::ALL.map(|example| with_tasks_in(example, &tap.url("still")).0);
    let mut admin = cluster.admin("still").await;
    let mut holding = admin.begin().await.expect("a transaction");
    sqlx::raw_sql("LOCK TABLE tasks").execute(&mut *holding).await.expect("the lock");
    let asked = tokio::task::spawn_blocking({
        let authorities = servers.each_ref().map(|server| server.authority().to_owned());
        move || try_all(&authorities)
    });
    cluster.until_waiting("still", 4).await;
    tap.silence(true);
    holding.rollback().await.expect("as before");
    asked.await.expect("each was refused");
    try_all(&servers.each_ref().map(|server| server.authority().to_owned()));

    tap.silence(false);
    for server in &servers {
        until_ready(server);
        assert_eq!(send(server, Request::new("GET", "/api/tasks")).status, 200);
    }
}

#[tokio::test]
async fn a_table_that_somebody_keeps_locked_is_503_too() {
    let cluster = Cluster::shared();
    let url = cluster.database("locked").await;
    let servers = Example::ALL.map(|example| with_tasks_in(example, &url).0);
    let mut admin = cluster.admin("locked").await;
    let mut holding = admin.begin().await.expect("a transaction");
    sqlx::raw_sql("LOCK TABLE tasks").execute(&mut *holding).await.expect("the lock");
    try_all(&servers.each_ref().map(|server| server.authority().to_owned()));
    holding.rollback().await.expect("as before");
    for server in &servers {
        assert_eq!(send(server, Request::new("GET", "/api/tasks")).status, 200);
    }
}

/// A request that reads and one that writes, to each server at once: all are refused for now.
fn try_all(authorities: &[String]) {
    thread::scope(|scope| {
        for authority in authorities {
            scope.spawn(|| refused_for_now(authority, Request::new("GET", "/api/tasks")));
            let post = Request::new("POST", "/api/tasks").json(json!({"title": "lost"}));
            scope.spawn(|| refused_for_now(authority, post));
        }
    });
}

fn until_ready(server: &Server) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while send(server, Request::new("GET", "/ready")).status != 200 {
        assert!(Instant::now() < deadline, "it does not get ready: {}", server.log());
        thread::sleep(Duration::from_millis(50));
    }
}

fn refused_for_now(authority: &str, request: Request) {
    let (about, refused) = (request.to_string(), send_to(authority, request));
    assert_eq!((refused.status, &refused.json()["code"]), (503, &json!("store_unavailable")), "{about}");
    assert_eq!(refused.field("retry-after").as_deref(), Some("1"), "{about}");
    assert_eq!(refused.field("content-type").as_deref(), Some("application/problem+json"), "{about}");
}

fn send(server: &Server, request: Request) -> Answer {
    send_to(server.authority(), request)
}

fn send_to(authority: &str, request: Request) -> Answer {
    let token = signer().sign(&signer().mint("ann"));
    request.bearer(&token).send_to(authority).expect("an answer")
}
