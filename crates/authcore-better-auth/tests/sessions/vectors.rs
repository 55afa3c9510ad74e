//! Values that real Better Auth servers made or judged (testdata/sessions.json), each at its own moment.

use authcore::{AuthError, KeySet, ManualClock, Secret, Timestamp};
use authcore_better_auth::{BearerSessions, CacheFault, CachedSession, CookieCache, CookieNames};
use authcore_better_auth::{Secrets, SessionToken, SignedCookie};
use authcore_testkit::TestHead;
use serde_json::Value;

fn vectors(name: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../../testdata/sessions.json")).expect("a JSON file");
    let list = file[name].as_array().expect("a list").clone();
    assert!(!list.is_empty());
    list
}

fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name].as_str().unwrap_or_else(|| panic!("{} has no {name}", vector["id"]))
}

fn secrets(vector: &Value) -> Secrets {
    Secrets::new(&Secret::new(text(vector, "secret"))).expect("a good secret")
}

/// The signed cookie of an http server.
fn cookie(secrets: &Secrets) -> SignedCookie {
    SignedCookie::new(&CookieNames::at("http://localhost:3000"), secrets).expect("a good name")
}

fn exposed(token: Option<SessionToken>) -> Option<String> {
    token.map(|token| token.expose().to_owned())
}

#[test]
fn signed_values_carry_what_was_signed() {
    for vector in vectors("signed_values") {
        for form in ["signed", "cookie_wire"] {
            let head =
                TestHead::get("/").header("cookie", format!("better-auth.session_token={}", text(&vector, form)));
            let token = cookie(&secrets(&vector)).read(&head).expect("a good signature");
            assert_eq!(exposed(token).as_deref(), vector["value"].as_str());
        }
    }
}

/// As a service that takes raw bearer tokens and, without one, the cookie.
fn authenticate(vector: &Value, case: &Value) -> Result<Option<String>, AuthError> {
    let head = case["headers"]
        .as_object()
        .expect("headers")
        .iter()
        .fold(TestHead::get("/"), |head, (name, value)| head.header(name, value.as_str().expect("text")));
    let secrets = secrets(vector);
    let token = match BearerSessions::Raw.read(&head, &secrets)? {
        Some(token) => Some(token),
        None => cookie(&secrets).read(&head).map_err(|fault| AuthError::Session { fault, bearer: false })?,
    };
    let live = vector["live_session_tokens"].as_array().expect("a list");
    Ok(exposed(token).filter(|token| live.iter().any(|known| known == token)))
}

/// Better Auth's own verdicts, and where we refuse more: a second spelling of a signature, cookies that contradict each
/// other, percent escapes in a bearer token (no `b64token` of RFC 6750), a bad bearer token beside a good cookie.
#[test]
fn requests_are_judged_as_by_better_auth_or_more_strictly_for_a_reason() {
    let mut stricter = Vec::new();
    let mut cases = 0;
    for vector in vectors("request_authentication") {
        for case in vector["cases"].as_array().expect("a list") {
            cases += 1;
            let theirs = case["accepted_session_token"].as_str();
            match authenticate(&vector, case) {
                Ok(token) => assert_eq!(token.as_deref(), theirs, "{}", case["id"]),
                Err(error) if theirs.is_some() => stricter.push((text(case, "id").to_owned(), error.reason())),
                Err(_) => {}
            }
        }
    }
    stricter.sort_unstable();
    let expected = [
        ("bearer/partially-percent-encoded", "malformed_bearer"),
        ("bearer/signed-percent-encoded", "malformed_bearer"),
        ("both/bad-bearer-sig-plus-good-cookie-B", "session_malformed"),
        ("cookie/duplicate-good-first", "session_malformed"),
        ("cookie/sig-noncanonical-last-char", "session_malformed"),
    ];
    assert_eq!(stricter, expected.map(|(id, reason)| (id.to_owned(), reason)));
    assert_eq!(cases, 36);
}

/// The cache that a vector's server is configured with.
fn cache(vector: &Value, secrets: &Secrets) -> CookieCache {
    let settings = match text(vector, "strategy") {
        "compact" => CookieCache::compact(secrets),
        "jwt" => CookieCache::jwt(secrets),
        "jwe" => CookieCache::jwe(secrets),
        "jwt-asymmetric" => {
            let keys = KeySet::from_json(&vector["jwks"].to_string()).expect("a key set");
            CookieCache::published(keys, text(vector, "issuer"))
        }
        other => panic!("no strategy {other}"),
    };
    let clock = ManualClock::at(0);
    clock.set(Timestamp::from_micros(vector["verify_at_ms"].as_i64().expect("a time") * 1000));
    let settings = settings.clock(clock).version(vector["expected_version"].as_str().unwrap_or("1"));
    settings.build(&CookieNames::at("http://localhost:3000")).expect("good settings")
}

fn with_cookies(vector: &Value) -> TestHead {
    let cookies = vector["request_cookies"].as_object().expect("cookies").iter();
    let cookies: Vec<_> = cookies.map(|(name, value)| format!("{name}={}", value.as_str().expect("text"))).collect();
    TestHead::get("/").header("cookie", cookies.join("; "))
}

#[test]
fn caches_of_every_strategy_are_read() {
    let mut laxer = Vec::new();
    for vector in vectors("cookie_cache") {
        let (secrets, head) = (secrets(&vector), with_cookies(&vector));
        let token = cookie(&secrets).read(&head).expect("a good cookie").expect("a cookie");
        assert_eq!(token.expose(), text(&vector, "session_token"));
        let cached = cache(&vector, &secrets).read(&head, &token);
        let CachedSession { record, cached_at, valid_until, .. } = cached
            .unwrap_or_else(|fault| panic!("{}: {}", vector["id"], fault.reason()))
            .unwrap_or_else(|| panic!("{} has a cache", vector["id"]));

        let (session, user) = (&vector["payload"]["session"], &vector["payload"]["user"]);
        let found = record.user.as_ref().expect("a user");
        assert_eq!(
            (record.session.id.as_deref().unwrap_or_default(), record.session.token.expose()),
            (text(session, "id"), text(session, "token"))
        );
        assert_eq!(record.session.user_id.as_str(), text(session, "userId"));
        assert_eq!(
            (found.id.as_str(), &*found.name, &*found.email),
            (text(user, "id"), text(user, "name"), text(user, "email"))
        );
        assert_eq!((found.image.as_deref(), found.role.as_deref()), (user["image"].as_str(), user["role"].as_str()));
        assert_eq!(Some(cached_at.as_micros()), vector["payload"]["updatedAt"].as_i64().map(|ms| ms * 1000));
        let expiry = vector["expires_at_ms"].as_i64().expect("a time") * 1000;
        assert_eq!(valid_until.as_micros(), expiry.min(cached_at.as_micros() + 300_000_000), "{}", vector["id"]);
        if vector["accepted_by_better_auth"] == false {
            laxer.push(text(&vector, "id").to_owned());
        }
    }
    // Its reader turns a text that looks like a date into one, prints it otherwise, and finds its own signature wrong.
    assert_eq!(laxer, ["compact-datelike"]);
}

fn verdict(vector: &Value) -> Result<CachedSession, CacheFault> {
    let secrets = secrets(vector);
    let head = TestHead::get("/")
        .header("cookie", format!("better-auth.session_token={}", text(vector, "session_token_cookie")))
        .header("cookie", format!("better-auth.session_data={}", text(vector, "session_data_cookie")));
    let token = cookie(&secrets).read(&head).expect("a good cookie").expect("a cookie");
    cache(vector, &secrets).read(&head, &token).map(|cached| cached.expect("a cache"))
}

/// Better Auth's own verdicts; where we refuse more, it is what no Better Auth server sends; where we accept more, it is
/// signed, and only Better Auth's way of reading dates refuses it.
#[test]
fn caches_are_judged_as_by_better_auth_or_otherwise_for_a_reason() {
    let (mut stricter, mut laxer) = (Vec::new(), Vec::new());
    for vector in vectors("cookie_cache_verdicts") {
        let id = text(&vector, "id").to_owned();
        let theirs = vector["better_auth_get_session_accepts"].as_bool().expect("a verdict");
        let ours = verdict(&vector);
        if ours.is_ok() != theirs {
            assert!(vector["may_differ"].is_string(), "{id}: {ours:?}");
        }
        match ours {
            Ok(_) if !theirs => laxer.push(id),
            Err(fault) if theirs => stricter.push((id, fault.reason())),
            _ => {}
        }
    }
    let expected = [
        ("compact/padded-base64", "cache_malformed"),
        ("compact/whitespace-reformatted", "cache_malformed"),
        ("compact-shape/session.userId-number", "cache_not_a_session"),
    ];
    assert_eq!(stricter, expected.map(|(id, reason)| (id.to_owned(), reason)));
    assert_eq!(laxer, ["compact-shape/session.expiresAt-no-millis", "compact-shape/user.name-iso-date-with-ms"]);
}

#[test]
fn caches_are_refused_for_what_is_wrong_with_them() {
    let by_id =
        |id: &str| vectors("cookie_cache_verdicts").into_iter().find(|vector| vector["id"] == id).expect("a vector");
    for (id, reason) in [
        ("compact/tampered-signature", "cache_bad_signature"),
        ("compact/expired-10s-ago", "cache_expired"),
        ("compact/token-of-other-session", "cache_other_session"),
        ("compact/missing-user-name", "cache_not_a_session"),
        ("jwt/signed-with-other-secret", "cache_bad_signature"),
        ("jwt/expired-1h-ago", "cache_expired"),
        ("jwt/version-2-when-1-expected", "cache_other_version"),
        ("jwt/missing-user", "cache_not_a_session"),
        ("jwt/alg-none", "cache_malformed"),
        ("jwe/signed-with-other-secret", "cache_bad_signature"),
        ("jwe/wrong-kid", "cache_bad_signature"),
        ("jwe/hs256-jwt-instead", "cache_malformed"),
        ("jwt-asym/typ-JWT", "cache_not_a_session"),
        ("jwt-asym/sub-mismatch", "cache_other_user"),
        ("jwt-asym/iss-wrong", "cache_not_a_session"),
        ("jwt-asym/kid-missing", "cache_not_a_session"),
        ("jwt-asym/version-2", "cache_other_version"),
    ] {
        assert_eq!(verdict(&by_id(id)).expect_err(id).reason(), reason, "{id}");
    }
}

fn versioned(list: &Value) -> Secrets {
    let entry = |one: &Value| format!("{}:{}", one["version"], text(one, "value"));
    let entries: Vec<_> = list.as_array().expect("a list").iter().map(entry).collect();
    Secrets::versioned(&Secret::new(entries.join(","))).expect("good secrets")
}

#[test]
fn after_a_rotation_old_secrets_count_as_far_as_better_auth_lets_them() {
    for vector in vectors("secret_rotation") {
        let head = with_cookies(&vector);
        let (before, now) = (versioned(&vector["secrets_at_issue"]), versioned(&vector["secrets_now"]));
        let token = cookie(&before).read(&head).expect("a good cookie").expect("a cookie");
        assert!(cache(&vector, &before).read(&head, &token).is_ok_and(|cached| cached.is_some()));

        assert_eq!(vector["expect"]["session_token_cookie_accepted"], false);
        assert_eq!(cookie(&now).read(&head).expect_err("rotated"), authcore::SessionFault::BadSignature);
        let decodable = cache(&vector, &now).read(&head, &token).map(|cached| cached.is_some());
        match vector["expect"]["session_data_decodable"].as_bool().expect("a verdict") {
            true => assert_eq!(decodable, Ok(true)),
            false => assert_eq!(decodable, Err(CacheFault::BadSignature)),
        }

        let overlapping = now.accept_previous(true);
        assert!(cookie(&overlapping).read(&head).is_ok());
        assert_eq!(cache(&vector, &overlapping).read(&head, &token).map(|cached| cached.is_some()), Ok(true));
    }
}
