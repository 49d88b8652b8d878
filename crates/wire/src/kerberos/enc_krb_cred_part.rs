use super::{
    EncryptionKey, HostAddress, HostAddresses, KerberosTime, PrincipalName, TicketFlags, alone, application,
    microseconds, realm, sequence, write_application,
};
use crate::Error;
use crate::der::{Constructed, Der, Element, SequenceOf, bits32, tag};

/// EncKrbCredPart (RFC 4120 §5.8.1): the keys of the tickets beside which it stands.
#[derive(Debug, Clone, Copy)]
pub struct EncKrbCredPart<'a> {
    /// One for each ticket, in the same order; [`SequenceOf::of`] encodes a list of them.
    pub ticket_info: SequenceOf<'a, KrbCredInfo<'a>>,
    /// A number against repetition.
    pub nonce: Option<u32>,
    /// When it was made.
    pub timestamp: Option<KerberosTime>,
    /// The microseconds of that.
    pub usec: Option<u32>,
    /// The sender's address.
    pub s_address: Option<HostAddress<'a>>,
    /// The receiver's address.
    pub r_address: Option<HostAddress<'a>>,
}

/// KrbCredInfo (RFC 4120 §5.8.1): the key of one ticket, and what its issuer said of it. The claims are the sender's.
#[derive(Debug, Clone, Copy)]
pub struct KrbCredInfo<'a> {
    /// The session key.
    pub key: EncryptionKey<'a>,
    /// The client's realm.
    pub prealm: Option<&'a [u8]>,
    /// The client.
    pub pname: Option<PrincipalName<'a>>,
    /// The ticket's flags.
    pub flags: Option<TicketFlags>,
    /// When the client first proved itself.
    pub authtime: Option<KerberosTime>,
    /// From when it is valid.
    pub starttime: Option<KerberosTime>,
    /// Until when it is valid.
    pub endtime: Option<KerberosTime>,
    /// Until when it may be renewed.
    pub renew_till: Option<KerberosTime>,
    /// The service's realm.
    pub srealm: Option<&'a [u8]>,
    /// The service.
    pub sname: Option<PrincipalName<'a>>,
    /// The addresses that may use it.
    pub caddr: Option<HostAddresses<'a>>,
}

impl<'a> EncKrbCredPart<'a> {
    /// Decodes the part, as it was decrypted.
    ///
    /// # Errors
    /// With the offset and the field: not DER, a field missing or out of order, more than sixteen keys, bytes behind
    /// the part.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "EncKrbCredPart", |der| application(der, 29, "EncKrbCredPart", Self::fields))
    }

    fn fields(der: &mut Der<'a>) -> Result<Self, Error> {
        Ok(Self {
            ticket_info: der.explicit(0, "ticket-info", SequenceOf::read)?,
            nonce: der.optional_explicit(1, "nonce", |der| der.uint32("nonce"))?,
            timestamp: der.optional_explicit(2, "timestamp", |der| KerberosTime::read(der, "timestamp"))?,
            usec: der.optional_explicit(3, "usec", |der| microseconds(der, "usec"))?,
            s_address: der.optional_explicit(4, "s-address", |der| HostAddress::read_as(der, "s-address"))?,
            r_address: der.optional_explicit(5, "r-address", |der| HostAddress::read_as(der, "r-address"))?,
        })
    }

    /// Appends the part; ticket-info as it was received.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fields = Constructed::new()
            .with_nested(tag::context(0), |out| self.ticket_info.encode(out))
            .with_optional_integer(tag::context(1), self.nonce.map(i64::from))
            .with_optional_nested(tag::context(2), self.timestamp, |time, out| time.encode(out))
            .with_optional_integer(tag::context(3), self.usec.map(i64::from))
            .with_optional_nested(tag::context(4), self.s_address, |address, out| address.encode(out))
            .with_optional_nested(tag::context(5), self.r_address, |address, out| address.encode(out));
        write_application(29, fields, out);
    }
}

impl<'a> Element<'a> for KrbCredInfo<'a> {
    const LIST: &'static str = "ticket-info";
    const MOST: usize = 16;

    fn read(der: &mut Der<'a>) -> Result<Self, Error> {
        sequence(der, "KrbCredInfo", |der| {
            Ok(Self {
                key: der.explicit(0, "key", |der| EncryptionKey::read(der, "key"))?,
                prealm: der.optional_explicit(1, "prealm", |der| realm(der, "prealm"))?,
                pname: der.optional_explicit(2, "pname", |der| PrincipalName::read(der, "pname"))?,
                flags: der.optional_explicit(3, "flags", |der| der.bits32("flags").map(TicketFlags))?,
                authtime: der.optional_explicit(4, "authtime", |der| KerberosTime::read(der, "authtime"))?,
                starttime: der.optional_explicit(5, "starttime", |der| KerberosTime::read(der, "starttime"))?,
                endtime: der.optional_explicit(6, "endtime", |der| KerberosTime::read(der, "endtime"))?,
                renew_till: der.optional_explicit(7, "renew-till", |der| KerberosTime::read(der, "renew-till"))?,
                srealm: der.optional_explicit(8, "srealm", |der| realm(der, "srealm"))?,
                sname: der.optional_explicit(9, "sname", |der| PrincipalName::read(der, "sname"))?,
                caddr: der.optional_explicit(10, "caddr", HostAddresses::read)?,
            })
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        Constructed::new()
            .with_nested(tag::context(0), |out| self.key.encode(out))
            .with_optional(tag::context(1), tag::GENERAL_STRING, self.prealm)
            .with_optional_nested(tag::context(2), self.pname, |name, out| name.encode(out))
            .with_optional_nested(tag::context(3), self.flags, |flags, out| bits32(flags.0, out))
            .with_optional_nested(tag::context(4), self.authtime, |time, out| time.encode(out))
            .with_optional_nested(tag::context(5), self.starttime, |time, out| time.encode(out))
            .with_optional_nested(tag::context(6), self.endtime, |time, out| time.encode(out))
            .with_optional_nested(tag::context(7), self.renew_till, |time, out| time.encode(out))
            .with_optional(tag::context(8), tag::GENERAL_STRING, self.srealm)
            .with_optional_nested(tag::context(9), self.sname, |name, out| name.encode(out))
            .with_optional_nested(tag::context(10), self.caddr, |addresses, out| addresses.encode(out))
            .end(tag::SEQUENCE, out);
    }
}
