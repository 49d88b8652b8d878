//! ChangeAccountPassword: who knows the old password of an account sets a new one.
//!
//! The old one is judged by the same question as a logon by password: wrong ones are counted, and lock the account. That
//! it is too old, or must be changed, is no obstacle here; that it is right was found out before.

use crate::abi::{SECBUFFER_CHANGE_PASS_RESPONSE, SecBufferDesc};
use crate::code::Code;
use crate::host::{self, Accounts, Opened, Unset};
use crate::text::Charset;
use crate::{buffers, decision, memory, packages};
use library::{Cause, Claim, Denied, Failure, HostCause, Question, Refusal, Secret, VerifyPassword, Vouched, package};
use std::ffi::c_void;

/// What is said of the account.
pub(crate) struct Change {
    pub(crate) package: *const c_void,
    pub(crate) domain: *const c_void,
    pub(crate) account: *const c_void,
    pub(crate) old: *const c_void,
    pub(crate) new: *const c_void,
}

/// DOMAIN_PASSWORD_INFORMATION.
#[repr(C)]
#[derive(Default)]
struct Policy {
    min_length: u16,
    history: u16,
    properties: u32,
    max_age: i64,
    min_age: i64,
}

/// ChangeAccountPassword.
///
/// # Safety
/// The pointers are null or hold.
pub(crate) unsafe fn change<C: Charset>(change: &Change, output: *mut SecBufferDesc) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let text = |at| unsafe { C::read(at) };
    let package = text(change.package)?.ok_or(Code::SECPKG_NOT_FOUND)?;
    let package = packages::named(&package)?;
    // A realm's passwords are its KDC's.
    if packages::is_stream(package) || package == &package::KERBEROS {
        return Err(Code::UNSUPPORTED_FUNCTION);
    }
    let package = package.name;
    let account = text(change.account)?.filter(|name| !name.is_empty()).ok_or(Code::INVALID_PARAMETER)?;
    let domain = text(change.domain)?.unwrap_or_default();
    let old = Secret::new(text(change.old)?.unwrap_or_default());
    let new = Secret::new(text(change.new)?.ok_or(Code::INVALID_PARAMETER)?);
    let accounts = host::accounts()?;
    if accounts == Accounts::None {
        return Err(Code::NO_AUTHENTICATING_AUTHORITY);
    }
    let store = host::open(&accounts)?;
    // SAFETY: as the caller says.
    unsafe { tell_policy(&store, output) }?;
    let claim = Claim::new(&account, &domain, "", "");
    let question = Question::VerifyPassword(VerifyPassword::new(claim.clone(), old, None));
    let answer = store.answer(&question);
    let name = match answer.verdict() {
        Ok(Vouched::Account { account, .. }) => account.name.clone(),
        Ok(_) => return Err(Code::INTERNAL_ERROR),
        Err(Denied { cause: Cause::Refused(Refusal::PasswordExpired | Refusal::MustChange), .. }) => {
            library::Principal::parse(&account, &domain).user.to_owned()
        }
        Err(denied) => {
            let failure = Failure::from(denied.cause);
            decision::password_change(&store, package, &claim, Err(&failure));
            return Err(failure.into());
        }
    };
    // Before anything changes: what must be written down and cannot be is not done.
    if !decision::password_change(&store, package, &claim, Ok(())) {
        return Err(Failure::from(HostCause::AuditUnwritable).into());
    }
    match store.set_password(&name, &new) {
        Ok(()) => Ok(Code::OK),
        Err(Unset::Elsewhere) => Err(Code::UNSUPPORTED_FUNCTION),
        Err(Unset::Refused(error)) => {
            tracing::info!(%error, account = name, "the new password was not taken");
            // SEC_E_... has no word for it; NTSTATUS has, and callers of this function look for it.
            Err(Code::PASSWORD_RESTRICTION)
        }
    }
}

/// The rules for passwords, for a caller that has a buffer for them.
///
/// # Safety
/// As [`change`].
unsafe fn tell_policy(store: &Opened, output: *mut SecBufferDesc) -> Result<(), Code> {
    // SAFETY: as the caller says.
    let buffers = unsafe { buffers::list(output) }?;
    let Some(buffer) = buffers.iter_mut().find(|buffer| buffer.kind() == SECBUFFER_CHANGE_PASS_RESPONSE) else {
        return Ok(());
    };
    let Some(policy) = store.password_policy() else { return Ok(()) };
    let told = Policy {
        min_length: u16::try_from(policy.min_length).unwrap_or(u16::MAX),
        // A span of time is negative, in ticks of 100 ns.
        max_age: policy.max_age.map_or(i64::MIN, |age| -i64::try_from(age.as_nanos() / 100).unwrap_or(i64::MAX)),
        ..Policy::default()
    };
    if buffer.pvBuffer.is_null() {
        buffer.pvBuffer = memory::allocate(size_of::<Policy>())?.cast();
    } else if (buffer.cbBuffer as usize) < size_of::<Policy>() {
        return Err(Code::BUFFER_TOO_SMALL);
    }
    buffer.cbBuffer = size_of::<Policy>() as u32;
    // SAFETY: as many bytes stand there.
    unsafe { buffer.pvBuffer.cast::<Policy>().write_unaligned(told) };
    Ok(())
}
