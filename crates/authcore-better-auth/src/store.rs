//! Where live sessions, and users, are looked up.

use std::future::Future;

use authcore::{Unavailable, UserId};

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
