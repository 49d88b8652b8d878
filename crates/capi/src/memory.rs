//! Memory that callers are given and give back by FreeContextBuffer.
//!
//! What is out is known: a pointer that is not of ours, or was given back already, is refused and not touched.

use crate::code::Code;
use crate::lock::Lock;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::BTreeMap;
use std::ffi::c_void;
use zeroize::Zeroize as _;

const SHARDS: usize = 16;
const ALIGN: usize = 16;

/// Address and length of what is out.
static OUT: [Lock<BTreeMap<usize, usize>>; SHARDS] = [const { Lock::new(BTreeMap::new()) }; SHARDS];

fn shard(address: usize) -> Result<&'static Lock<BTreeMap<usize, usize>>, Code> {
    // Neighbours in memory are far apart by their low bits, which alignment leaves zero.
    OUT.get((address / ALIGN) % SHARDS).ok_or(Code::INTERNAL_ERROR)
}

/// Memory of this many bytes, zeroed.
pub(crate) fn allocate(len: usize) -> Result<*mut u8, Code> {
    let layout = Layout::from_size_align(len.max(1), ALIGN).map_err(|_| Code::INSUFFICIENT_MEMORY)?;
    // SAFETY: the layout's size is not zero.
    let given = unsafe { alloc_zeroed(layout) };
    if given.is_null() {
        return Err(Code::INSUFFICIENT_MEMORY);
    }
    shard(given.addr())?.lock().insert(given.addr(), layout.size());
    Ok(given)
}

/// A copy of these bytes for the caller.
pub(crate) fn copy(bytes: &[u8]) -> Result<*mut u8, Code> {
    let given = allocate(bytes.len())?;
    // SAFETY: `given` has room for as many bytes, is fresh, and so does not overlap.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), given, bytes.len()) };
    Ok(given)
}

/// Takes memory back; it is overwritten, since keys and tokens were in it.
pub(crate) fn free(given: *mut c_void) -> Result<Code, Code> {
    if given.is_null() {
        return Ok(Code::OK);
    }
    let len = shard(given.addr())?.lock().remove(&given.addr()).ok_or(Code::INVALID_HANDLE)?;
    let layout = Layout::from_size_align(len, ALIGN).map_err(|_| Code::INTERNAL_ERROR)?;
    let given = given.cast::<u8>();
    // SAFETY: the pointer is one of `allocate`, of this length, and was not given back before: it was in the map.
    unsafe {
        std::slice::from_raw_parts_mut(given, len).zeroize();
        dealloc(given, layout);
    }
    Ok(Code::OK)
}

/// Forgets what is out: the caller keeps it, as it may still read it.
pub(crate) fn forget_all() {
    OUT.iter().for_each(|shard| shard.lock().clear());
}

/// Takes all locks of this part.
///
/// # Safety
/// This thread holds none of them.
pub(crate) unsafe fn take_all() {
    // SAFETY: as the caller says.
    OUT.iter().for_each(|shard| unsafe { shard.take() });
}

/// Releases what [`take_all`] took.
///
/// # Safety
/// `take_all` was called, by this thread or the one that it is the copy of.
pub(crate) unsafe fn release_all() {
    // SAFETY: as the caller says.
    OUT.iter().for_each(|shard| unsafe { shard.release() });
}
