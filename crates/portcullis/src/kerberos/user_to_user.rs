use super::initiate::NoCredentials;
use super::keys::is_ticket_granting;
use super::reply::Frame;
use super::{Cause, ServiceKey, ServiceKeys};
use crate::Failure;
use portcullis_wire::kerberos::{Ccache, InnerToken, TgtReply, TgtRequest, Ticket};
use std::sync::Arc;

/// A ticket-granting ticket of the server's own account, for user-to-user: clients get tickets under its session key,
/// and the account needs no service name and no long-term key here (RFC 4120 §3.7).
#[derive(Debug)]
pub struct TicketGranting {
    ticket: Vec<u8>,
    keys: ServiceKeys,
}

impl TicketGranting {
    /// The ticket-granting ticket in a credential cache (FILE, version 3 or 4), as `kinit` makes it.
    ///
    /// # Errors
    /// When it is no such cache, or holds no usable ticket-granting ticket.
    pub fn from_ccache(bytes: &[u8]) -> Result<Self, NoCredentials> {
        let cache = Ccache::decode(bytes).map_err(NoCredentials::Unreadable)?;
        for credential in cache.credentials() {
            let credential = credential.map_err(NoCredentials::Unreadable)?;
            if !is_ticket_granting(credential.server.components().next()) {
                continue;
            }
            let ticket = Ticket::decode(credential.ticket).map_err(NoCredentials::Unreadable)?;
            if let Some(key) = ServiceKey::of_session(&credential.client, &credential.key) {
                return Ok(Self { ticket: ticket.raw.to_vec(), keys: ServiceKeys::new([Arc::new(key)]) });
            }
        }
        Err(NoCredentials::NoTicketGranting)
    }

    pub(super) fn keys(&self) -> &ServiceKeys {
        &self.keys
    }

    /// What the reply to a client that asks takes at most, in bytes.
    pub(super) fn reply_len(&self) -> usize {
        self.ticket.len() + 64
    }

    /// The reply to a client that asks for the ticket.
    pub(super) fn answer(&self, request: &[u8], frame: Frame) -> Result<Vec<u8>, Failure> {
        TgtRequest::decode(request).map_err(Cause::Malformed)?;
        let ticket = Ticket::decode(&self.ticket).map_err(Cause::Malformed)?;
        let mut message = Vec::with_capacity(self.ticket.len() + 32);
        TgtReply { ticket }.encode(&mut message);
        Ok(frame.around(InnerToken::TgtRep, &message))
    }
}
