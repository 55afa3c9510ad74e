//! Session tokens as `Authorization: Bearer`. The first byte says what the rest is: `s` a token to be signed, `o` one to be
//! signed under another secret, anything else what stands after `Bearer`.
#![no_main]

use authcore::AuthError;
use authcore_better_auth::{BearerSessions, SessionToken};
use authcore_fuzz::cookies::{OTHER_SECRET, SECRET, SECRETS, signed};
use authcore_fuzz::{assert_documented, planted};
use authcore_testkit::TestHead;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [kind, data @ ..] = data else { return };
    let data = planted(data);
    let value = match kind {
        b's' => signed(&data, SECRET),
        b'o' => signed(&data, OTHER_SECRET),
        _ => data.clone(),
    };
    let head = TestHead::get("/").header("authorization", [b"Bearer ", &*value].concat());
    let read = |mode: BearerSessions| mode.read(&head, &SECRETS).map(exposed).map_err(refused);

    assert_eq!(read(BearerSessions::Off), Ok(None));
    let (strict, raw) = (read(BearerSessions::Signed), read(BearerSessions::Raw));
    assert_eq!((&strict, &raw), (&read(BearerSessions::Signed), &read(BearerSessions::Raw)));
    let value = value.trim_ascii();
    if let Ok(Some(token)) = &strict {
        assert_eq!(signed(token.as_bytes(), SECRET), value, "nobody signed it");
        assert!(*kind != b'o' && !token.contains('.'), "more dots make another kind of token");
    }
    match value.iter().filter(|byte| **byte == b'.').count() {
        0 if raw.is_ok() => {
            assert_eq!(strict, Ok(None));
            let whole = std::str::from_utf8(value).ok().filter(|text| text.len() <= SessionToken::MAX_BYTES);
            assert_eq!(raw.ok().flatten().as_deref(), whole);
        }
        1 | 0 => assert_eq!(strict, raw),
        _ => assert!(!matches!(strict, Ok(Some(_))) && !matches!(raw, Ok(Some(_)))),
    }
});

fn exposed(token: Option<SessionToken>) -> Option<String> {
    token.map(|token| {
        assert_eq!(format!("{token:?}"), "SessionToken(redacted)");
        token.expose().to_owned()
    })
}

fn refused(error: AuthError) -> &'static str {
    assert_documented(&error, error.reason(), &["malformed_bearer", "session_malformed", "session_bad_signature"]);
    error.reason()
}
