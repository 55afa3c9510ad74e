use std::time::Duration;

use authcore::Algorithm;
use authcore_testkit::{SigningKey, mint};

use super::*;

fn built(variables: &[(&str, &str)]) -> BetterAuth {
    let settings = from(variables).expect("good").expect("something set");
    settings.builder.build().expect("buildable")
}

fn refusal(variables: &[(&str, &str)]) -> String {
    let built = from(variables).and_then(|settings| settings.map(|settings| settings.builder.build()).transpose());
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
        let auth = built(&[(name, "https://app.example.com")]);
        assert!(auth.keys().is_some() && auth.warnings().is_empty());
    }
}

#[test]
fn a_secret_alone_warns_of_what_is_not_stated() {
    let warnings = |variables: &[(&str, &str)]| built(variables).warnings().len();
    assert_eq!(warnings(&[SECRET_OF_TESTS]), 2);
    assert_eq!(warnings(&[SECRET_OF_TESTS, ("BETTER_AUTH_ISSUER", "https://a")]), 1);
    let stated = [SECRET_OF_TESTS, ("BETTER_AUTH_ISSUER", "a"), ("BETTER_AUTH_AUDIENCE", "b, c")];
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
        ("BETTER_AUTH_JWKS_URL: ", &[SECRET_OF_TESTS, ("BETTER_AUTH_HS256", "off")]),
        ("BETTER_AUTH_URL: ", &[("BETTER_AUTH_URL", "http://app.example.com")]),
        ("BETTER_AUTH_JWKS_URL: ", &[url, ("BETTER_AUTH_JWKS_URL", "file:///keys.json")]),
        ("BETTER_AUTH_ISSUER: ", &[("BETTER_AUTH_JWKS_URL", "https://h/jwks")]),
        ("BETTER_AUTH_AUDIENCE: ", &[("BETTER_AUTH_JWKS_URL", "https://h/jwks"), ("BETTER_AUTH_ISSUER", "i")]),
        ("BETTER_AUTH_AUDIENCE: ", &[url, ("BETTER_AUTH_AUDIENCE", "a,,b")]),
        ("AUTH_LEEWAY: ", &[url, ("AUTH_LEEWAY", "2m")]),
        ("AUTH_LEEWAY: ", &[url, ("AUTH_LEEWAY", "61s")]),
        ("AUTH_LEEWAY: ", &[url, ("AUTH_LEEWAY", "+5s")]),
        ("AUTH_USER_CLAIM: ", &[SECRET_OF_TESTS, ("AUTH_USER_CLAIM", "email")]),
    ];
    for (named, variables) in cases {
        let message = refusal(variables);
        assert!(message.starts_with(named) && !message.contains('\n'), "{variables:?}: {message}");
        assert!(!message.contains("short"), "the secret is printed: {message}");
    }
}

#[test]
fn hs256_is_by_the_secret_that_is_current() {
    let versioned =
        ("BETTER_AUTH_SECRETS", "2:the-new-one-32-bytes-or-more-of-it,1:the-old-one-32-bytes-or-more-of-it");
    for variables in [&[versioned][..], &[versioned, SECRET_OF_TESTS]] {
        let auth = built(variables);
        let verdict = |secret: &str| {
            let key = SigningKey::hmac(Algorithm::Hs256, secret.as_bytes());
            let token = mint().subject("ann").expires_in(Duration::from_secs(60)).sign(&key);
            auth.verifier().expect("JWTs").check(&token).map(|_| ()).map_err(|error| error.reason())
        };
        assert_eq!(verdict("the-new-one-32-bytes-or-more-of-it"), Ok(()));
        assert_eq!(verdict("the-old-one-32-bytes-or-more-of-it"), Err("bad_signature"));
        assert_eq!(verdict(SECRET_OF_TESTS.1), Err("bad_signature"));
    }
}

#[test]
fn without_hs256_a_secret_still_signs_cookies() {
    let variables = [SECRET_OF_TESTS, ("BETTER_AUTH_HS256", "off"), ("BETTER_AUTH_COOKIE_CACHE", "jwe")];
    assert!(built(&variables).verifier().is_none());
}

#[test]
fn what_is_expected_of_jwts_is_told() {
    let settings = from(&[("BETTER_AUTH_URL", "https://h.example/custom/auth")]).expect("good").expect("set");
    assert_eq!((settings.issuers(), settings.audiences()), (vec!["https://h.example"], vec!["https://h.example"]));
    assert_eq!(settings.origin(), Some("https://h.example"));
    assert_eq!(settings.jwks_url().expect("a URL").as_deref(), Some("https://h.example/custom/auth/jwks"));
    assert_eq!(settings.session_cookie(), None, "without a secret no session is accepted");

    let stated = [("BETTER_AUTH_ISSUER", "https://i.example"), ("BETTER_AUTH_AUDIENCE", "a, b"), SECRET_OF_TESTS];
    let settings = from(&stated).expect("good").expect("set");
    assert_eq!((settings.issuers(), settings.audiences()), (vec!["https://i.example"], vec!["a", "b"]));
    assert_eq!((settings.origin(), settings.jwks_url().expect("none")), (None, None));

    let padded = [("BETTER_AUTH_ISSUER", " https://i.example\n"), ("BETTER_AUTH_AUDIENCE", " a "), SECRET_OF_TESTS];
    let settings = from(&padded).expect("good").expect("set");
    assert_eq!((settings.issuers(), settings.audiences()), (vec!["https://i.example"], vec!["a"]));
}
