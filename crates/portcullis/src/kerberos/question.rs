use super::{OpenedTicket, PacPolicy, ServiceNames};
use crate::Claim;
use crate::question::{Answer, Denied, Id, Yes};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// Which service's key opens this ticket, and what is in it? An authority with the keys answers it by
/// [`open_ticket`](super::open_ticket).
#[derive(Debug)]
pub struct OpenTicket {
    pub(crate) id: Id,
    /// What can be read of the client before its ticket is opened: the service that it means, as the target.
    pub claim: Claim,
    /// The peer's address, where the host knows it.
    pub peer: Option<IpAddr>,
    /// The services that the client may mean.
    pub services: Arc<ServiceNames>,
    /// What becomes of the PAC: with [`PacPolicy::Ignore`] its signature need not be looked at.
    pub pac: PacPolicy,
    /// Whether a ticket of RC4 is taken.
    pub danger_accept_rc4: bool,
    ticket: Vec<u8>,
}

impl OpenTicket {
    /// As [`VerifyNtlm::new`](crate::VerifyNtlm::new). `ticket` is the Ticket in DER (RFC 4120 §5.3), as received.
    pub fn new(
        claim: Claim,
        peer: Option<IpAddr>,
        services: Arc<ServiceNames>,
        pac: PacPolicy,
        danger_accept_rc4: bool,
        ticket: Vec<u8>,
    ) -> Self {
        Self { id: Id::next(), claim, peer, services, pac, danger_accept_rc4, ticket }
    }

    /// The ticket in DER, as received.
    pub fn ticket(&self) -> &[u8] {
        &self.ticket
    }

    /// An answer that says yes. An [`OpenedTicket`] comes from [`open_ticket`](super::open_ticket) alone, or from an
    /// authority elsewhere that opened it.
    pub fn accept(&self, opened: OpenedTicket) -> Answer {
        Answer::yes(self.id, Yes::Ticket(Box::new(opened)))
    }

    /// An answer that says no.
    pub fn refuse(&self, why: impl Into<Denied>) -> Answer {
        Answer::no(self.id, why)
    }
}

/// Was this authenticator seen before? The answer must be one of a single step that also remembers it: of two that ask
/// at the same time about the same one, one gets a yes.
#[derive(Debug)]
pub struct SeenBefore {
    pub(crate) id: Id,
    /// What the client says of itself; everything but this question speaks for it.
    pub claim: Claim,
    /// The peer's address, where the host knows it.
    pub peer: Option<IpAddr>,
    /// What the authenticator is known by: a digest of its MAC and of the key that opened the ticket. The names in the
    /// token have no part in it, so that rewriting them makes no new one.
    pub tag: [u8; 16],
    /// The time of the call.
    pub now: SystemTime,
    /// Until when it must be remembered: its own time and the skew. After that it is refused by its time.
    pub until: SystemTime,
}

impl SeenBefore {
    /// As [`VerifyNtlm::new`](crate::VerifyNtlm::new).
    pub fn new(claim: Claim, peer: Option<IpAddr>, tag: [u8; 16], now: SystemTime, until: SystemTime) -> Self {
        Self { id: Id::next(), claim, peer, tag, now, until }
    }

    /// An answer that says: never before, and it is remembered now.
    pub fn fresh(&self) -> Answer {
        Answer::yes(self.id, Yes::Fresh)
    }

    /// An answer that says no: [`Cause::Replayed`](super::Cause::Replayed), or why nobody can say.
    pub fn refuse(&self, why: impl Into<Denied>) -> Answer {
        Answer::no(self.id, why)
    }
}
