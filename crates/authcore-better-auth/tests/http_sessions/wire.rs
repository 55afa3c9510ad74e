//! What is sent, byte for byte.

use std::time::Duration;

use authcore_better_auth::HttpSessions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{by_bearer, by_cookie, find};

/// Answers two requests on the one connection it takes, and gives their heads.
async fn two_on_one_connection(sessions: impl FnOnce(&str) -> HttpSessions) -> [String; 2] {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let heads = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        [answered(&mut stream).await, answered(&mut stream).await]
    });
    let sessions = sessions(&url);
    for token in ["first", "second"] {
        assert!(find(&sessions, token).await.expect("an answer").is_none());
    }
    heads.await.expect("two requests").map(|head| head.replace(url.trim_start_matches("http://"), "HERE"))
}

async fn answered(stream: &mut TcpStream) -> String {
    let head = head(stream).await;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\
                   set-cookie: better-auth.session_token=; Max-Age=0\r\nset-cookie: other=1\r\n\r\nnull";
    stream.write_all(answer).await.expect("a reader");
    head
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a whole head"));
    }
    String::from_utf8(head).expect("text")
}

/// The server restarts between two look-ups, and nobody has noticed that the connection is gone.
#[tokio::test]
async fn a_look_up_on_a_connection_that_is_closed_under_it_is_sent_once_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let sessions = by_bearer(&format!("http://{}", listener.local_addr().expect("an address")));
    let server = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.expect("a connection");
        answered(&mut first).await;
        head(&mut first).await;
        drop(first);
        let (mut second, _) = listener.accept().await.expect("another connection");
        answered(&mut second).await;
        // Then nobody answers any more.
        head(&mut second).await;
        drop(second);
        let mut attempts = 1;
        while let Ok(Ok((mut next, _))) = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await {
            head(&mut next).await;
            attempts += 1;
        }
        attempts
    });
    assert!(find(&sessions, "first").await.expect("an answer").is_none());
    assert!(find(&sessions, "second").await.expect("an answer on another connection").is_none());
    let error = find(&sessions, "third").await.expect_err("no answer").to_string();
    assert_eq!(error, "get-session: error sending request: connection closed before message completed");
    assert_eq!(server.await.expect("no panic"), 2);
}

/// The line of the credential, after all that is sent besides.
fn credential(head: &str) -> String {
    let mut lines: Vec<_> = head.trim_end().split("\r\n").collect();
    assert_eq!(lines.remove(0), "GET /api/auth/get-session?disableCookieCache=true&disableRefresh=true HTTP/1.1");
    lines.sort_unstable_by_key(|line| line.starts_with("cookie") || line.starts_with("authorization"));
    let credential = lines.pop().expect("a credential").to_owned();
    lines.sort_unstable();
    let agent = concat!("user-agent: authcore/", env!("CARGO_PKG_VERSION"));
    assert_eq!(lines, ["accept: application/json", "host: HERE", agent]);
    credential
}

#[tokio::test]
async fn the_cookie_is_sent_alone_and_cookies_in_answers_are_not_kept() {
    let heads = two_on_one_connection(by_cookie).await;
    let [first, second] = heads.map(|head| credential(&head));
    assert!(first.starts_with("cookie: better-auth.session_token=first.") && first.ends_with("%3D"), "{first}");
    assert!(second.starts_with("cookie: better-auth.session_token=second."), "{second}");
    assert!(!second.contains(';'), "{second}");
}

#[tokio::test]
async fn the_bearer_is_sent_alone() {
    let heads = two_on_one_connection(by_bearer).await;
    assert_eq!(heads.map(|head| credential(&head)), ["authorization: Bearer first", "authorization: Bearer second"]);
}
