use super::{COMMON_HEADER, HEADERS, LITTLE_ENDIAN, VERSION};
use crate::sid::Sid;
use crate::{Error, Kind, Reader, utf16};

/// Reads one serialized structure. Each read aligns itself first; offsets in errors count from the common header.
#[derive(Debug, Clone)]
pub struct NdrReader<'a> {
    reader: Reader<'a>,
}

/// The part of an RPC_UNICODE_STRING (MS-DTYP 2.3.10) that stands in its structure; the text follows later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextHeader {
    units: u16,
    present: bool,
}

impl<'a> NdrReader<'a> {
    /// Reads the headers, and the pointer to the structure, which must not be null.
    ///
    /// # Errors
    /// [`Kind::Unexpected`] for another version or byte order or a null pointer, [`Kind::OutOfBounds`] when the length
    /// in the private header is more than there is, [`Kind::Truncated`].
    pub fn open(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut header = Reader::new(bytes);
        if header.u8("Version")? != VERSION {
            return Err(Error::new(0, "Version", Kind::Unexpected));
        }
        if header.u8("Endianness")? != LITTLE_ENDIAN {
            return Err(Error::new(1, "Endianness", Kind::Unexpected));
        }
        if header.u16("CommonHeaderLength")? != COMMON_HEADER {
            return Err(Error::new(2, "CommonHeaderLength", Kind::Unexpected));
        }
        header.take(4, "Filler")?;
        let outside = Error::new(header.offset(), "ObjectBufferLength", Kind::OutOfBounds);
        let len = header.u32("ObjectBufferLength")?;
        header.take(4, "Filler")?;
        let end = usize::try_from(len).ok().and_then(|len| HEADERS.checked_add(len)).ok_or(outside)?;
        let mut reader = Reader::new(bytes.get(..end).ok_or(outside)?);
        reader.take(HEADERS, "Headers")?;
        let mut ndr = Self { reader };
        let at = ndr.offset();
        if !ndr.pointer("Referent")? {
            return Err(Error::new(at, "Referent", Kind::Unexpected));
        }
        Ok(ndr)
    }

    /// Offset of the next byte, from the common header.
    pub const fn offset(&self) -> usize {
        self.reader.offset()
    }

    /// Skips the padding before something of this alignment.
    ///
    /// # Errors
    /// [`Kind::Truncated`].
    pub fn align(&mut self, to: usize, field: &'static str) -> Result<(), Error> {
        let at = self.offset();
        let padding = at.checked_next_multiple_of(to).map_or(0, |aligned| aligned - at);
        self.reader.take(padding, field).map(drop)
    }

    /// The next `len` bytes, unaligned.
    ///
    /// # Errors
    /// [`Kind::Truncated`].
    pub fn bytes(&mut self, len: usize, field: &'static str) -> Result<&'a [u8], Error> {
        self.reader.take(len, field)
    }

    /// The next `N` bytes, unaligned.
    ///
    /// # Errors
    /// [`Kind::Truncated`].
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Error> {
        self.reader.array(field)
    }

    /// The next 16-bit number.
    ///
    /// # Errors
    /// [`Kind::Truncated`].
    pub fn u16(&mut self, field: &'static str) -> Result<u16, Error> {
        self.align(2, field)?;
        self.reader.u16(field)
    }

    /// The next 32-bit number.
    ///
    /// # Errors
    /// [`Kind::Truncated`].
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Error> {
        self.align(4, field)?;
        self.reader.u32(field)
    }

    /// The next 64-bit number (`hyper`).
    ///
    /// # Errors
    /// [`Kind::Truncated`].
    pub fn u64(&mut self, field: &'static str) -> Result<u64, Error> {
        self.align(8, field)?;
        self.reader.u64(field)
    }

    /// The next FILETIME: a structure of two 32-bit numbers, so it aligns as they do (MS-DTYP 2.3.3).
    ///
    /// # Errors
    /// [`Kind::Truncated`].
    pub fn filetime(&mut self, field: &'static str) -> Result<u64, Error> {
        self.align(4, field)?;
        self.reader.u64(field)
    }

    /// The next pointer: whether what it points to will follow.
    ///
    /// # Errors
    /// [`Kind::Truncated`].
    pub fn pointer(&mut self, field: &'static str) -> Result<bool, Error> {
        self.u32(field).map(|referent| referent != 0)
    }

    /// The maximum count of a conformant array, which must be `count` as its structure said.
    ///
    /// # Errors
    /// [`Kind::Unexpected`] when the counts differ, [`Kind::TooLarge`] when that many elements of `size` bytes cannot
    /// follow, [`Kind::Truncated`]. After this, allocating `count` elements is no more than what came.
    pub fn conformance(&mut self, count: u32, size: usize, field: &'static str) -> Result<usize, Error> {
        self.align(4, field)?;
        let at = self.offset();
        if self.reader.u32(field)? != count {
            return Err(Error::new(at, field, Kind::Unexpected));
        }
        let too_large = Error::new(at, field, Kind::TooLarge);
        let count = usize::try_from(count).map_err(|_| too_large)?;
        let fits = count.checked_mul(size).is_some_and(|len| len <= self.reader.rest().len());
        if fits { Ok(count) } else { Err(too_large) }
    }

    /// The next RPC_UNICODE_STRING, as far as it stands here.
    ///
    /// # Errors
    /// [`Kind::NotUtf16`] for an odd length, [`Kind::Unexpected`] for a length without text, [`Kind::Truncated`].
    pub fn text_header(&mut self, field: &'static str) -> Result<TextHeader, Error> {
        self.align(4, field)?;
        let at = self.offset();
        let len = self.u16(field)?;
        let _maximum = self.u16(field)?;
        let present = self.pointer(field)?;
        if !len.is_multiple_of(2) {
            return Err(Error::new(at, field, Kind::NotUtf16));
        }
        if len != 0 && !present {
            return Err(Error::new(at, field, Kind::Unexpected));
        }
        Ok(TextHeader { units: len / 2, present })
    }

    /// The text of an RPC_UNICODE_STRING; nothing where its pointer was null.
    ///
    /// # Errors
    /// [`Kind::Unexpected`] when the array's counts do not fit each other and the length, [`Kind::NotUtf16`],
    /// [`Kind::Truncated`].
    pub fn text(&mut self, header: TextHeader, field: &'static str) -> Result<String, Error> {
        if !header.present {
            return Ok(String::new());
        }
        let at = self.offset();
        let units = self.varying(field)?;
        if units != u32::from(header.units) {
            return Err(Error::new(at, field, Kind::Unexpected));
        }
        self.units(units, field)
    }

    /// The text behind a pointer to a zero-terminated string (`[string] wchar_t *`), without its zero.
    ///
    /// # Errors
    /// [`Kind::Unterminated`], [`Kind::Unexpected`] when the array's counts do not fit each other, [`Kind::NotUtf16`],
    /// [`Kind::Truncated`].
    pub fn terminated_text(&mut self, field: &'static str) -> Result<String, Error> {
        let units = self.varying(field)?;
        let unterminated = Error::new(self.offset(), field, Kind::Unterminated);
        let text = self.units(units.checked_sub(1).ok_or(unterminated)?, field)?;
        if self.reader.u16(field)? != 0 {
            return Err(unterminated);
        }
        Ok(text)
    }

    /// The RPC_SID behind a pointer: a structure that ends in a conformant array, so that its count stands before it
    /// (MS-DTYP 2.4.2.3).
    ///
    /// # Errors
    /// [`Kind::Unexpected`] when the counts differ or for an unknown revision, [`Kind::TooLarge`] for more than fifteen
    /// sub-authorities, [`Kind::Truncated`].
    pub fn sid(&mut self, field: &'static str) -> Result<Sid, Error> {
        self.align(4, field)?;
        let at = self.offset();
        let count = self.reader.u32(field)?;
        let sid = Sid::decode(&mut self.reader)?;
        if u32::try_from(sid.sub_authorities().len()) != Ok(count) {
            return Err(Error::new(at, field, Kind::Unexpected));
        }
        Ok(sid)
    }

    /// The counts of a conformant varying array: how many elements follow.
    fn varying(&mut self, field: &'static str) -> Result<u32, Error> {
        self.align(4, field)?;
        let at = self.offset();
        let (maximum, first, count) = (self.u32(field)?, self.u32(field)?, self.u32(field)?);
        if first != 0 || count > maximum {
            return Err(Error::new(at, field, Kind::Unexpected));
        }
        Ok(count)
    }

    fn units(&mut self, units: u32, field: &'static str) -> Result<String, Error> {
        let at = self.offset();
        let len = usize::try_from(units).ok().and_then(|units| units.checked_mul(2));
        let bytes = self.reader.take(len.ok_or(Error::new(at, field, Kind::TooLarge))?, field)?;
        utf16::decode(bytes, at, field)
    }
}
