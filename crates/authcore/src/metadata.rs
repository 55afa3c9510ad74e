//! Protected resource metadata ([RFC 9728](https://www.rfc-editor.org/rfc/rfc9728)): where clients learn whose tokens a
//! service takes.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use crate::error::ConfigError;
use crate::policy::path::RequestPath;

/// The metadata document of a service, for a route of its own and for the challenges of a [`Guard`](crate::Guard), which
/// then point to it.
///
/// ```
/// use authcore::ResourceMetadata;
///
/// let metadata = ResourceMetadata::of("https://api.example.com/v1")
///     .authorization_server("https://app.example.com/api/auth")
///     .scopes(["tasks:read", "tasks:write"])
///     .build()?;
/// assert_eq!(metadata.path(), "/.well-known/oauth-protected-resource/v1");
/// assert!(metadata.json().starts_with(r#"{"resource":"https://api.example.com/v1","#));
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResourceMetadata {
    url: Arc<str>,
    path: Arc<str>,
    json: Arc<str>,
}

impl ResourceMetadata {
    /// Begins with the resource identifier (§1.2): the https URL that clients know the service by, which tokens for it name
    /// in `aud`. Without a fragment; http is for loopback hosts only.
    pub fn of(resource: impl Into<String>) -> ResourceMetadataBuilder {
        ResourceMetadataBuilder { document: Document { resource: resource.into(), ..Document::default() } }
    }

    /// Where the document is to be served: `GET` on this path answers [`json`](Self::json) as `application/json` (§3).
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The URL of the document, as challenges name it (§5.1).
    #[must_use]
    pub fn url(&self) -> &Arc<str> {
        &self.url
    }

    /// The document (§3.2).
    #[must_use]
    pub fn json(&self) -> &Arc<str> {
        &self.json
    }
}

/// What is said in a [`ResourceMetadata`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ResourceMetadataBuilder {
    document: Document,
}

#[derive(Clone, Debug, Serialize)]
struct Document {
    resource: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_servers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<String>,
    bearer_methods_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<String>,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            resource: String::new(),
            authorization_servers: Vec::new(),
            scopes_supported: Vec::new(),
            // Of what RFC 6750 names: a query is read in the handshakes of WebSockets at most.
            bearer_methods_supported: ["header"],
            resource_name: None,
            resource_documentation: None,
        }
    }
}

impl ResourceMetadataBuilder {
    /// The issuer of an authorization server whose access tokens are taken. Call it again for another.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.document.authorization_servers.push(issuer.into());
        self
    }

    /// The scopes that clients may ask for to use the service.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.document.scopes_supported.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// What the service is called, for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.document.resource_name = Some(name.into());
        self
    }

    /// A page for developers.
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.document.resource_documentation = Some(url.into());
        self
    }

    /// The document.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a resource or an authorization server that is no https URL (http is for loopback hosts only), that
    /// has a fragment, a user, or characters that a URL has to escape; for a resource whose path servers may read in two ways;
    /// and for a scope that RFC 6749 §3.3 does not allow.
    pub fn build(self) -> Result<ResourceMetadata, ConfigError> {
        let Document { resource, authorization_servers, scopes_supported, .. } = &self.document;
        let refused = |what: &str, text: &str, why: &str| ConfigError::new(format!("{what} {text:?}: {why}"));
        let (host, rest) = parts(resource).ok_or_else(|| refused("resource", resource, A_URL))?;
        if let Some(bad) = authorization_servers.iter().find(|issuer| parts(issuer).is_none()) {
            return Err(refused("authorization server", bad, A_URL));
        }
        let is_scope = |scope: &String| {
            !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
        };
        if let Some(bad) = scopes_supported.iter().find(|scope| !is_scope(scope)) {
            return Err(refused("scope", bad, "printable ASCII without spaces, quotes and backslashes"));
        }
        // Between host and path, and no slash that ends the host alone (§3.1).
        let rest = if let Some(query) = rest.strip_prefix("/?") { format!("?{query}") } else { rest.to_owned() };
        let rest = if rest == "/" { "" } else { &rest };
        let path = rest.split('?').next().unwrap_or_default();
        // Clients would ask for another one, or the guard refuse it.
        if !path.is_empty() && RequestPath::parse(path).is_err() {
            return Err(refused("resource", resource, "its path takes no empty or dot segments and no semicolons"));
        }
        let json = serde_json::to_string(&self.document).expect("text always serialises");
        Ok(ResourceMetadata {
            url: format!("{host}{WELL_KNOWN}{rest}").into(),
            path: format!("{WELL_KNOWN}{path}").into(),
            json: json.into(),
        })
    }
}

/// Scheme and host, and what follows them.
fn parts(url: &str) -> Option<(&str, &str)> {
    let (scheme, after) = url.split_once("://")?;
    let end = after.find(['/', '?']).unwrap_or(after.len());
    let authority = &after[..end];
    let (host, port) = match authority.find(']') {
        Some(bracket) => authority.split_at(bracket + 1),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let address = match host.strip_prefix('[') {
        Some(rest) => Some(IpAddr::V6(rest.strip_suffix(']')?.parse().ok()?)),
        None => host.parse().ok().map(IpAddr::V4),
    };
    let is_name = |host: &str| {
        let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        plain && !ends_in_number(host)
    };
    let is_port = |port: &str| {
        let digits = port.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        digits.is_some_and(|digits| digits.parse::<u16>().is_ok_and(|port| port > 0))
    };
    let is_loopback = address.map_or(host == "localhost", |address| address.is_loopback());
    let is_served = scheme == "https" || scheme == "http" && is_loopback;
    // Stars and escapes would mean something else where paths are matched.
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"#\"%*<>\\^`{|}".contains(&byte);
    let is_host = !host.is_empty() && (address.is_some() || is_name(host)) && (port.is_empty() || is_port(port));
    let fits = is_served && is_host && url.bytes().all(plain);
    fits.then(|| url.split_at(url.len() - after.len() + end))
}

/// What clients read as an IPv4 address, in whatever spelling, or not at all (URL Standard §3.5).
fn ends_in_number(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_hex = hex.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_hex || !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
}

const A_URL: &str = "an https URL without fragment and user, as in https://api.example.com";

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_stands_between_host_and_path() {
        for (resource, url, path) in [
            ("https://a.example", "https://a.example/.well-known/oauth-protected-resource", ""),
            ("https://a.example/", "https://a.example/.well-known/oauth-protected-resource", ""),
            (
                "https://a.example:8443/v1/x",
                "https://a.example:8443/.well-known/oauth-protected-resource/v1/x",
                "/v1/x",
            ),
            ("https://a.example/v1/", "https://a.example/.well-known/oauth-protected-resource/v1/", "/v1/"),
            ("https://a.example/?t=1", "https://a.example/.well-known/oauth-protected-resource?t=1", ""),
            ("https://a.example/v?t=1", "https://a.example/.well-known/oauth-protected-resource/v?t=1", "/v"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000/.well-known/oauth-protected-resource", ""),
            ("http://[::1]:8000", "http://[::1]:8000/.well-known/oauth-protected-resource", ""),
        ] {
            let metadata = ResourceMetadata::of(resource).build().expect(resource);
            assert_eq!(&**metadata.url(), url);
            assert_eq!(metadata.path(), format!("{WELL_KNOWN}{path}"));
        }
    }

    #[test]
    fn the_document_says_what_was_said() {
        let metadata = ResourceMetadata::of("https://a.example")
            .authorization_server("https://id.example/api/auth")
            .scopes(["tasks:read"])
            .name("Tasks")
            .documentation("https://a.example/docs")
            .build();
        let expected = r#"{"resource":"https://a.example","authorization_servers":["https://id.example/api/auth"],"scopes_supported":["tasks:read"],"bearer_methods_supported":["header"],"resource_name":"Tasks","resource_documentation":"https://a.example/docs"}"#;
        assert_eq!(&**metadata.expect("good values").json(), expected);
        let least = ResourceMetadata::of("https://a.example").build().expect("a resource");
        assert_eq!(&**least.json(), r#"{"resource":"https://a.example","bearer_methods_supported":["header"]}"#);
    }

    #[test]
    fn what_no_client_could_use_is_refused() {
        for bad in [
            "",
            "a.example",
            "https://",
            "https:///x",
            "http://a.example",
            "https://a#b",
            "https://u:p@a",
            "https://a b",
            "https://a/\"",
            "https://a/{x}",
            "ftp://a",
            "https://a:99999",
            "https://a:0",
            "https://a:",
            "https://a:+1",
            "https://[::1",
            "http://[[::1]]",
            "https://%zz",
            "https://[nonsense]",
            "https://[::1]x",
            "https://a/**",
            "https://a/%61",
            "https://ä.example",
            "https://999.1.1.1",
            "https://1.2.3/",
            "https://a.0x7f.",
        ] {
            let error = ResourceMetadata::of(bad).build().expect_err(bad).to_string();
            assert!(error.starts_with(&format!("resource {bad:?}: an https URL")), "{error}");
            let error = ResourceMetadata::of("https://a").authorization_server(bad).build().expect_err(bad).to_string();
            assert!(error.starts_with(&format!("authorization server {bad:?}: ")), "{error}");
        }
        for bad in ["https://a/..", "https://a/v/../w", "https://a/.?t", "https://a//b", "https://a/b;c"] {
            let error = ResourceMetadata::of(bad).build().expect_err(bad).to_string();
            assert!(error.contains("its path takes no empty or dot segments"), "{error}");
            assert!(ResourceMetadata::of("https://a").authorization_server(bad).build().is_ok(), "{bad}");
        }
        for bad in ["", "a b", "a\"b", "é"] {
            let error = ResourceMetadata::of("https://a").scopes([bad]).build().expect_err(bad).to_string();
            assert!(error.starts_with("scope "), "{error}");
        }
    }
}
