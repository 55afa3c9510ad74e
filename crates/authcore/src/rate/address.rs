//! An address as it is counted: IPv4 by itself, IPv6 by its network.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv4 address, or the IPv6 network that one household or machine is given whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// The four octets.
    V4([u8; 4]),
    /// A network: whoever holds it has all of its addresses.
    V6 {
        /// Its octets, those beyond the prefix zero.
        network: [u8; 16],
        /// How many bits of them count.
        prefix: u8,
    },
}

impl Address {
    /// The address, in IPv6 the network of this many bits (0 to 128, 64 where nothing is said). IPv4 in IPv6
    /// (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2; `64:ff9b::192.0.2.1`, RFC 6052 §2.1) is IPv4.
    #[must_use]
    pub fn of(address: IpAddr, ipv6_prefix: u8) -> Self {
        match translated(address.to_canonical()) {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let prefix = ipv6_prefix.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                Self::V6 { network: (address.to_bits() & mask).to_be_bytes(), prefix }
            }
        }
    }
}

/// What NAT64 shows of an IPv4 client (RFC 6052 §2.1) is that client: all of them are in one network.
fn translated(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) if v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0] => {
            let [.., a, b, c, d] = v6.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        address => address,
    }
}

impl fmt::Display for Address {
    /// In CIDR notation: `192.0.2.1/32`, `2001:db8:1:2::/64`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(octets) => write!(f, "{}/32", Ipv4Addr::from(*octets)),
            Self::V6 { network, prefix } => write!(f, "{}/{prefix}", Ipv6Addr::from(*network)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_counted_by_who_holds_them() {
        for (address, prefix, counted) in [
            ("192.0.2.1", 64, "192.0.2.1/32"),
            ("::ffff:192.0.2.1", 64, "192.0.2.1/32"),
            ("64:ff9b::192.0.2.1", 64, "192.0.2.1/32"),
            ("64:ff9b:1::1", 64, "64:ff9b:1::/64"),
            ("2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64"),
            ("2001:db8:1:2ff:3:4:5:6", 56, "2001:db8:1:200::/56"),
            ("2001:db8:1:2:3:4:5:6", 128, "2001:db8:1:2:3:4:5:6/128"),
            ("2001:db8::1", 0, "::/0"),
            ("::1", 200, "::1/128"),
        ] {
            assert_eq!(Address::of(address.parse().expect("an address"), prefix).to_string(), counted);
        }
    }
}
