//! The TLS library behind one door: nothing else of this crate drives it.
//!
//! The library asks its configuration for the time, and its certificate resolver for a key, in the middle of a call;
//! both come from the [`Call`](crate::Call) that is under way on this thread.

use super::cause;
use super::records::{self, Front};
use crate::channel::Exporter;
use crate::{CallCause, CipherSuite, Control, Failure, Record, Segment};
use portcullis_wire::tls::{ContentType, MAX_PLAINTEXT};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use rustls::{Connection, IoState, ProtocolVersion};
use std::cell::Cell;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Cause;

// No value here has a destructor: threads may outlive a library that is unloaded.
thread_local! {
    static NOW: Cell<Option<UnixTime>> = const { Cell::new(None) };
    static CHOSEN: Cell<Option<usize>> = const { Cell::new(None) };
    static TICKETS: Cell<Tickets> = const { Cell::new(Tickets::USED) };
}

/// What may be done with session tickets in the call that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tickets {
    /// Those that come are taken.
    pub(super) taken: bool,
    /// New ones are given, and kept.
    pub(super) given: bool,
}

impl Tickets {
    pub(super) const USED: Self = Self { taken: true, given: true };

    /// What a host may want of a handshake before it is through: that nothing of it is kept.
    pub(super) fn control(&mut self, control: Control) -> Result<(), Failure> {
        match control {
            Control::Forget => self.given = false,
            Control::Respond | Control::Shutdown => return Err(CallCause::NotNegotiated.into()),
        }
        Ok(())
    }
}

/// A call into the TLS library: what it may ask for while it lasts.
pub(super) fn during<R>(now: UnixTime, tickets: Tickets, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<UnixTime>, Tickets);
    impl Drop for Restore {
        fn drop(&mut self) {
            NOW.set(self.0);
            TICKETS.set(self.1);
        }
    }
    let _restore = Restore(NOW.replace(Some(now)), TICKETS.replace(tickets));
    work()
}

/// The time of the call that is under way.
pub(super) fn now() -> Option<UnixTime> {
    NOW.get()
}

/// What may be done with tickets in the call that is under way.
pub(super) fn tickets() -> Tickets {
    TICKETS.get()
}

/// Notes which identity the resolver chose.
pub(super) fn choose(index: usize) {
    CHOSEN.set(Some(index));
}

/// The identity that the resolver chose since this was asked last.
pub(super) fn chosen() -> Option<usize> {
    CHOSEN.take()
}

/// Gives the TLS library the time of the call.
#[derive(Debug)]
pub(super) struct CallClock;

impl TimeProvider for CallClock {
    fn current_time(&self) -> Option<UnixTime> {
        now()
    }
}

/// An established connection. One state serves both directions, hence the lock.
pub(super) struct Engine {
    connection: Box<Connection>,
    /// The time of the handshake: a later call brings none, and the library wants one for tickets that come late.
    since: UnixTime,
    tickets: Tickets,
    header: usize,
    trailer: usize,
    is_tls13: bool,
    /// Records that may still be sealed under the keys of now.
    pub(super) left: u64,
    until: u64,
    /// What went wrong; nothing works after it.
    failed: Option<Failure>,
    /// This side has ended its direction.
    ended: bool,
    /// The peer has ended its direction.
    closed: bool,
}

/// The engine, for both halves and for who exports keys.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Engine>>);

impl Shared {
    pub(super) fn new(connection: Box<Connection>, since: UnixTime, tickets: Tickets, suite: &CipherSuite) -> Self {
        let limit = connection.negotiated_cipher_suite().map_or(0, |suite| match suite {
            rustls::SupportedCipherSuite::Tls12(suite) => suite.common.confidentiality_limit,
            rustls::SupportedCipherSuite::Tls13(suite) => suite.common.confidentiality_limit,
        });
        // Before the library does it on its own, in the middle of a record.
        let until = limit.saturating_sub(MARGIN).min(FREQUENT);
        Self(Arc::new(Mutex::new(Engine {
            is_tls13: connection.protocol_version() == Some(ProtocolVersion::TLSv1_3),
            connection,
            since,
            tickets,
            header: usize::try_from(suite.record_header).unwrap_or(usize::MAX),
            trailer: usize::try_from(suite.record_trailer).unwrap_or(usize::MAX),
            left: until,
            until,
            failed: None,
            ended: false,
            closed: false,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Engine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records before the cipher's limit at which keys are renewed.
const MARGIN: u64 = 1 << 10;

/// Keys are renewed after so many records, whatever the cipher allows: enough for 128 GiB.
const FREQUENT: u64 = 1 << 23;

impl Engine {
    /// Seals data into one record, laid out as the segments say.
    pub(super) fn seal(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.usable()?;
        let [header, data, trailer] = layout(message)?;
        // Looked at first: once the library has sealed a record, its number is used up.
        if header.len() != self.header || trailer.len() < self.trailer {
            return Err(CallCause::BadBuffers.into());
        }
        if data.len() > MAX_PLAINTEXT {
            return Err(Cause::MessageTooLong.into());
        }
        if self.ended {
            return Err(Cause::Ended.into());
        }
        if self.connection.wants_write() {
            return Err(Cause::ResponsePending.into());
        }
        if data.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return Err(self.renew());
        }
        self.left -= 1;
        self.write_through(header, data, trailer)
    }

    fn write_through(&mut self, header: &mut [u8], data: &mut [u8], trailer: &mut [u8]) -> Result<usize, Failure> {
        let (since, tickets) = (self.since, self.tickets);
        let written = during(since, tickets, || self.connection.writer().write(data)).unwrap_or(0);
        if written != data.len() {
            return Err(self.fail(Cause::Internal.into()));
        }
        let mut record = Scatter { parts: [header, data, trailer], part: 0, at: 0 };
        while self.connection.wants_write() {
            if self.connection.write_tls(&mut record).is_err() {
                return Err(self.fail(Cause::Internal.into()));
            }
        }
        // The last part's fill is the trailer's length; a record that ends before it has none.
        if record.part == 2 { Ok(record.at) } else { Err(self.fail(Cause::Internal.into())) }
    }

    /// Renews the keys (RFC 8446 §5.5): the message that says so must go out before anything else does.
    fn renew(&mut self) -> Failure {
        if !self.is_tls13 {
            self.ended = true;
            return Cause::Ended.into();
        }
        match self.connection.refresh_traffic_keys() {
            Ok(()) => {
                self.left = self.until;
                Cause::ResponsePending.into()
            }
            Err(error) => {
                let failure = cause::of(&error);
                self.fail(failure)
            }
        }
    }

    /// Opens the record at the front of `stream`, in place.
    pub(super) fn unseal(&mut self, stream: &mut [u8]) -> Result<Record, Failure> {
        self.usable()?;
        let (header, len) = match records::first(stream).map_err(|failure| self.fail(failure))? {
            Front::Partial { missing } => return Ok(Record::Incomplete { missing }),
            Front::Whole(header, record) => (header, record.len()),
        };
        let record = stream.get_mut(..len).unwrap_or_default();
        if self.closed {
            // What comes behind the end is ignored (RFC 8446 §6.1).
            record.fill(0);
            return Ok(Record::Closed { used: len });
        }
        let state = match self.take(record) {
            Ok(state) => state,
            Err(error) => {
                record.fill(0);
                let failure = cause::of(&error);
                return Err(self.fail(failure));
            }
        };
        if !self.is_tls13 && header.content == ContentType::HANDSHAKE {
            return Err(self.fail(Cause::Renegotiation.into()));
        }
        let start = self.header.min(len);
        let plain = record.get_mut(start..).unwrap_or_default();
        let len = self.read_plaintext(plain);
        record.get_mut(..start).unwrap_or_default().fill(0);
        record.get_mut(start + len..).unwrap_or_default().fill(0);
        let used = record.len();
        if len > 0 {
            return Ok(Record::Data { start, len, used });
        }
        if state.peer_has_closed() {
            self.closed = true;
            return Ok(Record::Closed { used });
        }
        // An answer to a key update waits for the next record, unless it is asked for.
        let _ = self.connection.writer().write(&[]);
        Ok(match self.connection.wants_write() {
            true => Record::WantsResponse { used },
            false => Record::Data { start, len: 0, used },
        })
    }

    /// Gives the library one record.
    fn take(&mut self, record: &[u8]) -> Result<IoState, rustls::Error> {
        let Self { connection, since, tickets, .. } = self;
        during(*since, *tickets, || {
            records::feed(record, |rest| connection.read_tls(rest))?;
            connection.process_new_packets()
        })
    }

    fn read_plaintext(&mut self, into: &mut [u8]) -> usize {
        let mut reader = self.connection.reader();
        let mut filled = 0;
        while let Some(room) = into.get_mut(filled..).filter(|room| !room.is_empty()) {
            match reader.read(room) {
                Ok(0) | Err(_) => break,
                Ok(read) => filled += read,
            }
        }
        filled
    }

    /// What the protocol has to send of its own.
    pub(super) fn control(&mut self, control: Control, out: &mut Vec<u8>) -> Result<(), Failure> {
        match control {
            Control::Respond => {}
            Control::Shutdown if self.ended => {}
            Control::Shutdown => {
                self.ended = true;
                self.connection.send_close_notify();
            }
            Control::Forget => {
                self.tickets.given = false;
                return Ok(());
            }
        }
        drain(&mut self.connection, out);
        Ok(())
    }

    /// Bytes before and behind the data of a record.
    #[cfg(test)]
    pub(super) fn overhead(&self) -> (usize, usize) {
        (self.header, self.trailer)
    }

    fn usable(&self) -> Result<(), Failure> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn fail(&mut self, failure: Failure) -> Failure {
        self.failed = Some(failure.clone());
        failure
    }
}

/// Writes what the library has to send.
pub(super) fn drain(connection: &mut Connection, out: &mut Vec<u8>) {
    while connection.wants_write() {
        if connection.write_tls(out).is_err() {
            break;
        }
    }
}

/// The three parts of a record, each exactly once.
fn layout<'s>(message: &'s mut [Segment<'_>]) -> Result<[&'s mut [u8]; 3], Failure> {
    let (mut header, mut data, mut trailer) = (None, None, None);
    for segment in message {
        let (place, part) = match segment {
            Segment::Header(part) => (&mut header, part),
            Segment::Data(part) => (&mut data, part),
            Segment::Trailer(part) => (&mut trailer, part),
            Segment::SignOnly(_) | Segment::ReadOnly(_) | Segment::Token(_) | Segment::Stream(_) => {
                return Err(CallCause::BadBuffers.into());
            }
        };
        if place.replace(&mut **part).is_some() {
            return Err(CallCause::BadBuffers.into());
        }
    }
    match (header, data, trailer) {
        (Some(header), Some(data), Some(trailer)) => Ok([header, data, trailer]),
        _ => Err(CallCause::BadBuffers.into()),
    }
}

/// Spreads a record over its parts: the header first, the data over the plaintext, the rest into the trailer.
struct Scatter<'a> {
    parts: [&'a mut [u8]; 3],
    part: usize,
    at: usize,
}

impl Write for Scatter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = self.parts.get_mut(self.part).and_then(|part| part.get_mut(self.at..));
            let room = room.ok_or(io::ErrorKind::WriteZero)?;
            let len = room.len().min(rest.len());
            let (now, later) = rest.split_at(len);
            room.get_mut(..len).unwrap_or_default().copy_from_slice(now);
            rest = later;
            self.at += len;
            if !rest.is_empty() {
                (self.part, self.at) = (self.part + 1, 0);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Exports keys where the session's are its own.
pub(super) struct SessionExporter {
    pub(super) engine: Shared,
    /// TLS 1.3, or 1.2 with the extended master secret.
    pub(super) is_bound: bool,
}

impl Exporter for SessionExporter {
    fn export(&self, label: &[u8], context: Option<&[u8]>, out: &mut [u8]) -> Result<(), Failure> {
        if !self.is_bound {
            return Err(Cause::ExporterUnbound.into());
        }
        let exported = self.engine.lock().connection.export_keying_material(out, label, context);
        exported.map(drop).map_err(|_| CallCause::BadBuffers.into())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}
