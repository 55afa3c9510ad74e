//! Where sessions are looked up and how far they are believed, from the environment.
//!
//! As in `env.rs`, every message names its variable and the mend in one line, and an empty variable counts as unset.

use authcore::{ConfigError, Secret};

use crate::authenticator::{BetterAuthSessions, BetterAuthSessionsBuilder};
use crate::bearer_session::BearerSessions;
use crate::cache::CookieCache;
use crate::cookie::CookieNames;
use crate::cross_site::TrustedOrigins;
use crate::jwt::BetterAuthJwt;
use crate::secrets::Secrets;

/// What the environment says of sessions.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    names: CookieNames,
    secrets: Secrets,
    /// The one that signs now, for asking the server itself.
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "only the server itself is asked with it"))]
    current: Secret,
    /// The issuer of what is signed with published keys.
    origin: Option<String>,
    /// Where the server itself is asked.
    get_session: Option<String>,
    database_url: Option<Secret>,
    redis_url: Option<Secret>,
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "only Redis is asked with it"))]
    redis_prefix: String,
    cache: Cache,
    bearer: Bearer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cache {
    Off,
    Compact,
    Jwt,
    Jwe,
    Published,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bearer {
    Off,
    Signed,
    Raw,
}

const DATABASE_URL: &str = "BETTER_AUTH_DATABASE_URL";

const REDIS_URL: &str = "BETTER_AUTH_REDIS_URL";

/// The variables that make no sense without a secret, and what each may say all the same.
const NEED_SECRET: [(&str, &str); 5] = [
    (DATABASE_URL, ""),
    (REDIS_URL, ""),
    ("BETTER_AUTH_COOKIE_PREFIX", "better-auth"),
    ("BETTER_AUTH_COOKIE_CACHE", "off"),
    ("BETTER_AUTH_BEARER", "off"),
];

impl SessionSettings {
    /// From variables by name; `Ok(None)` when there is no secret, or no place to look sessions up in.
    ///
    /// | variable | is |
    /// |---|---|
    /// | `BETTER_AUTH_SECRET` | what signs the session cookie |
    /// | `BETTER_AUTH_SECRETS` | several by version, `2:new,1:old`, the first one current |
    /// | `BETTER_AUTH_DATABASE_URL` | Better Auth's database: `sqlite:`, `postgres:` or `mysql:` |
    /// | `BETTER_AUTH_REDIS_URL`, `BETTER_AUTH_REDIS_PREFIX` | its secondary storage; `better-auth:` is the official adapter's prefix, and the default |
    /// | `BETTER_AUTH_URL`, `BETTER_AUTH_BASE_URL` | the server itself, asked when there is neither of them; `https` makes cookies `__Secure-` |
    /// | `BETTER_AUTH_BASE_PATH` | where it is mounted, `/api/auth` by default |
    /// | `BETTER_AUTH_COOKIE_PREFIX` | `better-auth` by default |
    /// | `BETTER_AUTH_COOKIE_CACHE` | `off`, or the strategy that is trusted: `compact`, `jwt`, `jwe`, `jwks` |
    /// | `BETTER_AUTH_BEARER` | `off`, or the session tokens taken as bearer: `signed`, `raw` |
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable and the mend.
    pub fn from_vars(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let cache = match variable("BETTER_AUTH_COOKIE_CACHE").as_deref() {
            None | Some("off") => Cache::Off,
            Some("compact") => Cache::Compact,
            Some("jwt") => Cache::Jwt,
            Some("jwe") => Cache::Jwe,
            Some("jwks") => Cache::Published,
            Some(_) => return Err(named("BETTER_AUTH_COOKIE_CACHE", "takes `off`, `compact`, `jwt`, `jwe` or `jwks`")),
        };
        let bearer = match variable("BETTER_AUTH_BEARER").as_deref() {
            None | Some("off") => Bearer::Off,
            Some("signed") => Bearer::Signed,
            Some("raw") => Bearer::Raw,
            Some(_) => return Err(named("BETTER_AUTH_BEARER", "takes `off`, `signed` or `raw`")),
        };
        let Some((secrets, current)) = secrets(&variable)? else {
            let says = |(name, harmless): &(&str, &str)| variable(name).is_some_and(|value| value != *harmless);
            return match NEED_SECRET.iter().find(|entry| says(entry)) {
                Some((name, _)) => Err(named(name, "needs BETTER_AUTH_SECRET, which signs the session cookie: set it")),
                None => Ok(None),
            };
        };
        let (redis_url, redis_prefix) = (variable(REDIS_URL).map(Secret::new), variable("BETTER_AUTH_REDIS_PREFIX"));
        if redis_url.is_none() && redis_prefix.is_some() {
            return Err(named("BETTER_AUTH_REDIS_PREFIX", "says nothing without BETTER_AUTH_REDIS_URL: set it"));
        }
        let base = crate::env::base_url(&variable)?;
        let base_path = variable("BETTER_AUTH_BASE_PATH");
        let get_session = base.as_ref().map(|base| base.endpoint(base_path.as_deref(), "get-session")).transpose();
        let get_session = get_session.map_err(|error| named("BETTER_AUTH_BASE_PATH", &error.to_string()))?;
        let origin = base.map(|base| base.origin);
        let mut names = CookieNames::at(origin.as_deref().unwrap_or_default());
        if let Some(prefix) = variable("BETTER_AUTH_COOKIE_PREFIX") {
            names = names.prefix(prefix);
        }
        let settings = Self {
            names,
            secrets,
            current,
            origin,
            get_session,
            database_url: variable(DATABASE_URL).map(Secret::new),
            redis_url,
            redis_prefix: redis_prefix.unwrap_or_else(|| "better-auth:".to_owned()),
            cache,
            bearer,
        };
        settings.check().map(|()| settings.has_a_place().then_some(settings))
    }

    /// Opens the store and puts everything together. `jwts` are accepted too, and `origins` may change something by cookie.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable: a store that cannot be reached or read, or one that this build has no feature
    /// for.
    pub async fn connect(
        self,
        jwts: Option<BetterAuthJwt>,
        origins: TrustedOrigins,
    ) -> Result<BetterAuthSessions, ConfigError> {
        let mut builder = BetterAuthSessions::builder(&self.names, &self.secrets).trusted_origins(origins);
        builder = match self.bearer {
            Bearer::Off => builder,
            Bearer::Signed => builder.bearer(BearerSessions::Signed(self.secrets.clone())),
            Bearer::Raw => builder.bearer(BearerSessions::Raw(self.secrets.clone())),
        };
        if let Some(cache) = self.cookie_cache(jwts.as_ref())? {
            builder = builder.cache(cache);
        }
        if let Some(jwts) = jwts {
            builder = builder.jwts(jwts);
        }
        self.with_store(builder).await?.build()
    }

    fn check(&self) -> Result<(), ConfigError> {
        // A name that cannot be a cookie's.
        crate::cookie::checked(self.names.session_token())
            .map_err(|error| named("BETTER_AUTH_COOKIE_PREFIX", &error.to_string()))?;
        if self.cache == Cache::Published && self.origin.is_none() {
            return Err(named(
                "BETTER_AUTH_COOKIE_CACHE",
                "`jwks` needs BETTER_AUTH_URL, whose origin is the issuer: set it",
            ));
        }
        if self.bearer != Bearer::Off && self.store_variable().is_none() {
            return Err(named("BETTER_AUTH_BEARER", "needs a place to look sessions up: set BETTER_AUTH_DATABASE_URL"));
        }
        Ok(())
    }

    fn has_a_place(&self) -> bool {
        self.store_variable().is_some() || self.cache != Cache::Off
    }

    /// The variable that says where sessions are looked up: in this order of truth and nearness.
    fn store_variable(&self) -> Option<&'static str> {
        let places = [
            (self.redis_url.is_some(), REDIS_URL),
            (self.database_url.is_some(), DATABASE_URL),
            (self.get_session.is_some(), "BETTER_AUTH_URL"),
        ];
        places.into_iter().find(|(is_set, _)| *is_set).map(|(_, name)| name)
    }

    fn cookie_cache(&self, jwts: Option<&BetterAuthJwt>) -> Result<Option<CookieCache>, ConfigError> {
        let builder = match self.cache {
            Cache::Off => return Ok(None),
            Cache::Compact => CookieCache::compact(&self.secrets),
            Cache::Jwt => CookieCache::jwt(&self.secrets),
            Cache::Jwe => CookieCache::jwe(&self.secrets),
            Cache::Published => {
                let unfetched = || named("BETTER_AUTH_COOKIE_CACHE", "`jwks` needs a key set: set BETTER_AUTH_URL");
                let keys = jwts.and_then(BetterAuthJwt::keys).ok_or_else(unfetched)?;
                CookieCache::published(keys.clone(), self.origin.as_deref().ok_or_else(unfetched)?)
            }
        };
        builder.build(&self.names).map(Some).map_err(|error| named("BETTER_AUTH_COOKIE_CACHE", &error.to_string()))
    }

    async fn with_store(&self, builder: BetterAuthSessionsBuilder) -> Result<BetterAuthSessionsBuilder, ConfigError> {
        match (&self.redis_url, &self.database_url, &self.get_session) {
            (Some(redis), database, _) => self.with_redis(builder, redis, database.as_ref()).await,
            (None, Some(database), _) => with_database(builder, database).await,
            (None, None, Some(endpoint)) => {
                self.with_server(builder, endpoint).map_err(|error| named("BETTER_AUTH_URL", &error.to_string()))
            }
            (None, None, None) => Ok(builder),
        }
    }

    #[cfg(feature = "redis")]
    async fn with_redis(
        &self,
        builder: BetterAuthSessionsBuilder,
        redis: &Secret,
        database: Option<&Secret>,
    ) -> Result<BetterAuthSessionsBuilder, ConfigError> {
        let connecting = async { crate::redis::RedisSessions::connect(text(redis)?).await };
        let redis = connecting.await.map_err(|error| named(REDIS_URL, &error.to_string()))?;
        let redis = redis.prefix(self.redis_prefix.as_str());
        match database {
            None => Ok(builder.store(redis)),
            #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
            Some(url) => Ok(builder.store(redis.or_database(database_at(url).await?))),
            #[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
            Some(_) => Err(named(DATABASE_URL, &unbuilt("`sqlite`, `postgres` or `mysql`").to_string())),
        }
    }

    #[cfg(not(feature = "redis"))]
    async fn with_redis(
        &self,
        _: BetterAuthSessionsBuilder,
        _: &Secret,
        _: Option<&Secret>,
    ) -> Result<BetterAuthSessionsBuilder, ConfigError> {
        Err(named(REDIS_URL, &unbuilt("`redis`").to_string()))
    }

    #[cfg(feature = "http")]
    fn with_server(
        &self,
        builder: BetterAuthSessionsBuilder,
        endpoint: &str,
    ) -> Result<BetterAuthSessionsBuilder, ConfigError> {
        let forward = crate::http::Forward::cookie(&self.names, &self.current)?;
        Ok(builder.store(crate::http::HttpSessions::asking(endpoint, forward)?))
    }

    #[cfg(not(feature = "http"))]
    fn with_server(&self, _: BetterAuthSessionsBuilder, _: &str) -> Result<BetterAuthSessionsBuilder, ConfigError> {
        Err(unbuilt("`http`"))
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
async fn with_database(
    builder: BetterAuthSessionsBuilder,
    url: &Secret,
) -> Result<BetterAuthSessionsBuilder, ConfigError> {
    Ok(builder.store(database_at(url).await?))
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
async fn database_at(url: &Secret) -> Result<crate::sql::SqlSessions, ConfigError> {
    let connecting = async { crate::sql::SqlSessions::connect(text(url)?).await };
    connecting.await.map_err(|error| named(DATABASE_URL, &error.to_string()))
}

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
async fn with_database(_: BetterAuthSessionsBuilder, _: &Secret) -> Result<BetterAuthSessionsBuilder, ConfigError> {
    Err(named(DATABASE_URL, &unbuilt("`sqlite`, `postgres` or `mysql`").to_string()))
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql", feature = "redis"))]
fn text(url: &Secret) -> Result<&str, ConfigError> {
    std::str::from_utf8(url.expose_bytes()).map_err(|_| ConfigError::new("not a URL"))
}

#[cfg(not(all(
    feature = "http",
    feature = "redis",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
)))]
fn unbuilt(feature: &str) -> ConfigError {
    ConfigError::new(format!("this program was built without the feature {feature} of authcore-better-auth"))
}

/// The secrets, and the one that signs now.
fn secrets(variable: &impl Fn(&str) -> Option<String>) -> Result<Option<(Secrets, Secret)>, ConfigError> {
    if let Some(several) = variable("BETTER_AUTH_SECRETS") {
        let prepared = Secrets::versioned(&Secret::new(several.as_str()));
        let prepared = prepared.map_err(|error| named("BETTER_AUTH_SECRETS", &error.to_string()))?;
        let current =
            several.split(',').next().and_then(|entry| entry.split_once(':')).map(|(_, secret)| secret.trim());
        return Ok(Some((prepared, Secret::new(current.unwrap_or_default()))));
    }
    let Some(secret) = variable("BETTER_AUTH_SECRET").map(Secret::new) else { return Ok(None) };
    let prepared = Secrets::new(&secret).map_err(|error| named("BETTER_AUTH_SECRET", &error.to_string()))?;
    Ok(Some((prepared, secret)))
}

fn named(variable: &str, what: &str) -> ConfigError {
    ConfigError::new(format!("{variable}: {what}"))
}

#[cfg(test)]
mod tests;
