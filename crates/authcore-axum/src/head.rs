//! The inward door: what the core sees of an `http` request.

use std::ops::ControlFlow;

use authcore::{RequestHead, origin_path};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri, Version};

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
}

impl RequestHead for Head<'_> {
    fn method(&self) -> &str {
        self.method.as_str()
    }

    fn path(&self) -> &str {
        origin_path(self.uri.path(), self.uri.authority().is_some(), self.version <= Version::HTTP_11)
    }

    fn field_lines<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8]) -> ControlFlow<()>) {
        // Who broke off the visit knows it already.
        let _ = self.fields.get_all(name).iter().try_for_each(|value| visit(value.as_bytes()));
    }
}

impl<'r, B> From<&'r Request<B>> for Head<'r> {
    fn from(request: &'r Request<B>) -> Self {
        Self { method: request.method(), uri: request.uri(), version: request.version(), fields: request.headers() }
    }
}

impl<'r> From<&'r Parts> for Head<'r> {
    fn from(parts: &'r Parts) -> Self {
        Self { method: &parts.method, uri: &parts.uri, version: parts.version, fields: &parts.headers }
    }
}
