//! MakeSignature, VerifySignature, EncryptMessage and DecryptMessage.
//!
//! Each direction has a lock of its own, so that one thread seals while another opens. What the caller marks as read-only
//! is never borrowed for writing, and buffers that overlap are refused.

use crate::abi::{
    SECBUFFER_DATA, SECBUFFER_PADDING, SECBUFFER_READONLY_WITH_CHECKSUM, SECBUFFER_STREAM, SECBUFFER_TOKEN, SecBuffer,
    SecBufferDesc, SecHandle,
};
use crate::code::Code;
use crate::context::{Context, Open};
use crate::credential::read_handle;
use crate::{buffers, handles, schannel};
use library::{Failure, Opener, Sealer, Segment};
use std::ops::Range;

/// What is done to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Sign,
    Verify,
    Seal,
    Open,
}

/// The messages of an established context.
///
/// # Safety
/// The pointers are null or hold.
pub(crate) unsafe fn protect(
    work: Work,
    context: *const SecHandle,
    message: *mut SecBufferDesc,
    qop: u32,
    qop_found: *mut u32,
) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let context = handles::get::<Context>(unsafe { read_handle(context) }?)?;
    // SAFETY: as the caller says.
    let buffers = unsafe { buffers::list(message) }?;
    if context.is_stream() {
        // SAFETY: as the caller says.
        let code = unsafe { schannel::message::protect(work, context.open()?, buffers, qop) }?;
        // SAFETY: as the caller says.
        unsafe { tell_quality(qop_found) };
        return Ok(code);
    }
    // NTLM has one quality. Sealing without encryption could not be told from sealing by who opens it.
    if qop != 0 {
        return Err(Code::QOP_NOT_SUPPORTED);
    }
    let open = context.open()?;
    let trailer = match work {
        Work::Sign | Work::Verify => open.facts.sizes.max_signature,
        Work::Seal | Work::Open => open.facts.sizes.security_trailer,
    } as usize;
    check(work, buffers, trailer)?;
    if work == Work::Open
        && let Some(stream) = buffers.iter().position(|buffer| buffer.kind() == SECBUFFER_STREAM)
    {
        // SAFETY: as the caller says.
        unsafe { open_stream(open, buffers, stream, trailer) }?;
    } else {
        // SAFETY: as the caller says; `check` found no overlap.
        unsafe { segments(open, work, buffers) }?;
    }
    // SAFETY: as the caller says.
    unsafe { tell_quality(qop_found) };
    Ok(Code::OK)
}

/// There is one quality of protection.
///
/// # Safety
/// It is null or a variable of the caller's.
unsafe fn tell_quality(found: *mut u32) {
    if !found.is_null() {
        // SAFETY: as the caller says.
        unsafe { found.write_unaligned(0) };
    }
}

/// Refuses what no message can be made of, before a sequence number is used up.
fn check(work: Work, buffers: &[SecBuffer], trailer: usize) -> Result<(), Code> {
    let seals = matches!(work, Work::Seal | Work::Open);
    let of = |kind| buffers.iter().filter(move |buffer| buffer.kind() == kind);
    if work == Work::Open && of(SECBUFFER_STREAM).next().is_some() {
        return if of(SECBUFFER_STREAM).count() == 1 && of(SECBUFFER_DATA).count() == 1 {
            Ok(())
        } else {
            Err(Code::INVALID_TOKEN)
        };
    }
    let token = of(SECBUFFER_TOKEN).next().filter(|_| of(SECBUFFER_TOKEN).count() == 1).ok_or(Code::INVALID_TOKEN)?;
    let makes = matches!(work, Work::Sign | Work::Seal);
    if makes && token.is_read_only() || seals && of(SECBUFFER_DATA).next().is_none() {
        return Err(Code::INVALID_TOKEN);
    }
    if makes && (token.pvBuffer.is_null() || (token.cbBuffer as usize) < trailer) {
        return Err(Code::BUFFER_TOO_SMALL);
    }
    if overlaps(buffers.iter().filter(|buffer| takes_part(buffer))) { Err(Code::INVALID_TOKEN) } else { Ok(()) }
}

/// Whether some of these share bytes. Each with each: they are few, and a list of them would have to be allocated.
pub(crate) fn overlaps<'b>(buffers: impl Iterator<Item = &'b SecBuffer> + Clone) -> bool {
    let mut places = buffers.map(range).filter(|place| !place.is_empty());
    while let Some(a) = places.next() {
        if places.clone().any(|b| a.start < b.end && b.start < a.end) {
            return true;
        }
    }
    false
}

fn takes_part(buffer: &SecBuffer) -> bool {
    matches!(buffer.kind(), SECBUFFER_DATA | SECBUFFER_TOKEN) && !buffer.pvBuffer.is_null() && buffer.cbBuffer > 0
}

fn range(buffer: &SecBuffer) -> Range<usize> {
    let start = buffer.pvBuffer.addr();
    start..start.saturating_add(buffer.cbBuffer as usize)
}

/// # Safety
/// The buffers are as they say, and do not overlap.
unsafe fn segments(open: &Open, work: Work, buffers: &mut [SecBuffer]) -> Result<(), Code> {
    let seals = matches!(work, Work::Seal | Work::Open);
    // A signature is checked against a copy: the library writes into the token when it makes one.
    let mut given = Vec::new();
    let mut message = Vec::with_capacity(buffers.len());
    for buffer in buffers.iter() {
        match buffer.kind() {
            SECBUFFER_TOKEN if matches!(work, Work::Sign | Work::Seal) => {
                // SAFETY: as the caller says, and the token is not marked read-only.
                message.push(Segment::Token(unsafe { buffer.bytes_mut() }));
            }
            // SAFETY: as the caller says.
            SECBUFFER_TOKEN => given = unsafe { buffer.bytes() }.to_vec(),
            SECBUFFER_DATA => message.push(match buffer.BufferType {
                // SAFETY: as the caller says.
                kind if kind & SECBUFFER_READONLY_WITH_CHECKSUM != 0 => Segment::SignOnly(unsafe { buffer.bytes() }),
                // SAFETY: as the caller says.
                _ if buffer.is_read_only() => Segment::ReadOnly(unsafe { buffer.bytes() }),
                // SAFETY: as the caller says.
                _ if seals => Segment::Data(unsafe { buffer.bytes_mut() }),
                // SAFETY: as the caller says.
                _ => Segment::SignOnly(unsafe { buffer.bytes() }),
            }),
            _ => {}
        }
    }
    if matches!(work, Work::Verify | Work::Open) {
        message.push(Segment::Token(&mut given));
    }
    let len = run(open, work, &mut message)?;
    for buffer in buffers {
        match buffer.kind() {
            SECBUFFER_TOKEN if matches!(work, Work::Sign | Work::Seal) => buffer.cbBuffer = len as u32,
            // A stream cipher pads nothing.
            SECBUFFER_PADDING if work == Work::Seal => buffer.cbBuffer = 0,
            _ => {}
        }
    }
    Ok(())
}

fn run(open: &Open, work: Work, message: &mut [Segment<'_>]) -> Result<usize, Code> {
    let halves = open.halves()?;
    let sending = |step: fn(&mut Sealer, &mut [Segment<'_>]) -> Result<usize, Failure>, message: &mut [Segment<'_>]| {
        let mut half = halves.sealer.lock();
        let done = step(half.as_mut().ok_or(Code::INVALID_HANDLE)?, message);
        drop(half); // a refusal is logged, and the host's function may do anything
        done.map_err(Code::from)
    };
    let receiving = |step: fn(&mut Opener, &mut [Segment<'_>]) -> Result<(), Failure>, message: &mut [Segment<'_>]| {
        let mut half = halves.opener.lock();
        let done = step(half.as_mut().ok_or(Code::INVALID_HANDLE)?, message);
        drop(half);
        done.map(|()| 0).map_err(Code::from)
    };
    match work {
        Work::Sign => sending(Sealer::sign, message),
        Work::Seal => sending(Sealer::seal, message),
        Work::Verify => receiving(Opener::verify, message),
        Work::Open => receiving(|opener, segments| opener.unseal(segments).map(drop), message),
    }
}

/// A whole message in one buffer, signature first: the data buffer is pointed at what is inside.
///
/// # Safety
/// The buffers are as they say.
unsafe fn open_stream(open: &Open, buffers: &mut [SecBuffer], stream: usize, trailer: usize) -> Result<(), Code> {
    let stream = buffers.get(stream).copied().filter(|stream| !stream.is_read_only()).ok_or(Code::INVALID_TOKEN)?;
    // SAFETY: as the caller says.
    let bytes = unsafe { stream.bytes_mut() };
    let (token, data) = bytes.split_at_mut_checked(trailer).ok_or(Code::INVALID_TOKEN)?;
    let (at, len) = (data.as_mut_ptr(), data.len());
    run(open, Work::Open, &mut [Segment::Token(token), Segment::Data(data)])?;
    if let Some(found) = buffers.iter_mut().find(|buffer| buffer.kind() == SECBUFFER_DATA) {
        found.pvBuffer = at.cast();
        found.cbBuffer = len as u32;
    }
    Ok(())
}
