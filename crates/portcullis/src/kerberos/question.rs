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

/// Did a KDC make this PAC? Its own signature in it can be checked by the KDC alone (MS-PAC 2.8.2): whoever holds the
/// service's key could have made the rest. An authority that has no KDC to ask says so: [`not_asked`](Self::not_asked).
#[derive(Debug)]
pub struct ConfirmPac {
    pub(crate) id: Id,
    /// What the client says of itself; everything but this and whether it is new speaks for it.
    pub claim: Claim,
    /// The peer's address, where the host knows it.
    pub peer: Option<IpAddr>,
    /// The service whose key opened the ticket, with its realm.
    pub service: String,
    /// The server's signature, which the KDC's is over.
    pub server_signature: Vec<u8>,
    /// The KDC's.
    pub kdc_signature: PacSignature,
}

/// A signature in a PAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacSignature {
    /// The checksum type (RFC 3961 §8): -138 for HMAC-MD5.
    pub checksum_type: i32,
    /// The checksum.
    pub checksum: Vec<u8>,
}

impl ConfirmPac {
    /// As [`VerifyNtlm::new`](crate::VerifyNtlm::new).
    pub fn new(
        claim: Claim,
        peer: Option<IpAddr>,
        service: String,
        server_signature: Vec<u8>,
        kdc_signature: PacSignature,
    ) -> Self {
        Self { id: Id::next(), claim, peer, service, server_signature, kdc_signature }
    }

    /// KERB_VERIFY_PAC_REQUEST (MS-APDS 2.2.2.1), which a domain controller answers by generic pass-through.
    pub fn verify_pac_request(&self) -> Vec<u8> {
        const MESSAGE_TYPE: u32 = 3;
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        [
            &MESSAGE_TYPE.to_le_bytes()[..],
            &len(&self.server_signature),
            &self.kdc_signature.checksum_type.to_le_bytes(),
            &len(&self.kdc_signature.checksum),
            &self.server_signature,
            &self.kdc_signature.checksum,
        ]
        .concat()
    }

    /// An answer that says: a KDC was asked, and made it.
    pub fn confirm(&self) -> Answer {
        Answer::yes(self.id, Yes::Pac { asked: true })
    }

    /// An answer that says: no KDC was asked. Whether that is enough is the credential's
    /// [`KdcSignature`](super::KdcSignature) to say.
    pub fn not_asked(&self) -> Answer {
        Answer::yes(self.id, Yes::Pac { asked: false })
    }

    /// An answer that says no: [`Cause::PacSignatureWrong`](super::Cause::PacSignatureWrong), or why nobody can say.
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
