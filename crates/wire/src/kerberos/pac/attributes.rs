use crate::{Error, Kind, Reader};

/// A PAC_ATTRIBUTES_INFO (MS-PAC 2.14): how it came that there is a PAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// How many bits of flags there are; two today.
    pub flags_length: u32,
    /// The first 32 flags: [`Self::REQUESTED`], [`Self::GIVEN_IMPLICITLY`].
    pub flags: u32,
}

impl Attributes {
    /// The client asked for a PAC.
    pub const REQUESTED: u32 = 1;
    /// The client said nothing, and got one.
    pub const GIVEN_IMPLICITLY: u32 = 2;

    /// Reads the buffer; flags behind the first 32 are left.
    ///
    /// # Errors
    /// [`Kind::Truncated`] when there are fewer flags than is said.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let flags_length = reader.u32("FlagsLength")?;
        let truncated = Error::new(reader.offset(), "Flags", Kind::Truncated);
        let len = usize::try_from(flags_length.div_ceil(32)).ok().and_then(|words| words.checked_mul(4));
        let words = reader.take(len.ok_or(truncated)?, "Flags")?;
        let flags = words.first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
        Ok(Self { flags_length, flags })
    }

    /// Appends the buffer; flags behind the first 32 are zero and are not written.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.flags_length.min(32).to_le_bytes());
        if self.flags_length != 0 {
            out.extend_from_slice(&self.flags.to_le_bytes());
        }
    }
}
