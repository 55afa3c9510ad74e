//! Requests that carry an API key.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use authcore::{ApiKeyFault, AuthError, Authenticator, Clock, Glance, Identity, RequestHead, Timestamp, Unavailable};

use super::builder::ApiKeysBuilder;
use super::fields::Fields;
use super::limits::{KeyLimits, KeyUsage, OverQuota};
use super::{ApiKey, ApiKeyRecord};
use crate::store::ApiKeyStore;

/// Judges API keys of Better Auth's users. Cloning is cheap.
///
/// A key is looked up on every request, so one that is switched off, deleted, or whose owner is banned is refused at
/// once. The identity is the owner's; [`Identity::has_permission`] says what the key may do. Its claims are the owner's
/// as in a session, and `apiKeyId`, `apiKeyName` and `permissions`.
///
/// ```
/// use authcore::Guard;
/// use authcore_better_auth::{ApiKeyStore, ApiKeys, KeyLimits};
///
/// fn guard(store: impl ApiKeyStore) -> Result<Guard, authcore::ConfigError> {
///     let keys = ApiKeys::builder(store).header("x-service-key").limits(KeyLimits::Ignore).build()?;
///     Guard::builder().authenticator(keys).build()
/// }
/// ```
#[derive(Clone)]
pub struct ApiKeys(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Box<dyn AnyStore>,
    pub(super) fields: Fields,
    pub(super) configurations: Vec<String>,
    pub(super) limits: KeyLimits,
    pub(super) clock: Box<dyn Clock>,
}

impl ApiKeys {
    /// Begins with the store. Without more, keys of the configuration `default` count, in the header `x-api-key`, if
    /// they carry no limits of their own.
    pub fn builder(store: impl ApiKeyStore) -> ApiKeysBuilder {
        ApiKeysBuilder::new(store)
    }

    /// A bearer token that is an API key, where these are taken.
    pub(crate) fn by_bearer(&self, head: &dyn RequestHead) -> Glance<PresentedKey> {
        match self.0.fields.bearer_key(head) {
            Ok(Some(_)) => self.glance(head),
            Ok(None) => Glance::Absent,
            Err(error) => Glance::Judged(Err(error)),
        }
    }

    /// Whether one more use is within the key's own limits. `Ok(false)` when somebody else used it meanwhile, and it
    /// has to be read again.
    async fn is_counted(&self, key: &PresentedKey, record: &ApiKeyRecord, now: Timestamp) -> Result<bool, AuthError> {
        match self.0.limits {
            _ if !record.is_limited() => return Ok(true),
            KeyLimits::Ignore => return Ok(true),
            KeyLimits::Refuse => return Err(key.refuse(ApiKeyFault::Limited)),
            KeyLimits::Enforce => {}
        }
        let outcome = record.allowance.use_once(&record.usage, record.created_at, now);
        let is_free = outcome.after == record.usage;
        if !is_free && !self.0.store.spend_any(record, &outcome.after).await.map_err(AuthError::Unavailable)? {
            return Ok(false);
        }
        let refuse = |OverQuota { retry_after }| AuthError::OverQuota { retry_after };
        outcome.verdict.map(|()| true).map_err(refuse)
    }
}

/// An API key copied out of a request.
#[derive(Clone, Debug)]
pub struct PresentedKey {
    pub(super) key: ApiKey,
    /// Whether it came as `Authorization: Bearer`.
    pub(super) bearer: bool,
}

impl From<ApiKey> for PresentedKey {
    /// One that came in no request, or in a header of its own.
    fn from(key: ApiKey) -> Self {
        Self { key, bearer: false }
    }
}

impl PresentedKey {
    fn refuse(&self, fault: ApiKeyFault) -> AuthError {
        AuthError::ApiKey { fault, bearer: self.bearer }
    }
}

impl Authenticator for ApiKeys {
    type Credential = PresentedKey;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<PresentedKey>, AuthError> {
        self.0.fields.read(head)
    }

    fn header_fields(&self) -> Vec<String> {
        self.0.fields.names().to_vec()
    }

    async fn verify(&self, presented: PresentedKey) -> Result<Identity, AuthError> {
        let Inner { store, configurations, clock, .. } = &*self.0;
        for _ in 0..ATTEMPTS {
            let found = store.api_key_any(&presented.key).await.map_err(AuthError::Unavailable)?;
            let record = found.ok_or_else(|| presented.refuse(ApiKeyFault::Unknown))?;
            let now = clock.now();
            let judged = record.judge(&presented.key, configurations, now, store.source_any());
            let identity = judged.map_err(|fault| presented.refuse(fault))?;
            if self.is_counted(&presented, &record, now).await? {
                return Ok(identity);
            }
        }
        Err(AuthError::Unavailable(Unavailable::new("too many use this key at once to count them", RETRY_AFTER)))
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { fields, configurations, limits, .. } = &*self.0;
        f.debug_struct("ApiKeys")
            .field("fields", fields)
            .field("configurations", configurations)
            .field("limits", limits)
            .finish_non_exhaustive()
    }
}

type Asked<'s, T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send + 's>>;

/// [`ApiKeyStore`] without its opaque futures.
pub(super) trait AnyStore: Send + Sync {
    fn api_key_any<'s>(&'s self, key: &'s ApiKey) -> Asked<'s, Option<ApiKeyRecord>>;
    fn spend_any<'s>(&'s self, record: &'s ApiKeyRecord, after: &'s KeyUsage) -> Asked<'s, bool>;
    fn can_spend_any(&self) -> bool;
    fn source_any(&self) -> &'static str;
}

impl<S: ApiKeyStore> AnyStore for S {
    fn api_key_any<'s>(&'s self, key: &'s ApiKey) -> Asked<'s, Option<ApiKeyRecord>> {
        Box::pin(self.api_key(key))
    }

    fn spend_any<'s>(&'s self, record: &'s ApiKeyRecord, after: &'s KeyUsage) -> Asked<'s, bool> {
        Box::pin(self.spend(record, after))
    }

    fn can_spend_any(&self) -> bool {
        self.can_spend()
    }

    fn source_any(&self) -> &'static str {
        self.source()
    }
}

/// How often a use is tried to be counted. Each time it fails somebody else's was, so that of many at once so many pass.
const ATTEMPTS: usize = 20;

const RETRY_AFTER: Duration = Duration::from_secs(1);
