//! What a credential must carry beyond being good.

use authcore::{Algorithm, Attempt, AuthError, Authenticator, Guard, Identity, Method, Refusal, RequestHead, UserId};
use authcore_testkit::TestHead;

fn ann(method: Method) -> authcore::Assertion {
    Identity::assertion(UserId::new("ann").expect("an id"), method)
}

/// Everybody is this caller.
struct Always(Identity);

impl Authenticator for Always {
    type Credential = Identity;

    fn credential(&self, _: &dyn RequestHead) -> Result<Option<Identity>, AuthError> {
        Ok(Some(self.0.clone()))
    }

    async fn verify(&self, identity: Identity) -> Result<Identity, AuthError> {
        Ok(identity)
    }
}

fn ask(caller: &Identity, path: &str) -> Result<(), Refusal> {
    let guard = Guard::builder()
        .authenticator(Always(caller.clone()))
        .refuse_impersonation("/account/**")
        .build()
        .expect("good settings");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let attempt: Attempt = guard.begin(&TestHead::new("GET", path));
    runtime.block_on(attempt.finish()).map(drop)
}

#[test]
fn nobody_acts_as_the_user_where_that_is_refused() {
    let ann = || ann(Method::Session { source: "database" });
    let (herself, root) = (ann().into_identity(), UserId::new("root").expect("an id"));
    let acted = ann().impersonated_by(root).into_identity();
    for path in ["/account", "/account/password", "/%61ccount/password", "/account/"] {
        assert!(ask(&herself, path).is_ok(), "{path}");
        let refusal = ask(&acted, path).expect_err("somebody else");
        assert_eq!((refusal.status(), refusal.code()), (403, "impersonation_refused"), "{path}");
    }
    assert!(ask(&acted, "/tasks").is_ok(), "elsewhere an administrator may act as her");
}

#[test]
fn an_api_key_may_have_been_made_by_whoever_acted_as_the_user() {
    let key = ann(Method::ApiKey { source: "database" }).claims(r#"{"impersonatedBy":null}"#).into_identity();
    assert_eq!(key.refuse_impersonation().expect_err("nobody can tell").code(), "impersonation_refused");
    assert!(ann(Method::Other("test")).into_identity().refuse_impersonation().is_ok(), "its authenticator vouches");
}

#[test]
fn a_jwt_has_to_say_that_nobody_acts_as_the_user() {
    let jwt = |claims: &str| {
        let method = Method::Jwt { algorithm: Algorithm::EdDsa, key_id: None };
        ann(method).claims(claims).into_identity().refuse_impersonation().map_err(|refusal| refusal.code())
    };
    assert_eq!(jwt(r#"{"impersonatedBy":null}"#), Ok(()));
    for unclear in ["{}", r#"{"impersonatedBy":"root"}"#, r#"{"impersonatedBy":false}"#, r#"{"impersonatedBy":""}"#] {
        assert_eq!(jwt(unclear), Err("impersonation_refused"), "{unclear}");
    }
}

#[test]
fn an_api_key_holds_the_permissions_it_was_given() {
    let key = |claims: &str| ann(Method::ApiKey { source: "database" }).claims(claims).into_identity();
    let reads = key(r#"{"permissions":{"files":["read","list"]}}"#);
    assert!(reads.require_permission("files", "read").is_ok());
    for (resource, action) in [("files", "write"), ("file", "read"), ("", ""), ("files", "")] {
        let refusal = reads.require_permission(resource, action).expect_err("not granted");
        assert_eq!((refusal.status(), refusal.code()), (403, "insufficient_scope"), "{resource}:{action}");
    }
    let challenge = reads.require_permission("files", "write").expect_err("not granted").challenge();
    assert_eq!(challenge.as_deref(), Some(r#"Bearer error="insufficient_scope", scope="files:write""#));
    for odd in ["{}", r#"{"permissions":"files"}"#, r#"{"permissions":{"files":"read"}}"#, r#"{"permissions":null}"#] {
        assert!(!key(odd).has_permission("files", "read"), "{odd}");
    }
}

#[test]
fn a_claim_called_permissions_is_none_in_another_credential() {
    let claims = r#"{"permissions":{"files":["read"]}}"#;
    let session = ann(Method::Session { source: "cache" }).claims(claims).into_identity();
    assert!(!session.has_permission("files", "read"));
}

#[test]
fn an_allowance_that_is_used_up_says_when_to_come_back_if_ever() {
    let fields = |retry_after| {
        let refusal = Refusal::from(AuthError::OverQuota { retry_after });
        assert_eq!((refusal.status(), refusal.code(), refusal.reason()), (429, "rate_limited", "over_quota"));
        refusal.fields().into_iter().find(|(name, _)| *name == "retry-after").map(|(_, value)| value)
    };
    assert_eq!(fields(Some(std::time::Duration::from_millis(1_500))).as_deref(), Some("2"));
    assert_eq!(fields(None), None);
}
