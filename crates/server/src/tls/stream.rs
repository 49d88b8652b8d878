use portcullis::{Context, Control, Failure, Record, Segment, StreamSizes, schannel};
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// An established context over a connection, as a stream of bytes.
#[derive(Debug)]
pub struct TlsStream<S> {
    io: S,
    context: Context,
    sizes: Sizes,
    /// Bytes that came: those of `plain` are opened and wait for the reader, those from `next` on are still sealed.
    inbound: Vec<u8>,
    plain: Range<usize>,
    next: usize,
    /// Sealed bytes that are on their way out, and how many of them are gone.
    outbound: Vec<u8>,
    gone: usize,
    reading: Reading,
    /// This side said that it ends.
    ended: bool,
}

#[derive(Debug, Clone, Copy)]
struct Sizes {
    header: usize,
    trailer: usize,
    most: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Open,
    /// The client said that it ends.
    Ended,
    /// The connection ended, and the client had not said so; or a record was wrong.
    Broken,
}

/// What is read of a connection at once.
const CHUNK: usize = 4 << 10;

/// Sealed bytes that may wait: who writes more has to wait itself.
const BACKLOG: usize = 64 << 10;

impl<S> TlsStream<S> {
    /// The stream of a context; `extra` came behind its handshake.
    pub(crate) fn new(io: S, context: Context, extra: Vec<u8>) -> Self {
        let sizes = context.facts().channel.as_ref().map(|channel| Sizes::from(channel.sizes));
        Self {
            io,
            context,
            sizes: sizes.unwrap_or(Sizes { header: 0, trailer: 0, most: 0 }),
            inbound: extra,
            plain: 0..0,
            next: 0,
            outbound: Vec::new(),
            gone: 0,
            reading: Reading::Open,
            ended: false,
        }
    }

    /// The context under the stream.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Opens the next record. `false` where more must come first.
    fn open(&mut self) -> Result<bool, Failure> {
        let sealed = self.inbound.get_mut(self.next..).unwrap_or_default();
        match self.context.unseal_record(sealed)? {
            Record::Incomplete { .. } => return Ok(false),
            Record::Data { start, len, used } => {
                self.plain = self.next + start..self.next + start + len;
                self.next += used;
            }
            Record::WantsResponse { used } => {
                self.next += used;
                self.context.control(Control::Respond, &mut self.outbound)?;
            }
            Record::Closed { used } => {
                self.next += used;
                self.reading = Reading::Ended;
            }
            // No other kind comes of this package.
            _ => self.reading = Reading::Broken,
        }
        Ok(true)
    }

    /// Seals one record to go out; gives how much of the data it holds.
    fn seal(&mut self, data: &[u8]) -> Result<usize, Failure> {
        let Sizes { header, trailer, most } = self.sizes;
        let data = data.get(..data.len().min(most)).unwrap_or_default();
        let start = self.outbound.len();
        self.outbound.resize(start + header, 0);
        self.outbound.extend_from_slice(data);
        self.outbound.resize(start + header + data.len() + trailer, 0);
        let record = self.outbound.get_mut(start..).unwrap_or_default();
        let (header_at, rest) = record.split_at_mut(header);
        let (data_at, trailer_at) = rest.split_at_mut(data.len());
        let segments = &mut [Segment::Header(header_at), Segment::Data(data_at), Segment::Trailer(trailer_at)];
        match self.context.seal(segments) {
            Ok(_) => Ok(data.len()),
            Err(failure) => {
                self.outbound.truncate(start);
                Err(failure)
            }
        }
    }
}

impl From<StreamSizes> for Sizes {
    fn from(sizes: StreamSizes) -> Self {
        let [header, trailer, most] =
            [sizes.header, sizes.trailer, sizes.max_message].map(|size| usize::try_from(size).unwrap_or(0));
        Self { header, trailer, most }
    }
}

impl<S: AsyncWrite + Unpin> TlsStream<S> {
    /// Sends what is sealed.
    fn poll_drain(&mut self, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.outbound.get(self.gone..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => self.gone += sent,
            }
        }
        self.gone = 0;
        // Memory is for connections that write.
        if self.outbound.capacity() > 2 * BACKLOG {
            self.outbound = Vec::new()
        } else {
            self.outbound.clear()
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Task<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if let Some(plain) = this.inbound.get(this.plain.clone()).filter(|plain| !plain.is_empty()) {
                let len = plain.len().min(into.remaining());
                into.put_slice(plain.get(..len).unwrap_or_default());
                this.plain.start += len;
                return Poll::Ready(Ok(()));
            }
            match this.reading {
                Reading::Open => {}
                Reading::Ended => return Poll::Ready(Ok(())),
                Reading::Broken => return Poll::Ready(Err(broken(schannel::Cause::Truncated))),
            }
            // Who asks for answers and does not take them is not read any further.
            if this.outbound.len().saturating_sub(this.gone) >= BACKLOG {
                ready!(this.poll_drain(cx))?;
            }
            match this.open() {
                Ok(true) => {
                    // What the protocol answers goes out when it can, and at the latest with the next write.
                    let _ = this.poll_drain(cx)?;
                    continue;
                }
                Ok(false) => {}
                Err(failure) => {
                    this.reading = Reading::Broken;
                    let _ = this.context.control(Control::Respond, &mut this.outbound);
                    let _ = this.poll_drain(cx);
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, failure)));
                }
            }
            this.inbound.drain(..this.next);
            (this.plain, this.next) = (0..0, 0);
            if this.inbound.is_empty() && this.inbound.capacity() > 2 * CHUNK {
                this.inbound = Vec::new();
            }
            let mut chunk = [0; CHUNK];
            let mut read = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.io).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                this.reading = Reading::Broken;
                return Poll::Ready(Err(broken(schannel::Cause::Truncated)));
            }
            this.inbound.extend_from_slice(read.filled());
        }
    }
}

fn broken(cause: schannel::Cause) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, Failure::from(cause))
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Task<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.outbound.len().saturating_sub(this.gone) >= BACKLOG {
            ready!(this.poll_drain(cx))?;
        }
        let mut taken = 0;
        while taken < data.len() && this.outbound.len() < BACKLOG {
            match this.seal(data.get(taken..).unwrap_or_default()) {
                Ok(len) => taken += len,
                // The answer to a key update, or new keys of our own, go first.
                Err(failure) if failure == schannel::Cause::ResponsePending.into() => {
                    this.context.control(Control::Respond, &mut this.outbound).map_err(io::Error::other)?;
                }
                Err(failure) => return Poll::Ready(Err(io::Error::other(failure))),
            }
        }
        // It is sealed, and so it is taken: what does not go out now goes with the next flush.
        let _ = this.poll_drain(cx)?;
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !std::mem::replace(&mut this.ended, true) {
            let _ = this.context.control(Control::Shutdown, &mut this.outbound);
        }
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.io).poll_shutdown(cx)
    }
}
