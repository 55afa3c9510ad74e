use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_795_806_433;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn id(text: &str) -> UserId {
    UserId::new(text).expect("an id")
}

fn key() -> ApiKey {
    ApiKey::new("pk_secret").expect("a key")
}

fn record() -> ApiKeyRecord {
    let owner = User {
        id: id("ann"),
        email: "ann@example.com".to_owned(),
        email_verified: true,
        name: "Ann".to_owned(),
        image: None,
        role: Some("user,admin".to_owned()),
        banned: false,
        ban_expires: None,
    };
    ApiKeyRecord {
        id: "k1".to_owned(),
        key: key(),
        config_id: None,
        name: Some("ci".to_owned()),
        reference_id: id("ann"),
        enabled: true,
        expires_at: None,
        created_at: at(NOW - 60),
        permissions: Some(r#"{"files":["read"]}"#.to_owned()),
        allowance: KeyAllowance::default(),
        usage: KeyUsage::default(),
        owner: Some(owner),
        as_read: Secret::new(""),
    }
}

fn verdict(change: impl FnOnce(&mut ApiKeyRecord)) -> Result<Identity, ApiKeyFault> {
    let mut record = record();
    change(&mut record);
    record.judge(&key(), &["default", "service"], at(NOW), "database")
}

fn fault(change: impl FnOnce(&mut ApiKeyRecord)) -> Option<ApiKeyFault> {
    verdict(change).err()
}

fn owner(record: &mut ApiKeyRecord) -> &mut User {
    record.owner.as_mut().expect("an owner")
}

#[test]
fn a_good_key_stands_for_its_owner() {
    let identity = verdict(|record| record.expires_at = Some(at(NOW + 60))).expect("a good key");
    assert_eq!((identity.user_id(), identity.method()), (&id("ann"), &Method::ApiKey { source: "database" }));
    assert_eq!((identity.expires_at(), identity.impersonated_by()), (Some(at(NOW + 60)), None));
    let record = record();
    assert_eq!((identity.issued_at(), identity.token_id()), (Some(record.created_at), Some(&*record.id)));
    assert!(identity.has_role("admin") && identity.has_role("user"));
    assert!(identity.has_permission("files", "read") && !identity.has_permission("files", "write"));
    assert_eq!(
        identity.claims::<Value>().expect("JSON"),
        json!({
            "sub": "ann", "id": "ann", "email": "ann@example.com", "emailVerified": true, "name": "Ann", "image": null,
            "role": "user,admin", "apiKeyId": "k1", "apiKeyName": "ci", "permissions": {"files": ["read"]},
        })
    );

    let plain = verdict(|record| {
        owner(record).role = None;
        record.name = None;
        record.permissions = Some(r#"{"files":"read"}"#.to_owned());
    });
    let plain = plain.expect("a good key");
    assert!(plain.has_role("user") && !plain.has_permission("files", "read"));
    let claims: Value = plain.claims().expect("JSON");
    assert_eq!((&claims["permissions"], claims.get("apiKeyName"), claims.get("role")), (&json!({}), None, None));
    assert_eq!(plain.expires_at(), None);
}

#[test]
fn each_fault_is_told_and_the_first_of_several() {
    use ApiKeyFault::{Disabled, Expired, OwnerBanned, OwnerMissing, Unknown};

    let other = || ApiKey::as_stored(&key().stored().to_lowercase()).expect("a key");
    assert_eq!(fault(|record| record.key = other()), Some(Unknown), "as found without regard to case");
    assert_eq!(fault(|record| record.config_id = Some("organizations".to_owned())), Some(Unknown));
    assert_eq!(fault(|record| record.config_id = Some("Default".to_owned())), Some(Unknown));
    for named in ["", "default", "service"] {
        assert_eq!(fault(|record| record.config_id = Some(named.to_owned())), None, "{named:?}");
    }
    assert_eq!(fault(|record| record.enabled = false), Some(Disabled));
    assert_eq!(fault(|record| record.expires_at = Some(at(NOW))), None, "good to the last");
    let over = Timestamp::from_micros(NOW * 1_000_000 - 1);
    assert_eq!(fault(|record| record.expires_at = Some(over)), Some(Expired));
    assert_eq!(fault(|record| record.owner = None), Some(OwnerMissing));
    assert_eq!(fault(|record| owner(record).id = id("Ann")), Some(OwnerMissing));
    assert_eq!(fault(|record| owner(record).banned = true), Some(OwnerBanned));
    for (ends, expected) in [(NOW, None), (NOW + 1, Some(OwnerBanned))] {
        let banned =
            |record: &mut ApiKeyRecord| (owner(record).banned, owner(record).ban_expires) = (true, Some(at(ends)));
        assert_eq!(fault(banned), expected);
    }

    let mut all_wrong = record();
    owner(&mut all_wrong).banned = true;
    let judge = |record: &ApiKeyRecord| record.judge(&key(), &["default"], at(NOW), "database").err();
    assert_eq!(judge(&all_wrong), Some(OwnerBanned));
    all_wrong.owner = None;
    assert_eq!(judge(&all_wrong), Some(OwnerMissing));
    all_wrong.expires_at = Some(at(0));
    assert_eq!(judge(&all_wrong), Some(Expired));
    all_wrong.enabled = false;
    assert_eq!(judge(&all_wrong), Some(Disabled));
    all_wrong.config_id = Some("service".to_owned());
    assert_eq!(judge(&all_wrong), Some(Unknown));
}

#[test]
fn debug_shows_no_key() {
    let mut record = record();
    record.key = ApiKey::as_stored("in-plain-text").expect("a key");
    record.as_read = Secret::new("in-plain-text");
    assert!(!format!("{record:?}").contains("in-plain-text"));
}
