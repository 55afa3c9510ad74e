//! Whether another site may have caused a request: what a cookie alone cannot tell (CWE-352).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::error::{AuthError, ConfigError};
use crate::head::RequestHead;

/// The origins whose pages may change something with a cookie. Cloning is cheap.
///
/// `SameSite=Lax` is no defence against a sibling domain of the same site. So each state change by cookie is asked where it
/// comes from; requests with a bearer token need not be, since no browser adds one by itself.
///
/// ```
/// use authcore::TrustedOrigins;
/// use authcore_testkit::TestHead;
///
/// let origins = TrustedOrigins::new(["https://app.example.com"])?;
/// let post = TestHead::new("POST", "/api/tasks");
///
/// assert!(origins.check(&post.clone().header("origin", "https://app.example.com")).is_ok());
/// assert_eq!(origins.check(&post.header("origin", "https://evil.example")).unwrap_err().reason(), "cross_site");
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrustedOrigins(Arc<[Box<str>]>);

impl TrustedOrigins {
    /// These origins, each as a browser writes it in `Origin`: scheme (http or https), host, and the port if it is not the
    /// scheme's own. There are no patterns.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] naming the first that is not written so.
    pub fn new<O: Into<String>>(origins: impl IntoIterator<Item = O>) -> Result<Self, ConfigError> {
        origins.into_iter().map(|origin| checked(origin.into())).collect::<Result<_, _>>().map(Self)
    }

    /// Judges a request that carries a cookie.
    ///
    /// `GET`, `HEAD` and `OPTIONS` pass, so handlers must change nothing on them; but not a WebSocket handshake, over which
    /// anything may be asked for. For the rest an `Origin` that is present decides alone, and has to be one of these. Without
    /// one, `Sec-Fetch-Site` has to say `same-origin` or `none`, which only a browser can say; so a script that sends a
    /// cookie also sends `Origin`.
    ///
    /// # Errors
    ///
    /// [`AuthError::CrossSite`], also when a field comes twice.
    pub fn check(&self, head: &dyn RequestHead) -> Result<(), AuthError> {
        if matches!(head.method(), "GET" | "HEAD" | "OPTIONS") && !head.asks_for_websocket() {
            return Ok(());
        }
        let sole = |name| head.sole_field(name).map_err(|_| AuthError::CrossSite);
        let ours = match sole("origin")? {
            Some(origin) => self.0.iter().any(|trusted| trusted.as_bytes() == origin),
            None => matches!(sole("sec-fetch-site")?, Some(b"same-origin" | b"none")),
        };
        if ours { Ok(()) } else { Err(AuthError::CrossSite) }
    }
}

fn checked(origin: String) -> Result<Box<str>, ConfigError> {
    if is_origin(&origin) {
        return Ok(origin.into_boxed_str());
    }
    Err(ConfigError::new(format!("{origin:?} is not an origin: write it as https://app.example.com")))
}

/// Scheme, host and port as the URL standard serialises them (HTML §7.1.1): whatever is written otherwise never matches.
fn is_origin(text: &str) -> bool {
    let Some((scheme @ ("http" | "https"), authority)) = text.split_once("://") else { return false };
    let (host, port) = match authority.rfind(']') {
        Some(end) => authority.split_at(end + 1),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let own = if scheme == "http" { 80 } else { 443 };
    is_host(host) && (port.is_empty() || is_port(port.strip_prefix(':'), own))
}

fn is_port(digits: Option<&str>, schemes_own: u16) -> bool {
    let number = digits.and_then(|digits| digits.parse::<u16>().ok().filter(|port| port.to_string() == digits));
    number.is_some_and(|port| port != schemes_own)
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse().is_ok_and(|ip: Ipv6Addr| ip.to_ipv4_mapped().is_none() && ip.to_string() == address);
    }
    let labels = host.strip_suffix('.').unwrap_or(host).split('.');
    let plain =
        |label: &str| !label.is_empty() && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    // What ends in a number is an address, and to be written as one.
    let number = labels.clone().next_back().is_some_and(|last| last.starts_with(|first: char| first.is_ascii_digit()));
    if number { host.parse().is_ok_and(|ip: Ipv4Addr| ip.to_string() == host) } else { labels.into_iter().all(plain) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_taken_as_browsers_write_them_and_not_otherwise() {
        for good in [
            "https://app.example.com",
            "http://localhost:3000",
            "http://127.0.0.1:8080",
            "https://[2001:db8::1]:8443",
            "http://[::1]",
            "https://xn--bcher-kva.example",
            "https://a_b.example.",
            "http://example.com:443",
        ] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "https://",
            "https://:8443",
            "https://a..b",
            "https://a:",
            "https://a:0443",
            "https://a:+80",
            "https://a:65536",
            "https://a:443",
            "http://a:80",
            "http://127.1",
            "http://0x7f.1",
            "http://1",
            "https://bücher.example",
            "https://[::0001]",
            "https://[::ffff:127.0.0.1]",
            "https://[::1]x",
            "https://::1",
            "https://a b",
            "https://a?b",
            "https://a#b",
            "HTTPS://a",
            "ftp://a",
            "wss://a",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
