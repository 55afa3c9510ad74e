//! How a look-up tells Better Auth whose session it asks for.

use std::fmt;

use authcore::ConfigError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, InvalidHeaderValue};

use crate::cookie::{self, CookieNames};
use crate::secrets::Secrets;
use crate::token::SessionToken;

/// What a look-up sends to Better Auth. A store is asked for a session token, and Better Auth takes one in either form:
///
/// | | Better Auth needs | this service needs |
/// |---|---|---|
/// | [`Forward::cookie`] | nothing | the secret |
/// | [`Forward::bearer`] | the bearer plugin, without `requireSignature` | nothing |
///
/// There is no default: without its plugin Better Auth passes over a bearer token in silence, and would call every session
/// unknown.
#[derive(Clone)]
pub struct Forward(Form);

#[derive(Clone)]
enum Form {
    Bearer,
    Cookie { name: Box<str>, secrets: Secrets },
}

impl Forward {
    /// The session cookie, signed anew under the server's current secret: any server takes it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the name cannot be that of a cookie.
    pub fn cookie(names: &CookieNames, secrets: &Secrets) -> Result<Self, ConfigError> {
        Ok(Self(Form::Cookie { name: cookie::checked(names.session_token())?, secrets: secrets.clone() }))
    }

    /// `Authorization: Bearer` with the plain token, for a server with the bearer plugin.
    #[must_use]
    pub fn bearer() -> Self {
        Self(Form::Bearer)
    }

    /// The header field for this token.
    pub(super) fn field(&self, token: &SessionToken) -> Result<(HeaderName, HeaderValue), InvalidHeaderValue> {
        let (name, text) = match &self.0 {
            Form::Bearer => (AUTHORIZATION, format!("Bearer {}", token.expose())),
            Form::Cookie { name, secrets } => (COOKIE, format!("{name}={}", signed(token, secrets))),
        };
        let mut value = HeaderValue::try_from(text)?;
        value.set_sensitive(true);
        Ok((name, value))
    }
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Bearer => f.write_str("Bearer"),
            Form::Cookie { name, .. } => f.debug_struct("Cookie").field("name", name).finish_non_exhaustive(),
        }
    }
}

/// `<token>.<HMAC-SHA256 in base64>`, escaped as Better Auth escapes its cookies.
fn signed(token: &SessionToken, secrets: &Secrets) -> String {
    let tag = STANDARD.encode(secrets.sign(token.expose().as_bytes()));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    let escape = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    format!("{}.{tag}", token.expose()).bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use authcore::Secret;

    use super::*;

    fn secrets(text: &str) -> Secrets {
        Secrets::new(&Secret::new(text)).expect("a good secret")
    }

    fn field(forward: &Forward, token: &str) -> (String, String) {
        let token = SessionToken::new(token).expect("a token");
        let (name, value) = forward.field(&token).expect("a header field");
        assert!(value.is_sensitive());
        (name.to_string(), value.to_str().expect("text").to_owned())
    }

    /// The worked example of a real server's cookie.
    #[test]
    fn the_cookie_is_the_one_that_better_auth_sets() {
        let secret = secrets("rust-contract-throwaway-secret-0123456789abcdef");
        let forward = Forward::cookie(&CookieNames::at("http://localhost:3000"), &secret).expect("a good secret");
        let cookie = "better-auth.session_token=sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E\
                      .4ELv%2FUfengTFAv%2BYVRoPMxuthh%2BSjEIZ%2BlrlcjzxOpo%3D";
        assert_eq!(field(&forward, "sxU2kDjMdOqnuMjvJsXMEVr2rilWIR4E"), ("cookie".into(), cookie.into()));
        assert!(!format!("{forward:?}").contains("throwaway"));
    }

    #[test]
    fn a_token_of_any_letters_stays_one_cookie() {
        let secret = secrets("a-secret-of-the-tests-with-32-bytes-or-more");
        let forward = Forward::cookie(&CookieNames::new(true), &secret).expect("a good secret");
        let (_, cookie) = field(&forward, "a;b=c,\"%\\d");
        assert!(cookie.starts_with("__Secure-better-auth.session_token=a%3Bb%3Dc%2C%22%25%5Cd."), "{cookie}");
    }

    #[test]
    fn the_bearer_is_the_token_as_it_is() {
        assert_eq!(field(&Forward::bearer(), "abc"), ("authorization".into(), "Bearer abc".into()));
    }
}
