//! The trait that JWTs, sessions and API keys implement alike, and its private, type-erased twin.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::AuthError;
use crate::head::RequestHead;
use crate::identity::Identity;

/// Turns one kind of credential into an [`Identity`].
///
/// Judging takes two steps, so that nothing borrowed from the request crosses an `.await`: [`credential`] copies out
/// what the request presents, [`verify`] judges it. Recognising is by shape alone, and the first authenticator to
/// recognise a credential gives the final answer: a refused one is never tried as something else.
///
/// [`credential`]: Self::credential
/// [`verify`]: Self::verify
pub trait Authenticator: Send + Sync + 'static {
    /// What this authenticator reads from a request: owned, and redacted in `Debug`.
    type Credential: Send + 'static;

    /// Copies the credential out of the request; `Ok(None)` when it carries nothing of this kind.
    ///
    /// # Errors
    ///
    /// When something of this kind is there but cannot be read without guessing.
    fn credential(&self, head: &dyn RequestHead) -> Result<Option<Self::Credential>, AuthError>;

    /// The verdict on a credential that this authenticator recognised.
    ///
    /// # Errors
    ///
    /// Why there is no identity; [`AuthError::Unavailable`] when nobody could judge it.
    fn verify(&self, credential: Self::Credential) -> impl Future<Output = Result<Identity, AuthError>> + Send;

    /// Header fields that credentials are read from, besides `Authorization` and `Cookie`: answers vary by them (RFC 9110
    /// §12.5.5).
    fn header_fields(&self) -> Vec<String> {
        Vec::new()
    }

    /// What can be said from the borrowed request, without a copy and without waiting.
    fn glance(&self, head: &dyn RequestHead) -> Glance<Self::Credential> {
        match self.credential(head) {
            Ok(None) => Glance::Absent,
            Ok(Some(credential)) => Glance::Pending(credential),
            Err(error) => Glance::Judged(Err(error)),
        }
    }
}

/// An authenticator's first look at a request.
#[derive(Debug)]
pub enum Glance<C> {
    /// Nothing of this kind.
    Absent,
    /// The verdict, without waiting.
    Judged(Result<Identity, AuthError>),
    /// A credential whose verdict needs waiting for.
    Pending(C),
}

pub(crate) type Verdict = Pin<Box<dyn Future<Output = Result<Identity, AuthError>> + Send>>;

/// [`Authenticator`] without its associated type, so that a guard can hold several kinds.
pub(crate) trait AnyAuthenticator: Send + Sync {
    fn glance_any(self: Arc<Self>, head: &dyn RequestHead) -> Glance<Verdict>;

    fn header_fields_any(&self) -> Vec<String>;

    /// Copies the credential out and leaves judging it for later.
    fn present_any(self: Arc<Self>, head: &dyn RequestHead) -> Glance<Verdict>;
}

impl<A: Authenticator> AnyAuthenticator for A {
    fn glance_any(self: Arc<Self>, head: &dyn RequestHead) -> Glance<Verdict> {
        match self.glance(head) {
            Glance::Absent => Glance::Absent,
            Glance::Judged(verdict) => Glance::Judged(verdict),
            Glance::Pending(credential) => Glance::Pending(Box::pin(async move { self.verify(credential).await })),
        }
    }

    fn header_fields_any(&self) -> Vec<String> {
        self.header_fields()
    }

    fn present_any(self: Arc<Self>, head: &dyn RequestHead) -> Glance<Verdict> {
        match self.credential(head) {
            Ok(None) => Glance::Absent,
            Ok(Some(credential)) => Glance::Pending(Box::pin(async move { self.verify(credential).await })),
            Err(error) => Glance::Judged(Err(error)),
        }
    }
}
