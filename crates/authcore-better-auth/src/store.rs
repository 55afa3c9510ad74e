//! Where live sessions are looked up.

use std::future::Future;

use authcore::Unavailable;

use crate::session::SessionRecord;
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

    /// Where its sessions are found, in one word for logs: `"database"`, `"redis"` or `"http"`.
    fn source(&self) -> &'static str;
}
