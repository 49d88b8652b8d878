//! What is decided about a client, and what is written down of it.

use portcullis::{BindingsOutcome, Cause, Claim, Event, Events, Facts, Failure};
use portcullis_wire::spnego;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::SystemTime;

/// Ties what a client was told to what the operator can read: 128 random bits in hexadecimal, ours, never a client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrelationId(String);

/// Where decisions are written down. `portcullis-authority`'s audit log is one.
pub trait DecisionLog: Send + Sync {
    /// Writes one decision, blocking while it does.
    ///
    /// # Errors
    /// When it is not written for good, which it has told the operator itself; a server that requires the log then
    /// refuses the client.
    fn write(&self, decision: &Decision) -> io::Result<()>;
}

/// One decision about one handshake: a line of the audit log.
#[derive(Debug, Clone)]
pub struct Decision {
    /// When it was made.
    pub time: SystemTime,
    /// What the client was told to name when it asks why.
    pub correlation_id: CorrelationId,
    /// Why the client is refused; `None` when it is let in.
    pub refused: Option<Cause>,
    /// What is known of the attempt.
    pub attempt: Attempt,
}

/// What is known of one attempt to log on, gathered while it goes on.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// What the client is told to name when it asks why.
    pub correlation_id: CorrelationId,
    /// Where the connection comes from.
    pub peer: SocketAddr,
    /// The client's address: the peer's, or the one that a trusted proxy names.
    pub client: IpAddr,
    /// Where the connection came in.
    pub endpoint: SocketAddr,
    /// The scheme or package.
    pub package: &'static str,
    /// The package that does the work: the same, or the one inside it. `None` before the client has shown it.
    pub mechanism: Option<&'static str>,
    /// What the client offers to negotiate, the most wanted first; empty where it does not negotiate.
    pub offered: String,
    /// The form of the proof, once the client has shown it.
    pub version: Option<&'static str>,
    /// What the client says of itself, once it has.
    pub claim: Option<Claim>,
    /// The account whose proof fitted, as `DOMAIN\name`.
    pub account: Option<String>,
    /// That account's SID.
    pub sid: Option<portcullis::Sid>,
    /// How the channel bindings were judged.
    pub bindings: Option<BindingsOutcome>,
    /// On which values a refusal rests: what was wanted, and what there is.
    pub detail: Option<String>,
}

impl CorrelationId {
    /// A new one; `None` when the operating system has no randomness.
    pub(crate) fn new() -> Option<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(format!("{:032x}", u128::from_be_bytes(bytes))))
    }

    /// The 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Events for Attempt {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Negotiating { offered, chosen } => {
                let names = offered.iter().map(|oid| spnego::name(*oid).map_or_else(|| oid.to_string(), str::to_owned));
                self.offered = names.collect::<Vec<_>>().join(", ");
                self.mechanism = *chosen;
            }
            Event::Claimed { package, version, claim } => {
                self.mechanism = Some(package);
                self.version = Some(version);
                self.claim = Some((*claim).clone());
            }
            Event::Because { detail } => self.detail = Some((*detail).to_owned()),
            Event::Bindings { outcome, .. } => self.bindings = Some(*outcome),
            Event::Verified { account } => {
                self.account = Some(account.qualified_name());
                self.sid = account.sid;
            }
            _ => {}
        }
    }
}

impl Attempt {
    /// An attempt of which nothing is known yet but where it comes from.
    pub(crate) fn new(
        correlation_id: CorrelationId,
        peer: SocketAddr,
        endpoint: SocketAddr,
        package: &'static str,
    ) -> Self {
        Self {
            correlation_id,
            peer,
            client: peer.ip().to_canonical(),
            endpoint,
            package,
            mechanism: None,
            offered: String::new(),
            version: None,
            claim: None,
            account: None,
            sid: None,
            bindings: None,
            detail: None,
        }
    }

    /// The decision to let the client in.
    pub(crate) fn established(mut self, facts: &Facts) -> Decision {
        self.version = Some(facts.version);
        self.decided(None)
    }

    /// The decision to refuse the client.
    pub(crate) fn refused(self, failure: &Failure) -> Decision {
        self.decided(Some(failure.cause))
    }

    fn decided(self, refused: Option<Cause>) -> Decision {
        Decision { time: SystemTime::now(), correlation_id: self.correlation_id.clone(), refused, attempt: self }
    }
}

impl Decision {
    /// Tells the operator through the program's log. What the client wrote is escaped; no secret is in it.
    pub(crate) fn trace(&self) {
        let Attempt { peer, client, package, mechanism, offered, version, claim, account, detail, .. } = &self.attempt;
        let mechanism = mechanism.unwrap_or("-");
        let id = &self.correlation_id;
        let version = version.unwrap_or("-");
        match self.refused {
            None => {
                let account = account.as_deref().unwrap_or("anonymous");
                tracing::info!(%id, %peer, %client, package, mechanism, version, account, "logged on");
            }
            Some(cause) => {
                let user = claim.as_ref().map(Claim::user).unwrap_or_default();
                let domain = claim.as_ref().map(Claim::domain).unwrap_or_default();
                let (status, substatus, advice) = (cause.status(), cause.substatus(), cause.advice());
                tracing::warn!(
                    %id, %cause, %status, %substatus, %peer, %client, package, mechanism, offered, version, ?user,
                    ?domain, detail, advice, "refused"
                );
            }
        }
    }
}
