//! What a request asks for, as far as the decision on it depends on that.

use std::borrow::Cow;

use super::{Guard, Need};
use crate::head::RequestHead;
use crate::policy::path::{AmbiguousPath, RequestPath};

pub(super) struct Asked<'r> {
    pub(super) need: Need,
    /// A preflight carries no credential (Fetch §4.8). Anybody can make a request look like one, so it is counted.
    preflight: bool,
    /// Whose rows the path names, if anybody's.
    pub(super) owner: Result<Option<Cow<'r, str>>, AmbiguousPath>,
    pub(super) only_reads: bool,
    /// Nobody may act as the user here.
    pub(super) first_hand: bool,
    pub(super) grpc: bool,
}

impl<'r> Asked<'r> {
    pub(super) fn of(guard: &Guard, head: &dyn RequestHead, path: RequestPath<'r>) -> Self {
        let inner = &*guard.0;
        Self {
            need: guard.need(path),
            preflight: head.is_preflight(),
            owner: inner.isolation.owner_named(path),
            // Over a WebSocket anything may be asked for.
            only_reads: matches!(head.method(), "GET" | "HEAD") && !head.asks_for_websocket(),
            first_hand: inner.first_hand.iter().any(|template| template.matches(path).is_some()),
            grpc: head.is_grpc(),
        }
    }

    /// Whether no credential is looked at.
    pub(super) fn is_open(&self) -> bool {
        self.need == Need::Open || self.preflight
    }

    /// For after the request.
    pub(super) fn into_owned(self) -> Asked<'static> {
        let Self { need, preflight, owner, only_reads, first_hand, grpc } = self;
        let owner = owner.map(|owner| owner.map(|owner| Cow::Owned(owner.into_owned())));
        Asked { need, preflight, owner, only_reads, first_hand, grpc }
    }
}
