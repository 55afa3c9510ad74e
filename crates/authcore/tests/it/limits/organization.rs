//! Limits that count the members of an organization together.

use authcore::rate::{Limit, RateLimits};
use authcore::{Guard, Isolation};
use authcore_testkit::TestHead;
use serde_json::{Value, json};

use super::{ADMITTED, LIMITED, Scripted, guard, quota, run, status, token};
use crate::support::{builder_of, ed25519, good, verifier};

fn limited(count: &str) -> RateLimits {
    RateLimits::in_process().limit(Limit::new("team", quota(count)).per_organization())
}

/// A request of this user, whose token says this of their organization.
fn member(user: &str, organization: &Value) -> TestHead {
    let token = good().subject(user).claim("activeOrganizationId", organization.clone()).sign(ed25519());
    TestHead::get("/x").bearer(token)
}

#[test]
fn members_of_one_organization_share_a_quota_from_wherever_they_call() {
    let guard = guard(limited("2/minute"));
    let (acme, other) = (json!("acme"), json!("Acme"));
    assert_eq!(status(&guard, &member("ann", &acme).peer("192.0.2.1")), ADMITTED);
    assert_eq!(status(&guard, &member("bob", &acme).peer("192.0.2.2")), ADMITTED);
    assert_eq!(status(&guard, &member("eve", &acme).peer("192.0.2.3")), LIMITED);
    assert_eq!(status(&guard, &member("eve", &other)), ADMITTED, "byte for byte");
    assert_eq!(status(&guard, &member("ann", &other)), ADMITTED);
    assert_eq!(status(&guard, &member("ann", &other)), LIMITED);
    let nobodys = |user: &str| TestHead::get("/x").bearer(token(user, "user"));
    assert_eq!([(); 3].map(|()| status(&guard, &nobodys("ann"))), [ADMITTED, ADMITTED, LIMITED]);
    assert_eq!(status(&guard, &nobodys("bob")), ADMITTED);
}

#[test]
fn an_organization_is_no_user_of_the_same_id() {
    let guard = guard(limited("1/minute"));
    let user = TestHead::get("/x").bearer(token("acme", "user"));
    assert_eq!(status(&guard, &user), ADMITTED);
    assert_eq!(status(&guard, &member("ann", &json!("acme"))), ADMITTED);
    assert_eq!(status(&guard, &member("acme", &json!("acme"))), LIMITED);
    assert_eq!(status(&guard, &user), LIMITED);
}

#[test]
fn a_claim_that_names_no_organization_counts_by_user() {
    for claim in [json!(7), json!(true), json!(null), json!(["acme"]), json!({"id": "acme"}), json!("")] {
        let guard = guard(limited("1/minute"));
        assert_eq!(status(&guard, &member("ann", &claim)), ADMITTED, "{claim}");
        assert_eq!(status(&guard, &member("bob", &claim)), ADMITTED, "{claim}");
        let nothing = TestHead::get("/x").bearer(token("ann", "user"));
        assert_eq!(status(&guard, &nothing), LIMITED, "{claim}: Ann, who has been counted");
    }
}

#[test]
fn nobody_takes_of_a_quota_before_they_are_verified_and_let_in() {
    let store = Scripted::default();
    let limit = Limit::new("team", quota("1/minute")).per_organization();
    let limits = RateLimits::counted_in(store.clone()).limit(limit);
    let guard = Guard::builder().authenticator(verifier()).isolate(Isolation::path("/api/{user}/tasks"));
    let guard = guard.rate_limits(limits).build().expect("good settings");
    let expired = good().subject("ann").claim("activeOrganizationId", "acme").issued_at(1).expires_at(2);
    assert_eq!(status(&guard, &TestHead::get("/x").bearer(expired.sign(ed25519()))), (401, "expired"));
    let token = good().subject("ann").claim("activeOrganizationId", "acme").sign(ed25519());
    assert_eq!(status(&guard, &TestHead::get("/api/bob/tasks").bearer(token)), (403, "not_owner"));
    assert_eq!(store.asked(), [""; 0]);
    assert!(run(&guard, &member("bob", &json!("acme"))).is_ok(), "it is whole");
}

#[test]
fn an_organization_means_nothing_beyond_its_issuer() {
    let store = Scripted::default();
    let behind = |issuer: &str| {
        let limit = Limit::new("team", quota("1/minute")).per_organization();
        let verifier = builder_of([ed25519()]).issuer(issuer).build().expect("good settings");
        let limits = RateLimits::counted_in(store.clone()).limit(limit);
        let guard = Guard::builder().authenticator(verifier).rate_limits(limits).build().expect("good settings");
        let token = good().issuer(issuer).subject("ann").claim("activeOrganizationId", "acme").sign(ed25519());
        [(); 2].map(|()| status(&guard, &TestHead::get("/x").bearer(&token)))
    };
    assert_eq!(behind("https://one.example"), [ADMITTED, LIMITED]);
    assert_eq!(behind("https://two.example"), [ADMITTED, LIMITED]);
}
