//! `json::check` against a plain reading that keeps every member.
#![no_main]

use authcore::json::{self, Fault};
use authcore_fuzz::json::Node;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let verdict = json::check(text);
    assert_eq!(verdict, json::check(text));
    match Node::read(data) {
        Some(node) if !node.is_object() => assert_eq!(verdict, Err(Fault::NotAnObject)),
        Some(node) if node.names_twice() => assert_eq!(verdict, Err(Fault::DuplicateMember)),
        Some(_) => assert_eq!(verdict, Ok(())),
        // A duplicate may be met before what is no JSON.
        None => assert!(verdict.is_err()),
    }
    // Whoever reads on with a parser of their own reads the same names.
    if verdict.is_ok() && serde_json::from_str::<serde_json::Value>(text).is_ok() {
        let padded = format!(" \r\n\t{text} ");
        assert_eq!(json::check(&padded), Ok(()));
        assert_eq!(json::check(&format!("{text}x")), Err(Fault::NotAnObject));
    }
});
