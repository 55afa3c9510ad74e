//! What every place that knows API keys has to hold to: one table of cases, run against the real thing.

pub(crate) mod given_up;

use std::collections::BTreeMap;
use std::time::Duration;

use authcore::{ApiKeyFault, AuthError, Authenticator as _, Identity, ManualClock, Method, Timestamp};
use authcore_better_auth::{ApiKey, ApiKeyRecord, ApiKeyStore, ApiKeys, ApiKeysBuilder, KeyLimits};
use serde_json::{Value, json};

/// The moment at which everything is judged: 2026-11-27T19:07:13Z.
pub(crate) const NOW: i64 = 1_795_806_433;

/// A key and its owner, as the auth server would have written them. Times are milliseconds from [`NOW`].
#[derive(Clone)]
pub(crate) struct KeySeed {
    /// The key as it is presented.
    pub(crate) key: &'static str,
    pub(crate) is_hashed: bool,
    /// Which row, and which user; their ids are the store's affair.
    pub(crate) number: u32,
    pub(crate) config: Option<&'static str>,
    pub(crate) enabled: bool,
    pub(crate) expires: Option<i64>,
    pub(crate) permissions: Option<&'static str>,
    pub(crate) remaining: Option<i64>,
    /// Interval and amount.
    pub(crate) refill: Option<(i64, i64)>,
    /// Window and maximum.
    pub(crate) rate: Option<(i64, i64)>,
    pub(crate) request_count: i64,
    pub(crate) last_request: Option<i64>,
    pub(crate) role: Option<&'static str>,
    pub(crate) banned: bool,
    pub(crate) ban_expires: Option<i64>,
}

impl KeySeed {
    /// A good key without limits, made a minute ago.
    pub(crate) fn good(key: &'static str, number: u32) -> Self {
        Self {
            key,
            is_hashed: true,
            number,
            config: Some("default"),
            enabled: true,
            expires: None,
            permissions: None,
            remaining: None,
            refill: None,
            rate: None,
            request_count: 0,
            last_request: None,
            role: None,
            banned: false,
            ban_expires: None,
        }
    }

    /// What the store has of the key.
    pub(crate) fn stored(&self) -> String {
        let key = if self.is_hashed { ApiKey::new(self.key) } else { ApiKey::as_stored(self.key) };
        key.expect("a key").stored().to_owned()
    }
}

/// A store with the means to change what is in it.
pub(crate) trait KeyBench {
    type Store: ApiKeyStore + Clone;

    /// Opened for reading only.
    fn reader(&self) -> Self::Store;

    /// Opened for counting.
    fn counter(&self) -> Self::Store;

    fn user_id(&self, number: u32) -> String;

    /// The id of this row.
    fn key_id(&self, number: u32) -> String;

    async fn insert(&self, seed: &KeySeed);

    /// The user goes, the key stays.
    async fn delete_owner(&self, number: u32);

    /// All there is, cell by cell: a name that holds the row's id and ends in `/` and the field's, and what is there.
    async fn dump(&self) -> BTreeMap<String, String>;
}

/// Runs all cases.
pub(crate) async fn run<B: KeyBench>(bench: &B)
where
    B::Store: ApiKeyStore,
{
    good_key(bench).await;
    unknown_keys(bench).await;
    faults(bench).await;
    owners(bench).await;
    unhashed(bench).await;
    limits_that_are_not_enforced(bench).await;
    counting_changes_the_counters_alone(bench).await;
    rate_and_refill(bench).await;
    many_at_once(bench).await;
    given_up::anywhere(bench, bench.counter(), ("GivenUp", 21)).await;
}

async fn good_key(bench: &impl KeyBench) {
    let seed = KeySeed {
        permissions: Some(r#"{"files":["read"]}"#),
        role: Some("user,admin"),
        expires: Some(3_600_000),
        ..KeySeed::good("pk_OfAda", 1)
    };
    bench.insert(&seed).await;
    let record = found(bench, "pk_OfAda").await.expect("the key is there");
    assert_eq!((record.id.as_str(), record.key.stored()), (bench.key_id(1).as_str(), seed.stored().as_str()));
    assert_eq!((record.name.as_deref(), record.config_id.as_deref()), (Some("Key 1 ü"), Some("default")));
    assert_eq!(record.created_at, at(-60_000));
    assert_eq!(record.owner.as_ref().map(|owner| owner.email.as_str()), Some("user1@example.com"));

    let identity = verdict(bench, "pk_OfAda", 0).await.expect("a good key");
    assert_eq!(identity.user_id().as_str(), bench.user_id(1));
    assert_eq!(identity.method(), &Method::ApiKey { source: bench.reader().source() });
    assert_eq!(identity.expires_at(), Some(at(3_600_000)));
    assert!(identity.has_role("admin") && identity.has_permission("files", "read"));
    let claims: Value = identity.claims().expect("JSON");
    assert_eq!(
        (&claims["apiKeyId"], &claims["apiKeyName"], &claims["permissions"]),
        (&json!(bench.key_id(1)), &json!("Key 1 ü"), &json!({"files": ["read"]}))
    );
}

async fn unknown_keys(bench: &impl KeyBench) {
    let hash = KeySeed::good("pk_OfAda", 1).stored();
    for unknown in ["pk_OfNobody", "pk_ofada", "PK_OFADA", "'OR'1'='1", "%", "pk_OfAd_", "*", &hash] {
        assert_eq!(word(bench, unknown, 0).await, "api_key_unknown", "{unknown}");
    }
    // The hash in another case: not the key, whatever a collation says.
    for other in [hash.to_lowercase(), hash.to_uppercase()] {
        let key = ApiKey::as_stored(&other).expect("visible ASCII");
        assert!(bench.reader().api_key(&key).await.expect("the store answers").is_none());
    }
}

async fn faults(bench: &impl KeyBench) {
    bench.insert(&KeySeed { enabled: false, ..KeySeed::good("Disabled", 2) }).await;
    bench.insert(&KeySeed { expires: Some(0), ..KeySeed::good("AtItsEnd", 3) }).await;
    bench.insert(&KeySeed { config: Some("organizations"), ..KeySeed::good("OfAnOrganization", 4) }).await;
    bench.insert(&KeySeed { config: Some(""), ..KeySeed::good("OfNoConfiguration", 5) }).await;
    assert_eq!(word(bench, "Disabled", 0).await, "api_key_disabled");
    assert_eq!(word(bench, "AtItsEnd", 0).await, "accepted", "good to the last millisecond");
    assert_eq!(word(bench, "AtItsEnd", 1).await, "api_key_expired");
    assert_eq!(word(bench, "OfAnOrganization", 0).await, "api_key_unknown");
    assert_eq!(word(bench, "OfNoConfiguration", 0).await, "accepted");
}

async fn owners(bench: &impl KeyBench) {
    let banned = |key, number, ban_expires| KeySeed { banned: true, ban_expires, ..KeySeed::good(key, number) };
    bench.insert(&banned("BannedForEver", 10, None)).await;
    bench.insert(&banned("BannedForAMinute", 11, Some(60_000))).await;
    bench.insert(&KeySeed::good("OfADeletedUser", 12)).await;
    assert_eq!(word(bench, "BannedForEver", 0).await, "api_key_owner_banned");
    assert_eq!(word(bench, "BannedForAMinute", 59_999).await, "api_key_owner_banned");
    assert_eq!(word(bench, "BannedForAMinute", 60_000).await, "accepted");
    assert_eq!(word(bench, "OfADeletedUser", 0).await, "accepted");
    bench.delete_owner(12).await;
    assert_eq!(word(bench, "OfADeletedUser", 0).await, "api_key_owner_missing");
}

async fn unhashed(bench: &impl KeyBench) {
    bench.insert(&KeySeed { is_hashed: false, ..KeySeed::good("InPlainText", 13) }).await;
    assert_eq!(word(bench, "InPlainText", 0).await, "api_key_unknown");
    let keys = ApiKeys::builder(bench.reader()).stored_in_plain_text().clock(clock(0)).build().expect("settings");
    let verdict = async |text: &str| {
        keys.verify(ApiKey::as_stored(text).expect("a key").into()).await.map_err(|error| error.reason())
    };
    verdict("InPlainText").await.expect("a good key");
    assert_eq!(verdict("inplaintext").await.err(), Some("api_key_unknown"));
    // Where keys are names, what is kept beside them is none.
    for text in [format!("by-id:{}", bench.key_id(1)), format!("by-ref:{}", bench.user_id(1))] {
        let fault = verdict(&text).await.expect_err("no key");
        assert_eq!(fault, "api_key_unknown", "{text}");
        let found = bench.reader().api_key(&ApiKey::as_stored(&text).expect("a key")).await;
        assert!(found.expect("the store answers").is_none(), "{text}");
    }
}

async fn limits_that_are_not_enforced(bench: &impl KeyBench) {
    bench.insert(&KeySeed { remaining: Some(0), ..KeySeed::good("NothingLeft", 14) }).await;
    bench.insert(&KeySeed { rate: Some((86_400_000, 10)), ..KeySeed::good("TenADay", 15) }).await;
    let before = bench.dump().await;
    for key in ["NothingLeft", "TenADay"] {
        assert_eq!(word(bench, key, 0).await, "api_key_limited");
        for store in [bench.reader(), bench.counter()] {
            let keys = limited(ApiKeys::builder(store), KeyLimits::Ignore, 0);
            assert_eq!(said(&keys, key).await, "accepted");
        }
        let refused = limited(ApiKeys::builder(bench.counter()), KeyLimits::Refuse, 0);
        assert_eq!(said(&refused, key).await, "api_key_limited");
    }
    assert_eq!(bench.dump().await, before, "nothing was written");
    let error = ApiKeys::builder(bench.reader()).limits(KeyLimits::Enforce).build().expect_err("it only reads");
    assert!(error.to_string().starts_with("limits: "), "{error}");
    let record = found(bench, "NothingLeft").await.expect("the key is there");
    assert!(bench.reader().spend(&record, &record.usage).await.is_err(), "a reader does not write when it is asked to");
    assert_eq!(bench.dump().await, before, "still nothing was written");
}

async fn counting_changes_the_counters_alone(bench: &impl KeyBench) {
    let both = KeySeed { remaining: Some(2), rate: Some((1000, 10)), ..KeySeed::good("Counted", 16) };
    bench.insert(&both).await;
    bench.insert(&KeySeed::good("Unlimited", 17)).await;
    let start = bench.dump().await;
    assert_eq!(enforced(bench, "Unlimited", 0).await, Ok(()));
    assert_eq!(bench.dump().await, start, "a key without limits is not written");
    assert_eq!(enforced(bench, "Counted", 0).await, Ok(()));
    let changed = changed(&start, &bench.dump().await);
    assert!(!changed.is_empty());
    for cell in changed {
        let field = cell.rsplit('/').next().unwrap_or_default().replace('_', "").to_lowercase();
        assert!(cell.contains(&bench.key_id(16)), "another row: {cell}");
        assert!(["remaining", "requestcount", "lastrequest"].contains(&&*field), "another field: {cell}");
    }
    let usage = found(bench, "Counted").await.expect("the key is there").usage;
    assert_eq!((usage.remaining, usage.request_count, usage.last_request), (Some(1), 1, Some(at(0))));

    assert_eq!(enforced(bench, "Counted", 1).await, Ok(()));
    let spent = bench.dump().await;
    assert_eq!(enforced(bench, "Counted", 2).await, Err(Some(None)), "nothing left, and no refill");
    assert_eq!(bench.dump().await, spent, "a key with nothing left stays as it is");
    // What was read before is no longer there.
    let stale = found(bench, "Counted").await.expect("the key is there");
    let mut after = stale.usage.clone();
    after.remaining = Some(9);
    assert!(bench.counter().spend(&stale, &after).await.expect("it answers"));
    assert!(!bench.counter().spend(&stale, &after).await.expect("it answers"), "somebody else was faster");
}

async fn rate_and_refill(bench: &impl KeyBench) {
    let rate = KeySeed { rate: Some((1000, 2)), ..KeySeed::good("TwoASecond", 18) };
    bench.insert(&rate).await;
    let wait = |milliseconds| Err(Some(Some(Duration::from_millis(milliseconds))));
    for (later, expected) in [(0, Ok(())), (500, Ok(())), (501, wait(1000)), (1500, wait(1)), (1501, Ok(()))] {
        assert_eq!(enforced(bench, "TwoASecond", later).await, expected, "{later}");
    }
    let usage = found(bench, "TwoASecond").await.expect("the key is there").usage;
    assert_eq!((usage.request_count, usage.last_request), (1, Some(at(1501))));

    // Made a minute ago.
    bench.insert(&KeySeed { remaining: Some(1), refill: Some((90_000, 2)), ..KeySeed::good("Refilled", 19) }).await;
    for (later, expected) in [(0, Ok(())), (1, wait(30_000)), (30_000, wait(1)), (30_001, Ok(())), (30_002, Ok(()))] {
        assert_eq!(enforced(bench, "Refilled", later).await, expected, "{later}");
    }
    assert_eq!(enforced(bench, "Refilled", 30_003).await, wait(89_999));
    let usage = found(bench, "Refilled").await.expect("the key is there").usage;
    assert_eq!((usage.remaining, usage.last_refill_at), (Some(0), Some(at(30_001))));
}

/// Twenty at once for five uses: five pass, whatever the store is.
async fn many_at_once<B: KeyBench>(bench: &B) {
    bench.insert(&KeySeed { remaining: Some(5), ..KeySeed::good("FiveLeft", 20) }).await;
    let keys = limited(ApiKeys::builder(bench.counter()), KeyLimits::Enforce, 0);
    let uses: Vec<_> = (0..20)
        .map(|_| {
            let keys = keys.clone();
            tokio::spawn(async move { said(&keys, "FiveLeft").await })
        })
        .collect();
    let mut words = BTreeMap::new();
    for used in uses {
        *words.entry(used.await.expect("no panic")).or_insert(0) += 1;
    }
    assert_eq!(words, BTreeMap::from([("accepted", 5), ("over_quota", 15)]));
    assert_eq!(found(bench, "FiveLeft").await.expect("the key is there").usage.remaining, Some(0));
}

/// The row behind a presented key.
pub(crate) async fn found(bench: &impl KeyBench, text: &str) -> Option<ApiKeyRecord> {
    bench.reader().api_key(&ApiKey::new(text).expect("a key")).await.expect("the store answers")
}

/// The verdict so many milliseconds after [`NOW`], limits being refused.
async fn verdict(bench: &impl KeyBench, text: &str, later: i64) -> Result<Identity, AuthError> {
    let keys = limited(ApiKeys::builder(bench.reader()), KeyLimits::Refuse, later);
    keys.verify(ApiKey::new(text).expect("a key").into()).await
}

async fn word(bench: &impl KeyBench, text: &str, later: i64) -> &'static str {
    verdict(bench, text, later).await.map_or_else(|error| error.reason(), |_| "accepted")
}

pub(crate) async fn said(keys: &ApiKeys, text: &str) -> &'static str {
    keys.verify(ApiKey::new(text).expect("a key").into()).await.map_or_else(|error| error.reason(), |_| "accepted")
}

/// With limits enforced: `Err(Some(…))` says when to come back, `Err(None)` that it is about something else.
async fn enforced(bench: &impl KeyBench, text: &str, later: i64) -> Result<(), Option<Option<Duration>>> {
    let keys = limited(ApiKeys::builder(bench.counter()), KeyLimits::Enforce, later);
    match keys.verify(ApiKey::new(text).expect("a key").into()).await {
        Ok(_) => Ok(()),
        Err(AuthError::OverQuota { retry_after }) => Err(Some(retry_after)),
        Err(AuthError::ApiKey { fault: ApiKeyFault::Limited, .. }) => {
            panic!("{text} was not to be refused for its limits")
        }
        Err(_) => Err(None),
    }
}

fn limited(builder: ApiKeysBuilder, limits: KeyLimits, later: i64) -> ApiKeys {
    builder.limits(limits).clock(clock(later)).build().expect("good settings")
}

/// The names of the cells that differ.
fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    assert!(before.keys().eq(after.keys()), "cells came or went");
    before.iter().filter(|(name, value)| after[*name] != **value).map(|(name, _)| name.clone()).collect()
}

fn clock(milliseconds: i64) -> ManualClock {
    let clock = ManualClock::at(NOW);
    clock.set(at(milliseconds));
    clock
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW * 1_000_000 + milliseconds * 1000)
}
