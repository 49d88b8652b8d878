//! The account behind a context as a handle: QuerySecurityContextToken, Impersonate and Revert, and the functions by which
//! a program without Windows' access checks reads a token.

use crate::abi::{SecHandle, TokenInfo};
use crate::code::Code;
use crate::context::Context;
use crate::credential::read_handle;
use crate::{handles, host, memory};
use library::{AccessToken, Facts, Level};
use std::ffi::c_void;
use std::sync::Arc;

/// An account's token.
pub(crate) struct Token {
    token: AccessToken,
    /// `DOMAIN\user`; `None` for a client without a name.
    name: Option<String>,
}

impl Token {
    /// The token of an acceptor's client.
    pub(crate) fn of(facts: &Facts) -> Result<Self, Code> {
        let token = facts.access_token().ok_or(Code::NO_IMPERSONATION)?;
        Ok(Self { token, name: facts.client_name() })
    }
}

/// QuerySecurityContextToken: the caller's own, to be closed by PortcullisCloseToken.
///
/// # Safety
/// The pointers are null or hold.
pub(crate) unsafe fn query(context: *const SecHandle, token: *mut *mut c_void) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let context = handles::get::<Context>(unsafe { read_handle(context) }?)?;
    if token.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    let made = handles::insert(Arc::new(Token::of(&context.open()?.facts)?))?;
    // SAFETY: the caller's variable.
    unsafe { token.write_unaligned(Handle::of(made)?) };
    Ok(Code::OK)
}

/// A HANDLE has half the bits of a SecHandle.
pub(crate) struct Handle;

impl Handle {
    const MARK: usize = 0xffff_ffff;

    /// Kind, shard and place, which are small, and the unguessable part; the count of uses is what gives way.
    pub(crate) fn of(handle: SecHandle) -> Result<*mut c_void, Code> {
        if handle.dwLower > Self::MARK {
            return Err(Code::INSUFFICIENT_MEMORY); // millions of objects live: the place does not fit
        }
        Ok(std::ptr::without_provenance_mut((handle.dwLower << 32) | (handle.dwUpper & Self::MARK)))
    }

    fn token(handle: *mut c_void) -> Result<SecHandle, Code> {
        handles::whole::<Token>(handle.addr() >> 32, handle.addr() & Self::MARK)
    }
}

/// PortcullisCloseToken.
pub(crate) fn close(token: *mut c_void) -> Result<Code, Code> {
    let was_there = handles::remove::<Token>(Handle::token(token)?)?;
    if was_there { Ok(Code::OK) } else { Err(Code::INVALID_HANDLE) }
}

/// PortcullisQueryToken: one piece of memory, given back by FreeContextBuffer.
///
/// # Safety
/// `info` is null or a variable of the caller's.
pub(crate) unsafe fn info(token: *mut c_void, info: *mut *mut TokenInfo) -> Result<Code, Code> {
    let token = handles::get::<Token>(Handle::token(token)?)?;
    if info.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    let groups: Vec<String> = token.token.groups.iter().map(ToString::to_string).collect();
    let user = token.token.user.to_string();
    let head = size_of::<TokenInfo>();
    let pointers = groups.len() * size_of::<*mut c_void>();
    let mut texts = Vec::new();
    let mut places = Vec::new();
    for text in token.name.as_deref().into_iter().chain([user.as_str()]).chain(groups.iter().map(String::as_str)) {
        places.push(head + pointers + texts.len());
        texts.extend_from_slice(text.as_bytes());
        texts.push(0);
    }
    let given = memory::allocate(head + pointers + texts.len())?;
    // SAFETY: the places lie inside what was allocated.
    let mut places = places.into_iter().map(|place| unsafe { given.add(place) }.cast());
    let name = if token.name.is_some() { places.next() } else { None };
    let filled = TokenInfo {
        Size: head as u32,
        Level: match token.token.level {
            Level::Anonymous => 0,
            Level::Identify => 1,
            Level::Impersonate => 2,
        },
        LogonId: token.token.logon_id,
        User: name.unwrap_or(std::ptr::null_mut()),
        UserSid: places.next().unwrap_or(std::ptr::null_mut()),
        GroupCount: groups.len() as u32,
        // SAFETY: the pointers stand behind the structure.
        GroupSids: unsafe { given.add(head) }.cast(),
    };
    // SAFETY: structure, pointers and texts have room one behind another; the structure's size is a multiple of a
    // pointer's.
    unsafe {
        given.cast::<TokenInfo>().write(filled);
        for (number, place) in places.enumerate() {
            filled.GroupSids.add(number).write(place);
        }
        std::ptr::copy_nonoverlapping(texts.as_ptr(), given.add(head + pointers), texts.len());
        info.write_unaligned(given.cast());
    }
    Ok(Code::OK)
}

/// ImpersonateSecurityContext and RevertSecurityContext. No thread changes its identity here: a host that goes on all the
/// same must have said so.
///
/// # Safety
/// `context` is null or points to a handle.
pub(crate) unsafe fn impersonate(context: *const SecHandle) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let context = handles::get::<Context>(unsafe { read_handle(context) }?)?;
    let facts = &context.open()?.facts;
    let pretends = host::config()?.compatibility.danger_pretend_impersonation;
    if facts.access_token().is_some() && pretends { Ok(Code::OK) } else { Err(Code::NO_IMPERSONATION) }
}
