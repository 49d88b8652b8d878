use super::{
    KerberosTime, PrincipalName, alone, application, front, microseconds, realm, sequence, write_application,
    write_front,
};
use crate::der::{Constructed, Der, tag};
use crate::{Error, Kind, Reader};

/// KRB-ERROR (RFC 4120 §5.9.1). No part of it is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KrbError<'a> {
    /// The time of the client's message.
    pub ctime: Option<KerberosTime>,
    /// Its microseconds.
    pub cusec: Option<u32>,
    /// The time at the sender.
    pub stime: KerberosTime,
    /// Its microseconds.
    pub susec: u32,
    /// What went wrong: [`error_code`](super::error_code) has the names.
    pub error_code: i32,
    /// The client's realm.
    pub crealm: Option<&'a [u8]>,
    /// The client.
    pub cname: Option<PrincipalName<'a>>,
    /// The service's realm.
    pub realm: &'a [u8],
    /// The service.
    pub sname: PrincipalName<'a>,
    /// Words for people.
    pub e_text: Option<&'a [u8]>,
    /// Data for programs, by the code: from Windows [`KerbErrorData`].
    pub e_data: Option<&'a [u8]>,
}

impl<'a> KrbError<'a> {
    const MSG_TYPE: i32 = 30;

    /// Decodes the message.
    ///
    /// # Errors
    /// With the offset and the field: not DER, another version or message type, microseconds of a million or more, a
    /// field missing or out of order, bytes behind the message.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "KRB-ERROR", |der| application(der, 30, "KRB-ERROR", Self::fields))
    }

    fn fields(der: &mut Der<'a>) -> Result<Self, Error> {
        front(der, Self::MSG_TYPE)?;
        Ok(Self {
            ctime: der.optional_explicit(2, "ctime", |der| KerberosTime::read(der, "ctime"))?,
            cusec: der.optional_explicit(3, "cusec", |der| microseconds(der, "cusec"))?,
            stime: der.explicit(4, "stime", |der| KerberosTime::read(der, "stime"))?,
            susec: der.explicit(5, "susec", |der| microseconds(der, "susec"))?,
            error_code: der.explicit(6, "error-code", |der| der.int32("error-code"))?,
            crealm: der.optional_explicit(7, "crealm", |der| realm(der, "crealm"))?,
            cname: der.optional_explicit(8, "cname", |der| PrincipalName::read(der, "cname"))?,
            realm: der.explicit(9, "realm", |der| realm(der, "realm"))?,
            sname: der.explicit(10, "sname", |der| PrincipalName::read(der, "sname"))?,
            e_text: der.optional_explicit(11, "e-text", |der| der.bytes(tag::GENERAL_STRING, "e-text"))?,
            e_data: der.optional_explicit(12, "e-data", |der| der.bytes(tag::OCTET_STRING, "e-data"))?,
        })
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let fields = write_front(Self::MSG_TYPE)
            .with_optional_nested(tag::context(2), self.ctime, |time, out| time.encode(out))
            .with_optional_integer(tag::context(3), self.cusec.map(i64::from))
            .with_nested(tag::context(4), |out| self.stime.encode(out))
            .with_integer(tag::context(5), self.susec.into())
            .with_integer(tag::context(6), self.error_code.into())
            .with_optional(tag::context(7), tag::GENERAL_STRING, self.crealm)
            .with_optional_nested(tag::context(8), self.cname, |name, out| name.encode(out))
            .with_optional(tag::context(9), tag::GENERAL_STRING, Some(self.realm))
            .with_nested(tag::context(10), |out| self.sname.encode(out))
            .with_optional(tag::context(11), tag::GENERAL_STRING, self.e_text)
            .with_optional(tag::context(12), tag::OCTET_STRING, self.e_data);
        write_application(30, fields, out);
    }
}

/// KERB-ERROR-DATA (MS-KILE 2.2.2): what Windows puts into e-data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KerbErrorData<'a> {
    /// [`SKEW_RECOVERY`](Self::SKEW_RECOVERY) or [`EXTENDED`](Self::EXTENDED).
    pub data_type: i32,
    /// The data of that type, where it has some.
    pub data_value: Option<&'a [u8]>,
}

impl<'a> KerbErrorData<'a> {
    /// KERB_AP_ERR_TYPE_SKEW_RECOVERY: the client may correct its clock and try again.
    pub const SKEW_RECOVERY: i32 = 2;
    /// KERB_ERR_TYPE_EXTENDED: the value is a [`KerbExtError`].
    pub const EXTENDED: i32 = 3;

    /// Decodes the data.
    ///
    /// # Errors
    /// With the offset and the field: not DER, no type, bytes behind the data.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "KERB-ERROR-DATA", |der| {
            sequence(der, "KERB-ERROR-DATA", |der| {
                let data_value = |der: &mut Der<'a>| der.bytes(tag::OCTET_STRING, "data-value");
                Ok(Self {
                    data_type: der.explicit(1, "data-type", |der| der.int32("data-type"))?,
                    data_value: der.optional_explicit(2, "data-value", data_value)?,
                })
            })
        })
    }

    /// Appends the data.
    pub fn encode(&self, out: &mut Vec<u8>) {
        Constructed::new()
            .with_integer(tag::context(1), self.data_type.into())
            .with_optional(tag::context(2), tag::OCTET_STRING, self.data_value)
            .end(tag::SEQUENCE, out);
    }
}

/// KERB_EXT_ERROR (MS-KILE 2.2.1): why Windows refused, in its own terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KerbExtError {
    /// An NTSTATUS.
    pub status: u32,
    /// Zero.
    pub reserved: u32,
    /// 1 from every Windows.
    pub flags: u32,
}

impl KerbExtError {
    /// Decodes the twelve bytes.
    ///
    /// # Errors
    /// [`Kind::Truncated`] for fewer, [`Kind::WrongLength`] for more.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let (status, reserved, flags) = (reader.u32("status")?, reader.u32("reserved")?, reader.u32("flags")?);
        match reader.rest() {
            [] => Ok(Self { status, reserved, flags }),
            _ => Err(Error::new(reader.offset(), "KERB_EXT_ERROR", Kind::WrongLength)),
        }
    }

    /// Appends the twelve bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for number in [self.status, self.reserved, self.flags] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
}
