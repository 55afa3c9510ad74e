//! Everything a client may carry, through a guard: what decides, and what is asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authcore::{
    Admission, Algorithm, AuthError, Authenticator, Guard, Identity, KeyResolver, KeySnapshot, ManualClock, Method,
    Miss, Refusal, RequestHead, Secret, Timestamp, Unavailable, UserId,
};
use authcore_better_auth::{
    ApiKey, ApiKeyRecord, ApiKeys, BearerSessions, BetterAuth, BetterAuthBuilder, CookieCache, KeyAllowance, KeyUsage,
    Presented, SessionRecord, SessionStore, SessionToken, TrustedOrigins,
};
use authcore_testkit::{SigningKey, TestHead, mint};

use crate::support::{ISSUER, NOW, SECRET, STRATEGIES, Strategy, TOKEN, escaped, names, payload, secrets, signed};

/// A store that knows one session, or none, or is down.
#[derive(Clone)]
struct OneSession {
    knows: Arc<Mutex<Known>>,
    asked: Arc<AtomicU64>,
}

#[derive(Clone)]
enum Known {
    Record(Box<SessionRecord>),
    Nothing,
    Down,
}

impl OneSession {
    fn new(known: Known) -> Self {
        Self { knows: Arc::new(Mutex::new(known)), asked: Arc::default() }
    }

    fn live() -> Self {
        Self::new(Known::Record(Box::new(record())))
    }

    fn becomes(&self, known: Known) {
        *self.knows.lock().expect("no panic") = known;
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl SessionStore for OneSession {
    async fn session(&self, token: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.knows.lock().expect("no panic").clone() {
            Known::Record(record) if token.expose() == TOKEN => Ok(Some(*record)),
            Known::Record(_) | Known::Nothing => Ok(None),
            Known::Down => Err(Unavailable::new("stopped by the test", Duration::from_secs(5))),
        }
    }

    fn source(&self) -> &'static str {
        "database"
    }
}

fn record() -> SessionRecord {
    let cached = Strategy::Compact.judge(&Strategy::Compact.write(&payload()));
    cached.expect("a good cache").expect("a cache").record
}

fn settings(store: &OneSession) -> BetterAuthBuilder {
    let origins = TrustedOrigins::new(["https://app.example.com"]).expect("an origin");
    let settings = BetterAuth::builder().cookie_names(names()).secrets(&secrets()).clock(ManualClock::at(NOW));
    settings.sessions(store.clone()).trusted_origins(origins)
}

fn guard(settings: BetterAuthBuilder) -> Guard {
    Guard::builder().authenticator(settings.build().expect("good settings")).build().expect("good settings")
}

async fn ask(guard: &Guard, head: &TestHead) -> Result<Admission, Refusal> {
    guard.begin(head).finish().await
}

async fn user(guard: &Guard, head: &TestHead) -> (String, Method) {
    let admission = ask(guard, head).await.unwrap_or_else(|refusal| panic!("{}", refusal.reason()));
    let identity = admission.identity().expect("a caller");
    (identity.user_id().to_string(), identity.method().clone())
}

async fn refusal(guard: &Guard, head: &TestHead) -> (u16, &'static str, Option<String>) {
    let refusal = ask(guard, head).await.expect_err("this is refused");
    (refusal.status(), refusal.reason(), refusal.challenge())
}

fn cookie_of(token: &str) -> String {
    format!("better-auth.session_token={}", escaped(&signed(token, SECRET)))
}

fn with_cookie() -> TestHead {
    TestHead::get("/api/tasks").header("cookie", cookie_of(TOKEN))
}

fn found_in(source: &'static str) -> (String, Method) {
    ("user-1".into(), Method::Session { source })
}

const BARE: Option<&str> = Some(r#"Bearer realm="api""#);

#[tokio::test]
async fn a_signed_cookie_is_looked_up_and_its_user_let_in() {
    let store = OneSession::live();
    let guard = guard(settings(&store));
    assert_eq!(user(&guard, &with_cookie()).await, found_in("database"));
    assert_eq!(store.asked(), 1);

    let admission = ask(&guard, &with_cookie()).await.expect("a live session");
    let identity = admission.identity().expect("a caller");
    assert!(identity.has_role("user"), "no role is Better Auth's default one");
    assert!(identity.claims_json().contains(r#""email":"ada@example.com""#));
}

#[tokio::test]
async fn a_cookie_that_is_not_signed_asks_no_store() {
    let store = OneSession::live();
    let guard = guard(settings(&store));
    let unsigned = TestHead::get("/").header("cookie", format!("better-auth.session_token={TOKEN}"));
    let (status, reason, challenge) = refusal(&guard, &unsigned).await;
    assert_eq!((status, reason, challenge.as_deref()), (401, "session_malformed", BARE));
    assert_eq!(refusal(&guard, &TestHead::get("/")).await.1, "missing");
    assert_eq!(store.asked(), 0);
}

#[tokio::test]
async fn s107_a_session_that_is_missing_expired_or_revoked_is_none() {
    let store = OneSession::live();
    let guard = guard(settings(&store));
    let other = TestHead::get("/").header("cookie", cookie_of("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    assert_eq!(refusal(&guard, &other).await, (401, "session_unknown", BARE.map(str::to_owned)));

    let mut expired = record();
    expired.session.expires_at = Timestamp::from_seconds(NOW - 1);
    store.becomes(Known::Record(Box::new(expired)));
    assert_eq!(refusal(&guard, &with_cookie()).await, (401, "session_expired", BARE.map(str::to_owned)));

    store.becomes(Known::Nothing);
    assert_eq!(refusal(&guard, &with_cookie()).await, (401, "session_unknown", BARE.map(str::to_owned)));
}

#[tokio::test]
async fn s108_a_ban_and_a_missing_user_refuse_whatever_the_session_says() {
    let store = OneSession::live();
    let guard = guard(settings(&store));
    let mut banned = record();
    banned.user.as_mut().expect("a user").banned = true;
    store.becomes(Known::Record(Box::new(banned)));
    assert_eq!(refusal(&guard, &with_cookie()).await.1, "user_banned");

    let mut deleted = record();
    deleted.user = None;
    store.becomes(Known::Record(Box::new(deleted)));
    assert_eq!(refusal(&guard, &with_cookie()).await.1, "user_missing");
}

#[tokio::test]
async fn s109_a_cache_is_believed_only_where_that_was_chosen() {
    for strategy in STRATEGIES {
        let store = OneSession::new(Known::Nothing);
        let both = format!("{}; better-auth.session_data={}", cookie_of(TOKEN), strategy.write(&payload()));
        let head = TestHead::get("/api/tasks").header("cookie", &both);
        let signed_out = "session_unknown";

        let without = guard(settings(&store));
        assert_eq!(refusal(&without, &head).await.1, signed_out, "{strategy:?}: by default the store is asked");

        let asked = store.asked();
        let fresh_on = |head: &dyn authcore::RequestHead| head.path().starts_with("/api/account");
        let caching = guard(settings(&store).cookie_cache(strategy.settings(&secrets())).fresh_when(fresh_on));
        assert_eq!(user(&caching, &head).await, found_in("cache"), "{strategy:?}");
        assert_eq!(store.asked(), asked, "{strategy:?}: no store is asked");

        let sensitive = TestHead::get("/api/account").header("cookie", &both);
        assert_eq!(refusal(&caching, &sensitive).await.1, signed_out, "{strategy:?}: the store is asked all the same");

        let later = ManualClock::at(NOW + 301);
        let over = guard(settings(&store).cookie_cache(strategy.settings(&secrets())).clock(later));
        assert_eq!(refusal(&over, &head).await.1, signed_out, "{strategy:?}: the window is over");
    }
}

#[cfg(feature = "recent")]
#[tokio::test]
async fn what_must_be_fresh_is_looked_up_whatever_is_remembered() {
    let store = OneSession::live();
    let recent = authcore_better_auth::RecentSessions::over(store.clone()).build().expect("good settings");
    let fresh_on = |head: &dyn RequestHead| head.path().starts_with("/api/account");
    let guard = guard(settings(&store).sessions(recent).fresh_when(fresh_on));
    assert_eq!(user(&guard, &with_cookie()).await, found_in("database"));
    store.becomes(Known::Nothing);
    assert_eq!(user(&guard, &with_cookie()).await, found_in("database"), "remembered");
    let account = TestHead::get("/api/account").header("cookie", cookie_of(TOKEN));
    assert_eq!(refusal(&guard, &account).await.1, "session_unknown");
    assert_eq!(refusal(&guard, &with_cookie()).await.1, "session_unknown", "what was looked up afresh is remembered");
}

/// A store that knows one API key.
#[derive(Clone)]
struct OneKey;

const KEY: &str = "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhIjKl";

impl authcore_better_auth::ApiKeyStore for OneKey {
    async fn api_key(&self, key: &ApiKey) -> Result<Option<ApiKeyRecord>, Unavailable> {
        let known = ApiKey::new(KEY).expect("a key");
        let owner = record().user.expect("a user");
        let record = ApiKeyRecord {
            id: "key-1".into(),
            key: known,
            config_id: None,
            name: None,
            reference_id: owner.id.clone(),
            enabled: true,
            expires_at: None,
            created_at: Timestamp::from_seconds(NOW),
            permissions: None,
            allowance: KeyAllowance::default(),
            usage: KeyUsage::default(),
            owner: Some(owner),
            as_read: Secret::new(""),
        };
        Ok(Some(record).filter(|record| record.key.stored() == key.stored()))
    }

    fn source(&self) -> &'static str {
        "database"
    }
}

#[tokio::test]
async fn an_api_key_counts_behind_a_bearer_token_and_before_a_cookie() {
    let store = OneSession::live();
    let keys = || ApiKeys::builder(OneKey).as_bearer().build().expect("good settings");
    let with_jwts = settings(&store).accept_hs256(&Secret::new(SECRET)).expect("a good secret");
    let guard = guard(with_jwts.bearer_sessions(BearerSessions::Raw).api_keys(keys()));
    let by_key = ("user-1".to_owned(), Method::ApiKey { source: "database" });
    assert_eq!(user(&guard, &TestHead::get("/").header("x-api-key", KEY)).await, by_key);
    assert_eq!(user(&guard, &with_cookie().header("x-api-key", KEY)).await, by_key, "not the cookie beside it");
    assert_eq!(user(&guard, &TestHead::get("/").bearer(KEY)).await, by_key);
    // No browser adds the field by itself.
    assert_eq!(user(&guard, &TestHead::new("POST", "/").header("x-api-key", KEY)).await, by_key);

    let (status, reason, challenge) = refusal(&guard, &with_cookie().header("x-api-key", "unknown")).await;
    assert_eq!((status, reason, challenge.as_deref()), (401, "api_key_unknown", BARE));
    let (_, reason, challenge) = refusal(&guard, &TestHead::get("/").bearer(KEY.to_lowercase())).await;
    assert_eq!(reason, "api_key_unknown");
    assert!(challenge.is_some_and(|text| text.contains(r#"error="invalid_token""#)));
    // A session token is shorter than a key, and what is in `Authorization` decides.
    assert_eq!(user(&guard, &TestHead::get("/").bearer(TOKEN)).await, found_in("database"));
    let beside = TestHead::get("/").bearer(TOKEN).header("x-api-key", "unknown");
    assert_eq!(user(&guard, &beside).await, found_in("database"));
    let twice = TestHead::get("/").bearer(KEY).header("x-api-key", KEY);
    assert_eq!(refusal(&guard, &twice).await.1, "api_key_malformed");
}

#[tokio::test]
async fn s113_a_store_that_is_down_judges_nobody() {
    let store = OneSession::new(Known::Down);
    let guard = guard(settings(&store));
    let refused = ask(&guard, &with_cookie()).await.expect_err("nobody can tell");
    assert_eq!((refused.status(), refused.code(), refused.challenge()), (503, "auth_unavailable", None));
    assert!(refused.fields().contains(&("retry-after", "5".to_owned())));
    store.becomes(Known::Record(Box::new(record())));
    assert_eq!(user(&guard, &with_cookie()).await, found_in("database"));
}

#[tokio::test]
async fn s114_a_change_by_cookie_comes_from_one_of_our_origins() {
    let store = OneSession::live();
    let guard = guard(settings(&store));
    let post = TestHead::new("POST", "/api/tasks").header("cookie", cookie_of(TOKEN));
    assert_eq!(refusal(&guard, &post).await, (403, "cross_site", None));
    assert_eq!(refusal(&guard, &post.clone().header("origin", "null")).await.1, "cross_site");
    assert_eq!(store.asked(), 0);
    assert_eq!(user(&guard, &post.header("origin", "https://app.example.com")).await, found_in("database"));
}

#[tokio::test]
async fn a_bearer_token_decides_where_it_is_and_is_told_by_its_dots() {
    let store = OneSession::live();
    let jwt_key = SigningKey::hmac(Algorithm::Hs256, SECRET);
    let with_jwts = || settings(&store).accept_hs256(&Secret::new(SECRET)).expect("a good secret");
    let raw = guard(with_jwts().bearer_sessions(BearerSessions::Raw));
    let off = guard(with_jwts());
    let jwt = mint().subject("jwt-user").issued_at(NOW).expires_at(NOW + 60).sign(&jwt_key);

    let (who, method) = user(&raw, &with_cookie().bearer(&jwt)).await;
    assert_eq!(who, "jwt-user", "the header decides, not the cookie beside it");
    assert!(matches!(method, Method::Jwt { .. }));
    for token in [TOKEN.to_owned(), signed(TOKEN, SECRET)] {
        assert_eq!(user(&raw, &TestHead::get("/").bearer(&token)).await, found_in("database"));
        // Switched off, it is a JWT that is none; the cookie beside it does not help.
        assert_eq!(refusal(&off, &with_cookie().bearer(&token)).await.1, "not_compact");
    }

    let spoilt = format!("{TOKEN}.{}", "A".repeat(43) + "=");
    let (status, reason, challenge) = refusal(&raw, &with_cookie().bearer(&spoilt)).await;
    assert_eq!((status, reason), (401, "session_bad_signature"));
    assert!(challenge.is_some_and(|text| text.contains(r#"error="invalid_token""#)));
    let unknown = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(refusal(&raw, &with_cookie().bearer(unknown)).await.1, "session_unknown");
    // No browser adds a bearer token by itself, so a change by one needs no origin.
    assert_eq!(user(&raw, &TestHead::new("POST", "/").bearer(TOKEN)).await, found_in("database"));
}

/// Somebody's own layer around the authenticator, which knows of no glance.
struct Wrapped(BetterAuth);

impl Authenticator for Wrapped {
    type Credential = Presented;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<Presented>, AuthError> {
        self.0.credential(head)
    }

    async fn verify(&self, credential: Presented) -> Result<Identity, AuthError> {
        self.0.verify(credential).await
    }
}

#[tokio::test]
async fn what_is_judged_at_a_glance_is_a_credential_all_the_same() {
    let store = OneSession::live();
    let sessions =
        settings(&store).cookie_cache(Strategy::Compact.settings(&secrets())).build().expect("good settings");
    let guard = Guard::builder().authenticator(Wrapped(sessions)).optional("/**").build().expect("good settings");
    let cache = Strategy::Compact.write(&payload());
    let head = TestHead::get("/").header("cookie", format!("{}; better-auth.session_data={cache}", cookie_of(TOKEN)));
    assert_eq!(user(&guard, &head).await, found_in("cache"));
}

#[tokio::test]
async fn c17_a_bearer_token_that_nobody_reads_is_not_nothing() {
    let sessions = || settings(&OneSession::live());
    for (sessions, token) in [
        (sessions(), "junk"),
        (sessions(), "a.b.c"),
        (sessions().bearer_sessions(BearerSessions::Signed), TOKEN),
        (sessions().bearer_sessions(BearerSessions::Raw), "a.b.c"),
    ] {
        let sessions = sessions.build().expect("good settings");
        let guard = Guard::builder().authenticator(sessions).optional("/feed/**").build().expect("good settings");
        for path in ["/feed/1", "/api/tasks"] {
            for head in [TestHead::get(path), TestHead::get(path).header("cookie", cookie_of(TOKEN))] {
                let (status, reason, challenge) = refusal(&guard, &head.bearer(token)).await;
                assert_eq!((status, reason), (401, "bearer_unread"), "{path} {token}");
                assert!(challenge.is_some_and(|text| text.contains(r#"error="invalid_token""#)));
            }
        }
        let basic = TestHead::get("/feed/1").header("authorization", "Basic YTpi");
        assert!(ask(&guard, &basic).await.is_ok(), "another scheme is somebody else's");
    }
}

/// A key set that never comes.
struct Unreachable;

impl KeyResolver for Unreachable {
    fn current(&self, _: Algorithm) -> Option<KeySnapshot<'_>> {
        None
    }

    fn after_miss(&self, _: Option<&str>) -> Miss {
        Miss::Fetch(Box::pin(async { Err(Unavailable::new("stopped by the test", Duration::from_secs(5))) }))
    }
}

#[tokio::test]
async fn s113_a_cache_whose_keys_cannot_be_had_is_judged_by_the_store_or_by_nobody() {
    let cache = || CookieCache::published(Unreachable, ISSUER);
    let cached = Strategy::Published.write(&payload());
    let head = TestHead::get("/").header("cookie", format!("{}; better-auth.session_data={cached}", cookie_of(TOKEN)));

    let with_store = guard(settings(&OneSession::live()).cookie_cache(cache()));
    assert_eq!(user(&with_store, &head).await, found_in("database"));

    let without = guard(
        BetterAuth::builder()
            .cookie_names(names())
            .secrets(&secrets())
            .clock(ManualClock::at(NOW))
            .cookie_cache(cache()),
    );
    let refused = ask(&without, &head).await.expect_err("nobody can tell");
    assert_eq!((refused.status(), refused.code()), (503, "auth_unavailable"));
    assert!(refused.fields().contains(&("retry-after", "5".to_owned())));
    assert_eq!(refusal(&without, &with_cookie()).await.1, "session_unknown", "there is nothing to judge");
}

#[tokio::test]
async fn a_user_is_of_one_issuer_however_they_call() {
    let cache = Strategy::Compact.write(&payload());
    let cached = format!("{}; better-auth.session_data={cache}", cookie_of(TOKEN));
    let settings = || {
        let jwts = settings(&OneSession::live()).accept_hs256(&Secret::new(SECRET)).expect("a good secret");
        jwts.issuer(ISSUER).api_keys(ApiKeys::builder(OneKey).build().expect("good settings"))
    };
    let jwt = mint().issuer(ISSUER).subject("user-1").issued_at(NOW).expires_at(NOW + 60);
    let jwt = jwt.sign(&SigningKey::hmac(Algorithm::Hs256, SECRET));
    let looked_up = guard(settings());
    let caching = guard(settings().cookie_cache(Strategy::Compact.settings(&secrets())));
    for (guard, head) in [
        (&looked_up, with_cookie()),
        (&looked_up, TestHead::get("/").header("x-api-key", KEY)),
        (&looked_up, TestHead::get("/").bearer(&jwt)),
        (&caching, TestHead::get("/").header("cookie", cached)),
    ] {
        let admission = ask(guard, &head).await.unwrap_or_else(|refusal| panic!("{}", refusal.reason()));
        assert_eq!(admission.identity().and_then(Identity::issuer), Some(ISSUER));
    }
}

#[tokio::test]
async fn who_impersonates_can_be_seen() {
    let store = OneSession::live();
    let mut impersonated = record();
    impersonated.session.impersonated_by = Some(UserId::new("root-1").expect("an id"));
    store.becomes(Known::Record(Box::new(impersonated)));
    let admission = ask(&guard(settings(&store)), &with_cookie()).await.expect("a live session");
    let administrator = admission.identity().and_then(|identity| identity.impersonated_by().cloned());
    assert_eq!(administrator.map(|id| id.to_string()).as_deref(), Some("root-1"));
}

#[test]
fn without_a_place_to_look_nobody_could_be_told() {
    assert!(BetterAuth::builder().cookie_names(names()).secrets(&secrets()).build().is_err());
    let cache_only = BetterAuth::builder()
        .cookie_names(names())
        .secrets(&secrets())
        .cookie_cache(Strategy::Jwe.settings(&secrets()));
    assert!(cache_only.bearer_sessions(BearerSessions::Raw).build().is_err());
    let cache_only = BetterAuth::builder()
        .cookie_names(names())
        .secrets(&secrets())
        .cookie_cache(Strategy::Jwe.settings(&secrets()));
    assert!(cache_only.build().is_ok());
}
