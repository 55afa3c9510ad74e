//! Better Auth's base URL on the first line, and a base path on the second if there is one: what follows from them stays at
//! the one origin, and no message shows a password.
#![no_main]

use authcore_better_auth::fuzzing::base_url;
use authcore_fuzz::{assert_tells_no_secret, first_line, planted};
use url::Url;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = planted(data);
    let (text, path) = first_line(&data);
    let (Ok(text), Ok(path)) = (std::str::from_utf8(text), std::str::from_utf8(path)) else { return };
    let base_path = (!path.is_empty()).then_some(path);
    let (origin, endpoint) = match base_url(text, base_path, "jwks") {
        Ok(read) => read,
        Err(error) => return assert_tells_no_secret(&error),
    };
    let url = Url::parse(text).expect("an accepted URL is one");
    assert!(matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none());
    assert_eq!(url.origin().ascii_serialization(), origin);
    let again = base_url(&origin, None, "jwks").expect("an origin is a base URL");
    assert_eq!(again, (origin.clone(), format!("{origin}/api/auth/jwks")));

    let keys = Url::parse(&endpoint).expect("the endpoint is a URL");
    assert_eq!(keys.origin(), url.origin(), "{endpoint}");
    assert!(keys.username().is_empty() && keys.password().is_none() && endpoint.ends_with("/jwks"));
});
