//! The privilege attribute certificate of a ticket (MS-PAC): who the client is to Windows, signed by the KDC.
//!
//! Reading is not believing: until the server signature is found right, everything here is the peer's word.

mod attributes;
mod buffer_type;
mod claims;
mod client_info;
mod credentials;
mod delegation;
mod device_info;
mod logon_info;
mod membership;
mod requester;
mod signature;
mod upn_dns_info;

pub use attributes::Attributes;
pub use buffer_type::BufferType;
pub use claims::{Claim, ClaimValues, ClaimsArray, ClaimsMetadata, Compression, decode_claims};
pub use client_info::ClientInfo;
pub use credentials::Credentials;
pub use delegation::Delegation;
pub use device_info::{DeviceInfo, DomainGroups};
pub use logon_info::LogonInfo;
pub use membership::GroupAttributes;
pub use requester::RequesterSid;
pub use signature::{ChecksumType, Signature};
pub use upn_dns_info::UpnDnsInfo;

use crate::{Error, Kind, Reader};

/// A PACTYPE (MS-PAC 2.3): typed buffers in one piece of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pac<'a> {
    /// The whole, as it came: what the signatures are over.
    pub raw: &'a [u8],
    entries: &'a [[u8; ENTRY]],
}

/// One buffer of a PAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer<'a> {
    /// What it is.
    pub buffer_type: BufferType,
    /// Where it begins in the PAC.
    pub offset: usize,
    /// Its bytes, without the padding behind it.
    pub bytes: &'a [u8],
}

impl<'a> Pac<'a> {
    /// The most buffers that a PAC may have: Windows knows fifteen types.
    pub const MAX_BUFFERS: usize = 64;

    /// Reads the table, and checks that each buffer is where buffers may be.
    ///
    /// # Errors
    /// [`Kind::Unexpected`] for another version, an unaligned offset, and a second signature of one type;
    /// [`Kind::TooLarge`] for more buffers than [`Self::MAX_BUFFERS`]; [`Kind::OutOfBounds`] for a buffer that reaches
    /// into the table, behind the end, or into another buffer; [`Kind::Truncated`].
    pub fn decode(raw: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(raw);
        let count = reader.u32("cBuffers")?;
        let count = usize::try_from(count).ok().filter(|count| *count <= Self::MAX_BUFFERS);
        let count = count.ok_or(Error::new(0, "cBuffers", Kind::TooLarge))?;
        if reader.u32("Version")? != 0 {
            return Err(Error::new(4, "Version", Kind::Unexpected));
        }
        let (entries, _) = reader.take(count * ENTRY, "Buffers")?.as_chunks();
        let pac = Self { raw, entries };
        for (number, entry) in entries.iter().enumerate() {
            let at = HEADER + number * ENTRY;
            let buffer = pac.read(entry, at)?;
            for earlier in entries.iter().take(number).filter_map(|entry| pac.read(entry, at).ok()) {
                if overlap(&buffer, &earlier) {
                    return Err(Error::new(at + 8, "Offset", Kind::OutOfBounds));
                }
                // Which of two a peer verifies and which it replaces by zeros could differ.
                if buffer.buffer_type.is_signature() && buffer.buffer_type == earlier.buffer_type {
                    return Err(Error::new(at, "ulType", Kind::Unexpected));
                }
            }
        }
        Ok(pac)
    }

    /// The buffers in the table's order, with those of unknown types and those that stand there twice.
    pub fn buffers(&self) -> impl Iterator<Item = Buffer<'a>> + use<'a> {
        let pac = *self;
        // Decoding has read each of them before.
        self.entries.iter().filter_map(move |entry| pac.read(entry, 0).ok())
    }

    /// The first buffer of a type: a second one does not count (MS-PAC 2.4).
    pub fn find(&self, buffer_type: BufferType) -> Option<Buffer<'a>> {
        self.buffers().find(|buffer| buffer.buffer_type == buffer_type)
    }

    /// The bytes of the first buffer of a type.
    pub fn buffer(&self, buffer_type: BufferType) -> Option<&'a [u8]> {
        self.find(buffer_type).map(|buffer| buffer.bytes)
    }

    /// The signature in the first buffer of a type; `None` when there is none.
    ///
    /// # Errors
    /// As [`Signature::decode`], with offsets into the PAC.
    pub fn signature(&self, buffer_type: BufferType) -> Result<Option<Signature<'a>>, Error> {
        let Some(buffer) = self.find(buffer_type) else { return Ok(None) };
        let signature = Signature::decode(buffer.bytes);
        signature.map(Some).map_err(|error| Error { offset: buffer.offset + error.offset, ..error })
    }

    /// What the server signature is over, in five pieces: the PAC, with the `Signature` bytes of the server's and the
    /// KDC's signature replaced by zeros. Their types and the RODC's identifier stay, and so do the other signatures
    /// (MS-PAC 2.8.4). Pieces may be empty.
    ///
    /// # Errors
    /// [`Kind::Truncated`] at the offset of a signature that is too short for its type; [`Kind::TooLarge`] for one of
    /// an unknown type that is longer than any.
    pub fn signed_parts(&self) -> Result<[&'a [u8]; 5], Error> {
        let mut ranges = [(self.raw.len(), 0); 2];
        for (range, buffer_type) in ranges.iter_mut().zip([BufferType::SERVER_SIGNATURE, BufferType::KDC_SIGNATURE]) {
            let (Some(buffer), Some(signature)) = (self.find(buffer_type), self.signature(buffer_type)?) else {
                continue;
            };
            *range = (buffer.offset + Signature::HEADER, signature.signature.len());
        }
        ranges.sort_unstable();
        let [(first, first_len), (second, second_len)] = ranges;
        let piece = |from: usize, to: usize| self.raw.get(from..to).unwrap_or_default();
        let zeros = |at, len| ZEROS.get(..len).ok_or(Error::new(at, "Signature", Kind::TooLarge));
        Ok([
            piece(0, first),
            zeros(first, first_len)?,
            piece(first.saturating_add(first_len), second),
            zeros(second, second_len)?,
            piece(second.saturating_add(second_len), self.raw.len()),
        ])
    }

    /// One row of the table, at offset `at` of the PAC.
    fn read(&self, entry: &[u8; ENTRY], at: usize) -> Result<Buffer<'a>, Error> {
        let mut reader = Reader::new(entry);
        let buffer_type = BufferType(reader.u32("ulType")?);
        let (size, offset) = (reader.u32("cbBufferSize")?, reader.u64("Offset")?);
        let outside = Error::new(at + 8, "Offset", Kind::OutOfBounds);
        let offset = usize::try_from(offset).map_err(|_| outside)?;
        if offset < HEADER + self.entries.len() * ENTRY {
            return Err(outside);
        }
        if !offset.is_multiple_of(ALIGNMENT) {
            return Err(Error::new(at + 8, "Offset", Kind::Unexpected));
        }
        let end = usize::try_from(size).ok().and_then(|size| offset.checked_add(size)).ok_or(outside)?;
        Ok(Buffer { buffer_type, offset, bytes: self.raw.get(offset..end).ok_or(outside)? })
    }
}

fn overlap(a: &Buffer<'_>, b: &Buffer<'_>) -> bool {
    let ends = |buffer: &Buffer<'_>| buffer.offset + buffer.bytes.len();
    !a.bytes.is_empty() && !b.bytes.is_empty() && a.offset < ends(b) && b.offset < ends(a)
}

/// Appends a PAC of these buffers, in this order. Their bytes are found again by [`Pac::find`], so that signatures can
/// be filled in. What needs more than 32 bits of length cannot be said, and is written so that nobody can read it.
pub fn encode(buffers: &[(BufferType, &[u8])], out: &mut Vec<u8>) {
    let start = out.len();
    let count = u32::try_from(buffers.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    let mut offset = HEADER + buffers.len() * ENTRY;
    for (buffer_type, bytes) in buffers {
        out.extend_from_slice(&buffer_type.0.to_le_bytes());
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&u64::try_from(offset).unwrap_or(u64::MAX).to_le_bytes());
        offset = (offset + bytes.len()).next_multiple_of(ALIGNMENT);
    }
    for (_, bytes) in buffers {
        out.extend_from_slice(bytes);
        let end = start + (out.len() - start).next_multiple_of(ALIGNMENT);
        out.resize(end, 0);
    }
}

/// Length of a PAC before its table.
const HEADER: usize = 8;

/// Length of a PAC_INFO_BUFFER (MS-PAC 2.4).
const ENTRY: usize = 16;

/// What each buffer's offset is a multiple of.
const ALIGNMENT: usize = 8;

/// More than the longest signature.
const ZEROS: [u8; 64] = [0; 64];
