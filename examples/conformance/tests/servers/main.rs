//! The example servers as programs: the suite on both and on each engine, settings, shutdown, storage.

mod cluster;
mod cut;
#[path = "../../../../crates/authcore-better-auth/tests/support/engines.rs"]
#[expect(dead_code, reason = "not every test of an engine needs all of it")]
mod engines;
mod hands;
mod leftovers;
mod outage;
mod postgres;
mod settings;
mod support;
mod tap;

use std::collections::HashSet;
use std::io::{BufReader, Write as _};
use std::process::Command;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tasks_conformance::{Answer, Example, Request, Server, Target, connect, run, run_against};

use cluster::Cluster;
use support::{VERIFYING, assert_clean_log, assert_passed, folder, signer, start, with_secret};

#[test]
fn both_servers_keep_the_contract_and_answer_alike() {
    let (axum, one) = with_secret(Example::Axum);
    let (actix, other) = with_secret(Example::Actix);

    let report = run_against(&one, &other, |_| ());

    assert_passed(&report);
    assert_eq!(report.skipped(), 0, "the secret is known");
    assert_clean_log(&axum, &one);
    assert_clean_log(&actix, &other);
}

#[test]
fn demo_mode_keeps_the_contract_too() {
    for example in Example::ALL {
        let server = start(example, &[]);
        let target = Target::in_demo_mode(server.url()).expect("demo mode hands out tokens");
        assert_passed(&run(&target, |_| ()));
    }
}

#[test]
fn demo_mode_prints_a_curl_line_for_each_user_that_works_as_it_stands() {
    for example in Example::ALL {
        let server = start(example, &[]);
        for user in ["alice", "bob", "root", "pia"] {
            let line = server.find_line(|line| {
                let token = line.split("Bearer ").nth(1)?.split(['\'', '"']).next()?;
                let person = tasks_conformance::Person::of_token(token)?;
                (line.contains("curl ") && person.id == user).then(|| token.to_owned())
            });
            let token = line.unwrap_or_else(|| panic!("{}: no curl line for {user}", example.name()));
            let answer =
                Request::new("GET", "/api/tasks").bearer(&token).send_to(server.authority()).expect("an answer");
            assert_eq!((answer.status, &answer.json()["user_id"]), (200, &json!(user)));
        }
    }
}

#[test]
fn outside_demo_mode_nobody_hands_out_tokens() {
    for example in Example::ALL {
        let (server, _) = with_secret(example);
        let request = Request::new("GET", "/demo/token?user=alice");
        let answer = request.send_to(server.authority()).expect("an answer");
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("not_found")), "{}", example.name());
    }
}

#[test]
fn the_command_says_by_its_status_how_it_went() {
    let server = start(Example::Axum, &[]);
    let suite = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasks-conformance"));
        command.args(arguments).env("GUESS", "a secret that this server does not have").output().expect("it runs")
    };

    let good = suite(&["--url", server.url()]);
    let stdout = String::from_utf8_lossy(&good.stdout);
    let last = stdout.lines().last().unwrap_or_default();
    assert!(good.status.code() == Some(0) && last.contains(" passed, 0 failed, "), "{stdout}");

    // Tokens that the server does not believe: hardly anything passes.
    let failed = suite(&["--url", server.url(), "--secret-env", "GUESS"]);
    assert_eq!(failed.status.code(), Some(1));

    let wrong: [&[&str]; 7] = [
        &[],
        &["--url"],
        &["--uri", server.url()],
        &["--url", "ftp://127.0.0.1"],
        &["--url", server.url(), "--secret-env", "NOT_SET_ANYWHERE"],
        &["--url", server.url(), "--issuer", "x"],
        &["--url", "http://127.0.0.1:9"],
    ];
    for arguments in wrong {
        let refused = suite(arguments);
        assert_eq!((refused.status.code(), &*refused.stdout), (Some(2), &b""[..]), "{arguments:?}");
    }
}

/// A request whose second half comes only when its sender says so.
struct Slow {
    stream: std::net::TcpStream,
    rest: Vec<u8>,
}

impl Slow {
    /// Sends the head, and returns when the server has begun to wait for the body.
    fn begin(target: &Target) -> Self {
        let body = br#"{"title":"slow"}"#;
        let mut stream = connect(&target.authority).expect("the server listens");
        let head = format!(
            "POST /api/tasks HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            target.authority,
            target.people.alice.token,
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("the head is sent");
        let interim = Answer::read_head(&mut BufReader::new(stream.try_clone().expect("a second handle")));
        assert_eq!(interim.expect("an interim answer").status, 100);
        Self { stream, rest: body.to_vec() }
    }

    fn finish(mut self) -> Answer {
        self.stream.write_all(&self.rest).expect("the body is sent");
        Answer::read(&mut BufReader::new(self.stream), "POST").expect("an answer")
    }
}

/// Returns when nobody listens there any more.
fn wait_until_refused(authority: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while connect(authority).is_ok() {
        assert!(Instant::now() < deadline, "{authority} still takes connections");
        thread::yield_now();
    }
}

#[test]
fn a_signal_lets_what_is_in_flight_finish() {
    for example in Example::ALL {
        for signal in ["TERM", "INT"] {
            let (mut server, target) = with_secret(example);
            // Kept open without a request: it may not hold the server up.
            let idle = connect(&target.authority).expect("the server listens");
            let slow = Slow::begin(&target);

            server.signal(signal);
            wait_until_refused(&target.authority);
            let answer = slow.finish();

            let case = format!("{} on {signal}", example.name());
            assert_eq!((answer.status, &answer.json()["title"]), (201, &json!("slow")), "{case}");
            let status = server.ended_within(Duration::from_secs(5));
            assert_eq!(status.and_then(|status| status.code()), Some(0), "{case}");
            drop(idle);
        }
    }
}

#[test]
fn a_request_that_never_ends_holds_the_server_up_for_ten_seconds_at_most() {
    thread::scope(|scope| {
        for example in Example::ALL {
            scope.spawn(move || {
                let (mut server, target) = with_secret(example);
                let _slow = Slow::begin(&target);
                let begin = Instant::now();
                server.signal("TERM");
                let status = server.ended_within(Duration::from_secs(15)).and_then(|status| status.code());
                let took = begin.elapsed();
                assert_eq!(status, Some(0), "{} after {took:?}", example.name());
                assert!((8..13).contains(&took.as_secs()), "{} after {took:?}", example.name());
            });
        }
    });
}

#[test]
fn tasks_in_a_file_survive_a_restart() {
    for example in Example::ALL {
        let file = folder(&format!("restart-{}", example.name())).join("tasks.db");
        let database = format!("sqlite:{}", file.display());
        let settings = [VERIFYING.as_slice(), &[("DATABASE_URL", &database)]].concat();
        let token = signer().sign(&signer().mint("ann"));
        let ask = |server: &Server, request: Request| {
            request.bearer(&token).send_to(server.authority()).expect("an answer").json()
        };

        let mut server = start(example, &settings);
        let made = ask(&server, Request::new("POST", "/api/tasks").json(json!({"title": "kept"})));
        server.signal("TERM");
        assert!(server.ended_within(Duration::from_secs(5)).is_some());

        let server = start(example, &settings);
        assert_eq!(ask(&server, Request::new("GET", "/api/tasks"))["tasks"], json!([made]), "{}", example.name());
    }
}

#[tokio::test]
async fn thirty_two_writers_at_once_all_get_their_task() {
    let cluster = Cluster::shared();
    for example in Example::ALL {
        let file = folder(&format!("writers-{}", example.name())).join("tasks.db");
        let postgres = cluster.database(&format!("writers_{}", example.name().replace('-', "_"))).await;
        for database in ["sqlite::memory:".to_owned(), format!("sqlite:{}", file.display()), postgres] {
            let server = start(example, &[VERIFYING.as_slice(), &[("DATABASE_URL", &database)]].concat());
            let token = signer().sign(&signer().mint("ann"));
            let together = Barrier::new(32);
            let write = |number: usize| {
                let request =
                    Request::new("POST", "/api/tasks").bearer(&token).json(json!({"title": number.to_string()}));
                together.wait();
                let answer = request.send_to(server.authority()).expect("an answer");
                assert_eq!(answer.status, 201, "{}, {database}: {}", example.name(), answer.text());
                answer.json()["id"].as_i64()
            };
            let ids: HashSet<_> = thread::scope(|scope| {
                let writers: Vec<_> = (0..32).map(|number| scope.spawn(move || write(number))).collect();
                writers.into_iter().map(|writer| writer.join().expect("a writer that got its answer")).collect()
            });
            assert_eq!(ids.len(), 32);
            let list = Request::new("GET", "/api/tasks?limit=100").bearer(&token);
            assert_eq!(list.send_to(server.authority()).expect("an answer").json()["count"], 32);
        }
    }
}
