//! A vector's accounts where the library asks: in a store, or behind the socket of an authority.

use library::ntlm::keys;
use library::{Answer, Authority, Question, Refusal};
use portcullis_authority::remote::{Peers, RemoteServer, Service, Stop};
use portcullis_authority::{
    AccountEdit, Attempt, DataFolder, Directory, DomainNames, LocalNames, LockoutPolicy, LogonHours, NewAccount,
    NewSecret, PasswordPolicy, Policy, Store as _, StoreError, bootstrap,
};
use portcullis_testkit::vector::{Judges, Setup};
use portcullis_testkit::{Entry, Realm};
use portcullis_wire::filetime;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};
use std::{fs, io};
use tempfile::TempDir;

/// Where a realm's accounts are.
pub enum Accounts {
    Store(TempDir),
    Socket { folder: TempDir, service: Arc<Served>, stop: Stop, thread: Option<JoinHandle<()>> },
}

impl Accounts {
    /// A store with the realm's accounts in their states.
    pub fn store(realm: &Realm, now: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let now = filetime::to_system(now).unwrap();
        bootstrap(&data, &DomainNames::new(&realm.domain, &realm.dns_domain).unwrap(), None).unwrap();
        // Passwords are set two days before, and are too old after one where the vector wants them so.
        let open = || Directory::open_sqlite(&data, LocalNames::default()).unwrap();
        let directory = open().with_clock(move || now - 2 * DAY);
        for entry in &realm.accounts {
            directory.add_account(new_account(entry, now)).unwrap();
        }
        let is = |state| realm.accounts.iter().any(|entry| entry.state == Some(state));
        // Vectors share a store: what one guesses wrong must not lock out another.
        let threshold = u32::from(is(Refusal::LockedOut));
        let lockout = LockoutPolicy {
            threshold,
            global_threshold: 0,
            address_threshold: 0,
            duration: Duration::ZERO,
            ..LockoutPolicy::default()
        };
        let password =
            PasswordPolicy { max_age: is(Refusal::PasswordExpired).then_some(DAY), ..PasswordPolicy::default() };
        directory.store().set_policy(&Policy { password, lockout: lockout.clone(), ..Policy::default() }).unwrap();
        for entry in realm.accounts.iter().filter(|entry| entry.state == Some(Refusal::LockedOut)) {
            directory.store().count_failure(&Attempt::new(&entry.name, None, &lockout), now, &lockout).unwrap();
        }
        Self::Store(folder)
    }

    /// An authority in another thread that answers as the vector's own does.
    pub fn socket(setup: &Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = RemoteServer::bind(&folder.path().join("socket"), Peers::default()).unwrap();
        let (judges, realm) = (setup.authority(), setup.realm.clone());
        let service = Arc::new(Served { judges, realm, opens: setup.kerberos.is_some(), lines: Mutex::default() });
        let stop = server.stop();
        let asked: Arc<dyn Service> = service.clone();
        let thread = Some(std::thread::spawn(move || server.run(&asked)));
        Self::Socket { folder, service, stop, thread }
    }

    /// What PortcullisSetAuthority is told.
    pub fn source(&self) -> String {
        match self {
            Self::Store(folder) => format!("sqlite:{}", folder.path().join("data").display()),
            Self::Socket { folder, .. } => format!("unix:{}", folder.path().join("socket").display()),
        }
    }

    /// An authority that must be out of reach goes away; others stay.
    pub fn acquired(&mut self) {
        if let Self::Socket { folder, service, stop, thread } = self
            && service.realm.outage == Some(Refusal::AuthorityUnreachable)
        {
            stop.stop();
            if let Some(thread) = thread.take() {
                thread.join().unwrap();
            }
            let _ = fs::remove_file(folder.path().join("socket"));
        }
    }

    /// The lines of the audit log.
    pub fn audit(&self) -> Vec<String> {
        let text = match self {
            Self::Store(folder) => read(&folder.path().join("data")),
            Self::Socket { service, .. } => service.lines.lock().unwrap().clone(),
        };
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Accounts {
    fn drop(&mut self) {
        if let Self::Socket { stop, thread: Some(_), .. } = self {
            stop.stop();
        }
    }
}

const DAY: Duration = Duration::from_secs(86400);

fn read(data: &Path) -> String {
    fs::read_to_string(DataFolder::new(data).audit()).unwrap_or_default()
}

fn new_account(entry: &Entry, now: SystemTime) -> NewAccount {
    let secret = match entry.password.as_str() {
        // What an administrator cannot set, but another directory's hash may be.
        "" => NewSecret::NtHash(keys::nt_hash("")),
        password => NewSecret::Password(password.to_owned().into()),
    };
    let mut edit =
        AccountEdit { expires: Some(entry.logoff_at.and_then(filetime::to_system)), ..AccountEdit::default() };
    match entry.state {
        None | Some(Refusal::LockedOut | Refusal::PasswordExpired) => {}
        Some(Refusal::Disabled) => edit.disabled = Some(true),
        Some(Refusal::AccountExpired) => edit.expires = Some(Some(now - DAY)),
        Some(Refusal::LogonHours) => edit.hours = Some(LogonHours::NONE),
        Some(Refusal::Workstation) => edit.workstations = Some(vec!["ELSEWHERE".to_owned()]),
        Some(Refusal::MustChange) => edit.must_change = Some(true),
        Some(state) => panic!("no account of a store is in the state {state:?}"),
    }
    NewAccount { name: entry.name.clone(), secret, edit, groups: vec![] }
}

/// A realm that others ask, and the keys of its services.
pub struct Served {
    judges: Judges,
    realm: Realm,
    opens: bool,
    lines: Mutex<String>,
}

impl Authority for Served {
    fn answer(&self, question: &Question) -> Answer {
        if self.realm.outage == Some(Refusal::AuthorityUnreachable) {
            // The process died: its connections end, and nobody answers at its socket.
            std::panic::resume_unwind(Box::new("gone"));
        }
        self.judges.answer(question)
    }
}

impl Service for Served {
    fn domain(&self) -> Result<DomainNames, StoreError> {
        Ok(DomainNames { netbios: self.realm.domain.clone(), dns: self.realm.dns_domain.clone() })
    }

    fn opens_tickets(&self) -> bool {
        self.opens
    }

    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        self.lines.lock().unwrap().push_str(std::str::from_utf8(line).unwrap());
        Ok(())
    }
}
