//! The JWTs that Better Auth's jwt plugin gives to signed-in users (`GET /token`, `set-auth-jwt`).
//!
//! Other tokens signed with the same keys are refused: OAuth access tokens (`at+jwt`, another issuer), ID tokens (another
//! issuer and audience) and the session cache (its own `typ` and audience).

use std::fmt;

use authcore::{
    AuthError, Authenticator as _, BearerToken, Clock, Glance, Identity, JwtVerifier, RemoteKeys, RequestHead,
    SessionFault,
};

use crate::session::Carrier;
use crate::store::AnyUsers;

/// Judges JWTs, and their users where that is asked for.
pub(crate) struct Jwts {
    verifier: JwtVerifier,
    keys: Option<RemoteKeys>,
    warnings: Vec<String>,
    users: Option<Box<dyn AnyUsers>>,
}

/// What has to be waited for.
#[derive(Debug)]
pub(crate) enum JwtCredential {
    /// A key.
    Token(BearerToken),
    /// The user of a token that is good.
    User(Identity),
}

impl Jwts {
    pub(crate) fn new(verifier: JwtVerifier, keys: Option<RemoteKeys>, warnings: Vec<String>) -> Self {
        Self { verifier, keys, warnings, users: None }
    }

    /// Looks the user of each token up.
    pub(crate) fn check_users(&mut self, users: Option<Box<dyn AnyUsers>>) {
        self.users = users;
    }

    pub(crate) fn verifier(&self) -> &JwtVerifier {
        &self.verifier
    }

    pub(crate) fn keys(&self) -> Option<&RemoteKeys> {
        self.keys.as_ref()
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn glance(&self, head: &dyn RequestHead) -> Glance<JwtCredential> {
        match self.verifier.glance(head) {
            Glance::Absent => Glance::Absent,
            Glance::Judged(Ok(identity)) if self.users.is_some() => Glance::Pending(JwtCredential::User(identity)),
            Glance::Judged(verdict) => Glance::Judged(verdict),
            Glance::Pending(token) => Glance::Pending(JwtCredential::Token(token)),
        }
    }

    /// Copies the token out, and leaves judging it for later.
    pub(crate) fn present(&self, head: &dyn RequestHead) -> Glance<JwtCredential> {
        match self.verifier.credential(head) {
            Ok(None) => Glance::Absent,
            Ok(Some(token)) => Glance::Pending(JwtCredential::Token(token)),
            Err(error) => Glance::Judged(Err(error)),
        }
    }

    pub(crate) async fn verify(&self, credential: JwtCredential, clock: &dyn Clock) -> Result<Identity, AuthError> {
        let identity = match credential {
            JwtCredential::Token(token) => self.verifier.verify(token).await?,
            JwtCredential::User(identity) => identity,
        };
        let Some(users) = &self.users else { return Ok(identity) };
        let refuse = |fault| Err(Carrier::Bearer.refuse(fault));
        match users.user_any(identity.user_id()).await.map_err(AuthError::Unavailable)? {
            Some(user) if user.id != *identity.user_id() => refuse(SessionFault::UserMissing),
            Some(user) if user.is_banned(clock.now()) => refuse(SessionFault::UserBanned),
            Some(_) => Ok(identity),
            None => refuse(SessionFault::UserMissing),
        }
    }
}

impl fmt::Debug for Jwts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verifier, users, .. } = self;
        f.debug_struct("Jwts")
            .field("verifier", verifier)
            .field("checks_users", &users.is_some())
            .finish_non_exhaustive()
    }
}
