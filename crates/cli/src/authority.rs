use crate::config::{self, Folder};
use crate::data::Failed;
use crate::isolation;
use crate::logging::Logging;
use crate::serve::first_start;
use clap::Args;
use portcullis::{Answer, Question};
use portcullis_authority::remote::{Peers, RemoteServer, Service};
use portcullis_authority::settings::HostNames;
use portcullis_authority::{Audit, Authorities, DataFolder, Directory, DomainNames, Lasting, Sqlite, StoreError};
use portcullis_server::{Config, Request, Signals};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// `portcullis authority`
#[derive(Debug, Args)]
#[command(after_help = "\
The process that speaks to the network then holds no account, hash or key: start it with `portcullis serve --authority
PATH`. Processes of root and of this process's own user may ask, and those of the users named by --allow-user. SIGHUP
opens the store anew and reopens the audit log; SIGTERM ends.

Examples:
  portcullis authority --data /var/lib/portcullis --socket /run/portcullis/authority.sock
  portcullis serve --authority /run/portcullis/authority.sock --http 0.0.0.0:80
  portcullis authority --socket /run/portcullis/authority.sock --keytab /etc/portcullis/http.keytab

Both at once, by one command:
  portcullis serve --separate --data /var/lib/portcullis --http 0.0.0.0:80")]
pub(crate) struct Authority {
    #[command(flatten)]
    folder: Folder,
    /// Answer questions on this Unix socket; its folder must be there
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// Open Kerberos tickets with the keys of this keytab, which is read again when it changes; overrides
    /// `kerberos.keytab`
    #[arg(long, value_name = "FILE")]
    keytab: Option<PathBuf>,
    /// Let processes of this user ask too. Can be given several times
    #[arg(long = "allow-user", value_name = "NAME", value_parser = isolation::user)]
    allow_users: Vec<isolation::User>,
    /// End with the process that started this one
    #[arg(long, hide = true)]
    with_parent: bool,
}

impl Authority {
    pub(crate) fn run(self) -> Result<(), Failed> {
        if self.with_parent {
            isolation::end_with_parent();
        }
        isolation::leave_no_dumps();
        let config = self.config()?;
        let logging = Logging::start(&config.log)?;
        let host = HostNames::of_this_computer();
        let first = first_start(&self.folder.data, &config, &host)?;
        let audit = DataFolder::new(&self.folder.data).audit();
        let lasting = Lasting::new();
        let held = Held::open(&self.folder.data, &config, &host, &lasting)?;
        let accounts = Arc::new(Accounts {
            held: RwLock::new(Arc::new(held)),
            lasting,
            audit: Audit::open(&audit).map_err(|error| format!("{}: {error}", audit.display()))?,
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let context = runtime.enter();
        let mut signals = Signals::new()?;
        drop(context);
        let peers = Peers { besides: self.allow_users.iter().map(|user| user.uid).collect() };
        let bound = RemoteServer::bind(&self.socket, peers);
        let server = bound.map_err(|error| format!("cannot listen on {}: {error}", self.socket.display()))?;
        let stop = server.stop();
        let service = Arc::clone(&accounts) as Arc<dyn Service>;
        let answering = std::thread::Builder::new().name("answering".into()).spawn(move || server.run(&service))?;

        let mut out = io::stdout().lock();
        if let Some((name, password)) = first {
            let password = password.expose();
            writeln!(out, "\nThis is the first start. The account `{name}` has the password, shown this once:\n")?;
            writeln!(out, "  {password}\n")?;
        }
        writeln!(out, "listening authority {}", self.socket.display())?;
        out.flush()?;
        drop(out);
        runtime.block_on(async {
            while signals.next().await == Request::Reload {
                match self.reload(&accounts, &host, &logging) {
                    Ok(()) => tracing::info!("configuration and store are read anew, the audit log is reopened"),
                    Err(error) => tracing::error!(%error, "what cannot be used anew stays as it was"),
                }
            }
        });
        tracing::info!("stopping");
        stop.stop();
        let _ = answering.join();
        Ok(())
    }

    fn reload(&self, accounts: &Accounts, host: &HostNames, logging: &Logging) -> Result<(), Failed> {
        accounts.audit.reopen()?;
        let config = self.config()?;
        let held = Held::open(&self.folder.data, &config, host, &accounts.lasting)?;
        *accounts.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(held);
        logging.change(&config.log)
    }

    fn config(&self) -> Result<Config, Failed> {
        let mut config = config::load(&self.folder.data)?;
        config::settle_keytab(&mut config, &self.folder.data, self.keytab.as_deref())?;
        Ok(config)
    }
}

/// What answers: the accounts, and what else the settings name.
struct Held {
    directory: Arc<Directory<Sqlite>>,
    authorities: Authorities,
}

impl Held {
    fn open(data: &Path, config: &Config, host: &HostNames, lasting: &Lasting) -> Result<Self, Failed> {
        let directory = Arc::new(Directory::open_sqlite(data, config.settings().local_names(host))?);
        let (accounts, seen) = (Arc::clone(&directory) as _, Arc::clone(&directory) as _);
        let authorities = lasting.authorities(&config.kerberos, accounts, seen);
        let authorities = authorities.map_err(|error| Failed::Failed(error.to_string()))?;
        Ok(Self { directory, authorities })
    }
}

/// Store, keys and audit log, for other processes.
struct Accounts {
    held: RwLock<Arc<Held>>,
    lasting: Lasting,
    audit: Audit,
}

impl Accounts {
    fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl portcullis::Authority for Accounts {
    fn answer(&self, question: &Question) -> Answer {
        self.held().authorities.answer(question)
    }
}

impl Service for Accounts {
    fn domain(&self) -> Result<DomainNames, StoreError> {
        self.held().directory.domain().map(|domain| domain.names)
    }

    fn check(&self) -> Result<(), StoreError> {
        self.held().directory.check()
    }

    fn opens_tickets(&self) -> bool {
        self.held().authorities.opens_tickets()
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        self.audit.write_line(line)
    }
}
