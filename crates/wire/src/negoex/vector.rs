use super::Header;
use crate::{Error, Kind, Reader};

/// Values with a type each, one behind another, and the message that they point into: EXTENSIONs and ALERTs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Values<'a> {
    entries: &'a [u8],
    header: Header,
    whole: &'a [u8],
}

/// The length of a type with a BYTE_VECTOR.
const VALUE: usize = 12;

impl<'a> Values<'a> {
    /// Reads the vector, and checks that each value lies in the message.
    pub(super) fn read(
        header: &Header,
        fixed: &mut Reader<'_>,
        whole: &'a [u8],
        field: &'static str,
    ) -> Result<Self, Error> {
        let at = fixed.offset();
        let entries = entries(header, fixed, whole, VALUE, field)?;
        let values = Self { entries, header: *header, whole };
        for entry in entries.as_chunks::<VALUE>().0 {
            values.value(entry, field).map_err(|error| Error { offset: at, ..error })?;
        }
        Ok(values)
    }

    /// Type and value of each, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        let values = *self;
        self.entries.as_chunks::<VALUE>().0.iter().filter_map(move |entry| values.value(entry, "value").ok())
    }

    fn value(&self, entry: &[u8; VALUE], field: &'static str) -> Result<(u32, &'a [u8]), Error> {
        let mut reader = Reader::new(entry);
        let kind = reader.u32(field)?;
        Ok((kind, bytes(&self.header, &mut reader, self.whole, field)?))
    }
}

/// The most entries that a vector may have: real ones have up to three.
const MAX_ENTRIES: usize = 64;

/// The bytes that an offset and a length of 32 bits name (BYTE_VECTOR, MS-NEGOEX 2.2.5.1.3).
pub(super) fn bytes<'a>(
    header: &Header,
    fixed: &mut Reader<'_>,
    whole: &'a [u8],
    field: &'static str,
) -> Result<&'a [u8], Error> {
    let at = fixed.offset();
    let (offset, len) = (fixed.u32(field)?, fixed.u32(field)?);
    within(header, whole, offset, usize::try_from(len).ok(), Error::new(at, field, Kind::OutOfBounds))
}

/// The bytes of `count` entries of `width` bytes each, that an offset of 32 and a count of 16 bits name; two bytes of
/// padding stand behind the count.
pub(super) fn entries<'a>(
    header: &Header,
    fixed: &mut Reader<'_>,
    whole: &'a [u8],
    width: usize,
    field: &'static str,
) -> Result<&'a [u8], Error> {
    let at = fixed.offset();
    let (offset, count) = (fixed.u32(field)?, usize::from(fixed.u16(field)?));
    // The last vector of a header may end with its count.
    let _ = fixed.u16(field);
    if count > MAX_ENTRIES {
        return Err(Error::new(at, field, Kind::TooLarge));
    }
    within(header, whole, offset, count.checked_mul(width), Error::new(at, field, Kind::OutOfBounds))
}

/// What lies behind the header and inside the message. Of nothing the offset does not matter.
fn within<'a>(
    header: &Header,
    whole: &'a [u8],
    offset: u32,
    len: Option<usize>,
    error: Error,
) -> Result<&'a [u8], Error> {
    let len = len.ok_or(error)?;
    if len == 0 {
        return Ok(&[]);
    }
    let start = usize::try_from(offset).ok().filter(|start| *start >= header.header_len()).ok_or(error)?;
    let end = start.checked_add(len).ok_or(error)?;
    whole.get(start..end).ok_or(error)
}
