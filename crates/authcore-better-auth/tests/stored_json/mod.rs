//! Records in the JSON of Better Auth, for stores that are given them as text.

use serde_json::{Value, json};

use crate::store_suite::{NOW, Seed};

pub(crate) fn user_id(user: u32) -> String {
    format!("user-{user}")
}

/// The session with its user, as Better Auth would have written it; plugin fields are missing unless they are set.
pub(crate) fn record(seed: &Seed) -> String {
    let id = user_id(seed.user);
    let mut session = json!({
        "id": format!("row-of-{}", seed.token), "token": seed.token, "userId": id, "expiresAt": date(seed.expires),
        "createdAt": date(-60_000), "updatedAt": date(-60_000), "ipAddress": "", "userAgent": "",
    });
    let mut user = json!({
        "id": id, "name": format!("User {} ü", seed.user), "email": format!("user{}@example.com", seed.user),
        "emailVerified": true, "image": null, "createdAt": date(-60_000), "updatedAt": date(-60_000),
    });
    let set = |object: &mut Value, name: &str, value: Option<Value>| {
        if let Some(value) = value {
            object[name] = value;
        }
    };
    set(&mut user, "role", seed.role.map(Value::from));
    set(&mut user, "banned", seed.banned.then_some(true.into()));
    set(&mut user, "banExpires", seed.ban_expires.map(|end| date(end).into()));
    set(&mut session, "impersonatedBy", seed.impersonated_by.map(|id| user_id(id).into()));
    set(&mut session, "activeOrganizationId", seed.organization.map(Value::from));
    json!({"session": session, "user": user}).to_string()
}

/// The record after its user went.
pub(crate) fn without_user(record: &str) -> String {
    let mut record: Value = serde_json::from_str(record).expect("our own JSON");
    record["user"] = Value::Null;
    record.to_string()
}

/// Milliseconds from [`NOW`], within its day.
pub(crate) fn date(milliseconds: i64) -> String {
    let of_day = NOW * 1000 % 86_400_000 + milliseconds;
    assert!((0..86_400_000).contains(&of_day));
    let (seconds, milliseconds) = (of_day / 1000, of_day % 1000);
    format!("2026-11-27T{:02}:{:02}:{:02}.{milliseconds:03}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
