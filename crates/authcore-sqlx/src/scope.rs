//! What opens a transaction: a scope to read, and a scope that was checked for writing to write.

use authcore::{Refusal, UserScope};

/// A scope whose rows may be changed: [`UserScope::require_write`] said so.
///
/// ```
/// # use authcore::{Identity, Method, UserId};
/// use authcore_sqlx::WriteScope;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let ann = UserId::new("ann")?;
/// # let identity = Identity::assertion(ann, Method::Other("example")).into_identity();
/// let scope = WriteScope::of(&identity.scope()).map_err(|_| "403 insufficient_role")?;
/// assert_eq!(scope.user_scope().owner().as_str(), "ann");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteScope(UserScope);

impl WriteScope {
    /// The scope, if it may write.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role` when it only reads.
    pub fn of(scope: &UserScope) -> Result<Self, Refusal> {
        scope.require_write()?;
        Ok(Self(scope.clone()))
    }

    /// The scope that was checked.
    #[must_use]
    pub fn user_scope(&self) -> &UserScope {
        &self.0
    }
}

/// Proof of whose rows may be read: a [`UserScope`], or a [`WriteScope`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not prove whose rows may be touched",
    label = "not a scope",
    note = "take the `&UserScope` that the guard made, or `identity.scope()` for the caller's own rows: no text and no \
            user id stands in for it"
)]
pub trait Scope: sealed::Proof {}

impl Scope for UserScope {}

impl Scope for WriteScope {}

/// Proof of whose rows may be changed: a [`WriteScope`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not prove that these rows may be changed",
    label = "may be for reading only",
    note = "check it first: `WriteScope::of(&scope)?`, whose error is the 403 for the client"
)]
pub trait MayWrite: sealed::Proof {}

impl MayWrite for WriteScope {}

pub(crate) mod sealed {
    use authcore::UserScope;

    use super::WriteScope;

    pub trait Proof: Sync {
        fn proven(&self) -> &UserScope;
    }

    impl Proof for UserScope {
        fn proven(&self) -> &UserScope {
            self
        }
    }

    impl Proof for WriteScope {
        fn proven(&self) -> &UserScope {
            &self.0
        }
    }
}
