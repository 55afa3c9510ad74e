//! The usual fetch: what it says beside the document, and whose certificates it believes.

use authcore::{HttpFetch, Timestamp};
use authcore_testkit::{Answer, FakeIssuer};
use url::Url;

/// What the server says of the time with these header fields.
async fn dated(fields: &[(&str, &str)]) -> Option<i64> {
    let issuer = FakeIssuer::start(&[]).await;
    issuer.answer(Answer::Body {
        status: 200,
        content_type: "application/json".to_owned(),
        body: b"{}".to_vec(),
        headers: fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    });
    let url = Url::parse(&issuer.jwks_url()).expect("a URL");
    let fetch = HttpFetch::new(&url).expect("the loopback needs no certificates");
    let (fetched, date) = fetch.fetch_dated(&url, 2).await.expect("the document");
    assert_eq!(fetched.body, b"{}");
    date.map(Timestamp::as_micros)
}

#[tokio::test]
async fn the_servers_time_is_told_where_it_says_it() {
    // The three forms of RFC 9110 §5.6.7.
    for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
        assert_eq!(dated(&[("date", date)]).await, Some(784_111_777_000_000), "{date}");
    }
    for date in ["", "784111777", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1960 08:49:37 GMT", "\u{e9}"] {
        assert_eq!(dated(&[("date", date)]).await, None, "{date}");
    }
    assert_eq!(dated(&[]).await, None);
}

/// On Linux the platform's certificates are those that this variable points to, which only another process can be given.
#[cfg(target_os = "linux")]
#[test]
fn over_https_the_platforms_certificates_are_believed_and_no_others() {
    use authcore::RemoteKeys;

    const FILE: &str = "SSL_CERT_FILE";
    const NOTHING: &str = "/dev/null";
    if std::env::var_os(FILE).is_some_and(|file| file == NOTHING) {
        let error = RemoteKeys::at("https://id.example.com/jwks").expect_err("no certificates").to_string();
        assert!(error.starts_with("TLS: ") && error.contains("certificates"), "{error}");
        assert!(RemoteKeys::at("http://127.0.0.1/jwks").is_ok(), "the loopback needs none");
        return;
    }
    let name = "http_fetch::over_https_the_platforms_certificates_are_believed_and_no_others";
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", name]).env(FILE, NOTHING).env_remove("SSL_CERT_DIR").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
