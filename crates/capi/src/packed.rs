//! Credentials in one block, as SEC_WINNT_AUTH_IDENTITY_EX2 holds them.

use crate::code::Code;

/// SEC_WINNT_AUTH_DATA_TYPE_PASSWORD.
pub(crate) const PASSWORD: [u8; 16] =
    [0x2f, 0xfc, 0xbf, 0x28, 0xf6, 0x10, 0x38, 0x47, 0x98, 0xd1, 0x1a, 0xc0, 0x61, 0xdf, 0x71, 0x6a];

/// SEC_WINNT_AUTH_DATA_TYPE_KEYTAB.
pub(crate) const KEYTAB: [u8; 16] =
    [0xe8, 0xaa, 0x87, 0xd5, 0x8f, 0xf7, 0x55, 0x44, 0xa1, 0x12, 0xc9, 0x34, 0xbe, 0xee, 0x7c, 0xe1];

/// What SEC_WINNT_AUTH_PACKED_CREDENTIALS holds.
pub(crate) enum Packed<'b> {
    /// In UTF-16.
    Password(&'b [u8]),
    Keytab(&'b [u8]),
}

/// SEC_WINNT_AUTH_PACKED_CREDENTIALS: a header of two lengths, the credential's type, and where it lies. Of a password there
/// lies where it lies.
pub(crate) fn read(credentials: &[u8]) -> Result<Packed<'_>, Code> {
    let (offset, len) = vector(credentials, 20)?;
    let data = part(credentials, offset, len)?;
    let kind = part(credentials, 4, 16)?;
    if kind == PASSWORD {
        let (offset, len) = vector(data, 0)?;
        return part(data, offset, len).map(Packed::Password);
    }
    if kind == KEYTAB { Ok(Packed::Keytab(data)) } else { Err(Code::UNKNOWN_CREDENTIALS) }
}

/// SEC_WINNT_AUTH_BYTE_VECTOR.
fn vector(at: &[u8], offset: usize) -> Result<(usize, usize), Code> {
    let [a, b, c, d, e, f] = *part(at, offset, 6)?.first_chunk::<6>().ok_or(Code::INVALID_PARAMETER)?;
    Ok((u32::from_le_bytes([a, b, c, d]) as usize, usize::from(u16::from_le_bytes([e, f]))))
}

/// A part of a block.
pub(crate) fn part(bytes: &[u8], offset: usize, len: usize) -> Result<&[u8], Code> {
    if len == 0 {
        return Ok(&[]);
    }
    let end = offset.checked_add(len).ok_or(Code::INVALID_PARAMETER)?;
    bytes.get(offset..end).ok_or(Code::INVALID_PARAMETER)
}
