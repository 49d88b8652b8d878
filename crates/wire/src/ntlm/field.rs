use super::SIGNATURE;
use crate::{Error, Kind, Reader, Writer};

/// A triple of length, maximum length and offset (MS-NLMP 2.2).
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    len: u16,
    offset: u32,
    at: usize,
    name: &'static str,
}

impl Field {
    pub(super) fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self, Error> {
        let at = reader.offset();
        let len = reader.u16(name)?;
        reader.u16(name)?; // the maximum length is ignored on receipt
        Ok(Self { len, offset: reader.u32(name)?, at, name })
    }

    /// The bytes pointed at; an empty field may carry any offset.
    pub(super) fn bytes<'a>(&self, message: &'a [u8]) -> Result<&'a [u8], Error> {
        if self.len == 0 {
            return Ok(&[]);
        }
        // u64: an offset near 2³² plus a length must not wrap on any platform.
        let (start, end) = (u64::from(self.offset), u64::from(self.offset) + u64::from(self.len));
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        range.and_then(|(start, end)| message.get(start..end)).ok_or(Error::new(self.at, self.name, Kind::OutOfBounds))
    }

    /// Where the payload of a non-empty field begins.
    pub(super) fn payload_start(&self) -> Option<usize> {
        (self.len != 0).then(|| usize::try_from(self.offset).unwrap_or(usize::MAX))
    }
}

/// Reads the signature and the message type.
pub(super) fn header(message: &[u8], number: u32) -> Result<Reader<'_>, Error> {
    let mut reader = Reader::new(message);
    if reader.array("Signature")? != SIGNATURE {
        return Err(Error::new(0, "Signature", Kind::Unexpected));
    }
    if reader.u32("MessageType")? != number {
        return Err(Error::new(8, "MessageType", Kind::Unexpected));
    }
    Ok(reader)
}

/// Writes a triple for `len` bytes that will stand at `*at`, and moves `*at` behind them.
pub(super) fn write(writer: &mut Writer<'_>, len: usize, at: &mut usize) {
    let short = u16::try_from(len).unwrap_or(u16::MAX);
    writer.u16(short).u16(short).u32(u32::try_from(*at).unwrap_or(u32::MAX));
    *at += len;
}
