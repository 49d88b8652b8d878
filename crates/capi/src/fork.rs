//! What happens when the host process forks, and when it loads and unloads this library.

use crate::{crypt, handles, host, log, memory, moment};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How many forks lie between the process that loaded the library and this one.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Tells this process from its parent: what must not be shared between them (databases, connections) is opened anew
/// where it changed.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// Run when the library is loaded: before any of its functions, and once.
#[used]
#[unsafe(link_section = ".init_array")]
static ON_LOAD: extern "C" fn() = on_load;

/// Run when it is unloaded, or the process ends.
#[used]
#[unsafe(link_section = ".fini_array")]
static ON_UNLOAD: extern "C" fn() = on_unload;

extern "C" fn on_load() {
    prepare();
}

/// Has the handlers called at each fork. The linker may leave [`ON_LOAD`] out of a program that the library is part of, so
/// that the first object sees to it too.
pub(crate) fn prepare() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.load(Ordering::Relaxed) || DONE.swap(true, Ordering::AcqRel) {
        return;
    }
    // SAFETY: the handlers are functions of this library; the C library forgets them when it is unloaded.
    unsafe { libc::pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child)) };
}

extern "C" fn on_unload() {
    let _ = std::panic::catch_unwind(|| {
        handles::forget_all();
        crypt::forget_all();
        host::forget_all();
        memory::forget_all();
        log::forget_all();
    });
}

unsafe extern "C" fn before() {
    // SAFETY: called by the forking thread, which is in no function of this library; in the order of the locks.
    unsafe {
        handles::take_all();
        crypt::take_all();
        memory::take_all();
        host::take_all();
        moment::take_all();
    }
}

unsafe extern "C" fn after_in_parent() {
    // SAFETY: `before` took them.
    unsafe {
        moment::release_all();
        host::release_all();
        memory::release_all();
        crypt::release_all();
        handles::release_all();
    }
}

unsafe extern "C" fn after_in_child() {
    GENERATION.fetch_add(1, Ordering::AcqRel);
    host::alone();
    // SAFETY: `before` took them, in the thread that this one is the copy of.
    unsafe { after_in_parent() }
}
