//! The inward door: what the core sees of an `http` request.

use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;

use authcore::{RequestHead, origin_path};
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Uri, Version};

/// A request's head as the core reads it, borrowed: for asking a [`Guard`](authcore::Guard) without [`AuthLayer`].
///
/// It has no `Debug`, since header fields hold credentials.
///
/// [`AuthLayer`]: crate::AuthLayer
#[derive(Clone, Copy)]
pub struct Head<'r> {
    method: &'r Method,
    uri: &'r Uri,
    version: Version,
    fields: &'r HeaderMap,
    extensions: &'r Extensions,
}

/// The peer of the connection that a request came over, for its extensions.
///
/// Whoever accepts connections leaves it there, before [`AuthLayer`](crate::AuthLayer): `http` requests do not know it
/// themselves. Under `axum::serve` the feature `connect-info` makes that needless, as it reads axum's own `ConnectInfo`;
/// where both are there, this one counts.
///
/// ```
/// use std::net::SocketAddr;
///
/// use authcore::RequestHead as _;
/// use authcore_axum::{Head, Peer};
///
/// let accepted_from: SocketAddr = "203.0.113.9:5000".parse().unwrap();
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Peer(accepted_from));
/// assert_eq!(Head::from(&request).peer(), Some(accepted_from.ip()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl RequestHead for Head<'_> {
    fn method(&self) -> &str {
        self.method.as_str()
    }

    fn path(&self) -> &str {
        origin_path(self.uri.path(), self.uri.authority().is_some(), self.version <= Version::HTTP_11)
    }

    fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    fn peer(&self) -> Option<IpAddr> {
        let peer = self.extensions.get().map(|Peer(peer)| peer.ip());
        #[cfg(feature = "connect-info")]
        let peer = peer.or_else(|| connect_info(self.extensions));
        peer
    }

    fn field_lines<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8]) -> ControlFlow<()>) {
        // Who broke off the visit knows it already.
        let _ = self.fields.get_all(name).iter().try_for_each(|value| visit(value.as_bytes()));
    }
}

impl<'r, B> From<&'r Request<B>> for Head<'r> {
    fn from(request: &'r Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            fields: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl<'r> From<&'r Parts> for Head<'r> {
    fn from(parts: &'r Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            version: parts.version,
            fields: &parts.headers,
            extensions: &parts.extensions,
        }
    }
}

/// What `Router::into_make_service_with_connect_info::<SocketAddr>` leaves with each request.
#[cfg(feature = "connect-info")]
fn connect_info(extensions: &Extensions) -> Option<IpAddr> {
    let axum::extract::ConnectInfo(peer) = extensions.get::<axum::extract::ConnectInfo<SocketAddr>>()?;
    Some(peer.ip())
}
