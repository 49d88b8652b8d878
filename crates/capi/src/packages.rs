//! The packages that callers can ask for.

use crate::abi::SecPkgInfo;
use crate::code::Code;
use crate::memory;
use crate::text::Charset;
use library::{PackageInfo, package};
use std::ffi::c_void;

/// The package of a name, whatever its case.
pub(crate) fn named(name: &str) -> Result<&'static PackageInfo, Code> {
    package::TABLE.iter().copied().find(|row| row.name.eq_ignore_ascii_case(name)).ok_or(Code::SECPKG_NOT_FOUND)
}

/// Whether a package's contexts are streams (SECPKG_FLAG_STREAM): TLS under its names.
pub(crate) fn is_stream(row: &PackageInfo) -> bool {
    const STREAM: u32 = 0x400;
    row.capabilities & STREAM != 0
}

/// Whether Kerberos is what a package does, or can.
pub(crate) fn offers_kerberos(row: &PackageInfo) -> bool {
    [&package::KERBEROS, &package::NEGOTIATE].contains(&row)
}

/// EnumerateSecurityPackages.
///
/// # Safety
/// The pointers are null or variables of the caller's.
pub(crate) unsafe fn enumerate<C: Charset>(count: *mut u32, infos: *mut *mut SecPkgInfo) -> Result<Code, Code> {
    if count.is_null() || infos.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    let given = give::<C>(package::TABLE)?;
    // SAFETY: as the caller says.
    unsafe {
        count.write_unaligned(package::TABLE.len() as u32);
        infos.write_unaligned(given);
    }
    Ok(Code::OK)
}

/// QuerySecurityPackageInfo.
///
/// # Safety
/// The pointers are null or hold.
pub(crate) unsafe fn query<C: Charset>(name: *const c_void, info: *mut *mut SecPkgInfo) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let name = unsafe { C::read(name) }?.ok_or(Code::SECPKG_NOT_FOUND)?;
    let row = named(&name)?;
    if info.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: as the caller says.
    unsafe { info.write_unaligned(give::<C>(&[row])?) };
    Ok(Code::OK)
}

/// SecPkgInfo of each of these, in one piece of memory with its strings.
pub(crate) fn give<C: Charset>(rows: &[&PackageInfo]) -> Result<*mut SecPkgInfo, Code> {
    let head = size_of::<SecPkgInfo>() * rows.len();
    let mut strings = Vec::new();
    let mut places = Vec::new();
    for row in rows {
        for text in [row.name, row.comment] {
            places.push(head + strings.len());
            strings.extend(C::encode(text));
        }
    }
    let given = memory::allocate(head + strings.len())?;
    // SAFETY: `given` has room for the structures and, behind them, for the strings.
    unsafe { std::ptr::copy_nonoverlapping(strings.as_ptr(), given.add(head), strings.len()) };
    // SAFETY: the places lie inside what was allocated.
    let at = |number: usize| places.get(number).map_or(std::ptr::null_mut(), |place| unsafe { given.add(*place) });
    for (number, row) in rows.iter().enumerate() {
        let info = SecPkgInfo {
            fCapabilities: row.capabilities,
            wVersion: row.version,
            wRPCID: row.rpc_id,
            cbMaxToken: row.max_token,
            Name: at(2 * number).cast(),
            Comment: at(2 * number + 1).cast(),
        };
        // SAFETY: there is room for as many structures, and the memory is aligned for them.
        unsafe { given.cast::<SecPkgInfo>().add(number).write(info) };
    }
    Ok(given.cast())
}
