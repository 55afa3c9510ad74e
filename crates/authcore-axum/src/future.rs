//! The future of one guarded request: named and opaque, so that its insides may change without a breaking release.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use authcore::{Admission, AnswerFields, Pending, Refusal};
use axum_core::BoxError;
use axum_core::body::Body;
use axum_core::response::IntoResponse as _;
use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::reject::{Reject, add_fields};

pin_project! {
    /// The answer of an [`AuthService`](crate::AuthService): the inner service's, or a refusal. It allocates nothing of
    /// its own unless keys or sessions have to be waited for.
    #[must_use = "futures do nothing unless polled"]
    pub struct AuthFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        Waiting { waiting: Option<Box<Waiting<S, B>>> },
        Serving { #[pin] serving: S::Future, fields: AnswerFields },
        Refused { refusal: Option<Refusal> },
    }
}

/// An undecided request, with the instance of the inner service that is ready for it.
struct Waiting<S, B> {
    pending: Pending,
    ready: S,
    request: Request<B>,
}

impl<S: Service<Request<B>>, B> AuthFuture<S, B> {
    pub(crate) fn serve(ready: &mut S, request: Request<B>, admission: Admission) -> Self {
        Self { state: State::serve(ready, request, admission) }
    }

    pub(crate) fn refuse(refusal: Refusal) -> Self {
        Self { state: State::Refused { refusal: Some(refusal) } }
    }

    pub(crate) fn wait(pending: Pending, ready: S, request: Request<B>) -> Self {
        Self { state: State::Waiting { waiting: Some(Box::new(Waiting { pending, ready, request })) } }
    }
}

impl<S: Service<Request<B>>, B> State<S, B> {
    fn serve(ready: &mut S, mut request: Request<B>, admission: Admission) -> Self {
        let fields = admission.answer_fields().clone();
        // In place of what a guard further out may have left there.
        request.extensions_mut().insert(admission);
        Self::Serving { serving: ready.call(request), fields }
    }
}

impl<S, B, R> Future for AuthFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Serving { serving, fields } => {
                    let mut response = ready!(serving.poll(cx))?.map(Body::new);
                    add_fields(&mut response, fields);
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Refused { refusal } => {
                    let refusal = refusal.take().expect("polled after it was ready");
                    return Poll::Ready(Ok(Reject(refusal).into_response()));
                }
                StateProjection::Waiting { waiting } => {
                    let pending = &mut waiting.as_mut().expect("another state follows at once").pending;
                    let decision = ready!(Pin::new(pending).poll(cx));
                    let Waiting { mut ready, request, .. } = *waiting.take().expect("it was just polled");
                    match decision {
                        Ok(admission) => State::serve(&mut ready, request, admission),
                        Err(refusal) => State::Refused { refusal: Some(refusal) },
                    }
                }
            };
            state.set(next);
        }
    }
}
