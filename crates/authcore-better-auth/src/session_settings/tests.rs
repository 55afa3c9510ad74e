//! What is read of the environment, and what is refused.

use super::*;

const SECRET: (&str, &str) = ("BETTER_AUTH_SECRET", "a-secret-of-the-tests-with-32-bytes-or-more");

fn from(variables: &[(&str, &str)]) -> Result<Option<SessionSettings>, ConfigError> {
    let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    SessionSettings::from_vars(value)
}

#[test]
fn without_a_secret_or_a_place_to_look_there_are_no_sessions() {
    let url = ("BETTER_AUTH_URL", "https://app.example.com");
    for variables in [&[][..], &[SECRET], &[url], &[("BETTER_AUTH_BEARER", "off"), ("BETTER_AUTH_COOKIE_CACHE", "")]] {
        assert!(from(variables).expect("good settings").is_none(), "{variables:?}");
    }
    for place in [url, ("BETTER_AUTH_DATABASE_URL", "sqlite:auth.db"), ("BETTER_AUTH_COOKIE_CACHE", "jwe")] {
        assert!(from(&[SECRET, place]).expect("good settings").is_some(), "{place:?}");
    }
}

#[test]
fn sessions_are_looked_up_at_the_nearest_place_that_knows() {
    let url = ("BETTER_AUTH_URL", "https://app.example.com");
    let database = ("BETTER_AUTH_DATABASE_URL", "postgres://db/auth");
    let redis = ("BETTER_AUTH_REDIS_URL", "redis://localhost");
    let place = |variables: &[(&str, &str)]| from(variables).expect("good").expect("sessions").store_variable();
    assert_eq!(place(&[SECRET, url]), Some("BETTER_AUTH_URL"));
    assert_eq!(place(&[SECRET, url, database]), Some("BETTER_AUTH_DATABASE_URL"));
    assert_eq!(place(&[SECRET, url, database, redis]), Some("BETTER_AUTH_REDIS_URL"));
    let names = |variables: &[(&str, &str)]| from(variables).expect("good").expect("sessions").names.session_token();
    assert_eq!(names(&[SECRET, url]), "__Secure-better-auth.session_token");
    let prefixed = [SECRET, ("BETTER_AUTH_URL", "http://localhost:3000"), ("BETTER_AUTH_COOKIE_PREFIX", "shop")];
    assert_eq!(names(&prefixed), "shop.session_token");
}

#[test]
fn cookies_are_called_by_the_url_as_it_is_read() {
    for url in [" https://app.example.com", "HTTPS://app.example.com/"] {
        let settings = from(&[SECRET, ("BETTER_AUTH_URL", url)]).expect("good").expect("sessions");
        assert_eq!(settings.names.session_token(), "__Secure-better-auth.session_token", "{url:?}");
    }
}

#[test]
fn the_server_is_asked_where_it_is_mounted() {
    for (url, path, asked) in [
        ("http://localhost:3000/", None, "http://localhost:3000/api/auth/get-session"),
        ("http://localhost:3000", Some("/"), "http://localhost:3000/get-session"),
        ("http://localhost:3000/", Some("/auth/"), "http://localhost:3000/auth/get-session"),
        ("http://localhost:3000/auth/", Some("/auth"), "http://localhost:3000/auth/get-session"),
        ("http://localhost:3000/auth/", None, "http://localhost:3000/auth/get-session"),
    ] {
        let variables =
            [Some(SECRET), Some(("BETTER_AUTH_URL", url)), path.map(|path| ("BETTER_AUTH_BASE_PATH", path))];
        let variables: Vec<_> = variables.into_iter().flatten().collect();
        let settings = from(&variables).expect("good").expect("sessions");
        assert_eq!(settings.get_session.as_deref(), Some(asked), "{url} {path:?}");
    }
}

#[test]
fn what_cannot_be_served_names_its_variable() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("BETTER_AUTH_SECRET", &[("BETTER_AUTH_SECRET", "short")]),
        ("BETTER_AUTH_SECRETS", &[("BETTER_AUTH_SECRETS", "2:short,1:short")]),
        ("BETTER_AUTH_URL", &[SECRET, ("BETTER_AUTH_URL", "https://ann:short@h.example")]),
        ("BETTER_AUTH_BASE_URL", &[SECRET, ("BETTER_AUTH_BASE_URL", "app.example.com")]),
        ("BETTER_AUTH_BASE_URL", &[SECRET, ("BETTER_AUTH_URL", "https://a"), ("BETTER_AUTH_BASE_URL", "https://b")]),
        (
            "BETTER_AUTH_BASE_PATH",
            &[SECRET, ("BETTER_AUTH_URL", "https://h/auth"), ("BETTER_AUTH_BASE_PATH", "/other")],
        ),
        ("BETTER_AUTH_DATABASE_URL", &[("BETTER_AUTH_DATABASE_URL", "sqlite:auth.db")]),
        ("BETTER_AUTH_REDIS_URL", &[("BETTER_AUTH_REDIS_URL", "redis://localhost")]),
        ("BETTER_AUTH_REDIS_PREFIX", &[SECRET, ("BETTER_AUTH_REDIS_PREFIX", "shop:")]),
        ("BETTER_AUTH_COOKIE_PREFIX", &[("BETTER_AUTH_COOKIE_PREFIX", "shop")]),
        ("BETTER_AUTH_COOKIE_PREFIX", &[SECRET, ("BETTER_AUTH_COOKIE_PREFIX", "a b")]),
        ("BETTER_AUTH_COOKIE_CACHE", &[("BETTER_AUTH_COOKIE_CACHE", "compact")]),
        ("BETTER_AUTH_COOKIE_CACHE", &[SECRET, ("BETTER_AUTH_COOKIE_CACHE", "on")]),
        ("BETTER_AUTH_COOKIE_CACHE", &[SECRET, ("BETTER_AUTH_COOKIE_CACHE", "jwks")]),
        ("BETTER_AUTH_BEARER", &[("BETTER_AUTH_BEARER", "raw")]),
        ("BETTER_AUTH_BEARER", &[SECRET, ("BETTER_AUTH_BEARER", "yes")]),
        ("BETTER_AUTH_BEARER", &[SECRET, ("BETTER_AUTH_BEARER", "raw")]),
    ];
    for (name, variables) in cases {
        let message = from(variables).expect_err(name).to_string();
        assert!(message.starts_with(&format!("{name}: ")) && !message.contains('\n'), "{variables:?}: {message}");
        assert!(!message.contains("short"), "the secret is printed: {message}");
    }
}
