use crate::der::{Der, Oid, tag};
use crate::{Error, Kind};

/// The extensions that are read here, and the names inside them.
pub mod oid {
    use crate::der::Oid;

    /// subjectKeyIdentifier, 2.5.29.14.
    pub const SUBJECT_KEY_IDENTIFIER: Oid<'static> = Oid(&[0x55, 0x1d, 0x0e]);
    /// subjectAltName, 2.5.29.17.
    pub const SUBJECT_ALT_NAME: Oid<'static> = Oid(&[0x55, 0x1d, 0x11]);
    /// basicConstraints, 2.5.29.19.
    pub const BASIC_CONSTRAINTS: Oid<'static> = Oid(&[0x55, 0x1d, 0x13]);
    /// extKeyUsage, 2.5.29.37.
    pub const EXT_KEY_USAGE: Oid<'static> = Oid(&[0x55, 0x1d, 0x25]);
    /// szOID_NTDS_CA_SECURITY_EXT, 1.3.6.1.4.1.311.25.2.
    pub const NTDS_CA_SECURITY: Oid<'static> = Oid(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x19, 0x02]);
    /// szOID_NTDS_OBJECTSID, 1.3.6.1.4.1.311.25.2.1: the SID inside it.
    pub const NTDS_OBJECT_SID: Oid<'static> = Oid(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x19, 0x02, 0x01]);
    /// szOID_NT_PRINCIPAL_NAME, 1.3.6.1.4.1.311.20.2.3: a user principal name.
    pub const USER_PRINCIPAL_NAME: Oid<'static> = Oid(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02, 0x03]);
}

/// One extension (RFC 5280 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Which.
    pub oid: Oid<'a>,
    /// Whether who does not know it must refuse the certificate.
    pub critical: bool,
    /// What it says, in DER.
    pub value: &'a [u8],
    /// Where `value` begins in the certificate.
    pub offset: usize,
}

impl<'a> Extension<'a> {
    pub(super) fn der(&self) -> Der<'a> {
        Der::within(self.value, self.offset)
    }
}

/// The extensions of a certificate; no two have one OID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extensions<'a> {
    bytes: &'a [u8],
    offset: usize,
}

/// The most extensions of a certificate.
const MAX_EXTENSIONS: usize = 64;

impl<'a> Extensions<'a> {
    pub(super) fn read(body: &mut Der<'a>, version: u8) -> Result<Self, Error> {
        let at = body.offset();
        let Some(mut explicit) = body.optional(tag::context(3), "extensions")? else {
            return Ok(Self { bytes: &[], offset: at });
        };
        if version < 3 {
            return Err(Error::new(at, "extensions", Kind::Unexpected));
        }
        let list = explicit.take(tag::SEQUENCE, "extensions")?;
        explicit.finish("extensions")?;
        let (mut cursor, mut seen) = (list.clone(), Vec::new());
        while cursor.peek().is_some() {
            let at = cursor.offset();
            let extension = read_one(&mut cursor)?;
            // Which of two would count depends on the reader (RFC 5280 §4.2 forbids it).
            if seen.contains(&extension.oid) {
                return Err(Error::new(at, "extnID", Kind::Unexpected));
            }
            if seen.len() == MAX_EXTENSIONS {
                return Err(Error::new(at, "extensions", Kind::TooLarge));
            }
            seen.push(extension.oid);
        }
        Ok(Self { bytes: list.rest(), offset: list.offset() })
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Extension<'a>;

    fn next(&mut self) -> Option<Extension<'a>> {
        let mut der = Der::within(self.bytes, self.offset);
        // All were read once when the certificate was.
        let extension = read_one(&mut der).ok()?;
        (self.bytes, self.offset) = (der.rest(), der.offset());
        Some(extension)
    }
}

fn read_one<'a>(der: &mut Der<'a>) -> Result<Extension<'a>, Error> {
    let mut fields = der.take(tag::SEQUENCE, "Extension")?;
    let oid = fields.oid("extnID")?;
    // The default stands there in some certificates, which is not DER and misleads nobody.
    let critical = fields.optional_boolean("critical")?.unwrap_or(false);
    let value = fields.take(tag::OCTET_STRING, "extnValue")?;
    fields.finish("Extension").map(|()| Extension { oid, critical, value: value.rest(), offset: value.offset() })
}
