//! Tokens that were taken back, through the whole guard: also those that are remembered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use authcore::{Admission, Checked, Guard, Identity, JwtVerifier, KeySet, ManualClock, Refusal};
use authcore::{Revocation, Revoked, RevokedTokens, Timestamp, Unavailable, UserId};
use authcore_testkit::{ISSUER, TestHead};

use crate::support::{NOW, builder_for, ed25519, good};

fn run(guard: &Guard, head: &TestHead) -> Result<Admission, Refusal> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(guard.begin(head).finish())
}

fn guard(revocation: impl Revocation) -> Guard {
    let verifier = builder_for([ed25519()]).revocation(revocation).build().expect("good settings");
    Guard::builder().authenticator(verifier).realm("tests").build().expect("good settings")
}

fn ann() -> UserId {
    UserId::new("alice").expect("an id")
}

fn get(token: &str) -> TestHead {
    TestHead::get("/api").bearer(token)
}

fn revoked_tokens() -> RevokedTokens {
    RevokedTokens::with(Duration::from_secs(900), 10, ManualClock::at(NOW))
}

#[test]
fn what_is_taken_back_is_refused_on_the_next_request() {
    let takes: [fn(&RevokedTokens); 3] = [
        |revoked| {
            let token = Revoked::Token { id: "t1", expires_at: Timestamp::from_seconds(NOW + 900) };
            revoked.revoke(Some(ISSUER), &ann(), token).expect("room");
        },
        |revoked| revoked.revoke(Some(ISSUER), &ann(), Revoked::Session("s1")).expect("room"),
        |revoked| {
            let moment = Timestamp::from_seconds(NOW);
            revoked.revoke(Some(ISSUER), &ann(), Revoked::IssuedBefore(moment)).expect("room");
        },
    ];
    for take_back in takes {
        let revoked = revoked_tokens();
        let guard = guard(revoked.clone());
        let token = good().issued_at(NOW - 1).claim("jti", "t1").claim("sid", "s1").sign(ed25519());
        // The cache knows it by then.
        for _ in 0..4 {
            assert!(run(&guard, &get(&token)).is_ok());
        }
        take_back(&revoked);
        let refusal = run(&guard, &get(&token)).expect_err("it was taken back");
        assert_eq!((refusal.status(), refusal.code(), refusal.reason()), (401, "token_revoked", "revoked"));
        let challenge = r#"Bearer realm="tests", error="invalid_token", error_description="Token was withdrawn""#;
        assert_eq!(refusal.challenge().as_deref(), Some(challenge));

        let another = good().claim("jti", "t2").claim("sid", "s2").sign(ed25519());
        assert!(run(&guard, &get(&another)).is_ok(), "another token, of another session, issued later");
        let bob = good().issued_at(NOW - 1).claim("sub", "bob").claim("jti", "t1").claim("sid", "s1").sign(ed25519());
        assert!(run(&guard, &get(&bob)).is_ok(), "somebody else's");
    }
}

/// Answers after a while, and counts how often it was asked.
#[derive(Clone, Default)]
struct Elsewhere {
    asked: Arc<AtomicUsize>,
}

impl Revocation for Elsewhere {
    fn check(&self, caller: &Identity) -> Checked {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let user = caller.user_id().to_string();
        Checked::Later(Box::pin(async move {
            tokio::task::yield_now().await;
            match &*user {
                "alice" => Ok(false),
                "bob" => Ok(true),
                _ => Err(Unavailable::new("down", Duration::from_secs(7))),
            }
        }))
    }
}

#[test]
fn one_that_asks_elsewhere_is_waited_for_and_its_outage_is_503() {
    let elsewhere = Elsewhere::default();
    let guard = guard(elsewhere.clone());
    let of = |user: &str| get(&good().claim("sub", user).sign(ed25519()));
    for asked in 1..4 {
        assert!(run(&guard, &of("alice")).is_ok());
        assert_eq!(elsewhere.asked.load(Ordering::Relaxed), asked, "remembered or not");
    }
    assert_eq!(run(&guard, &of("bob")).expect_err("taken back").reason(), "revoked");
    let refusal = run(&guard, &of("cat")).expect_err("nobody can tell");
    assert_eq!((refusal.status(), refusal.reason(), refusal.challenge()), (503, "unavailable", None));

    let before = elsewhere.asked.load(Ordering::Relaxed);
    let bad = good().claim("aud", "another").sign(ed25519());
    assert_eq!(run(&guard, &get(&bad)).expect_err("a bad token").reason(), "wrong_audience");
    assert_eq!(elsewhere.asked.load(Ordering::Relaxed), before, "nobody asks about a bad token");
}

#[cfg(feature = "in-process-limits")]
#[test]
fn it_is_asked_behind_limits_too_and_no_failed_authentication() {
    let verifier = builder_for([ed25519()]).revocation(Elsewhere::default()).build().expect("good settings");
    let limits = authcore::rate::RateLimits::in_process()
        .failed_authentications("1/hour".parse().expect("a quota"))
        .limit(authcore::rate::Limit::new("all", "100/hour".parse().expect("a quota")));
    let guard = Guard::builder().authenticator(verifier).rate_limits(limits).build().expect("good settings");
    let bob = get(&good().claim("sub", "bob").sign(ed25519())).peer("192.0.2.1");
    for _ in 0..3 {
        assert_eq!(run(&guard, &bob).expect_err("taken back").reason(), "revoked");
    }
    let alice = get(&good().sign(ed25519())).peer("192.0.2.1");
    assert!(run(&guard, &alice).is_ok(), "a genuine token is nobody's guess");
}

#[test]
fn without_waiting_nobody_says_that_it_stands() {
    let verifier = builder_for([ed25519()]).revocation(Elsewhere::default()).build().expect("good settings");
    let token = good().sign(ed25519());
    assert_eq!(verifier.check(&token).expect_err("it would have to wait").reason(), "unavailable");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert!(runtime.block_on(verifier.verify_token(&token)).is_ok());
    let bob = good().claim("sub", "bob").sign(ed25519());
    assert_eq!(runtime.block_on(verifier.verify_token(&bob)).expect_err("taken back").reason(), "revoked");
}

#[test]
fn what_is_taken_back_under_one_name_of_an_issuer_is_taken_back_under_all() {
    const OLD: &str = "https://old.example";
    let moment = Revoked::IssuedBefore(Timestamp::from_seconds(NOW + 1));
    for named in [ISSUER, OLD] {
        let revoked = revoked_tokens();
        let verifier = builder_for([ed25519()]).issuer(OLD).revocation(revoked.clone()).build().expect("good settings");
        let caller = verifier.check(&good().claim("iss", named).sign(ed25519())).expect("not yet");
        assert_eq!(caller.issuer(), Some(named), "as the token says");
        revoked.revoke(caller.issuer(), caller.user_id(), moment).expect("room");
        for other in [ISSUER, OLD] {
            let verdict = verifier.check(&good().claim("iss", other).sign(ed25519()));
            assert_eq!(verdict.expect_err("taken back").reason(), "revoked", "{other}, taken back at {named}");
        }
    }
}

/// Knows what was taken back under this name alone, and says so after a while.
struct Under(&'static str);

impl Revocation for Under {
    fn check(&self, caller: &Identity) -> Checked {
        let is_it = caller.issuer() == Some(self.0);
        Checked::Later(Box::pin(async move { Ok(is_it) }))
    }
}

#[test]
fn one_that_asks_elsewhere_is_asked_about_each_name_too() {
    for (under, verdict) in [(ISSUER, Some("revoked")), ("https://old.example", Some("revoked")), ("https://x", None)] {
        let verifier = builder_for([ed25519()]).issuer("https://old.example").revocation(Under(under)).build();
        let guard = Guard::builder().authenticator(verifier.expect("good settings")).build().expect("good settings");
        for named in [ISSUER, "https://old.example"] {
            let refused = run(&guard, &get(&good().claim("iss", named).sign(ed25519()))).err();
            assert_eq!(refused.map(|refusal| refusal.reason()), verdict, "{named}, taken back at {under}");
        }
    }
}

#[test]
fn of_several_issuers_each_is_asked_about_by_its_own_names() {
    const PARTNER: &str = "https://partner.example";
    const OLD_PARTNER: &str = "https://old.partner.example";
    let names = [ISSUER, PARTNER, OLD_PARTNER];
    for (taken_back, refused) in [(ISSUER, &names[..1]), (PARTNER, &names[1..]), (OLD_PARTNER, &names[1..])] {
        let revoked = revoked_tokens();
        let partner = JwtVerifier::builder(KeySet::new([ed25519().key()])).issuer(PARTNER).issuer(OLD_PARTNER);
        let verifier = builder_for([ed25519()]).revocation(revoked.clone()).or(partner).build().expect("good settings");
        let moment = Timestamp::from_seconds(NOW + 1);
        revoked.revoke(Some(taken_back), &ann(), Revoked::IssuedBefore(moment)).expect("room");
        for named in names {
            let verdict = verifier.check(&good().claim("iss", named).sign(ed25519()));
            let expected = refused.contains(&named).then_some("revoked");
            assert_eq!(verdict.err().map(|error| error.reason()), expected, "{named}, taken back at {taken_back}");
        }
    }
}

#[test]
fn a_revocation_stated_at_another_issuer_is_refused_at_start() {
    let partner = JwtVerifier::builder(KeySet::default()).issuer("https://partner.example");
    let error =
        builder_for([ed25519()]).or(partner.revocation(revoked_tokens())).build().expect_err("it would be lost");
    assert!(error.to_string().starts_with("revocation: it is asked for all issuers"), "{error}");
}
