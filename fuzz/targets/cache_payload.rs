//! What is in a cookie cache: the input, validly signed or encrypted under every strategy. What they take is a session of the
//! very token, by a plain second reading, and they take the same.
#![no_main]

use authcore::{SessionFault, Timestamp};
use authcore_better_auth::{CacheFault, CachedSession};
use authcore_fuzz::cookies::{ISSUER, OTHER_SECRET, SECRET, STRATEGIES, Strategy, TOKEN, token};
use authcore_fuzz::json::Node;
use authcore_fuzz::{NOW, assert_tells_no_secret, planted};
use authcore_testkit::TestHead;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let payload = planted(data);
    // Beyond this the strategies differ in what still fits a cookie.
    if payload.len() > 6000 {
        return;
    }
    let [compact, jwt, jwe, published] = STRATEGIES.map(|strategy| {
        assert!(read(strategy, &strategy.write(&payload, OTHER_SECRET)).is_err(), "signed by somebody else");
        let found = read(strategy, &strategy.write(&payload, SECRET));
        match &found {
            Ok(cached) => assert_is_the_session(strategy, cached, &payload),
            Err(fault) => assert_tells_no_secret(fault),
        }
        found
    });
    assert_eq!(told(&jwt), told(&jwe), "they differ in cryptography alone");
    if jwt.is_ok() && payload.ends_with(b"}") {
        let Ok(compact) = &compact else { panic!("the cache that ends on its own is laxer") };
        assert_eq!(told_record(compact), jwt.as_ref().ok().and_then(told_record));
    }
    assert!(published.is_err() || jwt.is_ok(), "published keys vouch for more");
});

fn read(strategy: Strategy, value: &str) -> Result<CachedSession, CacheFault> {
    let head = TestHead::get("/").header("cookie", format!("better-auth.session_data={value}"));
    strategy.cache().read(&head, &token()).map(|found| found.expect("the cookie is there"))
}

fn told(found: &Result<CachedSession, CacheFault>) -> Result<Option<String>, CacheFault> {
    found.as_ref().map(told_record).map_err(|fault| *fault)
}

fn told_record(cached: &CachedSession) -> Option<String> {
    Some(format!("{:?} {:?}", cached.record, cached.cached_at))
}

fn assert_is_the_session(strategy: Strategy, cached: &CachedSession, payload: &[u8]) {
    let node = Node::read(payload).expect("an accepted payload is JSON");
    assert!(node.is_object() && !node.names_twice());
    let (session, user) = (node.member("session").expect("a session"), node.member("user").expect("a user"));
    assert_eq!(session.text_of("token"), Some(TOKEN));
    assert_eq!(session.text_of("userId"), user.text_of("id"));
    assert_eq!(node.text_of("version").unwrap_or("1").replace("1", ""), "", "the expected version, or none");
    let micros = NOW * 1_000_000;
    let updated_at = node.number_of("updatedAt").expect("when it was read");
    assert!((updated_at - cached.cached_at.as_micros() as f64 / 1000.0).abs() < 1.0);
    let cached_at = cached.cached_at.as_micros();
    assert!(
        cached_at > micros - 300_000_000 && cached_at <= micros + 30_000_000,
        "neither too old nor from the future"
    );
    let valid_until = cached.valid_until.as_micros();
    assert!(valid_until > micros && valid_until <= cached_at + 300_000_000);
    if strategy != Strategy::Compact {
        assert!(node.number_of("exp").expect("an end") > NOW as f64);
    }
    if strategy == Strategy::Published {
        assert_eq!((node.text_of("iss"), node.text_of("sid")), (Some(ISSUER), Some(TOKEN)));
        assert_eq!(node.text_of("sub"), user.text_of("id"));
    }

    let record = &cached.record;
    let banned = record.user.as_ref().is_some_and(|user| user.is_banned(Timestamp::from_seconds(NOW)));
    match record.clone().judge(&token(), Timestamp::from_seconds(NOW), "cache") {
        Ok(identity) => {
            assert!(!banned);
            assert_eq!(Some(identity.user_id().as_str()), user.text_of("id"));
            assert_eq!(identity.impersonated_by().map(AsRef::as_ref), session.text_of("impersonatedBy"));
            let roles = user.text_of("role").unwrap_or("user");
            assert!(identity.roles().eq(roles.split(',').map(str::trim).filter(|role| !role.is_empty())));
        }
        Err(fault) => assert!(banned && fault == SessionFault::UserBanned, "{fault}"),
    }
}
