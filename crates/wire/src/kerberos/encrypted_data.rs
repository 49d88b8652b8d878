use super::{alone, sequence};
use crate::Error;
use crate::der::{Constructed, Der, tag};
use core::fmt;

/// EncryptedData (RFC 4120 §5.2.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncryptedData<'a> {
    /// The encryption type: [`etype`](super::etype) has those with names.
    pub etype: i32,
    /// The version of the long-term key that it is encrypted under; `None` under a session key, or where the sender
    /// left it out. A negative number is read as its two's complement.
    pub kvno: Option<u32>,
    /// The ciphertext.
    pub cipher: &'a [u8],
}

/// EncryptionKey (RFC 4120 §5.2.9). `Debug` tells its length only.
#[derive(Clone, Copy)]
pub struct EncryptionKey<'a> {
    /// The encryption type that the key is for.
    pub etype: i32,
    /// The key. The length is not checked here.
    pub value: &'a [u8],
}

/// Checksum (RFC 4120 §5.2.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum<'a> {
    /// The kind of checksum; 0x8003 is that of a GSS context ([`GssChecksum`](super::GssChecksum)).
    pub cksumtype: i32,
    /// The checksum.
    pub checksum: &'a [u8],
}

impl<'a> EncryptedData<'a> {
    /// Decodes one that stands alone.
    ///
    /// # Errors
    /// With the offset and the field: not DER, a field missing or out of order, bytes behind it.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "EncryptedData", |der| Self::read(der, "EncryptedData"))
    }

    pub(super) fn read(der: &mut Der<'a>, field: &'static str) -> Result<Self, Error> {
        sequence(der, field, |der| {
            Ok(Self {
                etype: der.explicit(0, "etype", |der| der.int32("etype"))?,
                kvno: der.optional_explicit(1, "kvno", |der| der.uint32("kvno"))?,
                cipher: der.explicit(2, "cipher", |der| der.bytes(tag::OCTET_STRING, "cipher"))?,
            })
        })
    }

    /// Appends it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        Constructed::new()
            .with_integer(tag::context(0), self.etype.into())
            .with_optional_integer(tag::context(1), self.kvno.map(i64::from))
            .with_optional(tag::context(2), tag::OCTET_STRING, Some(self.cipher))
            .end(tag::SEQUENCE, out);
    }
}

impl<'a> EncryptionKey<'a> {
    /// Decodes one that stands alone.
    ///
    /// # Errors
    /// With the offset and the field: not DER, a field missing or out of order, bytes behind it.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "EncryptionKey", |der| Self::read(der, "EncryptionKey"))
    }

    pub(super) fn read(der: &mut Der<'a>, field: &'static str) -> Result<Self, Error> {
        let (etype, value) = typed(der, field, "keytype", "keyvalue")?;
        Ok(Self { etype, value })
    }

    /// Appends it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write_typed(self.etype, self.value, out);
    }
}

impl fmt::Debug for EncryptionKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey {{ etype: {}, value: [{} bytes] }}", self.etype, self.value.len())
    }
}

impl<'a> Checksum<'a> {
    /// Decodes one that stands alone.
    ///
    /// # Errors
    /// With the offset and the field: not DER, a field missing or out of order, bytes behind it.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        alone(bytes, "Checksum", |der| Self::read(der, "Checksum"))
    }

    pub(super) fn read(der: &mut Der<'a>, field: &'static str) -> Result<Self, Error> {
        let (cksumtype, checksum) = typed(der, field, "cksumtype", "checksum")?;
        Ok(Self { cksumtype, checksum })
    }

    /// Appends it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write_typed(self.cksumtype, self.checksum, out);
    }
}

/// A number in `[0]` and an OCTET STRING in `[1]`: the shape of half of Kerberos' types.
pub(super) fn typed<'a>(
    der: &mut Der<'a>,
    field: &'static str,
    kind: &'static str,
    value: &'static str,
) -> Result<(i32, &'a [u8]), Error> {
    sequence(der, field, |der| {
        let number = der.explicit(0, kind, |der| der.int32(kind))?;
        let bytes = der.explicit(1, value, |der| der.bytes(tag::OCTET_STRING, value))?;
        Ok((number, bytes))
    })
}

/// Appends what [`typed`] reads.
pub(super) fn write_typed(kind: i32, value: &[u8], out: &mut Vec<u8>) {
    Constructed::new()
        .with_integer(tag::context(0), kind.into())
        .with_optional(tag::context(1), tag::OCTET_STRING, Some(value))
        .end(tag::SEQUENCE, out);
}
