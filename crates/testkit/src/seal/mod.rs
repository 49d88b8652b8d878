//! A TCP service that logs a client on and then answers signed and sealed messages: for clients that nobody here wrote.
//!
//! Every frame, both ways, is a length of four bytes (big-endian, at most [`MAX_FRAME`]) and a payload. The legs of the
//! handshake are bare tokens. Behind the last leg the server sends a status frame: one byte, 0 for established and
//! 1 for refused, and the status (four bytes, big-endian). Then the client sends, as often as it likes:
//!
//! - `S`, a signature of 16 bytes, text: the server checks it and answers `S`, signature, the text reversed;
//! - `E`, a signature, sealed text: the server opens it and answers `E`, signature, the text reversed and sealed;
//! - `M`, a count of one byte, so many segments (a length of four bytes, big-endian, and bytes), a signature: the first
//!   segment is signed only, the others are sealed. The answer has the same form, each segment reversed.
//!
//! With [`Messages::InPieces`], where a piece is a length of four bytes (big-endian) and bytes, it sends instead:
//!
//! - `S`, piece(signature), piece(text): as above;
//! - `E`, piece(a Wrap token of GSS-API, sealed), or `P`, the same not sealed;
//! - `M`, piece(token), piece(head, signed only), piece(sealed data).
//!
//! Whatever fails is answered by `F` and the status, and the connection is closed.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this reads a network"
)]

mod pieces;

use portcullis::{Authority, Call, CallCause, Context, Credential, Failure, Handshake, NoRandomness, Segment, Status};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The largest payload of a frame in bytes.
pub const MAX_FRAME: usize = 1024 * 1024;

/// The length of a signature in bytes.
const SIGNATURE: usize = 16;

/// How the messages behind the handshake are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Messages {
    /// With signatures of 16 bytes: NTLM's.
    Fixed,
    /// With tokens of any length: Kerberos'.
    InPieces,
}

/// Accepts connections until the process ends, a thread each.
///
/// # Errors
/// When the listener fails.
pub fn serve(listener: &TcpListener, credential: &Credential, authority: &Arc<dyn Authority>) -> io::Result<()> {
    serve_with(listener, credential, authority, Messages::Fixed)
}

/// The same, with messages laid out so.
///
/// # Errors
/// When the listener fails.
pub fn serve_with(
    listener: &TcpListener,
    credential: &Credential,
    authority: &Arc<dyn Authority>,
    messages: Messages,
) -> io::Result<()> {
    for stream in listener.incoming() {
        let (stream, credential, authority) = (stream?, credential.clone(), Arc::clone(authority));
        std::thread::spawn(move || {
            if let Err(error) = connection(stream, &credential, &*authority, messages) {
                eprintln!("connection: {error}");
            }
        });
    }
    Ok(())
}

/// Serves one connection to its end.
///
/// # Errors
/// When the socket fails, or a frame is too large.
pub fn connection(
    mut stream: TcpStream,
    credential: &Credential,
    authority: &dyn Authority,
    messages: Messages,
) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.set_nodelay(true)?;
    let mut context = match handshake(&mut stream, credential, authority)? {
        Ok(context) => context,
        Err(failure) => {
            eprintln!("refused: {failure}");
            return write_frame(&mut stream, &[&[1], &failure.status.0.to_be_bytes()]);
        }
    };
    write_frame(&mut stream, &[&[0], &Status::SEC_E_OK.0.to_be_bytes()])?;
    while let Some(frame) = read_frame(&mut stream)? {
        let answered = match messages {
            Messages::Fixed => answer(&mut context, &frame),
            Messages::InPieces => pieces::answer(&mut context, &frame),
        };
        match answered {
            Ok(reply) => write_frame(&mut stream, &[&reply])?,
            Err(failure) => {
                eprintln!("message refused: {failure}");
                return write_frame(&mut stream, &[b"F", &failure.status.0.to_be_bytes()]);
            }
        }
    }
    Ok(())
}

fn handshake(
    stream: &mut TcpStream,
    credential: &Credential,
    authority: &dyn Authority,
) -> io::Result<Result<Context, Failure>> {
    let mut waiting = credential.begin();
    loop {
        let Some(token) = read_frame(stream)? else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        let mut out = Vec::new();
        let mut random = unforeseen;
        let mut events = ();
        let mut step = waiting.token(&token, Call::new(SystemTime::now(), &mut random, &mut events, &mut out));
        while let Ok(Handshake::NeedsAnswer(asking)) = step {
            step = asking.ask(authority, Call::new(SystemTime::now(), &mut random, &mut events, &mut out));
        }
        if !out.is_empty() {
            write_frame(stream, &[&out])?;
        }
        match step {
            Ok(Handshake::NeedsToken(next)) => waiting = next,
            Ok(Handshake::Established(context)) => return Ok(Ok(context)),
            Ok(_) => return Ok(Err(CallCause::WrongInput.into())),
            Err(failure) => return Ok(Err(failure)),
        }
    }
}

/// Reads a message, opens it, and gives the reply: every segment reversed.
fn answer(context: &mut Context, frame: &[u8]) -> Result<Vec<u8>, Failure> {
    let bad = || Failure::from(CallCause::BadBuffers);
    let (&kind, rest) = frame.split_first().ok_or_else(bad)?;
    match kind {
        b'S' | b'E' => {
            let (signature, text) = rest.split_at_checked(SIGNATURE).ok_or_else(bad)?;
            let (mut token, mut text) = (signature.to_vec(), text.to_vec());
            if kind == b'S' {
                context.verify(&mut [Segment::Data(&mut text), Segment::Token(&mut token)])?;
                text.reverse();
                context.sign(&mut [Segment::Data(&mut text), Segment::Token(&mut token)])?;
            } else {
                context.unseal(&mut [Segment::Data(&mut text), Segment::Token(&mut token)])?;
                text.reverse();
                context.seal(&mut [Segment::Data(&mut text), Segment::Token(&mut token)])?;
            }
            Ok([&[kind][..], &token, &text].concat())
        }
        b'M' => {
            let (mut parts, signature) = segments(rest).ok_or_else(bad)?;
            let mut token = signature.to_vec();
            context.unseal(&mut message(&mut parts, &mut token))?;
            parts.iter_mut().for_each(|part| part.reverse());
            context.seal(&mut message(&mut parts, &mut token))?;
            let mut reply = vec![kind, u8::try_from(parts.len()).map_err(|_| bad())?];
            for part in &parts {
                reply.extend_from_slice(&u32::try_from(part.len()).map_err(|_| bad())?.to_be_bytes());
                reply.extend_from_slice(part);
            }
            reply.extend_from_slice(&token);
            Ok(reply)
        }
        _ => Err(bad()),
    }
}

/// The segments of a message, and the signature behind them.
fn segments(mut rest: &[u8]) -> Option<(Vec<Vec<u8>>, &[u8])> {
    let (&count, behind) = rest.split_first()?;
    rest = behind;
    let mut parts = Vec::new();
    for _ in 0..count {
        let (len, behind) = rest.split_first_chunk()?;
        let (part, behind) = behind.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
        parts.push(part.to_vec());
        rest = behind;
    }
    (rest.len() == SIGNATURE).then_some((parts, rest))
}

fn message<'m>(parts: &'m mut [Vec<u8>], token: &'m mut [u8]) -> Vec<Segment<'m>> {
    let mut segments = Vec::with_capacity(parts.len() + 1);
    for (number, part) in parts.iter_mut().enumerate() {
        segments.push(if number == 0 { Segment::SignOnly(part) } else { Segment::Data(part) });
    }
    segments.push(Segment::Token(token));
    segments
}

/// A frame's payload; `None` when the peer closed between frames.
fn read_frame(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut len = [0; 4];
    match stream.read_exact(&mut len) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let len = usize::try_from(u32::from_be_bytes(len)).unwrap_or(usize::MAX);
    if len > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame of more than 1 MiB"));
    }
    let mut payload = Vec::new();
    stream.take(len as u64).read_to_end(&mut payload)?;
    if payload.len() == len { Ok(Some(payload)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn write_frame(stream: &mut impl Write, pieces: &[&[u8]]) -> io::Result<()> {
    let len: usize = pieces.iter().map(|piece| piece.len()).sum();
    let len = u32::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    stream.write_all(&[&len.to_be_bytes()[..], &pieces.concat()].concat())
}

/// Bytes from the seeds of the standard library's hash tables: fresh for each, and enough for a service of tests.
fn unforeseen(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    for chunk in bytes.chunks_mut(8) {
        let number = RandomState::new().hash_one(SystemTime::now()).to_le_bytes();
        chunk.iter_mut().zip(number).for_each(|(to, from)| *to = from);
    }
    Ok(())
}
