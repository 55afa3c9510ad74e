//! What an issuer publishes about itself. On the first line its name, preceded by the kind of the document (`o` OpenID
//! Connect, anything else RFC 8414); then the document, in which the byte 2 stands for that name.
#![no_main]

use std::net::{IpAddr, Ipv6Addr};

use authcore::Metadata;
use authcore::fuzzing::{jwks_uri, metadata_url};
use authcore_fuzz::json::{Members, Node};
use authcore_fuzz::{MARKER, first_line, planted, replaced};
use url::{Host, Url};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [kind, rest @ ..] = data else { return };
    let rest = planted(rest);
    let (issuer, document) = first_line(&rest);
    let Ok(issuer) = std::str::from_utf8(issuer) else { return };
    let document = replaced(document, |byte| (byte == 2).then_some(issuer));
    let kind = if *kind == b'o' { Metadata::OpenIdConnect } else { Metadata::OAuth };
    // Only what is an issuer is ever asked.
    let place = match metadata_url(kind, issuer) {
        Ok(place) => place,
        Err(why) => return assert!(!why.contains(MARKER), "a password is told: {why}"),
    };
    let home = Url::parse(issuer).expect("an accepted issuer is a URL");
    asked_safely(&home);
    assert!(home.query().is_none() && home.fragment().is_none() && !issuer.contains(char::is_whitespace));
    let place = Url::parse(&place).expect("where it stands is a URL");
    assert_eq!(place.origin(), home.origin());
    let path = home.path().strip_suffix('/').unwrap_or(home.path());
    let expected = match kind {
        Metadata::OpenIdConnect => format!("{path}/.well-known/openid-configuration"),
        _ => format!("/.well-known/oauth-authorization-server{path}"),
    };
    assert_eq!((place.path(), place.query(), place.fragment()), (&*expected, None, None));

    let keys = match jwks_uri(&document, issuer) {
        Ok(keys) => Url::parse(&keys).expect("where the keys are is a URL"),
        Err(why) => {
            // The names of issuers are told, our own whole, and no other member.
            assert!(why.starts_with("metadata: ") && why.len() < 4096 + issuer.len(), "{why}");
            let members = std::str::from_utf8(&document).ok().and_then(Members::of);
            let named = members.map(|members| members.text("issuer").unwrap_or_default());
            let is_name = issuer.contains(MARKER) || named.is_none_or(|named| named.contains(MARKER));
            return assert!(is_name || !why.contains(MARKER), "a password is told: {why}");
        }
    };
    let document = Node::read(&document).expect("believed metadata are JSON");
    assert!(document.is_object() && !document.names_twice());
    assert_eq!(document.text_of("issuer"), Some(issuer), "somebody else's");
    let named = document.text_of("jwks_uri").and_then(|uri| Url::parse(uri).ok());
    assert_eq!(named.as_ref(), Some(&keys));
    asked_safely(&keys);
    assert!(keys.scheme() == home.scheme() && (!is_loopback(&keys) || is_loopback(&home)), "{keys} of {home}");
});

/// TLS or this very machine, no password on the way, and nowhere that clouds keep their secrets.
fn asked_safely(url: &Url) {
    let is_plain = url.scheme() == "http";
    assert!(url.scheme() == "https" || is_plain && is_loopback(url), "{url}");
    assert!(url.username().is_empty() && url.password().is_none(), "{url}");
    match address(url) {
        Some(IpAddr::V4(ip)) => assert!(ip.octets()[..2] != [169, 254] && !ip.is_unspecified(), "{url}"),
        Some(IpAddr::V6(ip)) => {
            let is_cloud = ip == "fd00:ec2::254".parse::<Ipv6Addr>().expect("an address");
            assert!(ip.segments()[0] & 0xffc0 != 0xfe80 && !ip.is_unspecified() && !is_cloud, "{url}");
        }
        None => assert!(url.host_str().is_some_and(|host| !host.is_empty()), "{url}"),
    }
}

fn is_loopback(url: &Url) -> bool {
    address(url).map_or(url.host_str().is_some_and(|host| host == "localhost" || host.ends_with(".localhost")), |ip| {
        ip.is_loopback()
    })
}

fn address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(ip) => Some(ip.into()),
        Host::Ipv6(ip) => Some(IpAddr::V6(ip).to_canonical()),
        Host::Domain(_) => None,
    }
}
