//! Account stores for the programs to ask.

use library::{Answer, Authority, Question};
use portcullis_authority::remote::{Peers, RemoteServer, Service, Stop};
use portcullis_authority::{
    AccountEdit, Audit, Authorities, DataFolder, Directory, DomainNames, KeytabAuthority, KeytabOptions, LocalNames,
    NewAccount, NewSecret, ReplayCache, Replays, Sqlite, Store as _, StoreError, bootstrap,
};
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A store that is served over a socket.
pub struct Served {
    pub store: Store,
    path: PathBuf,
    stop: Stop,
}

impl Served {
    /// As PortcullisSetAuthority takes it.
    pub fn source(&self) -> String {
        format!("unix:{}", self.path.display())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

struct Accounts {
    directory: Arc<Directory<Sqlite>>,
    authorities: Authorities,
    audit: Audit,
}

impl Authority for Accounts {
    fn answer(&self, question: &Question) -> Answer {
        self.authorities.answer(question)
    }
}

impl Service for Accounts {
    fn domain(&self) -> Result<DomainNames, StoreError> {
        self.directory.domain().map(|domain| domain.names)
    }

    fn opens_tickets(&self) -> bool {
        self.authorities.opens_tickets()
    }

    fn check(&self) -> Result<(), StoreError> {
        self.directory.check()
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        self.audit.write_line(line)
    }
}

/// What a program is run with.
#[derive(Debug, Default)]
pub struct Case {
    pub arguments: Vec<String>,
    pub config: Option<PathBuf>,
}

impl Case {
    pub fn new<const N: usize>(arguments: [&str; N]) -> Self {
        Self { arguments: arguments.map(str::to_owned).to_vec(), config: None }
    }

    /// With this as what PORTCULLIS_CONFIG names.
    pub fn config(mut self, folder: &Path, text: &[u8]) -> Self {
        let path = folder.join("portcullis.toml");
        fs::write(&path, text).unwrap();
        self.config = Some(path);
        self
    }
}

/// A data folder with the accounts `ann` and `ben`, and `eve`, who must change her password first.
pub struct Store {
    _folder: TempDir,
    pub data: PathBuf,
}

pub const ANN: (&str, &str) = ("ann", "Correct-horse 7");
pub const BEN: (&str, &str) = ("ben", "Battery-staple 9");
pub const EVE: (&str, &str) = ("eve", "Initial-secret 1");

impl Store {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let names = DomainNames::new("CORP", "corp.example").unwrap();
        bootstrap(&data, &names, None).unwrap();
        let directory = Directory::open_sqlite(&data, LocalNames::default()).unwrap();
        let mut policy = directory.store().policy().unwrap();
        policy.password.min_length = 8;
        directory.store().set_policy(&policy).unwrap();
        for (name, password) in [ANN, BEN, EVE] {
            let edit = AccountEdit { must_change: Some(name == EVE.0), ..AccountEdit::default() };
            let secret = NewSecret::Password(password.to_owned().into());
            let account = NewAccount { name: name.to_owned(), secret, edit, groups: Vec::new() };
            directory.add_account(account).unwrap();
        }
        Self { _folder: folder, data }
    }

    /// As PortcullisSetAuthority takes it.
    pub fn source(&self) -> String {
        format!("sqlite:{}", self.data.display())
    }

    /// The lines of the audit log.
    pub fn audit(&self) -> Vec<Value> {
        let text = fs::read_to_string(DataFolder::new(&self.data).audit()).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Answers for these accounts over a socket, as `portcullis authority` does, until it is dropped.
    pub fn serve(self) -> Served {
        self.serve_with(None)
    }

    /// The same, with this keytab for Kerberos tickets.
    pub fn serve_with(self, keytab: Option<&Path>) -> Served {
        let path = self.data.join("authority.sock");
        let server = RemoteServer::bind(&path, Peers::default()).unwrap();
        let stop = server.stop();
        let directory = Arc::new(Directory::open_sqlite(&self.data, LocalNames::default()).unwrap());
        let audit = Audit::open(&DataFolder::new(&self.data).audit()).unwrap();
        let keytab = keytab.map(|keytab| KeytabAuthority::open(keytab, KeytabOptions::default()).unwrap());
        let authorities = Authorities {
            accounts: Arc::clone(&directory) as Arc<dyn Authority>,
            tickets: keytab.map(|keytab| Arc::new(keytab) as Arc<dyn Authority>),
            replays: Arc::new(Replays::in_memory(Arc::new(ReplayCache::default()))),
        };
        let service: Arc<dyn Service> = Arc::new(Accounts { directory, authorities, audit });
        std::thread::spawn(move || server.run(&service));
        Served { store: self, path, stop }
    }

    /// The same where a program moved it to.
    pub fn away(self) -> Self {
        let data = self.data.with_extension("away");
        Self { data, ..self }
    }
}
