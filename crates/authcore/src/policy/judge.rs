//! The decisions of an isolation: on a path, on one object, on rows.

use std::future::Future;
use std::sync::Arc;

use super::audit::Decision;
use super::isolation::Isolation;
use super::membership::Membership;
use super::object::{Action, Object};
use super::rows::Rows;
use crate::error::Unavailable;
use crate::identity::{Access, Identity, UserId, UserScope};
use crate::refusal::Refusal;

/// Who asks, with the memberships that were proven. One that is somebody else's does not count.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'c> {
    identity: &'c Identity,
    memberships: &'c [Membership],
}

impl<'c> Caller<'c> {
    /// A caller with these memberships.
    #[must_use]
    pub fn new(identity: &'c Identity, memberships: &'c [Membership]) -> Self {
        Self { identity, memberships }
    }

    /// Who asks.
    #[must_use]
    pub fn identity(&self) -> &'c Identity {
        self.identity
    }

    /// The memberships that are the caller's.
    pub fn memberships(&self) -> impl Iterator<Item = &'c Membership> + use<'c> {
        let identity = self.identity;
        self.memberships.iter().filter(move |membership| membership.is_of(identity))
    }
}

impl<'c> From<&'c Identity> for Caller<'c> {
    fn from(identity: &'c Identity) -> Self {
        Self::new(identity, &[])
    }
}

/// Proof that the caller may do this to one object. Only an [`Isolation`] makes one.
#[derive(Clone, Debug)]
pub struct Permit<'o> {
    object: Object<'o>,
    action: Action,
    caller: Identity,
}

impl<'o> Permit<'o> {
    /// What it is about.
    #[must_use]
    pub fn object(&self) -> &Object<'o> {
        &self.object
    }

    /// What may be done.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// Who may.
    #[must_use]
    pub fn caller(&self) -> &Identity {
        &self.caller
    }

    /// For functions that write.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` when it was judged for reading.
    pub fn require_write(&self) -> Result<(), Refusal> {
        match self.action {
            Action::Write => Ok(()),
            Action::Read => Err(Refusal::insufficient_role()),
        }
    }
}

/// What was shared with whom: a table of grants (`authcore-sqlx` has one), or a check of one's own. Asked only where an
/// isolation [lets sharing count](Isolation::allow_shared), and for what nothing else allows.
pub trait Sharing: Send + Sync {
    /// What the caller may do to this, by having been given it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when nobody can tell: `503`, neither shared nor refused.
    fn shared(
        &self,
        caller: &Caller<'_>,
        object: &Object<'_>,
    ) -> impl Future<Output = Result<Option<Access>, Unavailable>> + Send;
}

impl Isolation {
    /// May this caller do this to this object? By ownership, roles and memberships.
    ///
    /// Between this and a statement that follows the object may change hands: where that matters, let the statement filter
    /// by [`Self::rows`].
    ///
    /// ```
    /// use authcore::{Access, Action, Caller, Identity, Isolation, Membership, Method, Object, UserId};
    ///
    /// let isolation = Isolation::default().allow_members(Access::Read).allow_member_role("editor", Access::Full);
    /// let ann = Identity::assertion(UserId::new("ann")?, Method::Other("example")).into_identity();
    /// let hers = [Membership::assertion("acme", UserId::new("ann")?, ["member"])];
    ///
    /// let plan = Object::new("document", "17").of_user("bob").of_organization("acme");
    /// assert!(isolation.judge(Caller::new(&ann, &hers), Action::Read, &plan).is_ok());
    /// assert_eq!(isolation.judge(&ann, Action::Read, &plan).unwrap_err().code(), "not_owner");
    /// # Ok::<(), authcore::InvalidUserId>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` where the caller may only read it, else `403 not_owner`, or `404 not_found` where
    /// [hidden](Self::hide).
    pub fn judge<'c, 'o>(
        &self,
        caller: impl Into<Caller<'c>>,
        action: Action,
        object: &Object<'o>,
    ) -> Result<Permit<'o>, Refusal> {
        let caller = caller.into();
        self.settle(caller.identity, action, Some(object), object.user(), self.standing(&caller, object))?;
        Ok(Permit { object: *object, action, caller: caller.identity.clone() })
    }

    /// [`Self::judge`], and where that says no, what was shared.
    ///
    /// # Errors
    ///
    /// As [`Self::judge`], and `503 store_unavailable` when nobody can tell what was shared. Of what is
    /// [hidden](Self::hide) that tells that it exists.
    pub async fn judge_shared<'o>(
        &self,
        caller: impl Into<Caller<'_>> + Send,
        action: Action,
        object: &Object<'o>,
        sharing: &impl Sharing,
    ) -> Result<Permit<'o>, Refusal> {
        let caller = caller.into();
        let mut standing = self.standing(&caller, object);
        if self.counts_shared() && !standing.is_some_and(|standing| standing.access.allows(action)) {
            let shared = sharing.shared(&caller, object).await.inspect_err(|cause| {
                tracing::warn!(%cause, "it cannot be told what was shared");
            })?;
            standing = standing.max(shared.map(|access| Standing { access, reason: "shared" }));
        }
        self.settle(caller.identity, action, Some(object), object.user(), standing)?;
        Ok(Permit { object: *object, action, caller: caller.identity.clone() })
    }

    /// Which rows may this caller do this to? The same answer as [`Self::judge_shared`] for each of them, and
    /// [without what was shared](Rows::without_shared) as [`Self::judge`].
    #[must_use]
    pub fn rows<'c>(&self, caller: impl Into<Caller<'c>>, action: Action) -> Rows {
        let caller = caller.into();
        let are_all = self.by_role(caller.identity).is_some_and(|access| access.allows(action));
        let allowing =
            |membership: &&Membership| self.by_membership(membership).is_some_and(|access| access.allows(action));
        let organizations = caller.memberships().filter(allowing).map(Membership::shared_organization_id);
        let organizations: Vec<_> = organizations.map(Arc::clone).collect();
        let (identity, include_shared) = (caller.identity, self.counts_shared());
        let reason = match (are_all, organizations.is_empty() && !include_shared) {
            (true, _) => "every_row",
            (false, true) => Standing::OWN.reason,
            (false, false) => "rows",
        };
        let (object, owner, organization) = (None, None, None);
        self.tell(&Decision { caller: identity, action, object, owner, organization, is_allowed: true, reason });
        Rows { caller: identity.clone(), action, are_all, organizations, include_shared }
    }

    /// The caller's own rows on behalf of an organization, as far as its members may: for queries, and policies of a
    /// database, that go by [`UserScope::organization_id`].
    ///
    /// # Errors
    ///
    /// `403 not_owner`, or `404 not_found` where [hidden](Self::hide), when the membership is somebody else's or lets
    /// nobody do anything.
    pub fn in_organization(&self, caller: &Identity, membership: &Membership) -> Result<UserScope, Refusal> {
        let access = self.by_membership(membership).filter(|_| membership.is_of(caller));
        let organization = membership.shared_organization_id();
        let (is_allowed, reason) = access.map_or((false, "not_member"), |_| (true, "member"));
        let action = if access == Some(Access::Full) { Action::Write } else { Action::Read };
        let on_behalf_of = Some(&**organization);
        self.tell(&Decision {
            caller,
            action,
            object: None,
            owner: None,
            organization: on_behalf_of,
            is_allowed,
            reason,
        });
        let Some(access) = access else { return Err(self.not_owner(reason)) };
        Ok(UserScope::in_organization(caller, Arc::clone(organization), access))
    }

    /// The decision on the rows of the owner that a path names; `None` for the caller's own.
    pub(crate) fn decide(
        &self,
        caller: &Identity,
        owner: Option<&str>,
        only_reads: bool,
    ) -> Result<UserScope, Refusal> {
        let action = if only_reads { Action::Read } else { Action::Write };
        let Some(named) = owner.filter(|owner| *owner != caller.user_id().as_str()) else {
            self.settle(caller, action, None, owner, Some(Standing::OWN))?;
            return Ok(caller.scope());
        };
        let by_role = self.by_role(caller).zip(UserId::new(named).ok());
        let standing = by_role.as_ref().map(|(access, _)| Standing { access: *access, reason: "role" });
        self.settle(caller, action, None, owner, standing)?;
        let Some((access, owner)) = by_role else { return Err(Refusal::not_owner()) };
        Ok(UserScope::granted(owner, caller.clone(), access))
    }

    /// The most that a caller may do to an object, and why.
    fn standing(&self, caller: &Caller<'_>, object: &Object<'_>) -> Option<Standing> {
        if object.user() == Some(caller.identity.user_id().as_str()) {
            return Some(Standing { access: Access::Full, reason: "owner" });
        }
        let by_role = self.by_role(caller.identity).map(|access| Standing { access, reason: "role" });
        let of = object.organization();
        let memberships = caller.memberships().filter(|membership| of == Some(membership.organization_id()));
        let by_membership = memberships.filter_map(|membership| self.by_membership(membership)).max();
        by_role.max(by_membership.map(|access| Standing { access, reason: "member" }))
    }

    /// Says what was decided, and to the client why not.
    fn settle(
        &self,
        caller: &Identity,
        action: Action,
        object: Option<&Object<'_>>,
        owner: Option<&str>,
        standing: Option<Standing>,
    ) -> Result<(), Refusal> {
        let (is_allowed, reason) = match standing {
            Some(Standing { access, reason }) if access.allows(action) => (true, reason),
            Some(_) => (false, "read_only"),
            None => (false, "not_owner"),
        };
        let organization = object.and_then(Object::organization);
        self.tell(&Decision { caller, action, object: object.copied(), owner, organization, is_allowed, reason });
        match (is_allowed, standing) {
            (true, _) => Ok(()),
            (false, Some(_)) => Err(Refusal::insufficient_role()),
            (false, None) => Err(self.not_owner("not_owner")),
        }
    }

    fn not_owner(&self, reason: &'static str) -> Refusal {
        let refusal = if self.hides() { Refusal::not_found() } else { Refusal::not_owner() };
        refusal.for_reason(reason)
    }
}

/// What somebody may do, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    access: Access,
    reason: &'static str,
}

impl Standing {
    const OWN: Self = Self { access: Access::Full, reason: "own" };
}
