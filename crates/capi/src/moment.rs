//! Times as TimeStamp has them: since 1601, in local time (SSPI recommends it, and its callers expect it).

use crate::abi::NEVER;
use crate::lock::Lock;
use portcullis_wire::filetime;
use std::time::{SystemTime, UNIX_EPOCH};

const TICKS: i64 = 10_000_000;

/// A time for the caller.
pub(crate) fn local(time: SystemTime) -> i64 {
    let utc = i64::try_from(filetime::from_system(time)).unwrap_or(NEVER);
    if utc == NEVER {
        return NEVER; // not shifted: it is a mark and no time
    }
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |after| after.as_secs());
    utc.saturating_add(offset(seconds).saturating_mul(TICKS))
}

/// How far local time is ahead, in seconds.
fn offset(seconds: u64) -> i64 {
    let Ok(seconds) = libc::time_t::try_from(seconds) else { return 0 };
    // SAFETY: a structure of numbers and a pointer, all of which may be zero.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    let _clock = CLOCK.lock();
    // SAFETY: both are variables of this function.
    let known = unsafe { libc::localtime_r(&seconds, &mut parts) };
    if known.is_null() { 0 } else { parts.tm_gmtoff }
}

/// Around the C library's zone of time: it has a lock of its own there, which a fork would leave taken in the child.
static CLOCK: Lock<()> = Lock::new(());

/// Takes the lock of this part.
///
/// # Safety
/// This thread does not hold it.
pub(crate) unsafe fn take_all() {
    // SAFETY: as the caller says.
    unsafe { CLOCK.take() }
}

/// Releases what [`take_all`] took.
///
/// # Safety
/// `take_all` was called, by this thread or the one that it is the copy of.
pub(crate) unsafe fn release_all() {
    // SAFETY: as the caller says.
    unsafe { CLOCK.release() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_stays_never() {
        let far = UNIX_EPOCH + std::time::Duration::from_secs(1 << 40);
        assert_eq!(local(far), NEVER);
        let now = SystemTime::now();
        let utc = filetime::from_system(now) as i64;
        assert!((local(now) - utc).abs() <= 15 * 3600 * TICKS);
    }
}
