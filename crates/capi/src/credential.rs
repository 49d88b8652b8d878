//! What a CredHandle stands for, and the functions that make, change and free it.

use crate::abi::{NEVER, SECPKG_CRED_INBOUND, SECPKG_CRED_OUTBOUND, SecHandle};
use crate::acceptor::{Acceptor, Judge};
use crate::code::Code;
use crate::host::{self, Accounts};
use crate::identity::{self, Identity};
use crate::initiator::Initiator;
use crate::kerberos::Tickets;
use crate::schannel::Recipe;
use crate::text::Charset;
use crate::{handles, moment, packages, schannel};
use library::{ContextFlags, PackageInfo, package};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

/// Immutable, but for what the host requires of contexts that are still to come. It may be freed while contexts of it live.
pub(crate) struct Credential {
    pub(crate) package: &'static PackageInfo,
    pub(crate) acceptor: Option<Acceptor>,
    pub(crate) initiator: Option<Initiator>,
    /// What a credential of TLS is made of.
    pub(crate) recipe: Option<Recipe>,
    /// What SECPKG_CRED_ATTR_NAMES answers.
    name: String,
    /// What a context must be granted: PortcullisRequireContextFlags. Shared by all that take each other's place behind one handle.
    required: Arc<AtomicU32>,
}

/// SECPKG_CRED_AUTOLOGON_RESTRICTED: the user's own logon is not to be used. There is none here that could be.
const AUTOLOGON_RESTRICTED: u32 = 0x10;
/// SECPKG_CRED_PROCESS_POLICY_ONLY.
const PROCESS_POLICY_ONLY: u32 = 0x20;
/// SECPKG_CRED_RESERVED.
const RESERVED: u32 = 0xF000_0000;

/// What AcquireCredentialsHandle and AddCredentials are called with.
pub(crate) struct Wanted {
    pub(crate) principal: *const c_void,
    pub(crate) package: *const c_void,
    pub(crate) direction: u32,
    pub(crate) logon_id: *const c_void,
    pub(crate) identity: *const c_void,
}

/// AcquireCredentialsHandle.
///
/// # Safety
/// The pointers are null or hold.
pub(crate) unsafe fn acquire<C: Charset>(
    wanted: &Wanted,
    handle: *mut SecHandle,
    expiry: *mut c_void,
) -> Result<Code, Code> {
    if handle.is_null() {
        return Err(Code::INVALID_HANDLE);
    }
    // SAFETY: as the caller says.
    let credential = unsafe { Credential::new::<C>(wanted) }?;
    let end = credential.expiry();
    if end.is_some_and(|end| end <= SystemTime::now()) {
        // Who verifies by itself, or not at all, may still take the one; the other may be renewed.
        tracing::warn!("a credential's own certificate or ticket has expired: peers will refuse it");
    }
    let end = end.map_or(NEVER, moment::local);
    let made = handles::insert(Arc::new(credential))?;
    // SAFETY: the caller's variables; a TimeStamp may be aligned as its halves are.
    unsafe {
        handle.write_unaligned(made);
        if !expiry.is_null() {
            expiry.cast::<i64>().write_unaligned(end);
        }
    }
    Ok(Code::OK)
}

/// AddCredentials: an identity more for Negotiate's mechanism. NTLM's own credentials hold one.
///
/// # Safety
/// As [`acquire`].
pub(crate) unsafe fn add<C: Charset>(
    handle: *const SecHandle,
    wanted: &Wanted,
    expiry: *mut c_void,
) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let handle = unsafe { read_handle(handle) }?;
    loop {
        let credential = handles::get::<Credential>(handle)?;
        if credential.package != &package::NEGOTIATE {
            return Err(Code::UNSUPPORTED_FUNCTION);
        }
        // SAFETY: as the caller says.
        let added = unsafe { Credential::added_to::<C>(&credential, wanted) }?;
        if handles::replace(handle, &credential, Arc::new(added))? {
            break;
        }
    }
    if !expiry.is_null() {
        // SAFETY: the caller's variable.
        unsafe { expiry.cast::<i64>().write_unaligned(NEVER) };
    }
    Ok(Code::OK)
}

/// FreeCredentialsHandle.
///
/// # Safety
/// `handle` is null or points to a handle.
pub(crate) unsafe fn free(handle: *const SecHandle) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let was_there = handles::remove::<Credential>(unsafe { read_handle(handle) }?)?;
    if was_there { Ok(Code::OK) } else { Err(Code::INVALID_HANDLE) }
}

/// PortcullisRequireContextFlags.
///
/// # Safety
/// As [`free`].
pub(crate) unsafe fn require(handle: *const SecHandle, flags: u32) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let credential = handles::get::<Credential>(unsafe { read_handle(handle) }?)?;
    credential.required.store(flags, Ordering::Relaxed);
    Ok(Code::OK)
}

/// A caller's handle.
///
/// # Safety
/// `handle` is null or points to one.
pub(crate) unsafe fn read_handle(handle: *const SecHandle) -> Result<SecHandle, Code> {
    if handle.is_null() {
        return Err(Code::INVALID_HANDLE);
    }
    // SAFETY: as the caller says.
    Ok(unsafe { handle.read_unaligned() })
}

impl Credential {
    /// # Safety
    /// As [`acquire`].
    unsafe fn new<C: Charset>(wanted: &Wanted) -> Result<Self, Code> {
        // SAFETY: as the caller says.
        let name = unsafe { C::read(wanted.package) }?.ok_or(Code::SECPKG_NOT_FOUND)?;
        let package = packages::named(&name)?;
        let (inbound, outbound) = directions(wanted)?;
        if package == &package::NEGOTIATE && wanted.direction & PROCESS_POLICY_ONLY != 0 {
            return Err(Code::NO_CREDENTIALS);
        }
        // SAFETY: as the caller says.
        let principal = unsafe { C::read(wanted.principal) }?;
        if packages::is_stream(package) {
            // SAFETY: as the caller says.
            return unsafe { Self::of_channel(package, principal, wanted.identity, (inbound, outbound)) };
        }
        // SAFETY: as the caller says.
        let identity = unsafe { Wanted::identity::<C>(wanted) }?;
        let sides = Sides { package, inbound, outbound, principal };
        let tickets = sides.tickets(identity.as_ref());
        let initiator = match outbound {
            true => Initiator::new(package, identity.as_ref(), tickets.clone())?,
            false => None,
        };
        // Who only accepts by one, may be nobody itself.
        if outbound && !inbound && initiator.is_none() {
            return Err(Code::NO_CREDENTIALS);
        }
        let named = identity.as_ref().filter(|identity| !identity.is_nobody()).map(Identity::name);
        let acceptor = if inbound { Some(sides.acceptor(identity, tickets.as_ref())?) } else { None };
        let client = initiator.as_ref().and_then(Initiator::name);
        // Of Kerberos who it is is written in tickets and keys; of others what the caller says.
        let name = match package == &package::KERBEROS {
            true => {
                let called = sides.principal.filter(|_| inbound);
                called.or(client).or_else(|| acceptor.as_ref().and_then(Acceptor::name))
            }
            false => sides.principal.or(named).or(client),
        };
        Ok(Self {
            package,
            acceptor,
            initiator,
            recipe: None,
            name: name.unwrap_or_else(|| host::names().netbios),
            required: Arc::default(),
        })
    }

    /// # Safety
    /// As [`add`].
    unsafe fn added_to<C: Charset>(credential: &Self, wanted: &Wanted) -> Result<Self, Code> {
        // SAFETY: as the caller says.
        let name = unsafe { C::read(wanted.package) }?.ok_or(Code::SECPKG_NOT_FOUND)?;
        packages::named(&name)?;
        let (inbound, outbound) = directions(wanted)?;
        // A credential stays what it is for: one that accepts is not made to initiate.
        if inbound && credential.acceptor.is_none() || outbound && credential.initiator.is_none() {
            return Err(Code::UNKNOWN_CREDENTIALS);
        }
        // SAFETY: as the caller says.
        let principal = unsafe { C::read(wanted.principal) }?;
        // SAFETY: as the caller says.
        let identity = unsafe { Wanted::identity::<C>(wanted) }?.ok_or(Code::NO_CREDENTIALS)?;
        let sides = Sides { package: credential.package, inbound, outbound, principal };
        let tickets = sides.tickets(Some(&identity));
        let initiator = match &credential.initiator {
            Some(_) if outbound => Some(
                Initiator::new(credential.package, Some(&identity), tickets.clone())?.ok_or(Code::NO_CREDENTIALS)?,
            ),
            before => before.clone(),
        };
        let name = identity.name();
        let acceptor = match &credential.acceptor {
            Some(_) if inbound => Some(sides.acceptor(Some(identity), tickets.as_ref())?),
            before => before.clone(),
        };
        let required = Arc::clone(&credential.required);
        Ok(Self { package: credential.package, acceptor, initiator, recipe: None, name, required })
    }

    /// One of TLS: a certificate stands where others have an identity, and it is for one side alone.
    ///
    /// # Safety
    /// As [`acquire`].
    unsafe fn of_channel(
        package: &'static PackageInfo,
        principal: Option<String>,
        auth_data: *const c_void,
        sides: (bool, bool),
    ) -> Result<Self, Code> {
        let accepts = match sides {
            (true, true) | (false, false) => return Err(Code::UNKNOWN_CREDENTIALS),
            (accepts, _) => accepts,
        };
        // SAFETY: as the caller says.
        let recipe = unsafe { schannel::recipe(auth_data, accepts) }?;
        let acceptor = if accepts { Some(schannel::acceptor(&recipe, host::accounts()?)?) } else { None };
        let initiator = if accepts { None } else { Some(schannel::initiator(&recipe)?) };
        let name = principal.unwrap_or_else(|| host::names().netbios);
        Ok(Self { package, acceptor, initiator, recipe: Some(recipe), name, required: Arc::default() })
    }

    /// The same credential of TLS by another recipe.
    pub(crate) fn remade(&self, recipe: Recipe) -> Result<Self, Code> {
        let accounts = match self.acceptor.as_ref().map(|acceptor| &acceptor.judge) {
            Some(Judge::Store(accounts)) => accounts.clone(),
            _ => Accounts::None,
        };
        let acceptor = self.acceptor.as_ref().map(|_| schannel::acceptor(&recipe, accounts)).transpose()?;
        let initiator = self.initiator.as_ref().map(|_| schannel::initiator(&recipe)).transpose()?;
        let (name, required) = (self.name.clone(), Arc::clone(&self.required));
        Ok(Self { package: self.package, acceptor, initiator, recipe: Some(recipe), name, required })
    }

    /// The same with the tickets that its credential cache holds now; `None` where nothing has changed.
    pub(crate) fn newer(&self) -> Option<Self> {
        let initiator = self.initiator.as_ref()?.newer()?;
        let (acceptor, recipe) = (self.acceptor.clone(), self.recipe.clone());
        let (name, required) = (self.name.clone(), Arc::clone(&self.required));
        Some(Self { package: self.package, acceptor, initiator: Some(initiator), recipe, name, required })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Until when the credential is good; `None` for ever.
    fn expiry(&self) -> Option<SystemTime> {
        match &self.recipe {
            Some(recipe) => recipe.expiry(),
            // A service's keys have no end; a client's tickets have.
            None if self.acceptor.is_some() => None,
            None => self.initiator.as_ref().and_then(Initiator::expiry),
        }
    }

    /// What the host requires of a context, in the flags of its side.
    pub(crate) fn required(&self) -> u32 {
        self.required.load(Ordering::Relaxed)
    }
}

/// What a credential is to be for.
struct Sides {
    package: &'static PackageInfo,
    inbound: bool,
    outbound: bool,
    principal: Option<String>,
}

impl Sides {
    /// The client's tickets, where the package and the side have use for some.
    fn tickets(&self, identity: Option<&Identity>) -> Option<Tickets> {
        // A host's own tickets are nobody's else: who says that it has no name is not called by one.
        let nobody = identity.is_some_and(|identity| identity.is_nobody() && identity.kerberos.cache.is_none());
        if !self.outbound || nobody || !packages::offers_kerberos(self.package) {
            return None;
        }
        // Of both sides the name is the service's.
        let client = self.principal.as_deref().filter(|_| self.package == &package::KERBEROS && !self.inbound);
        Tickets::find(identity, client)
    }

    fn acceptor(&self, identity: Option<Identity>, tickets: Option<&Tickets>) -> Result<Acceptor, Code> {
        let granting = tickets.and_then(|tickets| tickets.granting.clone());
        Acceptor::new(self.package, self.principal.as_deref(), identity, self.outbound, granting)
    }
}

/// Which sides are wanted.
fn directions(wanted: &Wanted) -> Result<(bool, bool), Code> {
    let known = SECPKG_CRED_INBOUND | SECPKG_CRED_OUTBOUND | AUTOLOGON_RESTRICTED | PROCESS_POLICY_ONLY | RESERVED;
    let (inbound, outbound) =
        (wanted.direction & SECPKG_CRED_INBOUND != 0, wanted.direction & SECPKG_CRED_OUTBOUND != 0);
    if wanted.direction & !known != 0 || !(inbound || outbound) {
        return Err(Code::UNKNOWN_CREDENTIALS);
    }
    // Another logon's credentials are for those who may have them, and nobody may here.
    if !wanted.logon_id.is_null() {
        return Err(Code::NOT_OWNER);
    }
    Ok((inbound, outbound))
}

impl Wanted {
    /// # Safety
    /// As [`acquire`].
    unsafe fn identity<C: Charset>(&self) -> Result<Option<Identity>, Code> {
        if self.identity.is_null() {
            return Ok(None);
        }
        // SAFETY: as the caller says.
        unsafe { identity::read::<C>(self.identity) }.map(Some)
    }
}

/// The flags of a context that a credential requires, as the library has them.
pub(crate) fn required(credential: &Credential, acceptor: bool) -> ContextFlags {
    crate::flags::wanted(credential.required(), acceptor)
}
