//! API keys: `h` and what a request carries in `x-api-key`, `b` and a bearer token, `r` and the values of a database row,
//! each on a line of its own (`-` is null), anything else a row in JSON as secondary storage keeps it.
#![no_main]

use std::sync::{Arc, LazyLock};

use authcore::{ApiKeyFault, Authenticator as _, Timestamp, Unavailable};
use authcore_better_auth::fuzzing::{sql_api_key, sql_instant, stored_api_key};
use authcore_better_auth::{ApiKey, ApiKeyRecord, ApiKeyStore, ApiKeys, KeyUsage};
use authcore_fuzz::json::{Members, Node};
use authcore_fuzz::{NOW, assert_documented, assert_tells_no_secret, planted};
use authcore_testkit::TestHead;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [kind, rest @ ..] = data else { return };
    match kind {
        b'h' => presented("x-api-key", &planted(rest), false),
        b'b' => presented("authorization", &[b"Bearer ", &*planted(rest)].concat(), true),
        b'r' => row(&planted(rest)),
        _ => stored(&planted(data)),
    }
});

/// Nothing is asked of it.
struct Nowhere;

impl ApiKeyStore for Nowhere {
    async fn api_key(&self, _: &ApiKey) -> Result<Option<ApiKeyRecord>, Unavailable> {
        Ok(None)
    }

    fn source(&self) -> &'static str {
        "redis"
    }
}

static KEYS: LazyLock<ApiKeys> =
    LazyLock::new(|| ApiKeys::builder(Nowhere).as_bearer().build().expect("good settings"));

fn presented(field: &str, value: &[u8], bearer: bool) {
    let head = TestHead::get("/").header(field, value);
    match KEYS.credential(&head) {
        Ok(Some(key)) => {
            let text = std::str::from_utf8(value).expect("a key is ASCII");
            let text = text.trim_matches([' ', '\t']);
            let text = if bearer { text[6..].trim_start_matches(' ') } else { text };
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.is_empty() && text.len() <= 512);
            assert!(!bearer || text.len() >= 64 && !text.contains('.'), "too short, or of another kind");
            let shown = format!("{key:?}");
            let hashed = ApiKey::new(text).expect("a key");
            let told = [text, hashed.stored()].map(|text| text.len() > 20 && shown.contains(text));
            assert_eq!(told, [false; 2], "{shown}");
        }
        Ok(None) => assert!(bearer, "the field is there"),
        Err(error) => assert_documented(&error, error.reason(), &["api_key_malformed", "malformed_bearer"]),
    }
}

fn stored(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let now = Timestamp::from_seconds(NOW);
    let after = KeyUsage { remaining: Some(7), last_refill_at: Some(now), request_count: 3, last_request: Some(now) };
    let (record, counted) = match stored_api_key(text, &after) {
        Ok(read) => read,
        Err(error) => {
            assert!(error.to_string().starts_with("unreadable API key: "), "{error}");
            assert_tells_no_secret(&error);
            return;
        }
    };
    let whole = Members::of(text).expect("an accepted row is an object");
    assert!(!whole.names_twice());
    assert_eq!(whole.text("id"), Some(record.id.clone()));
    assert_eq!(whole.text("key").as_deref(), Some(record.key.stored()));
    assert_eq!(whole.text("referenceId").as_deref(), Some(record.reference_id.as_str()));
    assert_eq!(whole.read("enabled") != Some(Node::Bool(false)), record.enabled);
    // What is written changes the counters and nothing else.
    assert_eq!(counted.usage, after);
    let same = |record: &ApiKeyRecord| {
        let ApiKeyRecord { id, config_id, name, reference_id, enabled, expires_at, permissions, allowance, .. } =
            record;
        format!("{id:?} {config_id:?} {name:?} {reference_id} {enabled} {expires_at:?} {permissions:?} {allowance:?}")
    };
    assert_eq!((same(&record), record.key.stored()), (same(&counted), counted.key.stored()));
    judge(&record);
}

fn row(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let values = text.split('\n').map(|value| (value != "-").then(|| value.to_owned())).collect::<Vec<_>>();
    let value = |field| FIELDS.iter().position(|known| *known == field).and_then(|place| values.get(place)?.as_deref());
    let record = match sql_api_key(Arc::from(FIELDS), values.clone()) {
        Ok(record) => record,
        Err(error) => return assert_tells_no_secret(&error),
    };
    assert_eq!(Some(record.key.stored()), value("apikey.key"));
    assert_eq!(Some(record.reference_id.as_str()), value("apikey.referenceId"));
    assert_eq!(record.enabled, !matches!(value("apikey.enabled"), Some("0" | "false")));
    assert_eq!(record.expires_at, value("apikey.expiresAt").and_then(|text| sql_instant(text, "Z")));
    assert_eq!(record.usage.remaining, value("apikey.remaining").map(|text| text.parse().expect("a number")));
    judge(&record);
}

/// Good for its own key, while it is on, in its time and its owner's, and for what it spells out.
fn judge(record: &ApiKeyRecord) {
    let now = Timestamp::from_seconds(NOW);
    let other = ApiKey::as_stored("another").expect("a key");
    let named = record.config_id.as_deref().filter(|id| !id.is_empty()).unwrap_or("default");
    if record.key.stored() != "another" {
        assert_eq!(record.judge(&other, &[named], now, "redis").err(), Some(ApiKeyFault::Unknown));
    }
    let unnamed = format!("{named}x");
    assert_eq!(record.judge(&record.key, &[unnamed], now, "redis").err(), Some(ApiKeyFault::Unknown));
    let verdict = record.judge(&record.key, &[named], now, "redis");
    let owner = record.owner.as_ref().filter(|owner| owner.id == record.reference_id);
    match verdict {
        Ok(identity) => {
            let owner = owner.expect("an owner");
            assert!(record.enabled && record.expires_at.is_none_or(|end| end >= now) && !owner.is_banned(now));
            assert_eq!(identity.user_id(), &record.reference_id);
            let claims = Node::read(identity.claims_json().as_bytes()).expect("claims are JSON");
            assert!(!claims.names_twice());
            if identity.has_permission("files", "read") {
                assert!(
                    record.permissions.as_deref().is_some_and(|text| text.contains("files") && text.contains("read"))
                );
            }
        }
        Err(ApiKeyFault::Disabled) => assert!(!record.enabled),
        Err(ApiKeyFault::Expired) => assert!(record.expires_at.is_some_and(|end| end < now)),
        Err(ApiKeyFault::OwnerMissing) => assert!(owner.is_none()),
        Err(ApiKeyFault::OwnerBanned) => assert!(owner.is_some_and(|owner| owner.is_banned(now))),
        Err(other) => panic!("{other}"),
    }
}

const FIELDS: &[&str] = &[
    "apikey.id",
    "apikey.key",
    "apikey.referenceId",
    "apikey.createdAt",
    "apikey.enabled",
    "apikey.expiresAt",
    "apikey.configId",
    "apikey.permissions",
    "apikey.remaining",
    "apikey.requestCount",
    "apikey.lastRequest",
    "user.id",
    "user.email",
    "user.emailVerified",
    "user.name",
    "user.banned",
];
