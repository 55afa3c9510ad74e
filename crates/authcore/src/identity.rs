//! Who is calling, and whose rows they may touch.

mod claims;
mod moment;
mod origin;
mod scope;
mod user_id;

use std::fmt;
use std::sync::Arc;

pub(crate) use claims::{Claims, Parts, Place};
use moment::Moment;
pub(crate) use origin::Origin;
pub use scope::{Access, UserScope};
pub use user_id::{InvalidUserId, UserId};

use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::jwt::Algorithm;

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
pub struct Identity(Arc<Facts>);

/// What was verified. Small, since each remembered token has one; what a hit reads stands first, beside the count of
/// references that it writes.
#[derive(Clone)]
#[repr(C)]
struct Facts {
    expires_at: Moment,
    issued_at: Moment,
    origin: Arc<Origin>,
    user_id: UserId,
    claims: Claims,
    /// Few have one.
    impersonated_by: Option<Box<UserId>>,
}

impl Identity {
    /// Asserts that this user was authenticated. For authenticators only: whoever calls this vouches for it.
    pub fn assertion(user_id: UserId, method: Method) -> Assertion {
        Assertion {
            origin: Origin { issuer: None, first_name: None, method },
            user_id,
            claims: Parts::none(),
            issued_at: None,
            expires_at: None,
            impersonated_by: None,
        }
    }

    /// Of a token.
    pub(crate) fn of_token(
        user_id: UserId,
        origin: Arc<Origin>,
        claims: Parts,
        [issued_at, expires_at]: [Option<Timestamp>; 2],
    ) -> Self {
        Self(Arc::new(Facts {
            origin,
            user_id,
            claims: claims.joined(),
            issued_at: issued_at.into(),
            expires_at: expires_at.into(),
            impersonated_by: None,
        }))
    }

    /// The same in memory of its own, so that who clones the one never waits for who clones the other.
    pub(crate) fn apart(&self) -> Self {
        let facts = &*self.0;
        let impersonated_by = facts.impersonated_by.as_ref().map(|by| Box::new(by.apart()));
        Self(Arc::new(Facts { user_id: facts.user_id.apart(), impersonated_by, ..facts.clone() }))
    }

    /// About how many bytes of memory it takes, all of it counted as its own.
    pub(crate) fn bytes(&self) -> usize {
        // Of each allocation the allocator's own, and of those that are shared the two counts of references.
        const ALLOCATION: usize = 2 * size_of::<usize>();
        const SHARED: usize = ALLOCATION + 2 * size_of::<usize>();
        let Facts { origin, user_id, claims, .. } = &*self.0;
        let names = [&origin.issuer, &origin.first_name].into_iter().flatten();
        let issuer: usize = names.map(|name| SHARED + name.len()).sum();
        let user_id = user_id.bytes_apart().map_or(0, |bytes| SHARED + bytes);
        SHARED + size_of::<Facts>() + user_id + ALLOCATION + claims.bytes() + SHARED + size_of::<Origin>() + issuer
    }

    /// The same with this issuer. For authenticators whose credential names none, though it is one's users like those of
    /// another kind that does.
    #[must_use]
    pub fn issued_by(self, issuer: Arc<str>) -> Self {
        let facts = Arc::unwrap_or_clone(self.0);
        let origin = Origin { issuer: Some(issuer), first_name: None, method: facts.origin.method.clone() };
        Self(Arc::new(Facts { origin: Arc::new(origin), ..facts }))
    }

    /// The user, unique within the issuer.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        &self.0.user_id
    }

    /// Who vouched for the user (`iss`), where the credential says so. The user id means nothing beyond it.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.0.origin.issuer.as_deref()
    }

    /// The issuer by one name, also where it goes by several: what its users are counted by.
    pub(crate) fn issuer_by_first_name(&self) -> Option<&str> {
        let Origin { issuer, first_name, .. } = &*self.0.origin;
        first_name.as_ref().or(issuer.as_ref()).map(|name| &**name)
    }

    /// When the credential was issued (`iat`), where it says so: a revocation of all that came before asks for this.
    #[must_use]
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.0.issued_at.into()
    }

    /// The credential's own id (`jti`), where it has one: what revoking this one credential names.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.0.claims.token_id()
    }

    /// The id of the session it belongs to (`sid`, OpenID Connect Front-Channel Logout §3), where it names one: what
    /// ending a session names. Never the session's token, which is a credential.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.0.claims.session_id()
    }

    /// When the credential expires.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at.into()
    }

    /// Whether the credential counts as issued before a moment: by the second, as tokens are dated, and also when it does
    /// not say.
    #[must_use]
    pub fn was_issued_before(&self, moment: Timestamp) -> bool {
        self.issued_at().is_none_or(|issued| Timestamp::from_seconds(issued.as_seconds()) < moment)
    }

    /// The administrator who acts as this user, where the credential tells: sessions do, JWTs do not.
    #[must_use]
    pub fn impersonated_by(&self) -> Option<&UserId> {
        self.0.impersonated_by.as_deref()
    }

    /// The kind of credential this rests on.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.0.origin.method
    }

    /// The roles the credential grants, in its order. A role claim of an unexpected JSON type grants none.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        let roles = self.0.claims.roles();
        roles.into_iter().flat_map(|roles| roles.split(',')).map(str::trim).filter(|role| !role.is_empty())
    }

    /// Whether one of the roles is this one, byte for byte.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().any(|held| held == role)
    }

    /// The verified claims as JSON text, as the issuer wrote them.
    #[must_use]
    pub fn claims_json(&self) -> &str {
        self.0.claims.json()
    }

    /// The verified claims in a shape of one's own.
    ///
    /// # Errors
    ///
    /// When the claims do not have that shape. They are verified, so this is the issuer's or the caller's affair, not
    /// an attack; still a claim of a wrong type grants nothing.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.0.claims.json())
    }

    /// The caller's own rows.
    #[must_use]
    pub fn scope(&self) -> UserScope {
        UserScope::granted(self.user_id().clone(), self.clone(), Access::Full)
    }
}

impl fmt::Debug for Identity {
    /// Leaves the claims out: they are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("issuer", &self.0.origin.issuer)
            .field("user_id", &self.0.user_id)
            .field("method", &self.0.origin.method)
            .finish_non_exhaustive()
    }
}

/// An [`Identity`] in the making.
#[must_use]
pub struct Assertion {
    origin: Origin,
    user_id: UserId,
    claims: Parts,
    issued_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    impersonated_by: Option<UserId>,
}

impl Assertion {
    /// Who vouches for the user.
    pub fn issuer(mut self, issuer: Arc<str>) -> Self {
        self.origin.issuer = Some(issuer);
        self
    }

    /// The roles, separated by commas.
    pub fn roles(mut self, roles: impl Into<Box<str>>) -> Self {
        self.claims.roles = Some(Place::Apart(roles.into()));
        self
    }

    /// The claims that were verified, as the text of a JSON object. More than 1 GiB of it is not kept, and reads as `{}`.
    pub fn claims(mut self, json: impl Into<Box<str>>) -> Self {
        self.claims.json = json.into().into_string();
        self
    }

    /// When the credential was issued.
    pub fn issued_at(mut self, at: Timestamp) -> Self {
        self.issued_at = Some(at);
        self
    }

    /// The credential's own id. Not the credential itself: it may be logged and stored.
    pub fn token_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.claims.token_id = Some(Place::Apart(id.into()));
        self
    }

    /// The id of the session that the credential belongs to. Not the session's token: it may be logged and stored.
    pub fn session_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.claims.session_id = Some(Place::Apart(id.into()));
        self
    }

    /// When the credential expires.
    pub fn expires_at(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// The administrator who acts as this user.
    pub fn impersonated_by(mut self, administrator: UserId) -> Self {
        self.impersonated_by = Some(administrator);
        self
    }

    /// The identity.
    #[must_use]
    pub fn into_identity(self) -> Identity {
        let Self { origin, user_id, claims, issued_at, expires_at, impersonated_by } = self;
        Identity(Arc::new(Facts {
            origin: Arc::new(origin),
            user_id,
            claims: claims.joined(),
            issued_at: issued_at.into(),
            expires_at: expires_at.into(),
            impersonated_by: impersonated_by.map(Box::new),
        }))
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
    fn what_was_asserted_is_told() {
        let user = UserId::new("ann").expect("a plain id");
        let bare = Identity::assertion(user.clone(), Method::Other("test")).into_identity();
        assert_eq!(
            (bare.issued_at(), bare.token_id(), bare.session_id(), bare.claims_json()),
            (None, None, None, "{}")
        );
        let at = Timestamp::from_seconds(7);
        let full = Identity::assertion(user, Method::Other("test")).issued_at(at).token_id("t").session_id("s");
        let full = full.claims(r#"{"a":1}"#).into_identity();
        assert_eq!((full.issued_at(), full.token_id(), full.session_id()), (Some(at), Some("t"), Some("s")));
        assert_eq!(full.claims_json(), r#"{"a":1}"#);
    }

    #[test]
    fn debug_shows_the_user_and_no_claims() {
        let user = UserId::new("ann").expect("a plain id");
        let caller = Identity::assertion(user, Method::Other("test")).claims(r#"{"email":"ann@x"}"#).into_identity();
        let expected = r#"Identity { issuer: None, user_id: UserId("ann"), method: Other("test"), .. }"#;
        assert_eq!(format!("{caller:?}"), expected);
    }

    #[test]
    fn apart_it_says_the_same_in_memory_of_its_own() {
        let id = |letter: &str| UserId::new(&letter.repeat(60)).expect("a plain id");
        let acted = Identity::assertion(id("a"), Method::Other("test")).impersonated_by(id("b")).into_identity();
        let apart = acted.apart();
        let texts = |identity: &Identity| {
            let by = identity.impersonated_by().expect("somebody acts");
            [identity.user_id(), by].map(|id| (id.to_string(), id.as_str().as_ptr()))
        };
        for ((text, place), (same, elsewhere)) in texts(&acted).into_iter().zip(texts(&apart)) {
            assert_eq!(text, same);
            assert_ne!(place, elsewhere, "{text}");
        }
    }
}
