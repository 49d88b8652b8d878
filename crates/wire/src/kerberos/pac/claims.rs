use super::membership::Array;
use crate::ndr::NdrReader;
use crate::{Error, Kind};

/// A CLAIMS_SET_METADATA (MS-ADTS 2.2.18.8, MS-PAC 2.11, 2.13): claims of the client or of its device. They count only
/// when the client's groups have CLAIMS_VALID, S-1-5-21-0-0-0-497.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimsMetadata<'a> {
    /// The set, serialized by itself, and compressed unless `compression` says otherwise.
    pub claims_set: &'a [u8],
    /// How it is compressed.
    pub compression: Compression,
    /// Length in bytes of what is compressed. The peer's word: allocate by no more than you would allow.
    pub uncompressed_len: u32,
}

/// How a set of claims is compressed (MS-ADTS 2.2.18.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression(pub u16);

#[allow(missing_docs, reason = "the names are those of MS-ADTS 2.2.18.4, one row each")]
impl Compression {
    pub const NONE: Self = Self(0);
    pub const LZNT1: Self = Self(2);
    pub const XPRESS: Self = Self(3);
    pub const XPRESS_HUFF: Self = Self(4);
}

/// Claims of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimsArray {
    /// Where they come from: 1 the directory, 2 a certificate (MS-ADTS 2.2.18.3).
    pub source: u16,
    /// In their order.
    pub claims: Vec<Claim>,
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its name: `ad://ext/…`.
    pub id: String,
    /// What it says.
    pub values: ClaimValues,
}

/// The values of a claim (MS-ADTS 2.2.18.2, 2.2.18.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimValues {
    /// Type 1.
    Int64(Vec<i64>),
    /// Type 2.
    Uint64(Vec<u64>),
    /// Type 3.
    Text(Vec<String>),
    /// Type 6: everything but zero is true.
    Boolean(Vec<bool>),
}

impl<'a> ClaimsMetadata<'a> {
    /// Reads the buffer.
    ///
    /// # Errors
    /// [`Kind::Unexpected`] where two counts of one thing differ, and as [`NdrReader`]'s.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let ndr = &mut NdrReader::open(bytes)?;
        let claims_set = Array::read(ndr, "ClaimsSet")?;
        let compression = Compression(ndr.u16("usCompressionFormat")?);
        let uncompressed_len = ndr.u32("ulUncompressedClaimsSetSize")?;
        let reserved = read_reserved(ndr)?;
        let len = claims_set.begin(ndr, 1, "ClaimsSet")?;
        let claims_set = ndr.bytes(len, "ClaimsSet")?;
        skip_reserved(ndr, reserved)?;
        Ok(Self { claims_set, compression, uncompressed_len })
    }

    /// The claims; `None` when they are compressed. See [`decode_claims`].
    ///
    /// # Errors
    /// As [`decode_claims`], with offsets into the set.
    pub fn claims(&self) -> Result<Option<Vec<ClaimsArray>>, Error> {
        match self.compression {
            Compression::NONE if self.claims_set.is_empty() => Ok(Some(Vec::new())),
            Compression::NONE => decode_claims(self.claims_set).map(Some),
            _ => Ok(None),
        }
    }
}

/// Reads a CLAIMS_SET (MS-ADTS 2.2.18.7) that is not, or no longer, compressed.
///
/// # Errors
/// [`Kind::Unexpected`] where two counts of one thing differ, for a claim of unknown type, and for one without name; and
/// as [`NdrReader`]'s.
pub fn decode_claims(bytes: &[u8]) -> Result<Vec<ClaimsArray>, Error> {
    let ndr = &mut NdrReader::open(bytes)?;
    let arrays = Array::read(ndr, "ClaimsArrays")?;
    let reserved = read_reserved(ndr)?;
    let count = arrays.begin(ndr, CLAIMS_ARRAY, "ClaimsArrays")?;
    let mut pointers = Vec::with_capacity(count);
    for _ in 0..count {
        pointers.push((ndr.u16("usClaimsSourceType")?, Array::read(ndr, "ClaimEntries")?));
    }
    let read = |(source, entries)| Ok(ClaimsArray { source, claims: read_entries(ndr, entries)? });
    let arrays = pointers.into_iter().map(read).collect::<Result<_, _>>()?;
    skip_reserved(ndr, reserved)?;
    Ok(arrays)
}

fn read_entries(ndr: &mut NdrReader<'_>, entries: Array) -> Result<Vec<Claim>, Error> {
    let count = entries.begin(ndr, CLAIM_ENTRY, "ClaimEntries")?;
    let mut pointers = Vec::with_capacity(count);
    for _ in 0..count {
        let at = ndr.offset();
        let (has_name, kind, tag) = (ndr.pointer("Id")?, ndr.u16("Type")?, ndr.u16("Type")?);
        // The union says its type once more.
        if !has_name || kind != tag {
            return Err(Error::new(at, "ClaimEntries", Kind::Unexpected));
        }
        pointers.push((at, kind, Array::read(ndr, "Values")?));
    }
    let read = |(at, kind, values)| {
        let id = ndr.terminated_text("Id")?;
        Ok(Claim { id, values: read_values(ndr, kind, values, at)? })
    };
    pointers.into_iter().map(read).collect()
}

fn read_values(ndr: &mut NdrReader<'_>, kind: u16, values: Array, at: usize) -> Result<ClaimValues, Error> {
    Ok(match kind {
        1 => ClaimValues::Int64(read_numbers(ndr, values)?.into_iter().map(u64::cast_signed).collect()),
        2 => ClaimValues::Uint64(read_numbers(ndr, values)?),
        3 => ClaimValues::Text(read_texts(ndr, values)?),
        6 => ClaimValues::Boolean(read_numbers(ndr, values)?.into_iter().map(|value| value != 0).collect()),
        _ => return Err(Error::new(at, "Type", Kind::Unexpected)),
    })
}

fn read_numbers(ndr: &mut NdrReader<'_>, values: Array) -> Result<Vec<u64>, Error> {
    let count = values.begin(ndr, 8, "Values")?;
    let mut numbers = Vec::with_capacity(count);
    for _ in 0..count {
        numbers.push(ndr.u64("Values")?);
    }
    Ok(numbers)
}

fn read_texts(ndr: &mut NdrReader<'_>, values: Array) -> Result<Vec<String>, Error> {
    let count = values.begin(ndr, SMALLEST_TEXT, "Values")?;
    for _ in 0..count {
        let at = ndr.offset();
        if !ndr.pointer("Values")? {
            return Err(Error::new(at, "Values", Kind::Unexpected));
        }
    }
    (0..count).map(|_| ndr.terminated_text("Values")).collect()
}

/// The reserved field at a structure's end: a type, a length and a pointer.
fn read_reserved(ndr: &mut NdrReader<'_>) -> Result<Array, Error> {
    ndr.u16("usReservedType")?;
    Array::read(ndr, "ReservedField")
}

/// What the reserved field points to.
fn skip_reserved(ndr: &mut NdrReader<'_>, reserved: Array) -> Result<(), Error> {
    let len = reserved.begin(ndr, 1, "ReservedField")?;
    ndr.bytes(len, "ReservedField").map(drop)
}

/// Length of a CLAIMS_ARRAY in its array: a source, a count and a pointer.
const CLAIMS_ARRAY: usize = 12;

/// Length of a CLAIM_ENTRY in its array: a pointer, a type, the union's type, a count and a pointer.
const CLAIM_ENTRY: usize = 16;

/// A pointer, three counts, and the zero at the end.
const SMALLEST_TEXT: usize = 4 + 12 + 2;
