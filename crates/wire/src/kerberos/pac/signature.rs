use crate::{Error, Reader};

/// A checksum type of Kerberos, as far as signatures of a PAC use them (RFC 3961 §8, RFC 8009 §8, MS-PAC 2.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChecksumType(pub i32);

impl ChecksumType {
    /// KERB_CHECKSUM_HMAC_MD5, 0xFFFFFF76: with RC4 keys, and with DES keys (RFC 4757).
    pub const HMAC_MD5: Self = Self(-138);
    /// hmac-sha1-96-aes128 (RFC 3962).
    pub const HMAC_SHA1_96_AES128: Self = Self(15);
    /// hmac-sha1-96-aes256 (RFC 3962).
    pub const HMAC_SHA1_96_AES256: Self = Self(16);
    /// cmac-camellia128 (RFC 6803).
    pub const CMAC_CAMELLIA128: Self = Self(17);
    /// cmac-camellia256 (RFC 6803).
    pub const CMAC_CAMELLIA256: Self = Self(18);
    /// hmac-sha256-128-aes128 (RFC 8009).
    pub const HMAC_SHA256_128_AES128: Self = Self(19);
    /// hmac-sha384-192-aes256 (RFC 8009).
    pub const HMAC_SHA384_192_AES256: Self = Self(20);

    /// Length of such a checksum in bytes; `None` for an unknown type.
    pub const fn signature_len(self) -> Option<usize> {
        match self {
            Self::HMAC_SHA1_96_AES128 | Self::HMAC_SHA1_96_AES256 => Some(12),
            Self::HMAC_MD5 | Self::CMAC_CAMELLIA128 | Self::CMAC_CAMELLIA256 | Self::HMAC_SHA256_128_AES128 => Some(16),
            Self::HMAC_SHA384_192_AES256 => Some(24),
            _ => None,
        }
    }
}

/// A PAC_SIGNATURE_DATA (MS-PAC 2.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature<'a> {
    /// How it was made.
    pub checksum_type: ChecksumType,
    /// The checksum.
    pub signature: &'a [u8],
    /// The identifier of a read-only domain controller's key: the upper half of its key version number.
    pub rodc: Option<u16>,
}

impl<'a> Signature<'a> {
    /// Length in bytes of the type, which stands before the checksum.
    pub(super) const HEADER: usize = 4;

    /// Reads a signature's buffer. The checksum of an unknown type is all that is left. What follows the identifier,
    /// and a single byte in its place, is padding.
    ///
    /// # Errors
    /// [`Kind::Truncated`](crate::Kind) when the buffer is too short for the type.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let checksum_type = ChecksumType(i32::from_le_bytes(reader.array("SignatureType")?));
        let len = checksum_type.signature_len().unwrap_or(reader.rest().len());
        let signature = reader.take(len, "Signature")?;
        let rodc = reader.rest().first_chunk().map(|identifier| u16::from_le_bytes(*identifier));
        Ok(Self { checksum_type, signature, rodc })
    }

    /// Appends the buffer.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.checksum_type.0.to_le_bytes());
        out.extend_from_slice(self.signature);
        out.extend(self.rodc.into_iter().flat_map(u16::to_le_bytes));
    }
}
