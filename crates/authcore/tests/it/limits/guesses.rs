//! Which bad credentials may have been made up, and so count as failed authentications.

use std::time::Duration;

use authcore::rate::RateLimits;
use authcore::{ApiKeyFault, AuthError, Authenticator, Guard, Identity, Method, RequestHead, SessionFault};
use authcore::{Unavailable, UserId};
use authcore_testkit::TestHead;

use super::{ADMITTED, LIMITED, guard, quota, status, token};
use crate::support::{ed25519, good};

/// Refuses every credential for one reason, but `good`.
struct Refusing(fn() -> AuthError);

impl Authenticator for Refusing {
    type Credential = bool;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<bool>, AuthError> {
        let field = head.sole_field("x-credential").map_err(|_| AuthError::RepeatedToken)?;
        Ok(field.map(|field| field == b"good"))
    }

    async fn verify(&self, is_good: bool) -> Result<Identity, AuthError> {
        let ann = UserId::new("ann").expect("an id");
        if is_good { Ok(Identity::assertion(ann, Method::Other("test")).into_identity()) } else { Err((self.0)()) }
    }
}

fn session(fault: SessionFault) -> AuthError {
    AuthError::Session { fault, bearer: false }
}

fn api_key(fault: ApiKeyFault) -> AuthError {
    AuthError::ApiKey { fault, bearer: true }
}

/// What becomes of a good credential after a bad one, where one bad one is allowed; and why that one was refused.
fn after(error: fn() -> AuthError) -> ((u16, &'static str), &'static str) {
    let limits = RateLimits::in_process().failed_authentications(quota("1/minute"));
    let guard = Guard::builder().authenticator(Refusing(error)).rate_limits(limits).build().expect("good settings");
    let with = |credential| TestHead::get("/x").peer("192.0.2.1").header("x-credential", credential);
    let (_, reason) = status(&guard, &with("bad"));
    assert_eq!(reason, error().reason());
    (status(&guard, &with("good")), reason)
}

#[test]
fn a_credential_that_may_have_been_made_up_counts() {
    let guesses: [fn() -> AuthError; 9] = [
        || AuthError::BadSignature,
        || AuthError::UnknownKey,
        || AuthError::NotCompact,
        || AuthError::InCookie(Box::new(AuthError::BadSignature)),
        || session(SessionFault::Malformed),
        || session(SessionFault::BadSignature),
        || session(SessionFault::Unknown),
        || api_key(ApiKeyFault::Malformed),
        || api_key(ApiKeyFault::Unknown),
    ];
    for error in guesses {
        let (good, reason) = after(error);
        assert_eq!(good, LIMITED, "{reason}");
    }
}

#[test]
fn one_that_is_genuine_or_that_nobody_judged_does_not_count() {
    let others: [fn() -> AuthError; 16] = [
        || AuthError::Expired(Duration::from_secs(9)),
        || AuthError::NotYetValid(Duration::from_secs(9)),
        || AuthError::IssuedInFuture(Duration::from_secs(9)),
        || AuthError::Revoked,
        || AuthError::InCookie(Box::new(AuthError::Expired(Duration::from_secs(9)))),
        || session(SessionFault::Expired),
        || session(SessionFault::UserMissing),
        || session(SessionFault::UserBanned),
        || api_key(ApiKeyFault::Disabled),
        || api_key(ApiKeyFault::Expired),
        || api_key(ApiKeyFault::Limited),
        || api_key(ApiKeyFault::OwnerMissing),
        || api_key(ApiKeyFault::OwnerBanned),
        || AuthError::OverQuota { retry_after: None },
        || AuthError::CrossSite,
        || AuthError::Unavailable(Unavailable::new("down", Duration::from_secs(3))),
    ];
    for error in others {
        let (good, reason) = after(error);
        assert_eq!(good, ADMITTED, "{reason}");
    }
}

#[test]
fn a_genuine_credential_that_is_over_is_no_guess() {
    let limits = RateLimits::in_process().failed_authentications(quota("1/minute"));
    let guard = guard(limits);
    let expired = good().expires_at(1_700_000_000).issued_at(1_600_000_000).sign(ed25519());
    let from = |token: &str| TestHead::get("/x").peer("192.0.2.1").bearer(token);
    for _ in 0..5 {
        assert_eq!(status(&guard, &from(&expired)), (401, "expired"), "a forgotten page goes on asking");
    }
    assert_eq!(status(&guard, &from(&token("ann", "user"))), ADMITTED, "and locks nobody out");
    assert_eq!(status(&guard, &from("junk")).0, 401);
    assert_eq!(status(&guard, &from(&token("ann", "user"))), LIMITED);
    assert_eq!(status(&guard, &TestHead::get("/health").peer("192.0.2.1")), ADMITTED, "no credential is needed there");
}
