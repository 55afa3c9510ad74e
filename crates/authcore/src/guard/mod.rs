//! The pipeline that every adapter runs: request head in, [`Admission`] or [`Refusal`] out.

mod attempt;
mod builder;

use std::fmt;
use std::sync::Arc;

pub use attempt::{Admission, Attempt, Pending};
pub use builder::GuardBuilder;

use crate::authenticator::{AnyAuthenticator, Glance};
use crate::credential::bearer;
use crate::error::AuthError;
use crate::head::RequestHead;
use crate::identity::Identity;
use crate::policy::Isolation;
use crate::policy::path::RequestPath;
use crate::policy::template::Template;
use crate::refusal::Refusal;
use attempt::Gate;

/// Decides who gets through. Cloning is cheap.
///
/// Every path needs a credential unless it is named [`open`](GuardBuilder::open) or
/// [`optional`](GuardBuilder::optional). CORS preflights, which never carry credentials, pass without an identity.
///
/// ```
/// use authcore::{Algorithm, Guard, Isolation, JwtVerifier, Key, KeySet, Secret};
///
/// let key = Key::hmac(Algorithm::Hs256, &Secret::new("kept-in-the-environment-32-bytes+"))?;
/// let guard = Guard::builder()
///     .authenticator(JwtVerifier::builder(KeySet::new([key])).build()?)
///     .isolate(Isolation::path("/api/{user_id}/**").allow_role("admin"))
///     .open("/health")
///     .build()?;
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    authenticators: Vec<Arc<dyn AnyAuthenticator>>,
    /// Most specific first.
    access: Vec<(Template, Need)>,
    first_hand: Vec<Template>,
    isolation: Isolation,
    realm: Arc<str>,
}

/// Whether a path needs a credential, in the order of how much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Required,
    Optional,
    Open,
}

/// What the decision on a caller depends on, besides whose rows are asked for.
#[derive(Clone, Copy)]
struct Asked {
    only_reads: bool,
    /// Nobody may act as the user here.
    first_hand: bool,
}

impl Guard {
    /// Begins with nothing let through.
    pub fn builder() -> GuardBuilder {
        GuardBuilder::default()
    }

    /// Looks at a request once and copies out what the rest needs. Most requests are decided right here.
    pub fn begin(&self, head: &dyn RequestHead) -> Attempt {
        let refuse = |refusal| self.refuse(refusal, head.is_grpc());
        let path = match RequestPath::parse(head.path()) {
            Ok(path) => path,
            Err(ambiguous) => return Attempt::Ready(Err(refuse(ambiguous.into()))),
        };
        let need = self.need(path);
        if need == Need::Open || head.is_preflight() {
            return Attempt::Ready(Ok(Admission::anonymous(self, need)));
        }
        let owner = match self.0.isolation.owner_named(path) {
            Ok(owner) => owner,
            Err(ambiguous) => return Attempt::Ready(Err(refuse(ambiguous.into()))),
        };
        let asked = Asked {
            only_reads: matches!(head.method(), "GET" | "HEAD"),
            first_hand: self.0.first_hand.iter().any(|template| template.matches(path).is_some()),
        };
        match self.glance(head) {
            Glance::Absent => Attempt::Ready(match bearer::token(head) {
                Ok(None) if need == Need::Optional => Ok(Admission::anonymous(self, need)),
                Ok(None) => Err(refuse(AuthError::Missing.into())),
                // A token that nobody reads is a bad one, and not none.
                Ok(Some(_)) => Err(refuse(AuthError::UnreadBearer.into())),
                Err(error) => Err(refuse(error.into())),
            }),
            Glance::Judged(verdict) => Attempt::Ready(self.admit(verdict, owner.as_deref(), asked).map_err(refuse)),
            Glance::Pending(verdict) => {
                let owner = owner.map(|owner| owner.into_owned().into_boxed_str());
                let gate = Gate { guard: self.clone(), owner, asked, grpc: head.is_grpc() };
                Attempt::Pending(Pending::new(verdict, gate))
            }
        }
    }

    /// The realm of the challenges.
    #[must_use]
    pub fn realm(&self) -> &Arc<str> {
        &self.0.realm
    }

    /// Asks the authenticators in order; the first to recognise a credential gives the final answer.
    fn glance(&self, head: &dyn RequestHead) -> Glance<crate::authenticator::Verdict> {
        let glances = self.0.authenticators.iter().map(|authenticator| Arc::clone(authenticator).glance_any(head));
        glances.into_iter().find(|glance| !matches!(glance, Glance::Absent)).unwrap_or(Glance::Absent)
    }

    /// Routers differ in whether `/%61` or `/a/` is `/a`. For what asks more it is; for what asks less it is not: a rule
    /// that is not spelt out does not decide, but none that asks less may follow it.
    fn need(&self, path: RequestPath<'_>) -> Need {
        let mut most = Need::Open;
        for (template, need) in self.0.access.iter().filter(|(template, _)| template.matches(path).is_some()) {
            most = most.min(*need);
            if most == Need::Required || template.is_spelt_out_in(path) {
                return most;
            }
        }
        Need::Required
    }

    fn admit(
        &self,
        verdict: Result<Identity, AuthError>,
        owner: Option<&str>,
        asked: Asked,
    ) -> Result<Admission, Refusal> {
        let identity = verdict.map_err(|error| {
            if let AuthError::Unavailable(cause) = &error {
                tracing::warn!(%cause, "credentials cannot be checked");
            }
            Refusal::from(error)
        })?;
        if asked.first_hand {
            identity.refuse_impersonation()?;
        }
        let scope = self.0.isolation.decide(&identity, owner, asked.only_reads)?;
        Ok(Admission::of(self, identity, scope))
    }

    /// One log event for each refusal; it never holds the credential.
    fn refuse(&self, refusal: Refusal, grpc: bool) -> Refusal {
        let (status, code, reason) = (refusal.status(), refusal.code(), refusal.reason());
        tracing::info!(status, code, reason, "request refused");
        refusal.in_realm(&self.0.realm).private().over_grpc(grpc)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { access, isolation, realm, .. } = &*self.0;
        f.debug_struct("Guard")
            .field("realm", realm)
            .field("access", access)
            .field("isolation", isolation)
            .finish_non_exhaustive()
    }
}
