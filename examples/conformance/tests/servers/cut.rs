//! Clients that go away in the middle: of what they ask, or of the answer.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tasks_conformance::{Example, Request, Server, connect};

use crate::cluster::Cluster;
use crate::support::{signer, with_tasks_in};

/// How many go away at the same time.
const AT_ONCE: usize = 8;

#[tokio::test]
async fn a_request_that_is_cut_off_at_any_byte_does_nothing_and_harms_nobody() {
    let cluster = Cluster::shared();
    for example in Example::ALL {
        let url = cluster.database(&format!("cut_{}", example.name().replace('-', "_"))).await;
        let (mut server, _) = with_tasks_in(example, &url);
        let bytes = post(&ann()).to_bytes(server.authority());
        // Half of them say that nothing more comes and read on; half of them are gone at once.
        at_every(bytes.len() * 2, |number| {
            let mut stream = connect(server.authority()).expect("it listens");
            stream.write_all(&bytes[..number / 2]).expect("it reads");
            if number % 2 == 0 {
                stream.shutdown(Shutdown::Write).expect("it is open");
                let mut answer = String::new();
                let _ = stream.read_to_string(&mut answer); // closed, with or without an answer
                assert!(!answer.starts_with("HTTP/1.1 2"), "{} bytes: {answer}", number / 2);
            }
        });
        serves_everybody(&server);
        let list = Request::new("GET", "/api/tasks").bearer(&ann()).send_to(server.authority());
        let list = list.expect("an answer").json();
        assert_eq!(list["tasks"], json!([]), "{}: no request was whole", example.name());
        ends_without_a_panic(&mut server);
    }
}

#[tokio::test]
async fn an_answer_that_nobody_waits_for_harms_nobody() {
    let cluster = Cluster::shared();
    for example in Example::ALL {
        let name = format!("left_{}", example.name().replace('-', "_"));
        let (mut server, _) = with_tasks_in(example, &cluster.database(&name).await);
        let bytes = post(&ann()).to_bytes(server.authority());
        let (sent, answered) = (600, AtomicUsize::new(0));
        // After so many bytes of the answer; the first ones at once, while the server works.
        at_every(sent, |wanted| {
            let mut stream = connect(server.authority()).expect("it listens");
            stream.write_all(&bytes).expect("it reads");
            let read = stream.take(wanted as u64).read_to_end(&mut Vec::new()).expect("an answer, or some of it");
            answered.fetch_add(usize::from(read > 0), Ordering::Relaxed);
        });
        serves_everybody(&server);
        // Whoever read of an answer has a task; who did not cannot know.
        let count = sqlx::query_scalar("SELECT count(*) FROM tasks WHERE user_id = 'ann'");
        let made: i64 = count.fetch_one(&mut cluster.admin(&name).await).await.expect("a count");
        let made = usize::try_from(made).expect("a count");
        let answered = answered.into_inner();
        assert!((answered..=sent).contains(&made), "{}: {made} for {answered}", example.name());
        ends_without_a_panic(&mut server);
    }
}

/// Does this for each number below, a few at a time.
fn at_every(end: usize, act: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < end) {
                    act(number);
                }
            });
        }
    });
}

/// More users at once than the server has connections to its database: each gets their own task, and sees it alone.
fn serves_everybody(server: &Server) {
    thread::scope(|scope| {
        for number in 0..32 {
            scope.spawn(move || {
                let token = signer().sign(&signer().mint(&format!("user-{number}")));
                let made = post(&token).send_to(server.authority()).expect("an answer");
                assert_eq!(made.status, 201, "{}", made.text());
                let list = Request::new("GET", "/api/tasks").bearer(&token).send_to(server.authority());
                assert_eq!(list.expect("an answer").json()["tasks"], json!([made.json()]));
            });
        }
    });
}

/// Ended first, so that nothing is still to be written.
fn ends_without_a_panic(server: &mut Server) {
    server.signal("TERM");
    assert!(server.ended_within(Duration::from_secs(15)).is_some_and(|status| status.success()), "{}", server.log());
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

fn post(token: &str) -> Request {
    Request::new("POST", "/api/tasks").bearer(token).json(json!({"title": "cut off"}))
}

fn ann() -> String {
    signer().sign(&signer().mint("ann"))
}
