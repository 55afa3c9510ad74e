//! Settings from the environment, in Better Auth's own names where it has one.
//!
//! Every message names its variable and the mend in one line. An empty variable counts as unset.

mod jwts;
mod places;
mod sessions;

use std::fmt::Display;

use authcore::{Clock, ConfigError, Secret};

use self::places::Places;
use crate::authenticator::BetterAuth;
use crate::base_url::BaseUrl;
use crate::builder::BetterAuthBuilder;
use crate::cookie::CookieNames;
use authcore::TrustedOrigins;

impl BetterAuth {
    /// From the process's environment, with the stores it names opened: see [`BetterAuthSettings::from_vars`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable and the mend; also when nothing is set at all.
    pub async fn from_env() -> Result<Self, ConfigError> {
        // What is not UTF-8 is kept, as something no setting takes.
        let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let settings = BetterAuthSettings::from_vars(variable)?;
        let unset = || ConfigError::new("BETTER_AUTH_URL: set it to the base URL of the Better Auth server");
        settings.ok_or_else(unset)?.connect().await
    }
}

/// What the environment says, before any store is opened.
#[derive(Debug)]
#[must_use]
pub struct BetterAuthSettings {
    builder: BetterAuthBuilder,
    places: Places,
}

impl BetterAuthSettings {
    /// From variables by name; `Ok(None)` when neither a URL nor a secret is set.
    ///
    /// | variable | is |
    /// |---|---|
    /// | `BETTER_AUTH_URL`, `BETTER_AUTH_BASE_URL` | base URL: gives issuer, audience and key set; `https` makes cookies `__Secure-` |
    /// | `BETTER_AUTH_BASE_PATH` | where it is mounted, `/api/auth` by default |
    /// | `BETTER_AUTH_JWKS_URL` | where the keys are, when elsewhere |
    /// | `BETTER_AUTH_ISSUER`, `BETTER_AUTH_AUDIENCE` | expected `iss` and `aud`; several audiences by commas |
    /// | `BETTER_AUTH_SECRET` | shared secret: signs the session cookie, and HS256 tokens when there is no key set |
    /// | `BETTER_AUTH_SECRETS` | several by version, `2:new,1:old`; the first is current, and takes the place of the one above |
    /// | `BETTER_AUTH_HS256` | `on` accepts HS256 tokens beside a key set |
    /// | `AUTH_LEEWAY` | `30s` by default, at most `60s` |
    /// | `AUTH_USER_CLAIM`, `AUTH_ROLE_CLAIM` | `sub`, `role` by default |
    ///
    /// With a secret and one of these places to look them up in, sessions are accepted too:
    ///
    /// | variable | is |
    /// |---|---|
    /// | `BETTER_AUTH_REDIS_URL` | Better Auth's secondary storage |
    /// | `BETTER_AUTH_SESSIONS_IN_DATABASE` | `on` where Better Auth keeps them in both (`storeSessionInDatabase`, and not `preserveSessionInDatabase`): what Redis has lost is looked up in the database |
    /// | `BETTER_AUTH_REDIS_PREFIX` | `better-auth:` by default, as the official adapter has it; `none` for none |
    /// | `BETTER_AUTH_DATABASE_URL` | its database: `sqlite:`, `postgres:` or `mysql:`; beside Redis, for users and API keys |
    /// | `BETTER_AUTH_SCHEMA` | what is called how there: `better-auth` by default, or `snake_case` |
    /// | `BETTER_AUTH_URL` | the server itself, asked when there is neither of them |
    /// | `BETTER_AUTH_SESSION_CACHE` | `off`, or how long a look-up is remembered in process: `5s`, at most `60s`; a sign-out is noticed so much later |
    /// | `BETTER_AUTH_COOKIE_CACHE` | `off`, or the strategy of the cookie cache that is trusted: `compact`, `jwt`, `jwe`, `jwks` |
    /// | `BETTER_AUTH_COOKIE_CACHE_VERSION` | `1` by default |
    ///
    /// And what is made of them:
    ///
    /// | variable | is |
    /// |---|---|
    /// | `BETTER_AUTH_COOKIE_PREFIX` | `better-auth` by default |
    /// | `BETTER_AUTH_SECURE_COOKIES` | `on` or `off`, when it does not follow from the URL |
    /// | `BETTER_AUTH_BEARER` | `off`, or the session tokens taken as bearer: `signed`, `raw` |
    /// | `BETTER_AUTH_API_KEYS` | `off`, or `x-api-key` is accepted from the database, and limits that a key carries have it `refuse`d, or are `ignore`d or `enforce`d, which writes its counters |
    /// | `BETTER_AUTH_API_KEY_CONFIGS` | the configurations whose keys count, by commas: `default` alone unless others are named; none whose keys belong to organizations |
    /// | `BETTER_AUTH_CHECK_USERS` | `on` looks the user of each JWT up in the database, to refuse who is banned or gone |
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable and the mend.
    pub fn from_vars(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ConfigError> {
        let variable = &|name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let mut builder = BetterAuth::builder();
        builder.jwt = jwts::settings(variable)?;
        let has_jwts = builder.jwt.has_keys();
        let (builder, places) = sessions::settings(variable, builder)?;
        if !has_jwts && places.is_none() && current_secret(variable).is_some() {
            let mend = "nothing is left to verify a JWT with: set it, or BETTER_AUTH_URL";
            return Err(named("BETTER_AUTH_JWKS_URL", &mend));
        }
        Ok((has_jwts || places.is_some()).then(|| Self { builder, places: places.unwrap_or_default() }))
    }

    /// The issuers that JWTs may name in `iss`: those stated, else the origin of the base URL. Empty where any is taken.
    #[must_use]
    pub fn issuers(&self) -> Vec<&str> {
        self.builder.jwt.expected_issuers().collect()
    }

    /// The audiences of which a JWT has to name one in `aud`: those stated, else the origin of the base URL. Empty where any
    /// is taken.
    #[must_use]
    pub fn audiences(&self) -> Vec<&str> {
        self.builder.jwt.expected_audiences().collect()
    }

    /// The origin of the base URL, if there is one: what Better Auth writes into `iss` and `aud` unless it is told otherwise.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.builder.jwt.base.as_ref().map(|base| base.origin.as_str())
    }

    /// Where the keys of JWTs are fetched, if they are.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable, when none follows from what is set.
    pub fn jwks_url(&self) -> Result<Option<String>, ConfigError> {
        self.builder.jwt.keys_are_at()
    }

    /// What the signed cookie with the session token is called; `None` where no session is accepted.
    #[must_use]
    pub fn session_cookie(&self) -> Option<String> {
        self.builder.names.as_ref().map(CookieNames::session_token)
    }

    /// The origins whose pages may change something with a cookie: that of `BETTER_AUTH_URL` by default.
    pub fn trusted_origins(mut self, origins: TrustedOrigins) -> Self {
        self.builder = self.builder.trusted_origins(origins);
        self
    }

    /// The clock that all but API keys are judged by: the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.builder = self.builder.clock(clock);
        self
    }

    /// Opens the stores and puts everything together.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable: a store that cannot be reached or read, or one that this build has no feature
    /// for.
    pub async fn connect(self) -> Result<BetterAuth, ConfigError> {
        self.places.open(self.builder).await?.build()
    }
}

/// A setting that cannot be served, by the name of its variable.
fn named(variable: &str, error: &dyn Display) -> ConfigError {
    ConfigError::new(format!("{variable}: {error}"))
}

/// `on` or `off`.
fn switch(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Result<Option<bool>, ConfigError> {
    match variable(name).as_deref() {
        None => Ok(None),
        Some("on") => Ok(Some(true)),
        Some("off") => Ok(Some(false)),
        Some(_) => Err(named(name, &"takes `on` or `off`")),
    }
}

/// The secret that signs now, by the variable that says so.
fn current_secret(variable: &impl Fn(&str) -> Option<String>) -> Option<(&'static str, Secret)> {
    if let Some(several) = variable(SECRETS) {
        let first = several.split(',').next().and_then(|entry| entry.split_once(':'));
        return Some((SECRETS, Secret::new(first.map(|(_, secret)| secret.trim()).unwrap_or_default())));
    }
    variable(SECRET).map(|secret| (SECRET, Secret::new(secret)))
}

const SECRET: &str = "BETTER_AUTH_SECRET";

const SECRETS: &str = "BETTER_AUTH_SECRETS";

/// The base URL, which goes by two names.
fn base_url(variable: &impl Fn(&str) -> Option<String>) -> Result<Option<BaseUrl>, ConfigError> {
    let (url, name) = match (variable("BETTER_AUTH_URL"), variable("BETTER_AUTH_BASE_URL")) {
        (Some(url), Some(other)) if url != other => {
            return Err(ConfigError::new("BETTER_AUTH_BASE_URL: differs from BETTER_AUTH_URL: set one of them"));
        }
        (Some(url), _) => (url, "BETTER_AUTH_URL"),
        (None, Some(url)) => (url, "BETTER_AUTH_BASE_URL"),
        (None, None) => return Ok(None),
    };
    BaseUrl::parse(&url).map(Some).map_err(|error| named(name, &error))
}

#[cfg(test)]
mod tests;
