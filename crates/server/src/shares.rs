use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};

/// What many peers hold shares of, in the order of arrival: who holds most, and what came first.
///
/// Every operation is logarithmic, so that a flood does not make each further arrival dearer.
#[derive(Debug)]
pub(crate) struct Shares<T> {
    held: BTreeMap<u64, (Peer, T)>,
    by_peer: HashMap<Peer, BTreeSet<u64>>,
    ranking: BTreeSet<(usize, Peer)>,
    next: u64,
}

/// Who counts as one: an IPv4 address, or the /64 that a host on IPv6 has for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Peer(IpAddr);

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
            v4 => v4,
        })
    }
}

impl<T> Default for Shares<T> {
    fn default() -> Self {
        Self { held: BTreeMap::new(), by_peer: HashMap::new(), ranking: BTreeSet::new(), next: 0 }
    }
}

impl<T> Shares<T> {
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn of(&self, peer: Peer) -> usize {
        self.by_peer.get(&peer).map_or(0, BTreeSet::len)
    }

    pub(crate) fn insert(&mut self, peer: Peer, value: T) -> u64 {
        let id = self.next;
        self.next += 1;
        self.held.insert(id, (peer, value));
        self.change(peer, |ids| ids.insert(id));
        id
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<T> {
        let (peer, value) = self.held.remove(&id)?;
        self.change(peer, |ids| ids.remove(&id));
        Some(value)
    }

    /// What came first of all.
    pub(crate) fn oldest(&self) -> Option<(u64, &T)> {
        self.held.first_key_value().map(|(id, (_, value))| (*id, value))
    }

    /// Takes away what came first of a peer's.
    pub(crate) fn evict_oldest_of(&mut self, peer: Peer) -> Option<T> {
        let id = *self.by_peer.get(&peer)?.first()?;
        self.remove(id)
    }

    /// Takes away what came first of the peer that holds most.
    pub(crate) fn evict_from_greediest(&mut self) -> Option<T> {
        let (_, peer) = *self.ranking.last()?;
        self.evict_oldest_of(peer)
    }

    fn change(&mut self, peer: Peer, change: impl FnOnce(&mut BTreeSet<u64>) -> bool) {
        let ids = self.by_peer.entry(peer).or_default();
        self.ranking.remove(&(ids.len(), peer));
        change(ids);
        match ids.len() {
            0 => drop(self.by_peer.remove(&peer)),
            count => drop(self.ranking.insert((count, peer))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn the_greediest_peer_loses_its_oldest() {
        let mut shares = Shares::default();
        shares.insert(peer("192.0.2.1"), "good");
        for name in ["first", "second", "third"] {
            shares.insert(peer("192.0.2.66"), name);
        }
        assert_eq!(shares.evict_from_greediest(), Some("first"));
        assert_eq!(shares.evict_from_greediest(), Some("second"));
        assert_eq!((shares.of(peer("192.0.2.66")), shares.of(peer("192.0.2.1")), shares.len()), (1, 1, 2));
    }

    #[test]
    fn what_is_removed_is_forgotten() {
        let mut shares = Shares::default();
        let id = shares.insert(peer("192.0.2.1"), ());
        assert_eq!(shares.remove(id), Some(()));
        assert_eq!(shares.remove(id), None);
        assert_eq!(shares.evict_from_greediest(), None);
        assert!(shares.by_peer.is_empty() && shares.ranking.is_empty());
    }

    #[test]
    fn a_host_with_many_ipv6_addresses_is_one_peer() {
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:192.0.2.1"), peer("192.0.2.1"));
    }
}
