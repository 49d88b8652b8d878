//! Schannel: TLS 1.2 (RFC 5246) and 1.3 (RFC 8446) as a package of streams.
//!
//! ```text
//!   acceptor    AwaitHello ──hello, by record──► AwaitFlight ──last flight──► FindAccount? ──► AwaitVerdict ──► Context
//!   initiator   AwaitStart ──""──► AwaitFlight ─────────────────────────────────────────────────────────────► Context
//! ```
//!
//! The handshake and the ciphers are rustls', behind `engine`. What is ours is everything that SSPI promises around
//! them: records are split here, so that what belongs to the host is never swallowed ([`crate::Inbound::extra`]); a
//! session is resumed only under the policy that it was made under, and its client's certificate and account are judged
//! again; a client's certificate becomes an account by [`crate::Question::FindAccount`].
//!
//! Rows of the contract: partial input, extra bytes, tokens on success, alerts on failure, mutual authentication,
//! stream sizes, shutdown. Renegotiation, authentication after the handshake, DTLS, `tls-unique` and versions before
//! 1.2 are refused by name ([`Cause`]).

mod accept;
mod cause;
mod engine;
mod flight;
mod identity;
mod initiate;
mod protection;
mod records;
mod session;
mod sessions;
#[cfg(test)]
mod tests;
mod tickets;
mod trust;

pub use accept::Acceptor;
pub use cause::{Alert, Cause};
pub use identity::{
    Identities, Identity, IdentityError, certificates_in_pem, end_point_bindings, revocation_lists_in_pem,
};
pub use initiate::Initiator;
pub use tickets::{TicketKey, TicketKeys};
pub use trust::{Revocation, SettingsError, Trust};

use crate::TlsVersion;

/// How an acceptor behaves; what it is, [`Identities`] say.
#[derive(Debug, Clone)]
pub struct AcceptorSettings {
    /// Whether clients are asked for a certificate. Defaults to [`ClientAuth::None`]; a call that wants
    /// [`MUTUAL_AUTH`](crate::ContextFlags::MUTUAL_AUTH) makes it [`ClientAuth::Require`].
    pub client_auth: ClientAuth,
    /// Whether MUTUAL_AUTH in a call only asks for a certificate, as Windows does: the host then looks at what was
    /// granted. Defaults to `false`.
    pub danger_mutual_auth_only_asks: bool,
    /// Whose client certificates are believed. Defaults to nobody's.
    pub clients: Option<Trust>,
    /// Whether the host verifies client certificates itself: any is taken, and none becomes an account. Defaults to
    /// `false`.
    pub danger_host_verifies_clients: bool,
    /// Whether a client's certificate becomes an account. Defaults to [`Mapping::Optional`].
    pub mapping: Mapping,
    /// The application protocols (ALPN), the most wanted first. Defaults to none: the client's are not looked at.
    pub application_protocols: Vec<Vec<u8>>,
    /// The keys of session tickets. Defaults to none: no session is resumed.
    pub tickets: Option<TicketKeys>,
    /// What tells this service from others that share its ticket keys and certificates. Defaults to nothing.
    pub service: String,
    /// The versions that are spoken. Defaults to both.
    pub versions: Vec<TlsVersion>,
}

impl Default for AcceptorSettings {
    fn default() -> Self {
        Self {
            client_auth: ClientAuth::None,
            danger_mutual_auth_only_asks: false,
            clients: None,
            danger_host_verifies_clients: false,
            mapping: Mapping::Optional,
            application_protocols: Vec::new(),
            tickets: None,
            service: String::new(),
            versions: vec![TlsVersion::Tls12, TlsVersion::Tls13],
        }
    }
}

/// Whether clients are asked for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClientAuth {
    /// They are not.
    None,
    /// They are, and may have none. One that is sent must be good.
    Request,
    /// They are, and must have one.
    Require,
}

/// Whether a client's certificate becomes an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mapping {
    /// Nobody is asked.
    Off,
    /// The authority is asked; where it says no, the context has a certificate and no account
    /// ([`crate::Channel::unmapped`] says why).
    Optional,
    /// A client whose certificate is no account's is refused.
    Required,
}

/// How an initiator behaves.
#[derive(Debug, Clone, Default)]
pub struct InitiatorSettings {
    /// Whose server certificates are believed. Without, and without
    /// [`danger_host_verifies`](Self::danger_host_verifies), there is no initiator.
    pub servers: Option<Trust>,
    /// Whether the host verifies the server's certificate itself. Defaults to `false`.
    pub danger_host_verifies: bool,
    /// What the client shows where a server asks for it. Defaults to nothing.
    pub identity: Option<Identity>,
    /// The application protocols (ALPN), the most wanted first. Defaults to none.
    pub application_protocols: Vec<Vec<u8>>,
    /// The versions that are spoken; none means all. Defaults to all.
    pub versions: Vec<TlsVersion>,
    /// Whether sessions are kept and resumed. Defaults to `false`.
    pub resumes: bool,
}

/// The library's name of versions.
fn versions(wanted: &[TlsVersion]) -> Vec<&'static rustls::SupportedProtocolVersion> {
    let all = [(TlsVersion::Tls13, &rustls::version::TLS13), (TlsVersion::Tls12, &rustls::version::TLS12)];
    all.into_iter().filter(|(version, _)| wanted.is_empty() || wanted.contains(version)).map(|(_, of)| of).collect()
}

fn check_protocols(protocols: &[Vec<u8>]) -> Result<(), SettingsError> {
    let good = protocols.iter().all(|name| (1..=255).contains(&name.len()));
    if good { Ok(()) } else { Err(SettingsError::BadApplicationProtocol) }
}
