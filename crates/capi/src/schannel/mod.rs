//! Schannel for callers in C: what its arguments are, and what a stream has that other contexts have not.
//!
//! A credential is made of a [`recipe`]: what the caller brought ([`asked`]) and what the configuration adds
//! ([`configured`], [`tickets`]). Its contexts are shaken by `establish`, as all are, with what only a stream's
//! legs have ([`leg`], [`protocols`]); their records are protected by [`message`], and what a stream has to say of its own goes through
//! [`control`]. [`attribute`] and [`renewal`] read and set attributes.

mod asked;
pub(crate) mod attribute;
pub(crate) mod configured;
pub(crate) mod control;
mod layout;
pub(crate) mod leg;
pub(crate) mod message;
pub(crate) mod protocols;
mod recipe;
pub(crate) mod renewal;
mod tickets;

use crate::acceptor::{Acceptor, Judge};
use crate::code::Code;
use crate::host::{self, Accounts};
use crate::initiator::Initiator;
use crate::secrets::HostSecrets;
pub(crate) use recipe::Recipe;
use std::ffi::c_void;

/// What a caller's pAuthData makes, for one side.
///
/// # Safety
/// `auth_data` is null or points to SCHANNEL_CRED or SCH_CREDENTIALS.
pub(crate) unsafe fn recipe(auth_data: *const c_void, accepts: bool) -> Result<Recipe, Code> {
    // SAFETY: as the caller says.
    let asked = if auth_data.is_null() { None } else { Some(unsafe { asked::read(auth_data) }?) };
    let config = host::config()?;
    if accepts { Recipe::server(asked, &config.tls, &host::accounts()?) } else { Recipe::client(asked, &config.tls) }
}

/// The side that accepts. Whose a certificate is, the account store says.
pub(crate) fn acceptor(recipe: &Recipe, accounts: Accounts) -> Result<Acceptor, Code> {
    let judge = if accounts == Accounts::None { Judge::Host(HostSecrets::default()) } else { Judge::Store(accounts) };
    pin::in_memory();
    Ok(Acceptor::of(recipe.make()?, judge))
}

/// The side that initiates.
pub(crate) fn initiator(recipe: &Recipe) -> Result<Initiator, Code> {
    pin::in_memory();
    Ok(Initiator::of(recipe.make()?, recipe.make_unverified()?))
}

mod pin {
    //! The primitives behind TLS have something run when a thread ends that used them, and do not say so to the loader: the
    //! library must stay in memory from then on, whoever closes it.

    use std::ffi::c_void;
    use std::sync::atomic::{AtomicBool, Ordering};

    pub(super) fn in_memory() {
        static DONE: AtomicBool = AtomicBool::new(false);
        if DONE.swap(true, Ordering::Relaxed) {
            return;
        }
        // SAFETY: all fields may be zero.
        let mut about: libc::Dl_info = unsafe { std::mem::zeroed() };
        // SAFETY: an address of this library, and a variable of ours.
        let found = unsafe { libc::dladdr(in_memory as *const c_void, &raw mut about) } != 0;
        if found && !about.dli_fname.is_null() {
            // SAFETY: the loader's own name of what is loaded already. A program that the library is part of is not found by
            // its name, and is never unloaded either.
            let _ = unsafe { libc::dlopen(about.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE) };
        }
    }
}
