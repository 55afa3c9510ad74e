//! A store of one key, which can be changed, broken or raced against.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use authcore::{AuthError, Authenticator as _, Identity, ManualClock, Secret, Timestamp, Unavailable, UserId};
use authcore_better_auth::{ApiKey, ApiKeyRecord, ApiKeyStore, ApiKeys, ApiKeysBuilder, KeyAllowance, KeyUsage, User};
use authcore_testkit::TestHead;

/// 2026-11-27T19:07:13Z
pub(crate) const NOW: i64 = 1_795_806_433;

/// Of the length that Better Auth's own have.
pub(crate) const KEY: &str = "pk_LuPRlIZUiUzivdUOsLXVZbmPouZwCgPYriWXFZRtTsEfZycYEWcOrQYMffkFnHtN";

#[derive(Clone)]
pub(crate) struct Store(Arc<Mutex<State>>);

pub(crate) struct State {
    pub(crate) record: ApiKeyRecord,
    pub(crate) can_spend: bool,
    pub(crate) is_down: bool,
    /// How many more uses somebody else is faster at.
    pub(crate) lost: u32,
    pub(crate) spent: u32,
    pub(crate) asked: u32,
}

impl Store {
    pub(crate) fn new(record: ApiKeyRecord) -> Self {
        let state = State { record, can_spend: true, is_down: false, lost: 0, spent: 0, asked: 0 };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn with<T>(&self, then: impl FnOnce(&mut State) -> T) -> T {
        then(&mut self.0.lock().expect("no test panics in here"))
    }
}

impl ApiKeyStore for Store {
    async fn api_key(&self, key: &ApiKey) -> Result<Option<ApiKeyRecord>, Unavailable> {
        self.with(|state| {
            state.asked += 1;
            match state.is_down {
                true => Err(Unavailable::new("down", Duration::from_secs(1))),
                false => Ok(Some(state.record.clone()).filter(|record| record.key.stored() == key.stored())),
            }
        })
    }

    async fn spend(&self, record: &ApiKeyRecord, after: &KeyUsage) -> Result<bool, Unavailable> {
        self.with(|state| {
            if state.lost > 0 || state.record.usage != record.usage {
                state.lost = state.lost.saturating_sub(1);
                return Ok(false);
            }
            state.record.usage = after.clone();
            state.spent += 1;
            Ok(true)
        })
    }

    fn can_spend(&self) -> bool {
        self.with(|state| state.can_spend)
    }

    fn source(&self) -> &'static str {
        "database"
    }
}

/// A good key of Ann's, without limits.
pub(crate) fn record() -> ApiKeyRecord {
    let id = || UserId::new("ann").expect("an id");
    let (email, name) = ("ann@example.com".to_owned(), "Ann".to_owned());
    let (image, role, ban_expires) = (None, None, None);
    ApiKeyRecord {
        id: "k1".to_owned(),
        key: ApiKey::new(KEY).expect("a key"),
        config_id: Some("default".to_owned()),
        name: None,
        reference_id: id(),
        enabled: true,
        expires_at: None,
        created_at: Timestamp::from_seconds(NOW - 60),
        permissions: None,
        allowance: KeyAllowance::default(),
        usage: KeyUsage::default(),
        owner: Some(User { id: id(), email, email_verified: true, name, image, role, banned: false, ban_expires }),
        as_read: Secret::new(""),
    }
}

pub(crate) fn builder(store: &Store) -> ApiKeysBuilder {
    ApiKeys::builder(store.clone()).clock(ManualClock::at(NOW))
}

pub(crate) fn head(name: &str, value: impl AsRef<[u8]>) -> TestHead {
    TestHead::get("/api/tasks").header(name, value)
}

/// The verdict on a request; `None` when it carries no key.
pub(crate) async fn verdict(keys: &ApiKeys, head: &TestHead) -> Option<Result<Identity, AuthError>> {
    match keys.credential(head) {
        Ok(None) => None,
        Ok(Some(key)) => Some(keys.verify(key).await),
        Err(error) => Some(Err(error)),
    }
}

/// In a word: `absent`, `accepted`, or why not.
pub(crate) async fn word(keys: &ApiKeys, head: &TestHead) -> &'static str {
    match verdict(keys, head).await {
        None => "absent",
        Some(Ok(_)) => "accepted",
        Some(Err(error)) => error.reason(),
    }
}
