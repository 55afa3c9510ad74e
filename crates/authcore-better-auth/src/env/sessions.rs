//! What the environment says of sessions: how they are carried, and how far they are believed.

use std::time::Duration;

use authcore::{ConfigError, Secret};

use super::jwts::seconds;
use super::places::{
    API_KEYS, CHECK_USERS, DATABASE_URL, FALLBACK, Places, REDIS_PREFIX, REDIS_URL, SCHEMA, SESSION_CACHE, Wanted,
};
use super::{SECRET, SECRETS, named, switch};
use crate::api_key::KeyLimits;
use crate::bearer_session::BearerSessions;
use crate::builder::BetterAuthBuilder;
use crate::cache::{CookieCache, CookieCacheBuilder};
use crate::cookie::{self, CookieNames};
use crate::secrets::Secrets;

/// The variables that make no sense without a secret, and what each may say all the same.
const NEED_SECRET: [(&str, &str); 12] = [
    (DATABASE_URL, ""),
    (REDIS_URL, ""),
    (REDIS_PREFIX, ""),
    (SCHEMA, "better-auth"),
    (FALLBACK, "off"),
    (PREFIX, "better-auth"),
    (SECURE, "off"),
    (CACHE, "off"),
    (BEARER, "off"),
    (CHECK_USERS, "off"),
    (API_KEYS, "off"),
    (SESSION_CACHE, "off"),
];

const PREFIX: &str = "BETTER_AUTH_COOKIE_PREFIX";

const SECURE: &str = "BETTER_AUTH_SECURE_COOKIES";

const CACHE: &str = "BETTER_AUTH_COOKIE_CACHE";

const KEY_CONFIGS: &str = "BETTER_AUTH_API_KEY_CONFIGS";

const CACHE_VERSION: &str = "BETTER_AUTH_COOKIE_CACHE_VERSION";

const BEARER: &str = "BETTER_AUTH_BEARER";

/// Adds what is said of sessions; the places are `None` when there is no secret, or nowhere to look them up.
pub(super) fn settings(
    variable: &impl Fn(&str) -> Option<String>,
    mut builder: BetterAuthBuilder,
) -> Result<(BetterAuthBuilder, Option<Places>), ConfigError> {
    let bearer = match variable(BEARER).as_deref() {
        None | Some("off") => BearerSessions::Off,
        Some("signed") => BearerSessions::Signed,
        Some("raw") => BearerSessions::Raw,
        Some(_) => return Err(named(BEARER, &"takes `off`, `signed` or `raw`")),
    };
    let wanted = Wanted {
        users: switch(variable, CHECK_USERS)?.unwrap_or_default(),
        api_keys: api_keys(variable)?,
        key_configs: key_configs(variable)?,
        fallback: switch(variable, FALLBACK)?.unwrap_or_default(),
        recent: recent(variable)?,
    };
    let secure = switch(variable, SECURE)?;
    let Some(secrets) = secrets(variable)? else {
        cache(variable, None)?;
        let says = |(name, harmless): &(&str, &str)| variable(name).is_some_and(|value| value != *harmless);
        return match NEED_SECRET.iter().find(|entry| says(entry)) {
            Some((name, _)) => Err(named(name, &format!("needs {SECRET}, which signs the session cookie: set it"))),
            None => Ok((builder, None)),
        };
    };
    let cache = cache(variable, Some(&secrets))?;
    if wanted.users && !builder.jwt.has_keys() {
        return Err(named(CHECK_USERS, &"there is no JWT whose user could be checked: set BETTER_AUTH_URL"));
    }
    if wanted.users && builder.jwt.user_claim.as_deref() == Some("email") {
        return Err(named(CHECK_USERS, &"looks users up by id, and AUTH_USER_CLAIM says `email`: unset one"));
    }
    let needs_store = [(bearer != BearerSessions::Off, BEARER), (wanted.recent.is_some(), SESSION_CACHE)];
    let places = Places::from_vars(variable, &builder.jwt, wanted)?;
    if let Some((_, name)) = needs_store.into_iter().find(|(is, _)| *is && places.session_store().is_none()) {
        return Err(named(name, &format!("needs a place to look sessions up: set {DATABASE_URL}")));
    }
    let origin = builder.jwt.base.as_ref().map(|base| base.origin.as_str());
    let is_secure = secure.unwrap_or_else(|| origin.is_some_and(|origin| origin.starts_with("https://")));
    let mut names = CookieNames::new(is_secure);
    if let Some(prefix) = variable(PREFIX) {
        names = names.prefix(prefix);
        // A name that cannot be a cookie's.
        cookie::checked(names.session_token()).map_err(|error| named(PREFIX, &error))?;
    }
    if cache.is_none() && places.session_store().is_none() {
        let says =
            [(variable(PREFIX).is_some_and(|prefix| prefix != "better-auth"), PREFIX), (secure == Some(true), SECURE)];
        return match says.into_iter().find(|(is, _)| *is) {
            Some((_, name)) => {
                Err(named(name, &format!("says nothing where no session is looked up: set {DATABASE_URL}")))
            }
            None => Ok((builder, None)),
        };
    }
    if let Some((cache, needs_origin)) = cache {
        if needs_origin && origin.is_none() {
            return Err(named(CACHE, &"`jwks` needs BETTER_AUTH_URL, whose origin is the issuer: set it"));
        }
        builder = builder.cookie_cache(cache);
    }
    Ok((builder.secrets(&secrets).cookie_names(names).bearer_sessions(bearer), Some(places)))
}

/// The cache that is trusted, and whether it is signed with the published keys.
fn cache(
    variable: &impl Fn(&str) -> Option<String>,
    secrets: Option<&Secrets>,
) -> Result<Option<(CookieCacheBuilder, bool)>, ConfigError> {
    let strategy = variable(CACHE).filter(|strategy| strategy != "off");
    let version = variable(CACHE_VERSION);
    if strategy.is_none() && version.is_some() {
        return Err(named(CACHE_VERSION, &format!("says nothing without {CACHE}: set it")));
    }
    let Some((strategy, secrets)) = strategy.as_deref().zip(secrets) else { return Ok(None) };
    let cache = match strategy {
        "compact" => CookieCache::compact(secrets),
        "jwt" => CookieCache::jwt(secrets),
        "jwe" => CookieCache::jwe(secrets),
        "jwks" => CookieCache::published_by_server(),
        _ => return Err(named(CACHE, &"takes `off`, `compact`, `jwt`, `jwe` or `jwks`")),
    };
    let cache = version.into_iter().fold(cache, CookieCacheBuilder::version);
    Ok(Some((cache, strategy == "jwks")))
}

/// The configurations of keys that count.
fn key_configs(variable: &impl Fn(&str) -> Option<String>) -> Result<Option<Vec<String>>, ConfigError> {
    let Some(list) = variable(KEY_CONFIGS) else { return Ok(None) };
    if variable(API_KEYS).is_none_or(|keys| keys == "off") {
        return Err(named(KEY_CONFIGS, &format!("says nothing without {API_KEYS}: set it")));
    }
    let ids: Vec<_> = list.split(',').map(|id| id.trim().to_owned()).collect();
    if ids.iter().any(String::is_empty) {
        return Err(named(KEY_CONFIGS, &"has an empty entry: leave out the stray comma"));
    }
    Ok(Some(ids))
}

/// For how long look-ups are remembered; `None` for not at all.
fn recent(variable: &impl Fn(&str) -> Option<String>) -> Result<Option<Duration>, ConfigError> {
    match variable(SESSION_CACHE).as_deref() {
        None | Some("off") => Ok(None),
        Some(text) => match seconds(text).filter(|age| !age.is_zero()) {
            Some(age) => Ok(Some(age)),
            None => Err(named(SESSION_CACHE, &"takes `off`, or 1s to 60s, as in 5s")),
        },
    }
}

/// What becomes of limits that a key carries; `None` when keys are not accepted.
fn api_keys(variable: &impl Fn(&str) -> Option<String>) -> Result<Option<KeyLimits>, ConfigError> {
    match variable(API_KEYS).as_deref() {
        None | Some("off") => Ok(None),
        Some("refuse") => Ok(Some(KeyLimits::Refuse)),
        Some("ignore") => Ok(Some(KeyLimits::Ignore)),
        Some("enforce") => Ok(Some(KeyLimits::Enforce)),
        Some(_) => {
            Err(named(API_KEYS, &"takes `off`, or what becomes of a key's own limits: `refuse`, `ignore`, `enforce`"))
        }
    }
}

fn secrets(variable: &impl Fn(&str) -> Option<String>) -> Result<Option<Secrets>, ConfigError> {
    let (name, secrets) = match (variable(SECRETS), variable(SECRET)) {
        (Some(several), _) => (SECRETS, Secrets::versioned(&Secret::new(several))),
        (None, Some(one)) => (SECRET, Secrets::new(&Secret::new(one))),
        (None, None) => return Ok(None),
    };
    secrets.map(Some).map_err(|error| named(name, &error))
}
