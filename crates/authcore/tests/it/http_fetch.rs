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

/// A server of a key set over TLS on 127.0.0.1, under an authority that nobody else trusts; where it is.
#[cfg(target_os = "linux")]
async fn over_tls() -> Url {
    use std::sync::Arc;

    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let certificate = CertificateDer::from_pem_file(format!("{TLS}/server.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(format!("{TLS}/server.key")).expect("its key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_no_client_auth().with_single_cert(vec![certificate], key);
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config.expect("a pair")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("https://{}/jwks", listener.local_addr().expect("its address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Whoever does not believe the certificate is gone by now.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            stream.read_u8().await.expect("a request");
            let keys = authcore_testkit::jwks([crate::support::ed25519()]);
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", keys.len());
            stream.write_all(format!("{head}{keys}").as_bytes()).await.expect("somebody listens");
            stream.shutdown().await.expect("they had it all");
        }
    });
    Url::parse(&url).expect("a URL")
}

#[cfg(target_os = "linux")]
const TLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../authcore-redis/testdata/tls");

/// Whom a process trusts is settled when it starts, so there is one for each.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn k85_an_issuer_whose_certificate_is_not_trusted_is_an_outage_and_no_issuer() {
    const ROLE: &str = "AUTHCORE_TEST_TRUSTS_THE_AUTHORITY";
    if let Ok(trusts) = std::env::var(ROLE) {
        let url = over_tls().await;
        let keys = authcore::RemoteKeys::at(url.as_str()).expect("certificates");
        let loaded = keys.load().await.map_err(|error| error.to_string());
        if trusts == "yes" {
            return assert_eq!(loaded, Ok(()));
        }
        let error = loaded.expect_err("a stranger's certificate");
        assert!(error.contains("invalid peer certificate: UnknownIssuer"), "{error}");
        let verifier = authcore::JwtVerifier::builder(keys).issuer("https://id.example.com").build().expect("settings");
        let token = authcore_testkit::mint().sign(crate::support::ed25519());
        let error = verifier.verify_token(&token).await.expect_err("nobody can judge it");
        let refusal = authcore::Refusal::from(error);
        return assert_eq!((refusal.status(), refusal.reason()), (503, "unavailable"));
    }
    let name = "http_fetch::k85_an_issuer_whose_certificate_is_not_trusted_is_an_outage_and_no_issuer";
    // Our own authority, and one that did not sign: the server's certificate itself is none.
    for (trusts, file) in [("yes", "authority.pem"), ("no", "server.pem")] {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this program"));
        child.args(["--exact", name]).env(ROLE, trusts).env("SSL_CERT_FILE", format!("{TLS}/{file}"));
        let output = child.env_remove("SSL_CERT_DIR").output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{trusts}: {said}");
    }
}
