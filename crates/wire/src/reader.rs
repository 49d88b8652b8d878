use crate::{Error, Kind};

/// A cursor over a message; every read names the field it is for.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Offset of the next byte.
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// The bytes not yet read.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next `len` bytes, or [`Kind::Truncated`].
    pub fn take(&mut self, len: usize, field: &'static str) -> Result<&'a [u8], Error> {
        let taken = self.rest().get(..len).ok_or(Error::new(self.at, field, Kind::Truncated))?;
        self.at += len;
        Ok(taken)
    }

    /// The next `N` bytes as an array, or [`Kind::Truncated`].
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Error> {
        let (head, _) = self.rest().split_first_chunk::<N>().ok_or(Error::new(self.at, field, Kind::Truncated))?;
        self.at += N;
        Ok(*head)
    }

    /// The next byte.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, Error> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    /// The next 16-bit little-endian number.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, Error> {
        self.array(field).map(u16::from_le_bytes)
    }

    /// The next 32-bit little-endian number.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Error> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// The next 64-bit little-endian number.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, Error> {
        self.array(field).map(u64::from_le_bytes)
    }
}
