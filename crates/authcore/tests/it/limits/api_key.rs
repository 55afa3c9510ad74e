//! Limits that count API keys apart.

use authcore::rate::{Limit, RateLimits};
use authcore::{AuthError, Authenticator, Guard, Identity, Method, RequestHead, UserId};
use authcore_testkit::TestHead;

use super::{ADMITTED, LIMITED, Scripted, quota, status, token};
use crate::support::verifier;

/// Takes `USER CLAIMS` in `x-api-key` at its word, of a `USER@ISSUER` too.
struct Keys;

impl Authenticator for Keys {
    type Credential = (String, String);

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<(String, String)>, AuthError> {
        let field = head.sole_field("x-api-key").map_err(|_| AuthError::RepeatedToken)?;
        let said = field.map(|field| std::str::from_utf8(field).expect("text").split_once(' ').expect("two words"));
        Ok(said.map(|(user, claims)| (user.to_owned(), claims.to_owned())))
    }

    async fn verify(&self, (user, claims): (String, String)) -> Result<Identity, AuthError> {
        let method = Method::ApiKey { source: "database" };
        let assertion = |user| Identity::assertion(UserId::new(user).expect("an id"), method).claims(claims);
        Ok(match user.split_once('@') {
            Some((user, issuer)) => assertion(user).issuer(issuer.into()).into_identity(),
            None => assertion(&user).into_identity(),
        })
    }
}

#[test]
fn each_api_key_is_counted_apart_and_other_credentials_by_their_user() {
    let limits = RateLimits::counted_in(Scripted::default());
    let limits = limits.limit(Limit::new("keys", quota("1/minute")).per_api_key());
    let guard = Guard::builder().authenticator(Keys).authenticator(verifier()).rate_limits(limits);
    let guard = guard.build().expect("good settings");
    let twice = |head: TestHead| [status(&guard, &head), status(&guard, &head)];
    let key = |field: &str| TestHead::get("/x").header("x-api-key", field);

    assert_eq!(twice(key(r#"ann {"apiKeyId":"1"}"#)), [ADMITTED, LIMITED]);
    assert_eq!(twice(key(r#"ann {"apiKeyId":"2"}"#)), [ADMITTED, LIMITED], "another key of hers");
    // One that has no id is counted by its owner, and so is a token, which counts under an issuer of its own.
    assert_eq!(twice(key("ann {}")), [ADMITTED, LIMITED]);
    assert_eq!(twice(key(r#"ann {"apiKeyId":3}"#)), [LIMITED, LIMITED]);
    assert_eq!(twice(key("bob {}")), [ADMITTED, LIMITED]);
    assert_eq!(twice(TestHead::get("/x").bearer(token("ann", "user"))), [ADMITTED, LIMITED]);
}

/// Ids of keys may be numbers, and each issuer counts from 1.
#[test]
fn keys_of_two_issuers_with_one_id_are_counted_apart() {
    let limits = RateLimits::counted_in(Scripted::default());
    let limits = limits.limit(Limit::new("keys", quota("1/minute")).per_api_key());
    let guard = Guard::builder().authenticator(Keys).rate_limits(limits).build().expect("good settings");
    let twice = |field: &str| {
        let head = TestHead::get("/x").header("x-api-key", field);
        [status(&guard, &head), status(&guard, &head)]
    };
    assert_eq!(twice(r#"ann@one {"apiKeyId":"1"}"#), [ADMITTED, LIMITED]);
    assert_eq!(twice(r#"bob@two {"apiKeyId":"1"}"#), [ADMITTED, LIMITED]);
}
