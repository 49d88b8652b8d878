//! The connections of a server, limited in number.
//!
//! A server without a free place ends the oldest connection of the peer that has most, among those that never logged
//! on: whoever opens connections and leaves them lying does not keep others out.

use crate::shares::{Peer, Shares};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// The connections of a server.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: AtomicUsize,
    strangers: Mutex<Shares<Arc<Notify>>>,
}

/// A connection's place. Dropped, it is free.
#[derive(Debug)]
pub(crate) struct Registration {
    connections: Arc<Connections>,
    id: u64,
}

/// Connections above the limit that may be there while evicted ones close.
const CLOSING: usize = 64;

impl Connections {
    /// A place for a connection that `close` ends, or `None` when there is none and none can be made.
    pub(crate) fn register(self: &Arc<Self>, limit: usize, peer: IpAddr, close: &Arc<Notify>) -> Option<Registration> {
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        if self.open.load(Ordering::Acquire) >= limit {
            let evicted = strangers.evict_from_greediest();
            if let Some(evicted) = &evicted {
                evicted.notify_one();
            }
            if evicted.is_none() || self.open.load(Ordering::Acquire) >= limit.saturating_add(CLOSING) {
                return None;
            }
        }
        self.open.fetch_add(1, Ordering::AcqRel);
        let id = strangers.insert(Peer::from(peer), Arc::clone(close));
        Some(Registration { connections: Arc::clone(self), id })
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }
}

impl Registration {
    /// The client logged on: its connection is not ended to make room.
    pub(crate) fn settle(&self) {
        self.connections.strangers.lock().unwrap_or_else(PoisonError::into_inner).remove(self.id);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.settle();
        self.connections.open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How many connections fit: no more than the system lets this process have open files, less what else it needs.
/// Raises the process's own limit as far as it may.
pub(crate) fn fitting(wanted: usize) -> usize {
    const OTHERS: usize = 256;
    match open_files() {
        Some(files) => wanted.min(files.saturating_sub(OTHERS).max(16)),
        None => wanted,
    }
}

#[cfg(unix)]
fn open_files() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    current.map(|files| usize::try_from(files).unwrap_or(usize::MAX))
}

#[cfg(not(unix))]
fn open_files() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[tokio::test]
    async fn a_full_server_ends_a_strangers_connection_and_no_users() {
        let connections = Arc::new(Connections::default());
        let closes: Vec<_> = (0..4).map(|_| Arc::new(Notify::new())).collect();
        let user = connections.register(3, address(66), &closes[0]).unwrap();
        user.settle();
        let _idle = connections.register(3, address(66), &closes[1]).unwrap();
        let _other = connections.register(3, address(1), &closes[2]).unwrap();
        let newcomer = connections.register(3, address(2), &closes[3]);
        assert!(newcomer.is_some());
        // Of 66 and 1, one stranger each, one was told to close; never the user.
        let told = async {
            tokio::select! { () = closes[1].notified() => 1, () = closes[2].notified() => 2 }
        };
        assert!(tokio::time::timeout(std::time::Duration::from_secs(1), told).await.is_ok());
        let left = tokio::time::timeout(std::time::Duration::from_millis(10), closes[0].notified()).await;
        assert!(left.is_err());
    }

    #[test]
    fn where_nobody_can_be_ended_a_newcomer_is_turned_away() {
        let connections = Arc::new(Connections::default());
        let close = Arc::new(Notify::new());
        let user = connections.register(1, address(1), &close).unwrap();
        user.settle();
        assert!(connections.register(1, address(2), &close).is_none());
        drop(user);
        assert_eq!(connections.open(), 0);
        assert!(connections.register(1, address(2), &close).is_some());
    }
}
