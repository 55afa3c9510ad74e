//! Who is calling, and whose rows they may touch.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::jwt::Algorithm;
use crate::refusal::Refusal;

/// A user's id: opaque text, compared byte for byte. No folding, no normalisation: `Ann`, `ann` and `ann` with
/// another Unicode spelling are three users.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

impl UserId {
    /// The longest id that is accepted, in bytes. OpenID Connect Core §2 allows a `sub` 255 characters.
    pub const MAX_BYTES: usize = 255;

    /// Checks an id that comes from a trusted place: a verified claim, one's own database.
    ///
    /// # Errors
    ///
    /// [`InvalidUserId`] when it is empty, longer than [`Self::MAX_BYTES`], begins or ends with white space, or holds
    /// a control character: such ids invite two spellings of one user.
    pub fn new(text: &str) -> Result<Self, InvalidUserId> {
        let padded = text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
        if text.is_empty() || text.len() > Self::MAX_BYTES || padded || text.contains(char::is_control) {
            return Err(InvalidUserId);
        }
        Ok(Self(Arc::from(text)))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for UserId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A text that cannot be a user's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a user id: empty, too long, padded with white space, or holding a control character")]
pub struct InvalidUserId;

/// Which kind of credential an identity rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// A JSON Web Token, by the algorithm it was signed with and the key it named.
    Jwt {
        /// The signature's algorithm.
        algorithm: Algorithm,
        /// The `kid` of the key that verified it, if that key has one.
        key_id: Option<Arc<str>>,
    },
    /// A session of the auth server, by where it was found: `"database"`, `"redis"`, `"http"` or `"cache"`.
    Session {
        /// Where the session was found.
        source: &'static str,
    },
    /// An API key of the auth server, by where it was found: `"database"` or `"redis"`.
    ApiKey {
        /// Where the key was found.
        source: &'static str,
    },
    /// Something else, in the authenticator's own word.
    Other(&'static str),
}

/// A caller whose credential was verified: issuer and user id, with the claims that were verified along.
///
/// Cloning is cheap. Identities are made by authenticators, through [`Identity::assertion`].
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    issuer: Option<Arc<str>>,
    user_id: UserId,
    roles: Option<Box<str>>,
    claims: Box<str>,
    expires_at: Option<Timestamp>,
    impersonated_by: Option<UserId>,
    method: Method,
}

impl Identity {
    /// Asserts that this user was authenticated. For authenticators only: whoever calls this vouches for it.
    pub fn assertion(user_id: UserId, method: Method) -> Assertion {
        Assertion(Inner {
            issuer: None,
            user_id,
            roles: None,
            claims: "{}".into(),
            expires_at: None,
            impersonated_by: None,
            method,
        })
    }

    /// The same with this issuer. For authenticators whose credential names none, though it is one's users like those of
    /// another kind that does.
    #[must_use]
    pub fn issued_by(self, issuer: Arc<str>) -> Self {
        let inner = Arc::unwrap_or_clone(self.0);
        Self(Arc::new(Inner { issuer: Some(issuer), ..inner }))
    }

    /// The user, unique within the issuer.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        &self.0.user_id
    }

    /// Who vouched for the user (`iss`), where the credential says so. The user id means nothing beyond it.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.0.issuer.as_deref()
    }

    /// When the credential expires.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at
    }

    /// The administrator who acts as this user, where the credential tells: sessions do, JWTs do not.
    #[must_use]
    pub fn impersonated_by(&self) -> Option<&UserId> {
        self.0.impersonated_by.as_ref()
    }

    /// The kind of credential this rests on.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// The roles the credential grants, in its order. A role claim of an unexpected JSON type grants none.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.roles.as_deref().into_iter().flat_map(|roles| roles.split(',')).map(str::trim).filter(|r| !r.is_empty())
    }

    /// Whether one of the roles is this one, byte for byte.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().any(|held| held == role)
    }

    /// The verified claims as JSON text, as the issuer wrote them.
    #[must_use]
    pub fn claims_json(&self) -> &str {
        &self.0.claims
    }

    /// The verified claims in a shape of one's own.
    ///
    /// # Errors
    ///
    /// When the claims do not have that shape. They are verified, so this is the issuer's or the caller's affair, not
    /// an attack; still a claim of a wrong type grants nothing.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0.claims)
    }

    /// The caller's own rows.
    #[must_use]
    pub fn scope(&self) -> UserScope {
        UserScope { owner: self.user_id().clone(), actor: self.user_id().clone(), access: Access::Full }
    }
}

impl fmt::Debug for Identity {
    /// Leaves the claims out: they are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("issuer", &self.0.issuer)
            .field("user_id", &self.0.user_id)
            .field("method", &self.0.method)
            .finish_non_exhaustive()
    }
}

/// An [`Identity`] in the making.
#[must_use]
pub struct Assertion(Inner);

impl Assertion {
    /// Who vouches for the user.
    pub fn issuer(mut self, issuer: Arc<str>) -> Self {
        self.0.issuer = Some(issuer);
        self
    }

    /// The roles, separated by commas.
    pub fn roles(mut self, roles: impl Into<Box<str>>) -> Self {
        self.0.roles = Some(roles.into());
        self
    }

    /// The claims that were verified, as the text of a JSON object.
    pub fn claims(mut self, json: impl Into<Box<str>>) -> Self {
        self.0.claims = json.into();
        self
    }

    /// When the credential expires.
    pub fn expires_at(mut self, at: Timestamp) -> Self {
        self.0.expires_at = Some(at);
        self
    }

    /// The administrator who acts as this user.
    pub fn impersonated_by(mut self, administrator: UserId) -> Self {
        self.0.impersonated_by = Some(administrator);
        self
    }

    /// The identity.
    #[must_use]
    pub fn into_identity(self) -> Identity {
        Identity(Arc::new(self.0))
    }
}

/// Proof that the caller may touch one user's rows. Only [`Identity::scope`] and an
/// [`Isolation`](crate::Isolation) decision make one, so data access that takes it cannot be called unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserScope {
    owner: UserId,
    actor: UserId,
    access: Access,
}

/// What may be done to the rows of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading and writing.
    Full,
}

impl UserScope {
    pub(crate) fn granted(owner: UserId, actor: UserId, access: Access) -> Self {
        Self { owner, actor, access }
    }

    /// Whose rows these are: what a query filters by.
    #[must_use]
    pub fn owner(&self) -> &UserId {
        &self.owner
    }

    /// Who is calling: the owner, or somebody whose role allows it.
    #[must_use]
    pub fn actor(&self) -> &UserId {
        &self.actor
    }

    /// What may be done to the rows.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
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

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(roles: &str) -> Identity {
        let user = UserId::new("ann").expect("a plain id");
        Identity::assertion(user, Method::Other("test")).roles(roles).into_identity()
    }

    #[test]
    fn roles_are_split_trimmed_and_compared_whole() {
        let caller = identity(" user, admin,,");
        assert_eq!(caller.roles().collect::<Vec<_>>(), ["user", "admin"]);
        assert!(
            caller.has_role("admin") && !caller.has_role("adm") && !caller.has_role("Admin") && !caller.has_role("")
        );
    }

    #[test]
    fn ids_are_opaque_but_never_ambiguous() {
        for good in ["a", "a:b", "*", "../x", "' OR 1=1 --", "user%2D1", "Ünï", "a b", "\u{200b}x"] {
            assert_eq!(UserId::new(good).map(|id| id.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", " a", "a ", "a\n", "a\0b", "a\u{7f}", "\u{a0}a", &"x".repeat(256)] {
            assert_eq!(UserId::new(bad), Err(InvalidUserId), "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_no_claims() {
        let user = UserId::new("ann").expect("a plain id");
        let caller = Identity::assertion(user, Method::Other("test")).claims(r#"{"email":"ann@x"}"#).into_identity();
        assert!(!format!("{caller:?}").contains("ann@x"));
    }
}
