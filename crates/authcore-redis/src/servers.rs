//! Which server counts a key: the only one, or in a cluster the one that has the key's slot, learnt from the servers' own
//! redirections (`MOVED`, `ASK`). So the address of any of them is enough, and a cluster that moves is followed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crc::{CRC_16_XMODEM, Crc};
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;

use authcore_redis_link::{Link, RedisUrl};

/// A cluster's share of the keys, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u16);

impl Slot {
    /// Of a key with this text in braces (Redis Cluster Specification, "Hash tags").
    pub(crate) fn of(tag: &str) -> Self {
        const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);
        Self(CRC.checksum(tag.as_bytes()) % SLOTS)
    }
}

/// How to get at servers, and which of them has which slot.
pub(crate) struct Servers {
    way: Way,
    /// The one that the URL names.
    first: Arc<Link>,
    cluster: Mutex<Cluster>,
}

/// What connections to all servers have in common.
struct Way {
    url: RedisUrl,
    tls: Option<TlsConnector>,
    patience: Duration,
    runtime: Handle,
}

/// What is known of a cluster: one server until that one redirects.
struct Cluster {
    links: HashMap<(String, u16), Arc<Link>>,
    slots: HashMap<u16, Arc<Link>>,
}

impl Servers {
    pub(crate) fn at(url: RedisUrl, tls: Option<TlsConnector>, patience: Duration, runtime: Handle) -> Self {
        let way = Way { url, tls, patience, runtime };
        let first = Arc::new(way.to(way.url.host.clone(), way.url.port));
        let links = HashMap::from([((way.url.host.clone(), way.url.port), Arc::clone(&first))]);
        let cluster = Mutex::new(Cluster { links, slots: HashMap::new() });
        Self { way, first, cluster }
    }

    pub(crate) fn first(&self) -> &Arc<Link> {
        &self.first
    }

    /// The one to ask about this slot: the last that was said to have it.
    pub(crate) fn with(&self, slot: Slot) -> Arc<Link> {
        let cluster = self.cluster();
        Arc::clone(cluster.slots.get(&slot.0).unwrap_or(&self.first))
    }

    /// One that is connected, to be asked who has taken over from these, which were no help.
    pub(crate) fn other_than(&self, useless: &[Arc<Link>]) -> Option<Arc<Link>> {
        let cluster = self.cluster();
        let mut others = cluster.links.values();
        let is_known = |other: &Arc<Link>| useless.iter().any(|known| Arc::ptr_eq(known, other));
        others.find(|other| !is_known(other) && other.is_up()).cloned()
    }

    /// The one at the address that `from` redirects to.
    pub(crate) fn named(&self, address: &str, from: &Link) -> Option<Arc<Link>> {
        let (host, port) = address.rsplit_once(':')?;
        // A server that does not know its own name means the one that it was reached by.
        let host = if host.is_empty() { from.host() } else { host };
        let port = port.parse().ok()?;
        let mut cluster = self.cluster();
        if let Some(known) = cluster.links.get(&(host.to_owned(), port)) {
            return Some(Arc::clone(known));
        }
        // Servers that have gone, and whose slots are all with others; all that have no slot, should there be many.
        let many = cluster.links.len() >= MANY;
        cluster.links.retain(|_, link| Arc::strong_count(link) > 1 || link.is_up() && !many);
        let link = Arc::new(self.way.to(host.to_owned(), port));
        cluster.links.insert((host.to_owned(), port), Arc::clone(&link));
        Some(link)
    }

    /// Notes that this one was no help with a slot any more.
    pub(crate) fn forget(&self, slot: Slot, useless: &Arc<Link>) {
        let mut cluster = self.cluster();
        if cluster.slots.get(&slot.0).is_some_and(|known| Arc::ptr_eq(known, useless)) {
            cluster.slots.remove(&slot.0);
        }
    }

    /// Notes that a slot is there from now on.
    pub(crate) fn moved(&self, slot: Slot, to: &Arc<Link>) {
        self.cluster().slots.insert(slot.0, Arc::clone(to));
    }

    fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Way {
    /// Requests may come from any runtime, and connections live in the one that the store was made in.
    fn to(&self, host: String, port: u16) -> Link {
        let url = RedisUrl { host, port, ..self.url.clone() };
        Link::to(url, self.tls.clone(), self.patience, &self.runtime)
    }
}

const SLOTS: u16 = 16_384;

/// More servers than clusters have.
const MANY: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        // The check value of CRC-16/XMODEM, which the specification names, and what `CLUSTER KEYSLOT` says.
        assert_eq!(Slot::of("123456789"), Slot(0x31C3));
        assert_eq!((Slot::of("foo"), Slot::of("user1000")), (Slot(12_182), Slot(3_443)));
    }

    #[tokio::test]
    async fn addresses_are_read_as_servers_write_them() {
        let url = RedisUrl::parse("redis://:secret@127.0.0.1:1").expect("a URL");
        let servers = Servers::at(url, None, Duration::from_secs(1), Handle::current());
        let hosts = |address| servers.named(address, servers.first()).map(|link| link.host().to_owned());
        assert_eq!(hosts("10.0.0.1:7000").as_deref(), Some("10.0.0.1"));
        assert_eq!(hosts("::1:7000").as_deref(), Some("::1"));
        assert_eq!(hosts(":7000").as_deref(), Some("127.0.0.1"));
        assert!(["", "host", "host:", "host:99999", "host:x"].into_iter().all(|bad| hosts(bad).is_none()));
    }

    #[tokio::test]
    async fn servers_that_are_gone_and_have_no_slot_are_forgotten() {
        let url = RedisUrl::parse("redis://127.0.0.1:1").expect("a URL");
        let servers = Servers::at(url, None, Duration::from_secs(1), Handle::current());
        let named = |address| servers.named(address, servers.first()).expect("an address");
        let kept = named("127.0.0.1:2");
        servers.moved(Slot(7), &kept);
        drop(named("127.0.0.1:3"));
        assert!(Arc::ptr_eq(&servers.with(Slot(7)), &kept) && Arc::ptr_eq(&named("127.0.0.1:2"), &kept));
        assert!(Arc::ptr_eq(&servers.with(Slot(8)), servers.first()));
        drop(named("127.0.0.1:4"));
        let mut ports: Vec<_> = servers.cluster().links.keys().map(|(_, port)| *port).collect();
        ports.sort_unstable();
        assert_eq!(ports, [1, 2, 4]);
    }
}
