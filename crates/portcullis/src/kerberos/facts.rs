use super::Service;
use super::crypto::Enctype;
use crate::Secret;
use portcullis_wire::kerberos::TicketFlags;
use std::time::SystemTime;

/// What a Kerberos ticket says, beside the account.
#[derive(Debug)]
pub struct TicketFacts {
    /// The client's principal, with its realm: `ann@EXAMPLE`. On the initiator's side its own.
    pub client: String,
    /// On the acceptor's side whose key opened the ticket. On the initiator's side the service that it means, with
    /// what the ticket says of its key; nothing of it is proved there but by MUTUAL_AUTH.
    pub service: Service,
    /// The session key's enctype.
    pub session_enctype: Enctype,
    /// The ticket's flags.
    pub flags: TicketFlags,
    /// When the client proved itself to its KDC.
    pub auth_time: SystemTime,
    /// When the ticket ends.
    pub end_time: SystemTime,
    /// Until when it can be renewed, where it can.
    pub renew_till: Option<SystemTime>,
    /// The PAC, verified; `None` where the ticket has none, or it was not looked at.
    pub pac: Option<PacFacts>,
    /// The credentials that the client forwarded.
    pub delegated: Option<Delegated>,
    /// Whether the client says that its target's name is unverified (KERB_AP_OPTIONS 0x8000).
    pub target_unverified: bool,
}

impl TicketFacts {
    /// The same without PAC and forwarded credentials.
    pub(crate) fn without_secrets(&self) -> Self {
        Self {
            client: self.client.clone(),
            service: self.service.clone(),
            session_enctype: self.session_enctype,
            flags: self.flags,
            auth_time: self.auth_time,
            end_time: self.end_time,
            renew_till: self.renew_till,
            pac: None,
            delegated: None,
            target_unverified: self.target_unverified,
        }
    }
}

/// A verified PAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacFacts {
    /// All of it, as it stands in the ticket (MS-PAC 2.3).
    pub raw: Vec<u8>,
    /// `LOGON_*` of the logon (MS-PAC 2.5, UserFlags).
    pub user_flags: u32,
    /// The domain controller that judged the logon, by its NetBIOS name; empty when it does not say.
    pub logon_server: String,
    /// The services through which the client came by constrained delegation, in order (MS-PAC 2.9).
    pub transited_services: Vec<String>,
}

/// A ticket-granting ticket that the client forwarded: with it the server can act as the client elsewhere.
#[derive(Debug)]
pub struct Delegated {
    /// Whose it is: the client's that logged on, compared.
    pub client: String,
    /// The ticket and its key as a credential cache (FILE, version 4), to be written where programs look for one.
    pub ccache: Secret<Vec<u8>>,
}
