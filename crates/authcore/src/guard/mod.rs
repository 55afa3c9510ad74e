//! The pipeline that every adapter runs: request head in, [`Admission`] or [`Refusal`] out.

mod asked;
mod attempt;
mod builder;
mod limited;
mod present;

use std::fmt;
use std::sync::Arc;

pub use attempt::{Admission, Attempt, Pending};
pub use builder::GuardBuilder;

use crate::authenticator::AnyAuthenticator;
use crate::credential::Sources;
use crate::error::AuthError;
use crate::head::RequestHead;
use crate::identity::Identity;
use crate::policy::path::RequestPath;
use crate::policy::template::Template;
use crate::policy::{Isolation, Permissions};
use crate::rate::{Course, Prepared};
use crate::refusal::Refusal;
use asked::Asked;
use present::Presented;

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
    /// Where tokens are read from besides `Authorization`.
    sources: Sources,
    /// Most specific first.
    access: Vec<(Template, Need)>,
    first_hand: Vec<Template>,
    limits: Option<Arc<Prepared>>,
    isolation: Isolation,
    permissions: Permissions,
    /// What answers vary by.
    vary: Arc<str>,
    realm: Arc<str>,
    /// Where the metadata of the service are.
    metadata: Option<Arc<str>>,
}

/// Whether a path needs a credential, in the order of how much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Required,
    Optional,
    Open,
}

impl Guard {
    /// Begins with nothing let through.
    pub fn builder() -> GuardBuilder {
        GuardBuilder::default()
    }

    /// Looks at a request once and copies out what the rest needs. Most requests are decided right here.
    pub fn begin(&self, head: &dyn RequestHead) -> Attempt {
        let path = match RequestPath::parse(head.path()) {
            Ok(path) => path,
            Err(ambiguous) => return Attempt::Ready(Err(self.refuse(ambiguous.into(), head.is_grpc()))),
        };
        let asked = Asked::of(self, head, path);
        if let Some(limits) = &self.0.limits {
            return self.begin_limited(head, asked, Course::new(limits, head, path));
        }
        match self.present(head, &asked, AnyAuthenticator::glance_any) {
            Presented::Judged(verdict) => Attempt::Ready(self.decide(verdict, &asked)),
            Presented::Pending(verdict) => {
                let (guard, asked) = (self.clone(), asked.into_owned());
                Attempt::Pending(Pending::new(Box::pin(async move { guard.decide(verdict.await.map(Some), &asked) })))
            }
        }
    }

    /// The realm of the challenges.
    #[must_use]
    pub fn realm(&self) -> &Arc<str> {
        &self.0.realm
    }

    /// Who may touch what: for the decisions that a path does not tell.
    pub fn isolation(&self) -> &Isolation {
        &self.0.isolation
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

    fn decide(&self, verdict: Result<Option<Identity>, AuthError>, asked: &Asked<'_>) -> Result<Admission, Refusal> {
        self.admit(verdict, asked).map_err(|refusal| self.refuse(refusal, asked.grpc))
    }

    /// The decision on who calls; nobody, where that was judged to do.
    fn admit(&self, verdict: Result<Option<Identity>, AuthError>, asked: &Asked<'_>) -> Result<Admission, Refusal> {
        let caller = verdict.map_err(|error| {
            if let AuthError::Unavailable(cause) = &error {
                tracing::warn!(%cause, "credentials cannot be checked");
            }
            Refusal::from(error)
        })?;
        if asked.is_open() {
            return Ok(Admission::anonymous(self, asked));
        }
        let owner = asked.owner.as_ref().map_err(|ambiguous| Refusal::from(*ambiguous))?;
        let Some(identity) = caller else { return Ok(Admission::anonymous(self, asked)) };
        if asked.first_hand {
            identity.refuse_impersonation()?;
        }
        let scope = self.0.isolation.decide(&identity, owner.as_deref(), asked.only_reads)?;
        Ok(Admission::of(self, identity, scope, asked))
    }

    fn refuse(&self, refusal: Refusal, grpc: bool) -> Refusal {
        self.refuse_admitted(refusal).private(&self.0.vary).over_grpc(grpc)
    }

    /// One log event for each refusal; it never holds the credential.
    fn refuse_admitted(&self, refusal: Refusal) -> Refusal {
        let (status, code, reason) = (refusal.status(), refusal.code(), refusal.reason());
        tracing::info!(status, code, reason, "request refused");
        self.challenging(refusal)
    }

    /// With what a challenge of this guard says.
    fn challenging(&self, refusal: Refusal) -> Refusal {
        refusal.in_realm(&self.0.realm).described_at(self.0.metadata.as_ref())
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
