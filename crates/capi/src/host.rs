//! What the process knows beside its handles: the configuration, and the account stores that it opened.

use crate::code::Code;
use crate::config::Config;
use crate::lock::Lock;
use crate::{fork, kerberos, log};
use library::{Answer, Authority, Question, Refusal};
use portcullis_authority::remote::Remote;
use portcullis_authority::settings::HostNames;
use portcullis_authority::{
    AdminError, Audit, DataFolder, Directory, DomainNames, Record, ReplayCache, Replays, SeenStore, Sqlite,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Where the accounts are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Accounts {
    /// The host brings each account's secret itself, as programs for WinPR do.
    #[default]
    None,
    /// A data folder of `portcullis account`.
    Sqlite(PathBuf),
    /// The socket of `portcullis authority`.
    Socket(PathBuf),
}

impl FromStr for Accounts {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = |path: &str| if path.is_empty() { Err("a path is missing") } else { Ok(PathBuf::from(path)) };
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            Some(("sqlite", folder)) => path(folder).map(Self::Sqlite),
            Some(("unix", socket)) => path(socket).map(Self::Socket),
            _ => Err("an authority is written `sqlite:DIR`, `unix:SOCKET` or `none`"),
        }
    }
}

impl<'de> Deserialize<'de> for Accounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A store that is open.
pub(crate) struct Opened {
    store: Store,
    domain: DomainNames,
    /// Its logons that cannot be written down are refused.
    audit_required: bool,
}

enum Store {
    Here(Arc<Directory<Sqlite>>, Audit),
    Elsewhere(Remote),
}

/// How long another process has for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

struct State {
    config: Option<Result<Arc<Config>, String>>,
    /// What PortcullisSetAuthority chose.
    chosen: Option<Accounts>,
    /// What was opened, and in which process: a fork's child opens its own.
    open: Vec<(Accounts, u64, Arc<Opened>)>,
}

impl State {
    const NEW: Self = Self { config: None, chosen: None, open: Vec::new() };
}

static STATE: Lock<State> = Lock::new(State::NEW);

/// The configuration. A file that cannot be read is told each time: nothing is accepted without it.
pub(crate) fn config() -> Result<Arc<Config>, Code> {
    let mut state = STATE.lock();
    let config = match &state.config {
        Some(config) => config.clone(),
        None => {
            let config = Config::load().map(Arc::new);
            state.config = Some(config.clone());
            config
        }
    };
    drop(state);
    config.map_err(|error| {
        tracing::error!(error, "the file of PORTCULLIS_CONFIG cannot be used; nobody can log on");
        Code::NO_AUTHENTICATING_AUTHORITY
    })
}

/// The names of this computer.
pub(crate) fn names() -> HostNames {
    HostNames::of_this_computer()
}

/// Where the accounts of a credential that is acquired now are.
pub(crate) fn accounts() -> Result<Accounts, Code> {
    let chosen = STATE.lock().chosen.clone();
    chosen.map_or_else(|| Ok(config()?.authority.clone()), Ok)
}

/// PortcullisSetAuthority.
pub(crate) fn set_authority(text: Option<&str>) -> Result<Code, Code> {
    let chosen = match text {
        Some(text) => Some(text.parse::<Accounts>().map_err(|why| {
            tracing::error!(why, "PortcullisSetAuthority");
            Code::INVALID_PARAMETER
        })?),
        None => None,
    };
    if let Some(accounts @ (Accounts::Sqlite(_) | Accounts::Socket(_))) = &chosen {
        open(accounts)?;
    }
    STATE.lock().chosen = chosen;
    Ok(Code::OK)
}

/// Whether a store's process opens Kerberos tickets: the one of an authority that has a keytab.
pub(crate) fn opens_tickets(accounts: &Accounts) -> Result<bool, Code> {
    match accounts {
        Accounts::Socket(_) => open(accounts)?.opens_tickets(),
        Accounts::None | Accounts::Sqlite(_) => Ok(false),
    }
}

/// The store, opened unless it is.
pub(crate) fn open(accounts: &Accounts) -> Result<Arc<Opened>, Code> {
    let generation = fork::generation();
    let found = {
        let state = STATE.lock();
        let mut open = state.open.iter();
        open.find(|(of, when, _)| of == accounts && *when == generation).map(|(_, _, opened)| Arc::clone(opened))
    };
    if let Some(opened) = found {
        return Ok(opened);
    }
    let opened = Arc::new(Opened::new(accounts)?);
    let mut state = STATE.lock();
    for (_, when, opened) in &state.open {
        // A database must not be closed by the child of the process that opened it.
        if *when != generation {
            std::mem::forget(Arc::clone(opened));
        }
    }
    state.open.retain(|(of, when, _)| *when == generation && of != accounts);
    state.open.push((accounts.clone(), generation, Arc::clone(&opened)));
    Ok(opened)
}

impl Opened {
    fn new(accounts: &Accounts) -> Result<Self, Code> {
        let unusable = |error: String| {
            tracing::error!(error, ?accounts, "the account store cannot be used");
            Code::NO_AUTHENTICATING_AUTHORITY
        };
        let config = config()?;
        let audit_required = config.audit.required;
        match accounts {
            Accounts::None => Err(Code::NO_AUTHENTICATING_AUTHORITY),
            Accounts::Sqlite(folder) => {
                let _inside = Inside::enter();
                let names = config.settings().local_names(&names());
                let directory = Directory::open_sqlite(folder, names).map_err(|error| unusable(error.to_string()))?;
                let domain = directory.domain().map_err(|error| unusable(error.to_string()))?.names;
                let audit =
                    Audit::open(&DataFolder::new(folder).audit()).map_err(|error| unusable(error.to_string()))?;
                Ok(Self { store: Store::Here(Arc::new(directory), audit), domain, audit_required })
            }
            Accounts::Socket(path) => {
                let remote = Remote::at(Path::new(path), PATIENCE);
                let domain = remote.domain().map_err(|error| unusable(error.to_string()))?;
                Ok(Self { store: Store::Elsewhere(remote), domain, audit_required })
            }
        }
    }

    /// What the store's domain is called.
    pub(crate) fn domain(&self) -> &DomainNames {
        &self.domain
    }

    /// Asks the store.
    pub(crate) fn answer(&self, question: &Question) -> Answer {
        match &self.store {
            Store::Here(directory, _) => {
                let _inside = Inside::enter();
                directory.answer(question)
            }
            Store::Elsewhere(remote) => remote.answer(question),
        }
    }

    /// Whether it opens Kerberos tickets.
    fn opens_tickets(&self) -> Result<bool, Code> {
        let Store::Elsewhere(remote) = &self.store else { return Ok(false) };
        // Nobody goes on without Kerberos because it was not told.
        remote.opens_tickets().map_err(|error| {
            tracing::error!(%error, "the authority's process does not say whether it opens tickets");
            Code::NO_AUTHENTICATING_AUTHORITY
        })
    }

    /// Whether a Kerberos authenticator was seen by any process that shares the store; `seen` is what this one has seen.
    pub(crate) fn seen_before(&self, question: &Question, seen: Arc<ReplayCache>) -> Answer {
        match &self.store {
            Store::Here(directory, _) => {
                let _inside = Inside::enter();
                Replays::stored(seen, Arc::clone(directory) as Arc<dyn SeenStore>).answer(question)
            }
            Store::Elsewhere(remote) => remote.answer(question),
        }
    }

    /// Writes a decision down. `false` where it could not be and must be.
    pub(crate) fn audit(&self, record: &Record) -> bool {
        let written = match &self.store {
            Store::Here(_, audit) => {
                let _inside = Inside::enter();
                audit.write(record).is_ok()
            }
            Store::Elsewhere(remote) => {
                record.to_line().is_ok_and(|line| remote.write(&line).inspect_err(unwritable).is_ok())
            }
        };
        written || !self.audit_required
    }

    /// Gives an account another password; the caller has checked who asks for it.
    pub(crate) fn set_password(&self, account: &str, password: &library::Secret<String>) -> Result<(), Unset> {
        match &self.store {
            Store::Here(directory, _) => {
                let _inside = Inside::enter();
                directory.set_password(account, password, false).map_err(Unset::Refused)
            }
            Store::Elsewhere(_) => Err(Unset::Elsewhere),
        }
    }

    /// The least length of a password, in characters; `None` where another process knows it.
    pub(crate) fn password_policy(&self) -> Option<portcullis_authority::PasswordPolicy> {
        match &self.store {
            Store::Here(directory, _) => {
                let _inside = Inside::enter();
                use portcullis_authority::Store as _;
                directory.store().policy().ok().map(|policy| policy.password)
            }
            Store::Elsewhere(_) => None,
        }
    }
}

/// Why a password was not set.
pub(crate) enum Unset {
    Refused(AdminError),
    /// The store is another process's, which sets no passwords for others.
    Elsewhere,
}

fn unwritable(error: &portcullis_authority::remote::RemoteError) {
    tracing::error!(%error, "the audit log cannot be written");
}

/// A refusal that says that nobody can be asked.
pub(crate) const NOBODY: Refusal = Refusal::Unreachable;

/// Someone is inside the database's code, or that of a TLS handshake, which a fork must not cut in half: its own locks would
/// stay taken in the child.
struct Inside;

static GATE: Lock<()> = Lock::new(());
static INSIDE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// How often this thread is inside: a log line written there calls the host's function, which may fork.
    static HERE: Cell<usize> = const { Cell::new(0) };
}

/// While it lives a fork waits: for who is in other libraries' code that has locks of its own.
pub(crate) fn uninterrupted() -> impl Drop {
    Inside::enter()
}

impl Inside {
    fn enter() -> Self {
        let _gate = GATE.lock();
        INSIDE.fetch_add(1, Ordering::AcqRel);
        HERE.set(HERE.get() + 1);
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        HERE.set(HERE.get().saturating_sub(1));
        INSIDE.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Closes what this process opened, and leaves alone what its parent did; the rest is as before the first call.
pub(crate) fn forget_all() {
    let generation = fork::generation();
    let state = std::mem::replace(&mut *STATE.lock(), State::NEW);
    for (_, when, opened) in state.open {
        if when == generation { drop(opened) } else { std::mem::forget(opened) }
    }
    kerberos::process::forget_all();
}

/// Takes all locks of this part, and waits until nobody is inside the database; a fork waits no longer than a store may
/// take to answer.
///
/// # Safety
/// This thread holds none of them.
pub(crate) unsafe fn take_all() {
    // SAFETY: as the caller says.
    unsafe {
        STATE.take();
        kerberos::process::take_all();
        GATE.take();
    }
    // Who is inside may write a log line on the way out: that lock comes after.
    let until = Instant::now() + PATIENCE;
    while INSIDE.load(Ordering::Acquire) > HERE.get() && Instant::now() < until {
        std::thread::yield_now();
    }
    // SAFETY: as the caller says.
    unsafe { log::take_all() }
}

/// In a fork's child: of all who were inside only this thread is left.
pub(crate) fn alone() {
    INSIDE.store(HERE.get(), Ordering::Release);
}

/// Releases what [`take_all`] took.
///
/// # Safety
/// `take_all` was called, by this thread or the one that it is the copy of.
pub(crate) unsafe fn release_all() {
    // SAFETY: as the caller says.
    unsafe {
        log::release_all();
        GATE.release();
        kerberos::process::release_all();
        STATE.release();
    }
}
