//! The clock and the random bytes of a vector, for a library that takes both from the system.
//!
//! This program defines two functions of the C library itself. The dynamic linker looks for them here first, as it does
//! for every program, so that the library under test is the one that is shipped: it has no switch for this.

use library::Random as _;
use portcullis_testkit::Foretold;
use portcullis_wire::filetime;
use std::cell::Cell;
use std::ffi::{c_int, c_uint, c_void};

#[derive(Clone, Copy)]
struct Script {
    since_epoch: std::time::Duration,
    challenge: [u8; 8],
}

thread_local! {
    /// What this thread's calls are told; others have the system's.
    static SCRIPT: Cell<Option<Script>> = const { Cell::new(None) };
}

/// Runs `body` at `now`, a FILETIME, with this challenge as what is drawn.
pub fn with<R>(now: u64, challenge: [u8; 8], body: impl FnOnce() -> R) -> R {
    let since_epoch = filetime::to_system(now).unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    SCRIPT.set(Some(Script { since_epoch, challenge }));
    let done = body();
    SCRIPT.set(None);
    done
}

/// An acceptor of NTLM draws challenge and logon id at once, one of Kerberos all that it needs; other lengths are keys and
/// marks, and stay random.
const DRAWN: usize = 16;
const DRAWN_FOR_A_TICKET: usize = 96;

/// getrandom(2).
///
/// # Safety
/// As many bytes may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut c_void, len: usize, flags: c_uint) -> isize {
    match SCRIPT.get() {
        Some(script) if len == DRAWN => {
            let mut drawn = [0x42; DRAWN];
            drawn[..8].copy_from_slice(&script.challenge);
            // SAFETY: as the caller says.
            unsafe { buffer.cast::<[u8; DRAWN]>().write_unaligned(drawn) };
            DRAWN as isize
        }
        Some(script) if len == DRAWN_FOR_A_TICKET => {
            let mut drawn = [0; DRAWN_FOR_A_TICKET];
            // As the vectors' own acceptor draws (vectors/README.md).
            if Foretold::scripted(&script.challenge, 1).fill(&mut drawn).is_err() {
                return -1;
            }
            // SAFETY: as the caller says.
            unsafe { buffer.cast::<[u8; DRAWN_FOR_A_TICKET]>().write_unaligned(drawn) };
            DRAWN_FOR_A_TICKET as isize
        }
        // SAFETY: as the caller says.
        _ => unsafe { libc::syscall(libc::SYS_getrandom, buffer, len, flags) as isize },
    }
}

/// clock_gettime(2).
///
/// # Safety
/// A time may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    match SCRIPT.get() {
        Some(Script { since_epoch, .. }) if clock == libc::CLOCK_REALTIME => {
            let told = libc::timespec {
                tv_sec: since_epoch.as_secs() as libc::time_t,
                tv_nsec: since_epoch.subsec_nanos().into(),
            };
            // SAFETY: as the caller says.
            unsafe { time.write(told) };
            0
        }
        // SAFETY: as the caller says.
        _ => unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) as c_int },
    }
}

/// Whether libraries find the two functions here.
pub fn are_found() -> bool {
    let found = |name: &std::ffi::CStr, ours: *const ()| {
        // SAFETY: the name is a string.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        std::ptr::addr_eq(found, ours)
    };
    found(c"getrandom", getrandom as *const ()) && found(c"clock_gettime", clock_gettime as *const ())
}
