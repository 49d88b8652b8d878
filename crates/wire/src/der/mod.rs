//! DER, as far as these protocols need it (X.690): a cursor over bytes that copies nothing.
//!
//! Strict: definite lengths in their shortest form, tags of one byte. Depth is bounded by the protocols' own grammars,
//! which name every level: nothing here recurses over what the peer sent.

mod number;
mod oid;
mod sequence_of;
mod writer;

pub use oid::Oid;
pub use sequence_of::{Element, SequenceOf};
pub use writer::{Constructed, bits32, enclose, header, integer, tlv, tlv_len};

use crate::{Error, Kind};

/// The tags that these protocols use.
pub mod tag {
    /// BOOLEAN.
    pub const BOOLEAN: u8 = 0x01;
    /// INTEGER.
    pub const INTEGER: u8 = 0x02;
    /// BIT STRING.
    pub const BIT_STRING: u8 = 0x03;
    /// OCTET STRING.
    pub const OCTET_STRING: u8 = 0x04;
    /// OBJECT IDENTIFIER.
    pub const OID: u8 = 0x06;
    /// ENUMERATED.
    pub const ENUMERATED: u8 = 0x0a;
    /// UTF8String.
    pub const UTF8_STRING: u8 = 0x0c;
    /// NumericString.
    pub const NUMERIC_STRING: u8 = 0x12;
    /// PrintableString.
    pub const PRINTABLE_STRING: u8 = 0x13;
    /// TeletexString, also called T61String.
    pub const TELETEX_STRING: u8 = 0x14;
    /// IA5String: ASCII.
    pub const IA5_STRING: u8 = 0x16;
    /// UTCTime.
    pub const UTC_TIME: u8 = 0x17;
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// VisibleString.
    pub const VISIBLE_STRING: u8 = 0x1a;
    /// GeneralString.
    pub const GENERAL_STRING: u8 = 0x1b;
    /// UniversalString: UTF-32, big-endian.
    pub const UNIVERSAL_STRING: u8 = 0x1c;
    /// BMPString: UTF-16, big-endian.
    pub const BMP_STRING: u8 = 0x1e;
    /// SEQUENCE, SEQUENCE OF.
    pub const SEQUENCE: u8 = 0x30;
    /// SET, SET OF.
    pub const SET: u8 = 0x31;
    /// [APPLICATION 0], constructed: the frame of a first GSS token.
    pub const APPLICATION_0: u8 = 0x60;

    /// The tag `[APPLICATION number]`, constructed, of a number up to 30. Only the lowest five bits count.
    pub const fn application(number: u8) -> u8 {
        APPLICATION_0 | (number & 0x1f)
    }

    /// The explicit context tag `[number]`, constructed. Only the lowest five bits count.
    pub const fn context(number: u8) -> u8 {
        0xa0 | (number & 0x1f)
    }

    /// The context tag `[number]` of a primitive value. Only the lowest five bits count.
    pub const fn context_primitive(number: u8) -> u8 {
        0x80 | (number & 0x1f)
    }
}

/// A cursor over DER values that stand one behind another.
#[derive(Debug, Clone)]
pub struct Der<'a> {
    bytes: &'a [u8],
    /// Where `bytes` begins in the whole message.
    base: usize,
}

impl<'a> Der<'a> {
    /// Starts at the first byte of a message.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, base: 0 }
    }

    /// Starts at `offset` of a message: for a part of it that was kept.
    pub const fn within(bytes: &'a [u8], offset: usize) -> Self {
        Self { bytes, base: offset }
    }

    /// Offset of the next byte in the whole message.
    pub const fn offset(&self) -> usize {
        self.base
    }

    /// The bytes not yet read.
    pub const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// The next value's tag; `None` at the end.
    pub fn peek(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    /// The content of the next value, which must have `tag`.
    ///
    /// # Errors
    /// [`Kind::Truncated`] where it is not whole, [`Kind::Unexpected`] for another tag, [`Kind::WrongLength`] for a
    /// length that is indefinite or not in its shortest form.
    pub fn take(&mut self, tag: u8, field: &'static str) -> Result<Self, Error> {
        match self.peek() {
            None => Err(Error::new(self.base, field, Kind::Truncated)),
            Some(found) if found != tag => Err(Error::new(self.base, field, Kind::Unexpected)),
            Some(_) => self.any(field).map(|(_, content)| content),
        }
    }

    /// The content of the next value if it has `tag`.
    ///
    /// # Errors
    /// As [`take`](Self::take), but for another tag.
    pub fn optional(&mut self, tag: u8, field: &'static str) -> Result<Option<Self>, Error> {
        if self.peek() == Some(tag) { self.take(tag, field).map(Some) } else { Ok(None) }
    }

    /// The next value: its tag and content.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn any(&mut self, field: &'static str) -> Result<(u8, Self), Error> {
        let header =
            Header::read(self.bytes, self.base, field)?.ok_or(Error::new(self.base, field, Kind::Truncated))?;
        let truncated = Error::new(self.base, field, Kind::Truncated);
        let content = self.bytes.get(header.len..).and_then(|rest| rest.get(..header.content)).ok_or(truncated)?;
        let value = Self { bytes: content, base: self.base.saturating_add(header.len) };
        self.bytes = self.bytes.get(header.len.saturating_add(header.content)..).ok_or(truncated)?;
        self.base = value.base.saturating_add(header.content);
        Ok((header.tag, value))
    }

    /// The next value with `tag`: all its bytes, header and content, and the content.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn whole(&mut self, tag: u8, field: &'static str) -> Result<(&'a [u8], Self), Error> {
        let (before, at) = (self.bytes, self.base);
        let content = self.take(tag, field)?;
        let whole = before.get(..self.base.saturating_sub(at)).unwrap_or(before);
        Ok((whole, content))
    }

    /// The next value, an INTEGER: its bytes, big-endian, in two's complement.
    ///
    /// # Errors
    /// As [`take`](Self::take); [`Kind::WrongLength`] for an empty one, or one not in its shortest form.
    pub fn integer(&mut self, field: &'static str) -> Result<&'a [u8], Error> {
        let at = self.base;
        match self.bytes(tag::INTEGER, field)? {
            [] | [0, 0..0x80, ..] | [0xff, 0x80..=0xff, ..] => Err(Error::new(at, field, Kind::WrongLength)),
            bytes => Ok(bytes),
        }
    }

    /// The next value if it is a BOOLEAN.
    ///
    /// # Errors
    /// As [`take`](Self::take); [`Kind::Unexpected`] for a content that is neither of DER's two.
    pub fn optional_boolean(&mut self, field: &'static str) -> Result<Option<bool>, Error> {
        let at = self.base;
        match self.optional(tag::BOOLEAN, field)?.map(|content| content.bytes) {
            None => Ok(None),
            Some([0]) => Ok(Some(false)),
            Some([0xff]) => Ok(Some(true)),
            Some(_) => Err(Error::new(at, field, Kind::Unexpected)),
        }
    }

    /// The next value, a BIT STRING of whole bytes.
    ///
    /// # Errors
    /// As [`take`](Self::take); [`Kind::Unexpected`] where bits of the last byte are unused.
    pub fn whole_bits(&mut self, field: &'static str) -> Result<&'a [u8], Error> {
        let at = self.base;
        match self.bytes(tag::BIT_STRING, field)? {
            [0, bits @ ..] => Ok(bits),
            [] => Err(Error::new(at, field, Kind::WrongLength)),
            _ => Err(Error::new(at, field, Kind::Unexpected)),
        }
    }

    /// The content of the next value with `tag`, as bytes.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn bytes(&mut self, tag: u8, field: &'static str) -> Result<&'a [u8], Error> {
        self.take(tag, field).map(|content| content.bytes)
    }

    /// The next value, an OID.
    ///
    /// # Errors
    /// As [`take`](Self::take); an empty one is [`Kind::WrongLength`].
    pub fn oid(&mut self, field: &'static str) -> Result<Oid<'a>, Error> {
        let at = self.base;
        match self.bytes(tag::OID, field)? {
            [] => Err(Error::new(at, field, Kind::WrongLength)),
            content => Ok(Oid(content)),
        }
    }

    /// What the header of the next value says, whose content need not be there: its tag, the header's length in bytes
    /// and the content's.
    ///
    /// # Errors
    /// [`Kind::Truncated`] where the header is not whole, [`Kind::WrongLength`] for a length that is indefinite or not
    /// in its shortest form.
    pub fn header(&self, field: &'static str) -> Result<(u8, usize, usize), Error> {
        match Header::read(self.bytes, self.base, field)? {
            Some(header) => Ok((header.tag, header.len, header.content)),
            None => Err(Error::new(self.base, field, Kind::Truncated)),
        }
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// [`Kind::Unexpected`] at what is left.
    pub fn finish(&self, field: &'static str) -> Result<(), Error> {
        if self.bytes.is_empty() { Ok(()) } else { Err(Error::new(self.base, field, Kind::Unexpected)) }
    }
}

/// The length in bytes of the value that begins `bytes`, header and content; `None` where the header is not whole.
///
/// # Errors
/// [`Kind::TooLarge`] over `bound`, [`Kind::WrongLength`] for a length that is indefinite or not in its shortest form.
pub fn complete_len(bytes: &[u8], bound: usize) -> Result<Option<usize>, Error> {
    let Some(header) = Header::read(bytes, 0, "length")? else { return Ok(None) };
    match header.len.checked_add(header.content) {
        Some(total) if total <= bound => Ok(Some(total)),
        _ => Err(Error::new(0, "length", Kind::TooLarge)),
    }
}

struct Header {
    tag: u8,
    len: usize,
    content: usize,
}

impl Header {
    fn read(bytes: &[u8], base: usize, field: &'static str) -> Result<Option<Self>, Error> {
        let wrong = Error::new(base.saturating_add(1), field, Kind::WrongLength);
        let (tag, first, rest) = match bytes {
            [tag, first, rest @ ..] => (*tag, *first, rest),
            _ => return Ok(None),
        };
        if tag & 0x1f == 0x1f {
            return Err(Error::new(base, field, Kind::Unexpected)); // a tag of several bytes
        }
        let digits = usize::from(first & 0x7f);
        if first < 0x80 {
            return Ok(Some(Self { tag, len: 2, content: usize::from(first) }));
        }
        if digits == 0 || digits > 4 {
            return Err(wrong);
        }
        let Some(length) = rest.get(..digits) else { return Ok(None) };
        let content = length.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
        let shortest = content >= 0x80 && length.first() != Some(&0);
        let content = usize::try_from(content).ok().filter(|_| shortest).ok_or(wrong)?;
        Ok(Some(Self { tag, len: 2 + digits, content }))
    }
}
