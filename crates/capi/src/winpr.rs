//! WinPR's private attributes, by which its hosts read what a client sent and bring the secret that judges it. They are
//! answered where no account store judges, and until CompleteAuthToken.

use crate::abi::SECBUFFER_TOKEN;
use crate::acceptor::Judge;
use crate::attribute::{Place, for_free};
use crate::code::Code;
use crate::context::{Context, State};
use crate::secrets::{GivenHash, HashCallback, HostSecrets, Means, Parts, is_nobodys};
use library::ntlm::keys::Key;
use library::{NeedsAnswer, Question, Secret, VerifyNtlm};
use std::ffi::{CStr, OsStr, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

// What is queried.
const AUTH_IDENTITY: u32 = 1001;
const NTPROOF_VALUE: u32 = 1104;
const RANDKEY: u32 = 1105;
const MIC: u32 = 1106;
const MIC_VALUE: u32 = 1107;
// What is set.
const NTLM_HASH: u32 = 1003;
const SAM_FILE: u32 = 1004;
const HASH_CALLBACK: u32 = 1108;
const HASH_CALLBACK_ARGUMENT: u32 = 1109;

/// SecPkgContext_AuthIdentity.
#[repr(C)]
struct AuthIdentity {
    user: [u8; 257],
    domain: [u8; 257],
}

/// What the client sent; `None` for an attribute that is not WinPR's.
pub(crate) fn query(context: &Context, attribute: u32, place: &Place) -> Option<Result<Code, Code>> {
    if !matches!(attribute, AUTH_IDENTITY | NTPROOF_VALUE | RANDKEY | MIC | MIC_VALUE) {
        return None;
    }
    Some(with_question(context, |question| {
        if attribute == AUTH_IDENTITY {
            let mut names = AuthIdentity { user: [0; 257], domain: [0; 257] };
            fill(&mut names.user, question.claim.user())?;
            fill(&mut names.domain, question.claim.domain())?;
            // SAFETY: the caller's structure is of this attribute.
            return unsafe { place.put(names) };
        }
        place.fits::<crate::abi::SecBuffer>()?;
        let parts = Parts::of(question).ok_or(Code::INVALID_TOKEN)?;
        let bytes: &[u8] = match attribute {
            NTPROOF_VALUE => &parts.proof_value,
            RANDKEY => &parts.random_key,
            MIC => &parts.mic,
            _ => &parts.mic_value,
        };
        // SAFETY: the caller's structure is of this attribute.
        unsafe { place.put(for_free(bytes, SECBUFFER_TOKEN)?) }
    }))
}

fn fill(field: &mut [u8; 257], text: &str) -> Result<(), Code> {
    // The last byte stays zero.
    let room = field.len() - 1;
    let place = field.get_mut(..text.len()).filter(|place| place.len() <= room).ok_or(Code::BUFFER_TOO_SMALL)?;
    place.copy_from_slice(text.as_bytes());
    Ok(())
}

/// Looks at the question that a context waits with.
fn with_question<R>(context: &Context, look: impl FnOnce(&VerifyNtlm) -> Result<R, Code>) -> Result<R, Code> {
    match &*context.state.lock() {
        State::Deferred(question, _) => look(ntlm(question)?),
        State::Open | State::Shaking(_) | State::Pending(_) => Err(Code::UNSUPPORTED_FUNCTION),
        State::Busy | State::Dead => Err(Code::INVALID_HANDLE),
    }
}

fn ntlm(question: &NeedsAnswer) -> Result<&VerifyNtlm, Code> {
    match question.question() {
        Question::VerifyNtlm(question) => Ok(question),
        _ => Err(Code::UNSUPPORTED_FUNCTION),
    }
}

/// Takes what a host brings.
///
/// # Safety
/// `value` is null or what the attribute says.
pub(crate) unsafe fn set(context: &Context, attribute: u32, value: *mut c_void, len: u32) -> Result<Code, Code> {
    if !matches!(attribute, NTLM_HASH | SAM_FILE | HASH_CALLBACK | HASH_CALLBACK_ARGUMENT) {
        return Err(Code::UNSUPPORTED_FUNCTION);
    }
    // Where a store judges, nobody else does.
    let acceptor = context.credential.as_ref().and_then(|credential| credential.acceptor.as_ref());
    if !context.acceptor || !matches!(acceptor.map(|acceptor| &acceptor.judge), Some(Judge::Host(_))) {
        return Err(Code::UNSUPPORTED_FUNCTION);
    }
    if value.is_null() && attribute != HASH_CALLBACK_ARGUMENT {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: as the caller says.
    let given = unsafe { Given::read(attribute, value, len) }?;
    match &mut *context.state.lock() {
        State::Shaking(shaking) | State::Deferred(_, shaking) => given.put(&mut shaking.talk.host().secrets),
        _ => return Err(Code::INVALID_HANDLE),
    }
    Ok(Code::OK)
}

enum Given {
    Hash(GivenHash),
    Sam(PathBuf),
    Callback(HashCallback),
    Argument(usize),
}

impl Given {
    /// # Safety
    /// As [`set`].
    unsafe fn read(attribute: u32, value: *mut c_void, len: u32) -> Result<Self, Code> {
        match attribute {
            NTLM_HASH => {
                if (len as usize) < size_of::<(i32, [u8; 16])>() {
                    return Err(Code::INVALID_PARAMETER);
                }
                // SAFETY: as the caller says: a version, and the hash behind it.
                let (version, hash) = unsafe {
                    (value.cast::<i32>().read_unaligned(), value.cast::<[u8; 16]>().byte_add(4).read_unaligned())
                };
                let hash: Key = Secret::new(hash);
                if is_nobodys(hash.expose()) {
                    return Err(Code::INVALID_PARAMETER);
                }
                match version {
                    1 => Ok(Self::Hash(GivenHash::Nt(hash))),
                    2 => Ok(Self::Hash(GivenHash::V2(hash))),
                    _ => Err(Code::INVALID_PARAMETER),
                }
            }
            SAM_FILE => {
                // SAFETY: as the caller says.
                let path = unsafe { CStr::from_ptr(value.cast()) }.to_bytes();
                Ok(Self::Sam(PathBuf::from(OsStr::from_bytes(path))))
            }
            // The value is the function itself.
            // SAFETY: the caller says that it is such a function, and it is not null.
            HASH_CALLBACK => Ok(Self::Callback(unsafe { std::mem::transmute::<*mut c_void, HashCallback>(value) })),
            _ => Ok(Self::Argument(value.expose_provenance())),
        }
    }

    fn put(self, secrets: &mut HostSecrets) {
        match self {
            Self::Hash(hash) => secrets.hash = Some(Arc::new(hash)),
            Self::Sam(path) => secrets.sam = Some(path),
            Self::Callback(callback) => secrets.callback = Some((callback, Means::PositiveIsYes)),
            Self::Argument(argument) => secrets.argument = argument,
        }
    }
}
