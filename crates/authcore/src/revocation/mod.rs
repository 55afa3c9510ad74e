//! Taking back what was issued: tokens that are genuine and in force, and refused all the same.

mod in_process;

use std::future::Future;
use std::pin::Pin;

pub use in_process::RevokedTokens;

use crate::clock::Timestamp;
use crate::error::Unavailable;
use crate::identity::Identity;

/// Asked of every token that verifies, also of one that is remembered: was it taken back?
///
/// [`RevokedTokens`] answers from memory. One that has to ask elsewhere makes every request wait for it.
pub trait Revocation: Send + Sync + 'static {
    /// Whether this caller's token was taken back: by what [`Revoked`] says of its token id, its session, its user and when
    /// it was issued.
    fn check(&self, caller: &Identity) -> Checked;
}

/// Whether a token was taken back.
pub enum Checked {
    /// Known at once.
    Now(bool),
    /// To be waited for, with a deadline of its own. It fails when nobody can tell: then the request is 503.
    Later(Pin<Box<dyn Future<Output = Result<bool, Unavailable>> + Send>>),
}

/// What is taken back of one user, who is named beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revoked<'r> {
    /// The token of this id (`jti`, RFC 7519 §4.1.7), which expires then.
    Token {
        /// Its id.
        id: &'r str,
        /// When it expires: after that nothing has to be kept of it.
        expires_at: Timestamp,
    },
    /// Every token of this session (`sid`, or what the verifier was told names it).
    Session(&'r str),
    /// Every token of the user that was issued before this moment (`iat`), or that does not say when.
    ///
    /// `iat` counts whole seconds, so all of the second that holds the moment are taken back, unless the moment is its very
    /// beginning. An issuer whose clock is ahead dates tokens later: add the leeway of the verifier to the moment where that
    /// matters.
    IssuedBefore(Timestamp),
}

impl<R: Revocation + ?Sized> Revocation for Box<R> {
    fn check(&self, caller: &Identity) -> Checked {
        (**self).check(caller)
    }
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Now(revoked) => f.debug_tuple("Now").field(revoked).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}
