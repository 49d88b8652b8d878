use super::{EncryptedData, Ticket, alone, application, front, write_application, write_front};
use crate::Error;
use crate::der::{SequenceOf, tag};

/// The tickets of a KRB-CRED: sixteen at most.
pub type Tickets<'a> = SequenceOf<'a, Ticket<'a>>;

/// KRB-CRED (RFC 4120 §5.8.1): tickets that one side gives the other, with their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KrbCred<'a> {
    /// The tickets; [`Tickets::of`] encodes a list of them.
    pub tickets: Tickets<'a>,
    /// An [`EncKrbCredPart`](super::EncKrbCredPart) with a KrbCredInfo for each ticket. Under encryption type 0 it is
    /// not encrypted.
    pub enc_part: EncryptedData<'a>,
}

impl<'a> KrbCred<'a> {
    const MSG_TYPE: i32 = 22;

    /// Decodes the message.
    ///
    /// # Errors
    /// With the offset and the field: not DER, another version or message type, a field missing or out of order, more
    /// than sixteen tickets, bytes behind the message.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "KRB-CRED", |der| {
            application(der, 22, "KRB-CRED", |der| {
                front(der, Self::MSG_TYPE)?;
                Ok(Self {
                    tickets: der.explicit(2, "tickets", Tickets::read)?,
                    enc_part: der.explicit(3, "enc-part", |der| EncryptedData::read(der, "enc-part"))?,
                })
            })
        })
    }

    /// Appends the message; the tickets as they were received.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fields = write_front(Self::MSG_TYPE)
            .with_nested(tag::context(2), |out| self.tickets.encode(out))
            .with_nested(tag::context(3), |out| self.enc_part.encode(out));
        write_application(22, fields, out);
    }
}
