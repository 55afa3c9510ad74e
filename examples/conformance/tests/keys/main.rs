//! Both example servers behind an issuer of ours: its keys, its faults, and the tokens that somebody makes of its public
//! keys. Rows A-37 to A-61 and K-84 to K-97 of docs/security/cases.md.

mod algorithms;
mod outages;
mod sets;

use std::thread;
use std::time::{Duration, Instant};

use authcore_testkit::{AUDIENCE, FakeIssuer, ISSUER, SigningKey};
use serde_json::json;
use tasks_conformance::{Answer, Example, Request, Server};
use tokio::runtime::{Builder, Runtime};

/// An issuer on the loopback. What else of the testkit needs a runtime runs on its own.
struct Issuer {
    // Before the runtime that it runs on.
    fake: FakeIssuer,
    runtime: Runtime,
}

impl Issuer {
    fn publishing(keys: &[&SigningKey]) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        Self { fake: runtime.block_on(FakeIssuer::start(keys)), runtime }
    }

    fn answering(answer: authcore_testkit::Answer) -> Self {
        let issuer = Self::publishing(&[]);
        issuer.fake.answer(answer);
        issuer
    }

    fn requested(&self, count: u64) {
        self.runtime.block_on(self.fake.requested(count));
    }

    /// A server that trusts it, whether or not it has the keys already.
    fn server(&self, example: Example, settings: &[(&str, &str)]) -> Server {
        let url = self.fake.jwks_url();
        let trusting =
            [("BETTER_AUTH_JWKS_URL", &*url), ("BETTER_AUTH_ISSUER", ISSUER), ("BETTER_AUTH_AUDIENCE", AUDIENCE)];
        let started = example.start(&[&trusting, settings].concat());
        started.unwrap_or_else(|error| panic!("{}: {error}", example.name()))
    }

    /// A server that trusts it and has the keys.
    fn ready(&self, example: Example) -> Server {
        let server = self.server(example, &[]);
        let deadline = Instant::now() + Duration::from_secs(10);
        while send(&server, Request::new("GET", "/ready")).status != 200 {
            assert!(Instant::now() < deadline, "{} does not get ready: {}", example.name(), server.log());
            thread::sleep(Duration::from_millis(5));
        }
        server
    }
}

fn send(server: &Server, request: Request) -> Answer {
    request.send_to(server.authority()).unwrap_or_else(|error| panic!("{}: {error}", server.url()))
}

fn present(server: &Server, token: &str) -> Answer {
    send(server, Request::new("GET", "/api/tasks").bearer(token))
}

#[track_caller]
fn assert_accepted(server: &Server, token: &str, case: &str) {
    let answer = present(server, token);
    assert_eq!((answer.status, &answer.json()["user_id"]), (200, &json!("alice")), "{case}: {}", answer.text());
}

/// `401` as for any token that is not believed, in the same words.
#[track_caller]
fn assert_refused(server: &Server, token: &str, case: &str) {
    let answer = present(server, token);
    let said = (answer.status, answer.json()["code"].clone(), answer.json()["detail"].clone());
    assert_eq!(said, (401, json!("token_invalid"), json!("Token is not valid")), "{case}");
    let challenge = answer.field("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with(r#"Bearer realm="tasks", error="invalid_token", error_desc"#), "{case}: {challenge}");
    assert!(!answer.text().contains(token), "{case}");
}

/// `503`: nobody could judge it, so nobody says that it is bad.
#[track_caller]
fn assert_unavailable(server: &Server, token: &str, case: &str) {
    let answer = present(server, token);
    assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("auth_unavailable")), "{case}");
    let seconds = answer.field("retry-after").and_then(|after| after.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| (1..=30).contains(&seconds)), "{case}: Retry-After {seconds:?}");
    assert_eq!(answer.field("www-authenticate"), None, "{case}");
}
