//! The keys of a service in a keytab, and the Kerberos tickets that they open.

mod file;
mod held;
#[cfg(test)]
mod tests;

pub use file::{KeytabError, MAX_KEYTAB, read_keytab};

use file::Stamp;
use held::Held;
use portcullis::kerberos::{Cause, OpenTicket, OpenedTicket, ServiceKeys, ServiceNames, open_ticket};
use portcullis::{Answer, Authority, Denied, Question, Refusal};
use portcullis_wire::kerberos::Keytab;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

/// Opens Kerberos tickets with the keys of a keytab file, which is read again when it changes.
///
/// It is looked at by the thread that asks, once a second at most, and at once when no key fits a ticket: a password
/// that was changed a moment ago costs no logon. A file that cannot be read whole leaves the keys as they are.
pub struct KeytabAuthority {
    path: PathBuf,
    options: RwLock<KeytabOptions>,
    keys: RwLock<Arc<ServiceKeys>>,
    state: Mutex<State>,
    begun: Instant,
    /// When the file is to be looked at next: milliseconds since `begun`.
    due: AtomicU64,
}

/// How a keytab is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeytabOptions {
    /// The services that it is used for, whatever a question allows. Defaults to all that it holds keys of.
    pub services: ServiceNames,
    /// How long a key that is no longer in the file still opens tickets, which were made before. Defaults to ten hours,
    /// the life of a ticket. It ends with the process too: what must outlive that stays in the file.
    pub retire: Duration,
}

impl Default for KeytabOptions {
    fn default() -> Self {
        Self { services: ServiceNames::Any, retire: Duration::from_secs(10 * 3600) }
    }
}

#[derive(Default)]
struct State {
    held: Held,
    /// The file as it was last read, or was found unreadable.
    tried: Option<Stamp>,
    /// Whether a change of that would show in its stamp.
    settled: bool,
    /// What the log was last told of the file.
    trouble: Option<String>,
    /// The mode that the log was told of.
    mode: Option<u32>,
}

/// Between two looks at the file.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl KeytabAuthority {
    /// Reads the keytab.
    ///
    /// # Errors
    /// When it cannot be read, or holds no key that could open a ticket.
    pub fn open(path: &Path, options: KeytabOptions) -> Result<Self, KeytabError> {
        let authority = Self {
            path: path.to_owned(),
            options: RwLock::new(options),
            keys: RwLock::default(),
            state: Mutex::default(),
            begun: Instant::now(),
            due: AtomicU64::new(0),
        };
        authority.read(&mut authority.lock(), Instant::now())?;
        Ok(authority)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keys as they are held now, those included that vanished from the file lately.
    pub fn keys(&self) -> Arc<ServiceKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes how it is used, from the next ticket on.
    pub fn set_options(&self, options: KeytabOptions) {
        *self.options.write().unwrap_or_else(PoisonError::into_inner) = options;
    }

    /// Looks at the file now, and reads it where it has changed.
    pub fn refresh(&self) {
        self.look(&mut self.lock(), Instant::now());
    }

    fn options(&self) -> KeytabOptions {
        self.options.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_ticket(&self, question: &OpenTicket) -> Result<OpenedTicket, Denied> {
        self.look_when_due();
        let (keys, serving) = (self.keys(), self.options().services);
        match open_ticket(&keys, &serving, question) {
            // The file may be newer than the last look.
            Err(denied) if is_about_keys(&denied) && self.has_other_than(&keys) => {
                open_ticket(&self.keys(), &serving, question)
            }
            opened => opened,
        }
    }

    /// One thread a second looks; the others go on with what is held.
    fn look_when_due(&self) {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = self.due.load(Ordering::Relaxed);
        let next = now.saturating_add(u64::try_from(LOOK_EVERY.as_millis()).unwrap_or(1000));
        if now >= due && self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.refresh();
        }
    }

    /// Reads the file where its stamp is another one than the last that was tried; says whether other keys than these
    /// are held now.
    fn has_other_than(&self, keys: &Arc<ServiceKeys>) -> bool {
        let mut state = self.lock();
        if Stamp::of(&self.path).is_ok_and(|stamp| state.tried != Some(stamp)) {
            self.look(&mut state, Instant::now());
        }
        // Or another thread was faster.
        !Arc::ptr_eq(keys, &self.keys())
    }

    fn look(&self, state: &mut State, now: Instant) {
        let result = match Stamp::of(&self.path) {
            Ok(stamp) if state.tried == Some(stamp) && state.settled => {
                if state.held.expire(now, self.options().retire) > 0 {
                    tracing::info!(path = %self.path.display(), "old keys of the keytab are dropped: their time is over");
                    self.publish(state);
                }
                return;
            }
            Ok(_) => self.read(state, now),
            Err(error) => {
                state.tried = None;
                Err(error)
            }
        };
        let trouble = result.err().map(|error| error.to_string());
        if state.trouble != trouble {
            match &trouble {
                Some(error) => {
                    tracing::warn!(%error, "the keytab cannot be used as it is now; the keys that are held stay")
                }
                None => tracing::info!(path = %self.path.display(), "the keytab can be read again"),
            }
            state.trouble = trouble;
        }
    }

    /// Reads the file. On failure what is held stays.
    fn read(&self, state: &mut State, now: Instant) -> Result<(), KeytabError> {
        // What is not written whole is tried again, when its stamp changes or with the next look.
        (state.tried, state.settled) = (Stamp::of(&self.path).ok(), false);
        let content = file::read(&self.path)?;
        state.tried = Some(content.stamp);
        state.settled = content.stamp.is_settled(SystemTime::now());
        let fresh = ServiceKeys::from_keytab(content.bytes.expose());
        let fresh = fresh.map_err(|error| KeytabError::Malformed(self.path.clone(), error))?;
        let entries = Keytab::decode(content.bytes.expose()).map_or(0, |keytab| keytab.entries().count());
        let change = state.held.replace(&fresh, now, self.options().retire);
        if state.mode != content.stamp.open_to_others() {
            state.mode = content.stamp.open_to_others();
            if let Some(mode) = state.mode {
                let (path, mode) = (self.path.display(), format!("{mode:04o}"));
                tracing::warn!(%path, mode, "others may read or write the keytab, and so be this service: `chmod 600` it");
            }
        }
        if !change.is_none() {
            self.publish(state);
            self.tell(&fresh, entries, change);
        }
        match fresh.keys() {
            [] => Err(KeytabError::NoKey { path: self.path.display().to_string(), entries }),
            _ => Ok(()),
        }
    }

    fn publish(&self, state: &State) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state.held.snapshot());
    }

    /// Tells the log what was read: names and numbers, never a key.
    fn tell(&self, fresh: &ServiceKeys, entries: usize, change: held::Change) {
        let path = self.path.display();
        let mut strong: BTreeMap<&str, bool> = BTreeMap::new();
        let mut versions = BTreeSet::new();
        for key in fresh.keys() {
            *strong.entry(&key.principal).or_default() |= !key.enctype().is_weak();
            versions.insert(key.kvno);
        }
        let (keys, principals, unusable) =
            (fresh.keys().len(), strong.len(), entries.saturating_sub(fresh.keys().len()));
        let held::Change { added, vanished, dropped } = change;
        tracing::info!(%path, keys, principals, ?versions, unusable, added, vanished, dropped, "the keytab is read");
        for (principal, _) in strong.iter().filter(|(_, strong)| !**strong) {
            tracing::warn!(%path, principal, "the keytab has no key but RC4 of this service: give its account AES keys, and export them");
        }
    }
}

/// Whether a newer keytab could help.
fn is_about_keys(denied: &Denied) -> bool {
    [Cause::NoKeytab, Cause::NoKey, Cause::NoKeyVersion, Cause::WrongKey]
        .into_iter()
        .any(|cause| denied.cause == cause.into())
}

impl Authority for KeytabAuthority {
    fn answer(&self, question: &Question) -> Answer {
        let Question::OpenTicket(asked) = question else { return question.refuse(Refusal::NotAnswered) };
        match self.open_ticket(asked) {
            Ok(opened) => asked.accept(opened),
            Err(denied) => asked.refuse(denied),
        }
    }
}

impl std::fmt::Debug for KeytabAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeytabAuthority").field("path", &self.path).field("keys", &self.keys().keys().len()).finish()
    }
}
