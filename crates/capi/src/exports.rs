//! The functions by their names. Each is two: one that the function tables and this library's own code use, which no other
//! library can put itself before, and one that the linker knows by its name in `sspi.h`.

use crate::abi::{GetKey, SecBuffer, SecBufferDesc, SecHandle, SecPkgInfo, SecurityStatus, TokenInfo};
use crate::attribute::{self, Place};
use crate::code::{self, Code, answer};
use crate::complete;
use crate::credential::{self, Wanted};
use crate::establish::{self, Leg};
use crate::log::{self, LogFn};
use crate::message::{Work, protect};
use crate::password::{self, Change};
use crate::text::{Ansi, Charset, Wide};
use crate::{host, kerberos, memory, packages, schannel, token, transfer};
use std::ffi::{c_char, c_void};

/// Declares functions: `name as private(arguments) { body }`, the body giving what the status is made from.
macro_rules! exports {
    ($($(#[$doc:meta])* $name:ident as $private:ident($($argument:ident: $kind:ty),* $(,)?) $body:block)*) => { $(
        $(#[$doc])*
        pub(crate) unsafe extern "C" fn $private($($argument: $kind),*) -> SecurityStatus {
            // SAFETY: what the header asks of callers is what the body needs.
            #[allow(unused_unsafe, reason = "some bodies follow no pointer")]
            answer(|| unsafe { $body })
        }

        $(#[$doc])*
        ///
        /// # Safety
        /// As the header says: pointers are null where they may be, or hold.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $kind),*) -> SecurityStatus {
            // SAFETY: as the caller says.
            unsafe { $private($($argument),*) }
        }
    )* };
}

exports! {
    /// All packages, in one piece of memory.
    EnumerateSecurityPackagesA as enumerate_a(count: *mut u32, infos: *mut *mut SecPkgInfo) {
        packages::enumerate::<Ansi>(count, infos)
    }
    /// As EnumerateSecurityPackagesA.
    EnumerateSecurityPackagesW as enumerate_w(count: *mut u32, infos: *mut *mut SecPkgInfo) {
        packages::enumerate::<Wide>(count, infos)
    }
    /// One package.
    QuerySecurityPackageInfoA as package_info_a(name: *const c_void, info: *mut *mut SecPkgInfo) {
        packages::query::<Ansi>(name, info)
    }
    /// As QuerySecurityPackageInfoA.
    QuerySecurityPackageInfoW as package_info_w(name: *const c_void, info: *mut *mut SecPkgInfo) {
        packages::query::<Wide>(name, info)
    }
    /// Packages are those of this library.
    AddSecurityPackageA as add_package_a(_name: *const c_void, _options: *const c_void) {
        Err(Code::UNSUPPORTED_FUNCTION)
    }
    /// As AddSecurityPackageA.
    AddSecurityPackageW as add_package_w(_name: *const c_void, _options: *const c_void) {
        Err(Code::UNSUPPORTED_FUNCTION)
    }
    /// As AddSecurityPackageA.
    DeleteSecurityPackageA as delete_package_a(_name: *const c_void) {
        Err(Code::UNSUPPORTED_FUNCTION)
    }
    /// As AddSecurityPackageA.
    DeleteSecurityPackageW as delete_package_w(_name: *const c_void) {
        Err(Code::UNSUPPORTED_FUNCTION)
    }

    /// A credential.
    AcquireCredentialsHandleA as acquire_a(
        principal: *const c_void, package: *const c_void, direction: u32, logon_id: *const c_void,
        identity: *const c_void, _get_key: GetKey, _argument: *mut c_void, handle: *mut SecHandle, expiry: *mut c_void,
    ) {
        let wanted = Wanted { principal, package, direction, logon_id, identity };
        credential::acquire::<Ansi>(&wanted, handle, expiry)
    }
    /// As AcquireCredentialsHandleA.
    AcquireCredentialsHandleW as acquire_w(
        principal: *const c_void, package: *const c_void, direction: u32, logon_id: *const c_void,
        identity: *const c_void, _get_key: GetKey, _argument: *mut c_void, handle: *mut SecHandle, expiry: *mut c_void,
    ) {
        let wanted = Wanted { principal, package, direction, logon_id, identity };
        credential::acquire::<Wide>(&wanted, handle, expiry)
    }
    /// An identity more in a Negotiate credential.
    AddCredentialsA as add_a(
        handle: *const SecHandle, principal: *const c_void, package: *const c_void, direction: u32,
        identity: *const c_void, _get_key: GetKey, _argument: *mut c_void, expiry: *mut c_void,
    ) {
        let wanted = Wanted { principal, package, direction, logon_id: std::ptr::null(), identity };
        credential::add::<Ansi>(handle, &wanted, expiry)
    }
    /// As AddCredentialsA.
    AddCredentialsW as add_w(
        handle: *const SecHandle, principal: *const c_void, package: *const c_void, direction: u32,
        identity: *const c_void, _get_key: GetKey, _argument: *mut c_void, expiry: *mut c_void,
    ) {
        let wanted = Wanted { principal, package, direction, logon_id: std::ptr::null(), identity };
        credential::add::<Wide>(handle, &wanted, expiry)
    }
    /// Frees a credential; contexts of it go on.
    FreeCredentialsHandle as free_credential(handle: *const SecHandle) {
        credential::free(handle)
    }
    /// What a credential is.
    QueryCredentialsAttributesA as credential_attribute_a(
        handle: *const SecHandle, attribute: u32, value: *mut c_void,
    ) {
        attribute::of_credential::<Ansi>(handle, attribute, &Place::new(value, None))
    }
    /// As QueryCredentialsAttributesA.
    QueryCredentialsAttributesW as credential_attribute_w(
        handle: *const SecHandle, attribute: u32, value: *mut c_void,
    ) {
        attribute::of_credential::<Wide>(handle, attribute, &Place::new(value, None))
    }
    /// As QueryCredentialsAttributesA, with the structure's size.
    QueryCredentialsAttributesExA as credential_attribute_ex_a(
        handle: *const SecHandle, attribute: u32, value: *mut c_void, size: u32,
    ) {
        attribute::of_credential::<Ansi>(handle, attribute, &Place::new(value, Some(size)))
    }
    /// As QueryCredentialsAttributesExA.
    QueryCredentialsAttributesExW as credential_attribute_ex_w(
        handle: *const SecHandle, attribute: u32, value: *mut c_void, size: u32,
    ) {
        attribute::of_credential::<Wide>(handle, attribute, &Place::new(value, Some(size)))
    }
    /// Kerberos' and Schannel's.
    SetCredentialsAttributesA as set_credential_attribute_a(
        handle: *const SecHandle, attribute: u32, value: *mut c_void, size: u32,
    ) {
        attribute::set_of_credential(handle, attribute, value, size)
    }
    /// As SetCredentialsAttributesA.
    SetCredentialsAttributesW as set_credential_attribute_w(
        handle: *const SecHandle, attribute: u32, value: *mut c_void, size: u32,
    ) {
        attribute::set_of_credential(handle, attribute, value, size)
    }
    /// A new password for whoever knows the old one.
    ChangeAccountPasswordA as change_password_a(
        package: *const c_void, domain: *const c_void, account: *const c_void, old: *const c_void,
        new: *const c_void, _impersonating: u8, _reserved: u32, output: *mut SecBufferDesc,
    ) {
        password::change::<Ansi>(&Change { package, domain, account, old, new }, output)
    }
    /// As ChangeAccountPasswordA.
    ChangeAccountPasswordW as change_password_w(
        package: *const c_void, domain: *const c_void, account: *const c_void, old: *const c_void,
        new: *const c_void, _impersonating: u8, _reserved: u32, output: *mut SecBufferDesc,
    ) {
        password::change::<Wide>(&Change { package, domain, account, old, new }, output)
    }

    /// A client's leg.
    InitializeSecurityContextA as initialize_a(
        credential: *const SecHandle, context: *const SecHandle, target: *const c_void, request: u32,
        _reserved: u32, representation: u32, input: *mut SecBufferDesc, _reserved2: u32,
        new_context: *mut SecHandle, output: *mut SecBufferDesc, granted: *mut u32, expiry: *mut c_void,
    ) {
        let target = Ansi::read(target)?;
        establish::run(&Leg {
            acceptor: false, credential, context, input, request, representation, target, new_context, output, granted,
            expiry,
        })
    }
    /// As InitializeSecurityContextA.
    InitializeSecurityContextW as initialize_w(
        credential: *const SecHandle, context: *const SecHandle, target: *const c_void, request: u32,
        _reserved: u32, representation: u32, input: *mut SecBufferDesc, _reserved2: u32,
        new_context: *mut SecHandle, output: *mut SecBufferDesc, granted: *mut u32, expiry: *mut c_void,
    ) {
        let target = Wide::read(target)?;
        establish::run(&Leg {
            acceptor: false, credential, context, input, request, representation, target, new_context, output, granted,
            expiry,
        })
    }
    /// A server's leg.
    AcceptSecurityContext as accept(
        credential: *const SecHandle, context: *const SecHandle, input: *mut SecBufferDesc, request: u32,
        representation: u32, new_context: *mut SecHandle, output: *mut SecBufferDesc, granted: *mut u32,
        expiry: *mut c_void,
    ) {
        establish::run(&Leg {
            acceptor: true, credential, context, input, request, representation, target: None, new_context, output, granted,
            expiry,
        })
    }
    /// Goes on with the secret that a host brought.
    CompleteAuthToken as complete(context: *const SecHandle, message: *mut SecBufferDesc) {
        complete::complete(context, message)
    }
    /// Schannel's.
    ApplyControlToken as control(context: *const SecHandle, input: *mut SecBufferDesc) {
        schannel::control::apply(context, input)
    }
    /// Gives a context up, in every state.
    DeleteSecurityContext as delete(context: *const SecHandle) {
        complete::delete(context)
    }
    /// What a context is.
    QueryContextAttributesA as attribute_a(context: *const SecHandle, attribute: u32, value: *mut c_void) {
        attribute::query::<Ansi>(context, attribute, &Place::new(value, None))
    }
    /// As QueryContextAttributesA.
    QueryContextAttributesW as attribute_w(context: *const SecHandle, attribute: u32, value: *mut c_void) {
        attribute::query::<Wide>(context, attribute, &Place::new(value, None))
    }
    /// As QueryContextAttributesA, with the structure's size.
    QueryContextAttributesExA as attribute_ex_a(
        context: *const SecHandle, attribute: u32, value: *mut c_void, size: u32,
    ) {
        attribute::query::<Ansi>(context, attribute, &Place::new(value, Some(size)))
    }
    /// As QueryContextAttributesExA.
    QueryContextAttributesExW as attribute_ex_w(
        context: *const SecHandle, attribute: u32, value: *mut c_void, size: u32,
    ) {
        attribute::query::<Wide>(context, attribute, &Place::new(value, Some(size)))
    }
    /// WinPR's private attributes.
    SetContextAttributesA as set_attribute_a(
        context: *const SecHandle, attribute: u32, value: *mut c_void, size: u32,
    ) {
        attribute::set(context, attribute, value, size)
    }
    /// As SetContextAttributesA.
    SetContextAttributesW as set_attribute_w(
        context: *const SecHandle, attribute: u32, value: *mut c_void, size: u32,
    ) {
        attribute::set(context, attribute, value, size)
    }

    /// Signs a message.
    MakeSignature as sign(context: *const SecHandle, qop: u32, message: *mut SecBufferDesc, _number: u32) {
        protect(Work::Sign, context, message, qop, std::ptr::null_mut())
    }
    /// Checks a signed message.
    VerifySignature as verify(
        context: *const SecHandle, message: *mut SecBufferDesc, _number: u32, qop: *mut u32,
    ) {
        protect(Work::Verify, context, message, 0, qop)
    }
    /// Seals a message.
    EncryptMessage as seal(context: *const SecHandle, qop: u32, message: *mut SecBufferDesc, _number: u32) {
        protect(Work::Seal, context, message, qop, std::ptr::null_mut())
    }
    /// Opens a sealed message.
    DecryptMessage as open(context: *const SecHandle, message: *mut SecBufferDesc, _number: u32, qop: *mut u32) {
        protect(Work::Open, context, message, 0, qop)
    }
    /// EncryptMessage by its older name.
    SealMessage as seal_by_old_name(
        context: *const SecHandle, qop: u32, message: *mut SecBufferDesc, _number: u32,
    ) {
        protect(Work::Seal, context, message, qop, std::ptr::null_mut())
    }
    /// DecryptMessage by its older name.
    UnsealMessage as open_by_old_name(
        context: *const SecHandle, message: *mut SecBufferDesc, _number: u32, qop: *mut u32,
    ) {
        protect(Work::Open, context, message, 0, qop)
    }

    /// Takes memory back.
    FreeContextBuffer as free_buffer(buffer: *mut c_void) {
        memory::free(buffer)
    }
    /// The client's account as a handle.
    QuerySecurityContextToken as query_token(context: *const SecHandle, token: *mut *mut c_void) {
        token::query(context, token)
    }
    /// Refused, unless the host said that it does without.
    ImpersonateSecurityContext as impersonate(context: *const SecHandle) {
        token::impersonate(context)
    }
    /// As ImpersonateSecurityContext.
    RevertSecurityContext as revert(context: *const SecHandle) {
        token::impersonate(context)
    }
    /// A context for another process.
    ExportSecurityContext as export(
        context: *const SecHandle, flags: u32, packed: *mut SecBuffer, token: *mut *mut c_void,
    ) {
        transfer::export(context, flags, packed, token)
    }
    /// A context from another process.
    ImportSecurityContextA as import_a(
        package: *const c_void, packed: *const SecBuffer, _token: *mut c_void, context: *mut SecHandle,
    ) {
        transfer::import::<Ansi>(package, packed, context)
    }
    /// As ImportSecurityContextA.
    ImportSecurityContextW as import_w(
        package: *const c_void, packed: *const SecBuffer, _token: *mut c_void, context: *mut SecHandle,
    ) {
        transfer::import::<Wide>(package, packed, context)
    }

    /// Where the accounts are, from the next credential on.
    PortcullisSetAuthority as set_authority(source: *const c_char) {
        host::set_authority(Ansi::read(source.cast())?.as_deref())
    }
    /// Where a service's keys are, from the next credential on.
    PortcullisSetKeytab as set_keytab(keytab: *const c_char) {
        kerberos::process::set_keytab(Ansi::read(keytab.cast())?.as_deref())
    }
    /// What contexts of a credential must be granted.
    PortcullisRequireContextFlags as require_flags(credential: *const SecHandle, flags: u32) {
        credential::require(credential, flags)
    }
    /// Who a context's peer is.
    PortcullisSetPeerAddress as set_peer_address(context: *const SecHandle, address: *const c_void, length: u32) {
        attribute::set_peer(context, address, length)
    }
    /// Where the log goes.
    PortcullisSetLog as set_log(function: Option<LogFn>, argument: *mut c_void) {
        log::set(function, argument)
    }
    /// Why this thread's last call was refused.
    PortcullisLastCause as last_cause(buffer: *mut c_char, size: u32) {
        code::last_cause(buffer, size)
    }
    /// What a token says.
    PortcullisQueryToken as token_info(handle: *mut c_void, info: *mut *mut TokenInfo) {
        token::info(handle, info)
    }
    /// Closes a token.
    PortcullisCloseToken as close_token(handle: *mut c_void) {
        token::close(handle)
    }
}

/// What stands in the reserved places of the function tables.
pub(crate) unsafe extern "C" fn reserved() -> SecurityStatus {
    Code::UNSUPPORTED_FUNCTION.status()
}
