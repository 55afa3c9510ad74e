//! Putting a guard together.

use std::fmt;
use std::sync::Arc;

use super::{Guard, Inner, Need};
use crate::authenticator::{AnyAuthenticator, Authenticator};
use crate::credential::{Sources, TokenSource};
use crate::error::ConfigError;
use crate::metadata::ResourceMetadata;
use crate::policy::template::Template;
use crate::policy::{Isolation, Permissions};
use crate::rate::RateLimits;

/// Settings of a [`Guard`].
#[must_use]
#[derive(Default)]
pub struct GuardBuilder {
    authenticators: Vec<Arc<dyn AnyAuthenticator>>,
    sources: Vec<TokenSource>,
    access: Vec<(String, Need)>,
    first_hand: Vec<String>,
    limits: Option<RateLimits>,
    isolation: Isolation,
    permissions: Permissions,
    realm: Option<Arc<str>>,
    metadata: Option<ResourceMetadata>,
}

impl GuardBuilder {
    /// A kind of credential that is accepted. Called several times, the first to recognise a credential judges it.
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticators.push(Arc::new(authenticator));
        self
    }

    /// Reads bearer tokens from there too, for all authenticators. By default from `Authorization` alone.
    pub fn tokens_from(mut self, source: TokenSource) -> Self {
        self.sources.push(source);
        self
    }

    /// Who may touch whose rows. By default every request concerns the caller's own.
    pub fn isolate(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// What the roles of a credential may do, for [`Requirement::permission`](crate::Requirement::permission). Nothing by
    /// default.
    pub fn permissions(mut self, permissions: Permissions) -> Self {
        self.permissions = permissions;
        self
    }

    /// Paths of this template need no credential, and none is looked at. Its literals must be spelled as they are:
    /// `/%61` opens nothing that `/a` does, since routers differ in whether these are one. Of several templates that
    /// match a path the most specific decides, as in [`Isolation`].
    pub fn open(self, template: impl Into<String>) -> Self {
        self.access(template, Need::Open)
    }

    /// Paths of this template take a caller with or without a credential. One that is there and wrong is still refused.
    pub fn optional(self, template: impl Into<String>) -> Self {
        self.access(template, Need::Optional)
    }

    /// Paths of this template need a credential: the default for all, and a way back from a wider `open`. It wins over an
    /// `open` or `optional` of the same paths.
    pub fn protect(self, template: impl Into<String>) -> Self {
        self.access(template, Need::Required)
    }

    /// Paths of this template are for the user alone: `403` to an administrator who acts as the user, and to a
    /// credential that cannot tell (see [`Identity::refuse_impersonation`](crate::Identity::refuse_impersonation)).
    pub fn refuse_impersonation(mut self, template: impl Into<String>) -> Self {
        self.first_hand.push(template.into());
        self
    }

    /// How often may be asked: by address before a credential is looked at, by user after it is verified. Nothing is
    /// limited by default. CORS preflights that come as far as the guard are counted by address: put the CORS layer
    /// outermost and none does.
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// The realm named in challenges: `"api"` by default.
    pub fn realm(mut self, realm: impl Into<Arc<str>>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Lets challenges point to this document (RFC 9728 §5.1), whose path needs no credential. Serving it is the
    /// application's: a route on [`ResourceMetadata::path`].
    pub fn resource_metadata(mut self, metadata: ResourceMetadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// The guard.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when there is no authenticator, a template cannot be served, or the realm holds a character that
    /// would have to be escaped.
    pub fn build(self) -> Result<Guard, ConfigError> {
        if self.authenticators.is_empty() {
            return Err(ConfigError::new("guard: add an authenticator, or every request is refused"));
        }
        let realm = self.realm.unwrap_or_else(|| Arc::from("api"));
        if !realm.chars().all(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')) {
            return Err(ConfigError::new("guard: the realm takes printable ASCII without quotes and backslashes"));
        }
        let parse = |(text, need): (String, Need)| Template::parse(&text).map(|template| (template, need));
        let mut access = self.access.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        access.extend(self.metadata.as_ref().map(|metadata| (Template::of_path(metadata.path()), Need::Open)));
        // Of two rules for the same paths, the one that asks more.
        access.sort_by_key(|(template, need)| (template.precedence(), *need));
        let first_hand = self.first_hand.iter().map(|text| Template::parse(text)).collect::<Result<_, _>>()?;
        let limits = self.limits.map(RateLimits::prepare).transpose()?.map(Arc::new);
        let isolation = self.isolation.prepare()?;
        let authenticators = self.authenticators;
        let sources = Sources::new(self.sources)?;
        let always = ["Authorization", "Cookie"].into_iter().chain(sources.header_fields()).map(str::to_owned);
        let read = authenticators.iter().flat_map(|authenticator| authenticator.header_fields_any());
        let vary = Arc::from(always.chain(read).collect::<Vec<_>>().join(", "));
        let metadata = self.metadata.map(|metadata| Arc::clone(metadata.url()));
        Ok(Guard(Arc::new(Inner {
            authenticators,
            sources,
            access,
            first_hand,
            limits,
            isolation,
            permissions: self.permissions,
            vary,
            realm,
            metadata,
        })))
    }

    fn access(mut self, template: impl Into<String>, need: Need) -> Self {
        self.access.push((template.into(), need));
        self
    }
}

impl fmt::Debug for GuardBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardBuilder")
            .field("access", &self.access)
            .field("isolation", &self.isolation)
            .finish_non_exhaustive()
    }
}
