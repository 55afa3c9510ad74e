//! What an issuer publishes about itself: where that stands, and what of it is believed.

use std::borrow::Cow;

use url::Url;

use super::location;
use crate::json::{self, Json, Wanted};

/// Which document an issuer describes itself in. Both give the issuer's own name and the URL of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Metadata {
    /// [OpenID Connect Discovery 1.0 §4][oidc]: `https://host/path/.well-known/openid-configuration`.
    ///
    /// [oidc]: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
    OpenIdConnect,
    /// [RFC 8414 §3.1][oauth]: `https://host/.well-known/oauth-authorization-server/path`.
    ///
    /// [oauth]: https://www.rfc-editor.org/rfc/rfc8414#section-3.1
    OAuth,
}

impl Metadata {
    /// Where the document of an issuer stands; or what is wrong with the issuer's name.
    pub(super) fn url(self, issuer: &str) -> Result<Url, String> {
        let mut url = location::checked(issuer)?;
        // The parser forgives these, and what it forgives would never equal the name in the document.
        if issuer.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            return Err("must hold no white space".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must have no query and no fragment".to_owned());
        }
        // Both specifications: one terminating slash goes.
        let path = url.path().strip_suffix('/').unwrap_or(url.path());
        let path = match self {
            Self::OpenIdConnect => format!("{path}/.well-known/openid-configuration"),
            Self::OAuth => format!("/.well-known/oauth-authorization-server{path}"),
        };
        url.set_path(&path);
        Ok(url)
    }
}

/// The URL of the keys, out of the metadata of `issuer`; or what is wrong with the document.
///
/// A document of another issuer is refused (Discovery §4.3, RFC 8414 §3.3): whoever can make us read it must not have
/// their keys taken for the issuer's.
pub(super) fn jwks_uri(document: &[u8], issuer: &str) -> Result<Url, String> {
    let document = std::str::from_utf8(document).map_err(|error| format!("metadata: {error}"))?;
    let mut members = [None; 2];
    let wanted = Wanted::new(["issuer", "jwks_uri"]);
    json::walk(document, &wanted, &mut members).map_err(|fault| format!("metadata: {fault}"))?;
    let [named, uri] = members.map(|member| member.and_then(Json::string));
    if named.as_deref() != Some(issuer) {
        return Err(format!("metadata: it is not of the issuer `{issuer}` but of {}", quoted(named.as_ref())));
    }
    let uri = uri.ok_or("metadata: it has no `jwks_uri`")?;
    let url = location::checked(&uri).map_err(|why| format!("metadata: jwks_uri: {why}"))?;
    // A document from elsewhere must not lead to our own machine; plain http is for who configures an issuer there.
    let home = location::checked(issuer)?;
    if url.scheme() != home.scheme() || location::is_loopback(&url) && !location::is_loopback(&home) {
        return Err(
            "metadata: jwks_uri: must have the scheme of the issuer, and be no loopback unless that is".to_owned()
        );
    }
    Ok(url)
}

/// A name out of a document, in a form and a length fit for a log.
fn quoted(name: Option<&Cow<'_, str>>) -> String {
    name.map_or("nobody".to_owned(), |name| format!("{:?}", name.chars().take(LONGEST_TOLD).collect::<String>()))
}

/// Longest part of another issuer's name that is told, in characters.
const LONGEST_TOLD: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_stands_where_each_specification_puts_it() {
        let expected = [
            (
                "https://h",
                "https://h/.well-known/openid-configuration",
                "https://h/.well-known/oauth-authorization-server",
            ),
            (
                "https://h/",
                "https://h/.well-known/openid-configuration",
                "https://h/.well-known/oauth-authorization-server",
            ),
            (
                "https://h:8443/api/auth",
                "https://h:8443/api/auth/.well-known/openid-configuration",
                "https://h:8443/.well-known/oauth-authorization-server/api/auth",
            ),
            (
                "http://localhost:3000/a/",
                "http://localhost:3000/a/.well-known/openid-configuration",
                "http://localhost:3000/.well-known/oauth-authorization-server/a",
            ),
        ];
        for (issuer, oidc, oauth) in expected {
            assert_eq!(Metadata::OpenIdConnect.url(issuer).unwrap().as_str(), oidc);
            assert_eq!(Metadata::OAuth.url(issuer).unwrap().as_str(), oauth);
        }
    }

    #[test]
    fn k93_what_is_no_issuer_is_refused() {
        let refused = [
            ("https://h?a", "must have no query and no fragment"),
            ("https://h/#", "must have no query and no fragment"),
            (" https://h", "must hold no white space"),
            ("https://h\n", "must hold no white space"),
            ("http://h", "must be https (http is for loopback hosts only)"),
            ("https://169.254.169.254", "must not name a link-local address or carry a password"),
            ("https://me:pw@h", "must not name a link-local address or carry a password"),
        ];
        for (issuer, why) in refused {
            assert_eq!(Metadata::OpenIdConnect.url(issuer).unwrap_err(), why, "{issuer:?}");
            assert_eq!(Metadata::OAuth.url(issuer).unwrap_err(), why, "{issuer:?}");
        }
    }

    #[test]
    fn k93_only_the_issuers_own_metadata_is_believed() {
        let read = |document: &str| jwks_uri(document.as_bytes(), "https://h/a").map(|url| url.to_string());
        let taken = r#"{"issuer":"https://h\/a","jwks_uri":"https://elsewhere/k","other":{"issuer":"x"}}"#;
        assert_eq!(read(taken).unwrap(), "https://elsewhere/k");
        for other in ["https://h", "https://h/a/", "https://H/a", "HTTPS://h/a", "https://h:443/a", "https://h/%61", ""]
        {
            let document = format!(r#"{{"issuer":"{other}","jwks_uri":"https://h/k"}}"#);
            let why = read(&document).unwrap_err();
            assert_eq!(why, format!("metadata: it is not of the issuer `https://h/a` but of {other:?}"));
        }
        for none in [r#"{"jwks_uri":"https://h/k"}"#, r#"{"issuer":["https://h/a"],"jwks_uri":"https://h/k"}"#] {
            assert_eq!(read(none).unwrap_err(), "metadata: it is not of the issuer `https://h/a` but of nobody");
        }
        let twice = r#"{"issuer":"https://h/a","jwks_uri":"https://h/k","j\u0077ks_uri":"https://evil/k"}"#;
        assert_eq!(read(twice).unwrap_err(), "metadata: an object names a member twice");
        assert_eq!(read("[]").unwrap_err(), "metadata: not one JSON object");
    }

    #[test]
    fn k93_keys_are_held_to_the_rules_of_a_configured_url() {
        let read = |issuer: &str, uri: &str| {
            jwks_uri(format!(r#"{{"issuer":"{issuer}","jwks_uri":{uri}}}"#).as_bytes(), issuer)
                .map(|url| url.to_string())
        };
        let refused = [
            (r"7", "metadata: it has no `jwks_uri`"),
            ("null", "metadata: it has no `jwks_uri`"),
            (r#""""#, "metadata: jwks_uri: relative URL without a base"),
            (r#""/keys""#, "metadata: jwks_uri: relative URL without a base"),
            (r#""http://h/k""#, "metadata: jwks_uri: must be https (http is for loopback hosts only)"),
            (r#""file:///etc/keys""#, "metadata: jwks_uri: names no host"),
            (
                r#""https://169.254.169.254/k""#,
                "metadata: jwks_uri: must not name a link-local address or carry a password",
            ),
            (r#""https://me:pw@h/k""#, "metadata: jwks_uri: must not name a link-local address or carry a password"),
            (
                r#""http://127.0.0.1/k""#,
                "metadata: jwks_uri: must have the scheme of the issuer, and be no loopback unless that is",
            ),
            (
                r#""https://localhost:8443/k""#,
                "metadata: jwks_uri: must have the scheme of the issuer, and be no loopback unless that is",
            ),
            (
                r#""https://[::ffff:127.0.0.1]/k""#,
                "metadata: jwks_uri: must have the scheme of the issuer, and be no loopback unless that is",
            ),
            (r#""https://0.0.0.0/k""#, "metadata: jwks_uri: must not name a link-local address or carry a password"),
        ];
        for (uri, why) in refused {
            assert_eq!(read("https://h", uri).unwrap_err(), why, "{uri}");
        }
        assert_eq!(read("http://127.0.0.1:1", r#""http://localhost:2/k""#).unwrap(), "http://localhost:2/k");
    }
}
