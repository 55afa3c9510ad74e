//! One request, top to bottom: asks the guard, obeys the answer.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, forward_ready};
use actix_web::{Error, HttpMessage as _, ResponseError as _};
use authcore::{Admission, AnswerFields, Attempt, Guard, Pending, Refusal};
use pin_project_lite::pin_project;

use crate::head::Head;
use crate::reject::{Answered, Reject, add_fields};

/// A service behind a guard, made by [`AuthMiddleware`](crate::AuthMiddleware).
///
/// The inner service sees admitted requests only, each with its [`Admission`] among the extensions. Refusals are
/// responses, not errors, so that middleware further out (CORS, logging) treats them as such. An error of the inner
/// service is handed on as another one, which reads and answers the same, with the header fields that every answer has.
#[derive(Debug)]
pub struct AuthService<S> {
    guard: Guard,
    inner: Rc<S>,
}

impl<S> AuthService<S> {
    pub(crate) fn new(guard: Guard, inner: S) -> Self {
        Self { guard, inner: Rc::new(inner) }
    }
}

impl<S, B> Service<ServiceRequest> for AuthService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = AuthFuture<S>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> AuthFuture<S> {
        let attempt = self.guard.begin(&Head::from(&request));
        let state = match attempt {
            Attempt::Ready(decision) => State::decided(&*self.inner, request, decision),
            Attempt::Pending(pending) => {
                let inner = Rc::clone(&self.inner);
                State::Waiting { waiting: Some(Box::new(Waiting { pending, inner, request })) }
            }
        };
        AuthFuture { state }
    }
}

pin_project! {
    /// The answer of an [`AuthService`]: the inner service's, or a refusal. It allocates nothing of its own unless
    /// keys or sessions have to be waited for.
    #[must_use = "futures do nothing unless polled"]
    pub struct AuthFuture<S>
    where
        S: Service<ServiceRequest>,
    {
        #[pin]
        state: State<S>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S>
    where
        S: Service<ServiceRequest>,
    {
        Waiting { waiting: Option<Box<Waiting<S>>> },
        Serving { #[pin] serving: S::Future, fields: AnswerFields },
        Refused { refused: Option<(ServiceRequest, Refusal)> },
    }
}

/// An undecided request, with the service that is to have it.
struct Waiting<S> {
    pending: Pending,
    inner: Rc<S>,
    request: ServiceRequest,
}

impl<S: Service<ServiceRequest>> State<S> {
    fn decided(inner: &S, request: ServiceRequest, decision: Result<Admission, Refusal>) -> Self {
        match decision {
            Ok(admission) => {
                let fields = admission.answer_fields().clone();
                // In place of what a guard further out may have left there.
                request.extensions_mut().insert(admission);
                Self::Serving { serving: inner.call(request), fields }
            }
            Err(refusal) => Self::Refused { refused: Some((request, refusal)) },
        }
    }
}

impl<S, B> Future for AuthFuture<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Serving { serving, fields } => {
                    return Poll::Ready(match ready!(serving.poll(cx)) {
                        Ok(mut response) => {
                            add_fields(response.headers_mut(), fields);
                            Ok(response.map_into_left_body())
                        }
                        Err(error) => Err(Answered { error, fields: mem::take(fields) }.into()),
                    });
                }
                StateProjection::Refused { refused } => {
                    let (request, refusal) = refused.take().expect("polled after it was ready");
                    let response = request.into_response(Reject(refusal).error_response());
                    return Poll::Ready(Ok(response.map_into_right_body()));
                }
                StateProjection::Waiting { waiting } => {
                    let pending = &mut waiting.as_mut().expect("another state follows at once").pending;
                    let decision = ready!(Pin::new(pending).poll(cx));
                    let Waiting { inner, request, .. } = *waiting.take().expect("it was just polled");
                    State::decided(&*inner, request, decision)
                }
            };
            state.set(next);
        }
    }
}
