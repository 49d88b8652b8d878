//! Where the library's log goes: nowhere, unless the configuration or the host program says so.

use crate::code::Code;
use crate::lock::Lock;
use std::ffi::{CString, c_char, c_void};
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry};

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
    let enabled = filter_fn(|metadata| number(metadata.level()) <= LEVEL.load(Ordering::Relaxed));
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_target(false).with_writer(Lines);
    let _ = tracing::subscriber::set_global_default(Registry::default().with(lines.with_filter(enabled)));
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

struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { level: 3, text: Vec::new() }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line {
        Line { level: number(metadata.level()), text: Vec::new() }
    }
}

/// A line, given out when it is whole.
struct Line {
    level: u8,
    text: Vec<u8>,
}

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // The lock is not held while others' code runs.
        let sink = SINK.lock().clone();
        // A log that cannot be written has nobody to be told to.
        match sink {
            Sink::Off => {}
            // Not by the standard library: a fork would leave its lock taken in the child.
            // SAFETY: the text is as long as it says.
            Sink::Stderr => unsafe {
                libc::write(libc::STDERR_FILENO, self.text.as_ptr().cast(), self.text.len());
            },
            Sink::File(file) => drop((&*file).write_all(&self.text)),
            Sink::Host(function, Argument(argument)) => {
                self.text.retain(|byte| !matches!(byte, 0 | b'\n'));
                if let Ok(line) = CString::new(std::mem::take(&mut self.text)) {
                    // SAFETY: the host gave function and argument for this, and the line ends with a zero.
                    unsafe { function(argument, u32::from(self.level), line.as_ptr()) }
                }
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
