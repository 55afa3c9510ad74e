use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn row() -> Value {
    json!({
        "id": "k1", "configId": "default", "name": "ci", "start": "pk_Luq", "referenceId": "ann", "prefix": "pk_",
        "key": "J1QnlUwU1WzS2rUGbIBj6oQzeXmbPuoCuPtyTP781Rc", "refillInterval": 1000, "refillAmount": 5,
        "lastRefillAt": null, "enabled": true, "rateLimitEnabled": true, "rateLimitTimeWindow": 86_400_000,
        "rateLimitMax": 10, "requestCount": 1, "remaining": 4, "lastRequest": "2026-11-20T19:19:25.323Z",
        "expiresAt": null, "createdAt": "2026-11-20T19:19:25.323Z", "updatedAt": "2026-11-20T19:19:25.323Z",
        "permissions": "{\"files\":[\"read\"]}", "metadata": {"a": [1, {"b": "}"}]},
    })
}

fn with(name: &str, value: Value) -> String {
    let mut row = row();
    row[name] = value;
    row.to_string()
}

fn complaint(json: &str) -> String {
    read(json).expect_err("unreadable").to_string()
}

#[test]
fn a_row_is_read_and_what_may_be_null_may_be_missing() {
    let record = read(&row().to_string()).expect("readable");
    assert_eq!((record.id.as_str(), record.reference_id.as_str(), record.enabled), ("k1", "ann", true));
    assert_eq!((record.allowance.max, record.usage.remaining, record.usage.request_count), (Some(10), Some(4), 1));
    assert_eq!(record.usage.last_request, Some(record.created_at));
    assert_eq!(record.permissions.as_deref(), Some(r#"{"files":["read"]}"#));
    assert!(record.is_limited());

    let short = json!({"id": "k1", "key": "x", "referenceId": "ann", "createdAt": "2026-11-20T19:19:25.323Z"});
    let record = read(&short.to_string()).expect("readable");
    assert!(record.enabled && !record.is_limited() && record.expires_at.is_none());
    for permissions in [json!({"files": ["read"]}), json!("{\"files\":[\"read\"]}")] {
        let record = read(&with("permissions", permissions)).expect("readable");
        assert_eq!(record.permissions.as_deref(), Some(r#"{"files":["read"]}"#));
    }
}

#[test]
fn what_is_no_row_names_the_member_and_never_its_value() {
    let twice = row().to_string().replacen("\"remaining\":4", "\"remaining\":4,\"remaining\":9", 1);
    assert_eq!(complaint(&twice), "unreadable API key: the row has a member twice");
    for json in ["", "null", "[]", "\"k1\"", "{", "{}x"] {
        assert_eq!(complaint(json), "unreadable API key: the row is not a JSON object", "{json}");
    }
    for (name, why) in
        [("id", "is missing"), ("key", "is missing"), ("referenceId", "is missing"), ("createdAt", "is missing")]
    {
        assert_eq!(complaint(&with(name, Value::Null)), format!("unreadable API key: {name} {why}"));
    }
    for (name, value) in [
        ("key", json!("")),
        ("key", json!("secret key")),
        ("referenceId", json!(5)),
        ("referenceId", json!(" ann-secret")),
        ("enabled", json!(1)),
        ("enabled", json!("false")),
        ("rateLimitEnabled", json!(0)),
        ("remaining", json!("4")),
        ("remaining", json!(4.5)),
        ("requestCount", json!(true)),
        ("refillInterval", json!(-1)),
        ("rateLimitTimeWindow", json!(-1)),
        ("rateLimitMax", json!(1e300)),
        ("lastRequest", json!(1_795_202_365_323_i64)),
        ("expiresAt", json!("soon-secret")),
        ("expiresAt", json!("2026-11-20T19:19:25+00:00")),
        ("createdAt", json!("2026-02-30T00:00:00.000Z")),
    ] {
        let said = complaint(&with(name, value.clone()));
        assert_eq!(said, format!("unreadable API key: {name} has a value of another kind"), "{value}");
    }
}

#[test]
fn only_the_counters_that_changed_are_written_anew() {
    let text = format!(" {} ", row().to_string().replacen("\"remaining\":4", "\"remaining\" : 4", 1));
    let record = read(&text).expect("readable");
    let mut after = record.usage.clone();
    let kept = row().to_string();
    assert_eq!(counted(&record, &after).expect("a row"), kept, "nothing but the white space between members");

    after.remaining = Some(3);
    after.request_count = 2;
    after.last_request = Some(Timestamp::from_micros(1_795_806_433_112_999));
    after.last_refill_at = after.last_request;
    let expected = kept
        .replace("\"remaining\":4", "\"remaining\":3")
        .replace("\"requestCount\":1", "\"requestCount\":2")
        .replace("\"lastRefillAt\":null", "\"lastRefillAt\":\"2026-11-27T19:07:13.112Z\"")
        .replace("\"lastRequest\":\"2026-11-20T19:19:25.323Z\"", "\"lastRequest\":\"2026-11-27T19:07:13.112Z\"");
    assert_eq!(counted(&record, &after).expect("a row"), expected);

    let short = json!({"id": "k1", "key": "x", "referenceId": "ann", "createdAt": "2026-11-20T19:19:25.323Z"});
    let record = read(&short.to_string()).expect("readable");
    after.remaining = None;
    let again = read(&counted(&record, &after).expect("a row")).expect("readable");
    assert_eq!(again.usage.request_count, 2, "a counter that was not there is added");
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(text in "\\PC{0,60}", at: prop::sample::Index, to: char) {
        let _ = read(&text);
        let mut changed: Vec<char> = row().to_string().chars().collect();
        let index = at.index(changed.len());
        changed[index] = to;
        let changed: String = changed.into_iter().collect();
        if let Ok(record) = read(&changed) {
            let mut after = record.usage.clone();
            after.remaining = Some(7);
            let counted = counted(&record, &after).expect("a row that was read");
            prop_assert_eq!(read(&counted).expect("a row").usage, after);
        }
    }
}
