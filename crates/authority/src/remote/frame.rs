use portcullis_wire::{Error, Kind, Reader};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The version of the protocol. Both sides must have the same.
pub const VERSION: u16 = 4;

/// The longest frame in bytes: a token of 64 KiB and what goes with it, or an account with all its groups.
pub const MAX_FRAME: usize = 256 * 1024;

const MAGIC: [u8; 8] = *b"PCLSAUTH";
const HELLO: usize = MAGIC.len() + 2;

/// What a frame holds; overwritten when dropped, for passwords and keys are in it.
pub type Bytes = Zeroizing<Vec<u8>>;

/// A socket on which everything has an end.
pub(super) struct Timed<'s> {
    stream: &'s UnixStream,
    deadline: Instant,
}

impl<'s> Timed<'s> {
    pub(super) fn until(stream: &'s UnixStream, deadline: Instant) -> Self {
        Self { stream, deadline }
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        (&mut &*self.stream).read(buffer).map_err(timed_out)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        (&mut &*self.stream).write(buffer).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A socket's own time-out shows as "would block".
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

/// Says who we are, and reads who the other is; its version comes back where it is another.
pub(super) fn greet(stream: &mut (impl Read + Write)) -> io::Result<Result<(), u16>> {
    let [low, high] = VERSION.to_le_bytes();
    let mut hello = MAGIC.to_vec();
    hello.extend([low, high]);
    stream.write_all(&hello)?;
    let mut theirs = [0; HELLO];
    stream.read_exact(&mut theirs)?;
    let mut reader = Reader::new(&theirs);
    let not_ours = |_: Error| io::Error::new(io::ErrorKind::InvalidData, "not an authority's socket");
    let magic: [u8; MAGIC.len()] = reader.array("magic").map_err(not_ours)?;
    let version = reader.u16("version").map_err(not_ours)?;
    match (magic == MAGIC, version) {
        (false, _) => Err(not_ours(Error::new(0, "magic", Kind::Unexpected))),
        (true, VERSION) => Ok(Ok(())),
        (true, other) => Ok(Err(other)),
    }
}

/// Writes one frame.
pub(super) fn write(stream: &mut impl Write, body: &[u8]) -> io::Result<()> {
    let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "a frame longer than the protocol allows");
    let len = u32::try_from(body.len()).ok().filter(|_| body.len() <= MAX_FRAME).ok_or_else(too_long)?;
    let mut frame = Bytes::new(Vec::with_capacity(body.len() + 4));
    frame.extend_from_slice(&len.to_le_bytes());
    frame.extend_from_slice(body);
    stream.write_all(&frame)
}

/// Reads one frame; `None` where the other side ended the connection between frames.
pub(super) fn read(stream: &mut impl Read) -> io::Result<Option<Bytes>> {
    let mut len = [0; 4];
    if let Err(error) = stream.read_exact(&mut len) {
        return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
    }
    let len = usize::try_from(u32::from_le_bytes(len)).unwrap_or(usize::MAX);
    if len > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame longer than the protocol allows"));
    }
    let mut body = Bytes::new(vec![0; len]);
    stream.read_exact(&mut body)?;
    Ok(Some(body))
}
