//! Networks in CIDR notation ([RFC 4632 §3.1](https://www.rfc-editor.org/rfc/rfc4632#section-3.1), RFC 4291 §2.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::error::ConfigError;

/// A network of either family. IPv4 is kept as IPv4 in IPv6, so both spellings of it are one.
#[derive(Clone, Copy)]
pub(super) struct Network {
    first: u128,
    mask: u128,
}

impl Network {
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        bits(address) & self.mask == self.first
    }

    /// Any network that holds `::ffff:0:0/96` holds every IPv4 address.
    fn holds_a_whole_family(&self) -> bool {
        self.prefix() <= IPV4_PREFIX && self.contains(Ipv4Addr::UNSPECIFIED.into())
    }

    fn prefix(&self) -> u32 {
        self.mask.leading_ones()
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The bits that IPv4 has before it in IPv6 (RFC 4291 §2.5.5.2).
const IPV4_PREFIX: u32 = 96;

/// An address with the length of its prefix, or one address.
impl FromStr for Network {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let refused = |why: &str| ConfigError::new(format!("client address: `{text}` {why}"));
        let malformed = || refused("is no network; write one as 10.0.0.0/8 or 2001:db8::/32");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| malformed())?;
        let prefix = match prefix {
            Some(prefix) => length(prefix).map(|prefix| if address.is_ipv4() { IPV4_PREFIX + prefix } else { prefix }),
            None => Some(u128::BITS),
        };
        let host_bits = prefix.and_then(|prefix| u128::BITS.checked_sub(prefix)).ok_or_else(malformed)?;
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        let network = Self { first: bits(address) & mask, mask };
        if network.holds_a_whole_family() {
            return Err(refused("would believe anybody; name the networks of your proxies"));
        }
        if network.first != bits(address) {
            return Err(refused(&format!("has bits beyond its prefix; write {network:?} for all of it")));
        }
        Ok(network)
    }
}

/// Digits alone: no sign.
fn length(text: &str) -> Option<u32> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Ipv6Addr::from_bits(self.first).to_canonical();
        let skipped = if address.is_ipv4() { IPV4_PREFIX } else { 0 };
        write!(f, "{address}/{}", self.prefix() - skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_in_one_way() {
        for (text, network) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.1", "192.0.2.1/32"),
            ("192.0.2.1/32", "192.0.2.1/32"),
            ("128.0.0.0/1", "128.0.0.0/1"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:a00:1", "10.0.0.1/32"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("fc00::/7", "fc00::/7"),
            ("::1", "::1/128"),
        ] {
            assert_eq!(format!("{:?}", text.parse::<Network>().expect(text)), network, "{text}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_or_believes_anybody_is_refused() {
        for (text, mend) in [
            ("10.0.0.1/8", "write 10.0.0.0/8 for"),
            ("2001:db8::1/32", "write 2001:db8::/32 for"),
            ("::ffff:10.0.0.1/104", "write 10.0.0.0/8 for"),
            ("0.0.0.0/0", "anybody"),
            ("10.0.0.0/0", "anybody"),
            ("::/0", "anybody"),
            ("::ffff:0:0/96", "anybody"),
            ("::/64", "anybody"),
            ("::/1", "anybody"),
            ("", "no network"),
            ("10.0.0.0/", "no network"),
            ("10.0.0.0/33", "no network"),
            ("10.0.0.0/+8", "no network"),
            ("10.0.0.0/8/8", "no network"),
            ("10.0.0.0/4294967295", "no network"),
            ("10.0.0.0 /8", "no network"),
            ("10/8", "no network"),
            ("010.0.0.0/8", "no network"),
            ("::/129", "no network"),
            ("fe80::%eth0/10", "no network"),
            ("[::1]", "no network"),
            ("localhost", "no network"),
            ("*", "no network"),
        ] {
            let error = text.parse::<Network>().expect_err(text).to_string();
            assert!(error.contains(mend), "{error}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let holds = |network: &str, address: &str| {
            let network: Network = network.parse().expect("a network");
            network.contains(address.parse().expect("an address"))
        };
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::a00:1"),
            ("10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "9.255.255.255"),
            ("fc00::/7", "fdff::1", "fe00::1"),
            ("::1", "::1", "0.0.0.1"),
        ] {
            assert!(holds(network, inside) && !holds(network, outside), "{network}");
        }
    }
}
