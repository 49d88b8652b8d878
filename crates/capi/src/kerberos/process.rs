//! What the process has of Kerberos beside its handles: the keytab that the host chose, the keytabs that are open, and which
//! authenticators were seen. All credentials share them.

use super::{files, unusable};
use crate::code::Code;
use crate::host::{self, Accounts};
use crate::lock::Lock;
use crate::log;
use library::{Answer, Authority as _, Question};
use portcullis_authority::settings::ReplayPlace;
use portcullis_authority::{KeytabAuthority, ReplayCache, Replays};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct State {
    /// What PortcullisSetKeytab chose.
    chosen: Option<PathBuf>,
    /// Each keeps keys that vanished from its file, for as long as tickets under them live.
    open: Vec<Arc<KeytabAuthority>>,
    seen: Option<Arc<ReplayCache>>,
}

impl State {
    const NEW: Self = Self { chosen: None, open: Vec::new(), seen: None };
}

static STATE: Lock<State> = Lock::new(State::NEW);

/// More keytabs than a host has in use at a time; of others those that no credential has are closed.
const MANY: usize = 16;

/// The keytab of the host program, else of the configuration.
pub(crate) fn keytab() -> Result<Option<PathBuf>, Code> {
    let chosen = STATE.lock().chosen.clone();
    chosen.map_or_else(|| Ok(host::config()?.settings().kerberos.keytab), |path| Ok(Some(path)))
}

/// PortcullisSetKeytab.
pub(crate) fn set_keytab(name: Option<&str>) -> Result<Code, Code> {
    let chosen = match name {
        Some(name) => Some(files::path(OsStr::new(name)).ok_or(Code::INVALID_PARAMETER)?),
        None => None,
    };
    if let Some(path) = &chosen {
        open(path).map_err(unusable)?;
    }
    STATE.lock().chosen = chosen;
    Ok(Code::OK)
}

/// A keytab, as it is now: one that cannot be read is none, also where its former keys are still in use.
pub(crate) fn open(path: &Path) -> Result<Arc<KeytabAuthority>, String> {
    let options =
        host::config().map_err(|_| "there is no configuration".to_owned())?.settings().kerberos.keytab_options();
    let fresh = Arc::new(inside(|| KeytabAuthority::open(path, options)).map_err(|error| error.to_string())?);
    let mut state = STATE.lock();
    if state.open.len() >= MANY {
        state.open.retain(|keytab| Arc::strong_count(keytab) > 1);
    }
    let held = state.open.iter().find(|keytab| keytab.path() == path).cloned();
    let keytab = held.unwrap_or_else(|| {
        state.open.push(Arc::clone(&fresh));
        fresh
    });
    drop(state);
    inside(|| keytab.refresh());
    Ok(keytab)
}

/// Does what has locks of its own, which neither a fork nor the host's log function must meet taken.
pub(crate) fn inside<R>(work: impl FnOnce() -> R) -> R {
    log::held_back(|| {
        let _inside = host::uninterrupted();
        work()
    })
}

/// Whether an authenticator was seen by this process, or by any that shares the accounts, as the configuration says.
pub(crate) fn seen_before(question: &Question, accounts: &Accounts) -> Answer {
    let Ok(config) = host::config() else { return question.refuse(host::NOBODY) };
    let policy = config.settings().kerberos;
    let seen = {
        let mut state = STATE.lock();
        Arc::clone(state.seen.get_or_insert_with(|| Arc::new(ReplayCache::new(policy.replay_entries))))
    };
    match policy.replay {
        ReplayPlace::Memory => inside(|| Replays::in_memory(seen).answer(question)),
        ReplayPlace::Store => match host::open(accounts) {
            Ok(store) => store.seen_before(question, seen),
            Err(_) => question.refuse(host::NOBODY),
        },
    }
}

/// As before the first call.
pub(crate) fn forget_all() {
    drop(std::mem::replace(&mut *STATE.lock(), State::NEW));
}

/// Takes the lock of this part.
///
/// # Safety
/// This thread does not hold it.
pub(crate) unsafe fn take_all() {
    // SAFETY: as the caller says.
    unsafe { STATE.take() }
}

/// Releases what [`take_all`] took.
///
/// # Safety
/// `take_all` was called, by this thread or the one that it is the copy of.
pub(crate) unsafe fn release_all() {
    // SAFETY: as the caller says.
    unsafe { STATE.release() }
}
