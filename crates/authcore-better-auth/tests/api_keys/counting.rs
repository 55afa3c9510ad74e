//! What becomes of keys with limits of their own.

use std::time::Duration;

use authcore::{AuthError, Timestamp};
use authcore_better_auth::{KeyAllowance, KeyLimits, KeyUsage};

use crate::support::{KEY, NOW, Store, builder, head, record, verdict, word};

fn left(remaining: i64) -> Store {
    let mut record = record();
    record.usage.remaining = Some(remaining);
    Store::new(record)
}

/// Ten in a day, as by Better Auth's default.
fn ten_a_day(request_count: i64) -> Store {
    let mut record = record();
    let (time_window, max) = (Some(Duration::from_secs(86_400)), Some(10));
    record.allowance = KeyAllowance { rate_limit_enabled: true, time_window, max, ..KeyAllowance::default() };
    record.usage.request_count = request_count;
    record.usage.last_request = (request_count > 0).then(|| Timestamp::from_seconds(NOW - 60));
    Store::new(record)
}

async fn under(limits: KeyLimits, store: &Store) -> &'static str {
    let keys = builder(store).limits(limits).build().expect("good settings");
    word(&keys, &head("x-api-key", KEY)).await
}

#[tokio::test]
async fn keys_with_limits_are_refused_unless_somebody_says_what_becomes_of_them() {
    for store in [left(5), left(0), ten_a_day(0)] {
        let keys = builder(&store).build().expect("good settings");
        assert_eq!(word(&keys, &head("x-api-key", KEY)).await, "api_key_limited");
        assert_eq!(under(KeyLimits::Refuse, &store).await, "api_key_limited");
        assert_eq!(under(KeyLimits::Ignore, &store).await, "accepted");
        assert_eq!(store.with(|state| state.spent), 0);
    }
    let unlimited = Store::new(record());
    for limits in [KeyLimits::Refuse, KeyLimits::Ignore, KeyLimits::Enforce] {
        assert_eq!(under(limits, &unlimited).await, "accepted");
    }
    assert_eq!(unlimited.with(|state| state.spent), 0, "a key without limits is not written");
}

/// A key that is refused for what it is costs nothing.
#[tokio::test]
async fn only_a_good_key_is_counted() {
    let store = left(5);
    store.with(|state| state.record.enabled = false);
    assert_eq!(under(KeyLimits::Enforce, &store).await, "api_key_disabled");
    assert_eq!(under(KeyLimits::Refuse, &store).await, "api_key_disabled");
    assert_eq!(store.with(|state| state.spent), 0);
}

#[tokio::test]
async fn what_is_left_is_taken_and_then_nothing_is() {
    let store = left(2);
    for (expected, remaining) in [("accepted", 1), ("accepted", 0), ("over_quota", 0), ("over_quota", 0)] {
        assert_eq!(under(KeyLimits::Enforce, &store).await, expected);
        assert_eq!(store.with(|state| state.record.usage.remaining), Some(remaining));
    }
    assert_eq!(store.with(|state| state.spent), 2);
}

#[tokio::test]
async fn a_refusal_says_when_to_come_back() {
    let wait = async |store: &Store| {
        let keys = builder(store).limits(KeyLimits::Enforce).build().expect("good settings");
        match verdict(&keys, &head("x-api-key", KEY)).await {
            Some(Err(AuthError::OverQuota { retry_after })) => retry_after,
            other => panic!("not over quota: {other:?}"),
        }
    };
    let store = ten_a_day(10);
    assert_eq!(wait(&store).await, Some(Duration::from_millis(86_340_001)));
    assert_eq!(store.with(|state| state.spent), 0, "a window that goes on is not written");
    assert_eq!(wait(&left(0)).await, None);
    let refilled = left(0);
    refilled.with(|state| {
        state.record.allowance.refill_interval = Some(Duration::from_secs(90));
        state.record.allowance.refill_amount = Some(5);
    });
    assert_eq!(wait(&refilled).await, Some(Duration::from_millis(30_001)));
    // Too fast and with uses left: one of them is gone.
    let both = ten_a_day(10);
    both.with(|state| state.record.usage.remaining = Some(3));
    assert!(wait(&both).await.is_some());
    assert_eq!(both.with(|state| (state.record.usage.remaining, state.record.usage.request_count)), (Some(2), 10));
}

#[tokio::test]
async fn a_lost_race_is_run_again_and_not_for_ever() {
    let store = left(100);
    store.with(|state| state.lost = 19);
    assert_eq!(under(KeyLimits::Enforce, &store).await, "accepted");
    assert_eq!(store.with(|state| (state.asked, state.spent)), (20, 1), "read anew each time");
    store.with(|state| state.lost = 20);
    assert_eq!(under(KeyLimits::Enforce, &store).await, "unavailable");
    assert_eq!(store.with(|state| state.record.usage.clone()).remaining, Some(99));
}

#[tokio::test]
async fn a_store_that_only_reads_counts_nothing() {
    use authcore::{Unavailable, UserId};
    use authcore_better_auth::{ApiKey, ApiKeyRecord, ApiKeyStore, ApiKeys};

    struct Reads;

    impl ApiKeyStore for Reads {
        async fn api_key(&self, _: &ApiKey) -> Result<Option<ApiKeyRecord>, Unavailable> {
            Ok(None)
        }

        fn source(&self) -> &'static str {
            "elsewhere"
        }
    }

    assert!(!Reads.can_spend());
    let mut record = record();
    record.reference_id = UserId::new("bob").expect("an id");
    assert!(Reads.spend(&record, &KeyUsage::default()).await.is_err());
    ApiKeys::builder(Reads).limits(KeyLimits::Enforce).build().expect_err("it cannot count");
}
