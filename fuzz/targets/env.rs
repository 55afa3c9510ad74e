//! Settings from the environment: a variable on each line, its name without `BETTER_AUTH_` where it begins so. In those that
//! hold secrets the byte 1 stands for one.
#![no_main]

use authcore_better_auth::BetterAuthSettings;
use authcore_fuzz::MARKER;
use url::Url;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let variables: Vec<_> = text.split('\n').filter_map(|line| line.split_once('=')).collect();
    let with = |secret| {
        let variables = &variables;
        move |name: &str| {
            let short = name.strip_prefix("BETTER_AUTH_").unwrap_or(name);
            let (_, value) = variables.iter().find(|(known, _)| *known == short)?;
            let holds_secret = ["SECRET", "SECRETS", "DATABASE_URL", "REDIS_URL"].contains(&short);
            Some(value.replace('\u{1}', if holds_secret { secret } else { "" }))
        }
    };
    let variable = with(MARKER);
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.trim().is_empty());
    let read = BetterAuthSettings::from_vars(variable);
    // What is told depends on no secret: with another one of the same length it is the same.
    let other = BetterAuthSettings::from_vars(with(OTHER));
    assert_eq!(format!("{read:?}"), format!("{other:?}"), "a secret is told");
    let settings = match read {
        Ok(Some(settings)) => settings,
        Ok(None) => {
            let any = ["URL", "BASE_URL", "SECRET", "SECRETS", "JWKS_URL"].into_iter().find(|name| is_set(name));
            return assert_eq!(any, None, "it is passed over");
        }
        Err(error) => {
            let told = error.to_string();
            let (name, mend) = told.split_once(": ").expect("a variable and a mend");
            return assert!(NAMES.contains(&name) && !mend.is_empty() && !told.contains('\n'), "{told:?}");
        }
    };
    let base = ["URL", "BASE_URL"].iter().find(|name| is_set(name)).and_then(|name| variable(name));
    let origin = base.map(|base| Url::parse(&base).expect("an accepted URL is one").origin().ascii_serialization());
    assert_eq!(settings.origin(), origin.as_deref());
    if !is_set("ISSUER") {
        assert!(settings.issuers().into_iter().eq(origin.as_deref()));
    }
    if !is_set("AUDIENCE") {
        assert!(settings.audiences().into_iter().eq(origin.as_deref()));
    }
    // Whoever signs a cookie has the secret.
    if let Some(cookie) = settings.session_cookie() {
        assert!(is_set("SECRET") || is_set("SECRETS"), "{cookie}");
        let is_secure = variable("SECURE_COOKIES").filter(|value| !value.trim().is_empty());
        let is_secure =
            is_secure.map_or(origin.as_ref().is_some_and(|origin| origin.starts_with("https:")), |value| value == "on");
        assert_eq!(cookie.starts_with("__Secure-"), is_secure, "{cookie}");
    }
    if let Ok(Some(keys)) = settings.jwks_url()
        && !is_set("JWKS_URL")
    {
        assert_eq!(Url::parse(&keys).map(|keys| keys.origin().ascii_serialization()).ok(), origin);
    }
});

/// As long as [`MARKER`].
const OTHER: &str = "other-9e2b71x";

/// All that a message may begin with.
const NAMES: [&str; 26] = [
    "BETTER_AUTH_URL",
    "BETTER_AUTH_BASE_URL",
    "BETTER_AUTH_BASE_PATH",
    "BETTER_AUTH_JWKS_URL",
    "BETTER_AUTH_ISSUER",
    "BETTER_AUTH_AUDIENCE",
    "BETTER_AUTH_SECRET",
    "BETTER_AUTH_SECRETS",
    "BETTER_AUTH_HS256",
    "AUTH_LEEWAY",
    "AUTH_USER_CLAIM",
    "AUTH_ROLE_CLAIM",
    "BETTER_AUTH_REDIS_URL",
    "BETTER_AUTH_SESSIONS_IN_DATABASE",
    "BETTER_AUTH_REDIS_PREFIX",
    "BETTER_AUTH_DATABASE_URL",
    "BETTER_AUTH_SCHEMA",
    "BETTER_AUTH_SESSION_CACHE",
    "BETTER_AUTH_COOKIE_CACHE",
    "BETTER_AUTH_COOKIE_CACHE_VERSION",
    "BETTER_AUTH_COOKIE_PREFIX",
    "BETTER_AUTH_SECURE_COOKIES",
    "BETTER_AUTH_BEARER",
    "BETTER_AUTH_API_KEYS",
    "BETTER_AUTH_API_KEY_CONFIGS",
    "BETTER_AUTH_CHECK_USERS",
];
