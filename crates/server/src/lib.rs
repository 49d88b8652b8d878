//! The endpoints of Portcullis.
//!
//! A [`Server`] takes connections and finds out who their clients are, by the handshakes of [`portcullis`] and an
//! authority that answers their questions; it holds no secret and no account itself. HTTP, plain or over TLS, is the endpoint there is.
//!
//! ```no_run
//! # use portcullis_authority::settings::HostNames;
//! # use portcullis_server::*;
//! # use std::sync::Arc;
//! # async fn example(authority: Arc<dyn portcullis::Authority>, decisions: Arc<dyn DecisionLog>) -> std::io::Result<()> {
//! let (config, host) = (Config::default(), HostNames::of_this_computer());
//! let ntlm = config.settings().ntlm(&host, "CORP", "corp.example");
//! let authority = Arc::new(Threads::new(authority, 64, std::time::Duration::from_secs(15)));
//! let mut server = Server::new(Service { config, ntlm, kerberos: None, authority, decisions, healthy: Arc::new(|| true), tls: None, terminators: Vec::new() });
//! println!("listening http {}", server.bind(([127, 0, 0, 1], 0).into())?);
//! let mut signals = Signals::new()?;
//! server.run(async move { while signals.next().await != Request::Stop {} }).await;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod async_authority;
mod audit;
mod config;
mod connections;
mod decision;
mod half_open;
mod http;
mod listen;
mod random;
mod server;
mod shares;
mod signals;
mod tls;
mod watch;

pub use async_authority::{Answering, AsyncAuthority, Blocking, Threads};
pub use config::{AuditPolicy, Config, ConfigError, DEFAULT_FILE, Http, Limits, Log, LogFormat, Network, SchemeName};
pub use decision::{Attempt, CorrelationId, Decision, DecisionLog};
pub use server::{Replacer, Server, Service};
pub use signals::{Request, Signals};
pub use tls::{
    CertificateFiles, ClientAuthName, Fetch, Files, Loaded, MappingName, RevocationName, Tls, TlsError, TlsSettings,
    TlsStream, VersionName, connect_tls, self_signed,
};
