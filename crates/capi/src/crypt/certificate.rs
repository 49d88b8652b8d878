//! Certificate contexts: made, counted, given back, and read from files.

use super::fault::Fault;
use super::key::Key;
use super::layout::{CertContext, X509};
use super::pem::{self, Found};
use super::property::Properties;
use super::registry::{Given, registry};
use super::room;
use crate::text::{Ansi, Charset as _};
use std::ffi::c_void;
use std::path::Path;
use std::sync::Arc;

/// X509_ASN_ENCODING is asked for.
pub(crate) fn encoding(kind: u32) -> Result<(), Fault> {
    if kind & 0xffff == X509 { Ok(()) } else { Err(Fault::INVALID_ARGUMENT) }
}

/// # Safety
/// `encoded` has `len` bytes.
pub(crate) unsafe fn create(kind: u32, encoded: *const u8, len: u32) -> Result<*const CertContext, Fault> {
    encoding(kind)?;
    // SAFETY: as the caller says.
    let encoded = unsafe { room::bytes(encoded, len) }?;
    let mut registry = registry();
    let made = registry.insert(0, Given::bare(encoded))?;
    Ok(registry.hold(made))
}

pub(crate) fn duplicate(context: *const CertContext) -> Result<*const CertContext, Fault> {
    if context.is_null() {
        return Ok(context);
    }
    let mut registry = registry();
    registry.context(context)?;
    Ok(registry.hold(context))
}

pub(crate) fn free(context: *const CertContext) -> Result<(), Fault> {
    if context.is_null() { Ok(()) } else { registry().release(context) }
}

/// A context of the first of these certificates, whose store has them all and goes with it.
pub(crate) fn of_chain(chain: &[Vec<u8>], key: Option<Key>) -> Result<*const CertContext, Fault> {
    let (leaf, others) = chain.split_first().ok_or(Fault::NOT_FOUND)?;
    let mut registry = registry();
    let store = registry.open_store(1);
    let properties = Properties::new(key.map(Arc::new), None);
    let first = registry.insert(store, Given { encoded: leaf, issuers: others.into(), properties });
    let first = first.map(|first| registry.hold(first));
    let all = others.iter().try_for_each(|other| registry.insert(store, Given::bare(other)).map(drop));
    if all.is_err()
        && let Ok(first) = first
    {
        registry.release(first)?;
    }
    // From now on it is open for the leaf alone.
    registry.close_store(store, false)?;
    all.and(first)
}

/// PortcullisCertificateFromPem.
///
/// # Safety
/// The paths are null or strings.
pub(crate) unsafe fn of_files(certificates: *const c_void, key: *const c_void) -> Result<*const CertContext, Fault> {
    // SAFETY: as the caller says.
    let (certificates, key) = unsafe { (Ansi::read(certificates)?, Ansi::read(key)?) };
    let certificates = pem::file(Path::new(&certificates.ok_or(Fault::INVALID_PARAMETER)?))?;
    let key = key.map(|path| pem::file(Path::new(&path))).transpose()?;
    of_bytes(certificates.expose(), key.as_ref().map(|key| key.expose().as_slice()))
}

/// PortcullisCertificateFromMemory.
///
/// # Safety
/// Each has as many bytes as its length says.
pub(crate) unsafe fn of_memory(
    certificates: *const u8,
    len: u32,
    key: *const u8,
    key_len: u32,
) -> Result<*const CertContext, Fault> {
    // SAFETY: as the caller says.
    let certificates = unsafe { room::bytes(certificates, len) }?;
    // SAFETY: as the caller says.
    let key = if key.is_null() { None } else { Some(unsafe { room::bytes(key, key_len) }?) };
    of_bytes(certificates, key)
}

/// The key stands among the certificates where it does not come apart from them.
fn of_bytes(certificates: &[u8], key: Option<&[u8]>) -> Result<*const CertContext, Fault> {
    let Found { certificates, mut keys, mut encrypted } = pem::read(certificates)?;
    if let Some(key) = key {
        Found { keys, encrypted, .. } = pem::read(key)?;
        if keys.is_empty() && !encrypted {
            tracing::error!("no private key is where one was to be read");
            return Err(Fault::NO_KEY);
        }
    }
    if encrypted && keys.is_empty() {
        tracing::error!(
            "the private key is encrypted, and there is no way to bring its password: decrypt it (openssl pkey), or \
             import it as PKCS#12 by PFXImportCertStore"
        );
        return Err(Fault::NOT_SUPPORTED);
    }
    of_chain(&certificates, keys.into_iter().next())
}
