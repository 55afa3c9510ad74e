//! TLS, passwords, and how little a Redis user needs to be allowed.

use authcore_better_auth::RedisSessions;

use super::server::{RedisServer, free_port};
use super::{complaint, email, find, sessions, stored};

const AUTHORITY: &[u8] = include_bytes!("../../testdata/tls/authority.pem");

fn file(name: &str) -> String {
    format!("{}/testdata/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn rediss_is_tls_with_a_certificate_that_is_checked() {
    let port = free_port().to_string();
    let options = ["--tls-port", &port, "--tls-auth-clients", "no", "--tls-ca-cert-file", &file("authority.pem")];
    let certificate = ["--tls-cert-file", &file("server.pem"), "--tls-key-file", &file("server.key")];
    let redis = RedisServer::start_with(&[&options[..], &certificate[..]].concat());
    let (token, record) = stored();
    redis.run(&["SET", &token, &record]);

    let url = format!("rediss://127.0.0.1:{port}");
    let sessions = RedisSessions::connect_trusting(&url, AUTHORITY).await.expect("a trusted certificate");
    assert_eq!(email(find(&sessions, &token).await).as_deref(), Some("a@example.com"));

    let error = RedisSessions::connect(&url).await.expect_err("a stranger's certificate").to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
    let other_name = format!("rediss://localhost:{port}");
    let error = RedisSessions::connect_trusting(&other_name, AUTHORITY).await.expect_err("another name").to_string();
    assert!(error.contains("not valid for name"), "{error}");
    assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "the process-wide provider is nobody's to set");
}

#[tokio::test]
async fn certificates_are_for_tls_and_must_be_some() {
    for (url, pem, why) in [
        ("redis://127.0.0.1", AUTHORITY, "are for rediss://"),
        ("rediss://127.0.0.1", b"".as_slice(), "none in the PEM text"),
        ("rediss://127.0.0.1", b"no certificate".as_slice(), "none in the PEM text"),
    ] {
        let error = RedisSessions::connect_trusting(url, pem).await.expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_user_who_may_only_read_is_enough() {
    let redis = RedisServer::start();
    redis.run(&["ACL", "SETUSER", "reader", "on", ">pa55word", "~*", "resetchannels", "-@all", "+getrange", "+ping"]);
    let (token, record) = stored();
    redis.run(&["SET", &token, &record]);
    let url = redis.url().replace("redis://", "redis://reader:pa55word@");
    let reader = RedisSessions::connect(&url).await.expect("a good password");
    assert_eq!(email(find(&reader, &token).await).as_deref(), Some("a@example.com"));
    assert!(!format!("{reader:?}").contains("pa55word"));

    redis.run(&["ACL", "SETUSER", "reader", "-getrange"]);
    let why = complaint(find(&reader, &token).await);
    assert!(why.contains("NOPERM") && !why.contains(&token), "{why}");

    let wrong = url.replace("pa55word", "guess0");
    let error = RedisSessions::connect(&wrong).await.expect_err("a wrong password").to_string();
    assert!(error.starts_with("Redis: not connected: ") && !error.contains("guess0"), "{error}");
}

/// Redis repeats the words of a command it does not know.
#[tokio::test]
async fn a_redis_without_the_command_does_not_bring_the_token_into_the_logs() {
    let redis = RedisServer::start_with(&["--rename-command", "GETRANGE", ""]);
    let (token, _) = stored();
    assert!(redis.run(&["GETRANGE", &token, "0", "1"]).contains(&token), "it does repeat them");
    let why = complaint(find(&sessions(&redis).await, &token).await);
    assert!(why.starts_with("Redis: ") && !why.contains(&token), "{why}");
}
