//! A request head made of header fields that were told.

use std::net::{IpAddr, SocketAddr};

use authcore_testkit::{HeadSpec, TestHead};
use serde::Deserialize;

use crate::batch::{BadLine, Line, decode};

/// `GET /` with the header fields of options.
pub(crate) fn of_fields(fields: &[(String, String)], peer: Option<IpAddr>) -> TestHead {
    head(fields.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect(), peer)
}

/// `GET /` with a line's `headers`: `[["name", "value"], ["name", {"b64": "…"}], …]`.
pub(crate) fn of_line(line: &Line<'_>, peer: Option<IpAddr>) -> Result<TestHead, BadLine> {
    const TAKES: &str = "takes pairs of a name and a value, which is a string or {\"b64\":\"…\"}";
    let headers: Option<Vec<(String, Value)>> = line.read("headers", TAKES.trim_start_matches("takes "))?;
    let headers = headers.ok_or_else(|| BadLine::member("headers", "is missing"))?;
    let bytes = |value| match value {
        Value::Text(text) => Ok(text.into_bytes()),
        Value::Bytes { b64 } => decode(&b64).ok_or_else(|| BadLine::member("headers", TAKES)),
    };
    let fields: Result<Vec<_>, BadLine> = headers.into_iter().map(|(name, value)| Ok((name, bytes(value)?))).collect();
    Ok(head(fields?, peer))
}

fn head(headers: Vec<(String, Vec<u8>)>, peer: Option<IpAddr>) -> TestHead {
    TestHead::from(HeadSpec { method: "GET".to_owned(), target: "/".to_owned(), headers, peer })
}

/// A field's value.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Value {
    Text(String),
    Bytes { b64: String },
}

/// An address with a port, or without.
pub(crate) fn peer(text: &str) -> Result<IpAddr, String> {
    let with_port = text.parse::<SocketAddr>().map(|address| address.ip());
    let address = with_port.or_else(|_| text.parse::<IpAddr>());
    address.map_err(|_| "takes an address, as in 203.0.113.9:5000 or [2001:db8::1]:443".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_an_address_with_a_port_or_without() {
        for text in ["203.0.113.9", "203.0.113.9:5000", "2001:db8::1", "[2001:db8::1]:443"] {
            assert!(peer(text).is_ok(), "{text}");
        }
        for bad in ["", "203.0.113.9:", "203.0.113.9:99999", "[2001:db8::1]", "example.com:80", "0x7f.1", "010.0.0.1"] {
            assert!(peer(bad).is_err(), "{bad}");
        }
    }
}
