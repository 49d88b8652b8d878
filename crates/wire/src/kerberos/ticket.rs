use super::{EncryptedData, PrincipalName, VERSION, alone, realm, sequence, version, write_application};
use crate::Error;
use crate::der::{Constructed, Der, Element, tag};

/// Ticket (RFC 4120 §5.3). What stands outside its encrypted part is anyone's claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket<'a> {
    /// All its bytes as received. [`encode`](Self::encode) does not look at them.
    pub raw: &'a [u8],
    /// The realm that issued it.
    pub realm: &'a [u8],
    /// The service that it is for.
    pub sname: PrincipalName<'a>,
    /// An [`EncTicketPart`](super::EncTicketPart) under the service's key.
    pub enc_part: EncryptedData<'a>,
}

impl<'a> Ticket<'a> {
    /// Decodes a ticket that stands alone.
    ///
    /// # Errors
    /// With the offset and the field: not DER, another tkt-vno than 5, a field missing or out of order, bytes behind
    /// the ticket.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "Ticket", Self::read)
    }

    /// Appends the ticket, made of its fields.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fields = Constructed::new()
            .with_integer(tag::context(0), VERSION.into())
            .with_optional(tag::context(1), tag::GENERAL_STRING, Some(self.realm))
            .with_nested(tag::context(2), |out| self.sname.encode(out))
            .with_nested(tag::context(3), |out| self.enc_part.encode(out));
        write_application(1, fields, out);
    }
}

impl<'a> Element<'a> for Ticket<'a> {
    const LIST: &'static str = "tickets";
    const MOST: usize = 16;

    fn read(der: &mut Der<'a>) -> Result<Self, Error> {
        let (raw, mut outer) = der.whole(tag::application(1), "Ticket")?;
        let ticket = sequence(&mut outer, "Ticket", |der| {
            version(der, 0, "tkt-vno")?;
            Ok(Self {
                raw,
                realm: der.explicit(1, "realm", |der| realm(der, "realm"))?,
                sname: der.explicit(2, "sname", |der| PrincipalName::read(der, "sname"))?,
                enc_part: der.explicit(3, "enc-part", |der| EncryptedData::read(der, "enc-part"))?,
            })
        })?;
        outer.finish("Ticket").map(|()| ticket)
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.encode(out);
    }
}
