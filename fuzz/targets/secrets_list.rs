//! `BETTER_AUTH_SECRETS`: versions and secrets. What is taken is what a plain reading takes, the first entry signs, and no
//! message shows a secret.
#![no_main]

use authcore::Secret;
use authcore_better_auth::{CookieNames, Secrets, SignedCookie};
use authcore_fuzz::cookies::{escaped, signed};
use authcore_fuzz::{assert_tells_no_secret, planted};
use authcore_testkit::TestHead;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = planted(data);
    let secrets = match Secrets::versioned(&Secret::new(&*data)) {
        Ok(secrets) => secrets,
        Err(error) => return assert_tells_no_secret(&error),
    };
    let text = std::str::from_utf8(&data).expect("accepted entries are text");
    let entries: Vec<(u32, &str)> = text
        .split(',')
        .map(|entry| {
            let (version, secret) = entry.split_once(':').expect("a colon");
            (version.trim().parse().expect("a number"), secret.trim())
        })
        .collect();
    assert!((0..entries.len()).all(|place| entries[..place].iter().all(|(version, _)| *version != entries[place].0)));
    assert!(entries.iter().all(|(_, secret)| secret.len() >= 32 && Secrets::new(&Secret::new(*secret)).is_ok()));
    let told = format!("Secrets {{ count: {}, accept_previous: false }}", entries.len());
    assert_eq!(format!("{secrets:?}"), told);

    let overlap = secrets.clone().accept_previous(true);
    for (_, secret) in entries.iter().take(4) {
        assert_eq!(believes(&secrets, secret), as_key(secret) == as_key(entries[0].1), "the first one signs");
        assert!(believes(&overlap, secret));
    }
});

/// HMAC fills a short key up with zeros (RFC 2104 §2), so that one which ends in zeros is another spelling.
fn as_key(secret: &str) -> &str {
    if secret.len() > 64 { secret } else { secret.trim_end_matches('\0') }
}

fn believes(secrets: &Secrets, secret: &str) -> bool {
    let cookie = SignedCookie::new(&CookieNames::new(false), secrets).expect("a good name");
    let value = escaped(&signed(b"token", secret));
    let head = TestHead::get("/").header("cookie", [b"better-auth.session_token=", &*value].concat());
    cookie.read(&head).is_ok_and(|token| token.is_some())
}
