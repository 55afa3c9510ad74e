//! One request, top to bottom: asks the guard, obeys the answer.

use std::mem;
use std::task::{Context, Poll};

use authcore::{Attempt, Guard};
use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use crate::future::AuthFuture;
use crate::head::Head;

/// A service behind a guard, made by [`AuthLayer`](crate::AuthLayer).
///
/// The inner service sees admitted requests only, each with its [`Admission`](authcore::Admission) among the
/// extensions. Refusals are responses, not errors, so that layers further out (CORS, tracing) treat them as such.
#[derive(Clone, Debug)]
pub struct AuthService<S> {
    guard: Guard,
    inner: S,
}

impl<S> AuthService<S> {
    pub(crate) fn new(guard: Guard, inner: S) -> Self {
        Self { guard, inner }
    }
}

impl<S, B, R> Service<Request<B>> for AuthService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = AuthFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> AuthFuture<S, B> {
        match self.guard.begin(&Head::from(&request)) {
            Attempt::Ready(Ok(admission)) => AuthFuture::serve(&mut self.inner, request, admission),
            Attempt::Ready(Err(refusal)) => AuthFuture::refuse(refusal),
            Attempt::Pending(pending) => {
                // The instance that was asked to be ready goes along; its clone has to be asked anew.
                let clone = self.inner.clone();
                AuthFuture::wait(pending, mem::replace(&mut self.inner, clone), request)
            }
        }
    }
}
