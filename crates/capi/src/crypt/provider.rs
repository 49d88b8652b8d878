//! CryptAcquireContext and its keys: containers live in this process alone, and nothing is written anywhere.

use super::fault::Fault;
use super::key::Key;
use super::registry::{Container, Provider, registry};
use super::room;
use crate::text::Charset;
use std::ffi::c_void;

const VERIFYCONTEXT: u32 = 0xf000_0000;
const NEWKEYSET: u32 = 8;
const DELETEKEYSET: u32 = 16;

/// # Safety
/// `name` is null or a string; `handle` is null or holds.
pub(crate) unsafe fn acquire<C: Charset>(handle: *mut usize, name: *const c_void, flags: u32) -> Result<(), Fault> {
    // SAFETY: as the caller says. Without a name it is the user's own container.
    let name = unsafe { C::read(name) }?.unwrap_or_default();
    if handle.is_null() && flags & DELETEKEYSET == 0 {
        return Err(Fault::INVALID_PARAMETER);
    }
    let mut registry = registry();
    let provider = if flags & VERIFYCONTEXT != 0 {
        Provider::Alone(Container::default())
    } else if flags & DELETEKEYSET != 0 {
        return registry.containers.remove(&name).map(drop).ok_or(Fault::BAD_KEYSET);
    } else if flags & NEWKEYSET == 0 {
        registry.containers.get(&name).ok_or(Fault::BAD_KEYSET)?;
        Provider::Named(name)
    } else if registry.containers.contains_key(&name) {
        return Err(Fault::CONTAINER_EXISTS);
    } else {
        registry.containers.insert(name.clone(), Container::default());
        Provider::Named(name)
    };
    let made = registry.add_provider(provider);
    // SAFETY: as the caller says.
    unsafe { room::write(handle, made) };
    Ok(())
}

/// # Safety
/// `blob` has `len` bytes; `handle` is null or holds.
pub(crate) unsafe fn import(provider: usize, blob: *const u8, len: u32, handle: *mut usize) -> Result<(), Fault> {
    // SAFETY: as the caller says.
    let blob = unsafe { room::bytes(blob, len) }?;
    if handle.is_null() {
        return Err(Fault::INVALID_PARAMETER);
    }
    registry().container(provider)?;
    let (key, spec) = Key::of_blob(blob)?;
    let made = registry().add_key(provider, spec, key)?;
    // SAFETY: as the caller says.
    unsafe { room::write(handle, made) };
    Ok(())
}

pub(crate) fn release(provider: usize) -> Result<(), Fault> {
    registry().remove_provider(provider)
}

pub(crate) fn destroy_key(key: usize) -> Result<(), Fault> {
    registry().remove_key(key)
}
