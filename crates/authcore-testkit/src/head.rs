//! Request heads that belong to no framework.

use std::net::IpAddr;
use std::ops::ControlFlow;

use authcore::RequestHead;

/// What a request head should say: for making one of any framework's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadSpec {
    /// The method, such as `GET`.
    pub method: String,
    /// The request target as it stands in the request line: path and query, percent-encoded.
    pub target: String,
    /// The header fields, one entry for each line, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The address of the connection's peer, where it is known.
    pub peer: Option<IpAddr>,
}

/// A request head that owns what it says.
///
/// ```
/// use authcore::{Algorithm, Guard, JwtVerifier, KeySet};
/// use authcore_testkit::{SigningKey, TestHead, mint};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let key = SigningKey::fixed(Algorithm::Es256);
/// let guard = Guard::builder().authenticator(JwtVerifier::builder(KeySet::new([key.key()])).build()?).build()?;
///
/// let head = TestHead::get("/api/tasks?done=true").bearer(mint().sign(key)).header("x-request-id", "7");
/// assert!(guard.begin(&head).finish().await.is_ok());
/// # Ok::<(), authcore::ConfigError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct TestHead(HeadSpec);

impl TestHead {
    /// A head with this method and this target (path and query, percent-encoded), without header fields.
    pub fn new(method: impl Into<String>, target: impl Into<String>) -> Self {
        Self(HeadSpec { method: method.into(), target: target.into(), headers: Vec::new(), peer: None })
    }

    /// `GET` this target.
    pub fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    /// Adds a header field line. Lines of one name are kept apart, in order.
    pub fn header(mut self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.0.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Adds `Authorization: Bearer` with this token.
    pub fn bearer(self, token: impl AsRef<str>) -> Self {
        self.header("Authorization", format!("Bearer {}", token.as_ref()))
    }

    /// Lets the connection come from this address. Nowhere unless said.
    ///
    /// # Panics
    ///
    /// When it is no IP address.
    #[track_caller]
    pub fn peer(mut self, address: &str) -> Self {
        self.0.peer = Some(address.parse().expect("an IP address without a port"));
        self
    }

    /// What this head says.
    #[must_use]
    pub fn spec(&self) -> &HeadSpec {
        &self.0
    }
}

impl From<HeadSpec> for TestHead {
    fn from(spec: HeadSpec) -> Self {
        Self(spec)
    }
}

impl RequestHead for TestHead {
    fn method(&self) -> &str {
        &self.0.method
    }

    fn path(&self) -> &str {
        self.0.target.split('?').next().unwrap_or_default()
    }

    fn query(&self) -> Option<&str> {
        self.0.target.split_once('?').map(|(_, query)| query)
    }

    fn peer(&self) -> Option<IpAddr> {
        self.0.peer
    }

    fn field_lines<'h>(&'h self, name: &str, visit: &mut dyn FnMut(&'h [u8]) -> ControlFlow<()>) {
        let lines = self.0.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        for (_, value) in lines {
            if visit(value).is_break() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_head_passes_the_suites() {
        crate::suites::request_head(|spec| TestHead::from(spec.clone()));
        crate::suites::request_head_outside_origin_form(|spec| TestHead::from(spec.clone()));
    }
}
