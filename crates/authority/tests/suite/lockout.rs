//! Wrong passwords counted: for an address, for all, and at once.

use super::{PASSWORD, Site, client::Client, minutes};
use portcullis::Refusal;
use portcullis_authority::*;
use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub fn lockout_by_address<S: Store>(site: Site<S>) {
    site.add("ann");
    let (here, there) = ("192.0.2.1", "198.51.100.7");
    let wrong = |address: &str| Client::new("ann", "wrong").from(address).ntlm(&site.directory).unwrap_err();
    let right = |address: &str| Client::new("ann", PASSWORD).from(address).ntlm(&site.directory).err();
    for _ in 0..10 {
        assert_eq!(wrong(here), Refusal::WrongProof);
    }
    assert_eq!(wrong(here), Refusal::LockedOut);
    assert_eq!(right(here), Some(Refusal::LockedOut));
    // Whoever guesses cannot lock the owner out elsewhere.
    assert_eq!(right(there), None);
    assert_eq!(wrong(there), Refusal::WrongProof);
    // All spellings of the name are one.
    for user in ["ANN", "ann@corp.example"] {
        let client = Client::new(user, PASSWORD).domain("").from(here);
        assert_eq!(client.ntlm(&site.directory).unwrap_err(), Refusal::LockedOut);
    }
    site.wait(minutes(10));
    assert_eq!(right(here), None);
    assert_eq!(wrong(here), Refusal::WrongProof);
    // An IPv6 customer is one address.
    for host in 0..10 {
        assert_eq!(wrong(&format!("2001:db8::{host}")), Refusal::WrongProof);
    }
    assert_eq!(right("2001:db8::ffff"), Some(Refusal::LockedOut));
    assert_eq!(right("2001:db8:0:1::ffff"), None);
    let locks = site.directory.store().locks(AccountKey::of("ANN"), site.now()).unwrap();
    let locked: Vec<_> = locks.iter().filter(|lock| lock.locked).collect();
    assert_eq!((locked.len(), locked[0].address.as_str()), (1, "2001:db8::/64"));
    assert_eq!(locked[0].locked_until, Some(site.now() + minutes(10)));
}

pub fn lockout_for_all<S: Store>(site: Site<S>) {
    site.add("ann");
    site.lockout(|lockout| lockout.global_threshold = 25);
    for address in 0..25 {
        let client = Client::new("ann", "wrong").from(&format!("192.0.2.{address}"));
        assert_eq!(client.ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
    }
    let fresh = Client::new("ann", PASSWORD).from("198.51.100.7");
    assert_eq!(fresh.ntlm(&site.directory).unwrap_err(), Refusal::LockedOut);
    assert!(site.directory.store().unlock(AccountKey::of("ann")).unwrap() >= 26);
    assert!(fresh.ntlm(&site.directory).is_ok());
}

pub fn lockout_until_unlocked<S: Store>(site: Site<S>) {
    site.add("ann");
    site.lockout(|lockout| (lockout.threshold, lockout.duration) = (2, Duration::ZERO));
    for _ in 0..2 {
        assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
    }
    site.wait(minutes(60 * 24 * 365));
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap_err(), Refusal::LockedOut);
    let locks = site.directory.store().locks(AccountKey::of("ann"), site.now()).unwrap();
    assert!(locks.iter().any(|lock| lock.locked && lock.locked_until.is_none()));
    site.directory.store().unlock(AccountKey::of("ann")).unwrap();
    assert!(Client::new("ann", PASSWORD).ntlm(&site.directory).is_ok());
    // Switched off.
    site.lockout(|lockout| (lockout.threshold, lockout.global_threshold, lockout.address_threshold) = (0, 0, 0));
    for _ in 0..200 {
        assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
    }
    assert!(Client::new("ann", PASSWORD).ntlm(&site.directory).is_ok());
}

pub fn throttled_addresses<S: Store>(site: Site<S>) {
    site.add("ann");
    site.lockout(|lockout| lockout.address_threshold = 20);
    let attempt = |number: u32, address: &str| {
        let name = format!("user{number}");
        Client::new(&name, "wrong").from(address).ntlm(&site.directory).unwrap_err()
    };
    for number in 0..20 {
        assert_eq!(attempt(number, "192.0.2.1"), Refusal::UnknownAccount);
    }
    assert_eq!(attempt(20, "192.0.2.1"), Refusal::Throttled);
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap_err(), Refusal::Throttled);
    assert!(Client::new("ann", PASSWORD).from("192.0.2.2").ntlm(&site.directory).is_ok());
    for loopback in ["127.0.0.1", "::1"] {
        for number in 0..30 {
            assert_eq!(attempt(number, loopback), Refusal::UnknownAccount);
        }
    }
    site.wait(minutes(10));
    assert!(Client::new("ann", PASSWORD).ntlm(&site.directory).is_ok());
    site.lockout(|lockout| lockout.loopback_exempt = false);
    (0..20).for_each(|number| assert_eq!(attempt(number, "127.0.0.1"), Refusal::UnknownAccount));
    assert_eq!(attempt(0, "127.0.0.1"), Refusal::Throttled);
}

/// Sixty-four at once: exactly ten are told apart from "locked".
pub fn parallel_failures<S: Store>(site: Site<S>) {
    site.add("ann");
    // Each reads another time, as threads do that overtake each other.
    let (ticks, start) = (AtomicU64::new(0), site.now());
    let Site { directory, clock, _keys } = site;
    let directory = directory.with_clock(move || start - Duration::from_millis(ticks.fetch_add(1, Ordering::SeqCst)));
    let site = Site { directory, clock, _keys };
    for user in ["ann", "nobody"] {
        let counted = at_once(64, |_| Client::new(user, "wrong").ntlm(&site.directory).unwrap_err());
        let first = if user == "ann" { Refusal::WrongProof } else { Refusal::UnknownAccount };
        assert_eq!(counted, BTreeMap::from([(name(first), 10), (name(Refusal::LockedOut), 54)]));
    }
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap_err(), Refusal::LockedOut);
    site.lockout(|lockout| lockout.address_threshold = 30);
    let users: Vec<String> = (0..64).map(|number| format!("u{number}")).collect();
    let counted =
        at_once(64, |at| Client::new(&users[at], "wrong").from("192.0.2.9").ntlm(&site.directory).unwrap_err());
    assert_eq!(counted, BTreeMap::from([(name(Refusal::UnknownAccount), 30), (name(Refusal::Throttled), 34)]));
}

/// Right and wrong at once: nobody gets another's name, and every right one gets in.
pub fn parallel_logons<S: Store>(site: Site<S>) {
    let users = ["ann", "bob", "eve", "jim"];
    users.iter().for_each(|user| drop(site.add(user)));
    site.lockout(|lockout| (lockout.threshold, lockout.global_threshold, lockout.address_threshold) = (0, 0, 0));
    let counted = at_once(64, |at| {
        for round in 0..8 {
            let user = users[(at + round) % users.len()];
            if round % 3 == 2 {
                assert_eq!(Client::new(user, "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
            } else {
                assert_eq!(Client::new(user, PASSWORD).ntlm(&site.directory).unwrap().name, user);
            }
        }
        Refusal::NotAnswered
    });
    assert_eq!(counted.values().sum::<u32>(), 64);
}

fn name(refusal: Refusal) -> &'static str {
    refusal.row().name
}

fn at_once(count: usize, work: impl Fn(usize) -> Refusal + Sync) -> BTreeMap<&'static str, u32> {
    let barrier = Barrier::new(count);
    let mut counted = BTreeMap::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|at| {
                let (barrier, work) = (&barrier, &work);
                scope.spawn(move || {
                    barrier.wait();
                    work(at)
                })
            })
            .collect();
        for thread in threads {
            *counted.entry(name(thread.join().unwrap())).or_default() += 1;
        }
    });
    counted
}

pub fn a_right_logon_resets<S: Store>(site: Site<S>) {
    site.add("ann");
    for _ in 0..3 {
        for _ in 0..9 {
            assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
        }
        assert!(Client::new("ann", PASSWORD).ntlm(&site.directory).is_ok());
    }
    // The window ends it too.
    for _ in 0..9 {
        assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
    }
    site.wait(minutes(10));
    for _ in 0..10 {
        assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
    }
    assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::LockedOut);
}

pub fn names_nobody_has_are_counted<S: Store>(site: Site<S>) {
    site.add("ann");
    let store = site.directory.store();
    for (user, reason) in [("ann", Refusal::WrongProof), ("nobody", Refusal::UnknownAccount)] {
        for _ in 0..10 {
            assert_eq!(Client::new(user, "wrong").ntlm(&site.directory).unwrap_err(), reason);
        }
        assert_eq!(Client::new(user, "wrong").ntlm(&site.directory).unwrap_err(), Refusal::LockedOut);
    }
    let [ann, nobody] = ["ann", "nobody"].map(|user| store.locks(AccountKey::of(user), site.now()).unwrap());
    assert_eq!(ann, nobody);
    assert_eq!(ann.iter().map(|lock| lock.failures).collect::<Vec<_>>(), [10, 10]);
}
