//! Scopes that a token must carry (RFC 6749 §3.3).

use serde::Deserialize;

use crate::identity::Identity;
use crate::refusal::Refusal;

impl Identity {
    /// Whether the token's `scope` claim, a string of words separated by spaces (RFC 8693 §4.2), holds this one. A claim
    /// of another JSON type grants nothing.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        #[derive(Deserialize)]
        struct Scope {
            scope: String,
        }
        let granted = self.claims::<Scope>().map(|claims| claims.scope).unwrap_or_default();
        granted.split(' ').any(|word| word == scope && !word.is_empty())
    }

    /// For handlers that need a scope.
    ///
    /// # Errors
    ///
    /// `403 insufficient_scope`, naming the scope in the challenge.
    pub fn require_scope(&self, scope: &str) -> Result<(), Refusal> {
        if self.has_scope(scope) { Ok(()) } else { Err(Refusal::insufficient_scope(scope)) }
    }

    /// For handlers that need a role.
    ///
    /// # Errors
    ///
    /// `403 insufficient_role`.
    pub fn require_role(&self, role: &str) -> Result<(), Refusal> {
        if self.has_role(role) { Ok(()) } else { Err(Refusal::insufficient_role()) }
    }
}
