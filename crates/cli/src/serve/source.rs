use super::tls;
use crate::config;
use crate::data::Failed;
use crate::keeper::Keeper;
use portcullis_authority::remote::Remote;
use portcullis_authority::settings::HostNames;
use portcullis_authority::{Audit, DataFolder, Directory, DomainNames, Lasting};
use portcullis_server::{Config, DecisionLog, Service, Threads, Tls};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a service is made from, again with each reload.
pub(super) struct Source {
    host: HostNames,
    accounts: Accounts,
}

/// Where the accounts are.
enum Accounts {
    /// In this process.
    Here { folder: PathBuf, audit: Arc<Audit>, lasting: Lasting },
    /// In another, with the audit log.
    Elsewhere { keeper: Arc<Keeper>, remote: Arc<Remote> },
}

/// How long a server that starts waits for its authority.
const START: Duration = Duration::from_secs(30);

/// Between two attempts of that.
const PAUSE: Duration = Duration::from_millis(250);

impl Source {
    /// The accounts of a data folder.
    pub(super) fn here(folder: &Path, host: HostNames) -> Result<Self, Failed> {
        let path = DataFolder::new(folder).audit();
        let audit = Audit::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self {
            host,
            accounts: Accounts::Here { folder: folder.to_owned(), audit: Arc::new(audit), lasting: Lasting::new() },
        })
    }

    /// The accounts of another process, which is started where `start` says so.
    pub(super) fn elsewhere(
        socket: &Path,
        data: &Path,
        host: HostNames,
        start: bool,
        settings: &Config,
    ) -> Result<Self, Failed> {
        let keeper = Arc::new(Keeper::start(socket, data, start, tls::kept(settings))?);
        let connector = Arc::clone(&keeper);
        let patience = Duration::from_secs(settings.limits.authority_answer_seconds);
        let remote = Arc::new(Remote::connecting(Box::new(move || connector.connect()), patience));
        wait_for(&remote, socket)?;
        Ok(Self { host, accounts: Accounts::Elsewhere { keeper, remote } })
    }

    /// Who reads the files of TLS.
    pub(super) fn reader(&self) -> tls::Reader {
        match &self.accounts {
            Accounts::Here { .. } => tls::Reader::Here,
            Accounts::Elsewhere { keeper, .. } => tls::Reader::Keeper(Arc::clone(keeper)),
        }
    }

    /// What a server works with; `tls` is made of the configuration's files ([`tls::Material`]).
    pub(super) fn service(&self, config: Config, tls: Option<Tls>) -> Result<Service, Failed> {
        let reader = self.reader();
        let terminators = config.terminators(&|path| reader.fetch(path));
        let patience = Duration::from_secs(config.limits.authority_seconds);
        let calls = config.limits.authority_calls;
        type Made<D> = (Arc<dyn portcullis::Authority>, bool, Arc<dyn DecisionLog>, Health, D);
        let (authority, opens_tickets, decisions, healthy, domain): Made<_> = match &self.accounts {
            Accounts::Here { folder, audit, lasting } => {
                let directory = Arc::new(Directory::open_sqlite(folder, config.settings().local_names(&self.host))?);
                let domain = directory.domain()?.names;
                let (accounts, seen) = (Arc::clone(&directory) as _, Arc::clone(&directory) as _);
                let authorities = lasting.authorities(&config.kerberos, accounts, seen);
                let authorities = authorities.map_err(|error| Failed::Failed(error.to_string()))?;
                (
                    Arc::new(authorities.clone()) as _,
                    authorities.opens_tickets(),
                    Arc::clone(audit) as _,
                    health(move || directory.domain().is_ok()),
                    domain,
                )
            }
            Accounts::Elsewhere { remote, .. } => {
                let (domain, asked) = (domain_of(remote)?, Arc::clone(remote));
                let opens = remote.opens_tickets().map_err(|error| Failed::Failed(error.to_string()))?;
                (Arc::clone(remote) as _, opens, Arc::clone(remote) as _, health(move || asked.check().is_ok()), domain)
            }
        };
        if !config.negotiates_something(opens_tickets) {
            let why = "negotiate.packages leaves out NTLM, and there is no keytab for Kerberos: give one by --keytab (where \
                       another process holds the accounts, to that one), or leave \"Negotiate\" out of http.schemes";
            return Err(Failed::Failed(why.to_owned()));
        }
        Ok(Service {
            kerberos: opens_tickets.then(|| config.settings().kerberos()),
            ntlm: config.settings().ntlm(&self.host, &domain.netbios, &domain.dns),
            authority: Arc::new(Threads::new(authority, calls, patience)),
            decisions,
            tls,
            terminators: terminators.map_err(|error| Failed::Failed(error.to_string()))?,
            healthy,
            config,
        })
    }

    /// The configuration as it is now.
    pub(super) fn config(&self) -> Result<Config, Failed> {
        match &self.accounts {
            Accounts::Here { folder, .. } => config::load(folder),
            Accounts::Elsewhere { keeper, .. } => match keeper.config() {
                Ok(Some(text)) => Config::parse(&text).map_err(|error| Failed::Failed(error.to_string())),
                Ok(None) => Ok(Config::default()),
                Err(error) => Err(format!("the configuration cannot be read: {error}").into()),
            },
        }
    }

    /// Opens the audit log anew, where it is this process's.
    pub(super) fn reopen_audit(&self) {
        if let Accounts::Here { audit, .. } = &self.accounts
            && let Err(error) = audit.reopen()
        {
            tracing::error!(%error, path = %audit.path().display(), "the audit log cannot be reopened; the old file stays in use");
        }
    }
}

type Health = Arc<dyn Fn() -> bool + Send + Sync>;

/// Whether the store can be read, asked of it once a second at most: anybody may ask `/healthz`.
fn health(is_well: impl Fn() -> bool + Send + Sync + 'static) -> Health {
    const FRESH: Duration = Duration::from_secs(1);
    let last: Mutex<Option<(Instant, bool)>> = Mutex::new(None);
    Arc::new(move || {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some((when, well)) if when.elapsed() < FRESH => well,
            _ => {
                let well = is_well();
                *last = Some((Instant::now(), well));
                well
            }
        }
    })
}

fn domain_of(remote: &Remote) -> Result<DomainNames, Failed> {
    remote.domain().map_err(|error| Failed::Failed(error.to_string()))
}

/// Waits until the authority answers: it may be starting, or be started after this process.
fn wait_for(remote: &Remote, socket: &Path) -> Result<(), Failed> {
    let until = Instant::now() + START;
    let mut told = false;
    loop {
        match remote.domain() {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() >= until => {
                let path = socket.display();
                return Err(format!(
                    "no authority answers on {path}: {error}; start `portcullis authority --socket {path}`"
                )
                .into());
            }
            Err(error) if !told => {
                told = true;
                tracing::info!(%error, socket = %socket.display(), "waiting for the authority process");
            }
            Err(_) => {}
        }
        std::thread::sleep(PAUSE);
    }
}
