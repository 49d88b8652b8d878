//! What a CredHandle stands for, and the functions that make, change and free it.

use crate::abi::{NEVER, SECPKG_CRED_INBOUND, SECPKG_CRED_OUTBOUND, SecHandle};
use crate::code::Code;
use crate::host::{self, Accounts};
use crate::identity::{self, Identity};
use crate::schannel::Recipe;
use crate::secrets::{HostSecrets, OneAccount};
use crate::text::Charset;
use crate::{handles, moment, packages, schannel};
use library::negotiate::{self, PackageList};
use library::{ContextFlags, PackageInfo, ntlm, package};
use portcullis_authority::settings::Settings;
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

/// The side that accepts.
pub(crate) struct Acceptor {
    pub(crate) credential: library::Credential,
    pub(crate) judge: Judge,
}

/// Who says whether a client's proof is right.
#[derive(Clone)]
pub(crate) enum Judge {
    /// An account store.
    Store(Accounts),
    /// The account that the credential was acquired with.
    One(Arc<OneAccount>),
    /// The host program, by what it set when the credential was acquired, or sets in each context.
    Host(HostSecrets),
}

/// The side that initiates.
pub(crate) struct Initiator {
    pub(crate) credential: library::Credential,
    /// The same for calls with a flag: without a name (ISC_REQ_NULL_SESSION), or of TLS one whose host verifies the server
    /// itself (ISC_REQ_MANUAL_CRED_VALIDATION).
    pub(crate) variant: library::Credential,
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
    let end = credential.recipe.as_ref().and_then(Recipe::expiry);
    if end.is_some_and(|end| end <= SystemTime::now()) {
        // Who verifies by itself, or not at all, may still take it.
        tracing::warn!("a credential's own certificate has expired: peers will refuse it");
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
        let initiator = match (&identity, outbound) {
            (Some(identity), true) => Some(Initiator::new(package, identity)?),
            // There is no logon session whose own credentials could be meant.
            (None, true) if !inbound => return Err(Code::NO_CREDENTIALS),
            _ => None,
        };
        let named = identity.as_ref().filter(|identity| !identity.is_nobody()).map(Identity::name);
        let acceptor = if inbound { Some(Acceptor::new(package, identity, outbound)?) } else { None };
        Ok(Self {
            package,
            acceptor,
            initiator,
            recipe: None,
            name: principal.or(named).unwrap_or_else(|| host::names().netbios),
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
        let identity = unsafe { Wanted::identity::<C>(wanted) }?.ok_or(Code::NO_CREDENTIALS)?;
        let initiator = match &credential.initiator {
            Some(_) if outbound => Some(Initiator::new(credential.package, &identity)?),
            Some(Initiator { credential, variant }) => {
                Some(Initiator { credential: credential.clone(), variant: variant.clone() })
            }
            None => None,
        };
        let name = identity.name();
        let acceptor = match &credential.acceptor {
            Some(_) if inbound => Some(Acceptor::new(credential.package, Some(identity), outbound)?),
            Some(acceptor) => Some(acceptor.again()),
            None => None,
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

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What the host requires of a context, in the flags of its side.
    pub(crate) fn required(&self) -> u32 {
        self.required.load(Ordering::Relaxed)
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

impl Acceptor {
    fn new(package: &'static PackageInfo, identity: Option<Identity>, initiates: bool) -> Result<Self, Code> {
        let config = host::config()?;
        let settings = config.settings();
        let packages = identity.as_ref().and_then(|identity| identity.packages.clone());
        let accounts = host::accounts()?;
        let judge = match (identity, accounts) {
            // Who says with one identity both who it is and whom it accepts means the second only where nobody else does.
            (Some(_), accounts) if initiates && accounts != Accounts::None => Judge::Store(accounts),
            (Some(identity), accounts) if !identity.host.is_empty() => match accounts {
                Accounts::None => Judge::Host(identity.host),
                store => {
                    tracing::warn!("an account store is configured: the host's SAM file or hash function is not used");
                    Judge::Store(store)
                }
            },
            (Some(identity), _) if !identity.user.is_empty() => {
                Judge::One(Arc::new(OneAccount::new(&identity.user, &identity.domain, identity.nt_hash())))
            }
            // An identity that names nobody may still say which packages are meant.
            (_, Accounts::None) => Judge::Host(HostSecrets::default()),
            (_, store) => Judge::Store(store),
        };
        let (netbios, dns) = match &judge {
            Judge::Store(accounts) => {
                let store = host::open(accounts)?;
                (store.domain().netbios.clone(), store.domain().dns.clone())
            }
            Judge::One(_) | Judge::Host(_) => (String::new(), String::new()),
        };
        let ntlm = settings.ntlm(&host::names(), &netbios, &dns);
        let credential = match package == &package::NEGOTIATE {
            true => {
                let mut negotiate = settings.negotiate(None, ntlm);
                if let Some(packages) = packages {
                    negotiate.packages = packages;
                }
                if negotiate.offered().next().is_none() {
                    return Err(Code::NO_CREDENTIALS);
                }
                library::Credential::acceptor(negotiate)
            }
            false => library::Credential::acceptor(ntlm),
        };
        Ok(Self { credential, judge })
    }

    /// The same, for a credential that is changed on its other side.
    fn again(&self) -> Self {
        Self { credential: self.credential.clone(), judge: self.judge.clone() }
    }
}

impl Initiator {
    fn new(package: &'static PackageInfo, identity: &Identity) -> Result<Self, Code> {
        let settings = host::config()?.settings();
        let packages = identity.packages.clone().unwrap_or_default();
        let named = match identity.is_nobody() {
            true => ntlm::Initiator::anonymous(),
            false => ntlm::Initiator::with_nt_hash(&identity.user, &identity.domain, identity.nt_hash()),
        };
        Ok(Self {
            credential: initiator(package, named, &packages, &settings)?,
            variant: initiator(package, ntlm::Initiator::anonymous(), &packages, &settings)?,
        })
    }
}

fn initiator(
    package: &'static PackageInfo,
    mut ntlm: ntlm::Initiator,
    packages: &PackageList,
    settings: &Settings,
) -> Result<library::Credential, Code> {
    let names = host::names();
    ntlm.minimum_key = settings.ntlm(&names, "", "").minimum_key;
    ntlm.workstation = names.netbios;
    if package != &package::NEGOTIATE {
        return Ok(library::Credential::initiator(ntlm));
    }
    // Without a mechanism left there is nobody to log on as.
    if !packages.allows(package::NTLM.name) {
        return Err(Code::NO_CREDENTIALS);
    }
    let mut negotiate = negotiate::Initiator::trying([ntlm.into()]);
    negotiate.packages = packages.clone();
    negotiate.direct_when_alone = true;
    Ok(library::Credential::initiator(negotiate))
}

/// The flags of a context that a credential requires, as the library has them.
pub(crate) fn required(credential: &Credential, acceptor: bool) -> ContextFlags {
    crate::flags::wanted(credential.required(), acceptor)
}
