//! Which rows a caller may touch: the decision on one object, said of all at once.

use std::sync::Arc;

use super::object::{Action, Object};
use crate::identity::{Identity, UserId};

/// Proof of which rows a caller may touch, for a query to filter by. Only [`Isolation::rows`](crate::Isolation::rows)
/// makes one; `authcore-sqlx` turns it into a predicate.
///
/// A row is covered when any of these holds: they are [all](Self::are_all), it belongs to the [caller](Self::caller), it
/// belongs to one of the [organizations](Self::organizations), or it was shared with the caller and
/// [sharing counts](Self::include_shared).
#[derive(Clone, Debug)]
pub struct Rows {
    pub(super) caller: Identity,
    pub(super) action: Action,
    pub(super) are_all: bool,
    pub(super) organizations: Vec<Arc<str>>,
    pub(super) include_shared: bool,
}

impl Rows {
    /// Whose rows, at least.
    #[must_use]
    pub fn caller(&self) -> &Identity {
        &self.caller
    }

    /// Whose rows, at least: what a column is compared with.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        self.caller.user_id()
    }

    /// What may be done to them.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// Whether every row there is.
    #[must_use]
    pub fn are_all(&self) -> bool {
        self.are_all
    }

    /// The organizations whose rows count. Only ones the caller was proven to belong to.
    pub fn organizations(&self) -> impl ExactSizeIterator<Item = &str> {
        self.organizations.iter().map(|id| &**id)
    }

    /// Whether rows count that were shared with the caller, as far as sharing allows the action.
    #[must_use]
    pub fn include_shared(&self) -> bool {
        self.include_shared
    }

    /// The same without what was shared: what [`Isolation::judge`](crate::Isolation::judge) lets the caller touch.
    #[must_use]
    pub fn without_shared(self) -> Self {
        Self { include_shared: false, ..self }
    }

    /// Whether a row that was not shared is among them: what the predicate says, without a database.
    #[must_use]
    pub fn cover(&self, object: &Object<'_>) -> bool {
        let of_organization = |id: &str| self.organizations().any(|one| one == id);
        self.are_all
            || object.user() == Some(self.user_id().as_str())
            || object.organization().is_some_and(of_organization)
    }
}
