//! Tokens that real Better Auth servers made or judged (testdata/jwts.json), each at its own moment.

use authcore::{Algorithm, AuthError, Identity, ManualClock, Secret};
use authcore_better_auth::{BetterAuth, BetterAuthBuilder};
use authcore_testkit::{Answer, FakeIssuer, SigningKey, mint};
use serde_json::Value;

fn vectors(name: &str) -> Vec<Value> {
    let file = include_str!("../testdata/jwts.json");
    let vectors: Value = serde_json::from_str(file).expect("a JSON file");
    let list = vectors[name].as_array().expect("a list").clone();
    assert!(!list.is_empty());
    list
}

fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name].as_str().unwrap_or_else(|| panic!("{} has no {name}", vector["id"]))
}

/// The preset for a vector's server, which publishes the vector's keys.
async fn server(vector: &Value) -> (FakeIssuer, BetterAuth) {
    let server = FakeIssuer::start(&[]).await;
    let settings = BetterAuth::at(&server.url()).expect("a loopback URL");
    let settings = match vector["jwks"].is_object() {
        true => {
            server.answer(Answer::json(vector["jwks"].to_string()));
            settings
        }
        false => BetterAuth::shared_secret(&Secret::new(text(vector, "secret"))).expect("a good secret"),
    };
    let audiences = vector["audience"].as_array().cloned().unwrap_or_else(|| vec![vector["audience"].clone()]);
    let settings = audiences.iter().filter_map(Value::as_str).fold(settings, BetterAuthBuilder::audience);
    let settings = vector["issuer"].as_str().into_iter().fold(settings, BetterAuthBuilder::issuer);
    let clock = ManualClock::at(vector["now"].as_i64().expect("a time"));
    let settings = settings.clock(clock).leeway(std::time::Duration::ZERO);
    (server, settings.build().expect("good settings"))
}

async fn verdict(vector: &Value) -> Result<Identity, AuthError> {
    let (_server, auth) = server(vector).await;
    auth.verifier().expect("JWTs").verify_token(text(vector, "token")).await
}

#[tokio::test]
async fn session_jwts_of_every_kind_are_accepted() {
    let mut algorithms = std::collections::BTreeSet::new();
    for vector in vectors("session_jwts") {
        let identity = verdict(&vector).await.unwrap_or_else(|error| panic!("{}: {}", vector["id"], error.reason()));
        assert_eq!(identity.user_id().as_str(), text(&vector, "user_id"));
        assert_eq!(identity.issuer(), vector["issuer"].as_str());
        let authcore::Method::Jwt { algorithm, .. } = identity.method() else { panic!("a JWT") };
        algorithms.insert(*algorithm);
    }
    use Algorithm::{EdDsa, Es256, Es384, Es512, Hs256, Ps256, Rs256};
    assert!([Hs256, Rs256, Ps256, Es256, Es384, Es512, EdDsa].iter().all(|algorithm| algorithms.contains(algorithm)));
}

/// Better Auth's own verdicts, and why we refuse more in three places: no `exp`, `iat` an hour ahead, `at+jwt`.
#[tokio::test]
async fn verdicts_agree_with_better_auth_or_are_stricter_for_a_reason() {
    let mut stricter = Vec::new();
    for vector in vectors("verdicts") {
        let theirs = vector["better_auth_accepts"].as_bool().expect("a verdict");
        match verdict(&vector).await {
            Ok(_) => assert!(theirs, "{} is accepted by us alone", vector["id"]),
            Err(error) if theirs => {
                assert!(vector["may_differ"].is_string(), "{}: {}", vector["id"], error.reason());
                stricter.push((text(&vector, "id").to_owned(), error.reason()));
            }
            Err(error) => assert_ne!(error.reason(), "unavailable", "{}", vector["id"]),
        }
    }
    stricter.sort_unstable();
    let expected = [
        ("ES256/iat-future-1h", "issued_in_future"),
        ("ES256/typ-at+jwt", "wrong_type"),
        ("EdDSA/exp-missing", "claim_missing"),
    ];
    assert_eq!(stricter, expected.map(|(id, reason)| (id.to_owned(), reason)));
}

/// Even a service that calls itself by the resource's name, and believes the OAuth issuer.
#[tokio::test]
async fn oauth_access_tokens_are_not_session_jwts() {
    for vector in vectors("oauth_access_tokens") {
        assert_eq!(verdict(&vector).await.expect_err("an access token").reason(), "wrong_type", "{}", vector["id"]);
    }
}

#[tokio::test]
async fn the_session_cache_is_no_session_jwt() {
    let caches = vectors("session_caches");
    let by_id = |id: &str| caches.iter().find(|vector| vector["id"] == id).expect("a vector").clone();

    let mut signed = by_id("jwt-plugin-asym");
    signed["audience"] = "better-auth:session-cache".into();
    assert_eq!(verdict(&signed).await.expect_err("a cache").reason(), "wrong_type");

    let mut keyed = by_id("jwt-basic");
    keyed["audience"] = Value::Null;
    let error = verdict(&keyed).await.expect_err("a cache");
    assert!(matches!(error, AuthError::MissingClaim(claim) if *claim == *"sub"));
}

/// An ID token carries the same key's signature and no `typ`: its issuer has a path and its audience is a client.
#[tokio::test]
async fn id_tokens_are_not_session_jwts() {
    let key = SigningKey::fixed(Algorithm::EdDsa);
    let server = FakeIssuer::start(&[key]).await;
    let auth = BetterAuth::at(&server.url()).expect("a loopback URL").build().expect("good settings");
    let session = mint().issuer(server.url()).audience(server.url());
    assert!(auth.verifier().expect("JWTs").verify_token(&session.clone().sign(key)).await.is_ok());

    let refusals = [
        (session.clone().issuer(format!("{}/api/auth", server.url())).audience("client-1"), "wrong_issuer"),
        (session.clone().audience("client-1"), "wrong_audience"),
        (session.clone().without_header("kid"), "key_id_missing"),
        (session.header("typ", "at+jwt"), "wrong_type"),
    ];
    for (token, reason) in refusals {
        assert_eq!(
            auth.verifier().expect("JWTs").verify_token(&token.sign(key)).await.expect_err(reason).reason(),
            reason
        );
    }
}

#[tokio::test]
async fn hs256_is_accepted_beside_a_key_set_only_when_asked_for() {
    let key = SigningKey::fixed(Algorithm::Es256);
    let server = FakeIssuer::start(&[key]).await;
    let secret = "a-secret-of-the-tests-with-32-bytes-or-more";
    let shared = SigningKey::hmac(Algorithm::Hs256, secret);
    let token = mint().issuer(server.url()).audience(server.url());
    let settings = || BetterAuth::at(&server.url()).expect("a loopback URL");

    let plain = settings().build().expect("good settings");
    assert_eq!(
        plain.verifier().expect("JWTs").verify_token(&token.clone().sign(&shared)).await.expect_err("HS256").reason(),
        "algorithm_refused"
    );

    let both = settings().accept_hs256(&Secret::new(secret)).expect("a good secret").build().expect("good settings");
    for key in [key, &shared] {
        assert!(both.verifier().expect("JWTs").verify_token(&token.clone().sign(key)).await.is_ok());
    }
    let forged = SigningKey::hmac(Algorithm::Hs256, key.public_der());
    assert_eq!(
        both.verifier().expect("JWTs").verify_token(&token.sign(&forged)).await.expect_err("forged").reason(),
        "bad_signature"
    );
}
