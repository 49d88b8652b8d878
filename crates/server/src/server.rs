use crate::async_authority::AsyncAuthority;
use crate::config::Config;
use crate::connections::{self, Connections};
use crate::decision::{Decision, DecisionLog};
use crate::half_open::HalfOpen;
use crate::http::Half;
use crate::listen;
use crate::tls::Tls;
use portcullis::kerberos::Kerberos;
use portcullis::ntlm::Ntlm;
use portcullis::password::Password;
use portcullis::{ChannelBindings, Credential, Failure, HostCause};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// What a server works with. All of it can be replaced while the server runs: [`Replacer::replace`].
pub struct Service {
    /// The settings; `http.listen` is the caller's to act on, by [`Server::bind`].
    pub config: Config,
    /// The NTLM acceptor: [`Config::ntlm`] makes one.
    pub ntlm: Ntlm,
    /// The Kerberos acceptor, which Negotiate offers first. `None` where there are no keys.
    pub kerberos: Option<Kerberos>,
    /// Who answers questions about accounts, tickets and what was seen before.
    pub authority: Arc<dyn AsyncAuthority>,
    /// Where decisions are written down.
    pub decisions: Arc<dyn DecisionLog>,
    /// The TLS acceptor: [`TlsSettings::load`](crate::TlsSettings::load) makes one. `None` where there is no endpoint of
    /// TLS.
    pub tls: Option<Tls>,
    /// The channel bindings of terminators of TLS in front of this server, which clients may be bound to.
    pub terminators: Vec<ChannelBindings>,
    /// Whether the account store can be used: what `/healthz` answers. Called often; it must not block for long.
    pub healthy: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// A server: its endpoints and their clients. It needs tokio's multi-threaded runtime: accounts are looked up and
/// decisions written by blocking calls, and only that one lets other clients go on meanwhile.
pub struct Server {
    shared: Arc<Shared>,
    listeners: Vec<(std::net::TcpListener, Endpoint)>,
    connection_limit: usize,
}

/// What an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Http,
    Https,
}

/// A running or coming server's service, to be replaced from elsewhere.
#[derive(Clone)]
pub struct Replacer(Arc<Shared>);

/// A service in use. Each request keeps the one that it began with.
#[derive(Clone)]
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) negotiate: Credential,
    pub(crate) ntlm: Credential,
    pub(crate) basic: Credential,
    pub(crate) tls: Option<Tls>,
    pub(crate) terminators: Vec<ChannelBindings>,
    pub(crate) authority: Arc<dyn AsyncAuthority>,
    pub(crate) healthy: Arc<dyn Fn() -> bool + Send + Sync>,
    decisions: Arc<dyn DecisionLog>,
}

/// What all connections of a server share.
pub(crate) struct Shared {
    core: RwLock<Arc<Core>>,
    pub(crate) half_open: Arc<HalfOpen<Half>>,
    pub(crate) connections: Arc<Connections>,
}

impl Server {
    /// A server without endpoints yet. Raises the process's limit of open files as far as it may, and takes no more
    /// connections than that allows.
    pub fn new(service: Service) -> Self {
        let connection_limit = connections::fitting(service.config.limits.connections);
        let shared = Arc::new(Shared {
            core: RwLock::new(Arc::new(service.into())),
            half_open: HalfOpen::new(),
            connections: Arc::default(),
        });
        Self { shared, listeners: Vec::new(), connection_limit }
    }

    /// Adds an HTTP endpoint, and gives its address: port 0 chooses a free one. Clients can connect from now on; they
    /// are answered once the server runs.
    ///
    /// # Errors
    /// When the address is not this computer's, or taken.
    pub fn bind(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        self.bind_to(address, Endpoint::Http)
    }

    /// Adds an HTTPS endpoint; as [`bind`](Self::bind). Its connections are refused as long as the service has no
    /// [`Service::tls`].
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub fn bind_tls(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        self.bind_to(address, Endpoint::Https)
    }

    fn bind_to(&mut self, address: SocketAddr, endpoint: Endpoint) -> io::Result<SocketAddr> {
        let listener = listen::bind(address)?;
        let address = listener.local_addr()?;
        self.listeners.push((listener, endpoint));
        Ok(address)
    }

    /// How to replace the service later on.
    pub fn replacer(&self) -> Replacer {
        Replacer(Arc::clone(&self.shared))
    }

    /// Serves until `stop` is ready. Then nobody new is let in, requests under way are finished, and connections end;
    /// those that take longer than `limits.shutdown_seconds` are cut.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        // Every task holds a sender and never sends: the channel closes when the last one is gone.
        let (alive, mut all_gone) = mpsc::channel::<()>(1);
        for (listener, endpoint) in self.listeners {
            let listener = match TcpListener::from_std(listener) {
                Ok(listener) => listener,
                Err(error) => {
                    tracing::error!(%error, "an endpoint cannot be served");
                    continue;
                }
            };
            let accepting = listen::accept(
                listener,
                endpoint,
                Arc::clone(&self.shared),
                self.connection_limit,
                stopped.clone(),
                alive.clone(),
            );
            tokio::spawn(accepting);
        }
        tokio::spawn(expire(Arc::clone(&self.shared), stopped.clone(), alive.clone()));
        drop(alive);
        stop.await;
        let _ = stopping.send(true);
        let patience = Duration::from_secs(self.shared.core().config.limits.shutdown_seconds);
        if tokio::time::timeout(patience, all_gone.recv()).await.is_err() {
            tracing::warn!(connections = self.shared.connections.open(), "stopped with requests under way");
        }
    }
}

impl Replacer {
    /// Replaces the service. Requests under way end with the one they began with; identities that connections have
    /// stay theirs.
    pub fn replace(&self, service: Service) {
        *self.0.core.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(service.into());
    }

    /// Replaces the TLS acceptor alone: other certificates, lists or ticket keys. Connections keep theirs.
    pub fn replace_tls(&self, tls: Tls) {
        let mut core = self.0.core.write().unwrap_or_else(PoisonError::into_inner);
        *core = Arc::new(Core { tls: Some(tls), ..Core::clone(&core) });
    }
}

impl Shared {
    pub(crate) fn core(&self) -> Arc<Core> {
        Arc::clone(&self.core.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Core {
    /// Writes a decision down, and tells the program's log.
    ///
    /// # Errors
    /// `host/audit-unwritable` when it cannot be written and must be.
    pub(crate) fn decide(&self, decision: &Decision) -> Result<(), Failure> {
        let written = tokio::task::block_in_place(|| self.decisions.write(decision));
        if let Err(error) = &written {
            // The log itself has told the operator.
            tracing::debug!(id = %decision.correlation_id, %error, "a decision could not be written");
        }
        if written.is_err() && self.config.audit.required && decision.refused.is_none() {
            return Err(HostCause::AuditUnwritable.into());
        }
        decision.trace();
        Ok(())
    }
}

impl From<Service> for Core {
    fn from(service: Service) -> Self {
        let Service { config, ntlm, kerberos, authority, decisions, tls, terminators, healthy } = service;
        Self {
            negotiate: Credential::acceptor(config.settings().negotiate(kerberos, ntlm.clone())),
            ntlm: Credential::acceptor(ntlm),
            basic: Credential::acceptor(Password::new()),
            tls,
            terminators,
            config,
            authority,
            healthy,
            decisions,
        }
    }
}

/// Refuses handshakes that were not finished in time, and ends their connections.
async fn expire(shared: Arc<Shared>, mut stopped: watch::Receiver<bool>, _alive: mpsc::Sender<()>) {
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.changed() => return,
        }
        let core = shared.core();
        for half in shared.half_open.expire(core.config.limits.handshake()) {
            core.refuse(half.attempt, &HostCause::HandshakeTimeout.into());
            half.close.notify_one();
        }
    }
}
