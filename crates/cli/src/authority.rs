use crate::config::{self, Folder};
use crate::data::Failed;
use crate::isolation;
use crate::logging::Logging;
use crate::serve::first_start;
use clap::Args;
use portcullis::{Answer, Question};
use portcullis_authority::remote::{Peers, RemoteServer, Service};
use portcullis_authority::settings::HostNames;
use portcullis_authority::{Audit, DataFolder, Directory, DomainNames, Sqlite, StoreError};
use portcullis_server::{Request, Signals};
use std::io::{self, Write as _};
use std::path::PathBuf;
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

Both at once, by one command:
  portcullis serve --separate --data /var/lib/portcullis --http 0.0.0.0:80")]
pub(crate) struct Authority {
    #[command(flatten)]
    folder: Folder,
    /// Answer questions on this Unix socket; its folder must be there
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
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
        let config = config::load(&self.folder.data)?;
        let logging = Logging::start(&config.log)?;
        let host = HostNames::of_this_computer();
        let first = first_start(&self.folder.data, &config, &host)?;
        let audit = DataFolder::new(&self.folder.data).audit();
        let accounts = Arc::new(Accounts {
            directory: RwLock::new(Arc::new(Directory::open_sqlite(
                &self.folder.data,
                config.settings().local_names(&host),
            )?)),
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
        let config = config::load(&self.folder.data)?;
        let directory = Directory::open_sqlite(&self.folder.data, config.settings().local_names(host))?;
        *accounts.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
        logging.change(&config.log)
    }
}

/// Store, keys and audit log, for other processes.
struct Accounts {
    directory: RwLock<Arc<Directory<Sqlite>>>,
    audit: Audit,
}

impl Accounts {
    fn directory(&self) -> Arc<Directory<Sqlite>> {
        Arc::clone(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl portcullis::Authority for Accounts {
    fn answer(&self, question: &Question) -> Answer {
        self.directory().answer(question)
    }
}

impl Service for Accounts {
    fn domain(&self) -> Result<DomainNames, StoreError> {
        self.directory().domain().map(|domain| domain.names)
    }

    fn check(&self) -> Result<(), StoreError> {
        self.directory().check()
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        self.audit.write_line(line)
    }
}
