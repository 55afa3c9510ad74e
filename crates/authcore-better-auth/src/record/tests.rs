use authcore::{Timestamp, UserId};
use serde_json::{Value, json};

use super::*;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../testdata/secondary-storage.json")).expect("a JSON file")
}

fn record() -> Value {
    json!({
        "session": {
            "id": "s1", "token": "t1", "userId": "u1", "expiresAt": "2026-11-27T19:17:36.444Z",
            "createdAt": "2026-11-20T19:17:36.444Z", "updatedAt": "2026-11-20T19:17:36.444Z", "ipAddress": "", "userAgent": "",
        },
        "user": {
            "id": "u1", "name": "Ada Lovelace", "email": "ada@example.com", "emailVerified": false, "image": null,
            "createdAt": "2026-11-20T19:17:36.440Z", "updatedAt": "2026-11-20T19:17:36.440Z",
        },
    })
}

/// The record with one member replaced, or taken out by `None`.
fn with(object: &str, name: &str, value: Option<Value>) -> String {
    let mut record = record();
    let members = record[object].as_object_mut().expect("an object");
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    record.to_string()
}

fn refusal(json: &str) -> String {
    read(json).expect_err("unreadable").to_string().replace("unreadable session record: ", "")
}

#[test]
fn what_better_auth_stores_and_answers_is_read() {
    let mut read_ones = 0;
    for vector in vectors() {
        let stored = [&vector["after_sign_up"], &vector["after_second_sign_in"]];
        let stored = stored.into_iter().filter_map(Value::as_object).flatten();
        let values = stored.filter(|(key, _)| !key.contains("active-sessions-"));
        let mut texts: Vec<_> = values.map(|(_, value)| value["value"].as_str().expect("text").to_owned()).collect();
        texts.extend(vector.get("get_session_body").map(Value::to_string));
        for text in texts {
            let record = read(&text).unwrap_or_else(|error| panic!("{}: {error}", vector["id"]));
            assert_eq!(record.session.user_id.as_str(), vector["user_id"]);
            let user = record.user.expect("a user");
            assert_eq!(
                (user.email.as_str(), user.role.is_some()),
                ("a@example.com", text.contains("\"role\":\"user\""))
            );
            read_ones += 1;
        }
    }
    assert_eq!(read_ones, 16);
}

#[test]
fn every_field_arrives_where_it_belongs() {
    let mut record = record();
    for (name, value) in [("impersonatedBy", "root"), ("activeOrganizationId", "o1"), ("activeTeamId", "t9")] {
        record["session"][name] = value.into();
    }
    let user = [
        ("image", json!("https://i")),
        ("role", json!("user,admin")),
        ("banned", json!(true)),
        ("banExpires", json!("1970-01-01T00:00:01.500Z")),
    ];
    for (name, value) in user {
        record["user"][name] = value;
    }
    let SessionRecord { session, user } = read(&record.to_string()).expect("readable");
    assert_eq!(
        (session.id.as_deref().unwrap_or_default(), session.token.expose(), session.user_id.as_str()),
        ("s1", "t1", "u1")
    );
    assert_eq!(session.expires_at.as_micros(), 1_795_807_056_444_000);
    assert_eq!(session.created_at.map(Timestamp::as_micros), Some(1_795_202_256_444_000));
    assert_eq!(session.impersonated_by.as_ref().map(UserId::as_str), Some("root"));
    assert_eq!(session.active_organization_id.as_deref(), Some("o1"));
    assert_eq!(session.active_team_id.as_deref(), Some("t9"));
    let user = user.expect("a user");
    assert_eq!((user.id.as_str(), user.email.as_str(), user.name.as_str()), ("u1", "ada@example.com", "Ada Lovelace"));
    assert_eq!((user.image.as_deref(), user.role.as_deref()), (Some("https://i"), Some("user,admin")));
    assert_eq!((user.email_verified, user.banned), (false, true));
    assert_eq!(user.ban_expires.map(Timestamp::as_micros), Some(1_500_000));
}

#[test]
fn plugin_fields_may_be_missing_or_null_and_others_may_be_anything() {
    for (object, name) in [
        ("session", "id"), // from secondary storage before Better Auth 1.6
        ("session", "createdAt"),
        ("session", "impersonatedBy"),
        ("session", "activeOrganizationId"),
        ("user", "image"),
        ("user", "role"),
        ("user", "banned"),
        ("user", "banExpires"),
    ] {
        for value in [None, Some(Value::Null)] {
            assert!(read(&with(object, name, value)).is_ok(), "{object}.{name}");
        }
    }
    assert!(read(&with("user", "theme", Some(json!({"a": [1, {"b": null}]})))).is_ok());
    let mut deferred = record();
    deferred["needsRefresh"] = true.into();
    assert!(read(&deferred.to_string()).is_ok());
}

#[test]
fn no_user_is_a_record_without_one() {
    for json in [json!({"session": record()["session"]}), json!({"session": record()["session"], "user": null})] {
        assert!(read(&json.to_string()).is_ok_and(|record| record.user.is_none()));
    }
}

#[test]
fn what_is_no_record_is_refused_by_name() {
    for text in ["", "null", "[]", "{", "7", "{} {}", "\"x\"", "\u{0}"] {
        assert_eq!(refusal(text), "the record is not a JSON object", "{text:?}");
    }
    assert_eq!(refusal("{}"), "session is missing");
    assert_eq!(refusal(r#"{"session":[]}"#), "session is not a JSON object");
    let of_session = ["token", "userId", "expiresAt"].map(|name| ("session", name));
    for (object, name) in
        of_session.into_iter().chain(["id", "email", "emailVerified", "name"].map(|name| ("user", name)))
    {
        for value in [None, Some(Value::Null)] {
            assert_eq!(refusal(&with(object, name, value)), format!("{name} is missing"));
        }
        let kind = format!("{name} has a value of another kind");
        for value in [json!(1), json!({}), json!([]), json!("")] {
            if matches!(name, "email" | "name") && value.is_string() {
                continue;
            }
            assert_eq!(refusal(&with(object, name, Some(value))), kind);
        }
    }
    assert_eq!(refusal(&with("session", "id", Some(json!(1)))), "id has a value of another kind");
    assert_eq!(refusal(&with("user", "banned", Some(json!("false")))), "banned has a value of another kind");
    assert_eq!(refusal(&with("user", "role", Some(json!(["admin"])))), "role has a value of another kind");
}

#[test]
fn a_name_that_is_there_twice_is_refused_however_it_is_written() {
    let text = record().to_string();
    for (from, to, what) in [
        (r#""userId":"u1""#, r#""userId":"u2","userId":"u1""#, "session"),
        (r#""userId":"u1""#, r#""user\u0049d":"u2","userId":"u1""#, "session"),
        (r#""email":"#, r#""role":"admin","role":"user","email":"#, "user"),
        (r#""email":"#, r#""x":1,"x":1,"email":"#, "user"),
        (r#""user":{"#, r#""user":{},"user":{"#, "the record"),
    ] {
        let twice = text.replacen(from, to, 1);
        assert_ne!(twice, text);
        assert_eq!(refusal(&twice), format!("{what} has a member twice"));
    }
}

#[test]
fn errors_hold_no_value() {
    let error = refusal(&with("session", "token", Some(json!("secret with spaces"))));
    assert_eq!(error, "token has a value of another kind");
}
