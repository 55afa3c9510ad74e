//! What a route asks of its callers, as a middleware of its own.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready as poll_ready};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::{Error, HttpMessage as _, ResponseError as _};
use authcore::{Admission, Refusal, Requirement};
use pin_project_lite::pin_project;

use crate::reject::Reject;

/// Lets callers through who have what a [`Requirement`] asks for. It goes between the routes and an
/// [`AuthMiddleware`](crate::AuthMiddleware); without one, every answer is `500 internal`.
///
/// ```
/// use authcore::Requirement;
/// use authcore_actix::{Require, require_role};
/// use actix_web::web;
///
/// async fn users() -> &'static str {
///     "everybody"
/// }
///
/// let admin = web::resource("/admin/users").wrap(require_role("admin")).route(web::get().to(users));
/// let editors = Require::new(Requirement::any_role(["editor", "admin"]).and(Requirement::scope("articles:write")));
/// ```
#[derive(Clone, Debug)]
pub struct Require {
    requirement: Arc<Requirement>,
}

/// A middleware that asks for a scope of the token: else `403 insufficient_scope`, which names it.
#[must_use]
pub fn require_scope(scope: impl Into<Box<str>>) -> Require {
    Require::new(Requirement::scope(scope))
}

/// A middleware that asks for a role: else `403 insufficient_role`.
#[must_use]
pub fn require_role(role: impl Into<Box<str>>) -> Require {
    Require::new(Requirement::role(role))
}

/// A middleware that asks for a permission: see [`Requirement::permission`].
#[must_use]
pub fn require_permission(resource: impl Into<Box<str>>, action: impl Into<Box<str>>) -> Require {
    Require::new(Requirement::permission(resource, action))
}

impl Require {
    /// A middleware that asks for this.
    #[must_use]
    pub fn new(requirement: Requirement) -> Self {
        Self { requirement: Arc::new(requirement) }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Require
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = RequireService<S>;
    type InitError = ();
    type Future = Ready<Result<RequireService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(RequireService { requirement: Arc::clone(&self.requirement), inner }))
    }
}

/// A service behind a requirement, made by [`Require`].
#[derive(Debug)]
pub struct RequireService<S> {
    requirement: Arc<Requirement>,
    inner: S,
}

impl<S, B> Service<ServiceRequest> for RequireService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = RequireFuture<S::Future>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> RequireFuture<S::Future> {
        let decided = {
            let extensions = request.extensions();
            let admission = Admission::left_by_guard(extensions.get());
            admission.and_then(|admission| self.requirement.check(admission))
        };
        match decided {
            Ok(()) => RequireFuture { state: State::Serving { serving: self.inner.call(request) } },
            Err(refusal) => RequireFuture { state: State::Refused { refused: Some((request, refusal)) } },
        }
    }
}

pin_project! {
    /// The answer of a [`RequireService`]: the inner service's, or a refusal.
    #[must_use = "futures do nothing unless polled"]
    pub struct RequireFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Serving { #[pin] serving: F },
        Refused { refused: Option<(ServiceRequest, Refusal)> },
    }
}

impl<F, B> Future for RequireFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Serving { serving } => {
                Poll::Ready(Ok(poll_ready!(serving.poll(cx))?.map_into_left_body()))
            }
            StateProjection::Refused { refused } => {
                let (request, refusal) = refused.take().expect("polled after it was ready");
                let response = request.into_response(Reject(refusal).error_response());
                Poll::Ready(Ok(response.map_into_right_body()))
            }
        }
    }
}
