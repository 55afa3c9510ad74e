//! What a route asks of its callers, as a layer of its own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use authcore::{Admission, Refusal, Requirement};
use axum_core::BoxError;
use axum_core::body::Body;
use axum_core::response::IntoResponse as _;
use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::reject::Reject;

/// Lets callers through who have what a [`Requirement`] asks for. It goes between the routes and an
/// [`AuthLayer`](crate::AuthLayer); without one, every answer is `500 internal`.
///
/// Put it around a router of the routes it is for, by `Router::route_layer`: it is asked of every method there, and paths that
/// are not served stay 404. By `MethodRouter::route_layer` it would be asked only of methods that were added before it.
///
/// ```
/// use authcore::Requirement;
/// use authcore_axum::{RequireLayer, require_role};
/// use axum::{Router, routing::get};
///
/// async fn users() -> &'static str {
///     "everybody"
/// }
///
/// let admin: Router = Router::new().route("/admin/users", get(users)).route_layer(require_role("admin"));
/// let app: Router = Router::new().merge(admin);
/// let editors = RequireLayer::new(Requirement::any_role(["editor", "admin"]).and(Requirement::scope("articles:write")));
/// ```
#[derive(Clone, Debug)]
pub struct RequireLayer {
    requirement: Arc<Requirement>,
}

/// A layer that asks for a scope of the token: else `403 insufficient_scope`, which names it.
#[must_use]
pub fn require_scope(scope: impl Into<Box<str>>) -> RequireLayer {
    RequireLayer::new(Requirement::scope(scope))
}

/// A layer that asks for a role: else `403 insufficient_role`.
#[must_use]
pub fn require_role(role: impl Into<Box<str>>) -> RequireLayer {
    RequireLayer::new(Requirement::role(role))
}

/// A layer that asks for a permission: see [`Requirement::permission`].
#[must_use]
pub fn require_permission(resource: impl Into<Box<str>>, action: impl Into<Box<str>>) -> RequireLayer {
    RequireLayer::new(Requirement::permission(resource, action))
}

impl RequireLayer {
    /// A layer that asks for this.
    #[must_use]
    pub fn new(requirement: Requirement) -> Self {
        Self { requirement: Arc::new(requirement) }
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = RequireService<S>;

    fn layer(&self, inner: S) -> RequireService<S> {
        RequireService { requirement: Arc::clone(&self.requirement), inner }
    }
}

/// A service behind a requirement, made by [`RequireLayer`].
#[derive(Clone, Debug)]
pub struct RequireService<S> {
    requirement: Arc<Requirement>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for RequireService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = RequireFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> RequireFuture<S::Future> {
        let admission = Admission::left_by_guard(request.extensions().get());
        match admission.and_then(|admission| self.requirement.check(admission)) {
            Ok(()) => RequireFuture { state: State::Serving { serving: self.inner.call(request) } },
            Err(refusal) => RequireFuture { state: State::Refused { refusal: Some(refusal) } },
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
        Refused { refusal: Option<Refusal> },
    }
}

impl<F, R, E> Future for RequireFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Serving { serving } => Poll::Ready(Ok(ready!(serving.poll(cx))?.map(Body::new))),
            StateProjection::Refused { refusal } => {
                let refusal = refusal.take().expect("polled after it was ready");
                Poll::Ready(Ok(Reject(refusal).into_response()))
            }
        }
    }
}
