//! Limits of the users of an issuer that goes by several names.

use authcore::Guard;
use authcore::rate::{Limit, RateLimits};
use authcore_testkit::{ISSUER, TestHead};

use super::{ADMITTED, LIMITED, quota, status};
use crate::support::{builder_for, ed25519, good};

#[test]
fn an_issuer_of_several_names_gives_its_users_one_quota() {
    let limits = RateLimits::in_process()
        .limit(Limit::new("user", quota("2/minute")).per_user())
        .limit(Limit::new("team", quota("3/minute")).per_organization());
    let verifier = builder_for([ed25519()]).issuer("https://old.example").issuer("https://older.example");
    let guard = Guard::builder().authenticator(verifier.build().expect("good settings")).rate_limits(limits);
    let guard = guard.build().expect("good settings");
    let by = |issuer: &str, user: &str| {
        let token = good().issuer(issuer).subject(user).claim("activeOrganizationId", "acme").sign(ed25519());
        status(&guard, &TestHead::get("/x").bearer(token))
    };
    assert_eq!([by(ISSUER, "ann"), by("https://old.example", "ann")], [ADMITTED, ADMITTED]);
    assert_eq!([by("https://older.example", "ann"), by(ISSUER, "ann")], [LIMITED, LIMITED]);
    assert_eq!([by("https://older.example", "bob"), by("https://old.example", "bob")], [ADMITTED, LIMITED]);
}
