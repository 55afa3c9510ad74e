//! What a guard's first look comes to: a decision, or something to wait for.

use std::fmt;
use std::sync::Arc;

use super::{Guard, Need};
use crate::authenticator::Verdict;
use crate::error::AuthError;
use crate::identity::{Identity, UserScope};
use crate::refusal::Refusal;

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
            Self::Pending(pending) => pending.finish().await,
        }
    }
}

/// An attempt that waits for keys or sessions.
pub struct Pending {
    verdict: Verdict,
    gate: Gate,
}

/// What the rest of the pipeline needs of the request.
pub(super) struct Gate {
    pub(super) guard: Guard,
    pub(super) owner: Option<Box<str>>,
    pub(super) only_reads: bool,
}

impl Pending {
    pub(super) fn new(verdict: Verdict, gate: Gate) -> Self {
        Self { verdict, gate }
    }

    /// Waits for the decision.
    ///
    /// # Errors
    ///
    /// What to tell the client instead of serving the request.
    pub async fn finish(self) -> Result<Admission, Refusal> {
        let Gate { guard, owner, only_reads } = self.gate;
        guard.admit(self.verdict.await, owner.as_deref(), only_reads)
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
    realm: Arc<str>,
    guarded: bool,
}

impl Admission {
    pub(super) fn anonymous(guard: &Guard, need: Need) -> Self {
        Self { caller: None, realm: Arc::clone(guard.realm()), guarded: need != Need::Open }
    }

    pub(super) fn of(guard: &Guard, identity: Identity, scope: UserScope) -> Self {
        Self { caller: Some((identity, scope)), realm: Arc::clone(guard.realm()), guarded: true }
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

    /// Header fields for the answer, names in lower case: what depends on a credential belongs in no shared cache.
    /// `vary` is to be added to what is there, the rest set unless the handler did.
    #[must_use]
    pub fn answer_fields(&self) -> &'static [(&'static str, &'static str)] {
        if self.guarded { PRIVATE } else { &[] }
    }

    fn missing(&self) -> Refusal {
        Refusal::from(AuthError::Missing).in_realm(&self.realm)
    }
}

pub(super) const PRIVATE: &[(&str, &str)] = &[("cache-control", "no-store"), ("vary", "Authorization, Cookie")];
