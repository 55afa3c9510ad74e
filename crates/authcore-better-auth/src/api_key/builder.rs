//! Settings of [`ApiKeys`].

use std::fmt;
use std::sync::Arc;

use authcore::{Clock, ConfigError, SystemClock};

use super::authenticator::{AnyStore, ApiKeys, Inner};
use super::fields::Fields;
use super::limits::KeyLimits;
use super::record::DEFAULT_CONFIGURATION;
use crate::store::ApiKeyStore;

/// Settings of [`ApiKeys`].
#[must_use]
pub struct ApiKeysBuilder {
    store: Box<dyn AnyStore>,
    headers: Vec<String>,
    bearer: bool,
    in_plain_text: bool,
    configurations: Vec<String>,
    limits: KeyLimits,
    clock: Box<dyn Clock>,
}

impl ApiKeysBuilder {
    pub(super) fn new(store: impl ApiKeyStore) -> Self {
        Self {
            store: Box::new(store),
            headers: Vec::new(),
            bearer: false,
            in_plain_text: false,
            configurations: vec![DEFAULT_CONFIGURATION.to_owned()],
            limits: KeyLimits::default(),
            clock: Box::new(SystemClock),
        }
    }

    /// The header that carries the key (`apiKeyHeaders`), instead of `x-api-key`. Call it again for another, of which a
    /// request may have one.
    pub fn header(mut self, name: impl Into<String>) -> Self {
        self.headers.push(name.into());
        self
    }

    /// Takes `Authorization: Bearer` for an API key, too, when the token has no dot and at least 64 bytes: session
    /// tokens and JWTs are told apart by that. Off by default. It is for authenticators that read bearer session tokens
    /// to come behind this one then.
    pub fn as_bearer(mut self) -> Self {
        self.bearer = true;
        self
    }

    /// The configurations (`configId`) whose keys count, in place of `default`: keys that name none are of `default`.
    ///
    /// Leave out a configuration with `references: "organization"`. The owners of its keys are organizations, and
    /// nothing in a key's row says so: where ids are numbers, organization 5 and user 5 are the same text.
    pub fn configurations<C: Into<String>>(mut self, ids: impl IntoIterator<Item = C>) -> Self {
        self.configurations = ids.into_iter().map(Into::into).collect();
        self
    }

    /// What becomes of keys that carry limits of their own: [`KeyLimits::Refuse`] by default.
    pub fn limits(mut self, limits: KeyLimits) -> Self {
        self.limits = limits;
        self
    }

    /// For an auth server with `disableKeyHashing`, whose store holds the keys themselves: whoever reads it has them
    /// all.
    pub fn stored_in_plain_text(mut self) -> Self {
        self.in_plain_text = true;
        self
    }

    /// The clock keys are judged by: the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The authenticator.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a header that cannot carry keys, when no configuration or an unnamed one is to count, and when
    /// limits are to be enforced in a store that only reads.
    pub fn build(self) -> Result<ApiKeys, ConfigError> {
        let Self { store, mut headers, bearer, in_plain_text, configurations, limits, clock } = self;
        if configurations.is_empty() || configurations.iter().any(String::is_empty) {
            return Err(ConfigError::new(
                "configurations: name each whose keys count; keys without one are of `default`",
            ));
        }
        if limits == KeyLimits::Enforce && !store.can_spend_any() {
            return Err(ConfigError::new(
                "limits: to enforce them, uses have to be counted, and this store only reads; see write_key_counters()",
            ));
        }
        if headers.is_empty() {
            headers.push(DEFAULT_HEADER.to_owned());
        }
        let fields = Fields::new(&headers, bearer, in_plain_text)?;
        Ok(ApiKeys(Arc::new(Inner { store, fields, configurations, limits, clock })))
    }
}

impl fmt::Debug for ApiKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { headers, configurations, limits, .. } = self;
        f.debug_struct("ApiKeysBuilder")
            .field("headers", headers)
            .field("configurations", configurations)
            .field("limits", limits)
            .finish_non_exhaustive()
    }
}

const DEFAULT_HEADER: &str = "x-api-key";
