//! Putting a [`BetterAuth`] together in code; from the environment it is done in `env.rs`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use authcore::{Algorithm, Clock, ConfigError, Key, RequestHead, Revocation, Secret, SystemClock};

use crate::api_key::ApiKeys;
use crate::authenticator::{BetterAuth, Judges};
use crate::base_url::BaseUrl;
use crate::bearer_session::BearerSessions;
use crate::cache::CookieCacheBuilder;
use crate::cookie::{CookieNames, SignedCookie};
use crate::jwt::Jwts;
use crate::jwt_settings::JwtSettings;
use crate::secrets::Secrets;
use crate::sessions::{Fresh, Sessions};
use crate::store::{AnyStore, AnyUsers, SessionStore, UserStore};
use authcore::TrustedOrigins;

/// Settings of a [`BetterAuth`].
#[must_use]
pub struct BetterAuthBuilder {
    pub(crate) jwt: JwtSettings,
    accepts_jwts: bool,
    users: Option<Box<dyn AnyUsers>>,
    api_keys: Option<ApiKeys>,
    secrets: Option<Secrets>,
    pub(crate) names: Option<CookieNames>,
    bearer: BearerSessions,
    cache: Option<CookieCacheBuilder>,
    store: Option<Box<dyn AnyStore>>,
    origins: Option<TrustedOrigins>,
    fresh: Box<dyn Fresh>,
    clock: Option<Arc<dyn Clock>>,
    /// What is allowed but unwise, for the log at start.
    pub(crate) warnings: Vec<String>,
}

impl BetterAuth {
    /// Begins with nothing accepted.
    pub fn builder() -> BetterAuthBuilder {
        BetterAuthBuilder {
            jwt: JwtSettings::default(),
            accepts_jwts: true,
            users: None,
            api_keys: None,
            secrets: None,
            names: None,
            bearer: BearerSessions::Off,
            cache: None,
            store: None,
            origins: None,
            fresh: Box::new(|_: &dyn RequestHead| false),
            clock: None,
            warnings: Vec::new(),
        }
    }

    /// The server at this base URL, as in its own `BETTER_AUTH_URL`. Its origin is the expected issuer and audience of its
    /// JWTs, their keys are at `/api/auth/jwks`, and `https` makes its cookies `__Secure-`. A path in the URL replaces
    /// `/api/auth`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when this is not the URL of a server.
    pub fn at(base_url: &str) -> Result<BetterAuthBuilder, ConfigError> {
        let mut builder = Self::builder();
        builder.jwt.base = Some(BaseUrl::parse(base_url)?);
        Ok(builder)
    }

    /// A server that shares its secret: HS256 tokens, as made by a custom `jwt.sign` of the jwt plugin.
    ///
    /// # Errors
    ///
    /// As [`BetterAuthBuilder::accept_hs256`].
    pub fn shared_secret(secret: &Secret) -> Result<BetterAuthBuilder, ConfigError> {
        Self::builder().accept_hs256(secret)
    }
}

/// JWTs.
impl BetterAuthBuilder {
    /// Accepts HS256 tokens under the shared secret, beside those of the key set if there is one.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the secret is shorter than 32 bytes, Better Auth's public default, or the text of a key.
    pub fn accept_hs256(mut self, secret: &Secret) -> Result<Self, ConfigError> {
        self.jwt.secret = Some(Key::hmac(Algorithm::Hs256, secret)?);
        Ok(self)
    }

    /// Accepts no JWT, although there is a base URL: for a server without the jwt plugin.
    pub fn without_jwts(mut self) -> Self {
        self.accepts_jwts = false;
        self
    }

    /// Where Better Auth is mounted: `/api/auth` by default.
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.jwt.base_path = Some(path.into());
        self
    }

    /// Where the keys are, when not below the base URL. Needs an issuer and an audience if there is no base URL.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.jwt.jwks_url = Some(url.into());
        self
    }

    /// The expected issuer, when it is not the origin of the base URL (`jwt.issuer`). Call it again for another.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.jwt.issuers.push(issuer.into());
        self
    }

    /// An expected audience, when it is not the origin of the base URL (`jwt.audience`). Call it again for another, of
    /// which one must be held.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.jwt.audiences.push(audience.into());
        self
    }

    /// The claim that names the user: `sub` by default.
    pub fn user_claim(mut self, claim: impl Into<String>) -> Self {
        self.jwt.user_claim = Some(claim.into());
        self
    }

    /// The claim that holds the roles: `role` by default, which the admin plugin fills.
    pub fn role_claim(mut self, claim: impl Into<String>) -> Self {
        self.jwt.role_claim = Some(claim.into());
        self
    }

    /// How far clocks may differ for JWTs: 30 s by default, at most 60 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.jwt.leeway = Some(leeway);
        self
    }

    /// Asks this of each JWT that verifies: was it taken back? Better Auth's own name no session and have no `jti`, unless
    /// `definePayload` adds them, so take back what was issued before a moment. Sessions and API keys are ended where they
    /// are kept, and not asked about here.
    pub fn revocation(mut self, revocation: impl Revocation) -> Self {
        self.jwt.revocation = Some(Box::new(revocation));
        self
    }

    /// Looks the user of each JWT up here, so that one who is banned or gone is refused at once and not when the token
    /// expires. Costs a look-up for each request; what else changed, such as a role, is still the token's word. The user
    /// claim has to hold the user's id. Off by default.
    pub fn check_users(mut self, users: impl UserStore) -> Self {
        self.users = Some(Box::new(users));
        self
    }
}

/// Sessions.
impl BetterAuthBuilder {
    /// What signs the session cookie: needed for sessions of any kind.
    pub fn secrets(mut self, secrets: &Secrets) -> Self {
        self.secrets = Some(secrets.clone());
        self
    }

    /// Where live sessions are looked up.
    pub fn sessions(mut self, store: impl SessionStore) -> Self {
        self.store = Some(Box::new(store));
        self
    }

    /// Trusts the cookie cache, as stale as it may be. Off by default.
    pub fn cookie_cache(mut self, cache: CookieCacheBuilder) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Reads session tokens from `Authorization: Bearer` too. Off by default.
    pub fn bearer_sessions(mut self, bearer: BearerSessions) -> Self {
        self.bearer = bearer;
        self
    }

    /// What the cookies are called: those of a server at the base URL by default.
    pub fn cookie_names(mut self, names: CookieNames) -> Self {
        self.names = Some(names);
        self
    }

    /// The origins whose pages may change something with a cookie: that of the base URL by default. A request from nowhere
    /// else changes anything by cookie, unless the browser says that its page is of the same origin.
    pub fn trusted_origins(mut self, origins: TrustedOrigins) -> Self {
        self.origins = Some(origins);
        self
    }

    /// Has the session looked up for these requests, whatever a cookie cache says or is remembered: for what must see a
    /// sign-out at once. A JWT is no session that could be looked up, and is accepted there as anywhere.
    pub fn fresh_when(mut self, wanted: impl Fn(&dyn RequestHead) -> bool + Send + Sync + 'static) -> Self {
        self.fresh = Box::new(wanted);
        self
    }
}

impl BetterAuthBuilder {
    /// Accepts API keys too. They come behind a bearer token that is none, and before a cookie.
    pub fn api_keys(mut self, keys: ApiKeys) -> Self {
        self.api_keys = Some(keys);
        self
    }

    /// The clock that all but API keys are judged by, which have their own: the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// The authenticator.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when there is nothing to accept, a key set has no issuer or audience to expect, a setting is out of
    /// its bounds or of use only with another: sessions without secrets or names, bearer session tokens without a store,
    /// users to check without JWTs.
    pub fn build(mut self) -> Result<BetterAuth, ConfigError> {
        self.jwt.clock = self.clock.clone();
        let base = self.jwt.base.clone();
        let issuer = match (&*self.jwt.issuers, &base) {
            ([sole], _) => Some(Arc::from(sole.as_str())),
            ([], Some(base)) => Some(Arc::from(base.origin.as_str())),
            // Of several nobody can tell whose session it is.
            _ => None,
        };
        let mut jwts = match self.accepts_jwts && self.jwt.has_keys() {
            true => Some(std::mem::take(&mut self.jwt).build()?),
            false => None,
        };
        match (&mut jwts, self.users.take()) {
            (Some(jwts), users) => jwts.check_users(users),
            (None, Some(_)) => {
                return Err(ConfigError::new("check_users: there are no JWTs whose users could be checked"));
            }
            (None, None) => {}
        }
        let clock = self.clock.clone().unwrap_or_else(|| Arc::new(SystemClock));
        let api_keys = self.api_keys.take();
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.extend(jwts.iter().flat_map(Jwts::warnings).cloned());
        let sessions = self.judge_of_sessions(base.as_ref(), jwts.as_ref(), &clock)?;
        if jwts.is_none() && sessions.is_none() && api_keys.is_none() {
            let mend = "name a base URL or a shared secret for JWTs, where sessions are looked up, or API keys";
            return Err(ConfigError::new(format!("nothing is accepted: {mend}")));
        }
        Ok(BetterAuth(Arc::new(Judges { jwts, sessions, api_keys, issuer, warnings, clock })))
    }

    /// What a look-up at the server itself sends.
    #[cfg(feature = "http")]
    pub(crate) fn forward_cookie(&self) -> Result<crate::http::Forward, ConfigError> {
        let needed = || ConfigError::new("cookie names and secrets are needed to ask the server");
        crate::http::Forward::cookie(self.names.as_ref().ok_or_else(needed)?, self.secrets.as_ref().ok_or_else(needed)?)
    }

    fn judge_of_sessions(
        self,
        base: Option<&BaseUrl>,
        jwts: Option<&Jwts>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Sessions>, ConfigError> {
        let Self { secrets, names, bearer, cache, store, origins, fresh, .. } = self;
        let refused = |setting, why: &str| ConfigError::new(format!("{setting}: {why}"));
        if store.is_none() && bearer != BearerSessions::Off {
            return Err(refused("bearer_sessions", "these have to be looked up: name a store by `sessions`"));
        }
        if store.is_none() && cache.is_none() {
            return Ok(None);
        }
        let origin = base.map(|base| base.origin.as_str());
        let secrets = secrets.ok_or_else(|| refused("secrets", "sessions need what signs their cookie"))?;
        let names = names.or_else(|| origin.map(CookieNames::at));
        let names = names.ok_or_else(|| refused("cookie_names", "not told by a base URL: say what they are"))?;
        let cache = match cache {
            Some(cache) => Some(cache.of_server(jwts.and_then(Jwts::keys), origin, self.clock.as_ref()).build(&names)?),
            None => None,
        };
        let origins = match origins {
            Some(origins) => origins,
            None => TrustedOrigins::new(origin)?,
        };
        let cookie = SignedCookie::new(&names, &secrets)?;
        Ok(Some(Sessions { cookie, secrets, bearer, cache, store, origins, fresh, clock: Arc::clone(clock) }))
    }
}

impl fmt::Debug for BetterAuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No key set URL: it is not checked yet, and may hold a password.
        let Self { jwt, names, bearer, .. } = self;
        f.debug_struct("BetterAuthBuilder")
            .field("base", &jwt.base)
            .field("cookie_names", names)
            .field("bearer_sessions", bearer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_url_that_is_not_checked() {
        let settings = BetterAuth::builder().jwks_url("https://ann:confidential@h.example/jwks");
        assert!(!format!("{settings:?}").contains("confidential"));
        assert!(!settings.build().expect_err("a password").to_string().contains("confidential"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let secrets = Secrets::new(&Secret::new("a-secret-of-the-tests-with-32-bytes-or-more")).expect("a good secret");
        let cache = || crate::CookieCache::compact(&secrets);
        let at = || BetterAuth::at("https://app.example.com").expect("a URL");
        for (named, builder) in [
            ("nothing is accepted: ", BetterAuth::builder()),
            ("nothing is accepted: ", at().without_jwts()),
            ("secrets: ", at().cookie_cache(cache())),
            ("cookie_names: ", BetterAuth::builder().secrets(&secrets).cookie_cache(cache())),
            ("bearer_sessions: ", at().secrets(&secrets).cookie_cache(cache()).bearer_sessions(BearerSessions::Raw)),
        ] {
            let message = builder.build().expect_err(named).to_string();
            assert!(message.starts_with(named), "{message}");
        }
        assert!(at().secrets(&secrets).cookie_cache(cache()).build().is_ok());
    }
}
