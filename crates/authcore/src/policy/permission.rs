//! What a credential must carry: scopes (RFC 6749 §3.3), permissions, roles, a first hand.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::identity::{Identity, Method};
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

    /// Whether the API key this rests on carries the permission to do this to this resource, as in
    /// `{"files":["read"]}`. Other credentials carry none.
    #[must_use]
    pub fn has_permission(&self, resource: &str, action: &str) -> bool {
        #[derive(Deserialize)]
        struct Permissions {
            permissions: BTreeMap<String, Vec<String>>,
        }
        let granted = matches!(self.method(), Method::ApiKey { .. })
            .then(|| self.claims::<Permissions>().ok()?.permissions.remove(resource))
            .flatten();
        granted.is_some_and(|actions| actions.iter().any(|granted| granted == action))
    }

    /// For handlers that need a permission of the API key: see [`Self::has_permission`].
    ///
    /// # Errors
    ///
    /// `403 insufficient_scope`, naming `resource:action` in the challenge.
    pub fn require_permission(&self, resource: &str, action: &str) -> Result<(), Refusal> {
        if self.has_permission(resource, action) {
            Ok(())
        } else {
            Err(Refusal::insufficient_scope(&format!("{resource}:{action}")))
        }
    }

    /// For handlers that nobody may reach as somebody else.
    ///
    /// A session tells whether an administrator acts as the user. A JWT of Better Auth carries no trace of it, and whoever
    /// acts as a user can have one made; so a JWT is refused, unless its issuer says by a claim that nobody does:
    /// `"impersonatedBy": null`. An API key is refused always: they can have one made as well, and it outlives the session
    /// it was made in.
    ///
    /// # Errors
    ///
    /// `403 impersonation_refused`.
    pub fn refuse_impersonation(&self) -> Result<(), Refusal> {
        let first_hand = match self.method() {
            Method::Jwt { .. } => self.says_nobody_impersonates(),
            Method::ApiKey { .. } => false,
            Method::Session { .. } | Method::Other(_) => self.impersonated_by().is_none(),
        };
        if first_hand { Ok(()) } else { Err(Refusal::impersonation_refused()) }
    }

    fn says_nobody_impersonates(&self) -> bool {
        #[derive(Deserialize)]
        struct Claims {
            /// Of no other type than null.
            #[serde(rename = "impersonatedBy")]
            _impersonated_by: (),
        }
        self.claims::<Claims>().is_ok()
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
