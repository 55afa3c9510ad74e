//! The proof that functions which touch one user's rows ask for.

use std::fmt;
use std::sync::Arc;

use super::{Identity, UserId};
use crate::policy::Action;
use crate::refusal::Refusal;

/// Proof that the caller may touch one user's rows. Only [`Identity::scope`] and an
/// [`Isolation`](crate::Isolation) decision make one, so data access that takes it cannot be called unchecked.
#[derive(Clone)]
pub struct UserScope {
    owner: UserId,
    caller: Identity,
    access: Access,
    organization: Option<Arc<str>>,
}

/// What may be done to the rows of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading and writing.
    Full,
}

impl Access {
    /// Whether it is enough for this.
    #[must_use]
    pub fn allows(self, action: Action) -> bool {
        match action {
            Action::Read => true,
            Action::Write => self == Self::Full,
        }
    }
}

impl UserScope {
    pub(crate) fn granted(owner: UserId, caller: Identity, access: Access) -> Self {
        Self { owner, caller, access, organization: None }
    }

    /// The caller's own on behalf of an organization.
    pub(crate) fn in_organization(caller: &Identity, organization: Arc<str>, access: Access) -> Self {
        Self { access, organization: Some(organization), ..caller.scope() }
    }

    /// Whose rows these are: what a query filters by.
    #[must_use]
    pub fn owner(&self) -> &UserId {
        &self.owner
    }

    /// Who is calling: the owner, or somebody whose role allows it.
    #[must_use]
    pub fn actor(&self) -> &UserId {
        self.caller.user_id()
    }

    /// Who is calling, with all that was verified of them.
    #[must_use]
    pub fn caller(&self) -> &Identity {
        &self.caller
    }

    /// What may be done to the rows.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    /// The organization on whose behalf this is asked, where one was proven.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    /// For functions that write.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` when the scope only reads.
    pub fn require_write(&self) -> Result<(), Refusal> {
        match self.access {
            Access::Full => Ok(()),
            Access::Read => Err(Refusal::insufficient_role()),
        }
    }
}

impl PartialEq for UserScope {
    /// The same rows, touched by the same user in the same way.
    fn eq(&self, other: &Self) -> bool {
        (self.owner(), self.actor(), self.caller.issuer()) == (other.owner(), other.actor(), other.caller.issuer())
            && (self.access, self.organization_id()) == (other.access, other.organization_id())
    }
}

impl Eq for UserScope {}

impl fmt::Debug for UserScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserScope")
            .field("owner", &self.owner)
            .field("actor", self.actor())
            .field("access", &self.access)
            .field("organization", &self.organization)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Method;

    fn identity(id: &str) -> Identity {
        Identity::assertion(UserId::new(id).expect("a plain id"), Method::Other("test")).into_identity()
    }

    #[test]
    fn scopes_of_two_issuers_users_are_not_the_same() {
        let of = |issuer: &str| identity("ann").issued_by(issuer.into()).scope();
        assert_eq!(of("a"), of("a"));
        assert_ne!(of("a"), of("b"));
        assert!(Access::Read < Access::Full && !Access::Read.allows(Action::Write));
    }
}
