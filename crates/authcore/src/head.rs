//! What the core sees of a request: a borrowed look, in no framework's types.

use std::net::IpAddr;
use std::ops::ControlFlow;

use crate::credential::trim;

/// A borrowed look at the head of one HTTP request.
///
/// Adapters implement this once for their framework's request. Everything is as it came over the wire: the
/// path still percent-encoded, field values as bytes. The trait is object-safe, so one pipeline serves all.
pub trait RequestHead {
    /// The request method, such as `GET`, in the case it was sent.
    fn method(&self) -> &str;

    /// The path of the request target, percent-encoded, without the query, beginning with `/`.
    ///
    /// A target that is not in origin form ([RFC 9112 §3.2]: `http://host/path`, `*`) is handed over as something
    /// that does not begin with `/`; the core refuses it, since routers differ in how they read it.
    ///
    /// [RFC 9112 §3.2]: https://www.rfc-editor.org/rfc/rfc9112#section-3.2
    fn path(&self) -> &str;

    /// The query of the request target, percent-encoded, without the question mark; `None` when there is none, or when it
    /// is not known. Read only where a guard is told to (see [`TokenSource`](crate::TokenSource)).
    fn query(&self) -> Option<&str> {
        None
    }

    /// The address of the peer of the connection, as the socket has it; `None` when it is not known.
    ///
    /// Never what a header says: whom to believe is [`ClientAddresses`]' decision. Without a default, since a head that
    /// forgot it would have all clients counted as one.
    ///
    /// [`ClientAddresses`]: crate::rate::ClientAddresses
    fn peer(&self) -> Option<IpAddr>;

    /// Calls `visit` with the value of each field line of this name, in order, until it breaks.
    ///
    /// `name` is lower case. Two lines are two visits: joining them is a decision, and adapters make none.
    fn field_lines<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8]) -> ControlFlow<()>);
}

impl dyn RequestHead + '_ {
    /// The value of a field that may occur once: `Ok(None)` when absent.
    ///
    /// # Errors
    ///
    /// [`Repeated`] when the field occurs on more than one line, equal or not.
    pub fn sole_field(&self, name: &str) -> Result<Option<&[u8]>, Repeated> {
        let mut found = None;
        let mut lines = 0_u8;
        self.field_lines(name, &mut |value| {
            found = Some(value);
            lines += 1;
            if lines > 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if lines > 1 { Err(Repeated) } else { Ok(found) }
    }

    /// Whether this is a CORS preflight: `OPTIONS` with `Origin` and `Access-Control-Request-Method`.
    #[must_use]
    pub fn is_preflight(&self) -> bool {
        self.method() == "OPTIONS" && self.has_field("origin") && self.has_field("access-control-request-method")
    }

    /// Whether this is the opening handshake of a WebSocket (RFC 6455 §4.1).
    pub(crate) fn is_websocket_handshake(&self) -> bool {
        self.method() == "GET" && self.lists("upgrade", b"websocket") && self.lists("connection", b"upgrade")
    }

    /// Whether anybody might take this for asking for a WebSocket: versions after the name included.
    pub(crate) fn asks_for_websocket(&self) -> bool {
        let mut found = false;
        self.field_lines("upgrade", &mut |line| {
            let is_it = |given: &[u8]| trim(given).get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"websocket"));
            found = line.split(|byte| *byte == b',').any(is_it);
            if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        found
    }

    /// Whether a field that holds a list names this element, in whatever case.
    pub(crate) fn lists(&self, name: &str, element: &[u8]) -> bool {
        let mut found = false;
        self.field_lines(name, &mut |line| {
            found = line.split(|byte| *byte == b',').any(|given| trim(given).eq_ignore_ascii_case(element));
            if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        found
    }

    /// Whether the client speaks gRPC or gRPC-Web.
    pub(crate) fn is_grpc(&self) -> bool {
        matches!(self.sole_field("content-type"), Ok(Some(value)) if value.starts_with(b"application/grpc"))
    }

    fn has_field(&self, name: &str) -> bool {
        let mut found = false;
        self.field_lines(name, &mut |_| {
            found = true;
            ControlFlow::Break(())
        });
        found
    }
}

/// The path for [`RequestHead::path`] from what an HTTP library makes of a request target.
///
/// Up to HTTP/1.1 a target that names an authority is in absolute form, meant for a proxy (RFC 9112 §3.2.2): it has no path
/// that begins with `/`, so the core refuses it. HTTP/2 and later name the authority of every request (RFC 9113 §8.3.1).
#[must_use]
pub fn origin_path(path: &str, names_authority: bool, before_http2: bool) -> &str {
    if names_authority && before_http2 { "" } else { path }
}

/// A field that may occur once occurred on several lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the field occurs on several lines")]
pub struct Repeated;
