//! What a guard's first look comes to: a decision, or something to wait for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::asked::Asked;
use super::{Guard, Need};
use crate::error::AuthError;
use crate::identity::{Identity, Method, UserScope};
use crate::policy::Isolation;
use crate::rate::Tally;
use crate::refusal::{AnswerFields, Refusal};

/// The outcome of [`Guard::begin`].
#[must_use = "a request is not admitted before its attempt is finished"]
#[derive(Debug)]
pub enum Attempt {
    /// Decided at once.
    Ready(Result<Admission, Refusal>),
    /// Keys or sessions have to be asked first.
    Pending(Pending),
}

impl Attempt {
    /// Waits for the decision. The future owns all it needs: it is `Send` and `'static`.
    ///
    /// # Errors
    ///
    /// What to tell the client instead of serving the request.
    pub async fn finish(self) -> Result<Admission, Refusal> {
        match self {
            Self::Ready(decision) => decision,
            Self::Pending(pending) => pending.await,
        }
    }
}

/// An attempt that waits for keys, sessions or counts: a future of the decision that owns all it needs, so it is `Send`,
/// `Unpin` and `'static`.
#[must_use = "a request is not admitted before its attempt is finished"]
pub struct Pending(Pin<Box<dyn Future<Output = Result<Admission, Refusal>> + Send>>);

impl Pending {
    pub(super) fn new(decision: Pin<Box<dyn Future<Output = Result<Admission, Refusal>> + Send>>) -> Self {
        Self(decision)
    }
}

impl Future for Pending {
    /// What to tell the client instead of serving the request, if it is not admitted.
    type Output = Result<Admission, Refusal>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

/// Leave to go on, with what was found out on the way. Adapters put it where extractors find it.
#[derive(Clone, Debug)]
pub struct Admission {
    caller: Option<(Identity, UserScope)>,
    guard: Guard,
    answer: AnswerFields,
    /// Whether the client wants refusals in the words of gRPC too.
    grpc: bool,
}

impl Admission {
    pub(super) fn anonymous(guard: &Guard, asked: &Asked<'_>) -> Self {
        Self::new(guard, None, asked)
    }

    pub(super) fn of(guard: &Guard, identity: Identity, scope: UserScope, asked: &Asked<'_>) -> Self {
        Self::new(guard, Some((identity, scope)), asked)
    }

    fn new(guard: &Guard, caller: Option<(Identity, UserScope)>, asked: &Asked<'_>) -> Self {
        let vary = (caller.is_some() || asked.need != Need::Open).then(|| Arc::clone(&guard.0.vary));
        Self { caller, guard: guard.clone(), answer: AnswerFields::new(vary), grpc: asked.grpc }
    }

    /// With the limits that the request was measured by.
    pub(super) fn measured_by(mut self, limits: &Tally) -> Self {
        self.answer = self.answer.measured_by(limits);
        self
    }

    /// Who is calling; `None` when nothing was presented on a path that allows it.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.caller.as_ref().map(|(identity, _)| identity)
    }

    /// Whose rows the request may touch.
    #[must_use]
    pub fn scope(&self) -> Option<&UserScope> {
        self.caller.as_ref().map(|(_, scope)| scope)
    }

    /// Who is calling, for handlers that need to know.
    ///
    /// # Errors
    ///
    /// `401 missing_credentials` when nobody does.
    pub fn require_identity(&self) -> Result<&Identity, Refusal> {
        self.identity().ok_or_else(|| self.missing())
    }

    /// Whose rows the request may touch, for handlers that need to know.
    ///
    /// # Errors
    ///
    /// `401 missing_credentials` when nobody calls.
    pub fn require_user_scope(&self) -> Result<&UserScope, Refusal> {
        self.scope().ok_or_else(|| self.missing())
    }

    /// For handlers that need a permission: of an API key its own, of everybody else what the guard's
    /// [permissions](crate::GuardBuilder::permissions) let their roles do.
    ///
    /// # Errors
    ///
    /// `401 missing_credentials` when nobody calls, `403 insufficient_scope` for an API key, else `403 insufficient_role`.
    pub fn require_permission(&self, resource: &str, action: &str) -> Result<(), Refusal> {
        let caller = self.require_identity()?;
        if let Method::ApiKey { .. } = caller.method() {
            return caller.require_permission(resource, action);
        }
        let is_allowed = self.guard.0.permissions.allow(caller.roles(), resource, action);
        if is_allowed { Ok(()) } else { Err(Refusal::insufficient_role()) }
    }

    /// Who may touch what, for the decisions that a path does not tell.
    pub fn isolation(&self) -> &Isolation {
        self.guard.isolation()
    }

    /// A refusal after the guard let the request through.
    pub(crate) fn refuse(&self, refusal: Refusal) -> Refusal {
        self.guard.refuse_admitted(refusal).over_grpc(self.grpc)
    }

    /// Header fields for the answer, where it depends on a credential or was counted: each to be appended unless it
    /// [is settled](crate::AnswerField::is_settled_by). Refusals of the guard have them already.
    #[must_use]
    pub fn answer_fields(&self) -> &AnswerFields {
        &self.answer
    }

    /// For extractors: the admission that the adapter's middleware left with the request, if it did.
    ///
    /// # Errors
    ///
    /// `500 internal` when there is none. Then the route is not behind the guard: the application's fault, told to
    /// the log as an error, and never taken for an anonymous caller.
    pub fn left_by_guard(found: Option<&Self>) -> Result<&Self, Refusal> {
        found.ok_or_else(|| {
            tracing::error!("a handler asks who is calling, but no guard is in front of its route");
            Refusal::internal().for_reason("unguarded_route")
        })
    }

    fn missing(&self) -> Refusal {
        self.guard.challenging(Refusal::from(AuthError::Missing))
    }
}
