//! Where the keys of session tickets come from: a file that processes share, the credential itself, or the host.

use super::layout::{SessionTicketKey, SessionTicketKeys};
use crate::code::Code;
use library::Secret;
use library::schannel::{TicketKey, TicketKeys};
use portcullis_authority::TicketFile;
use sha2::{Digest as _, Sha256};
use std::time::{Duration, SystemTime};
use zeroize::Zeroize as _;

/// Keys, and when to look for others.
#[derive(Clone)]
pub(crate) struct Tickets {
    source: Source,
    keys: Option<TicketKeys>,
    renewed: SystemTime,
}

#[derive(Clone)]
enum Source {
    File(TicketFile),
    /// Made here, with their ends.
    Own(Vec<(SystemTime, TicketKey)>, Duration),
    /// The host's, by SECPKG_ATTR_SESSION_TICKET_KEYS.
    Host,
}

/// How long a key of one's own seals.
const ROTATION: Duration = Duration::from_secs(12 * 3600);
/// How often the file is read: other processes wait longer than this before they use a new key.
const READING: Duration = Duration::from_secs(120);
/// The keys of a host hold until it brings others.
const LONG: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl Tickets {
    pub(super) fn shared(file: TicketFile) -> Self {
        Self { source: Source::File(file), keys: None, renewed: SystemTime::UNIX_EPOCH }.fresh()
    }

    pub(super) fn own(lifetime: Duration) -> Self {
        let lifetime = lifetime.min(TicketKeys::LONGEST);
        Self { source: Source::Own(Vec::new(), lifetime), keys: None, renewed: SystemTime::UNIX_EPOCH }.fresh()
    }

    pub(super) fn keys(&self) -> Option<TicketKeys> {
        self.keys.clone()
    }

    /// Whether it is time to look for others.
    pub(super) fn is_stale(&self, now: SystemTime) -> bool {
        let lasts = match &self.source {
            Source::File(_) => READING,
            Source::Own(..) => ROTATION,
            Source::Host => return false,
        };
        // A clock that went back says nothing of the keys' age.
        now.duration_since(self.renewed).is_ok_and(|age| age >= lasts)
    }

    /// With the keys of now.
    pub(super) fn fresh(mut self) -> Self {
        let now = SystemTime::now();
        self.renewed = now;
        match &mut self.source {
            Source::File(file) => match file.read(now) {
                Ok(tickets) => self.keys = Some(tickets.keys),
                Err(error) => {
                    tracing::error!(%error, path = %file.path().display(), "the ticket keys cannot be read; no session is resumed");
                    self.keys = None;
                }
            },
            Source::Own(keys, lifetime) => {
                let end = now + ROTATION + ROTATION + *lifetime;
                keys.retain(|(end, _)| now < *end);
                keys.extend(random(now, end).map(|key| (end, key)));
                let all = keys.iter().map(|(_, key)| key.clone()).collect();
                self.keys = Some(TicketKeys::new(all, *lifetime));
            }
            Source::Host => {}
        }
        self
    }

    /// With the host's keys: the first one seals, all open.
    ///
    /// # Safety
    /// As many keys stand there as it says.
    pub(super) unsafe fn of_host(given: &SessionTicketKeys, lifetime: Duration) -> Result<Self, Code> {
        const MOST: u32 = 16;
        let (at, count) = (given.pSessionTicketKeys, given.cSessionTicketKeys);
        if count == 0 || count > MOST || at.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let now = SystemTime::now();
        let mut keys = Vec::new();
        for number in 0..count as usize {
            // SAFETY: as the caller says.
            let mut given = unsafe { at.add(number).read_unaligned() };
            // A key that begins when it has ended only opens.
            let from = if number == 0 { now } else { now + LONG };
            let key = of_host(&given).and_then(|secret| TicketKey::new(given.KeyId, &secret, from, now + LONG));
            given.KeyingMaterial.zeroize();
            keys.push(key.ok_or(Code::INVALID_PARAMETER)?);
        }
        Ok(Self { source: Source::Host, keys: Some(TicketKeys::new(keys, lifetime)), renewed: now })
    }
}

/// The key of 32 bytes to 64 of keying material. Windows says of no version how it makes its own.
fn of_host(given: &SessionTicketKey) -> Option<Secret<[u8; 32]>> {
    let material = given.KeyingMaterial.get(..usize::from(given.KeyingMaterialSize))?;
    let is_enough = material.len() >= 32 && material.iter().any(|byte| *byte != 0);
    is_enough.then(|| Secret::new(Sha256::digest(material).into()))
}

fn random(from: SystemTime, end: SystemTime) -> Option<TicketKey> {
    let (mut name, mut secret) = ([0; TicketKey::NAME], Secret::new([0; 32]));
    getrandom::fill(&mut name).ok()?;
    getrandom::fill(secret.expose_mut()).ok()?;
    TicketKey::new(name, &secret, from, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_ones_own_are_renewed() {
        let mut tickets = Tickets::own(Duration::from_secs(60));
        assert!(!tickets.is_stale(SystemTime::now()) && tickets.is_stale(SystemTime::now() + ROTATION));
        tickets = tickets.fresh();
        let Source::Own(keys, _) = &tickets.source else { panic!("another source") };
        assert_eq!(keys.len(), 2, "the older one opens what it sealed");
    }

    #[test]
    fn keys_of_the_host() {
        let key = |material: [u8; 64], size| SessionTicketKey {
            TicketInfoVersion: 0,
            KeyId: [1; 16],
            KeyingMaterial: material,
            KeyingMaterialSize: size,
        };
        let keys = |keys: &[SessionTicketKey]| {
            let given = SessionTicketKeys { cSessionTicketKeys: keys.len() as u32, pSessionTicketKeys: keys.as_ptr() };
            // SAFETY: the keys live during the call.
            unsafe { Tickets::of_host(&given, ROTATION) }.map(|_| ())
        };
        assert_eq!(keys(&[key([7; 64], 64), key([8; 64], 32)]), Ok(()));
        for bad in [&[][..], &[key([7; 64], 65)], &[key([7; 64], 31)], &[key([0; 64], 64)]] {
            assert_eq!(keys(bad), Err(Code::INVALID_PARAMETER));
        }
    }
}
