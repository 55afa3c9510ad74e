//! One authenticator for everything that a client of Better Auth may carry.

use std::fmt;
use std::sync::Arc;

use authcore::credential::bearer;
use authcore::{AuthError, Authenticator, Clock, Glance, Identity, JwtVerifier, RemoteKeys, RequestHead};

use crate::jwt::{JwtCredential, Jwts};
use crate::sessions::{SessionCredential, Sessions};

/// Judges the credentials of Better Auth's clients: JWTs, session cookies and session tokens. Cloning is cheap.
///
/// What a credential is shows in its form, and it is judged once: what is refused is not retried as anything else.
///
/// | a request carries | it is |
/// |---|---|
/// | `Authorization: Bearer`, two dots | a JWT, whatever cookie is beside it |
/// | `Authorization: Bearer`, one dot or none | a session token, where these are [read](crate::BearerSessions) |
/// | the signed session cookie | a session |
///
/// A session is looked up in the store on every request, unless a cookie cache is trusted and the request carries a good
/// one: then what happened since it was written is not seen (see [`CookieCache`](crate::CookieCache) for how many seconds).
///
/// ```no_run
/// use authcore_better_auth::BetterAuth;
///
/// // JWTs: issuer, audience and key set follow from the URL.
/// let auth = BetterAuth::at("https://app.example.com")?.build()?;
/// # Ok::<(), authcore::ConfigError>(())
/// ```
///
/// ```
/// use authcore::{Guard, Secret};
/// use authcore_better_auth::{BetterAuth, Secrets, SessionStore};
///
/// fn guard(store: impl SessionStore) -> Result<Guard, authcore::ConfigError> {
///     let secrets = Secrets::new(&Secret::new("kept-in-the-environment-32-bytes+"))?;
///     let auth = BetterAuth::at("https://app.example.com")?.secrets(&secrets).sessions(store).build()?;
///     Guard::builder().authenticator(auth).build()
/// }
/// ```
#[derive(Clone)]
pub struct BetterAuth(pub(crate) Arc<Judges>);

/// What is judged, each by its own.
pub(crate) struct Judges {
    pub(crate) jwts: Option<Jwts>,
    pub(crate) sessions: Option<Sessions>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A credential copied out of a request: what has to be waited for.
#[derive(Debug)]
pub struct Presented(Kind);

#[derive(Debug)]
enum Kind {
    Jwt(JwtCredential),
    Session(SessionCredential),
    /// Judged at a glance already.
    Judged(Identity),
}

impl BetterAuth {
    /// The key set that is fetched, if there is one: load it at start, show its status in a readiness check.
    #[must_use]
    pub fn keys(&self) -> Option<&RemoteKeys> {
        self.0.jwts.as_ref().and_then(Jwts::keys)
    }

    /// What judges the JWTs, for tokens that do not come in a request. It knows nothing of the user besides.
    #[must_use]
    pub fn verifier(&self) -> Option<&JwtVerifier> {
        self.0.jwts.as_ref().map(Jwts::verifier)
    }

    /// What is allowed but unwise in the settings, a line each, for the log at start.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        self.0.jwts.as_ref().map_or(&[], Jwts::warnings)
    }

    /// A bearer token: what it is shows in its dots.
    fn by_bearer(&self, head: &dyn RequestHead) -> Glance<Kind> {
        let Judges { jwts, sessions, .. } = &*self.0;
        let session = sessions.as_ref().map_or(Glance::Absent, |sessions| sessions.by_bearer(head));
        match (session, jwts) {
            // A bearer token that nothing here reads is somebody else's; the cookie beside it does not count.
            (Glance::Absent, None) => Glance::Absent,
            (Glance::Absent, Some(jwts)) => pending(jwts.glance(head), Kind::Jwt),
            (session, _) => pending(session, Kind::Session),
        }
    }
}

impl Authenticator for BetterAuth {
    type Credential = Presented;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<Presented>, AuthError> {
        match self.glance(head) {
            Glance::Absent => Ok(None),
            Glance::Pending(presented) => Ok(Some(presented)),
            Glance::Judged(verdict) => verdict.map(|identity| Some(Presented(Kind::Judged(identity)))),
        }
    }

    async fn verify(&self, presented: Presented) -> Result<Identity, AuthError> {
        let Judges { jwts, sessions, clock } = &*self.0;
        match (presented.0, jwts, sessions) {
            (Kind::Judged(identity), ..) => Ok(identity),
            (Kind::Jwt(token), Some(jwts), _) => jwts.verify(token, &**clock).await,
            (Kind::Session(session), _, Some(sessions)) => sessions.look_up(session).await,
            // Taken from a request by another one, which reads what this one does not.
            (Kind::Jwt(_) | Kind::Session(_), ..) => Err(AuthError::UnreadBearer),
        }
    }

    fn glance(&self, head: &dyn RequestHead) -> Glance<Presented> {
        let glance = match bearer::token(head) {
            Err(error) => Glance::Judged(Err(error)),
            Ok(Some(_)) => self.by_bearer(head),
            Ok(None) => match &self.0.sessions {
                Some(sessions) => pending(sessions.by_cookie(head), Kind::Session),
                None => Glance::Absent,
            },
        };
        pending(glance, Presented)
    }
}

/// A glance at one kind as a glance at any.
fn pending<C, D>(glance: Glance<C>, kind: impl FnOnce(C) -> D) -> Glance<D> {
    match glance {
        Glance::Absent => Glance::Absent,
        Glance::Judged(verdict) => Glance::Judged(verdict),
        Glance::Pending(credential) => Glance::Pending(kind(credential)),
    }
}

impl fmt::Debug for BetterAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Judges { jwts, sessions, .. } = &*self.0;
        let mut shown = f.debug_struct("BetterAuth");
        shown.field("jwts", jwts);
        if let Some(Sessions { cookie, bearer, cache, origins, .. }) = sessions {
            shown
                .field("cookie", &cookie.name())
                .field("bearer", bearer)
                .field("cache", cache)
                .field("origins", origins);
        }
        shown.finish_non_exhaustive()
    }
}
