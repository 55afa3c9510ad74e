//! The URL of a Redis: by the scheme with TLS or without, and no password in any message.
#![no_main]

use authcore_better_auth::fuzzing::redis_url;
use authcore_fuzz::{MARKER, assert_tells_no_secret, planted};
use url::Url;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = planted(data);
    let Ok(text) = std::str::from_utf8(&data) else { return };
    let (host, port, tls, shown) = match redis_url(text) {
        Ok(read) => read,
        Err(error) => {
            assert!(error.to_string().starts_with("Redis URL: "));
            return assert_tells_no_secret(&error);
        }
    };
    assert!(host.contains(MARKER) || !shown.contains(MARKER), "a password is shown: {shown}");
    let url = Url::parse(text).expect("an accepted URL is one");
    assert_eq!(url.scheme() == "rediss", tls);
    assert!(tls || url.scheme() == "redis");
    assert!(url.query().is_none() && url.fragment().is_none());
    assert_eq!(url.port().unwrap_or(6379), port);
    assert!(!host.is_empty() && url.host_str().is_some_and(|named| named.trim_matches(['[', ']']) == host), "{host}");
});
