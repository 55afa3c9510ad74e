//! One authenticator for everything that a client of Better Auth may carry.

use std::fmt;
use std::sync::Arc;

use authcore::credential::bearer;
use authcore::{AuthError, Authenticator, Clock, Glance, Identity, JwtVerifier, RemoteKeys, RequestHead};

use crate::api_key::{ApiKeys, PresentedKey};
use crate::jwt::{JwtCredential, Jwts};
use crate::sessions::{SessionCredential, Sessions};

/// Judges the credentials of Better Auth's clients: JWTs, session cookies, session tokens and API keys. Cloning is cheap.
///
/// What a credential is shows in its form, and it is judged once: what is refused is not retried as anything else.
///
/// | a request carries | it is |
/// |---|---|
/// | `Authorization: Bearer`, two dots | a JWT, whatever cookie is beside it |
/// | `Authorization: Bearer`, one dot or none | a session token, where these are [read](crate::BearerSessions); an API key, if they are taken [as bearer](crate::ApiKeysBuilder::as_bearer) and it is long enough for one |
/// | `x-api-key` without a bearer token | an [API key](crate::ApiKeys), where these are accepted, whatever cookie is beside it |
/// | the signed session cookie alone | a session |
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
    pub(crate) api_keys: Option<ApiKeys>,
    /// Whose users they all are, as JWTs say it.
    pub(crate) issuer: Option<Arc<str>>,
    pub(crate) warnings: Vec<String>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A credential copied out of a request: what has to be waited for.
#[derive(Debug)]
pub struct Presented(Kind);

#[derive(Debug)]
enum Kind {
    Jwt(JwtCredential),
    Session(SessionCredential),
    ApiKey(PresentedKey),
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
        &self.0.warnings
    }

    /// A user is the same by session, by API key and by JWT, and of the same issuer.
    fn vouch(&self, identity: Identity) -> Identity {
        match &self.0.issuer {
            Some(issuer) => identity.issued_by(Arc::clone(issuer)),
            None => identity,
        }
    }

    fn look(&self, head: &dyn RequestHead, jwt: LookAtJwt) -> Glance<Presented> {
        let glance = match bearer::token(head) {
            Err(error) => Glance::Judged(Err(error)),
            Ok(Some(_)) => self.by_bearer(head, jwt),
            Ok(None) => self.by_field(head),
        };
        pending(glance, Presented)
    }

    /// Without a bearer token: an API key, else a cookie.
    fn by_field(&self, head: &dyn RequestHead) -> Glance<Kind> {
        let Judges { sessions, api_keys, .. } = &*self.0;
        let key = api_keys.as_ref().map_or(Glance::Absent, |api_keys| api_keys.glance(head));
        match (key, sessions) {
            (Glance::Absent, Some(sessions)) => match sessions.by_cookie(head) {
                Glance::Judged(verdict) => Glance::Judged(verdict.map(|identity| self.vouch(identity))),
                glance => pending(glance, Kind::Session),
            },
            (key, _) => pending(key, Kind::ApiKey),
        }
    }

    /// A bearer token: what it is shows in its dots.
    fn by_bearer(&self, head: &dyn RequestHead, look: LookAtJwt) -> Glance<Kind> {
        let Judges { jwts, sessions, api_keys, .. } = &*self.0;
        let key = api_keys.as_ref().map_or(Glance::Absent, |api_keys| api_keys.by_bearer(head));
        if !matches!(key, Glance::Absent) {
            return pending(key, Kind::ApiKey);
        }
        let session = sessions.as_ref().map_or(Glance::Absent, |sessions| sessions.by_bearer(head));
        match (session, jwts) {
            // A bearer token that nothing here reads is somebody else's; the cookie beside it does not count.
            (Glance::Absent, None) => Glance::Absent,
            (Glance::Absent, Some(jwts)) => pending(look(jwts, head), Kind::Jwt),
            (session, _) => pending(session, Kind::Session),
        }
    }
}

impl Authenticator for BetterAuth {
    type Credential = Presented;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<Presented>, AuthError> {
        match self.look(head, Jwts::present) {
            Glance::Absent => Ok(None),
            Glance::Pending(presented) => Ok(Some(presented)),
            Glance::Judged(verdict) => verdict.map(|identity| Some(Presented(Kind::Judged(identity)))),
        }
    }

    async fn verify(&self, presented: Presented) -> Result<Identity, AuthError> {
        let Judges { jwts, sessions, api_keys, clock, .. } = &*self.0;
        match (presented.0, jwts, sessions, api_keys) {
            (Kind::Judged(identity), ..) => Ok(identity),
            (Kind::Jwt(token), Some(jwts), ..) => jwts.verify(token, &**clock).await,
            (Kind::Session(session), _, Some(sessions), _) => sessions.look_up(session).await.map(|it| self.vouch(it)),
            (Kind::ApiKey(key), .., Some(api_keys)) => api_keys.verify(key).await.map(|it| self.vouch(it)),
            // Taken from a request by another one, which reads what this one does not.
            (Kind::Jwt(_) | Kind::Session(_) | Kind::ApiKey(_), ..) => Err(AuthError::UnreadBearer),
        }
    }

    fn header_fields(&self) -> Vec<String> {
        self.0.api_keys.as_ref().map(ApiKeys::header_fields).unwrap_or_default()
    }

    fn glance(&self, head: &dyn RequestHead) -> Glance<Presented> {
        self.look(head, Jwts::glance)
    }
}

/// Whether a JWT is judged where it can be, or copied out for later.
type LookAtJwt = fn(&Jwts, &dyn RequestHead) -> Glance<JwtCredential>;

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
        let Judges { jwts, sessions, api_keys, .. } = &*self.0;
        let mut shown = f.debug_struct("BetterAuth");
        shown.field("jwts", jwts).field("api_keys", api_keys);
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
