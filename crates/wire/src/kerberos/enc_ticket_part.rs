use super::encrypted_data::{typed, write_typed};
use super::{
    AuthorizationData, EncryptionKey, HostAddresses, KerberosTime, PrincipalName, PrincipalText, TicketFlags, alone,
    realm, sequence, write_application,
};
use crate::Error;
use crate::der::{Constructed, Der, bits32, tag};
use core::fmt;

/// EncTicketPart (RFC 4120 §5.3): what the issuer says of the client, under the service's key.
#[derive(Clone, Copy)]
pub struct EncTicketPart<'a> {
    /// All its bytes as received: what a PAC's ticket signature is made over, its own place apart.
    /// [`encode`](Self::encode) does not look at them.
    pub raw: &'a [u8],
    /// What kind of ticket it is.
    pub flags: TicketFlags,
    /// The session key.
    pub key: EncryptionKey<'a>,
    /// The client's realm.
    pub crealm: &'a [u8],
    /// The client.
    pub cname: PrincipalName<'a>,
    /// The realms in between.
    pub transited: Transited<'a>,
    /// When the client first proved itself.
    pub authtime: KerberosTime,
    /// From when it is valid; `None`: from authtime.
    pub starttime: Option<KerberosTime>,
    /// Until when it is valid.
    pub endtime: KerberosTime,
    /// Until when it may be renewed.
    pub renew_till: Option<KerberosTime>,
    /// The addresses that may use it; `None`: any.
    pub caddr: Option<HostAddresses<'a>>,
    /// What else the issuer says: the PAC stands here.
    pub authorization_data: Option<AuthorizationData<'a>>,
}

/// TransitedEncoding (RFC 4120 §5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transited<'a> {
    /// How `contents` is written; 1 is DOMAIN-X500-COMPRESS.
    pub tr_type: i32,
    /// The realms; empty where there were none in between.
    pub contents: &'a [u8],
}

impl<'a> EncTicketPart<'a> {
    /// Decodes the part, as it was decrypted.
    ///
    /// # Errors
    /// With the offset and the field: not DER, a field missing or out of order, bytes behind the part.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "EncTicketPart", |der| {
            let (raw, mut outer) = der.whole(tag::application(3), "EncTicketPart")?;
            let part = sequence(&mut outer, "EncTicketPart", |der| Self::fields(raw, der))?;
            outer.finish("EncTicketPart").map(|()| part)
        })
    }

    fn fields(raw: &'a [u8], der: &mut Der<'a>) -> Result<Self, Error> {
        Ok(Self {
            raw,
            flags: der.explicit(0, "flags", |der| der.bits32("flags").map(TicketFlags))?,
            key: der.explicit(1, "key", |der| EncryptionKey::read(der, "key"))?,
            crealm: der.explicit(2, "crealm", |der| realm(der, "crealm"))?,
            cname: der.explicit(3, "cname", |der| PrincipalName::read(der, "cname"))?,
            transited: der.explicit(4, "transited", Transited::read)?,
            authtime: der.explicit(5, "authtime", |der| KerberosTime::read(der, "authtime"))?,
            starttime: der.optional_explicit(6, "starttime", |der| KerberosTime::read(der, "starttime"))?,
            endtime: der.explicit(7, "endtime", |der| KerberosTime::read(der, "endtime"))?,
            renew_till: der.optional_explicit(8, "renew-till", |der| KerberosTime::read(der, "renew-till"))?,
            caddr: der.optional_explicit(9, "caddr", HostAddresses::read)?,
            authorization_data: der.optional_explicit(10, "authorization-data", AuthorizationData::read)?,
        })
    }

    /// Appends the part, made of its fields.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fields = Constructed::new()
            .with_nested(tag::context(0), |out| bits32(self.flags.0, out))
            .with_nested(tag::context(1), |out| self.key.encode(out))
            .with_optional(tag::context(2), tag::GENERAL_STRING, Some(self.crealm))
            .with_nested(tag::context(3), |out| self.cname.encode(out))
            .with_nested(tag::context(4), |out| write_typed(self.transited.tr_type, self.transited.contents, out))
            .with_nested(tag::context(5), |out| self.authtime.encode(out))
            .with_optional_nested(tag::context(6), self.starttime, |time, out| time.encode(out))
            .with_nested(tag::context(7), |out| self.endtime.encode(out))
            .with_optional_nested(tag::context(8), self.renew_till, |time, out| time.encode(out))
            .with_optional_nested(tag::context(9), self.caddr, |addresses, out| addresses.encode(out))
            .with_optional_nested(tag::context(10), self.authorization_data, |data, out| data.encode(out));
        write_application(3, fields, out);
    }
}

impl fmt::Debug for EncTicketPart<'_> {
    /// Without the bytes as received, in which the key stands.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncTicketPart")
            .field("flags", &self.flags)
            .field("key", &self.key)
            .field("client", &PrincipalText { name: self.cname, realm: self.crealm }.to_string())
            .field("transited", &self.transited)
            .field("authtime", &self.authtime)
            .field("starttime", &self.starttime)
            .field("endtime", &self.endtime)
            .field("renew_till", &self.renew_till)
            .field("caddr", &self.caddr)
            .field("authorization_data", &self.authorization_data)
            .finish()
    }
}

impl<'a> Transited<'a> {
    fn read(der: &mut Der<'a>) -> Result<Self, Error> {
        let (tr_type, contents) = typed(der, "transited", "tr-type", "contents")?;
        Ok(Self { tr_type, contents })
    }
}
