//! What is asked of a credential of Schannel and what changes it: another takes its place, and contexts that began with the
//! one before go on with that.

use super::asked;
use super::layout::{CipherStrengths, Counted, SessionTicketKeys};
use super::recipe::Recipe;
use super::tickets::Tickets;
use crate::abi::SecHandle;
use crate::attribute::Place;
use crate::code::Code;
use crate::credential::Credential;
use crate::{handles, memory};
use library::SUITES;
use library::schannel::TicketKeys;
use std::ffi::c_void;
use std::sync::Arc;
use std::time::SystemTime;

const CERT: u32 = 4;
const SUPPORTED_ALGS: u32 = 0x56;
const CIPHER_STRENGTHS: u32 = 0x57;
const SUPPORTED_PROTOCOLS: u32 = 0x58;
const SESSION_TICKET_KEYS: u32 = 0x73;

/// CALG_ECDH_EPHEM, CALG_ECDSA and CALG_RSA_SIGN, which every version here uses beside its suites' algorithms.
const ASYMMETRIC: [u32; 3] = [0xAE06, 0x2203, 0x2400];

/// QueryCredentialsAttributes; `None` for what credentials of every package have.
///
/// # Safety
/// `place` is of the attribute's structure.
pub(crate) unsafe fn query(recipe: &Recipe, attribute: u32, place: &Place) -> Option<Result<Code, Code>> {
    // SAFETY: as the caller says.
    unsafe {
        Some(match attribute {
            CERT => recipe.certificate().ok_or(Code::NO_CREDENTIALS).and_then(|der| counted(der, der.len(), place)),
            SUPPORTED_ALGS => {
                let algorithms = algorithms();
                let bytes: Vec<u8> = algorithms.iter().flat_map(|id| id.to_le_bytes()).collect();
                counted(&bytes, algorithms.len(), place)
            }
            CIPHER_STRENGTHS => place.put(strengths()),
            SUPPORTED_PROTOCOLS => place.put(recipe.protocols()),
            _ => return None,
        })
    }
}

/// # Safety
/// As [`query`].
unsafe fn counted(bytes: &[u8], count: usize, place: &Place) -> Result<Code, Code> {
    place.fits::<Counted>()?;
    let given = memory::copy(bytes)?;
    // SAFETY: as the caller says.
    unsafe { place.put(Counted { count: count as u32, at: given }) }
}

/// CALG_… of all that is spoken here.
pub(super) fn algorithms() -> Vec<u32> {
    let of_suites = SUITES.iter().flat_map(|suite| [suite.cipher_id, suite.hash_id]);
    let mut all: Vec<_> = of_suites.chain(ASYMMETRIC).filter(|id| *id != 0).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn strengths() -> CipherStrengths {
    let bits = || SUITES.iter().map(|suite| suite.cipher_bits);
    CipherStrengths {
        dwMinimumCipherStrength: bits().min().unwrap_or(0),
        dwMaximumCipherStrength: bits().max().unwrap_or(0),
    }
}

/// SetCredentialsAttributes: fewer versions, or the keys of session tickets.
///
/// # Safety
/// `value` is null or has `len` bytes, whose pointers hold.
pub(crate) unsafe fn set(handle: SecHandle, attribute: u32, value: *const c_void, len: u32) -> Result<Code, Code> {
    loop {
        let credential = handles::get::<Credential>(handle)?;
        // SAFETY: as the caller says.
        let changed = unsafe { changed(&credential, attribute, value, len) }?;
        // What another thread changed meanwhile is not undone: this change is made once more, on that.
        if handles::replace(handle, &credential, Arc::new(changed))? {
            return Ok(Code::OK);
        }
    }
}

/// # Safety
/// As [`set`].
unsafe fn changed(credential: &Credential, attribute: u32, value: *const c_void, len: u32) -> Result<Credential, Code> {
    let mut recipe = credential.recipe.clone().ok_or(Code::UNSUPPORTED_FUNCTION)?;
    let holds =
        |size: usize| if value.is_null() || (len as usize) < size { Err(Code::INVALID_PARAMETER) } else { Ok(()) };
    match (attribute, &mut recipe) {
        (SUPPORTED_PROTOCOLS, recipe) => {
            holds(size_of::<u32>())?;
            // SAFETY: as the caller says.
            let enabled = unsafe { value.cast::<u32>().read_unaligned() };
            let wanted = asked::versions(enabled, 0, credential.acceptor.is_some())?;
            let versions = recipe.versions();
            // What was left out stays out.
            versions.retain(|version| wanted.contains(version));
            if versions.is_empty() {
                return Err(Code(library::Status::SEC_E_ALGORITHM_MISMATCH.0));
            }
        }
        (SESSION_TICKET_KEYS, Recipe::Server { tickets, .. }) => {
            holds(size_of::<SessionTicketKeys>())?;
            // SAFETY: as the caller says.
            let given = unsafe { value.cast::<SessionTicketKeys>().read_unaligned() };
            // SAFETY: as the caller says.
            *tickets = Some(unsafe { Tickets::of_host(&given, TicketKeys::LONGEST) }?);
        }
        _ => return Err(Code::UNSUPPORTED_FUNCTION),
    }
    credential.remade(recipe)
}

/// The credential of a handle, with ticket keys that are not too old.
pub(crate) fn current(handle: SecHandle, credential: Arc<Credential>) -> Arc<Credential> {
    let Some(Recipe::Server { identities, settings, tickets: Some(tickets) }) = &credential.recipe else {
        return credential;
    };
    if !tickets.is_stale(SystemTime::now()) {
        return credential;
    }
    let (identities, settings) = (identities.clone(), settings.clone());
    let recipe = Recipe::Server { identities, settings, tickets: Some(tickets.clone().fresh()) };
    let Ok(remade) = credential.remade(recipe).map(Arc::new) else { return credential };
    match handles::replace(handle, &credential, Arc::clone(&remade)) {
        // Another thread changed it meanwhile: what it made holds.
        Ok(false) => handles::get::<Credential>(handle).unwrap_or(remade),
        // Where the handle was given up meanwhile, this call still has its credential.
        Ok(true) | Err(_) => remade,
    }
}
