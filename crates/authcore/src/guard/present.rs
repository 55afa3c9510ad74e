//! What a request presents, and to whom it is shown.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::asked::Asked;
use super::{Guard, Need};
use crate::authenticator::{AnyAuthenticator, Glance, Verdict};
use crate::credential::bearer;
use crate::error::AuthError;
use crate::head::RequestHead;
use crate::identity::Identity;

/// Who calls, as far as it can be said.
pub(super) enum Presented {
    /// Somebody, or nobody where that will do.
    Judged(Result<Option<Identity>, AuthError>),
    Pending(Verdict),
}

/// How an authenticator looks at a request.
pub(super) type Look = fn(Arc<dyn AnyAuthenticator>, &dyn RequestHead) -> Glance<Verdict>;

impl Guard {
    /// What the client put there on purpose counts, else what its browser sent along.
    pub(super) fn present(&self, head: &dyn RequestHead, asked: &Asked<'_>, look: Look) -> Presented {
        // Nor where nothing is going to be served whoever calls.
        if asked.is_open() || asked.owner.is_err() {
            return Presented::Judged(Ok(None));
        }
        match self.find(head, look) {
            Ok(Some(presented)) => presented,
            Ok(None) if asked.need == Need::Optional => Presented::Judged(Ok(None)),
            Ok(None) => Presented::Judged(Err(AuthError::Missing)),
            Err(error) => Presented::Judged(Err(error)),
        }
    }

    fn find(&self, head: &dyn RequestHead, look: Look) -> Result<Option<Presented>, AuthError> {
        if let Some(token) = self.0.sources.in_handshake(head)? {
            return self.ask(&Carrying::alone(head, token), look).ok_or(AuthError::UnreadBearer).map(Some);
        }
        if let Some(presented) = self.ask(head, look) {
            return Ok(Some(presented));
        }
        // A token that nobody reads is a bad one, and not none.
        if bearer::token(head)?.is_some() {
            return Err(AuthError::UnreadBearer);
        }
        let Some(token) = self.0.sources.in_cookie(head).map_err(in_cookie)? else { return Ok(None) };
        match self.ask(&Carrying::new(head, token), look) {
            None => Err(in_cookie(AuthError::UnreadBearer)),
            Some(Presented::Judged(verdict)) => Ok(Some(Presented::Judged(verdict.map_err(in_cookie)))),
            Some(Presented::Pending(verdict)) => {
                Ok(Some(Presented::Pending(Box::pin(async move { verdict.await.map_err(in_cookie) }))))
            }
        }
    }

    /// Asks the authenticators in order; the first to recognise a credential gives the final answer.
    fn ask(&self, head: &dyn RequestHead, look: Look) -> Option<Presented> {
        self.0.authenticators.iter().find_map(|authenticator| match look(Arc::clone(authenticator), head) {
            Glance::Absent => None,
            Glance::Judged(verdict) => Some(Presented::Judged(verdict.map(Some))),
            Glance::Pending(verdict) => Some(Presented::Pending(verdict)),
        })
    }
}

/// As it is told to who sent a cookie. Outages are the same for everybody.
fn in_cookie(error: AuthError) -> AuthError {
    if matches!(error, AuthError::Unavailable(_)) { error } else { AuthError::InCookie(Box::new(error)) }
}

/// A request whose token came elsewhere, as if it had come in `Authorization`.
struct Carrying<'h> {
    head: &'h dyn RequestHead,
    authorization: String,
    /// Whether cookies count beside it.
    cookies: bool,
}

impl<'h> Carrying<'h> {
    fn new(head: &'h dyn RequestHead, token: &str) -> Self {
        Self { head, authorization: format!("Bearer {token}"), cookies: true }
    }

    /// What a client put there on purpose counts before what its browser sent along, whoever looks first.
    fn alone(head: &'h dyn RequestHead, token: &str) -> Self {
        Self { cookies: false, ..Self::new(head, token) }
    }
}

impl RequestHead for Carrying<'_> {
    fn method(&self) -> &str {
        self.head.method()
    }

    fn path(&self) -> &str {
        self.head.path()
    }

    fn query(&self) -> Option<&str> {
        self.head.query()
    }

    fn peer(&self) -> Option<IpAddr> {
        self.head.peer()
    }

    fn field_lines<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8]) -> ControlFlow<()>) {
        if name == "cookie" && !self.cookies {
            return;
        }
        if name == "authorization" {
            // There is no more of it, whoever breaks off.
            let _ = visit(self.authorization.as_bytes());
        } else {
            self.head.field_lines(name, visit);
        }
    }
}
