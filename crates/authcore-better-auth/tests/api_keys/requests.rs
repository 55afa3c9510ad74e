//! Where keys are looked for, and what is refused before anybody is asked.

use authcore::{AuthError, Guard, Refusal};
use authcore_better_auth::{ApiKey, KeyLimits};
use authcore_testkit::TestHead;

use crate::support::{KEY, Store, builder, head, record, verdict, word};

#[tokio::test]
async fn a_key_is_read_from_its_header_alone() {
    let store = Store::new(record());
    let keys = builder(&store).build().expect("good settings");
    let identity = verdict(&keys, &head("X-API-Key", KEY)).await.expect("present").expect("accepted");
    assert_eq!(identity.user_id().as_str(), "ann");
    for (name, value) in [("cookie", format!("x-api-key={KEY}")), ("x-apikey", KEY.into()), ("x-key", KEY.into())] {
        assert_eq!(word(&keys, &head(name, value)).await, "absent", "{name}");
    }
    assert_eq!(word(&keys, &TestHead::get("/").bearer(KEY)).await, "absent");
    assert_eq!(word(&keys, &TestHead::get(format!("/?x-api-key={KEY}"))).await, "absent");
    assert_eq!(word(&keys, &head("x-api-key", &KEY[1..])).await, "api_key_unknown");
    assert_eq!(word(&keys, &head("x-api-key", KEY.to_lowercase())).await, "api_key_unknown");
}

#[tokio::test]
async fn what_is_not_one_key_is_malformed_and_nobody_is_asked() {
    let store = Store::new(record());
    let keys = builder(&store).header("x-api-key").header("X-Service-Key").build().expect("good settings");
    let long = "a".repeat(513);
    for value in ["", " ", "a b", "a\t", "ключ", "a\u{7f}", long.as_str()] {
        assert_eq!(word(&keys, &head("x-api-key", value)).await, "api_key_malformed", "{value:?}");
    }
    assert_eq!(word(&keys, &head("x-api-key", b"\xff\xfe")).await, "api_key_malformed");
    let twice = head("x-api-key", KEY).header("x-api-key", KEY);
    assert_eq!(word(&keys, &twice).await, "api_key_malformed");
    let both = head("x-api-key", KEY).header("x-service-key", KEY);
    assert_eq!(word(&keys, &both).await, "api_key_malformed");
    let beside_nothing = head("x-api-key", KEY).header("x-service-key", "");
    assert_eq!(word(&keys, &beside_nothing).await, "api_key_malformed");
    assert_eq!(store.with(|state| state.asked), 0);
    assert_eq!(word(&keys, &head("x-service-key", KEY)).await, "accepted");

    let only = builder(&store).header("x-service-key").build().expect("good settings");
    assert_eq!(word(&only, &head("x-api-key", KEY)).await, "absent", "its own name replaces the default");
}

#[tokio::test]
async fn a_bearer_key_is_told_by_its_length_and_its_lack_of_dots() {
    let store = Store::new(record());
    let keys = builder(&store).as_bearer().build().expect("good settings");
    assert_eq!(word(&keys, &TestHead::get("/").bearer(KEY)).await, "accepted");
    assert_eq!(word(&keys, &head("x-api-key", KEY)).await, "accepted");
    for other in [&KEY[..63], "sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E", &format!("{KEY}.{KEY}"), &format!("{KEY}.x.y")] {
        assert_eq!(word(&keys, &TestHead::get("/").bearer(other)).await, "absent", "{other}");
    }
    assert_eq!(word(&keys, &TestHead::get("/").bearer(&KEY[..64])).await, "api_key_unknown");
    assert_eq!(word(&keys, &TestHead::get("/").bearer("a".repeat(513))).await, "api_key_malformed");
    assert_eq!(word(&keys, &head("x-api-key", KEY).bearer(KEY)).await, "api_key_malformed", "two, though equal");
    assert_eq!(word(&keys, &head("authorization", "Basic YTpi")).await, "absent");
    assert_eq!(word(&keys, &head("authorization", "Bearer a b")).await, "malformed_bearer");
    let twice = TestHead::get("/").bearer(KEY).bearer(KEY);
    assert_eq!(word(&keys, &twice).await, "repeated_authorization");
    // A token of another kind is somebody else's, and decides.
    assert_eq!(word(&keys, &head("x-api-key", KEY).bearer("a.b.c")).await, "absent");
}

#[tokio::test]
async fn keys_of_configurations_that_are_not_named_are_unknown() {
    let store = Store::new(record());
    let named = |names: &[&str]| builder(&store).configurations(names.iter().copied()).build().expect("good settings");
    let of = async |id: Option<&str>, names: &[&str]| {
        store.with(|state| state.record.config_id = id.map(str::to_owned));
        word(&named(names), &head("x-api-key", KEY)).await
    };
    for id in [None, Some(""), Some("default")] {
        assert_eq!(of(id, &["default"]).await, "accepted", "{id:?}");
        assert_eq!(of(id, &["service"]).await, "api_key_unknown", "{id:?}");
    }
    assert_eq!(of(Some("organizations"), &["default", "service"]).await, "api_key_unknown");
    assert_eq!(of(Some("service"), &["default", "service"]).await, "accepted");
}

#[tokio::test]
async fn keys_that_are_not_hashed_are_looked_up_as_they_are() {
    let mut plain = record();
    plain.key = ApiKey::as_stored(KEY).expect("a key");
    let stolen = record().key.stored().to_owned();
    let hashed = Store::new(record());
    let keys = builder(&hashed).build().expect("good settings");
    assert_eq!(word(&keys, &head("x-api-key", stolen)).await, "api_key_unknown", "what is stored opens nothing");

    let store = Store::new(plain);
    assert_eq!(word(&builder(&store).build().expect("settings"), &head("x-api-key", KEY)).await, "api_key_unknown");
    let keys = builder(&store).stored_in_plain_text().build().expect("good settings");
    assert_eq!(word(&keys, &head("x-api-key", KEY)).await, "accepted");
    assert!(!format!("{keys:?}").contains(KEY));
}

#[test]
fn settings_that_cannot_be_served_are_refused() {
    let store = Store::new(record());
    let refusal = |builder: authcore_better_auth::ApiKeysBuilder| builder.build().expect_err("refused").to_string();
    assert!(refusal(builder(&store).header("x api key")).starts_with("header: "));
    assert!(refusal(builder(&store).header("Authorization")).starts_with("header: "));
    assert!(refusal(builder(&store).configurations([""; 0])).starts_with("configurations: "));
    assert!(refusal(builder(&store).configurations(["default", ""])).starts_with("configurations: "));
    builder(&store).limits(KeyLimits::Enforce).build().expect("a store that may count");
    store.with(|state| state.can_spend = false);
    assert!(refusal(builder(&store).limits(KeyLimits::Enforce)).contains("this store only reads"));
}

#[tokio::test]
async fn behind_a_guard_a_bad_key_is_a_401_and_an_outage_a_503() {
    let store = Store::new(record());
    let keys = builder(&store).build().expect("good settings");
    let guard = Guard::builder().authenticator(keys).build().expect("a guard");
    let told = async |head: TestHead| {
        let refusal: Refusal = guard.begin(&head).finish().await.map(drop).expect_err("refused");
        (refusal.status(), refusal.code())
    };
    assert!(guard.begin(&head("x-api-key", KEY)).finish().await.is_ok());
    assert_eq!(told(head("x-api-key", "unknown")).await.0, 401);
    assert_eq!(told(TestHead::get("/api/tasks")).await.0, 401);
    store.with(|state| state.is_down = true);
    assert_eq!(told(head("x-api-key", KEY)).await.0, 503);
    let error = AuthError::OverQuota { retry_after: None };
    assert_eq!(Refusal::from(error).status(), 429);
}
