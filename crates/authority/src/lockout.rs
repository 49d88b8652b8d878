use crate::LockoutPolicy;
use crate::moment::{duration_ms, from_ms};
use sha2::{Digest, Sha256};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::SystemTime;

/// Whose failures are counted: an account name and the address that the client came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The account, known or not.
    pub account: AccountKey,
    /// The address.
    pub address: AddressKey,
    /// Whether failures also count against the address, over all accounts.
    pub throttled: bool,
}

/// An account's name as lockout counts it: a digest, so that names that nobody has are counted just as those that
/// somebody has, take as much room, and are not kept: people type passwords into name fields.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountKey(pub [u8; 16]);

impl AccountKey {
    /// Counts over all accounts.
    pub(crate) const ANY: Self = Self([0; 16]);

    /// The key of an account's name, or of a name that no account has.
    pub fn of(name: &str) -> Self {
        let digest = Sha256::digest(portcullis_wire::utf16::upper_string(name));
        digest.first_chunk().map_or(Self::ANY, |half| Self(*half))
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// An address as lockout counts it: an IPv4 address, an IPv6 /64 (one customer, one computer), or `unknown`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressKey(String);

impl AddressKey {
    /// The bucket of a peer; `None` is a bucket of its own.
    pub fn of(peer: Option<IpAddr>) -> Self {
        Self(match peer.map(|peer| peer.to_canonical()) {
            None => "unknown".into(),
            Some(IpAddr::V4(v4)) => v4.to_string(),
            Some(IpAddr::V6(v6)) => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }

    /// Counts over all addresses.
    pub(crate) fn any() -> Self {
        Self("*".into())
    }

    /// The bucket as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Attempt {
    /// The attempt of a client that claims `name` from `peer`. `name` is the account's own name where there is one, so
    /// that all spellings of it are counted together.
    pub fn new(name: &str, peer: Option<IpAddr>, policy: &LockoutPolicy) -> Self {
        let exempt = match peer.map(|peer| peer.to_canonical()) {
            // There is no address to refuse.
            None => true,
            Some(peer) => policy.loopback_exempt && peer.is_loopback(),
        };
        Self {
            account: AccountKey::of(name),
            address: AddressKey::of(peer),
            throttled: policy.address_threshold != 0 && !exempt,
        }
    }
}

/// What stands in an attempt's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Nothing. `failures` tells whether the account has counted failures from this address.
    Open {
        /// Whether a success has something to reset.
        failures: bool,
    },
    /// The account is locked, for this address or for all.
    Locked,
    /// The address is refused unheard.
    Throttled,
}

/// What an account's counters say: for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockEntry {
    /// The address that is counted; `*` for all together.
    pub address: String,
    /// Failures in the present window.
    pub failures: u32,
    /// Whether the account is locked for the address now.
    pub locked: bool,
    /// Until when it is locked; `None` when it is not, and when it is until an administrator unlocks it.
    pub locked_until: Option<SystemTime>,
}

impl LockEntry {
    pub(crate) fn of(address: &str, counter: Counter, now: i64) -> Self {
        let locked = counter.is_locked(now);
        let locked_until = (locked && counter.locked_until != i64::MAX).then(|| from_ms(counter.locked_until));
        Self { address: address.to_owned(), failures: counter.count, locked, locked_until }
    }
}

/// A counter of failures. Times are milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counter {
    pub(crate) count: u32,
    pub(crate) since: i64,
    /// Zero when not locked, `i64::MAX` until an administrator unlocks.
    pub(crate) locked_until: i64,
}

impl Counter {
    pub(crate) fn is_locked(&self, now: i64) -> bool {
        self.locked_until > now
    }

    /// The counter after one more failure. `lock_for` is a length in milliseconds, zero for ever.
    pub(crate) fn fail(self, now: i64, threshold: u32, window: i64, lock_for: i64) -> Self {
        // Attempts at once read the clock before they are counted, in any order: a window may begin after `now`. One
        // that begins a whole window after it was begun before the clock was set back.
        let set_back = self.since.saturating_sub(window) > now;
        let over = self.locked_until != 0 || self.since.saturating_add(window) <= now || set_back;
        let (count, since) =
            if self.count == 0 || over { (1, now) } else { (self.count.saturating_add(1), self.since) };
        let locked_until = match (threshold != 0 && count >= threshold, lock_for) {
            (false, _) => 0,
            (true, 0) => i64::MAX,
            (true, lock_for) => now.saturating_add(lock_for),
        };
        Self { count, since, locked_until }
    }

    /// From when on the counter says nothing any more.
    pub(crate) fn ends(&self, window: i64) -> i64 {
        self.locked_until.max(self.since.saturating_add(window))
    }
}

/// The three counters of an attempt, in one order everywhere: account and address, account, address.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counters {
    pub(crate) here: Option<Counter>,
    pub(crate) everywhere: Option<Counter>,
    pub(crate) address: Option<Counter>,
}

impl Counters {
    pub(crate) fn gate(&self, attempt: &Attempt, now: i64) -> Gate {
        let locked = |counter: &Option<Counter>| counter.is_some_and(|counter| counter.is_locked(now));
        if attempt.throttled && locked(&self.address) {
            Gate::Throttled
        } else if locked(&self.here) || locked(&self.everywhere) {
            Gate::Locked
        } else {
            Gate::Open { failures: self.here.is_some() }
        }
    }

    /// The counters after one more failure. The address' stays out where the attempt is not throttled.
    pub(crate) fn fail(&self, attempt: &Attempt, now: i64, policy: &LockoutPolicy) -> Self {
        let (window, duration) = (duration_ms(policy.window), duration_ms(policy.duration));
        let next = |counter: Option<Counter>, threshold, lock_for| {
            Some(counter.unwrap_or_default().fail(now, threshold, window, lock_for))
        };
        // An address is never refused for ever: no administrator would find it.
        let address_for = window.max(1);
        Self {
            here: next(self.here, policy.threshold, duration),
            everywhere: next(self.everywhere, policy.global_threshold, duration),
            address: next(self.address, policy.address_threshold, address_for).filter(|_| attempt.throttled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_fall_into_buckets() {
        let key = |text: &str| AddressKey::of(Some(text.parse().unwrap()));
        assert_eq!(key("192.0.2.1").as_str(), "192.0.2.1");
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_eq!(key("2001:db8:1:2:3:4:5:6").as_str(), "2001:db8:1:2::/64");
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(AddressKey::of(None).as_str(), "unknown");
        let policy = LockoutPolicy::default();
        let throttled = |peer: Option<&str>| Attempt::new("a", peer.map(|p| p.parse().unwrap()), &policy).throttled;
        assert!(throttled(Some("192.0.2.1")) && !throttled(Some("127.0.0.2")));
        assert!(!throttled(Some("::1")) && !throttled(Some("::ffff:127.0.0.1")) && !throttled(None));
    }

    #[test]
    fn counters_count_windows_and_lock() {
        let mut counter = Counter::default();
        for now in 0..3 {
            assert!(!counter.is_locked(now));
            counter = counter.fail(now, 3, 100, 50);
        }
        assert_eq!((counter.count, counter.locked_until, counter.ends(100)), (3, 52, 100));
        assert!(counter.is_locked(51) && !counter.is_locked(52));
        // After the lock, counting begins again.
        assert_eq!(counter.fail(60, 3, 100, 50), Counter { count: 1, since: 60, locked_until: 0 });
        // A window that has passed is forgotten; a clock that was set back begins a new one.
        let two = Counter { count: 2, since: 10, locked_until: 0 };
        assert_eq!(two.fail(110, 3, 100, 50).count, 1);
        assert_eq!(two.fail(-91, 3, 100, 50).count, 1);
        // Attempts that overtake each other are of one window.
        assert_eq!(two.fail(5, 3, 100, 50), Counter { count: 3, since: 10, locked_until: 55 });
        assert_eq!(two.fail(109, 3, 100, 0).locked_until, i64::MAX);
        assert_eq!(two.fail(109, 0, 100, 50).locked_until, 0);
    }

    #[test]
    fn names_are_one_in_all_spellings() {
        assert_eq!(AccountKey::of("Straße"), AccountKey::of("STRAßE"));
        assert_ne!(AccountKey::of("ann"), AccountKey::of("bob"));
    }
}
