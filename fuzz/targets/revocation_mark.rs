//! The mark that "revoke all sessions" leaves in Redis: milliseconds since the epoch, in decimal and in nothing else.
#![no_main]

use authcore_better_auth::fuzzing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let plain = data.iter().try_fold(0_i64, |number, digit| {
        digit.is_ascii_digit().then(|| number.checked_mul(10)?.checked_add(i64::from(digit - b'0'))).flatten()
    });
    assert_eq!(fuzzing::revocation_mark(text), plain.filter(|_| !data.is_empty()));
});
