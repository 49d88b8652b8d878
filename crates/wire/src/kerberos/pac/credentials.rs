use crate::{Error, Reader};

/// A PAC_CREDENTIAL_INFO (MS-PAC 2.6.1): keys of the account, sealed for the client; after a logon with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// Zero.
    pub version: u32,
    /// The encryption type of Kerberos under which the rest is sealed.
    pub encryption_type: u32,
    /// What is sealed.
    pub sealed: &'a [u8],
}

impl<'a> Credentials<'a> {
    /// Reads the buffer.
    ///
    /// # Errors
    /// [`Kind::Truncated`](crate::Kind).
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let (version, encryption_type) = (reader.u32("Version")?, reader.u32("EncryptionType")?);
        Ok(Self { version, encryption_type, sealed: reader.rest() })
    }
}
