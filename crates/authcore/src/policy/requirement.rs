//! What a route asks of its callers beyond who they are.

use crate::guard::Admission;
use crate::refusal::Refusal;

/// What a caller must have to reach a route: a scope, a role, a permission. Adapters make a layer of it; `and` asks for
/// one more.
///
/// ```
/// use authcore::Requirement;
///
/// let publishing = Requirement::scope("articles:write").and(Requirement::any_role(["editor", "admin"]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement(Vec<One>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum One {
    Scope(Box<str>),
    AnyRole(Vec<Box<str>>),
    Permission { resource: Box<str>, action: Box<str> },
}

impl Requirement {
    /// A scope of the token (RFC 6749 §3.3): else `403 insufficient_scope`, which names it.
    pub fn scope(scope: impl Into<Box<str>>) -> Self {
        Self(vec![One::Scope(scope.into())])
    }

    /// A role: else `403 insufficient_role`.
    pub fn role(role: impl Into<Box<str>>) -> Self {
        Self::any_role([role])
    }

    /// One of these roles: else `403 insufficient_role`. Of no roles nobody has one.
    pub fn any_role<R: Into<Box<str>>>(roles: impl IntoIterator<Item = R>) -> Self {
        Self(vec![One::AnyRole(roles.into_iter().map(Into::into).collect())])
    }

    /// A permission: an API key has its own, everybody else those that the guard's
    /// [permissions](crate::GuardBuilder::permissions) give to their roles.
    pub fn permission(resource: impl Into<Box<str>>, action: impl Into<Box<str>>) -> Self {
        Self(vec![One::Permission { resource: resource.into(), action: action.into() }])
    }

    /// This and that as well. The first that is missing answers.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Asks it of a request that was let through.
    ///
    /// # Errors
    ///
    /// `401 missing_credentials` when nobody calls, else `403 insufficient_scope` or `403 insufficient_role`.
    pub fn check(&self, admission: &Admission) -> Result<(), Refusal> {
        self.0.iter().try_for_each(|one| one.check(admission)).map_err(|refusal| admission.refuse(refusal))
    }
}

impl One {
    fn check(&self, admission: &Admission) -> Result<(), Refusal> {
        let caller = admission.require_identity()?;
        match self {
            Self::Scope(scope) => caller.require_scope(scope),
            Self::AnyRole(roles) if roles.iter().any(|role| caller.has_role(role)) => Ok(()),
            Self::AnyRole(_) => Err(Refusal::insufficient_role()),
            Self::Permission { resource, action } => admission.require_permission(resource, action),
        }
    }
}
