//! Callers and scopes for this crate's tests.

use authcore::{Identity, Method, UserId, UserScope};

pub(crate) fn identity(user_id: &str, claims: &str) -> Identity {
    let user = UserId::new(user_id).expect("a good id");
    Identity::assertion(user, Method::Other("test")).claims(claims).into_identity()
}

pub(crate) fn scope_of(user_id: &str) -> UserScope {
    identity(user_id, "{}").scope()
}
