//! What handlers ask for. The middleware has decided; extractors hand over.

use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use authcore::{Admission, Identity, Refusal, UserScope};

use crate::reject::Reject;

/// Who is calling. Without a credential, on a path where one is optional, `401 missing_credentials`; without
/// [`AuthMiddleware`](crate::AuthMiddleware) in front of the route, `500 internal`.
///
/// For handlers that serve both kinds of callers there is [`OptionalUser`]. actix-web's own `Option<CurrentUser>`
/// swallows every error: it would take a route that nobody guards for a caller that presents nothing.
#[derive(Clone, Debug)]
pub struct CurrentUser(
    /// The verified caller.
    pub Identity,
);

/// Who is calling, if anybody says so.
///
/// It is `None` only when nothing was presented: a credential that is there and wrong was refused before any handler
/// ran. Without [`AuthMiddleware`](crate::AuthMiddleware) in front of the route, `500 internal`.
#[derive(Clone, Debug)]
pub struct OptionalUser(
    /// The verified caller; `None` when nothing was presented.
    pub Option<Identity>,
);

/// Whose rows the request may touch, as the guard's isolation decided: the path's owner, or the caller.
///
/// ```
/// use authcore::UserScope;
/// use authcore_actix::Scope;
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

fn from_admission<T>(
    request: &HttpRequest,
    take: impl FnOnce(&Admission) -> Result<T, Refusal>,
) -> Ready<Result<T, Reject>> {
    let extensions = request.extensions();
    ready(Admission::left_by_guard(extensions.get()).and_then(take).map_err(Reject))
}

impl FromRequest for CurrentUser {
    type Error = Reject;
    type Future = Ready<Result<Self, Reject>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        from_admission(request, |admission| Ok(Self(admission.require_identity()?.clone())))
    }
}

impl FromRequest for OptionalUser {
    type Error = Reject;
    type Future = Ready<Result<Self, Reject>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        from_admission(request, |admission| Ok(Self(admission.identity().cloned())))
    }
}

impl FromRequest for Scope {
    type Error = Reject;
    type Future = Ready<Result<Self, Reject>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        from_admission(request, |admission| Ok(Self(admission.require_user_scope()?.clone())))
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
