//! Tasks that change hands while a request is on its way to them: a real race for the row, on both engines.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use tasks_conformance::{Answer, Example, Request, Server};

use crate::cluster::Cluster;
use crate::support::{folder, signer, with_tasks_in};

/// What a request would have done to the task, once the other transaction is over.
type Write = (&'static str, fn(&Value) -> Request, u16);

const WRITES: [Write; 3] = [
    ("change", |id| Request::new("PUT", format!("/api/tasks/{id}")).json(json!({"title": "Still Ann's"})), 200),
    ("toggle", |id| Request::new("PATCH", format!("/api/ann/tasks/{id}/complete")), 200),
    ("delete", |id| Request::new("DELETE", format!("/api/user/tasks/{id}")), 204),
];

#[tokio::test]
async fn i125_a_task_that_changes_hands_while_a_request_waits_is_not_written_on_postgresql() {
    let cluster = Cluster::shared();
    for example in Example::ALL {
        let name = example.name().replace('-', "_");
        let (server, _) = with_tasks_in(example, &cluster.database(&name).await);
        let mut other = cluster.admin(&name).await;
        for (write, request, done) in WRITES {
            for commits in [true, false] {
                let id = ask(&server, new_task()).json()["id"].clone();
                let mut holding = other.begin().await.expect("a transaction");
                let hand_over = sqlx::query("UPDATE tasks SET user_id = 'bob' WHERE id = $1").bind(id.as_i64());
                hand_over.execute(&mut *holding).await.expect("it changes hands");
                let answer = sent(&server, request(&id));
                cluster.until_waiting(&name, 1).await;
                assert_eq!(answer.try_recv().err(), Some(mpsc::TryRecvError::Empty), "{write} waits for the row");
                if commits {
                    holding.commit().await.expect("it lasts");
                } else {
                    holding.rollback().await.expect("as before");
                }
                let case = format!("{}: {write}, commits: {commits}", example.name());
                judge(&server, &answer.recv().expect("an answer"), &id, (commits, done), &case);
            }
        }
    }
}

#[tokio::test]
async fn i125_a_task_that_changes_hands_while_a_request_waits_is_not_written_on_sqlite() {
    for example in Example::ALL {
        let url = format!("sqlite:{}", folder(&format!("hands-{}", example.name())).join("tasks.db").display());
        let (server, _) = with_tasks_in(example, &url);
        let mut other = SqliteConnection::connect(&url).await.expect("the same file");
        for (write, request, done) in WRITES {
            for commits in [true, false] {
                let id = ask(&server, new_task()).json()["id"].clone();
                let mut holding = other.begin_with("BEGIN IMMEDIATE").await.expect("the lock on writing");
                let hand_over = sqlx::query("UPDATE tasks SET user_id = 'bob' WHERE id = ?1").bind(id.as_i64());
                hand_over.execute(&mut *holding).await.expect("it changes hands");
                let answer = sent(&server, request(&id));
                // SQLite tells nobody who waits; whoever did not would have answered by now.
                let waits = answer.recv_timeout(Duration::from_millis(200)).err();
                assert_eq!(waits, Some(RecvTimeoutError::Timeout), "{write} waits for the lock");
                if commits {
                    holding.commit().await.expect("it lasts");
                } else {
                    holding.rollback().await.expect("as before");
                }
                let case = format!("{}: {write}, commits: {commits}", example.name());
                judge(&server, &answer.recv().expect("an answer"), &id, (commits, done), &case);
            }
        }
    }
}

fn new_task() -> Request {
    Request::new("POST", "/api/tasks").json(json!({"title": "Ann's"}))
}

/// Once it was bob's, the request found nothing and changed nothing; when it stayed ann's, it was served.
fn judge(server: &Server, answer: &Answer, id: &Value, (was_handed_over, done): (bool, u16), case: &str) {
    let bob = signer().sign(&signer().mint("bob"));
    let bobs = Request::new("GET", format!("/api/tasks/{id}")).bearer(&bob).send_to(server.authority());
    let bobs = bobs.expect("an answer");
    if was_handed_over {
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("not_found")), "{case}");
        let found = bobs.json();
        assert_eq!(
            (bobs.status, &found["title"], &found["completed"]),
            (200, &json!("Ann's"), &json!(false)),
            "{case}"
        );
        assert_eq!(found["created_at"], found["updated_at"], "{case}");
    } else {
        assert_eq!((answer.status, bobs.status), (done, 404), "{case}");
    }
}

/// Ann's request, on its way in another thread.
fn sent(server: &Server, request: Request) -> mpsc::Receiver<Answer> {
    let (sender, receiver) = mpsc::channel();
    let (authority, request) = (server.authority().to_owned(), request.bearer(&ann()));
    thread::spawn(move || sender.send(request.send_to(&authority).expect("an answer")));
    receiver
}

fn ask(server: &Server, request: Request) -> Answer {
    request.bearer(&ann()).send_to(server.authority()).expect("an answer")
}

fn ann() -> String {
    signer().sign(&signer().mint("ann"))
}
