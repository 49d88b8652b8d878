use super::{
    AuthorizationData, Checksum, EncryptionKey, KerberosTime, PrincipalName, VERSION, alone, application, microseconds,
    realm, version, write_application,
};
use crate::Error;
use crate::der::{Constructed, Der, tag};

/// Authenticator (RFC 4120 §5.5.1): what the client says of itself and of this moment, under the session key.
#[derive(Debug, Clone, Copy)]
pub struct Authenticator<'a> {
    /// The client's realm; it must be the ticket's.
    pub crealm: &'a [u8],
    /// The client; it must be the ticket's.
    pub cname: PrincipalName<'a>,
    /// In a GSS context the [`GssChecksum`](super::GssChecksum).
    pub cksum: Option<Checksum<'a>>,
    /// The microseconds of the client's time.
    pub cusec: u32,
    /// The client's time.
    pub ctime: KerberosTime,
    /// A key that the client proposes in place of the session key.
    pub subkey: Option<EncryptionKey<'a>>,
    /// The number of the client's first message. A negative one is read as its two's complement.
    pub seq_number: Option<u32>,
    /// What else the client says.
    pub authorization_data: Option<AuthorizationData<'a>>,
}

impl<'a> Authenticator<'a> {
    /// Decodes the authenticator, as it was decrypted.
    ///
    /// # Errors
    /// With the offset and the field: not DER, another authenticator-vno than 5, microseconds of a million or more, a
    /// field missing or out of order, bytes behind the authenticator.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "Authenticator", |der| application(der, 2, "Authenticator", Self::fields))
    }

    fn fields(der: &mut Der<'a>) -> Result<Self, Error> {
        version(der, 0, "authenticator-vno")?;
        Ok(Self {
            crealm: der.explicit(1, "crealm", |der| realm(der, "crealm"))?,
            cname: der.explicit(2, "cname", |der| PrincipalName::read(der, "cname"))?,
            cksum: der.optional_explicit(3, "cksum", |der| Checksum::read(der, "cksum"))?,
            cusec: der.explicit(4, "cusec", |der| microseconds(der, "cusec"))?,
            ctime: der.explicit(5, "ctime", |der| KerberosTime::read(der, "ctime"))?,
            subkey: der.optional_explicit(6, "subkey", |der| EncryptionKey::read(der, "subkey"))?,
            seq_number: der.optional_explicit(7, "seq-number", |der| der.uint32("seq-number"))?,
            authorization_data: der.optional_explicit(8, "authorization-data", AuthorizationData::read)?,
        })
    }

    /// Appends the authenticator.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fields = Constructed::new()
            .with_integer(tag::context(0), VERSION.into())
            .with_optional(tag::context(1), tag::GENERAL_STRING, Some(self.crealm))
            .with_nested(tag::context(2), |out| self.cname.encode(out))
            .with_optional_nested(tag::context(3), self.cksum, |cksum, out| cksum.encode(out))
            .with_integer(tag::context(4), self.cusec.into())
            .with_nested(tag::context(5), |out| self.ctime.encode(out))
            .with_optional_nested(tag::context(6), self.subkey, |key, out| key.encode(out))
            .with_optional_integer(tag::context(7), self.seq_number.map(i64::from))
            .with_optional_nested(tag::context(8), self.authorization_data, |data, out| data.encode(out));
        write_application(2, fields, out);
    }
}
