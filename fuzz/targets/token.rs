//! Whole tokens: the input, in which the bytes 2 to 5 stand for a good token of each of four algorithms, and 16 and above
//! up to 27 for the segments of these.
#![no_main]

use std::sync::LazyLock;

use authcore_fuzz::{MARKER, jwt, replaced};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

static GOOD: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..4).map(|choice| jwt::good().sign(jwt::key(choice))).collect());

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let token = replaced(data, |byte| match byte {
        1 => Some(MARKER),
        2..=5 => Some(&*GOOD[usize::from(byte - 2)]),
        16..=27 => GOOD[usize::from(byte - 16) / 3].split('.').nth(usize::from(byte - 16) % 3),
        _ => None,
    });
    let Ok(token) = std::str::from_utf8(&token) else { return };
    let Ok(identity) = jwt::check(token) else {
        assert!(!GOOD.iter().any(|good| good == token), "a good token is refused");
        return;
    };
    // ECDSA has two signatures of each message; beside that there is one spelling.
    let (input, signature) = token.rsplit_once('.').expect("an accepted token has dots");
    let is_another_ecdsa = GOOD[2].rsplit_once('.').is_some_and(|(good, _)| good == input)
        && URL_SAFE_NO_PAD.decode(signature).is_ok_and(|bytes| bytes.len() == 64);
    assert!(is_another_ecdsa || GOOD.iter().any(|good| good == token), "nobody signed {token}");
    assert_eq!(identity.user_id().as_str(), "alice");
});
