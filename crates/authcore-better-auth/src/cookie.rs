//! Better Auth's cookies: what they are called, and the session token in the signed one.
//!
//! Only the one name that follows from the settings is read: not the unprefixed name beside the prefixed one, not that of
//! the multi-session plugin (`…_multi-…`), whose active session is in the plain cookie.

use authcore::credential::cookie;
use authcore::{ConfigError, RequestHead, SessionFault};

use crate::secrets::Secrets;
use crate::signed;
use crate::token::SessionToken;

/// What Better Auth's cookies are called: `<__Secure- or nothing><custom name, or prefix.key>`, as in its `advanced` options.
///
/// ```
/// use authcore_better_auth::CookieNames;
///
/// assert_eq!(CookieNames::at("http://localhost:3000").session_token(), "better-auth.session_token");
/// assert_eq!(CookieNames::at("https://app.example.com").session_token(), "__Secure-better-auth.session_token");
/// assert_eq!(CookieNames::new(true).prefix("shop").session_data(), "__Secure-shop.session_data");
/// assert_eq!(CookieNames::new(true).custom_session_token("sid").session_token(), "__Secure-sid");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct CookieNames {
    secure: bool,
    prefix: String,
    session_token: Option<String>,
    session_data: Option<String>,
}

impl CookieNames {
    /// The names of a server that puts `__Secure-` in front of them, or does not: `advanced.useSecureCookies`.
    pub fn new(secure: bool) -> Self {
        Self { secure, prefix: "better-auth".into(), session_token: None, session_data: None }
    }

    /// The names of the server at this base URL, which puts `__Secure-` in front of them when it begins with `https://`.
    /// A server without a base URL goes by `NODE_ENV`, and one that sets `useSecureCookies` by that: for these there is
    /// [`new`](Self::new).
    pub fn at(base_url: &str) -> Self {
        Self::new(base_url.starts_with("https://"))
    }

    /// `advanced.cookiePrefix`: `better-auth` by default.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// `advanced.cookies.session_token.name`, without the `__Secure-` that is put in front of it too. A name that begins
    /// with `__Host-` is kept as it is given, which only makes sense where nothing is put in front.
    pub fn custom_session_token(mut self, name: impl Into<String>) -> Self {
        self.session_token = Some(name.into());
        self
    }

    /// `advanced.cookies.session_data.name`: as [`custom_session_token`](Self::custom_session_token).
    pub fn custom_session_data(mut self, name: impl Into<String>) -> Self {
        self.session_data = Some(name.into());
        self
    }

    /// What the signed cookie with the session token is called.
    #[must_use]
    pub fn session_token(&self) -> String {
        self.name(self.session_token.as_deref(), "session_token")
    }

    /// What the cookie cache is called; its chunks have `.0`, `.1` and so on after it.
    #[must_use]
    pub fn session_data(&self) -> String {
        self.name(self.session_data.as_deref(), "session_data")
    }

    fn name(&self, custom: Option<&str>, key: &str) -> String {
        let secure = if self.secure { "__Secure-" } else { "" };
        match custom {
            Some(custom) => format!("{secure}{custom}"),
            None => format!("{secure}{}.{key}", self.prefix),
        }
    }
}

/// A name that a browser would send back: a `token` of RFC 9110 §5.6.2, as RFC 6265 §4.1.1 wants it.
pub(crate) fn checked(name: String) -> Result<Box<str>, ConfigError> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(ConfigError::new("cookie prefix, cookie name: letters, digits and -._ only, and not empty"));
    }
    Ok(name.into_boxed_str())
}

/// The cookie that carries the session token, signed with the shared secret. Cloning is cheap.
///
/// ```
/// use authcore::Secret;
/// use authcore_better_auth::{CookieNames, Secrets, SignedCookie};
/// use authcore_testkit::TestHead;
///
/// let secrets = Secrets::new(&Secret::new("rust-contract-throwaway-secret-0123456789abcdef"))?;
/// let cookie = SignedCookie::new(&CookieNames::at("http://localhost:3000"), &secrets)?;
///
/// let value = "sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E.4ELv%2FUfengTFAv%2BYVRoPMxuthh%2BSjEIZ%2BlrlcjzxOpo%3D";
/// let head = TestHead::get("/").header("cookie", format!("better-auth.session_token={value}"));
/// let token = cookie.read(&head).unwrap().unwrap();
/// assert_eq!(token.expose(), "sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E");
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SignedCookie {
    name: Box<str>,
    secrets: Secrets,
}

impl SignedCookie {
    /// By name, under these secrets.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the name cannot be that of a cookie.
    pub fn new(names: &CookieNames, secrets: &Secrets) -> Result<Self, ConfigError> {
        Ok(Self { name: checked(names.session_token())?, secrets: secrets.clone() })
    }

    /// The cookie's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The session token of a request; `Ok(None)` when the cookie is not there. Nothing is known of the session yet.
    ///
    /// The value is taken out of a pair of double quotes if it stands in one (RFC 6265 §4.1.1), percent-decoded once if it
    /// holds a `%`, and cut at its last dot. The signature has 44 characters of standard base64, in the one spelling there is.
    /// A token has at most [`SessionToken::MAX_BYTES`] visible ASCII characters; a longer value is not decoded at all.
    ///
    /// # Errors
    ///
    /// [`SessionFault::Malformed`], also for two cookies of the name with different values, and [`SessionFault::BadSignature`].
    pub fn read(&self, head: &dyn RequestHead) -> Result<Option<SessionToken>, SessionFault> {
        let Some(value) = cookie::value(head, &self.name).map_err(|_| SessionFault::Malformed)? else {
            return Ok(None);
        };
        let value = unquote(value).and_then(signed::unescape).ok_or(SessionFault::Malformed)?;
        signed::open(&value, &self.secrets).map(Some)
    }
}

/// Without the pair of double quotes around it; `None` when there is only one of them.
fn unquote(value: &[u8]) -> Option<&[u8]> {
    match value {
        [b'"', inner @ .., b'"'] => Some(inner),
        [b'"', ..] | [.., b'"'] => None,
        bare => Some(bare),
    }
}
