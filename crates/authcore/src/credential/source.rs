//! Places that a bearer token is read from besides `Authorization`: for clients that cannot set header fields.

use std::ops::ControlFlow;

use super::origins::TrustedOrigins;
use super::{bearer, cookie, is_tchar, trim};
use crate::error::{AuthError, ConfigError};
use crate::head::RequestHead;

/// A place besides `Authorization` that a [`Guard`](crate::Guard) reads bearer tokens from. None is, unless chosen.
///
/// What is found there is judged as if it had come in `Authorization`, by the guard's authenticators. A token in the
/// handshake of a WebSocket that comes beside one in `Authorization`, or twice, is refused: nobody can tell which is meant
/// (RFC 6750 §2); cookies beside it do not count. A token in a cookie counts when nothing else was presented; of several
/// cookies the source that was named first.
///
/// Handshakes over HTTP/2 and later (RFC 8441) are not looked at.
///
/// ```
/// use authcore::{Guard, TokenSource, TrustedOrigins};
/// # fn guard(verifier: authcore::JwtVerifier) -> Result<Guard, authcore::ConfigError> {
/// let origins = TrustedOrigins::new(["https://app.example.com"])?;
/// let guard = Guard::builder()
///     .authenticator(verifier)
///     // new WebSocket(url, ["bearer", token])
///     .tokens_from(TokenSource::websocket_protocol("bearer"))
///     .tokens_from(TokenSource::cookie("access_token", origins))
///     .build()?;
/// # Ok(guard) }
/// ```
#[derive(Clone, Debug)]
pub struct TokenSource(Place);

#[derive(Clone, Debug)]
enum Place {
    Protocol(Box<str>),
    Query(Box<str>),
    Cookie(Box<str>, TrustedOrigins),
}

impl TokenSource {
    /// `Sec-WebSocket-Protocol` of a WebSocket handshake (RFC 6455 §4.1): the entry after this marker, as browsers send it for
    /// `new WebSocket(url, [marker, token])`.
    ///
    /// The handshake's answer has to name the marker as the protocol that was chosen, and never the token.
    pub fn websocket_protocol(marker: impl Into<Box<str>>) -> Self {
        Self(Place::Protocol(marker.into()))
    }

    /// This parameter of the query, in a WebSocket handshake only; `access_token` by RFC 6750 §2.3.
    ///
    /// Queries stand in the logs of servers and proxies: keep such tokens short-lived, or use
    /// [`websocket_protocol`](Self::websocket_protocol). On all other requests the query is never looked at.
    pub fn handshake_query(parameter: impl Into<Box<str>>) -> Self {
        Self(Place::Query(parameter.into()))
    }

    /// A cookie that holds a token. A browser sends it whoever caused the request, so changes, and handshakes of WebSockets,
    /// have to come from one of these origins.
    ///
    /// It counts when no authenticator finds anything else. A token in it that is refused gets the bare challenge.
    pub fn cookie(name: impl Into<Box<str>>, origins: TrustedOrigins) -> Self {
        Self(Place::Cookie(name.into(), origins))
    }
}

/// The sources of one guard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(Vec<Place>);

impl Sources {
    pub(crate) fn new(sources: Vec<TokenSource>) -> Result<Self, ConfigError> {
        for TokenSource(place) in &sources {
            let (Place::Protocol(name) | Place::Query(name) | Place::Cookie(name, _)) = place;
            if name.is_empty() || !name.bytes().all(is_tchar) {
                let why = "a marker, a parameter and a cookie are named by letters, digits and !#$%&'*+-.^_`|~";
                return Err(ConfigError::new(format!("token source {name:?}: {why}")));
            }
        }
        Ok(Self(sources.into_iter().map(|TokenSource(place)| place).collect()))
    }

    /// Header fields that are read, besides `Authorization` and `Cookie`.
    pub(crate) fn header_fields(&self) -> impl Iterator<Item = &'static str> {
        let read = self.0.iter().any(|place| matches!(place, Place::Protocol(_)));
        read.then_some("Sec-WebSocket-Protocol").into_iter()
    }

    /// The token that the client put into the handshake of a WebSocket.
    pub(crate) fn in_handshake<'h>(&self, head: &'h dyn RequestHead) -> Result<Option<&'h str>, AuthError> {
        if self.0.is_empty() || !head.is_websocket_handshake() {
            return Ok(None);
        }
        let mut found = None;
        for place in &self.0 {
            let token = match place {
                Place::Protocol(marker) => after_marker(head, marker)?,
                Place::Query(parameter) => in_query(head, parameter)?,
                Place::Cookie(..) => None,
            };
            if found.is_some() && token.is_some() {
                return Err(AuthError::RepeatedToken);
            }
            found = found.or(token);
        }
        if found.is_some() && bearer::token(head)?.is_some() {
            return Err(AuthError::RepeatedToken);
        }
        Ok(found)
    }

    /// The token in a cookie, where the request may be believed to be meant.
    pub(crate) fn in_cookie<'h>(&self, head: &'h dyn RequestHead) -> Result<Option<&'h str>, AuthError> {
        for place in &self.0 {
            let Place::Cookie(name, origins) = place else { continue };
            let value = cookie::value(head, name).map_err(|cookie::Ambiguous| AuthError::RepeatedToken)?;
            if let Some(value) = value {
                origins.check(head)?;
                return token(value).map(Some);
            }
        }
        Ok(None)
    }
}

fn after_marker<'h>(head: &'h dyn RequestHead, marker: &str) -> Result<Option<&'h str>, AuthError> {
    let (mut found, mut awaited, mut repeated) = (None, false, false);
    head.field_lines("sec-websocket-protocol", &mut |line| {
        for entry in line.split(|byte| *byte == b',').map(trim) {
            if awaited {
                repeated |= found.replace(entry).is_some();
                awaited = false;
            } else {
                awaited = entry == marker.as_bytes();
            }
        }
        ControlFlow::Continue(())
    });
    match (found, awaited, repeated) {
        (_, _, true) => Err(AuthError::RepeatedToken),
        (_, true, _) => Err(AuthError::MalformedToken),
        (found, ..) => found.map(token).transpose(),
    }
}

fn in_query<'h>(head: &'h dyn RequestHead, parameter: &str) -> Result<Option<&'h str>, AuthError> {
    let pairs = head.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == parameter).map(|(_, value)| value.as_bytes());
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(AuthError::RepeatedToken),
        (value, None) => value.map(token).transpose(),
    }
}

fn token(text: &[u8]) -> Result<&str, AuthError> {
    let text = std::str::from_utf8(text).ok().filter(|text| bearer::is_b64token(text.as_bytes()));
    text.ok_or(AuthError::MalformedToken)
}
