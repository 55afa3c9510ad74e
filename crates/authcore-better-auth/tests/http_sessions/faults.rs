//! Answers that are no answer.

use std::time::{Duration, Instant};

use authcore_testkit::{Answer, FakeIssuer};

use super::{by_bearer, by_cookie, find};

const RECORD: &str = r#"{"session":{"id":"s","token":"t","userId":"u","expiresAt":"2026-11-27T19:17:36.444Z"},
    "user":{"id":"u","name":"Ada","email":"ada@example.com","emailVerified":true},"needsRefresh":false}"#;

async fn complaint(server: &FakeIssuer, answer: Answer) -> String {
    server.answer(answer.clone());
    let sessions = by_cookie(&server.url()).deadline(Duration::from_millis(300));
    let begin = Instant::now();
    let error = find(&sessions, "a-session-token").await.expect_err("no answer");
    assert!(begin.elapsed() < Duration::from_millis(1300), "{answer:?}: {:?}", begin.elapsed());
    assert!(!error.retry_after().is_zero());
    let message = error.to_string();
    let chain = format!("{error:?}");
    assert!(!message.contains("a-session-token") && !chain.contains("a-session-token"), "{chain}");
    message.strip_prefix("get-session: ").expect("says whose fault it is").to_owned()
}

#[tokio::test]
async fn null_is_no_session_and_a_record_is_one() {
    let server = FakeIssuer::start(&[]).await;
    let sessions = by_bearer(&server.url());
    for null in ["null", " null\n"] {
        server.answer(Answer::json(null));
        assert!(find(&sessions, "t").await.expect("an answer").is_none());
    }
    server.answer(Answer::json(RECORD));
    let record = find(&sessions, "t").await.expect("an answer").expect("a session");
    assert_eq!(record.user.expect("a user").email, "ada@example.com");
    let target = "/api/auth/get-session?disableCookieCache=true&disableRefresh=true";
    assert_eq!(server.targets(), [target; 3]);
}

#[tokio::test]
async fn any_other_status_judges_nobody() {
    let server = FakeIssuer::start(&[]).await;
    for status in [201, 204, 304, 400, 401, 403, 404, 429, 500, 502, 503] {
        for body in ["null", RECORD] {
            let answer = Answer::body(status, "application/json", if matches!(status, 204 | 304) { "" } else { body });
            assert_eq!(complaint(&server, answer).await, format!("status {status}"));
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = FakeIssuer::start(&[]).await;
    other.answer(Answer::json(RECORD));
    let server = FakeIssuer::start(&[]).await;
    assert_eq!(complaint(&server, Answer::Redirect(other.url())).await, "status 302");
    assert_eq!(other.requests(), 0);
}

#[tokio::test]
async fn what_is_no_record_judges_nobody() {
    let server = FakeIssuer::start(&[]).await;
    let record = "unreadable session record: ";
    let no_object = format!("{record}the record is not a JSON object");
    let half = RECORD[..RECORD.len() / 2].to_owned();
    for garbage in ["", "<!doctype html>", "[]", "nul", "null null", "true", &half] {
        assert_eq!(complaint(&server, Answer::json(garbage)).await, no_object, "{garbage}");
    }
    assert_eq!(complaint(&server, Answer::json("{}")).await, format!("{record}session is missing"));
    assert_eq!(complaint(&server, Answer::Keys).await, format!("{record}session is missing"));
    let twice = RECORD.replace("\"userId\":", "\"userId\":\"root\",\"userId\":");
    assert_eq!(complaint(&server, Answer::json(twice)).await, format!("{record}session has a member twice"));
    assert_eq!(complaint(&server, Answer::json(b"\xff".as_slice())).await, "not text");
    assert_eq!(complaint(&server, Answer::GzipBomb).await, "not text");
}

#[tokio::test]
async fn a_body_is_read_up_to_its_cap() {
    let server = FakeIssuer::start(&[]).await;
    let long = |bytes: usize| Answer::json(RECORD.to_owned() + &" ".repeat(bytes - RECORD.len()));
    server.answer(long(256 * 1024));
    assert!(find(&by_cookie(&server.url()), "t").await.expect("an answer").is_some());
    assert_eq!(complaint(&server, long(256 * 1024 + 1)).await, "more than 262144 bytes");
    assert_eq!(complaint(&server, Answer::Oversized(64 * 1024 * 1024)).await, "more than 262144 bytes");
}

#[tokio::test]
async fn a_server_that_hangs_drips_or_is_down_is_given_up_in_time() {
    let server = FakeIssuer::start(&[]).await;
    for slow in [Answer::Hang, Answer::Drip, Answer::Delay(Duration::from_secs(60))] {
        assert_eq!(complaint(&server, slow).await, "no answer in time");
    }
    complaint(&server, Answer::Down).await;
    server.answer(Answer::json(RECORD));
    assert!(find(&by_cookie(&server.url()), "t").await.expect("an answer").is_some(), "and it recovers");
}
