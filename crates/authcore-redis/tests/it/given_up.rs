//! Requests that are given up on their way through a guard, as when a client goes away: while they are counted in Redis, and
//! while Redis is asked whether their token was taken back.

use authcore::rate::{Limit, RateLimits};
use authcore::{Algorithm, Guard, JwtVerifier, KeySet, Revoked, Timestamp, UserId};
use authcore_redis::RedisRevocations;
use authcore_testkit::{ISSUER, SigningKey, TestHead, mint, polled};

use super::LENIENT;
use super::server::RedisServer;

fn key() -> &'static SigningKey {
    SigningKey::fixed(Algorithm::EdDsa)
}

fn verifier() -> authcore::JwtVerifierBuilder {
    JwtVerifier::builder(KeySet::new([key().key()])).issuer(ISSUER)
}

/// How many more requests the first limit lets through, as the answer says.
async fn left(guard: &Guard, head: &TestHead) -> u32 {
    let admission = guard.begin(head).finish().await.expect("far from the limits");
    assert_eq!(admission.identity().expect("a caller").user_id().as_str(), "alice");
    let field = admission.answer_fields().iter().find(|field| field.name() == "ratelimit").expect("it was counted");
    let left = field.value().split("r=").nth(1).and_then(|rest| rest.split([';', ',']).next());
    left.and_then(|left| left.parse().ok()).expect("a number")
}

#[tokio::test]
async fn r144_a_request_that_is_given_up_anywhere_counts_once_at_most() {
    let redis = RedisServer::start();
    let limits = RateLimits::counted_in(super::rates(&redis).await)
        .limit(Limit::new("general", "1000/day".parse().expect("a quota")))
        .limit(Limit::new("own", "1000/day".parse().expect("a quota")).per_user());
    let verifier = verifier().build().expect("good settings");
    let guard = Guard::builder().authenticator(verifier).rate_limits(limits).build().expect("good settings");
    let head = TestHead::get("/api").bearer(mint().sign(key()));
    let mut before = left(&guard, &head).await;
    // How often a request waits is up to how fast Redis answers.
    for _ in 0..3 {
        for polls in 0.. {
            let ended = polled(polls, guard.begin(&head).finish()).await;
            let after = left(&guard, &head).await;
            assert!((1..=2).contains(&(before - after)), "{before} and {after} after {polls} polls");
            before = after;
            if let Some(decided) = ended {
                decided.expect("far from the limits");
                assert!(polls > 1, "nothing was given up");
                break;
            }
        }
    }
    assert_eq!(redis.connections(), 2, "one connection, and the one that asks");
}

#[tokio::test]
async fn what_was_taken_back_stays_so_whoever_is_given_up() {
    let redis = RedisServer::start();
    let life = std::time::Duration::from_secs(900);
    let revocations =
        RedisRevocations::builder(redis.url(), life).deadline(LENIENT).connect().await.expect("it listens");
    let (user, until) = (UserId::new("alice").expect("an id"), Timestamp::from_seconds(4_000_000_000));
    let taken_back = Revoked::Token { id: "t1", expires_at: until };
    revocations.revoke(Some(ISSUER), &user, taken_back).await.expect("Redis answers");
    let verifier = verifier().revocation(revocations).build().expect("good settings");
    let guard = Guard::builder().authenticator(verifier).build().expect("good settings");
    let [revoked, good] = ["t1", "t2"].map(|id| TestHead::get("/api").bearer(mint().claim("jti", id).sign(key())));
    for _ in 0..3 {
        for polls in 0.. {
            let ended = polled(polls, guard.begin(&good).finish()).await;
            let refused = polled(polls, guard.begin(&revoked).finish()).await;
            for decided in refused.into_iter().chain([guard.begin(&revoked).finish().await]) {
                let refusal = decided.expect_err("it was taken back");
                assert_eq!((refusal.status(), refusal.reason()), (401, "revoked"), "after {polls} polls");
            }
            let is_over = ended.is_some();
            for decided in ended.into_iter().chain([guard.begin(&good).finish().await]) {
                let admission = decided.expect("it was not");
                assert_eq!(admission.identity().expect("a caller").user_id(), &user, "after {polls} polls");
            }
            if is_over {
                assert!(polls > 1, "nothing was given up");
                break;
            }
        }
    }
    assert_eq!(redis.connections(), 2, "one connection, and the one that asks");
}
