//! Which JWTs are accepted: what a builder or the environment says of them, and the verifier that follows.

use std::sync::Arc;
use std::time::Duration;

use authcore::{Algorithm, Clock, ConfigError, JwtVerifier, JwtVerifierBuilder, Key, KeySet, RemoteKeys, Revocation};

use crate::base_url::BaseUrl;
use crate::clock::SharedClock;
use crate::jwt::Jwts;
use crate::keys::SecretBeside;

/// What is said of JWTs.
#[derive(Default)]
pub(crate) struct JwtSettings {
    pub(crate) base: Option<BaseUrl>,
    pub(crate) base_path: Option<String>,
    pub(crate) jwks_url: Option<String>,
    pub(crate) issuers: Vec<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) secret: Option<Key>,
    pub(crate) user_claim: Option<String>,
    pub(crate) role_claim: Option<String>,
    pub(crate) leeway: Option<Duration>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) revocation: Option<Box<dyn Revocation>>,
    pub(crate) names: Names,
}

/// How messages call the settings: as methods, or as variables of the environment.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Names {
    #[default]
    Methods,
    Variables,
}

impl JwtSettings {
    /// Whether there is anything to verify a JWT with.
    pub(crate) fn has_keys(&self) -> bool {
        self.base.is_some() || self.jwks_url.is_some() || self.secret.is_some()
    }

    /// What judges the JWTs. Refused: nothing to verify with, a key set without an issuer or audience to expect, a setting
    /// out of its bounds.
    pub(crate) fn build(mut self) -> Result<Jwts, ConfigError> {
        let jwks_url = self.keys_are_at()?;
        self.issuers = self.expected_issuers().map(str::to_owned).collect();
        self.audiences = self.expected_audiences().map(str::to_owned).collect();
        // E-mail verification links are HS256 tokens under the same secret, and name their user by e-mail.
        if self.secret.is_some() && self.user_claim.as_deref() == Some("email") {
            return Err(
                self.refused("user_claim", "with a shared secret, `email` would let e-mail links in: choose another")
            );
        }
        let Some(url) = jwks_url else {
            let unpublished = "a base URL, a key set URL or a shared secret is needed";
            let secret = self.secret.take().ok_or_else(|| self.refused("jwks_url", unpublished))?;
            let warnings = self.unstated();
            let builder = JwtVerifier::builder(KeySet::new([secret])).algorithms([Algorithm::Hs256]);
            return Ok(Jwts::new(self.expect(builder)?, None, warnings));
        };
        for (unstated, setting) in [(self.issuers.is_empty(), "issuer"), (self.audiences.is_empty(), "audience")] {
            if unstated {
                return Err(
                    self.refused(setting, "a key set needs it stated, since others may sign with the same keys")
                );
            }
        }
        let setting = if self.jwks_url.is_some() { "jwks_url" } else { "base_url" };
        let published = RemoteKeys::at(&url).map_err(|error| self.refused(setting, &error.to_string()))?;
        let builder = match self.secret.take() {
            Some(secret) => {
                JwtVerifier::builder(SecretBeside { secret: KeySet::new([secret]), published: published.clone() })
                    .algorithms(published_algorithms().chain([Algorithm::Hs256]))
            }
            None => JwtVerifier::builder(published.clone()).algorithms(published_algorithms()),
        };
        Ok(Jwts::new(self.expect(builder)?, Some(published), Vec::new()))
    }

    /// What tells a session JWT from the other tokens that Better Auth signs with the same keys: issuer, audience, no
    /// `typ` but `JWT`, and a key id.
    fn expect(self, builder: JwtVerifierBuilder) -> Result<JwtVerifier, ConfigError> {
        let names = self.names;
        let mut builder = builder.typ("JWT").require_key_id();
        builder = self.issuers.into_iter().fold(builder, JwtVerifierBuilder::issuer);
        builder = self.audiences.into_iter().fold(builder, JwtVerifierBuilder::audience);
        if let Some(claim) = self.user_claim {
            builder = builder.user_claim(claim);
        }
        if let Some(claim) = self.role_claim {
            builder = builder.role_claim(claim);
        }
        if let Some(leeway) = self.leeway {
            builder = builder.leeway(leeway);
        }
        if let Some(clock) = self.clock {
            builder = builder.clock(SharedClock(clock));
        }
        if let Some(revocation) = self.revocation {
            builder = builder.revocation(revocation);
        }
        builder.build().map_err(|error| ConfigError::new(format!("{}{error}", names.prefix())))
    }

    /// Those stated, else the origin of the base URL.
    pub(crate) fn expected_issuers(&self) -> impl Iterator<Item = &str> {
        self.stated_or_origin(&self.issuers)
    }

    /// Those stated, else the origin of the base URL.
    pub(crate) fn expected_audiences(&self) -> impl Iterator<Item = &str> {
        self.stated_or_origin(&self.audiences)
    }

    fn stated_or_origin<'s>(&'s self, stated: &'s [String]) -> impl Iterator<Item = &'s str> {
        let origin = self.base.as_ref().map(|base| base.origin.as_str()).filter(|_| stated.is_empty());
        stated.iter().map(String::as_str).chain(origin)
    }

    pub(crate) fn keys_are_at(&self) -> Result<Option<String>, ConfigError> {
        match (&self.jwks_url, &self.base) {
            (Some(url), _) => Ok(Some(url.clone())),
            (None, Some(base)) => {
                let derived = base.jwks_url(self.base_path.as_deref());
                derived.map(Some).map_err(|error| self.refused("base_path", &error.to_string()))
            }
            (None, None) => Ok(None),
        }
    }

    fn unstated(&self) -> Vec<String> {
        let unstated = [(self.issuers.is_empty(), "issuer"), (self.audiences.is_empty(), "audience")];
        let warn =
            |setting| format!("{}: not stated, so any is accepted under the shared secret", self.names.of(setting));
        unstated.into_iter().filter(|(is, _)| *is).map(|(_, setting)| warn(setting)).collect()
    }

    fn refused(&self, setting: &'static str, why: &str) -> ConfigError {
        ConfigError::new(format!("{}: {why}", self.names.of(setting)))
    }
}

impl Names {
    pub(crate) fn of(self, setting: &'static str) -> &'static str {
        match (self, setting) {
            (Self::Methods, _) => setting,
            (Self::Variables, "base_url") => "BETTER_AUTH_URL",
            (Self::Variables, "base_path") => "BETTER_AUTH_BASE_PATH",
            (Self::Variables, "jwks_url") => "BETTER_AUTH_JWKS_URL",
            (Self::Variables, "issuer") => "BETTER_AUTH_ISSUER",
            (Self::Variables, "audience") => "BETTER_AUTH_AUDIENCE",
            (Self::Variables, "user_claim") => "AUTH_USER_CLAIM",
            (Self::Variables, other) => other,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Methods => "",
            Self::Variables => "AUTH_LEEWAY, AUTH_USER_CLAIM or AUTH_ROLE_CLAIM: ",
        }
    }
}

/// What a Better Auth key set can hold.
pub(crate) fn published_algorithms() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric())
}
