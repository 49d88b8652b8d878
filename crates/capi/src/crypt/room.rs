//! What callers give room for: a call without room asks how much it takes.

use super::fault::Fault;
use crate::text::Charset;
use std::ffi::c_void;

/// Puts bytes there, or says how many there are.
///
/// # Safety
/// `data` is null or has as many bytes as `size` says.
pub(crate) unsafe fn put(bytes: &[u8], data: *mut u8, size: *mut u32) -> Result<(), Fault> {
    if size.is_null() {
        return Err(Fault::INVALID_PARAMETER);
    }
    let needed = u32::try_from(bytes.len()).map_err(|_| Fault::MORE_DATA)?;
    // SAFETY: it is not null, so it holds.
    let given = unsafe { size.read_unaligned() };
    // SAFETY: as above.
    unsafe { size.write_unaligned(needed) };
    if data.is_null() {
        return Ok(());
    }
    if given < needed {
        return Err(Fault::MORE_DATA);
    }
    // SAFETY: they fit, as the caller says.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len()) };
    Ok(())
}

/// Puts a text there, cut where it does not fit. The number of its characters, the end mark counted; without room, of
/// the whole text's.
///
/// # Safety
/// `at` is null or has room for as many characters.
pub(crate) unsafe fn put_text<C: Charset>(text: &str, at: *mut c_void, room: u32) -> Result<u32, Fault> {
    let count = |bytes: &[u8]| u32::try_from(bytes.len() / C::WIDTH).unwrap_or(u32::MAX);
    let whole = C::encode(text);
    if at.is_null() || room == 0 {
        return Ok(count(&whole));
    }
    let ends = std::iter::once(text.len()).chain(text.char_indices().rev().map(|(end, _)| end));
    let fitting = ends.filter_map(|end| text.get(..end)).map(C::encode).find(|bytes| count(bytes) <= room);
    let fitting = fitting.ok_or(Fault::MORE_DATA)?;
    // SAFETY: it fits, as the caller says.
    unsafe { std::ptr::copy_nonoverlapping(fitting.as_ptr(), at.cast(), fitting.len()) };
    Ok(count(&fitting))
}

/// The bytes of a caller.
///
/// # Safety
/// `at` is null or has `len` bytes that do not change during the call.
pub(crate) unsafe fn bytes<'b>(at: *const u8, len: u32) -> Result<&'b [u8], Fault> {
    match (at.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Fault::INVALID_PARAMETER),
        // SAFETY: as the caller says.
        (false, len) => Ok(unsafe { std::slice::from_raw_parts(at, len as usize) }),
    }
}

/// Writes an answer where the caller wants it.
///
/// # Safety
/// `at` is null or holds.
pub(crate) unsafe fn write<T>(at: *mut T, value: T) {
    if !at.is_null() {
        // SAFETY: as the caller says.
        unsafe { at.write_unaligned(value) }
    }
}
