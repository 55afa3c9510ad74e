//! Which URLs keys are fetched from: none that leads astray.

use std::net::{IpAddr, Ipv6Addr};

use url::{Host, Url};

/// Where one cloud keeps its machines' metadata besides.
const METADATA_OVER_IPV6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Whether a host is this machine's own.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Reads a URL and says what is wrong with it: https, or http to a loopback host; no link-local address and the like, where
/// most cloud providers keep their metadata; no user or password.
pub(super) fn checked(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let host = url.host().ok_or("names no host")?;
    let address = match host {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address).to_canonical()),
        Host::Domain(_) => None,
    };
    let is_loopback = address.map_or(host == Host::Domain("localhost"), |address| address.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        _ => return Err("must be https (http is for loopback hosts only)".to_owned()),
    }
    let is_link_local = match address {
        Some(IpAddr::V4(address)) => address.is_link_local() || address.is_unspecified(),
        Some(IpAddr::V6(address)) => {
            address.is_unicast_link_local() || address.is_unspecified() || address == METADATA_OVER_IPV6
        }
        None => false,
    };
    if is_link_local || !url.username().is_empty() || url.password().is_some() {
        return Err("must not name a link-local address or carry a password".to_owned());
    }
    Ok(url)
}
