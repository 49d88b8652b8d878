use crate::{
    AdminError, Directory, KeyId, KeyRing, KeySource, MasterKey, Rotation, SealError, Sealed, Store, StoreError,
};
use portcullis::Sid;

/// What changing the master key did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    /// The key before.
    pub from: KeyId,
    /// The key now.
    pub to: KeyId,
    /// How many secrets were sealed anew.
    pub secrets: u64,
}

impl<S: Store> Directory<S> {
    /// Changes the master key: makes a new one, seals every secret anew, and drops the old one.
    ///
    /// Whenever this is interrupted, the keys at hand open every secret: the new key is safe on the disk before the
    /// first secret is sealed under it, and the old one is dropped when none is sealed under it any more. Running it
    /// again finishes what was begun.
    ///
    /// # Errors
    /// When the key file or the store cannot be written, or a secret cannot be opened: nothing is lost then.
    pub fn rotate_key(&self) -> Result<Rotated, AdminError> {
        let mut change = Change { source: self.keys().source(), ring: None, from: None, to: None };
        let secrets = self.store().reseal(&mut change)?;
        let (Some(from), Some(to)) = (change.from, change.to) else { return Err(StoreError::StaleKey.into()) };
        self.drop_old_keys()?;
        Ok(Rotated { from, to, secrets })
    }

    /// Drops the keys that no secret is sealed under any more. Keys of the environment are the administrator's to drop.
    fn drop_old_keys(&self) -> Result<(), StoreError> {
        let source = self.keys().source();
        match source {
            KeySource::Environment => Ok(()),
            KeySource::File(_) => self.store().reseal(&mut Drop { source }).map(|_| ()),
        }
    }
}

struct Change<'a> {
    source: &'a KeySource,
    ring: Option<KeyRing>,
    from: Option<KeyId>,
    to: Option<KeyId>,
}

impl Rotation for Change<'_> {
    fn choose(&mut self, current: KeyId) -> Result<KeyId, StoreError> {
        let ring = self.source.load()?;
        ring.get(current).ok_or(SealError::UnknownKey(current))?;
        let newest = ring.ids().next_back().filter(|newest| *newest != current);
        let (ring, to) = match newest {
            // A change that was interrupted, or a key that the administrator put behind the present one.
            Some(newest) => (ring, newest),
            None => {
                let key = MasterKey::generate()?;
                let to = key.id();
                let ring = ring.only(|id| id == current).unwrap_or(ring).with(key);
                self.source.replace(&ring)?;
                (ring, to)
            }
        };
        (self.ring, self.from, self.to) = (Some(ring), Some(current), Some(to));
        Ok(to)
    }

    fn reseal(&mut self, sid: &Sid, sealed: &Sealed) -> Result<Sealed, StoreError> {
        let (Some(ring), Some(to)) = (&self.ring, self.to) else { return Err(StoreError::StaleKey) };
        let record = sealed.open(sid, ring)?;
        Ok(ring.get(to).ok_or(SealError::UnknownKey(to))?.seal(sid, &record)?)
    }
}

/// Runs alone, like a change: another one may have begun meanwhile, and its key must stay.
struct Drop<'a> {
    source: &'a KeySource,
}

impl Rotation for Drop<'_> {
    fn choose(&mut self, current: KeyId) -> Result<KeyId, StoreError> {
        let ring = self.source.load()?;
        let is_newest = ring.ids().next_back() == Some(current);
        if is_newest
            && ring.ids().count() > 1
            && let Some(ring) = ring.only(|id| id == current)
        {
            self.source.replace(&ring)?;
        }
        Ok(current)
    }

    fn reseal(&mut self, _: &Sid, sealed: &Sealed) -> Result<Sealed, StoreError> {
        Ok(sealed.clone())
    }
}
