//! Where the library's log goes: nowhere, unless the configuration or the host program says so.
//!
//! Lines are made here and not by `tracing-subscriber`: that keeps a buffer in each thread, and with it the whole library in
//! the process after the host has unloaded it, until the thread ends.

use crate::code::Code;
use crate::lock::Lock;
use jiff::Timestamp;
use std::cell::Cell;
use std::ffi::{CString, c_char, c_void};
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

/// PORTCULLIS_LOG_FN.
pub(crate) type LogFn = unsafe extern "C" fn(argument: *mut c_void, level: u32, line: *const c_char);

/// Takes lines.
#[derive(Clone)]
pub(crate) enum Sink {
    Off,
    Stderr,
    File(Arc<File>),
    Host(LogFn, Argument),
}

/// What the host wants its function to be called with.
#[derive(Clone, Copy)]
pub(crate) struct Argument(pub(crate) *mut c_void);

// SAFETY: it is handed back to the host and never followed here; the header says that its function is called by any thread.
unsafe impl Send for Argument {}

static SINK: Lock<Sink> = Lock::new(Sink::Off);

/// The most talkative level that is written, as the header numbers them; 0 for none.
static LEVEL: AtomicU8 = AtomicU8::new(0);

/// Sends the log there from now on.
pub(crate) fn send(sink: Sink, level: u8) {
    LEVEL.store(level, Ordering::Relaxed);
    let before = std::mem::replace(&mut *SINK.lock(), sink);
    drop(before);
    // The first caller installs the writer; later ones find it there.
    let _ = tracing::subscriber::set_global_default(Lines);
}

/// PortcullisSetLog.
pub(crate) fn set(function: Option<LogFn>, argument: *mut c_void) -> Result<Code, Code> {
    match function {
        Some(function) => send(Sink::Host(function, Argument(argument)), number(&Level::TRACE)),
        None => send(Sink::Off, 0),
    }
    Ok(Code::OK)
}

/// Closes what lines were sent to.
pub(crate) fn forget_all() {
    LEVEL.store(0, Ordering::Relaxed);
    let before = std::mem::replace(&mut *SINK.lock(), Sink::Off);
    drop(before);
}

/// The number of a level in the header: 1 for errors to 5 for traces.
pub(crate) fn number(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

/// Makes a line of each event; of spans nothing is kept.
struct Lines;

impl Subscriber for Lines {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The level may change.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && number(metadata.level()) <= LEVEL.load(Ordering::Relaxed)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let level = event.metadata().level();
        let mut line = Line(format!("{:.6} {level:>5}", Timestamp::now()));
        event.record(&mut line);
        give(line.0, number(level));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What happened, and `name=value` of what is said of it.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A string takes everything.
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

thread_local! {
    /// Where this thread's lines are kept while they are held back. A pointer: a list would have something run when the
    /// thread ends, and keep the library in memory until then.
    static KEPT: Cell<*mut Vec<(String, u8)>> = const { Cell::new(std::ptr::null_mut()) };
}

/// Does work that has locks of its own; its lines are written afterwards. The host's function may call the library, and so
/// come to the same locks.
pub(crate) fn held_back<R>(work: impl FnOnce() -> R) -> R {
    struct Until(*mut Vec<(String, u8)>);

    impl Drop for Until {
        fn drop(&mut self) {
            KEPT.set(self.0);
        }
    }

    let mut lines = Vec::new();
    let until = Until(KEPT.replace(&raw mut lines));
    let done = work();
    drop(until);
    for (line, level) in lines {
        give(line, level);
    }
    done
}

fn give(mut line: String, level: u8) {
    let kept = KEPT.get();
    if !kept.is_null() {
        // SAFETY: `held_back` set it, on this thread's stack, and sets another before it returns.
        unsafe { (*kept).push((line, level)) };
        return;
    }
    // One event is one line, whatever is in it.
    line.retain(|character| !matches!(character, '\0' | '\n'));
    // The lock is not held while others' code runs.
    let sink = SINK.lock().clone();
    // A log that cannot be written has nobody to be told to.
    match sink {
        Sink::Off => {}
        // Not by the standard library: a fork would leave its lock taken in the child.
        Sink::Stderr => {
            line.push('\n');
            // SAFETY: the text is as long as it says.
            unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len()) };
        }
        Sink::File(file) => {
            line.push('\n');
            let _ = (&*file).write_all(line.as_bytes());
        }
        Sink::Host(function, Argument(argument)) => {
            if let Ok(line) = CString::new(line) {
                // SAFETY: the host gave function and argument for this, and the line ends with a zero.
                unsafe { function(argument, u32::from(level), line.as_ptr()) }
            }
        }
    }
}

/// Takes the lock of this part.
///
/// # Safety
/// This thread does not hold it.
pub(crate) unsafe fn take_all() {
    // SAFETY: as the caller says.
    unsafe { SINK.take() }
}

/// Releases what [`take_all`] took.
///
/// # Safety
/// `take_all` was called, by this thread or the one that it is the copy of.
pub(crate) unsafe fn release_all() {
    // SAFETY: as the caller says.
    unsafe { SINK.release() }
}
