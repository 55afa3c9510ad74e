//! Who was told what, for somebody to read later.

use std::fmt;

use super::object::{Action, Object};
use crate::identity::{Identity, UserId};

/// One decision of an [`Isolation`](crate::Isolation).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Decision<'d> {
    /// Who asked, and on behalf of whom: see [`Identity::impersonated_by`].
    pub caller: &'d Identity,
    /// What was to be done.
    pub action: Action,
    /// The one thing it was about; `None` for a request's path and for rows in general.
    pub object: Option<Object<'d>>,
    /// The user whose it is, as the path or the object names them; `None` where neither names one.
    pub owner: Option<&'d str>,
    /// The organization whose it is, or on whose behalf it is asked.
    pub organization: Option<&'d str>,
    /// Whether it may be done.
    pub is_allowed: bool,
    /// Why: `own`, `owner`, `role`, `member`, `shared`, `rows` and `every_row` allow; `read_only`, `not_owner` and
    /// `not_member` do not.
    pub reason: &'static str,
}

/// Where decisions are kept.
///
/// It is told on the request's path, before the answer: hand the decision to a queue and return. Every decision is also a
/// `tracing` event, without an audit. What was allowed may still be refused for other reasons: a limit, a scope that the
/// route asks for, a row that is not there. Where nobody could decide (`503`), there is no decision.
pub trait Audit: fmt::Debug + Send + Sync + 'static {
    /// Takes note of a decision.
    fn record(&self, decision: &Decision<'_>);
}

impl Decision<'_> {
    /// One event: at `DEBUG` what was allowed, at `INFO` what was not.
    pub(super) fn trace(&self) {
        let (actor, issuer, owner) = (self.caller.user_id().as_str(), self.caller.issuer(), self.owner);
        let (impersonator, organization) = (self.caller.impersonated_by().map(UserId::as_str), self.organization);
        let (action, reason) = (self.action.as_str(), self.reason);
        let (kind, id) = (self.object.map(|object| object.kind()), self.object.map(|object| object.id()));
        let decision = if self.is_allowed { "allowed" } else { "denied" };
        macro_rules! event {
            ($level:ident) => {
                tracing::$level!(
                    target: TARGET,
                    actor, issuer, impersonator, owner, organization, action, kind, id, decision, reason, "isolation"
                )
            };
        }
        if self.is_allowed { event!(debug) } else { event!(info) }
    }
}

const TARGET: &str = "authcore::isolation";
