//! Whole tokens: the input, in which the bytes 2 to 5 stand for a good token of each of four algorithms, and 16 and above
//! up to 27 for the segments of these.
#![no_main]

use authcore_fuzz::{jwt, replaced};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let token = replaced(data, jwt::part);
    let Ok(token) = std::str::from_utf8(&token) else { return };
    let Ok(identity) = jwt::check(token) else {
        assert!(!jwt::GOOD.iter().any(|good| good == token), "a good token is refused");
        return;
    };
    jwt::assert_was_signed(token);
    assert_eq!(identity.user_id().as_str(), "alice");
});
