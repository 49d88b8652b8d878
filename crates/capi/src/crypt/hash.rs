//! CryptHashCertificate, and the hashes that are properties.

use super::fault::Fault;
use super::room;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

pub(crate) fn sha1(bytes: &[u8]) -> Vec<u8> {
    Sha1::digest(bytes).to_vec()
}

pub(crate) fn md5(bytes: &[u8]) -> Vec<u8> {
    Md5::digest(bytes).to_vec()
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// # Safety
/// `encoded` has `len` bytes; `hash` is null or has as many as `size` says.
pub(crate) unsafe fn hash(
    algorithm: u32,
    encoded: *const u8,
    len: u32,
    hash: *mut u8,
    size: *mut u32,
) -> Result<(), Fault> {
    // SAFETY: as the caller says.
    let bytes = unsafe { room::bytes(encoded, len) }?;
    let computed = match algorithm {
        0 | 0x8004 => sha1(bytes),
        0x8003 => md5(bytes),
        0x800c => sha256(bytes),
        0x800d => Sha384::digest(bytes).to_vec(),
        0x800e => Sha512::digest(bytes).to_vec(),
        _ => return Err(Fault::BAD_ALGORITHM),
    };
    // SAFETY: as the caller says.
    unsafe { room::put(&computed, hash, size) }
}
