//! Settings: from code here, from the environment in `env.rs`.

use std::time::Duration;

use authcore::{Algorithm, Clock, ConfigError, JwtVerifier, JwtVerifierBuilder, Key, KeySet, RemoteKeys, Secret};

use crate::base_url::BaseUrl;
use crate::jwt::BetterAuthJwt;
use crate::keys::SecretBeside;

/// A Better Auth server whose session JWTs are accepted.
///
/// ```no_run
/// use authcore_better_auth::BetterAuth;
///
/// // Issuer, audience and key set follow from the URL.
/// let auth = BetterAuth::at("https://app.example.com")?.build()?;
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[must_use]
#[derive(Default)]
pub struct BetterAuth {
    pub(crate) base: Option<BaseUrl>,
    pub(crate) base_path: Option<String>,
    pub(crate) jwks_url: Option<String>,
    pub(crate) issuers: Vec<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) secret: Option<Key>,
    pub(crate) user_claim: Option<String>,
    pub(crate) role_claim: Option<String>,
    pub(crate) leeway: Option<Duration>,
    pub(crate) clock: Option<Box<dyn Clock>>,
    pub(crate) names: Names,
}

/// How messages call the settings: as methods, or as variables of the environment.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Names {
    #[default]
    Methods,
    Variables,
}

impl BetterAuth {
    /// The server at this base URL, as in its own `BETTER_AUTH_URL`. Its origin is the expected issuer and audience, and
    /// its keys are at `/api/auth/jwks`; a path in the URL replaces `/api/auth`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when this is not the URL of a server.
    pub fn at(base_url: &str) -> Result<Self, ConfigError> {
        Ok(Self { base: Some(BaseUrl::parse(base_url)?), ..Self::default() })
    }

    /// A server that shares its secret: HS256 tokens, as made by a custom `jwt.sign` of the jwt plugin.
    ///
    /// # Errors
    ///
    /// As [`BetterAuth::accept_hs256`].
    pub fn shared_secret(secret: &Secret) -> Result<Self, ConfigError> {
        Self::default().accept_hs256(secret)
    }

    /// Accepts HS256 tokens under the shared secret, beside those of the key set if there is one.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the secret is shorter than 32 bytes, Better Auth's public default, or the text of a key.
    pub fn accept_hs256(mut self, secret: &Secret) -> Result<Self, ConfigError> {
        self.secret = Some(Key::hmac(Algorithm::Hs256, secret)?);
        Ok(self)
    }

    /// Where Better Auth is mounted: `/api/auth` by default.
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.base_path = Some(path.into());
        self
    }

    /// Where the keys are, when not below the base URL. Needs an issuer and an audience if there is no base URL.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.jwks_url = Some(url.into());
        self
    }

    /// The expected issuer, when it is not the origin of the base URL (`jwt.issuer`). Call it again for another.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// An expected audience, when it is not the origin of the base URL (`jwt.audience`). Call it again for another, of
    /// which one must be held.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The claim that names the user: `sub` by default.
    pub fn user_claim(mut self, claim: impl Into<String>) -> Self {
        self.user_claim = Some(claim.into());
        self
    }

    /// The claim that holds the roles: `role` by default, which the admin plugin fills.
    pub fn role_claim(mut self, claim: impl Into<String>) -> Self {
        self.role_claim = Some(claim.into());
        self
    }

    /// How far clocks may differ: 30 s by default, at most 60 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = Some(leeway);
        self
    }

    /// The clock tokens are judged by: the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// The authenticator.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when there is nothing to verify with, a key set has no issuer or audience to expect, or a setting is
    /// out of its bounds.
    pub fn build(mut self) -> Result<BetterAuthJwt, ConfigError> {
        let jwks_url = self.keys_are_at()?;
        if self.issuers.is_empty() {
            self.issuers.extend(self.base.as_ref().map(|base| base.origin.clone()));
        }
        if self.audiences.is_empty() {
            self.audiences.extend(self.base.as_ref().map(|base| base.origin.clone()));
        }
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
            return Ok(BetterAuthJwt::new(self.expect(builder)?, None, warnings));
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
        Ok(BetterAuthJwt::new(self.expect(builder)?, Some(published), Vec::new()))
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
            builder = builder.clock(clock);
        }
        builder.build().map_err(|error| ConfigError::new(format!("{}{error}", names.prefix())))
    }

    fn keys_are_at(&self) -> Result<Option<String>, ConfigError> {
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

impl std::fmt::Debug for BetterAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // No key set URL: it is not checked yet, and may hold a password.
        f.debug_struct("BetterAuth").field("base", &self.base).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_url_that_is_not_checked() {
        let settings = BetterAuth::default().jwks_url("https://ann:confidential@h.example/jwks");
        assert!(!format!("{settings:?}").contains("confidential"));
        assert!(!settings.build().expect_err("a password").to_string().contains("confidential"));
    }
}
