//! `Authorization` field lines, one for each line of the input, against the grammar of RFC 6750 §2.1.
#![no_main]

use authcore::RequestHead;
use authcore::credential::bearer;
use authcore_fuzz::{assert_documented, planted};
use authcore_testkit::TestHead;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = planted(data);
    let lines: Vec<_> = data.split(|byte| *byte == b'\n').collect();
    for line in &lines {
        let found = bearer::parse(line);
        assert_eq!(found.as_ref().ok().copied().flatten(), plain(line));
        if let Ok(Some(token)) = found {
            let again = format!("bearer   {token} ");
            assert_eq!(bearer::parse(again.as_bytes()).ok(), Some(Some(token)), "one token, whatever the spelling");
        }
        if let Err(error) = found {
            assert_documented(&error, error.reason(), &["malformed_bearer"]);
        }
    }

    let head = lines.iter().fold(TestHead::get("/"), |head, line| head.header("Authorization", line));
    let found = bearer::token(&head as &dyn RequestHead);
    match (&found, &lines[..]) {
        (Ok(found), [line]) => assert_eq!(*found, plain(line)),
        (Err(error), lines) => {
            assert_documented(error, error.reason(), &["malformed_bearer", "repeated_authorization"]);
            assert_eq!(error.reason() == "repeated_authorization", lines.len() > 1);
        }
        (Ok(_), _) => panic!("one of several lines was chosen"),
    }
});

/// The token of a line that has one.
fn plain(line: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(line).ok()?.trim_matches([' ', '\t']);
    let (scheme, rest) = text.split_at_checked(6)?;
    let token = rest.trim_start_matches(' ');
    let body = token.trim_end_matches('=');
    let is_token = !body.is_empty() && body.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
    (scheme.eq_ignore_ascii_case("bearer") && rest.starts_with(' ') && is_token).then_some(token)
}
