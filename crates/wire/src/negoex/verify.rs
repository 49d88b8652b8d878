use super::{Guid, Header, vector};
use crate::{Error, Kind, Reader};

/// VERIFY_MESSAGE (MS-NEGOEX 2.2.6.5): a checksum over all messages before it, by the scheme's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verify<'a> {
    /// The scheme whose key it is.
    pub scheme: Guid,
    /// The checksum's number (RFC 3961).
    pub checksum_type: u32,
    /// The checksum.
    pub checksum: &'a [u8],
}

/// The length of CHECKSUM's fixed part, as it says itself.
const CHECKSUM_HEADER: u32 = 20;
/// CHECKSUM_SCHEME_RFC3961, the one that exists.
const RFC3961: u32 = 1;

impl<'a> Verify<'a> {
    pub(super) fn read(header: &Header, fixed: &mut Reader<'_>, whole: &'a [u8]) -> Result<Self, Error> {
        let scheme = Guid(fixed.array("AuthScheme")?);
        let at = fixed.offset();
        if fixed.u32("Checksum.cbHeaderLength")? != CHECKSUM_HEADER {
            return Err(Error::new(at, "Checksum.cbHeaderLength", Kind::WrongLength));
        }
        if fixed.u32("ChecksumScheme")? != RFC3961 {
            return Err(Error::new(at + 4, "ChecksumScheme", Kind::Unexpected));
        }
        let checksum_type = fixed.u32("ChecksumType")?;
        Ok(Self { scheme, checksum_type, checksum: vector::bytes(header, fixed, whole, "ChecksumValue")? })
    }
}
