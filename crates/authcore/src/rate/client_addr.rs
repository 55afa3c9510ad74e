//! Whose request it is, by network address.
//!
//! The peer of the connection is known; what a header says of somebody behind it is hearsay, and counts only from proxies
//! that are named or counted in the settings. Whatever cannot be used makes it the peer's request: a client never gets to
//! choose its address.

mod entries;
mod forwarded;
mod network;
mod node;

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use self::entries::{Joined, MAX_ENTRIES};
use self::network::Network;
use super::address::Address;
use crate::error::ConfigError;
use crate::head::RequestHead;

/// Whose address a request is counted by: the peer's, or the one that trusted proxies handed on.
///
/// Cheap to clone. Of the header only what trusted proxies appended is read, from the right, at most 64 entries in 8 KiB.
/// When one of those entries cannot be used, or more would be needed, the address is the peer's.
///
/// ```
/// use authcore::rate::{ClientAddresses, ForwardingHeader};
/// use authcore_testkit::TestHead;
///
/// let head = TestHead::get("/").peer("10.0.0.2").header("X-Forwarded-For", "1.1.1.1, 203.0.113.9, 10.0.0.1");
/// let client = |addresses: ClientAddresses| addresses.client(&head).unwrap().to_string();
///
/// assert_eq!(client(ClientAddresses::peer()), "10.0.0.2");
/// assert_eq!(client(ClientAddresses::trusting(["10.0.0.0/8"])?), "203.0.113.9");
/// assert_eq!(client(ClientAddresses::hops(2)?), "203.0.113.9");
/// assert_eq!(client(ClientAddresses::hops(2)?.header(ForwardingHeader::Forwarded)), "10.0.0.2");
/// # Ok::<(), authcore::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientAddresses {
    believed: Believed,
    header: ForwardingHeader,
    ipv6_prefix: u8,
}

/// Who is believed to say for whom it asks.
#[derive(Clone, Debug)]
enum Believed {
    Nobody,
    Networks(Arc<[Network]>),
    Hops(usize),
}

/// Where proxies say for whom they ask. Only the one that is configured is ever read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`: addresses, each with or without a port. No standard; what most proxies write.
    #[default]
    XForwardedFor,
    /// `Forwarded` ([RFC 7239](https://www.rfc-editor.org/rfc/rfc7239)): the parameter `for` of each element.
    Forwarded,
}

impl ClientAddresses {
    /// The peer's address, whatever headers say. The default.
    #[must_use]
    pub fn peer() -> Self {
        Self::believing(Believed::Nobody)
    }

    /// Believes proxies with an address in these networks: in CIDR notation, or one address. An empty list is
    /// [`Self::peer`].
    ///
    /// The header is read from the right, past trusted addresses to the first other one; when all are trusted, the
    /// leftmost counts. From a peer that is not trusted it is not read at all.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when one is no network, has bits beyond its prefix (`10.0.0.1/8`), or holds all of IPv4 or IPv6:
    /// anybody would be believed.
    pub fn trusting(networks: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, ConfigError> {
        let networks: Arc<[Network]> =
            networks.into_iter().map(|network| network.as_ref().parse()).collect::<Result<_, _>>()?;
        Ok(Self::believing(if networks.is_empty() { Believed::Nobody } else { Believed::Networks(networks) }))
    }

    /// Believes that exactly this many proxies are in front, each of which appends the address it was asked from: the
    /// entry of this number counts, from the right.
    ///
    /// Only for servers that cannot be reached around these proxies: whoever can chooses their own address. Where their
    /// addresses are known, [`Self::trusting`] is safer.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when there are none, or more than 64.
    pub fn hops(proxies: usize) -> Result<Self, ConfigError> {
        if !(1..=MAX_ENTRIES).contains(&proxies) {
            return Err(ConfigError::new(format!("client address: 1 to {MAX_ENTRIES} proxies may be in front")));
        }
        Ok(Self::believing(Believed::Hops(proxies)))
    }

    /// The header that the proxies write: `X-Forwarded-For` by default. It must be one that they write or remove, since
    /// what they let through is the client's.
    #[must_use]
    pub fn header(self, header: ForwardingHeader) -> Self {
        Self { header, ..self }
    }

    /// How many bits of an IPv6 address count: 64 by default, the smallest network that is given to somebody whole. Many
    /// are given 56 or 48.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] unless it is from 32 (what a provider has) to 128.
    pub fn ipv6_prefix(self, ipv6_prefix: u8) -> Result<Self, ConfigError> {
        if !(32..=128).contains(&ipv6_prefix) {
            return Err(ConfigError::new("client address: an IPv6 prefix has 32 to 128 bits"));
        }
        Ok(Self { ipv6_prefix, ..self })
    }

    /// The client's address, IPv4 in IPv6 (`::ffff:192.0.2.1`) as IPv4.
    ///
    /// `None` only when the peer is unknown, as over a Unix socket or where the adapter was not told. No header is read
    /// then, as there is nobody to believe. Whoever limits by address has to refuse such requests or count them as one:
    /// a request that is not counted is a way around the limit.
    #[must_use]
    pub fn client(&self, head: &dyn RequestHead) -> Option<IpAddr> {
        let peer = head.peer()?.to_canonical();
        Some(self.behind(peer, head).unwrap_or(peer))
    }

    /// The client's address as it is counted: an IPv6 address by its network. `None` as for [`Self::client`].
    #[must_use]
    pub fn address(&self, head: &dyn RequestHead) -> Option<Address> {
        self.client(head).map(|client| Address::of(client, self.ipv6_prefix))
    }

    fn believing(believed: Believed) -> Self {
        Self { believed, header: ForwardingHeader::default(), ipv6_prefix: 64 }
    }

    /// Who asked the peer, by those who are believed; `None` when they say nothing that can be used.
    fn behind(&self, peer: IpAddr, head: &dyn RequestHead) -> Option<IpAddr> {
        match &self.believed {
            Believed::Nobody => None,
            Believed::Networks(networks) => {
                let trusted = |address| networks.iter().any(|network| network.contains(address));
                if !trusted(peer) {
                    return None;
                }
                let joined = Joined::of(head, self.header)?;
                let mut entries = joined.entries();
                let mut client = peer;
                while trusted(client) {
                    let Some(entry) = entries.next() else { break };
                    client = entry?;
                }
                Some(client)
            }
            Believed::Hops(hops) => {
                let joined = Joined::of(head, self.header)?;
                let mut entries = joined.entries();
                (0..*hops).try_fold(peer, |_, _| entries.next()?)
            }
        }
    }
}

impl Default for ClientAddresses {
    fn default() -> Self {
        Self::peer()
    }
}

/// [`ClientAddresses::trusting`] a list with commas, as it stands in an environment variable: `10.0.0.0/8, 127.0.0.1`.
/// Nothing, or white space alone, is [`ClientAddresses::peer`].
impl FromStr for ClientAddresses {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text.trim() {
            "" => Ok(Self::peer()),
            list => Self::trusting(list.split(',').map(str::trim)),
        }
    }
}

impl ForwardingHeader {
    /// The field's name, in lower case.
    fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

/// The field's name, in any case: `x-forwarded-for`, `Forwarded`.
impl FromStr for ForwardingHeader {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let named = [Self::XForwardedFor, Self::Forwarded].into_iter().find(|it| text.eq_ignore_ascii_case(it.name()));
        named.ok_or_else(|| ConfigError::new("client address: the header is x-forwarded-for or forwarded"))
    }
}
