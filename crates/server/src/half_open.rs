//! Handshakes that wait for the client's next token, limited in number, bytes and age for the whole server.
//!
//! A client that begins handshakes and never finishes them must not keep others from logging on. So a full registry
//! does not turn newcomers away: it drops the oldest handshake of whoever has most of them. Against a flood from many
//! addresses a good client needs its two legs to be nearer in time than the flood takes to fill the registry.

use crate::shares::{Peer, Shares};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The half-open handshakes of a server.
#[derive(Debug)]
pub(crate) struct HalfOpen<T> {
    state: Mutex<State<T>>,
}

/// How many there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) count: usize,
    pub(crate) per_peer: usize,
    pub(crate) bytes: usize,
}

/// The right to take a parked handshake back. Dropped, it drops the handshake.
#[derive(Debug)]
pub(crate) struct Ticket<T> {
    registry: Arc<HalfOpen<T>>,
    id: u64,
}

/// What parking one handshake came to.
#[derive(Debug)]
pub(crate) struct Parked<T> {
    /// The ticket; or the handshake itself, where it alone is more than may be held.
    pub(crate) ticket: Result<Ticket<T>, T>,
    /// The handshakes that were dropped to make room.
    pub(crate) evicted: Vec<T>,
}

#[derive(Debug)]
struct State<T> {
    shares: Shares<Entry<T>>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry<T> {
    value: T,
    bytes: usize,
    since: Instant,
}

impl<T> HalfOpen<T> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { shares: Shares::default(), bytes: 0 }) })
    }

    /// Parks a handshake of `bytes`, dropping others where the bounds ask for it.
    pub(crate) fn park(self: &Arc<Self>, bounds: Bounds, peer: IpAddr, bytes: usize, value: T) -> Parked<T> {
        let peer = Peer::from(peer);
        if bytes > bounds.bytes || bounds.count == 0 || bounds.per_peer == 0 {
            return Parked { ticket: Err(value), evicted: Vec::new() };
        }
        let mut state = self.lock();
        let mut evicted = Vec::new();
        loop {
            let entry = if state.shares.of(peer) >= bounds.per_peer {
                state.shares.evict_oldest_of(peer)
            } else if state.shares.len() >= bounds.count || state.bytes + bytes > bounds.bytes {
                state.shares.evict_from_greediest()
            } else {
                break;
            };
            let Some(entry) = entry else { break };
            state.bytes -= entry.bytes;
            evicted.push(entry.value);
        }
        state.bytes += bytes;
        let id = state.shares.insert(peer, Entry { value, bytes, since: Instant::now() });
        Parked { ticket: Ok(Ticket { registry: Arc::clone(self), id }), evicted }
    }

    /// Takes out what has been waiting for longer than `age`.
    pub(crate) fn expire(&self, age: Duration) -> Vec<T> {
        let mut state = self.lock();
        let mut expired = Vec::new();
        while let Some((id, entry)) = state.shares.oldest() {
            if entry.since.elapsed() < age {
                break;
            }
            expired.extend(state.remove(id));
        }
        expired
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.lock().shares.len()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn remove(&mut self, id: u64) -> Option<T> {
        let entry = self.shares.remove(id)?;
        self.bytes -= entry.bytes;
        Some(entry.value)
    }
}

impl<T> Ticket<T> {
    /// The handshake; `None` when it was dropped meanwhile.
    pub(crate) fn redeem(self) -> Option<T> {
        self.registry.lock().remove(self.id)
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        let gone = self.registry.lock().remove(self.id);
        drop(gone); // after the lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { count: 4, per_peer: 3, bytes: 100 };

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_full_registry_drops_the_greediest_peers_oldest_and_takes_the_newcomer() {
        let registry = HalfOpen::new();
        let flood: Vec<_> = (0..3).map(|i| registry.park(BOUNDS, address(66), 1, i).ticket.unwrap()).collect();
        let good = registry.park(BOUNDS, address(1), 1, 10);
        assert!(good.evicted.is_empty());
        let other = registry.park(BOUNDS, address(2), 1, 20);
        assert_eq!(other.evicted, [0]);
        let mut flood = flood.into_iter();
        assert_eq!(flood.next().unwrap().redeem(), None);
        assert_eq!(flood.next().unwrap().redeem(), Some(1));
        assert_eq!(good.ticket.unwrap().redeem(), Some(10));
        assert_eq!(other.ticket.unwrap().redeem(), Some(20));
    }

    #[test]
    fn a_peer_over_its_share_loses_its_own() {
        let registry = HalfOpen::new();
        let held: Vec<_> = (0..4).map(|i| registry.park(BOUNDS, address(66), 1, i)).collect();
        assert_eq!(held[3].evicted, [0]);
        assert_eq!(registry.len(), 3);
        drop(held);
        assert_eq!((registry.len(), registry.lock().bytes), (0, 0));
    }

    #[test]
    fn bytes_are_bounded() {
        let registry = HalfOpen::new();
        let first = registry.park(BOUNDS, address(1), 60, 1);
        let second = registry.park(BOUNDS, address(2), 60, 2);
        assert_eq!((second.evicted.as_slice(), registry.len()), ([1].as_slice(), 1));
        assert_eq!(registry.park(BOUNDS, address(3), 101, 3).ticket.unwrap_err(), 3);
        drop((first, second));
    }

    #[test]
    fn what_is_too_old_is_taken_out() {
        let registry = HalfOpen::new();
        let ticket = registry.park(BOUNDS, address(1), 1, 1).ticket.unwrap();
        assert!(registry.expire(Duration::from_secs(60)).is_empty());
        assert_eq!(registry.expire(Duration::ZERO), [1]);
        assert_eq!(ticket.redeem(), None);
    }
}
