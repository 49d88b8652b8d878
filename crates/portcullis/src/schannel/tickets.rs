//! Session tickets of our own (RFC 5077, RFC 8446 §4.6.1). The TLS library resumes a session wherever the ticket opens;
//! here a ticket opens only under the policy that it was made under, which is sealed into it.

use super::engine;
use crate::Secret;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use rustls::server::ProducesTickets;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A key that tickets are sealed under.
#[derive(Clone)]
pub struct TicketKey {
    name: [u8; TicketKey::NAME],
    key: Arc<LessSafeKey>,
    seals_from: SystemTime,
    opens_until: SystemTime,
}

impl TicketKey {
    /// Bytes of a key's name.
    pub const NAME: usize = 16;

    /// A key. `name` tells it from others, to everybody who sees a ticket. Tickets are sealed under it from
    /// `seals_from` on, as long as no other key begins later, and opened before `opens_until`: between a key's making
    /// and `seals_from` lies the time that other processes need to learn of it.
    pub fn new(
        name: [u8; Self::NAME],
        secret: &Secret<[u8; 32]>,
        seals_from: SystemTime,
        opens_until: SystemTime,
    ) -> Option<Self> {
        // A key of zeros is what forgotten initialisation looks like (CVE-2020-13777).
        let key = UnboundKey::new(&AES_256_GCM, secret.expose()).ok().filter(|_| *secret.expose() != [0; 32])?;
        // The handshake's clock has whole seconds: a key seals from the second on in which it begins.
        let seals_from = UNIX_EPOCH + Duration::from_secs(seconds(seals_from)?);
        Some(Self { name, key: Arc::new(LessSafeKey::new(key)), seals_from, opens_until })
    }
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seals_from, opens_until, .. } = self;
        f.debug_struct("TicketKey").field("seals_from", seals_from).field("opens_until", opens_until).finish()
    }
}

/// The keys of tickets, and how long a ticket may be used.
#[derive(Debug, Clone)]
pub struct TicketKeys {
    keys: Vec<TicketKey>,
    lifetime: Duration,
}

impl TicketKeys {
    /// The longest that a ticket may be used: a week (RFC 8446 §4.6.1).
    pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

    /// These keys; tickets live `lifetime`, at most [`LONGEST`](Self::LONGEST).
    pub fn new(keys: Vec<TicketKey>, lifetime: Duration) -> Self {
        Self { keys, lifetime: lifetime.min(Self::LONGEST) }
    }

    fn sealing(&self, now: SystemTime) -> Option<&TicketKey> {
        self.keys.iter().filter(|key| key.seals_from <= now && now < key.opens_until).max_by_key(|key| key.seals_from)
    }

    fn opening(&self, name: &[u8], now: SystemTime) -> Option<&TicketKey> {
        self.keys.iter().find(|key| key.name == name && now < key.opens_until)
    }
}

/// Makes and opens the tickets of one policy.
#[derive(Debug)]
pub(super) struct Ticketer {
    keys: TicketKeys,
    /// The policy's hash.
    scope: [u8; 32],
}

impl Ticketer {
    pub(super) fn new(keys: TicketKeys, scope: [u8; 32]) -> Self {
        Self { keys, scope }
    }

    fn aad(&self, name: &[u8]) -> Aad<Vec<u8>> {
        Aad::from([FORM, name, &self.scope].concat())
    }

    fn seal(&self, plain: &[u8]) -> Option<Vec<u8>> {
        if plain.len() > MOST {
            return None;
        }
        let now = now()?;
        let key = self.keys.sealing(now)?;
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).ok()?;
        let mut ticket = Vec::with_capacity(TicketKey::NAME + NONCE_LEN + ISSUED + plain.len() + AES_256_GCM.tag_len());
        ticket.extend(key.name);
        ticket.extend(nonce);
        ticket.extend(seconds(now)?.to_be_bytes());
        ticket.extend(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let body = ticket.get_mut(TicketKey::NAME + NONCE_LEN..)?;
        let tag = key.key.seal_in_place_separate_tag(nonce, self.aad(&key.name), body).ok()?;
        ticket.extend(tag.as_ref());
        Some(ticket)
    }

    fn open(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let now = now()?;
        let (name, rest) = ticket.split_at_checked(TicketKey::NAME)?;
        let (nonce, sealed) = rest.split_first_chunk()?;
        let key = self.keys.opening(name, now)?;
        let mut sealed = sealed.to_vec();
        let opened = key.key.open_in_place(Nonce::assume_unique_for_key(*nonce), self.aad(name), &mut sealed).ok()?;
        let (issued, plain) = opened.split_first_chunk()?;
        let age = seconds(now)?.checked_sub(u64::from_be_bytes(*issued));
        // A clock that is a little behind that of the process which made it is no reason for a new handshake.
        let age = age.or_else(|| (u64::from_be_bytes(*issued) - seconds(now)? <= SKEW).then_some(0))?;
        (age < self.keys.lifetime.as_secs()).then(|| plain.to_vec())
    }
}

/// What tickets of this form are called.
const FORM: &[u8] = b"portcullis schannel ticket 1";

/// A session with a longer state is not resumed: a ticket comes back in a hello, which has a bound of its own.
const MOST: usize = 12 << 10;

/// Bytes of the time of issue.
const ISSUED: usize = 8;

/// How far the clocks of processes that share keys may be apart, in seconds.
const SKEW: u64 = 60;

fn now() -> Option<SystemTime> {
    engine::now().map(|now| UNIX_EPOCH + Duration::from_secs(now.as_secs()))
}

fn seconds(time: SystemTime) -> Option<u64> {
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

impl ProducesTickets for Ticketer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(self.keys.lifetime.as_secs()).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        engine::tickets().given.then(|| self.seal(plain)).flatten()
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        engine::tickets().taken.then(|| self.open(ticket)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::super::engine::{Tickets, during};
    use super::*;
    use rustls::pki_types::UnixTime;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn key(name: u8, from: u64, until: u64) -> TicketKey {
        TicketKey::new([name; 16], &Secret::new([name; 32]), at(from), at(until)).unwrap()
    }

    fn ticketer(keys: Vec<TicketKey>, scope: u8) -> Ticketer {
        Ticketer::new(TicketKeys::new(keys, Duration::from_secs(100)), [scope; 32])
    }

    fn when<R>(seconds: u64, work: impl FnOnce() -> R) -> R {
        during(UnixTime::since_unix_epoch(Duration::from_secs(seconds)), Tickets::USED, work)
    }

    #[test]
    fn a_ticket_opens_under_its_policy_alone() {
        let keys = || vec![key(1, 0, 1000)];
        let ticket = when(500, || ticketer(keys(), 1).encrypt(b"session")).unwrap();
        assert_eq!(when(501, || ticketer(keys(), 1).decrypt(&ticket)).as_deref(), Some(&b"session"[..]));
        assert_eq!(when(501, || ticketer(keys(), 2).decrypt(&ticket)), None);
        for at in 0..ticket.len() {
            let mut altered = ticket.clone();
            altered[at] ^= 1;
            assert_eq!(when(501, || ticketer(keys(), 1).decrypt(&altered)), None, "{at}");
            assert_eq!(when(501, || ticketer(keys(), 1).decrypt(&ticket[..at])), None, "{at}");
        }
    }

    #[test]
    fn a_ticket_lives_as_long_as_it_and_its_key_may() {
        let ticketer = ticketer(vec![key(1, 0, 560), key(2, 550, 2000)], 1);
        let first = when(500, || ticketer.encrypt(b"1")).unwrap();
        assert!(when(559, || ticketer.decrypt(&first)).is_some(), "the older key still opens");
        assert!(when(560, || ticketer.decrypt(&first)).is_none(), "it ended");
        let second = when(559, || ticketer.encrypt(b"2")).unwrap();
        assert_eq!(second[..16], [2; 16], "the newer key seals");
        assert!(when(658, || ticketer.decrypt(&second)).is_some());
        assert!(when(659, || ticketer.decrypt(&second)).is_none(), "it is too old");
        assert!(when(499, || ticketer.decrypt(&second)).is_some(), "a clock a minute behind");
        assert!(when(498, || ticketer.decrypt(&second)).is_none(), "from the future");
    }

    #[test]
    fn nothing_is_sealed_without_a_key_or_outside_a_call() {
        assert!(when(5, || ticketer(vec![], 1).encrypt(b"x")).is_none());
        assert!(when(5, || ticketer(vec![key(1, 6, 100)], 1).encrypt(b"x")).is_none(), "not yet");
        assert!(ticketer(vec![key(1, 0, 100)], 1).encrypt(b"x").is_none(), "no time");
        assert!(TicketKey::new([1; 16], &Secret::new([0; 32]), at(0), at(9)).is_none(), "a key of zeros");
    }
}
