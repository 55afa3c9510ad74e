//! The inward door: what the core sees of an actix-web request.

use std::net::IpAddr;
use std::ops::ControlFlow;

use actix_web::HttpRequest;
use actix_web::dev::{self, ServiceRequest};
use actix_web::http::Version;
use authcore::{RequestHead, origin_path};

/// A request's head as the core reads it, borrowed: for asking a [`Guard`](authcore::Guard) without [`AuthMiddleware`].
///
/// The path is the request target's, not the one actix-web decodes for its router. It has no `Debug`, since header
/// fields hold credentials.
///
/// [`AuthMiddleware`]: crate::AuthMiddleware
#[derive(Clone, Copy)]
pub struct Head<'r>(&'r dev::RequestHead);

impl RequestHead for Head<'_> {
    fn method(&self) -> &str {
        self.0.method.as_str()
    }

    fn path(&self) -> &str {
        origin_path(self.0.uri.path(), self.0.uri.authority().is_some(), self.0.version <= Version::HTTP_11)
    }

    fn query(&self) -> Option<&str> {
        self.0.uri.query()
    }

    fn peer(&self) -> Option<IpAddr> {
        // Not `connection_info()`, which takes what headers say.
        self.0.peer_addr.map(|peer| peer.ip())
    }

    fn field_lines<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8]) -> ControlFlow<()>) {
        // Who broke off the visit knows it already.
        let _ = self.0.headers.get_all(name).try_for_each(|value| visit(value.as_bytes()));
    }
}

impl<'r> From<&'r ServiceRequest> for Head<'r> {
    fn from(request: &'r ServiceRequest) -> Self {
        Self(request.head())
    }
}

impl<'r> From<&'r HttpRequest> for Head<'r> {
    fn from(request: &'r HttpRequest) -> Self {
        Self(request.head())
    }
}
