//! Users of JWTs that are looked up: a ban or a deletion is seen before the token expires.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use authcore::{Algorithm, Guard, ManualClock, Secret, Timestamp, Unavailable, UserId};
use authcore_better_auth::{BetterAuth, SessionRecord, User, UserStore};
use authcore_testkit::{FakeIssuer, SigningKey, TestHead, mint};

use crate::support::{NOW, SECRET, Strategy, payload};

/// Knows one user, or nobody, or is down.
#[derive(Clone)]
struct OneUser(Arc<Mutex<Result<Option<User>, ()>>>);

impl OneUser {
    fn new(user: Option<User>) -> Self {
        Self(Arc::new(Mutex::new(Ok(user))))
    }

    fn becomes(&self, known: Result<Option<User>, ()>) {
        *self.0.lock().expect("no panic") = known;
    }
}

impl UserStore for OneUser {
    async fn user(&self, id: &UserId) -> Result<Option<User>, Unavailable> {
        match self.0.lock().expect("no panic").clone() {
            // As a database that ignores case finds it.
            Ok(user) => Ok(user.filter(|user| user.id.as_str().eq_ignore_ascii_case(id.as_str()))),
            Err(()) => Err(Unavailable::new("stopped by the test", Duration::from_secs(5))),
        }
    }
}

fn ada() -> User {
    let cached = Strategy::Compact.judge(&Strategy::Compact.write(&payload())).expect("good").expect("a cache");
    let record: SessionRecord = cached.record;
    record.user.expect("a user")
}

fn guard(users: &OneUser) -> Guard {
    let settings = BetterAuth::shared_secret(&Secret::new(SECRET)).expect("a good secret");
    let auth = settings.check_users(users.clone()).clock(ManualClock::at(NOW)).build().expect("good settings");
    Guard::builder().authenticator(auth).build().expect("good settings")
}

async fn ask(guard: &Guard, user: &str) -> Result<String, (u16, &'static str, &'static str)> {
    let key = SigningKey::hmac(Algorithm::Hs256, SECRET);
    let token = mint().subject(user).issued_at(NOW).expires_at(NOW + 60).sign(&key);
    match guard.begin(&TestHead::get("/").bearer(&token)).finish().await {
        Ok(admission) => Ok(admission.identity().expect("a caller").user_id().to_string()),
        Err(refusal) => {
            let challenge = refusal.challenge().unwrap_or_default();
            assert!(refusal.status() == 503 || challenge.contains(r#"error="invalid_token""#), "{challenge}");
            Err((refusal.status(), refusal.code(), refusal.reason()))
        }
    }
}

#[tokio::test]
async fn a_user_who_is_banned_or_gone_is_refused_before_the_token_expires() {
    let (users, ada) = (OneUser::new(Some(ada())), ada());
    let guard = guard(&users);
    assert_eq!(ask(&guard, ada.id.as_str()).await.as_deref(), Ok(ada.id.as_str()));

    let until = |seconds| User { banned: true, ban_expires: seconds, ..ada.clone() };
    for end in [None, Some(Timestamp::from_seconds(NOW + 1))] {
        users.becomes(Ok(Some(until(end))));
        assert_eq!(ask(&guard, ada.id.as_str()).await, Err((401, "session_invalid", "user_banned")), "{end:?}");
    }
    users.becomes(Ok(Some(until(Some(Timestamp::from_seconds(NOW))))));
    assert!(ask(&guard, ada.id.as_str()).await.is_ok(), "a ban that is over");

    users.becomes(Ok(None));
    assert_eq!(ask(&guard, ada.id.as_str()).await, Err((401, "session_invalid", "user_missing")));
}

#[tokio::test]
async fn another_spelling_of_an_id_is_another_user() {
    let ada = ada();
    let guard = guard(&OneUser::new(Some(ada.clone())));
    let upper = ada.id.as_str().to_uppercase();
    assert_ne!(upper, ada.id.as_str());
    assert_eq!(ask(&guard, &upper).await, Err((401, "session_invalid", "user_missing")));
}

#[tokio::test]
async fn while_the_users_cannot_be_asked_nobody_is_judged() {
    let users = OneUser::new(Some(ada()));
    let guard = guard(&users);
    users.becomes(Err(()));
    assert_eq!(ask(&guard, ada().id.as_str()).await, Err((503, "auth_unavailable", "unavailable")));
}

#[tokio::test]
async fn tokens_whose_key_is_fetched_first_have_their_user_checked_too() {
    let key = SigningKey::fixed(Algorithm::EdDsa);
    let server = FakeIssuer::start(&[key]).await;
    let users = OneUser::new(None);
    let settings = BetterAuth::at(&server.url()).expect("a loopback URL").check_users(users.clone());
    let guard =
        Guard::builder().authenticator(settings.build().expect("good settings")).build().expect("good settings");
    let token = mint().issuer(server.url()).audience(server.url()).subject(ada().id.as_str()).sign(key);
    for _ in ["the key is fetched", "the key is known"] {
        let refusal = guard.begin(&TestHead::get("/").bearer(&token)).finish().await.expect_err("nobody");
        assert_eq!(refusal.reason(), "user_missing");
    }
    users.becomes(Ok(Some(ada())));
    assert!(guard.begin(&TestHead::get("/").bearer(&token)).finish().await.is_ok());
}

#[test]
fn users_are_checked_of_jwts_alone() {
    let refused = BetterAuth::builder().check_users(OneUser::new(None)).build().expect_err("no JWTs");
    assert!(refused.to_string().starts_with("check_users: "), "{refused}");
}
