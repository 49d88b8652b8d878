//! Stores of certificates: in memory, or read from a file.

use super::certificate::encoding;
use super::fault::Fault;
use super::find::Search;
use super::layout::CertContext;
use super::pem;
use super::registry::{Entry, Given, Registry, registry};
use super::room;
use crate::text::{Ansi, Charset as _, Wide};
use portcullis_wire::x509::Certificate;
use std::ffi::c_void;
use std::path::Path;

const MEMORY: usize = 2;
const FILENAME_A: usize = 7;
const FILENAME_W: usize = 8;

/// CERT_CLOSE_STORE_FORCE_FLAG and CERT_CLOSE_STORE_CHECK_FLAG.
const FORCE: u32 = 1;
const CHECK: u32 = 2;
/// CRYPT_E_PENDING_CLOSE.
const PENDING: Fault = Fault(0x8009_200F);

/// # Safety
/// `provider` is a number or a string; `parameter` is what the provider asks for.
pub(crate) unsafe fn open(provider: *const c_void, parameter: *const c_void) -> Result<usize, Fault> {
    // SAFETY: as the caller says.
    let path = unsafe {
        match provider.addr() {
            MEMORY => return Ok(registry().open_store(1)),
            FILENAME_A => Ansi::read(parameter)?,
            FILENAME_W => Wide::read(parameter)?,
            0..=0xffff => return Err(Fault::FILE_NOT_FOUND),
            _ => match Ansi::read(provider)?.as_deref() {
                Some("Memory") => return Ok(registry().open_store(1)),
                Some("File") => Wide::read(parameter)?,
                _ => return Err(Fault::FILE_NOT_FOUND),
            },
        }
    };
    let bytes = pem::file(Path::new(&path.ok_or(Fault::INVALID_ARGUMENT)?))?;
    let found = pem::read(bytes.expose())?;
    let mut registry = registry();
    let store = registry.open_store(1);
    for certificate in &found.certificates {
        if let Err(fault) = registry.insert(store, Given::bare(certificate)) {
            registry.close_store(store, true)?;
            return Err(fault);
        }
    }
    Ok(store)
}

pub(crate) fn duplicate(store: usize) -> Result<usize, Fault> {
    registry().duplicate_store(store).map(|()| store)
}

pub(crate) fn close(store: usize, flags: u32) -> Result<(), Fault> {
    if store == 0 {
        return Ok(());
    }
    let pending = registry().close_store(store, flags & FORCE != 0)?;
    if pending && flags & CHECK != 0 { Err(PENDING) } else { Ok(()) }
}

/// What a store does about a certificate that it has: CERT_STORE_ADD_….
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    New,
    UseExisting,
    Replace { inherit: bool },
    Always,
}

impl Rule {
    fn of(disposition: u32) -> Result<Self, Fault> {
        Ok(match disposition {
            1 => Self::New,
            2 => Self::UseExisting,
            3 => Self::Replace { inherit: false },
            4 => Self::Always,
            5 => Self::Replace { inherit: true },
            _ => return Err(Fault::INVALID_ARGUMENT),
        })
    }
}

/// CertAddCertificateContextToStore. Without a store, the copy is of none.
///
/// # Safety
/// `added` is null or holds.
pub(crate) unsafe fn add(
    store: usize,
    context: *const CertContext,
    disposition: u32,
    added: *mut *const CertContext,
) -> Result<(), Fault> {
    let rule = Rule::of(disposition)?;
    let mut registry = registry();
    let entry = registry.context(context)?;
    let encoded = entry.shown.encoded().to_vec();
    let issuers = chain(&registry, entry).into_iter().skip(1).collect();
    let given = Given { encoded: &encoded, issuers, properties: entry.properties.copy() };
    // SAFETY: as the caller says.
    unsafe { put_and_give(&mut registry, store, given, rule, added) }
}

/// CertAddEncodedCertificateToStore.
///
/// # Safety
/// `encoded` has `len` bytes; `added` is null or holds.
pub(crate) unsafe fn add_encoded(
    store: usize,
    kind: u32,
    encoded: (*const u8, u32),
    disposition: u32,
    added: *mut *const CertContext,
) -> Result<(), Fault> {
    encoding(kind)?;
    let rule = Rule::of(disposition)?;
    // SAFETY: as the caller says.
    let encoded = unsafe { room::bytes(encoded.0, encoded.1) }?;
    let mut registry = registry();
    // SAFETY: as the caller says.
    unsafe { put_and_give(&mut registry, store, Given::bare(encoded), rule, added) }
}

/// # Safety
/// `added` is null or holds.
unsafe fn put_and_give(
    registry: &mut Registry,
    store: usize,
    given: Given<'_>,
    rule: Rule,
    added: *mut *const CertContext,
) -> Result<(), Fault> {
    let made = put(registry, store, given, rule)?;
    registry.hold(made);
    if added.is_null() {
        return registry.release(made);
    }
    // SAFETY: as the caller says.
    unsafe { room::write(added, made) };
    Ok(())
}

fn put(registry: &mut Registry, store: usize, given: Given<'_>, rule: Rule) -> Result<*const CertContext, Fault> {
    let existing = match store {
        0 => None,
        store => {
            let mut members = registry.members(store, std::ptr::null())?;
            members.find(|entry| entry.shown.encoded() == given.encoded).map(|entry| entry.shown.pointer())
        }
    };
    match (existing, rule) {
        (Some(_), Rule::New) => Err(Fault::EXISTS),
        (Some(existing), Rule::UseExisting) => Ok(existing),
        (Some(existing), Rule::Replace { inherit }) => {
            let mut given = given;
            let old = registry.all().find(|entry| entry.shown.pointer() == existing);
            if let Some(old) = old.filter(|_| inherit) {
                given.properties.inherit(&old.properties);
            }
            let made = registry.insert(store, given)?;
            registry.take_out(existing);
            Ok(made)
        }
        _ => registry.insert(store, given),
    }
}

/// The certificate behind `previous`, which is given back, that a search finds.
///
/// # Safety
/// The search's parameter is what its kind asks for.
pub(crate) unsafe fn next(
    store: usize,
    search: Result<Search, Fault>,
    previous: *const CertContext,
) -> Result<*const CertContext, Fault> {
    let mut registry = registry();
    let found = search.and_then(|search| {
        let mut members = registry.members(store, previous)?;
        members.find(|entry| search.fits(&registry, entry)).map(|entry| entry.shown.pointer()).ok_or(Fault::NOT_FOUND)
    });
    let found = found.map(|found| registry.hold(found));
    // Given back whether anything is found or not.
    if !previous.is_null() {
        let given_back = registry.release(previous);
        if let (Ok(found), Err(fault)) = (found, given_back) {
            registry.release(found)?;
            return Err(fault);
        }
    }
    found
}

/// CertDeleteCertificateFromStore: gives the context back, too.
pub(crate) fn delete(context: *const CertContext) -> Result<(), Fault> {
    if context.is_null() {
        return Ok(());
    }
    let mut registry = registry();
    registry.context(context)?;
    registry.take_out(context);
    registry.release(context)
}

/// A certificate and who issued it, as far as its store or those who gave it say; without the root, which a peer must
/// have anyway.
pub(crate) fn chain(registry: &Registry, entry: &Entry) -> Vec<Vec<u8>> {
    let mut chain = vec![entry.shown.encoded().to_vec()];
    if !entry.issuers.is_empty() {
        chain.extend(entry.issuers.iter().cloned());
        return chain;
    }
    let Ok(members) = registry.members(entry.store, std::ptr::null()) else { return chain };
    let members: Vec<_> = members.collect();
    let mut last = entry;
    while chain.len() < LONGEST_CHAIN {
        let Ok(of_last) = last.shown.parsed() else { break };
        let issued = |other: &&Entry| {
            let is_issuer = |parsed: Certificate<'_>| {
                parsed.subject.raw() == of_last.issuer.raw() && parsed.issuer.raw() != parsed.subject.raw()
            };
            other.shown.parsed().is_ok_and(is_issuer) && !chain.iter().any(|known| known == other.shown.encoded())
        };
        let Some(issuer) = members.iter().copied().find(issued) else { break };
        chain.push(issuer.shown.encoded().to_vec());
        last = issuer;
    }
    chain
}

const LONGEST_CHAIN: usize = 16;
