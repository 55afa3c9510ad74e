//! Settings, TLS, passwords, and how little a Redis user needs to be allowed.

use std::time::Duration;

use authcore_redis::RedisRates;

use super::server::{RedisServer, free_port};
use super::{LENIENT, count, counter, is_allowed};

const AUTHORITY: &[u8] = include_bytes!("../../testdata/tls/authority.pem");

fn file(name: &str) -> String {
    format!("{}/testdata/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn rediss_is_tls_with_a_certificate_that_is_checked() {
    let port = free_port().to_string();
    let options = ["--tls-port", &port, "--tls-auth-clients", "no", "--tls-ca-cert-file", &file("authority.pem")];
    let certificate = ["--tls-cert-file", &file("server.pem"), "--tls-key-file", &file("server.key")];
    let _redis = RedisServer::start_with(&[&options[..], &certificate[..]].concat());

    let url = format!("rediss://127.0.0.1:{port}");
    let rates = RedisRates::builder(&url).trusting(AUTHORITY).deadline(LENIENT).connect().await;
    let counter = counter(&rates.expect("a trusted certificate"), "1/hour");
    assert!(is_allowed(&counter, "ann").await && !is_allowed(&counter, "ann").await);

    let error = RedisRates::connect(&url).await.expect_err("a stranger's certificate").to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
    let other_name = format!("rediss://localhost:{port}");
    let error = RedisRates::connect_trusting(&other_name, AUTHORITY).await.expect_err("another name").to_string();
    assert!(error.contains("not valid for name"), "{error}");
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let plain = || RedisRates::builder("redis://127.0.0.1:1");
    let tls = || RedisRates::builder("rediss://127.0.0.1:1");
    for (builder, why) in [
        (RedisRates::builder("http://127.0.0.1"), "Redis URL: must begin with redis:// or rediss://"),
        (plain().prefix(""), "Redis prefix: takes 1 to 64"),
        (plain().prefix("a{b}"), "Redis prefix: "),
        (plain().prefix("a b"), "Redis prefix: "),
        (plain().prefix("é"), "Redis prefix: "),
        (plain().prefix("x".repeat(65)), "Redis prefix: "),
        (plain().deadline(Duration::from_micros(999)), "Redis deadline: takes 1 ms to 5 s"),
        (plain().deadline(Duration::from_millis(5001)), "Redis deadline: "),
        (plain().deadline(Duration::ZERO), "Redis deadline: "),
        (plain().trusting(AUTHORITY), "certificates are for rediss://"),
        (tls().trusting(b""), "none in the PEM text"),
        (tls().trusting(b"no certificate"), "none in the PEM text"),
    ] {
        let error = builder.lazy().expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
    let edges = plain().prefix("x".repeat(64)).deadline(Duration::from_secs(5)).lazy();
    assert!(edges.is_ok() && plain().deadline(Duration::from_millis(1)).lazy().is_ok());
}

#[test]
fn outside_a_runtime_there_is_no_connection() {
    let error = RedisRates::lazy("redis://127.0.0.1:1").expect_err("no runtime").to_string();
    assert!(error.contains("in a tokio runtime"), "{error}");
}

#[tokio::test]
async fn a_user_who_may_do_little_is_enough() {
    let redis = RedisServer::start();
    let rights = ["-@all", "+evalsha", "+eval", "+ping", "+time", "+get", "+set", "~authcore:rate:*"];
    redis.run(&[&["ACL", "SETUSER", "rates", "on", ">pa55word"][..], &rights].concat());
    let url = redis.url().replace("redis://", "redis://rates:pa55word@");
    let builder = || RedisRates::builder(&url).deadline(LENIENT);
    let rates = builder().connect().await.expect("a good password");
    assert!(is_allowed(&counter(&rates, "3/hour"), "ann").await);
    assert!(!format!("{rates:?} {:?}", builder()).contains("pa55word"));

    let elsewhere = builder().prefix("other:").connect().await.expect("a good password");
    let error = count(&counter(&elsewhere, "3/hour"), "ann", 1).await.expect_err("not its keys").to_string();
    assert!(error.contains("NOPERM"), "{error}");
}

#[tokio::test]
async fn a_wrong_password_is_told_at_start_up_and_never_shown() {
    let redis = RedisServer::start_with(&["--requirepass", "pa55word"]);
    let url = redis.url().replace("redis://", "redis://:guess0@");
    let error = RedisRates::connect(&url).await.expect_err("a wrong password").to_string();
    assert!(error.starts_with("Redis: not connected: ") && !error.contains("guess0"), "{error}");
    let lazy = RedisRates::builder(&url).deadline(LENIENT).lazy().expect("good settings");
    let error = count(&counter(&lazy, "3/hour"), "ann", 1).await.expect_err("a wrong password").to_string();
    assert!(error.starts_with("Redis: not connected: ") && !error.contains("guess0"), "{error}");

    let nobody = format!("redis://ada:pa55word@127.0.0.1:{}", free_port());
    let error = RedisRates::connect(&nobody).await.expect_err("nobody listens").to_string();
    assert!(error.starts_with("Redis: not connected: Connection refused") && !error.contains("pa55word"), "{error}");
}
