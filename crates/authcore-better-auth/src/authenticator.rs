//! One authenticator for everything a signed-in client may carry: session cookie, bearer session token, JWT.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use authcore::credential::bearer;
use authcore::{
    AuthError, Authenticator, BearerToken, Clock, ConfigError, Glance, Identity, RequestHead, SessionFault,
    SystemClock, Unavailable,
};

use crate::bearer_session::BearerSessions;
use crate::cache::{CacheCookie, CacheFault, CookieCache};
use crate::cookie::{CookieNames, SignedCookie};
use crate::cross_site::TrustedOrigins;
use crate::jwt::BetterAuthJwt;
use crate::secrets::Secrets;
use crate::session::{Carrier, SessionRecord};
use crate::store::SessionStore;
use crate::token::SessionToken;

/// Judges the credentials of Better Auth's clients. Cloning is cheap.
///
/// `Authorization: Bearer` decides where it is present: two dots make a JWT, one a signed session token, none a raw one.
/// Otherwise the signed session cookie does. What is refused is not retried as anything else.
///
/// A session is looked up in the store on every request, unless a cookie cache is configured and the request carries a good
/// one: then what happened since it was written is not seen (see [`CookieCache`] for how many seconds).
///
/// ```
/// use authcore::{Guard, Secret};
/// use authcore_better_auth::{BetterAuthSessions, CookieNames, Secrets, SessionStore, TrustedOrigins};
///
/// fn guard(store: impl SessionStore) -> Result<Guard, authcore::ConfigError> {
///     let secrets = Secrets::new(&Secret::new("kept-in-the-environment-32-bytes+"))?;
///     let sessions = BetterAuthSessions::builder(&CookieNames::at("https://app.example.com"), &secrets)
///         .store(store)
///         .trusted_origins(TrustedOrigins::new(["https://app.example.com"])?)
///         .build()?;
///     Guard::builder().authenticator(sessions).build()
/// }
/// ```
#[derive(Clone)]
pub struct BetterAuthSessions(Arc<Inner>);

struct Inner {
    cookie: SignedCookie,
    bearer: BearerSessions,
    cache: Option<CookieCache>,
    store: Option<Box<dyn AnyStore>>,
    jwts: Option<BetterAuthJwt>,
    origins: TrustedOrigins,
    fresh: Box<dyn Fresh>,
    clock: Box<dyn Clock>,
}

/// A credential copied out of a request: what has to be waited for.
#[derive(Debug)]
pub struct SessionCredential(Kind);

#[derive(Debug)]
enum Kind {
    Jwt(BearerToken),
    Session {
        token: SessionToken,
        carrier: Carrier,
        cache: Option<CacheCookie>,
    },
    /// Judged at a glance already.
    Judged(Identity),
}

impl BetterAuthSessions {
    /// Begins with the cookies' names and the secrets that sign them.
    pub fn builder(names: &CookieNames, secrets: &Secrets) -> BetterAuthSessionsBuilder {
        BetterAuthSessionsBuilder {
            cookie: SignedCookie::new(names, secrets),
            bearer: BearerSessions::Off,
            cache: None,
            store: None,
            jwts: None,
            origins: TrustedOrigins::default(),
            fresh: Box::new(|_: &dyn RequestHead| false),
            clock: Box::new(SystemClock),
        }
    }

    /// A session that a cookie stands for: from the cache where it may be relied on, else to be looked up.
    fn by_cookie(&self, head: &dyn RequestHead) -> Glance<SessionCredential> {
        let inner = &*self.0;
        let token = match inner.cookie.read(head) {
            Ok(Some(token)) => token,
            Ok(None) => return Glance::Absent,
            Err(fault) => return Glance::Judged(Err(Carrier::Cookie.refuse(fault))),
        };
        if let Err(error) = inner.origins.check(head) {
            return Glance::Judged(Err(error));
        }
        let mut keys_missing = None;
        if let Some(cache) = inner.cache.as_ref().filter(|_| !inner.fresh.is_wanted(head)) {
            match cache.read(head, &token) {
                Ok(Some(cached)) => return Glance::Judged(self.judge(cached.record, &token, Carrier::Cookie, "cache")),
                Err(CacheFault::UnknownKey) => keys_missing = cache.take(head).ok().flatten(),
                // A cache that does not count is no cache.
                Ok(None) | Err(_) => {}
            }
        }
        if inner.store.is_none() && keys_missing.is_none() {
            return Glance::Judged(Err(Carrier::Cookie.refuse(SessionFault::Unknown)));
        }
        Glance::Pending(SessionCredential(Kind::Session { token, carrier: Carrier::Cookie, cache: keys_missing }))
    }

    async fn look_up(
        &self,
        token: SessionToken,
        carrier: Carrier,
        cache: Option<CacheCookie>,
    ) -> Result<Identity, AuthError> {
        let inner = &*self.0;
        let mut outage = None;
        if let (Some(settings), Some(cookie)) = (&inner.cache, cache) {
            match settings.open_or_outage(&cookie, &token).await {
                Ok(Ok(cached)) => return self.judge(cached.record, &token, carrier, "cache"),
                Ok(Err(_)) => {}
                Err(unavailable) => outage = Some(unavailable),
            }
        }
        let Some(store) = &inner.store else {
            return Err(outage.map_or_else(|| carrier.refuse(SessionFault::Unknown), AuthError::Unavailable));
        };
        let found = store.session_any(&token).await.map_err(AuthError::Unavailable)?;
        let record = found.ok_or_else(|| carrier.refuse(SessionFault::Unknown))?;
        self.judge(record, &token, carrier, store.source_any())
    }

    fn judge(
        &self,
        record: SessionRecord,
        token: &SessionToken,
        carrier: Carrier,
        source: &'static str,
    ) -> Result<Identity, AuthError> {
        record.judge(token, self.0.clock.now(), source).map_err(|fault| carrier.refuse(fault))
    }
}

impl Authenticator for BetterAuthSessions {
    type Credential = SessionCredential;

    fn credential(&self, head: &dyn RequestHead) -> Result<Option<SessionCredential>, AuthError> {
        match self.glance(head) {
            Glance::Absent => Ok(None),
            Glance::Pending(credential) => Ok(Some(credential)),
            Glance::Judged(Err(error)) => Err(error),
            Glance::Judged(Ok(identity)) => Ok(Some(SessionCredential(Kind::Judged(identity)))),
        }
    }

    async fn verify(&self, credential: SessionCredential) -> Result<Identity, AuthError> {
        match (credential.0, &self.0.jwts) {
            (Kind::Session { token, carrier, cache }, _) => self.look_up(token, carrier, cache).await,
            (Kind::Jwt(token), Some(jwts)) => jwts.verify(token).await,
            (Kind::Jwt(_), None) => Err(AuthError::UnreadBearer),
            (Kind::Judged(identity), _) => Ok(identity),
        }
    }

    fn glance(&self, head: &dyn RequestHead) -> Glance<SessionCredential> {
        let Inner { bearer, jwts, .. } = &*self.0;
        match bearer.read(head) {
            Ok(Some(token)) => {
                let session = Kind::Session { token, carrier: Carrier::Bearer, cache: None };
                return Glance::Pending(SessionCredential(session));
            }
            Ok(None) => {}
            Err(error) => return Glance::Judged(Err(error)),
        }
        match (bearer::token(head), jwts) {
            (Err(error), _) => Glance::Judged(Err(error)),
            (Ok(None), _) => self.by_cookie(head),
            (Ok(Some(_)), Some(jwts)) => match jwts.glance(head) {
                Glance::Absent => Glance::Absent,
                Glance::Judged(verdict) => Glance::Judged(verdict),
                Glance::Pending(token) => Glance::Pending(SessionCredential(Kind::Jwt(token))),
            },
            // A bearer token that nothing here reads is somebody else's; the cookie beside it does not count.
            (Ok(Some(_)), None) => Glance::Absent,
        }
    }
}

impl fmt::Debug for BetterAuthSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { cookie, bearer, cache, origins, .. } = &*self.0;
        f.debug_struct("BetterAuthSessions")
            .field("cookie", &cookie.name())
            .field("bearer", bearer)
            .field("cache", cache)
            .field("origins", origins)
            .finish_non_exhaustive()
    }
}

/// Settings of a [`BetterAuthSessions`].
#[must_use]
pub struct BetterAuthSessionsBuilder {
    cookie: Result<SignedCookie, ConfigError>,
    bearer: BearerSessions,
    cache: Option<CookieCache>,
    store: Option<Box<dyn AnyStore>>,
    jwts: Option<BetterAuthJwt>,
    origins: TrustedOrigins,
    fresh: Box<dyn Fresh>,
    clock: Box<dyn Clock>,
}

impl BetterAuthSessionsBuilder {
    /// Where live sessions are looked up.
    pub fn store(mut self, store: impl SessionStore) -> Self {
        self.store = Some(Box::new(store));
        self
    }

    /// Trusts the cookie cache, as stale as it may be. Off by default.
    pub fn cache(mut self, cache: CookieCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Reads session tokens from `Authorization: Bearer` too. Off by default.
    pub fn bearer(mut self, bearer: BearerSessions) -> Self {
        self.bearer = bearer;
        self
    }

    /// Accepts the JWTs of the jwt plugin too.
    pub fn jwts(mut self, jwts: BetterAuthJwt) -> Self {
        self.jwts = Some(jwts);
        self
    }

    /// The origins whose pages may change something with a cookie: none by default, and then a cookie only reads, unless the
    /// browser says that the page is of the same origin.
    pub fn trusted_origins(mut self, origins: TrustedOrigins) -> Self {
        self.origins = origins;
        self
    }

    /// Passes the cache over for these requests, so that a session is always looked up: for what must see a sign-out at
    /// once. A [JWT](Self::jwts) is no session that could be looked up, and is accepted there as anywhere.
    pub fn fresh_when(mut self, wanted: impl Fn(&dyn RequestHead) -> bool + Send + Sync + 'static) -> Self {
        self.fresh = Box::new(wanted);
        self
    }

    /// The clock sessions are judged by: the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The authenticator.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a cookie name that cannot be one, when there is neither a store nor a cache, and when bearer
    /// session tokens have no store to be looked up in.
    pub fn build(self) -> Result<BetterAuthSessions, ConfigError> {
        let Self { cookie, bearer, cache, store, jwts, origins, fresh, clock } = self;
        if store.is_none() && cache.is_none() {
            return Err(ConfigError::new("sessions: a store or a cookie cache is needed to tell who is signed in"));
        }
        if store.is_none() && !matches!(bearer, BearerSessions::Off) {
            return Err(ConfigError::new("sessions: bearer session tokens need a store to be looked up in"));
        }
        let cookie = cookie?;
        Ok(BetterAuthSessions(Arc::new(Inner { cookie, bearer, cache, store, jwts, origins, fresh, clock })))
    }
}

impl fmt::Debug for BetterAuthSessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BetterAuthSessionsBuilder").field("cookie", &self.cookie).finish_non_exhaustive()
    }
}

/// Which requests pass the cache over.
trait Fresh: Send + Sync {
    fn is_wanted(&self, head: &dyn RequestHead) -> bool;
}

impl<F: Fn(&dyn RequestHead) -> bool + Send + Sync> Fresh for F {
    fn is_wanted(&self, head: &dyn RequestHead) -> bool {
        self(head)
    }
}

type Found<'s> = Pin<Box<dyn Future<Output = Result<Option<SessionRecord>, Unavailable>> + Send + 's>>;

/// [`SessionStore`] without its opaque future.
trait AnyStore: Send + Sync {
    fn session_any<'s>(&'s self, token: &'s SessionToken) -> Found<'s>;
    fn source_any(&self) -> &'static str;
}

impl<S: SessionStore> AnyStore for S {
    fn session_any<'s>(&'s self, token: &'s SessionToken) -> Found<'s> {
        Box::pin(self.session(token))
    }

    fn source_any(&self) -> &'static str {
        self.source()
    }
}
