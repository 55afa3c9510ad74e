//! Session tokens as `Authorization: Bearer`, as the bearer plugin takes them.

use authcore::credential::bearer;
use authcore::{AuthError, RequestHead};

use crate::secrets::Secrets;
use crate::session::Carrier;
use crate::signed;
use crate::token::SessionToken;

/// Which session tokens are read from `Authorization: Bearer`.
///
/// What a bearer token is shows in its dots: two make a JWT, one a signed session token, none a raw session token or an API
/// key. What is not recognised is left to other authenticators, so these come behind this one; what is recognised and
/// refused is not retried as anything else, nor is a cookie looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BearerSessions {
    /// None: the bearer plugin is not in use.
    #[default]
    Off,
    /// Signed ones, as in the plugin's `set-auth-token` header: `bearer({ requireSignature: true })`.
    Signed,
    /// Raw ones too, which whoever reads the session table, or a log of it, can present: the plugin's default.
    Raw,
}

impl BearerSessions {
    /// The session token of a request; `Ok(None)` when there is none of a kind that is read. Nothing is known of the
    /// session yet.
    ///
    /// # Errors
    ///
    /// [`AuthError::RepeatedAuthorization`] and [`AuthError::MalformedBearer`] when the header is not one well-formed token
    /// (percent escapes are not; `set-auth-token` has none), [`AuthError::Session`] when the token is of the right shape and
    /// its signature is not.
    pub fn read(self, head: &dyn RequestHead, secrets: &Secrets) -> Result<Option<SessionToken>, AuthError> {
        if self == Self::Off {
            return Ok(None);
        }
        let Some(token) = bearer::token(head)? else { return Ok(None) };
        match token.bytes().filter(|byte| *byte == b'.').take(2).count() {
            0 if self == Self::Raw => Ok(SessionToken::new(token)),
            1 => signed::open(token.as_bytes(), secrets).map(Some).map_err(|fault| Carrier::Bearer.refuse(fault)),
            _ => Ok(None),
        }
    }
}
