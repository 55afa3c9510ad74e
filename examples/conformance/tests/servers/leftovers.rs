//! What the servers leave in the database's sessions, and what a session without a user gets to see: nothing.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tasks_conformance::{Example, Request, Server};

use crate::cluster::Cluster;
use crate::support::{signer, with_tasks_in};
use crate::tap::Tap;

const LEFT_OVER: &str =
    "SELECT concat(current_setting('authcore.user_id', true), current_setting('authcore.actor_id', true))";

#[tokio::test]
async fn i126_no_setting_stays_on_a_pooled_connection() {
    let cluster = Cluster::shared();
    for example in Example::ALL {
        let name = format!("tapped_{}", example.name().replace('-', "_"));
        cluster.database(&name).await;
        let tap = Tap::before(cluster.engine.port());
        let (server, _) = with_tasks_in(example, &tap.url(&name));

        // Requests that end well, that are refused by the store, and that never come to it.
        let id = send(&server, "ann", Request::new("POST", "/api/tasks").json(json!({"title": "Ann's"})), 201);
        for user in ["ann", "bob"] {
            let status = if user == "ann" { 200 } else { 404 };
            send(&server, user, Request::new("GET", "/api/tasks"), 200);
            send(&server, user, Request::new("GET", format!("/api/tasks/{id}")), status);
            send(&server, user, Request::new("PATCH", format!("/api/tasks/{id}/complete")), status);
            send(&server, user, Request::new("GET", "/api/eve/tasks"), 403);
            let left = tap.ask(LEFT_OVER);
            assert!(!left.is_empty() && left.iter().all(String::is_empty), "{}: {left:?}", example.name());
        }

        // The question would find them; and what somebody else left in a session counts for nobody.
        let planted = tap.ask("SELECT set_config('authcore.user_id', 'ann', false)");
        assert!(!planted.is_empty() && tap.ask(LEFT_OVER).iter().all(|left| left == "ann"), "{}", example.name());
        assert_eq!(send(&server, "bob", Request::new("GET", "/api/tasks"), 200), json!([]));
        send(&server, "bob", Request::new("GET", format!("/api/tasks/{id}")), 404);
    }
}

#[tokio::test]
async fn i127_without_a_user_the_servers_own_role_sees_and_changes_nothing() {
    let cluster = Cluster::shared();
    let url = cluster.database("nobody").await;
    let (server, _) = with_tasks_in(Example::Axum, &url);
    for user in ["ann", "bob"] {
        send(&server, user, Request::new("POST", "/api/tasks").json(json!({"title": "kept"})), 201);
    }
    let mut role = PgConnection::connect(&url).await.expect("the role may log in");
    for setting in ["SELECT 1", "SELECT set_config('authcore.user_id', '', false)", "RESET authcore.user_id"] {
        sqlx::raw_sql(AssertSqlSafe(setting)).execute(&mut role).await.expect("a setting");
        let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks").fetch_one(&mut role).await.expect("no error");
        assert_eq!(seen, 0, "{setting}");
        for write in ["UPDATE tasks SET title = 'changed'", "DELETE FROM tasks"] {
            let done = sqlx::query(write).execute(&mut role).await.expect("no error");
            assert_eq!(done.rows_affected(), 0, "{setting}: {write}");
        }
    }
    let kept = "SELECT count(*) FROM tasks WHERE title = 'kept'";
    let kept: i64 = sqlx::query_scalar(kept).fetch_one(&mut cluster.admin("nobody").await).await.expect("a number");
    assert_eq!(kept, 2, "there was something to be seen");
}

/// What a user is answered: the tasks of a list, the id of a task, or whatever else.
fn send(server: &Server, user: &str, request: Request, status: u16) -> serde_json::Value {
    let about = format!("{user}: {request}");
    let token = signer().sign(&signer().mint(user));
    let answer = request.bearer(&token).send_to(server.authority()).expect("an answer");
    assert_eq!(answer.status, status, "{about}: {}", answer.text());
    let body = answer.json();
    body.get("tasks").or_else(|| body.get("id")).cloned().unwrap_or(body)
}
