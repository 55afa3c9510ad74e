//! What handlers ask for. The layer has decided; extractors hand over.

use std::ops::Deref;

use authcore::{Admission, Identity, UserScope};
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::reject::Reject;

/// Who is calling. Without a credential, on a path where one is optional, `401 missing_credentials`.
///
/// `Option<CurrentUser>` is `None` only when nothing was presented: a credential that is there and wrong was refused
/// before any handler ran. Without [`AuthLayer`](crate::AuthLayer) in front of the route, both are `500 internal`.
#[derive(Clone, Debug)]
pub struct CurrentUser(
    /// The verified caller.
    pub Identity,
);

/// Who is calling, if anybody says so: `Option<CurrentUser>` under the name it has with actix-web too.
#[derive(Clone, Debug)]
pub struct OptionalUser(
    /// The verified caller; `None` when nothing was presented.
    pub Option<Identity>,
);

/// Whose rows the request may touch, as the guard's isolation decided: the path's owner, or the caller.
///
/// ```
/// use authcore::UserScope;
/// use authcore_axum::Scope;
///
/// fn count(scope: &UserScope) -> usize {
///     scope.owner().as_str().len()
/// }
///
/// async fn handler(scope: Scope) -> String {
///     count(&scope).to_string()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Scope(
    /// The proof that functions which touch rows take.
    pub UserScope,
);

fn admission(parts: &Parts) -> Result<&Admission, Reject> {
    Ok(Admission::left_by_guard(parts.extensions.get())?)
}

impl<S: Send + Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = Reject;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Reject> {
        Ok(Self(admission(parts)?.require_identity()?.clone()))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for CurrentUser {
    type Rejection = Reject;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Reject> {
        Ok(admission(parts)?.identity().cloned().map(Self))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OptionalUser {
    type Rejection = Reject;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Reject> {
        Ok(Self(admission(parts)?.identity().cloned()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Scope {
    type Rejection = Reject;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Reject> {
        Ok(Self(admission(parts)?.require_user_scope()?.clone()))
    }
}

impl Deref for CurrentUser {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.0
    }
}

impl Deref for Scope {
    type Target = UserScope;

    fn deref(&self) -> &UserScope {
        &self.0
    }
}
