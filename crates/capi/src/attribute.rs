//! QueryContextAttributes and SetContextAttributes, QueryCredentialsAttributes and SetCredentialsAttributes.
//!
//! The library's table says which attributes a context has; here each becomes its structure. Texts inside are memory of
//! ours, given back by FreeContextBuffer.

use crate::abi::{
    KeyInfo, Lifespan, NEVER, NegotiationInfo, OneString, PackageInfo, SecBuffer, SecHandle, SessionKey, Sizes,
    TwoStrings,
};
use crate::code::Code;
use crate::context::{Context, State};
use crate::credential::{Credential, read_handle};
use crate::text::Charset;
use crate::token::Handle;
use crate::{flags, handles, kerberos, moment, packages, schannel, winpr};
use library::attribute::Attribute;
use library::{Negotiation, package};
use std::cell::Cell;
use std::ffi::c_void;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::SystemTime;

const NAMES: u32 = 1;
const PACKAGE_INFO: u32 = 10;
const NEGOTIATION_INFO: u32 = 12;

/// SECPKG_NEGOTIATION_COMPLETE, _IN_PROGRESS and _DIRECT.
const COMPLETE: u32 = 0;
const IN_PROGRESS: u32 = 2;
const DIRECT: u32 = 3;

/// Where an attribute goes.
pub(crate) struct Place {
    at: *mut c_void,
    /// Bytes, where the caller said how many there are.
    room: Option<usize>,
}

impl Place {
    pub(crate) fn new(at: *mut c_void, room: Option<u32>) -> Self {
        Self { at, room: room.map(|room| room as usize) }
    }

    /// # Safety
    /// It is null or a structure of this kind.
    pub(crate) unsafe fn put<T>(&self, value: T) -> Result<Code, Code> {
        self.fits::<T>()?;
        // SAFETY: as the caller says; some callers' structures are aligned less than ours.
        unsafe { self.at.cast::<T>().write_unaligned(value) };
        Ok(Code::OK)
    }

    /// What stands there, for attributes that are asked by their own structure.
    ///
    /// # Safety
    /// As [`put`](Self::put).
    pub(crate) unsafe fn get<T: Copy>(&self) -> Result<T, Code> {
        self.fits::<T>()?;
        // SAFETY: as the caller says.
        Ok(unsafe { self.at.cast::<T>().read_unaligned() })
    }

    /// Before memory is made for what would not go there.
    pub(crate) fn fits<T>(&self) -> Result<(), Code> {
        if self.at.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        if self.room.is_some_and(|room| room < size_of::<T>()) { Err(Code::BUFFER_TOO_SMALL) } else { Ok(()) }
    }
}

/// QueryContextAttributes.
///
/// # Safety
/// The pointers are null or hold, and `place` is of the attribute's structure.
pub(crate) unsafe fn query<C: Charset>(context: *const SecHandle, attribute: u32, place: &Place) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let context = handles::get::<Context>(unsafe { read_handle(context) }?)?;
    if let Some(answer) = winpr::query(&context, attribute, place) {
        return answer;
    }
    let Ok(open) = context.open() else {
        // SAFETY: as the caller says.
        return unsafe { half_open::<C>(&context, attribute, place) };
    };
    // SAFETY: as the caller says.
    if let Some(answer) = unsafe { schannel::attribute::query::<C>(open, attribute, place) } {
        return answer;
    }
    // SAFETY: as the caller says.
    if let Some(answer) = unsafe { kerberos::attribute::query(open, attribute, place) } {
        return answer;
    }
    let value = open.facts.attribute(attribute).ok_or(Code::UNSUPPORTED_FUNCTION)?;
    // SAFETY: as the caller says.
    unsafe {
        match value {
            Attribute::Sizes(sizes) => place.put(Sizes {
                cbMaxToken: sizes.max_token,
                cbMaxSignature: sizes.max_signature,
                cbBlockSize: sizes.block_size,
                cbSecurityTrailer: sizes.security_trailer,
            }),
            Attribute::Names(name) => one::<C>(place, &name),
            Attribute::Authority(name) => one::<C>(place, name),
            Attribute::ClientSpecifiedTarget(target) => one::<crate::text::Wide>(place, target),
            Attribute::Lifespan(start, end) => {
                place.put(Lifespan { tsStart: moment::local(start), tsExpiry: or_never(end) })
            }
            Attribute::PasswordExpiry(end) | Attribute::LogoffTime(end) => place.put(or_never(end)),
            Attribute::DceInfo(name) => {
                place.fits::<DceInfo>()?;
                place.put(match kerberos::attribute::pac(open) {
                    // Zeros behind it stop who takes it for a name.
                    Some(pac) => DceInfo {
                        AuthzSvc: RPC_C_AUTHZ_DCE,
                        pPac: crate::memory::copy(&[pac, &[0; 2]].concat())?.cast(),
                    },
                    None => DceInfo { AuthzSvc: RPC_C_AUTHZ_NAME, pPac: C::give(&name)? },
                })
            }
            Attribute::KeyInfo(info) => {
                place.fits::<KeyInfo>()?;
                place.put(KeyInfo {
                    sSignatureAlgorithmName: C::give(info.signature_algorithm)?,
                    sEncryptAlgorithmName: C::give(info.encrypt_algorithm)?,
                    KeySize: info.key_bits,
                    SignatureAlgorithm: info.signature_id.cast_unsigned(),
                    EncryptAlgorithm: info.encrypt_id,
                })
            }
            Attribute::SessionKey(key) => {
                place.fits::<SessionKey>()?;
                let given = crate::memory::copy(key)?;
                place.put(SessionKey { SessionKeyLength: key.len() as u32, SessionKey: given })
            }
            // By the name that it was asked for: TLS has several.
            Attribute::PackageInfo(_) => {
                place.fits::<PackageInfo>()?;
                place.put(PackageInfo { PackageInfo: packages::give::<C>(&[context.package])? })
            }
            Attribute::NegotiationInfo(row, how) => {
                let state = if how == Negotiation::Direct { DIRECT } else { COMPLETE };
                negotiation::<C>(place, row, state)
            }
            Attribute::NativeNames(client, server) => {
                place.fits::<TwoStrings>()?;
                place.put(TwoStrings { sClientName: C::give(&client)?, sServerName: C::give(&server)? })
            }
            Attribute::Flags(granted) => place.put(flags::granted(library::ContextFlags(granted), 0, context.acceptor)),
            Attribute::AccessToken(_) => place.put(Handle::of(open.token()?)?),
            Attribute::UserFlags(number)
            | Attribute::LastClientTokenStatus(number)
            | Attribute::NegoPackageInfo(number)
            | Attribute::NegoStatus(number) => place.put(number),
            Attribute::IsLoopback(is) => place.put(u8::from(is)),
            other => schannel::attribute::put(&other, attribute, context.acceptor, place),
        }
    }
}

/// SecPkgContext_DceInfo.
#[repr(C)]
#[allow(non_snake_case, reason = "names are those of sspi.h")]
struct DceInfo {
    AuthzSvc: u32,
    pPac: *mut c_void,
}

/// RPC_C_AUTHZ_NAME: a name stands where a PAC could.
const RPC_C_AUTHZ_NAME: u32 = 1;
/// RPC_C_AUTHZ_DCE: the PAC itself.
const RPC_C_AUTHZ_DCE: u32 = 2;

/// What is known before the end: the package, and that it is negotiating.
///
/// # Safety
/// As [`query`].
unsafe fn half_open<C: Charset>(context: &Context, attribute: u32, place: &Place) -> Result<Code, Code> {
    if matches!(*context.state.lock(), State::Dead) {
        return Err(Code::INVALID_HANDLE);
    }
    match attribute {
        PACKAGE_INFO => {
            place.fits::<PackageInfo>()?;
            // SAFETY: as the caller says.
            unsafe { place.put(PackageInfo { PackageInfo: packages::give::<C>(&[context.package])? }) }
        }
        // SAFETY: as the caller says.
        NEGOTIATION_INFO if context.package == &package::NEGOTIATE => unsafe {
            negotiation::<C>(place, context.package, IN_PROGRESS)
        },
        _ => Err(Code::INVALID_HANDLE),
    }
}

/// # Safety
/// As [`query`].
unsafe fn negotiation<C: Charset>(place: &Place, row: &'static library::PackageInfo, state: u32) -> Result<Code, Code> {
    place.fits::<NegotiationInfo>()?;
    let info = NegotiationInfo { PackageInfo: packages::give::<C>(&[row])?, NegotiationState: state };
    // SAFETY: as the caller says.
    unsafe { place.put(info) }
}

/// # Safety
/// As [`query`].
unsafe fn one<C: Charset>(place: &Place, text: &str) -> Result<Code, Code> {
    place.fits::<OneString>()?;
    // SAFETY: as the caller says.
    unsafe { place.put(OneString { s: C::give(text)? }) }
}

fn or_never(end: Option<SystemTime>) -> i64 {
    end.map_or(NEVER, moment::local)
}

/// SetContextAttributes: what hosts for WinPR bring, and what is to be exported of a stream's keys.
///
/// # Safety
/// As [`query`].
pub(crate) unsafe fn set(
    context: *const SecHandle,
    attribute: u32,
    value: *mut c_void,
    len: u32,
) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let context = handles::get::<Context>(unsafe { read_handle(context) }?)?;
    // SAFETY: as the caller says.
    if let Some(answer) = unsafe { schannel::attribute::set(&context, attribute, value, len) } {
        return answer;
    }
    // SAFETY: as the caller says.
    unsafe { winpr::set(&context, attribute, value, len) }
}

/// QueryCredentialsAttributes: whose credential it is, and what TLS's can do.
///
/// # Safety
/// As [`query`].
pub(crate) unsafe fn of_credential<C: Charset>(
    credential: *const SecHandle,
    attribute: u32,
    place: &Place,
) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let credential = handles::get::<Credential>(unsafe { read_handle(credential) }?)?;
    if let Some(recipe) = &credential.recipe
        // SAFETY: as the caller says.
        && let Some(answer) = unsafe { schannel::renewal::query(recipe, attribute, place) }
    {
        return answer;
    }
    // SAFETY: as the caller says.
    if attribute == NAMES { unsafe { one::<C>(place, credential.name()) } } else { Err(Code::UNSUPPORTED_FUNCTION) }
}

/// SetCredentialsAttributes: Kerberos' and Schannel's alone.
///
/// # Safety
/// As [`query`].
pub(crate) unsafe fn set_of_credential(
    credential: *const SecHandle,
    attribute: u32,
    value: *const c_void,
    len: u32,
) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let handle = unsafe { read_handle(credential) }?;
    // SAFETY: as the caller says.
    unsafe { schannel::renewal::set(handle, attribute, value, len) }
}

thread_local! {
    /// Where the peer of this thread's next first leg calls from.
    static NEXT_PEER: Cell<Option<SocketAddr>> = const { Cell::new(None) };
}

/// Takes the address that was told for the first leg that begins now.
pub(crate) fn take_next_peer() -> Option<SocketAddr> {
    NEXT_PEER.take()
}

/// Where the peer of this thread's next first leg calls from.
pub(crate) fn set_next_peer(peer: Option<SocketAddr>) {
    NEXT_PEER.set(peer);
}

/// PortcullisSetPeerAddress: between the legs of an acceptor's handshake, or without a context before the first.
///
/// # Safety
/// The pointers are null or hold; the address is as long as it says.
pub(crate) unsafe fn set_peer(context: *const SecHandle, address: *const c_void, len: u32) -> Result<Code, Code> {
    let context = match context.is_null() {
        true => None,
        // SAFETY: as the caller says.
        false => Some(handles::get::<Context>(unsafe { read_handle(context) }?)?),
    };
    if address.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: as the caller says.
    let bytes = unsafe { std::slice::from_raw_parts(address.cast::<u8>(), len as usize) };
    let peer = peer(bytes)?;
    let Some(context) = context else {
        set_next_peer(peer);
        return Ok(Code::OK);
    };
    match &mut *context.state.lock() {
        State::Shaking(shaking) | State::Deferred(_, shaking) if context.acceptor => shaking.talk.peer = peer,
        _ => return Err(Code::INVALID_HANDLE),
    }
    Ok(Code::OK)
}

/// The address and port in a sockaddr_in or sockaddr_in6; a sockaddr_un has none.
fn peer(bytes: &[u8]) -> Result<Option<SocketAddr>, Code> {
    let family = bytes.first_chunk().map(|family| i32::from(u16::from_ne_bytes(*family)));
    let v4 = || bytes.get(..size_of::<libc::sockaddr_in>())?.get(4..)?.first_chunk::<4>();
    let v6 = || bytes.get(..size_of::<libc::sockaddr_in6>())?.get(8..)?.first_chunk::<16>();
    // In both it follows the family, in the network's order.
    let port = bytes.get(2..).and_then(|rest| rest.first_chunk()).map_or(0, |port| u16::from_be_bytes(*port));
    let address = match family {
        Some(libc::AF_INET) => v4().map(|v4| Ipv4Addr::from(*v4).into()),
        Some(libc::AF_INET6) => v6().map(|v6| Ipv6Addr::from(*v6).to_canonical()),
        Some(libc::AF_UNIX) => return Ok(None),
        _ => None,
    };
    address.map(|address| Some(SocketAddr::new(address, port))).ok_or(Code::INVALID_PARAMETER)
}

/// An output SecBuffer that another library's callers free by `free`.
pub(crate) fn for_free(bytes: &[u8], kind: u32) -> Result<SecBuffer, Code> {
    // SAFETY: what comes back is null or as long.
    let given = unsafe { libc::calloc(1, bytes.len().max(1)) }.cast::<u8>();
    if given.is_null() {
        return Err(Code::INSUFFICIENT_MEMORY);
    }
    // SAFETY: fresh memory of this length.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), given, bytes.len()) };
    Ok(SecBuffer { cbBuffer: bytes.len() as u32, BufferType: kind, pvBuffer: given.cast() })
}
