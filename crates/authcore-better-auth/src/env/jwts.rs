//! What the environment says of JWTs.

use std::time::Duration;

use authcore::{Algorithm, ConfigError, Key};

use super::{SECRET, base_url, current_secret, named, switch};
use crate::jwt_settings::{JwtSettings, Names};

/// Settings without keys when neither a URL nor a secret is set.
pub(super) fn settings(variable: &impl Fn(&str) -> Option<String>) -> Result<JwtSettings, ConfigError> {
    let base = base_url(variable)?;
    let jwks_url = variable("BETTER_AUTH_JWKS_URL");
    let secret = current_secret(variable);
    let accepts_hs256 = switch(variable, HS256)?.unwrap_or(base.is_none() && jwks_url.is_none() && secret.is_some());
    if base.is_none() && jwks_url.is_none() && secret.is_none() {
        let orphan = ["BETTER_AUTH_BASE_PATH", "BETTER_AUTH_ISSUER", "BETTER_AUTH_AUDIENCE", HS256];
        return match orphan.into_iter().find(|name| variable(name).is_some()) {
            Some(name) => Err(named(name, &"says nothing without BETTER_AUTH_URL or BETTER_AUTH_SECRET: set one")),
            None => Ok(JwtSettings::default()),
        };
    }
    let names_claims = ["BETTER_AUTH_ISSUER", "BETTER_AUTH_AUDIENCE"].into_iter().find(|name| variable(name).is_some());
    let is_mounted = variable("BETTER_AUTH_BASE_PATH").is_some();
    if is_mounted && base.is_none() {
        return Err(named("BETTER_AUTH_BASE_PATH", &"says nothing without BETTER_AUTH_URL: set it"));
    }
    if let (Some(name), None, None, false) = (names_claims, &base, &jwks_url, accepts_hs256) {
        return Err(named(name, &"says nothing where no JWT is accepted: set BETTER_AUTH_URL"));
    }
    let mut settings = JwtSettings { base, jwks_url, names: Names::Variables, ..JwtSettings::default() };
    // Judged even where only other parts of a deployment use it.
    let key = secret.map(|(name, secret)| Key::hmac(Algorithm::Hs256, &secret).map_err(|error| named(name, &error)));
    match (key.transpose()?, accepts_hs256) {
        (Some(key), true) => settings.secret = Some(key),
        (None, true) => return Err(named(HS256, &format!("needs {SECRET}: set it"))),
        (_, false) => {}
    }
    settings.base_path = variable("BETTER_AUTH_BASE_PATH");
    settings.issuers.extend(variable("BETTER_AUTH_ISSUER").map(|issuer| issuer.trim().to_owned()));
    if let Some(audiences) = variable("BETTER_AUTH_AUDIENCE") {
        settings.audiences = audiences.split(',').map(|audience| audience.trim().to_owned()).collect();
        if settings.audiences.iter().any(String::is_empty) {
            return Err(named("BETTER_AUTH_AUDIENCE", &"has an empty entry: leave out the stray comma"));
        }
    }
    let claim = |name| variable(name).map(|claim| claim.trim().to_owned());
    settings.user_claim = claim("AUTH_USER_CLAIM");
    settings.role_claim = claim("AUTH_ROLE_CLAIM");
    if let Some(leeway) = variable("AUTH_LEEWAY") {
        let leeway = seconds(&leeway).ok_or_else(|| named("AUTH_LEEWAY", &"takes 0s to 60s, as in 30s"))?;
        settings.leeway = Some(leeway);
    }
    Ok(settings)
}

const HS256: &str = "BETTER_AUTH_HS256";

/// `30s`, up to a minute.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.trim().strip_suffix('s')?;
    let digits = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = seconds.parse().ok().filter(|seconds| digits && *seconds <= 60)?;
    Some(Duration::from_secs(seconds))
}
