//! How these functions fail: with FALSE, zero or NULL, and a number that PortcullisGetLastError gives.

use crate::code::Code;
use portcullis_wire::{Error, Kind};
use std::cell::Cell;
use std::io::{self, ErrorKind};

/// What Windows' GetLastError would say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) u32);

impl Fault {
    /// ERROR_FILE_NOT_FOUND: Windows' answer to a kind of store that it does not know, too.
    pub(crate) const FILE_NOT_FOUND: Self = Self(2);
    pub(crate) const ACCESS_DENIED: Self = Self(5);
    pub(crate) const INVALID_HANDLE: Self = Self(6);
    pub(crate) const READ_FAULT: Self = Self(30);
    pub(crate) const NOT_SUPPORTED: Self = Self(50);
    pub(crate) const INVALID_PASSWORD: Self = Self(86);
    /// ERROR_INVALID_PARAMETER.
    pub(crate) const INVALID_PARAMETER: Self = Self(87);
    pub(crate) const MORE_DATA: Self = Self(234);
    pub(crate) const INTERNAL_ERROR: Self = Self(1359);
    pub(crate) const INVALID_ARGUMENT: Self = Self(0x8007_0057);

    pub(crate) const BAD_DATA: Self = Self(0x8009_0005);
    pub(crate) const BAD_VERSION: Self = Self(0x8009_0007);
    pub(crate) const BAD_ALGORITHM: Self = Self(0x8009_0008);
    pub(crate) const BAD_TYPE: Self = Self(0x8009_000A);
    pub(crate) const NO_KEY: Self = Self(0x8009_000D);
    /// NTE_EXISTS: a key container of this name is there.
    pub(crate) const CONTAINER_EXISTS: Self = Self(0x8009_000F);
    pub(crate) const BAD_KEYSET: Self = Self(0x8009_0016);

    pub(crate) const BAD_ENCODE: Self = Self(0x8009_2002);
    /// CRYPT_E_NOT_FOUND.
    pub(crate) const NOT_FOUND: Self = Self(0x8009_2004);
    /// CRYPT_E_EXISTS: the store has this certificate.
    pub(crate) const EXISTS: Self = Self(0x8009_2005);
    const END_OF_DATA: Self = Self(0x8009_3102);
    const CORRUPT: Self = Self(0x8009_3103);
    const BAD_TAG: Self = Self(0x8009_310B);
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error.kind {
            Kind::Truncated => Self::END_OF_DATA,
            Kind::Unexpected => Self::BAD_TAG,
            _ => Self::CORRUPT,
        }
    }
}

/// What strings of the caller are refused for.
impl From<Code> for Fault {
    fn from(_: Code) -> Self {
        Self::INVALID_PARAMETER
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::FILE_NOT_FOUND,
            ErrorKind::PermissionDenied => Self::ACCESS_DENIED,
            _ => Self::READ_FAULT,
        }
    }
}

thread_local! {
    static LAST: Cell<u32> = const { Cell::new(0) };
}

/// PortcullisGetLastError: why this thread's last function failed. Success does not touch it.
pub(crate) fn last() -> u32 {
    LAST.get()
}

/// Runs an exported function's body: what it answers, or `failed` and the number. No panic leaves for C.
pub(crate) fn answer<R>(failed: R, body: impl FnOnce() -> Result<R, Fault>) -> R {
    let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or(Err(Fault::INTERNAL_ERROR));
    answered.unwrap_or_else(|fault| {
        LAST.set(fault.0);
        failed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_panic_leaves_for_c() {
        assert_eq!(answer(0, || panic!("a defect")), 0);
        assert_eq!(last(), Fault::INTERNAL_ERROR.0);
        assert_eq!(answer(0, || Ok(1)), 1);
        assert_eq!(last(), Fault::INTERNAL_ERROR.0, "success does not touch it");
        assert_eq!(answer(0, || Err(Fault::NOT_FOUND)), 0);
        assert_eq!(last(), 0x8009_2004);
    }
}
