//! How one host is written.
//!
//! Refused, since they would be second spellings of one client or cannot be told from a name: zone ids (which mean
//! something only on the host that wrote them, RFC 4007 §6), octal, hexadecimal, short and integer forms of IPv4.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An entry of `X-Forwarded-For`: an address, which may have a port. IPv6 needs brackets only where it has one.
pub(super) fn bare_or_with_port(text: &str) -> Option<IpAddr> {
    match text.parse::<Ipv6Addr>() {
        Ok(address) => Some(address.into()),
        Err(_) => with_port(text, is_port),
    }
}

/// A node ([RFC 7239 §6](https://www.rfc-editor.org/rfc/rfc7239#section-6)) that is an address, IPv6 in brackets.
/// `unknown` and obfuscated identifiers are none.
pub(super) fn identified(text: &str) -> Option<IpAddr> {
    with_port(text, |port| is_port(port) || is_obfuscated(port))
}

/// The port, if there is one, is of no use: it is another one for each connection.
fn with_port(text: &str, is_port: fn(&str) -> bool) -> Option<IpAddr> {
    let (address, rest): (IpAddr, _) = match text.strip_prefix('[') {
        Some(text) => {
            let (address, rest) = text.split_once(']')?;
            (address.parse::<Ipv6Addr>().ok()?.into(), rest)
        }
        None => {
            let (address, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            (address.parse::<Ipv4Addr>().ok()?.into(), rest)
        }
    };
    let good = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
    good.then_some(address)
}

/// `port = 1*5DIGIT`, and one that there is.
fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// `obfport = "_" 1*(ALPHA / DIGIT / "." / "_" / "-")`
fn is_obfuscated(text: &str) -> bool {
    text.strip_prefix('_').is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    })
}
