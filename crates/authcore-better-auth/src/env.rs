//! Settings from the environment, in Better Auth's own names where it has one.
//!
//! Every message names its variable and the mend in one line. An empty variable counts as unset.

use std::time::Duration;

use authcore::{Algorithm, ConfigError, Key, Secret};

use crate::base_url::BaseUrl;
use crate::builder::{BetterAuth, Names};

impl BetterAuth {
    /// From the process's environment: see [`BetterAuth::from_vars`] for the names.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable and the mend; also when nothing is set at all.
    pub fn from_env() -> Result<Self, ConfigError> {
        let settings = Self::from_vars(|name| std::env::var(name).ok())?;
        settings.ok_or_else(|| ConfigError::new("BETTER_AUTH_URL: set it to the base URL of the Better Auth server"))
    }

    /// From variables by name; `Ok(None)` when neither a URL nor a secret is set.
    ///
    /// | variable | is |
    /// |---|---|
    /// | `BETTER_AUTH_URL`, `BETTER_AUTH_BASE_URL` | base URL: gives issuer, audience and key set |
    /// | `BETTER_AUTH_BASE_PATH` | where it is mounted, `/api/auth` by default |
    /// | `BETTER_AUTH_JWKS_URL` | where the keys are, when elsewhere |
    /// | `BETTER_AUTH_ISSUER`, `BETTER_AUTH_AUDIENCE` | expected `iss` and `aud`; several audiences by commas |
    /// | `BETTER_AUTH_SECRET` | shared secret: HS256 tokens when there is no key set |
    /// | `BETTER_AUTH_HS256` | `on` accepts HS256 tokens beside a key set |
    /// | `AUTH_LEEWAY` | `30s` by default, at most `60s` |
    /// | `AUTH_USER_CLAIM`, `AUTH_ROLE_CLAIM` | `sub`, `role` by default |
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the variable and the mend.
    pub fn from_vars(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let named = |name: &str, error: &dyn std::fmt::Display| ConfigError::new(format!("{name}: {error}"));

        let base = base_url(&variable)?;
        let jwks_url = variable("BETTER_AUTH_JWKS_URL");
        let secret = variable("BETTER_AUTH_SECRET").map(Secret::new);
        let accepts_hs256 = match variable("BETTER_AUTH_HS256").as_deref() {
            None => base.is_none() && jwks_url.is_none(),
            Some("on") => true,
            Some("off") => false,
            Some(_) => return Err(named("BETTER_AUTH_HS256", &"takes `on` or `off`")),
        };
        if base.is_none() && jwks_url.is_none() && secret.is_none() {
            let orphan = ["BETTER_AUTH_BASE_PATH", "BETTER_AUTH_ISSUER", "BETTER_AUTH_AUDIENCE", "BETTER_AUTH_HS256"];
            return match orphan.into_iter().find(|name| variable(name).is_some()) {
                Some(name) => Err(named(name, &"says nothing without BETTER_AUTH_URL or BETTER_AUTH_SECRET: set one")),
                None => Ok(None),
            };
        }

        let mut settings = Self { base, names: Names::Variables, ..Self::default() };
        if let Some(secret) = &secret {
            // Judged even where only other parts of a deployment use it.
            Key::hmac(Algorithm::Hs256, secret).map_err(|error| named("BETTER_AUTH_SECRET", &error))?;
        }
        match (&secret, accepts_hs256) {
            (Some(secret), true) => settings = settings.accept_hs256(secret)?,
            (None, true) => return Err(named("BETTER_AUTH_HS256", &"needs BETTER_AUTH_SECRET: set it")),
            (_, false) => {}
        }
        settings.base_path = variable("BETTER_AUTH_BASE_PATH");
        settings.jwks_url = jwks_url;
        settings.issuers.extend(variable("BETTER_AUTH_ISSUER"));
        if let Some(audiences) = variable("BETTER_AUTH_AUDIENCE") {
            settings.audiences = audiences.split(',').map(|audience| audience.trim().to_owned()).collect();
            if settings.audiences.iter().any(String::is_empty) {
                return Err(named("BETTER_AUTH_AUDIENCE", &"has an empty entry: leave out the stray comma"));
            }
        }
        settings.user_claim = variable("AUTH_USER_CLAIM");
        settings.role_claim = variable("AUTH_ROLE_CLAIM");
        if let Some(leeway) = variable("AUTH_LEEWAY") {
            settings.leeway =
                Some(seconds(&leeway).ok_or_else(|| named("AUTH_LEEWAY", &"takes 0s to 60s, as in 30s"))?);
        }
        Ok(Some(settings))
    }
}

/// The base URL, which goes by two names.
pub(crate) fn base_url(variable: &impl Fn(&str) -> Option<String>) -> Result<Option<BaseUrl>, ConfigError> {
    let (url, name) = match (variable("BETTER_AUTH_URL"), variable("BETTER_AUTH_BASE_URL")) {
        (Some(url), Some(other)) if url != other => {
            return Err(ConfigError::new("BETTER_AUTH_BASE_URL: differs from BETTER_AUTH_URL: set one of them"));
        }
        (Some(url), _) => (url, "BETTER_AUTH_URL"),
        (None, Some(url)) => (url, "BETTER_AUTH_BASE_URL"),
        (None, None) => return Ok(None),
    };
    BaseUrl::parse(&url).map(Some).map_err(|error| ConfigError::new(format!("{name}: {error}")))
}

/// `30s`, up to a minute.
fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.trim().strip_suffix('s')?;
    let digits = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = seconds.parse().ok().filter(|seconds| digits && *seconds <= 60)?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a-secret-of-the-tests-with-32-bytes-or-more";

    fn from(variables: &[(&str, &str)]) -> Result<Option<BetterAuth>, ConfigError> {
        BetterAuth::from_vars(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn refusal(variables: &[(&str, &str)]) -> String {
        let built = from(variables).and_then(|settings| settings.map(BetterAuth::build).transpose());
        built.expect_err("these settings cannot be served").to_string()
    }

    #[test]
    fn nothing_set_is_nothing_asked_for() {
        assert!(from(&[]).is_ok_and(|settings| settings.is_none()));
        assert!(from(&[("BETTER_AUTH_URL", " "), ("BETTER_AUTH_SECRET", "")]).is_ok_and(|settings| settings.is_none()));
    }

    #[test]
    fn a_base_url_is_enough() {
        for name in ["BETTER_AUTH_URL", "BETTER_AUTH_BASE_URL"] {
            let settings = from(&[(name, "https://app.example.com")]).expect("good").expect("something set");
            let auth = settings.build().expect("buildable");
            assert!(auth.keys().is_some() && auth.warnings().is_empty());
        }
    }

    #[test]
    fn a_secret_alone_warns_of_what_is_not_stated() {
        let warnings = |variables: &[(&str, &str)]| {
            let settings = from(variables).expect("good").expect("something set");
            settings.build().expect("buildable").warnings().len()
        };
        assert_eq!(warnings(&[("BETTER_AUTH_SECRET", SECRET)]), 2);
        assert_eq!(warnings(&[("BETTER_AUTH_SECRET", SECRET), ("BETTER_AUTH_ISSUER", "https://a")]), 1);
        let stated = [("BETTER_AUTH_SECRET", SECRET), ("BETTER_AUTH_ISSUER", "a"), ("BETTER_AUTH_AUDIENCE", "b, c")];
        assert_eq!(warnings(&stated), 0);
    }

    #[test]
    fn what_cannot_be_served_names_its_variable() {
        let url = ("BETTER_AUTH_URL", "https://app.example.com");
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("BETTER_AUTH_URL: ", &[("BETTER_AUTH_URL", "app.example.com")]),
            ("BETTER_AUTH_BASE_URL: ", &[url, ("BETTER_AUTH_BASE_URL", "https://other.example.com")]),
            ("BETTER_AUTH_BASE_PATH: ", &[("BETTER_AUTH_URL", "https://h/auth"), ("BETTER_AUTH_BASE_PATH", "/other")]),
            ("BETTER_AUTH_BASE_PATH: ", &[("BETTER_AUTH_BASE_PATH", "/auth")]),
            ("BETTER_AUTH_SECRET: ", &[("BETTER_AUTH_SECRET", "short")]),
            ("BETTER_AUTH_SECRET: ", &[("BETTER_AUTH_SECRET", "better-auth-secret-12345678901234567890")]),
            ("BETTER_AUTH_SECRET: ", &[url, ("BETTER_AUTH_SECRET", "short")]),
            ("BETTER_AUTH_HS256: ", &[url, ("BETTER_AUTH_HS256", "yes")]),
            ("BETTER_AUTH_HS256: ", &[url, ("BETTER_AUTH_HS256", "on")]),
            ("BETTER_AUTH_JWKS_URL: ", &[("BETTER_AUTH_SECRET", SECRET), ("BETTER_AUTH_HS256", "off")]),
            ("BETTER_AUTH_URL: ", &[("BETTER_AUTH_URL", "http://app.example.com")]),
            ("BETTER_AUTH_JWKS_URL: ", &[url, ("BETTER_AUTH_JWKS_URL", "file:///keys.json")]),
            ("BETTER_AUTH_ISSUER: ", &[("BETTER_AUTH_JWKS_URL", "https://h/jwks")]),
            ("BETTER_AUTH_AUDIENCE: ", &[("BETTER_AUTH_JWKS_URL", "https://h/jwks"), ("BETTER_AUTH_ISSUER", "i")]),
            ("BETTER_AUTH_AUDIENCE: ", &[url, ("BETTER_AUTH_AUDIENCE", "a,,b")]),
            ("AUTH_LEEWAY: ", &[url, ("AUTH_LEEWAY", "2m")]),
            ("AUTH_LEEWAY: ", &[url, ("AUTH_LEEWAY", "61s")]),
            ("AUTH_LEEWAY: ", &[url, ("AUTH_LEEWAY", "+5s")]),
            ("AUTH_USER_CLAIM: ", &[("BETTER_AUTH_SECRET", SECRET), ("AUTH_USER_CLAIM", "email")]),
        ];
        for (named, variables) in cases {
            let message = refusal(variables);
            assert!(message.starts_with(named) && !message.contains('\n'), "{variables:?}: {message}");
            assert!(!message.contains("short"), "the secret is printed: {message}");
        }
    }
}
