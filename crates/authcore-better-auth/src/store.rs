//! Where live sessions, users and API keys are looked up.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use authcore::{Unavailable, UserId};

use crate::api_key::{ApiKey, ApiKeyRecord, KeyUsage};
use crate::session::{SessionRecord, User};
use crate::token::SessionToken;

/// A place that knows which sessions are live: Better Auth's database, its secondary storage, or the server itself.
/// Reads only; nothing is ever written.
pub trait SessionStore: Send + Sync + 'static {
    /// The session of this token with its user, as stored; `Ok(None)` when there is none. What it is worth is
    /// [`SessionRecord::judge`]'s to say.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when nobody could tell: the store cannot be reached, is too slow, or answers what cannot be read.
    fn session(&self, token: &SessionToken) -> impl Future<Output = Result<Option<SessionRecord>, Unavailable>> + Send;

    /// As [`session`](Self::session), with nothing remembered: for a request that must see what happened a moment ago. The
    /// same, unless the store remembers look-ups.
    ///
    /// # Errors
    ///
    /// As [`session`](Self::session).
    fn session_now(
        &self,
        token: &SessionToken,
    ) -> impl Future<Output = Result<Option<SessionRecord>, Unavailable>> + Send {
        self.session(token)
    }

    /// Where its sessions are found, in one word for logs: `"database"`, `"redis"` or `"http"`.
    fn source(&self) -> &'static str;
}

/// A place that knows the users. Reads only.
pub trait UserStore: Send + Sync + 'static {
    /// This user; `Ok(None)` when there is none.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when nobody could tell.
    fn user(&self, id: &UserId) -> impl Future<Output = Result<Option<User>, Unavailable>> + Send;
}

/// A place that knows the API keys, and may be able to count their uses: Better Auth's database or its secondary
/// storage.
pub trait ApiKeyStore: Send + Sync + 'static {
    /// The row of this key with its owner, as stored; `Ok(None)` when there is none. What it is worth is
    /// [`ApiKeyRecord::judge`]'s to say.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when nobody could tell: the store cannot be reached, is too slow, or answers what cannot be read.
    fn api_key(&self, key: &ApiKey) -> impl Future<Output = Result<Option<ApiKeyRecord>, Unavailable>> + Send;

    /// Puts these counters in the place of those in the record, if they still are as they were read. `Ok(false)` when
    /// somebody else was faster, or the row is gone. Nothing else of the row changes, and no other row.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when nobody could tell whether it was done; always, where the store [cannot](Self::can_spend).
    fn spend(
        &self,
        _record: &ApiKeyRecord,
        _after: &KeyUsage,
    ) -> impl Future<Output = Result<bool, Unavailable>> + Send {
        async { Err(Unavailable::new("this store of API keys only reads", Duration::from_secs(1))) }
    }

    /// Whether it may write counters at all. A store that only reads need not say so.
    fn can_spend(&self) -> bool {
        false
    }

    /// Where its keys are found, in one word for logs: `"database"` or `"redis"`.
    fn source(&self) -> &'static str;
}

type Looked<'s, T> = Pin<Box<dyn Future<Output = Result<Option<T>, Unavailable>> + Send + 's>>;

/// [`SessionStore`] without its opaque futures.
pub(crate) trait AnyStore: Send + Sync {
    fn session_any<'s>(&'s self, token: &'s SessionToken) -> Looked<'s, SessionRecord>;
    fn session_now_any<'s>(&'s self, token: &'s SessionToken) -> Looked<'s, SessionRecord>;
    fn source_any(&self) -> &'static str;
}

impl<S: SessionStore> AnyStore for S {
    fn session_any<'s>(&'s self, token: &'s SessionToken) -> Looked<'s, SessionRecord> {
        Box::pin(self.session(token))
    }

    fn session_now_any<'s>(&'s self, token: &'s SessionToken) -> Looked<'s, SessionRecord> {
        Box::pin(self.session_now(token))
    }

    fn source_any(&self) -> &'static str {
        self.source()
    }
}

/// [`UserStore`] without its opaque future.
pub(crate) trait AnyUsers: Send + Sync {
    fn user_any<'s>(&'s self, id: &'s UserId) -> Looked<'s, User>;
}

impl<S: UserStore> AnyUsers for S {
    fn user_any<'s>(&'s self, id: &'s UserId) -> Looked<'s, User> {
        Box::pin(self.user(id))
    }
}
