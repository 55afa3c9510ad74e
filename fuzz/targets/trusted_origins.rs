//! Trusted origins on the first line, between spaces, and what a request says on the lines after it: its `Origin` and its
//! `Sec-Fetch-Site`, where a line of `-` is none.
#![no_main]

use authcore_better_auth::TrustedOrigins;
use authcore_fuzz::first_line;
use authcore_testkit::TestHead;
use url::Url;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (trusted, said) = first_line(data);
    let Ok(trusted) = std::str::from_utf8(trusted) else { return };
    let trusted: Vec<_> = trusted.split(' ').collect();
    let Ok(origins) = TrustedOrigins::new(trusted.iter().copied()) else {
        assert!(trusted.iter().any(|origin| TrustedOrigins::new([*origin]).is_err()), "each is good, and all are not");
        return;
    };
    for origin in &trusted {
        let url = Url::parse(origin).expect("an accepted origin is a URL");
        assert_eq!(url.origin().ascii_serialization(), *origin, "written as browsers write it");
        assert!(origins.check(&TestHead::new("POST", "/").header("origin", origin)).is_ok());
    }
    let (origin, site) = first_line(said);
    let field = |head: TestHead, name: &str, value: &[u8]| if value == b"-" { head } else { head.header(name, value) };
    let head = |method| field(field(TestHead::new(method, "/"), "Origin", origin), "Sec-Fetch-Site", site);

    for method in ["GET", "HEAD", "OPTIONS"] {
        assert!(origins.check(&head(method)).is_ok());
    }
    let plain = match origin {
        b"-" => matches!(site, b"same-origin" | b"none"),
        origin => trusted.iter().any(|trusted| trusted.as_bytes() == origin),
    };
    for method in ["POST", "PUT", "PATCH", "DELETE", "get", ""] {
        let verdict = origins.check(&head(method));
        assert_eq!(verdict.is_ok(), plain);
        assert!(verdict.map_or_else(|error| error.reason() == "cross_site", |()| true));
        let twice = head(method).header("origin", trusted[0]);
        assert!(origin == b"-" || origins.check(&twice).is_err(), "none of two is chosen");
    }
});
