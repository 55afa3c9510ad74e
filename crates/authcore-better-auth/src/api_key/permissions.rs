//! What a key may do, as its row says it.

use std::collections::BTreeMap;

/// Resources, and what may be done to each.
pub(super) type Permissions = BTreeMap<String, Vec<String>>;

/// Reads `{"files":["read"]}`, or a JSON text that holds it, as old rows do. Anything else grants nothing: half of what
/// cannot be read is not guessed at, and the key still tells whose it is.
pub(super) fn read(json: Option<&str>) -> Permissions {
    let Some(json) = json else { return Permissions::new() };
    let encoded_twice = || serde_json::from_str::<String>(json).and_then(|inner| serde_json::from_str(&inner));
    serde_json::from_str(json).or_else(|_| encoded_twice()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_lists_of_actions_by_resource() {
        let of = |json: &str| serde_json::to_string(&read(Some(json))).expect("text");
        let both = r#"{"files":["read","write"],"mail":[]}"#;
        assert_eq!(of(both), both);
        assert_eq!(of(&serde_json::to_string(both).expect("text")), both, "old rows are encoded twice");
        assert!(read(None).is_empty());
    }

    #[test]
    fn what_is_not_of_that_shape_grants_nothing() {
        let thrice = serde_json::to_string(&serde_json::to_string("{\"a\":[\"b\"]}").expect("text")).expect("text");
        for json in [
            "",
            "null",
            "[]",
            "{}",
            "files",
            "\"null\"",
            r#"["files"]"#,
            r#"{"files":"read"}"#,
            r#"{"files":["read",1]}"#,
            r#"{"files":["read"],"mail":true}"#,
            r#"{"files":["read"]"#,
            &thrice,
            &"[".repeat(100_000),
        ] {
            assert!(read(Some(json)).is_empty(), "{json:.60}");
        }
    }
}
