//! State changes by cookie, by where they come from.

use authcore_better_auth::TrustedOrigins;
use authcore_testkit::TestHead;

fn passes(method: &str, fields: &[(&str, &str)]) -> bool {
    let origins = TrustedOrigins::new(["https://app.example.com", "http://localhost:3000"]).expect("good origins");
    let head = fields.iter().fold(TestHead::new(method, "/api/tasks"), |head, (name, value)| head.header(*name, value));
    match origins.check(&head) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.reason(), "cross_site");
            false
        }
    }
}

#[test]
fn s114_a_change_by_cookie_comes_from_one_of_our_own_origins() {
    let ours = ("origin", "https://app.example.com");
    assert!(passes("POST", &[ours]) && passes("DELETE", &[("origin", "http://localhost:3000")]));
    // An origin that is there decides alone.
    assert!(passes("POST", &[ours, ("sec-fetch-site", "cross-site")]));
    assert!(passes("POST", &[("sec-fetch-site", "same-origin")]) && passes("POST", &[("sec-fetch-site", "none")]));

    for origin in [
        "null",
        "",
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com/",
        "https://APP.example.com",
        "https://app.example.com.evil.example",
        "https://evil.app.example.com",
        "https://app.example.com, https://evil.example",
        "*",
    ] {
        assert!(!passes("POST", &[("origin", origin)]), "{origin}");
        assert!(!passes("POST", &[("origin", origin), ("sec-fetch-site", "same-origin")]), "{origin}");
    }
    for site in ["cross-site", "same-site", "", "Same-Origin", "none, none"] {
        assert!(!passes("PUT", &[("sec-fetch-site", site)]), "{site}");
    }
    assert!(!passes("POST", &[]));
    assert!(!passes("POST", &[("referer", "https://app.example.com/")]));
    assert!(
        !passes("POST", &[ours, ours]) && !passes("POST", &[("sec-fetch-site", "none"), ("sec-fetch-site", "none")])
    );
}

#[test]
fn s114_reading_needs_no_origin_and_unknown_methods_change_something() {
    for method in ["GET", "HEAD", "OPTIONS"] {
        assert!(passes(method, &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]), "{method}");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE", "get", "TRACE", "PROPFIND", ""] {
        assert!(!passes(method, &[]), "{method}");
    }
}

#[test]
fn s114_a_websocket_is_opened_from_one_of_our_own_origins() {
    let upgrade = ("upgrade", "WebSocket");
    assert!(passes("GET", &[upgrade, ("origin", "https://app.example.com")]));
    assert!(!passes("GET", &[upgrade, ("origin", "https://evil.example")]) && !passes("GET", &[upgrade]));
    assert!(!passes("GET", &[("upgrade", "h2c, websocket"), ("sec-fetch-site", "cross-site")]));
    assert!(passes("GET", &[("upgrade", "h2c")]));
}

#[test]
fn without_trusted_origins_no_origin_is() {
    let head = TestHead::new("POST", "/").header("origin", "https://app.example.com");
    assert!(TrustedOrigins::default().check(&head).is_err());
}

#[test]
fn origins_are_written_as_browsers_write_them() {
    for bad in [
        "null",
        "*",
        "",
        "app.example.com",
        "https://app.example.com/",
        "https://app.example.com/app",
        "https://APP.example.com",
        "https://app.example.com:443",
        "https://*.example.com",
        "https://user@app.example.com",
        "file:///tmp",
        "data:,x",
    ] {
        let error = TrustedOrigins::new(["https://app.example.com", bad]).expect_err(bad);
        assert!(error.to_string().starts_with(&format!("{bad:?} is not an origin")), "{error}");
    }
}
