use super::{PrincipalName, Ticket, alone, front, realm, sequence, write_front};
use crate::Error;
use crate::der::{Element, tag};

/// KERB-TGT-REQUEST (MS-KILE 2.2.9 and draft-swift-win2k-krb-user2user): the client asks for the service's
/// ticket-granting ticket, for user-to-user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TgtRequest<'a> {
    /// The service that is meant.
    pub server_name: Option<PrincipalName<'a>>,
    /// Its realm.
    pub realm: Option<&'a [u8]>,
}

/// KERB-TGT-REPLY: the ticket-granting ticket of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TgtReply<'a> {
    /// The ticket. Its session key is not part of it.
    pub ticket: Ticket<'a>,
}

impl<'a> TgtRequest<'a> {
    const MSG_TYPE: i32 = 16;

    /// Decodes the message.
    ///
    /// # Errors
    /// With the offset and the field: not DER, another version or message type, a field out of order, bytes behind the
    /// message.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "KERB-TGT-REQUEST", |der| {
            sequence(der, "KERB-TGT-REQUEST", |der| {
                front(der, Self::MSG_TYPE)?;
                Ok(Self {
                    server_name: der
                        .optional_explicit(2, "server-name", |der| PrincipalName::read(der, "server-name"))?,
                    realm: der.optional_explicit(3, "realm", |der| realm(der, "realm"))?,
                })
            })
        })
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write_front(Self::MSG_TYPE)
            .with_optional_nested(tag::context(2), self.server_name, |name, out| name.encode(out))
            .with_optional(tag::context(3), tag::GENERAL_STRING, self.realm)
            .end(tag::SEQUENCE, out);
    }
}

impl<'a> TgtReply<'a> {
    const MSG_TYPE: i32 = 17;

    /// Decodes the message.
    ///
    /// # Errors
    /// With the offset and the field: not DER, another version or message type, no ticket, bytes behind the message.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "KERB-TGT-REPLY", |der| {
            sequence(der, "KERB-TGT-REPLY", |der| {
                front(der, Self::MSG_TYPE)?;
                Ok(Self { ticket: der.explicit(2, "ticket", Ticket::read)? })
            })
        })
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write_front(Self::MSG_TYPE).with_nested(tag::context(2), |out| self.ticket.encode(out)).end(tag::SEQUENCE, out);
    }
}
