//! What session cookies and session tokens stand for: from the cookie cache where it may be relied on, else looked up.

use std::sync::Arc;

use authcore::{AuthError, Clock, Glance, Identity, RequestHead, SessionFault};

use crate::bearer_session::BearerSessions;
use crate::cache::{CacheCookie, CacheFault, CookieCache};
use crate::cookie::SignedCookie;
use crate::secrets::Secrets;
use crate::session::{Carrier, SessionRecord};
use crate::store::AnyStore;
use crate::token::SessionToken;
use authcore::TrustedOrigins;

/// Judges sessions.
pub(crate) struct Sessions {
    pub(crate) cookie: SignedCookie,
    pub(crate) secrets: Secrets,
    pub(crate) bearer: BearerSessions,
    pub(crate) cache: Option<CookieCache>,
    pub(crate) store: Option<Box<dyn AnyStore>>,
    pub(crate) origins: TrustedOrigins,
    pub(crate) fresh: Box<dyn Fresh>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A session to be looked up.
#[derive(Debug)]
pub(crate) struct SessionCredential {
    token: SessionToken,
    carrier: Carrier,
    /// A cache whose key has to be fetched first.
    cache: Option<CacheCookie>,
    /// Whether what is remembered counts.
    fresh: bool,
}

impl Sessions {
    /// A session that a bearer token stands for.
    pub(crate) fn by_bearer(&self, head: &dyn RequestHead) -> Glance<SessionCredential> {
        match self.bearer.read(head, &self.secrets) {
            Ok(None) => Glance::Absent,
            Ok(Some(token)) => Glance::Pending(self.to_look_up(head, token, Carrier::Bearer)),
            Err(error) => Glance::Judged(Err(error)),
        }
    }

    /// A session that a cookie stands for.
    pub(crate) fn by_cookie(&self, head: &dyn RequestHead) -> Glance<SessionCredential> {
        let token = match self.cookie.read(head) {
            Ok(Some(token)) => token,
            Ok(None) => return Glance::Absent,
            Err(fault) => return Glance::Judged(Err(Carrier::Cookie.refuse(fault))),
        };
        if let Err(error) = self.origins.check(head) {
            return Glance::Judged(Err(error));
        }
        let mut credential = self.to_look_up(head, token, Carrier::Cookie);
        if let Some(cache) = self.cache.as_ref().filter(|_| !credential.fresh) {
            match cache.read(head, &credential.token) {
                Ok(Some(cached)) => return Glance::Judged(self.judge(cached.record, &credential, "cache")),
                Err(CacheFault::UnknownKey) => credential.cache = cache.take(head).ok().flatten(),
                // A cache that does not count is no cache.
                Ok(None) | Err(_) => {}
            }
        }
        if self.store.is_none() && credential.cache.is_none() {
            return Glance::Judged(Err(Carrier::Cookie.refuse(SessionFault::Unknown)));
        }
        Glance::Pending(credential)
    }

    pub(crate) async fn look_up(&self, mut credential: SessionCredential) -> Result<Identity, AuthError> {
        let mut outage = None;
        if let (Some(settings), Some(cookie)) = (&self.cache, credential.cache.take()) {
            match settings.open_or_outage(&cookie, &credential.token).await {
                Ok(Ok(cached)) => return self.judge(cached.record, &credential, "cache"),
                Ok(Err(_)) => {}
                Err(unavailable) => outage = Some(unavailable),
            }
        }
        let unknown = || credential.carrier.refuse(SessionFault::Unknown);
        let Some(store) = &self.store else {
            return Err(outage.map_or_else(unknown, AuthError::Unavailable));
        };
        let token = &credential.token;
        let looked = if credential.fresh { store.session_now_any(token).await } else { store.session_any(token).await };
        let record = looked.map_err(AuthError::Unavailable)?.ok_or_else(unknown)?;
        self.judge(record, &credential, store.source_any())
    }

    fn to_look_up(&self, head: &dyn RequestHead, token: SessionToken, carrier: Carrier) -> SessionCredential {
        SessionCredential { token, carrier, cache: None, fresh: self.fresh.is_wanted(head) }
    }

    fn judge(
        &self,
        record: SessionRecord,
        credential: &SessionCredential,
        source: &'static str,
    ) -> Result<Identity, AuthError> {
        let judged = record.judge(&credential.token, self.clock.now(), source);
        judged.map_err(|fault| credential.carrier.refuse(fault))
    }
}

/// Which requests want a session looked up, whatever is remembered of it.
pub(crate) trait Fresh: Send + Sync {
    fn is_wanted(&self, head: &dyn RequestHead) -> bool;
}

impl<F: Fn(&dyn RequestHead) -> bool + Send + Sync> Fresh for F {
    fn is_wanted(&self, head: &dyn RequestHead) -> bool {
        self(head)
    }
}
