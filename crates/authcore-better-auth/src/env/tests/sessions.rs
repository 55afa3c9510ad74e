use super::*;

const SECRET: (&str, &str) = SECRET_OF_TESTS;

const DATABASE: (&str, &str) = ("BETTER_AUTH_DATABASE_URL", "sqlite:auth.db");

const OFF: (&str, &str) = ("BETTER_AUTH_HS256", "off");

#[test]
fn without_a_secret_or_a_place_to_look_there_are_no_sessions() {
    let url = ("BETTER_AUTH_URL", "https://app.example.com");
    let sessions = |variables: &[(&str, &str)]| {
        let settings = from(variables).expect("good settings");
        settings.is_some_and(|settings| settings.builder.names.is_some())
    };
    for variables in [&[][..], &[SECRET], &[url], &[("BETTER_AUTH_BEARER", "off"), ("BETTER_AUTH_COOKIE_CACHE", "")]] {
        assert!(!sessions(variables), "{variables:?}");
    }
    for place in [url, ("BETTER_AUTH_DATABASE_URL", "sqlite:auth.db"), ("BETTER_AUTH_COOKIE_CACHE", "jwe")] {
        assert!(sessions(&[SECRET, place]), "{place:?}");
    }
}

#[test]
fn sessions_are_looked_up_at_the_nearest_place_that_knows() {
    let url = ("BETTER_AUTH_URL", "https://app.example.com");
    let database = ("BETTER_AUTH_DATABASE_URL", "postgres://db/auth");
    let redis = ("BETTER_AUTH_REDIS_URL", "redis://localhost");
    let place = |variables: &[(&str, &str)]| from(variables).expect("good").expect("set").places.session_store();
    assert_eq!(place(&[SECRET, url]), Some("BETTER_AUTH_URL"));
    assert_eq!(place(&[SECRET, url, database]), Some("BETTER_AUTH_DATABASE_URL"));
    assert_eq!(place(&[SECRET, url, database, redis]), Some("BETTER_AUTH_REDIS_URL"));
}

fn cookie(variables: &[(&str, &str)]) -> String {
    let settings = from(&[&[SECRET], variables].concat()).expect("good").expect("set");
    settings.builder.names.expect("sessions").session_token()
}

#[test]
fn cookies_are_called_by_the_url_as_it_is_read() {
    for url in ["https://app.example.com", " https://app.example.com", "HTTPS://app.example.com/"] {
        assert_eq!(cookie(&[("BETTER_AUTH_URL", url)]), "__Secure-better-auth.session_token", "{url:?}");
    }
    let (here, there) = (("BETTER_AUTH_URL", "http://localhost:3000"), ("BETTER_AUTH_URL", "https://app.example.com"));
    assert_eq!(cookie(&[here, ("BETTER_AUTH_COOKIE_PREFIX", "shop")]), "shop.session_token");
    assert_eq!(cookie(&[here, ("BETTER_AUTH_SECURE_COOKIES", "on")]), "__Secure-better-auth.session_token");
    assert_eq!(cookie(&[there, ("BETTER_AUTH_SECURE_COOKIES", "off")]), "better-auth.session_token");
    assert_eq!(cookie(&[("BETTER_AUTH_DATABASE_URL", "sqlite:auth.db")]), "better-auth.session_token");
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
        let settings = from(&variables).expect("good").expect("set");
        assert_eq!(settings.places.server(), Some(asked), "{url} {path:?}");
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
        ("BETTER_AUTH_COOKIE_CACHE_VERSION", &[SECRET, ("BETTER_AUTH_COOKIE_CACHE_VERSION", "2")]),
        ("BETTER_AUTH_SCHEMA", &[SECRET, ("BETTER_AUTH_SCHEMA", "snake_case")]),
        (
            "BETTER_AUTH_SCHEMA",
            &[SECRET, ("BETTER_AUTH_DATABASE_URL", "sqlite:auth.db"), ("BETTER_AUTH_SCHEMA", "drizzle")],
        ),
        ("BETTER_AUTH_SECURE_COOKIES", &[SECRET, ("BETTER_AUTH_SECURE_COOKIES", "yes")]),
        ("BETTER_AUTH_BASE_PATH", &[SECRET, ("BETTER_AUTH_BASE_PATH", "/auth")]),
        ("BETTER_AUTH_ISSUER", &[SECRET, OFF, DATABASE, ("BETTER_AUTH_ISSUER", "https://a")]),
        ("BETTER_AUTH_COOKIE_PREFIX", &[SECRET, ("BETTER_AUTH_COOKIE_PREFIX", "shop")]),
        ("BETTER_AUTH_SECURE_COOKIES", &[SECRET, ("BETTER_AUTH_SECURE_COOKIES", "on")]),
        ("BETTER_AUTH_CHECK_USERS", &[SECRET, OFF, DATABASE, ("BETTER_AUTH_CHECK_USERS", "on")]),
        (
            "BETTER_AUTH_CHECK_USERS",
            &[
                ("BETTER_AUTH_URL", "https://h"),
                ("AUTH_USER_CLAIM", "email"),
                SECRET,
                DATABASE,
                ("BETTER_AUTH_CHECK_USERS", "on"),
            ],
        ),
        ("BETTER_AUTH_SESSIONS_IN_DATABASE", &[SECRET, DATABASE, ("BETTER_AUTH_SESSIONS_IN_DATABASE", "on")]),
        (
            "BETTER_AUTH_SESSIONS_IN_DATABASE",
            &[("BETTER_AUTH_URL", "https://h"), ("BETTER_AUTH_SESSIONS_IN_DATABASE", "on")],
        ),
        ("BETTER_AUTH_REDIS_PREFIX", &[("BETTER_AUTH_URL", "https://h"), ("BETTER_AUTH_REDIS_PREFIX", "shop:")]),
        ("BETTER_AUTH_SCHEMA", &[("BETTER_AUTH_URL", "https://h"), ("BETTER_AUTH_SCHEMA", "snake_case")]),
        ("BETTER_AUTH_API_KEY_CONFIGS", &[SECRET, DATABASE, ("BETTER_AUTH_API_KEY_CONFIGS", "service")]),
        ("BETTER_AUTH_API_KEYS", &[("BETTER_AUTH_API_KEYS", "ignore")]),
        ("BETTER_AUTH_API_KEYS", &[SECRET, ("BETTER_AUTH_API_KEYS", "ignore")]),
        ("BETTER_AUTH_API_KEYS", &[SECRET, ("BETTER_AUTH_API_KEYS", "on")]),
        ("BETTER_AUTH_CHECK_USERS", &[("BETTER_AUTH_CHECK_USERS", "on")]),
        ("BETTER_AUTH_CHECK_USERS", &[SECRET, ("BETTER_AUTH_CHECK_USERS", "on")]),
        ("BETTER_AUTH_SESSION_CACHE", &[("BETTER_AUTH_SESSION_CACHE", "5s")]),
        ("BETTER_AUTH_SESSION_CACHE", &[SECRET, ("BETTER_AUTH_SESSION_CACHE", "5s")]),
        ("BETTER_AUTH_SESSION_CACHE", &[SECRET, ("BETTER_AUTH_SESSION_CACHE", "0s")]),
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
