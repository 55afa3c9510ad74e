//! Configuration: cheap to clone, knows nothing of requests.

use std::future::{Ready, ready};

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use authcore::Guard;

use crate::service::AuthService;

/// Puts a [`Guard`] in front of an `App` or a scope, by `wrap`.
///
/// The guard's path templates are compared with the whole path of the request, also inside a scope. What was wrapped
/// last runs first: wrap CORS after this, so that refusals carry its header fields.
#[derive(Clone, Debug)]
pub struct AuthMiddleware {
    guard: Guard,
}

impl AuthMiddleware {
    /// A middleware that asks this guard.
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        Self { guard }
    }
}

impl<S, B> Transform<S, ServiceRequest> for AuthMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = AuthService<S>;
    type InitError = ();
    type Future = Ready<Result<AuthService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(AuthService::new(self.guard.clone(), inner)))
    }
}
