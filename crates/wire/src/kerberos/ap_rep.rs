use super::{
    EncryptedData, EncryptionKey, KerberosTime, alone, application, front, microseconds, write_application, write_front,
};
use crate::Error;
use crate::der::{Constructed, tag};

/// AP-REP (RFC 4120 §5.5.2): the service's proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApRep<'a> {
    /// An [`EncApRepPart`] under the session key.
    pub enc_part: EncryptedData<'a>,
}

/// EncAPRepPart (RFC 4120 §5.5.2). In the third message of DCE style it comes from the client.
#[derive(Debug, Clone, Copy)]
pub struct EncApRepPart<'a> {
    /// The time of the authenticator that is answered.
    pub ctime: KerberosTime,
    /// Its microseconds.
    pub cusec: u32,
    /// A key that the service chose in place of the session key.
    pub subkey: Option<EncryptionKey<'a>>,
    /// The number of the sender's first message. A negative one is read as its two's complement.
    pub seq_number: Option<u32>,
}

impl<'a> ApRep<'a> {
    const MSG_TYPE: i32 = 15;

    /// Decodes the message.
    ///
    /// # Errors
    /// With the offset and the field: not DER, another version or message type, a field missing or out of order, bytes
    /// behind the message.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "AP-REP", |der| {
            application(der, 15, "AP-REP", |der| {
                front(der, Self::MSG_TYPE)?;
                let enc_part = der.explicit(2, "enc-part", |der| EncryptedData::read(der, "enc-part"))?;
                Ok(Self { enc_part })
            })
        })
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fields = write_front(Self::MSG_TYPE).with_nested(tag::context(2), |out| self.enc_part.encode(out));
        write_application(15, fields, out);
    }
}

impl<'a> EncApRepPart<'a> {
    /// Decodes the part, as it was decrypted.
    ///
    /// # Errors
    /// With the offset and the field: not DER, microseconds of a million or more, a field missing or out of order,
    /// bytes behind the part.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "EncAPRepPart", |der| {
            application(der, 27, "EncAPRepPart", |der| {
                Ok(Self {
                    ctime: der.explicit(0, "ctime", |der| KerberosTime::read(der, "ctime"))?,
                    cusec: der.explicit(1, "cusec", |der| microseconds(der, "cusec"))?,
                    subkey: der.optional_explicit(2, "subkey", |der| EncryptionKey::read(der, "subkey"))?,
                    seq_number: der.optional_explicit(3, "seq-number", |der| der.uint32("seq-number"))?,
                })
            })
        })
    }

    /// Appends the part.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fields = Constructed::new()
            .with_nested(tag::context(0), |out| self.ctime.encode(out))
            .with_integer(tag::context(1), self.cusec.into())
            .with_optional_nested(tag::context(2), self.subkey, |key, out| key.encode(out))
            .with_optional_integer(tag::context(3), self.seq_number.map(i64::from));
        write_application(27, fields, out);
    }
}
