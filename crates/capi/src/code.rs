//! Statuses that come of the C functions' own arguments; the others are the library's.

use crate::abi::SecurityStatus;
use library::{Failure, Status};
use std::cell::Cell;
use std::ffi::c_char;

/// What a function answers instead of success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) u32);

impl Code {
    pub(crate) const OK: Self = Self(0);
    pub(crate) const CONTINUE_NEEDED: Self = Self(0x0009_0312);
    pub(crate) const COMPLETE_NEEDED: Self = Self(0x0009_0313);
    /// SEC_I_CONTEXT_EXPIRED: the stream has come to its end.
    pub(crate) const CONTEXT_EXPIRED: Self = Self(0x0009_0317);
    pub(crate) const RENEGOTIATE: Self = Self(0x0009_0321);
    pub(crate) const INSUFFICIENT_MEMORY: Self = Self(0x8009_0300);
    pub(crate) const INVALID_HANDLE: Self = Self(0x8009_0301);
    pub(crate) const UNSUPPORTED_FUNCTION: Self = Self(0x8009_0302);
    pub(crate) const CANNOT_PACK: Self = Self(0x8009_0309);
    pub(crate) const INTERNAL_ERROR: Self = Self(0x8009_0304);
    pub(crate) const SECPKG_NOT_FOUND: Self = Self(0x8009_0305);
    pub(crate) const INVALID_TOKEN: Self = Self(0x8009_0308);
    pub(crate) const NOT_OWNER: Self = Self(0x8009_0306);
    pub(crate) const QOP_NOT_SUPPORTED: Self = Self(0x8009_030A);
    pub(crate) const NO_IMPERSONATION: Self = Self(0x8009_030B);
    pub(crate) const UNKNOWN_CREDENTIALS: Self = Self(0x8009_030D);
    pub(crate) const NO_CREDENTIALS: Self = Self(0x8009_030E);
    pub(crate) const OUT_OF_SEQUENCE: Self = Self(0x8009_0310);
    pub(crate) const NO_AUTHENTICATING_AUTHORITY: Self = Self(0x8009_0311);
    pub(crate) const INCOMPLETE_MESSAGE: Self = Self(0x8009_0318);
    pub(crate) const BUFFER_TOO_SMALL: Self = Self(0x8009_0321);
    pub(crate) const INVALID_PARAMETER: Self = Self(0x8009_035D);

    /// STATUS_PASSWORD_RESTRICTION.
    pub(crate) const PASSWORD_RESTRICTION: Self = Self(0xC000_006C);

    pub(crate) const fn status(self) -> SecurityStatus {
        self.0.cast_signed()
    }
}

impl From<Status> for Code {
    fn from(status: Status) -> Self {
        Self(status.0)
    }
}

impl From<Failure> for Code {
    fn from(failure: Failure) -> Self {
        LAST_CAUSE.set(failure.cause.name());
        tracing::info!(cause = %failure.cause, advice = failure.cause.advice(), "refused");
        Self(failure.status.0)
    }
}

thread_local! {
    /// The name of this thread's last refusal.
    static LAST_CAUSE: Cell<&'static str> = const { Cell::new("") };
}

/// PortcullisLastCause: the name with its end mark.
///
/// # Safety
/// `buffer` is null or has `size` bytes.
pub(crate) unsafe fn last_cause(buffer: *mut c_char, size: u32) -> Result<Code, Code> {
    let name = LAST_CAUSE.get().as_bytes();
    if buffer.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    if (size as usize) <= name.len() {
        return Err(Code::BUFFER_TOO_SMALL);
    }
    // SAFETY: the name and its end fit.
    unsafe {
        std::ptr::copy_nonoverlapping(name.as_ptr(), buffer.cast(), name.len());
        buffer.add(name.len()).write(0);
    }
    Ok(Code::OK)
}

/// Runs an exported function's body: what it answers, or INTERNAL_ERROR where it panics. No panic leaves for C.
pub(crate) fn answer(body: impl FnOnce() -> Result<Code, Code>) -> SecurityStatus {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)) {
        Ok(Ok(code) | Err(code)) => code.status(),
        Err(_) => Code::INTERNAL_ERROR.status(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_panic_leaves_for_c() {
        assert_eq!(answer(|| panic!("a defect")), Code::INTERNAL_ERROR.status());
        assert_eq!(answer(|| Err(Code::INVALID_TOKEN)), Code::INVALID_TOKEN.status());
        assert_eq!(answer(|| Ok(Code::CONTINUE_NEEDED)), 0x0009_0312);
    }
}
