use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

/// The system's heap, counted while [`Heap::during`] runs.
pub struct Counting;

/// What a piece of work did to the heap.
#[derive(Debug, Clone, Copy)]
pub struct Heap {
    /// Calls of alloc and realloc.
    pub allocations: u64,
    /// Bytes taken less bytes given back: what the work left behind.
    pub retained: i64,
}

static ON: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static RETAINED: AtomicI64 = AtomicI64::new(0);

impl Heap {
    /// Runs `work` and counts. Only one thread may run.
    pub fn during<T>(work: impl FnOnce() -> T) -> (T, Self) {
        ALLOCATIONS.store(0, Relaxed);
        RETAINED.store(0, Relaxed);
        ON.store(true, Relaxed);
        let done = work();
        ON.store(false, Relaxed);
        (done, Self { allocations: ALLOCATIONS.load(Relaxed), retained: RETAINED.load(Relaxed) })
    }
}

fn count(calls: u64, bytes: i64) {
    if ON.load(Relaxed) {
        ALLOCATIONS.fetch_add(calls, Relaxed);
        RETAINED.fetch_add(bytes, Relaxed);
    }
}

fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

// SAFETY: every call goes to the system's heap with the arguments as they came; counting touches atomics alone.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, signed(layout.size()));
        // SAFETY: the caller keeps alloc's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, signed(layout.size()));
        // SAFETY: the caller keeps alloc_zeroed's contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, signed(size) - signed(layout.size()));
        // SAFETY: the caller keeps realloc's contract.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        count(0, -signed(layout.size()));
        // SAFETY: the caller keeps dealloc's contract.
        unsafe { System.dealloc(old, layout) }
    }
}
