use super::{EncryptedData, Ticket, alone, application, front, write_application, write_front};
use crate::Error;
use crate::der::{Element, bits32, tag};

/// AP-REQ (RFC 4120 §5.5.1): a client's ticket, and the proof that it holds the session key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApReq<'a> {
    /// ap-options: bit 0 of the document is the most significant. Bits without a name are kept.
    pub options: u32,
    /// The ticket for the service.
    pub ticket: Ticket<'a>,
    /// An [`Authenticator`](super::Authenticator) under the session key.
    pub authenticator: EncryptedData<'a>,
}

impl<'a> ApReq<'a> {
    /// The ticket is under the session key of the service's ticket-granting ticket: user-to-user.
    pub const USE_SESSION_KEY: u32 = 0x4000_0000;
    /// The client wants an AP-REP.
    pub const MUTUAL_REQUIRED: u32 = 0x2000_0000;

    const MSG_TYPE: i32 = 14;

    /// Decodes the message.
    ///
    /// # Errors
    /// With the offset and the field: not DER, another version or message type, a field missing or out of order, bytes
    /// behind the message.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "AP-REQ", |der| {
            application(der, 14, "AP-REQ", |der| {
                front(der, Self::MSG_TYPE)?;
                Ok(Self {
                    options: der.explicit(2, "ap-options", |der| der.bits32("ap-options"))?,
                    ticket: der.explicit(3, "ticket", Ticket::read)?,
                    authenticator: der.explicit(4, "authenticator", |der| EncryptedData::read(der, "authenticator"))?,
                })
            })
        })
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fields = write_front(Self::MSG_TYPE)
            .with_nested(tag::context(2), |out| bits32(self.options, out))
            .with_nested(tag::context(3), |out| self.ticket.encode(out))
            .with_nested(tag::context(4), |out| self.authenticator.encode(out));
        write_application(14, fields, out);
    }
}
