//! Who was told what, for somebody to read later.

use std::fmt;

use super::object::{Action, Object};
use crate::identity::Identity;

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
    /// The user whose it is, as the path or the object names them; `None` for the caller's own rows.
    pub owner: Option<&'d str>,
    /// Whether it may be done.
    pub is_allowed: bool,
    /// Why: `own`, `owner`, `role`, `member`, `shared` and `every_row` allow; `read_only` and `not_owner` do not.
    pub reason: &'static str,
}

/// Where decisions are kept.
///
/// It is told on the request's path, before the answer: hand the decision to a queue and return. Every decision is also a
/// `tracing` event, without an audit.
pub trait Audit: fmt::Debug + Send + Sync + 'static {
    /// Takes note of a decision.
    fn record(&self, decision: &Decision<'_>);
}

impl Decision<'_> {
    /// One event: at `DEBUG` what was allowed, at `INFO` what was not.
    pub(super) fn trace(&self) {
        let (actor, owner, action, reason) =
            (self.caller.user_id().as_str(), self.owner, self.action.as_str(), self.reason);
        let (kind, id) = (self.object.map(|object| object.kind()), self.object.map(|object| object.id()));
        if self.is_allowed {
            tracing::debug!(target: TARGET, actor, owner, action, kind, id, decision = "allowed", reason, "isolation");
        } else {
            tracing::info!(target: TARGET, actor, owner, action, kind, id, decision = "denied", reason, "isolation");
        }
    }
}

const TARGET: &str = "authcore::isolation";
