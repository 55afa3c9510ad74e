//! Scopes as a guard makes them.

use authcore::{
    Access, Algorithm, Attempt, Guard, Identity, Isolation, JwtVerifier, KeySet, Method, UserId, UserScope,
};
use authcore_sqlx::WriteScope;
use authcore_testkit::{SigningKey, TestHead, mint};

/// A caller's own rows.
pub(crate) fn scope(user: &str) -> UserScope {
    let user = UserId::new(user).expect("a good id");
    Identity::assertion(user, Method::Other("test")).into_identity().scope()
}

pub(crate) fn write_scope(user: &str) -> WriteScope {
    WriteScope::of(&scope(user)).expect("one's own rows may be changed")
}

/// Somebody else's rows, for reading: what an auditor is given.
pub(crate) fn audit_scope(owner: &str, auditor: &str) -> UserScope {
    let key = SigningKey::fixed(Algorithm::EdDsa);
    let verifier = JwtVerifier::builder(KeySet::new([key.key()])).issuer(ISSUER).audience(ISSUER).build();
    let isolation = Isolation::path("/api/{user_id}/**").allow_role_to_read("auditor");
    let guard = Guard::builder().authenticator(verifier.expect("good settings")).isolate(isolation).build();
    let token = mint().issuer(ISSUER).audience(ISSUER).subject(auditor).claim("role", "auditor").sign(key);
    let head = TestHead::new("GET", format!("/api/{owner}/tasks")).bearer(&token);
    let Attempt::Ready(Ok(admission)) = guard.expect("good settings").begin(&head) else {
        panic!("a known key is judged at once, and an auditor may read")
    };
    let scope = admission.scope().expect("a caller has a scope").clone();
    assert_eq!(scope.access(), Access::Read);
    scope
}

const ISSUER: &str = "https://id.example.com";
