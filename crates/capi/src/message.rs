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
use library::{ContextFlags, Failure, Opened, Opener, Sealer, Segment, package};
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
        unsafe { tell_quality(qop_found, 0) };
        return Ok(code);
    }
    let open = context.open()?;
    let how = How::of(open, work, qop)?;
    let trailer = match work {
        Work::Sign | Work::Verify => open.facts.sizes.max_signature,
        Work::Seal | Work::Open => open.facts.sizes.security_trailer,
    } as usize;
    check(work, buffers, trailer)?;
    let enciphered = if work == Work::Open
        && let Some(stream) = buffers.iter().position(|buffer| buffer.kind() == SECBUFFER_STREAM)
    {
        // SAFETY: as the caller says.
        unsafe { open_stream(open, &how, buffers, stream, trailer) }?
    } else {
        // SAFETY: as the caller says; `check` found no overlap.
        unsafe { segments(open, &how, buffers) }?
    };
    let quality = if work == Work::Open && !enciphered { WRAP_NO_ENCRYPT } else { 0 };
    // SAFETY: as the caller says.
    unsafe { tell_quality(qop_found, quality) };
    Ok(Code::OK)
}

/// SECQOP_WRAP_NO_ENCRYPT: signed as a sealed message is, and left readable.
const WRAP_NO_ENCRYPT: u32 = 0x8000_0001;

/// What is done to a message, and how its package lays it out.
struct How {
    work: Work,
    /// Whether a message to be sealed is only to be signed.
    plain: bool,
    of_kerberos: bool,
    /// Whether there is a byte of padding where the caller has room for it: what RC4's tokens end with, as `gss_wrap` makes
    /// them (RFC 4757 §7.3).
    pads: bool,
}

impl How {
    /// NTLM has one quality: sealing without encryption could not be told from sealing by who opens it.
    fn of(open: &Open, work: Work, qop: u32) -> Result<Self, Code> {
        let of_kerberos = open.facts.mechanism() == &package::KERBEROS;
        let plain = match qop {
            0 => false,
            WRAP_NO_ENCRYPT if of_kerberos && work == Work::Seal => true,
            _ => return Err(Code::QOP_NOT_SUPPORTED),
        };
        let is_rc4 = open.facts.key_info.is_some_and(|info| info.encrypt_id == KERB_ETYPE_RC4_HMAC_NT);
        let pads = of_kerberos && is_rc4 && !open.facts.granted.contains(ContextFlags::USE_DCE_STYLE);
        Ok(Self { work, plain, of_kerberos, pads })
    }
}

const KERB_ETYPE_RC4_HMAC_NT: u32 = 23;

/// # Safety
/// `found` is null or a variable of the caller's.
unsafe fn tell_quality(found: *mut u32, quality: u32) {
    if !found.is_null() {
        // SAFETY: as the caller says.
        unsafe { found.write_unaligned(quality) };
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
    let is_part = matches!(buffer.kind(), SECBUFFER_DATA | SECBUFFER_TOKEN | SECBUFFER_PADDING);
    is_part && !buffer.pvBuffer.is_null() && buffer.cbBuffer > 0
}

fn range(buffer: &SecBuffer) -> Range<usize> {
    let start = buffer.pvBuffer.addr();
    start..start.saturating_add(buffer.cbBuffer as usize)
}

/// # Safety
/// The buffers are as they say, and do not overlap.
unsafe fn segments(open: &Open, how: &How, buffers: &mut [SecBuffer]) -> Result<bool, Code> {
    let makes = matches!(how.work, Work::Sign | Work::Seal);
    let seals = matches!(how.work, Work::Seal | Work::Open);
    // A signature is checked against a copy: the library writes into the token when it makes one.
    let mut given = Vec::new();
    let mut message = Vec::with_capacity(buffers.len() + 1);
    // What pads a message is part of its data, and the last.
    let mut padding = None;
    for buffer in buffers.iter() {
        match buffer.kind() {
            SECBUFFER_TOKEN if makes => {
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
            SECBUFFER_PADDING if how.pads && seals && !buffer.is_read_only() => {
                // SAFETY: as the caller says.
                padding = unsafe { buffer.bytes_mut() }.get_mut(..1);
            }
            _ => {}
        }
    }
    let padded = padding.is_some();
    if let Some(padding) = padding {
        if makes {
            padding.fill(1);
        }
        message.push(Segment::Data(padding));
    }
    if !makes {
        message.push(Segment::Token(&mut given));
    }
    let done = run(open, how, &mut message)?;
    for buffer in buffers {
        match buffer.kind() {
            SECBUFFER_TOKEN if makes => buffer.cbBuffer = done.len as u32,
            // A stream cipher pads nothing.
            SECBUFFER_PADDING if how.work == Work::Seal => buffer.cbBuffer = u32::from(padded),
            _ => {}
        }
    }
    Ok(done.enciphered)
}

/// What came of a message.
struct Done {
    /// Of the token that was made.
    len: usize,
    enciphered: bool,
    /// Where the data lies in a whole message.
    data: Option<Range<usize>>,
}

fn run(open: &Open, how: &How, message: &mut [Segment<'_>]) -> Result<Done, Code> {
    let halves = open.halves()?;
    let sending = |step: fn(&mut Sealer, &mut [Segment<'_>]) -> Result<usize, Failure>, message: &mut [Segment<'_>]| {
        let mut half = halves.sealer.lock();
        let done = step(half.as_mut().ok_or(Code::INVALID_HANDLE)?, message);
        drop(half); // a refusal is logged, and the host's function may do anything
        done.map(|len| Done { len, enciphered: true, data: None }).map_err(Code::from)
    };
    let receiving = |step: fn(&mut Opener, &mut [Segment<'_>]) -> Result<Opened, Failure>,
                     message: &mut [Segment<'_>]| {
        let mut half = halves.opener.lock();
        let done = step(half.as_mut().ok_or(Code::INVALID_HANDLE)?, message);
        drop(half);
        done.map(|Opened { enciphered, data }| Done { len: 0, enciphered, data }).map_err(Code::from)
    };
    match how.work {
        Work::Sign => sending(Sealer::sign, message),
        Work::Seal if how.plain => sending(Sealer::seal_plain, message),
        Work::Seal => sending(Sealer::seal, message),
        Work::Verify => {
            let verified = |half: &mut Opener, message: &mut [Segment<'_>]| {
                half.verify(message).map(|()| Opened { enciphered: false, data: None })
            };
            receiving(verified, message)
        }
        Work::Open => receiving(Opener::unseal, message),
    }
}

/// A whole message in one buffer, signature first: the data buffer is pointed at what is inside.
///
/// # Safety
/// The buffers are as they say.
unsafe fn open_stream(
    open: &Open,
    how: &How,
    buffers: &mut [SecBuffer],
    stream: usize,
    trailer: usize,
) -> Result<bool, Code> {
    let stream = buffers.get(stream).copied().filter(|stream| !stream.is_read_only()).ok_or(Code::INVALID_TOKEN)?;
    // SAFETY: as the caller says.
    let bytes = unsafe { stream.bytes_mut() };
    let start = bytes.as_mut_ptr();
    let (place, enciphered) = match how.of_kerberos {
        // Only the message itself says where its data lies.
        true => {
            let done = run(open, how, &mut [Segment::Stream(bytes)])?;
            (done.data.ok_or(Code::INTERNAL_ERROR)?, done.enciphered)
        }
        false => {
            let len = bytes.len();
            let (token, data) = bytes.split_at_mut_checked(trailer).ok_or(Code::INVALID_TOKEN)?;
            let done = run(open, how, &mut [Segment::Token(token), Segment::Data(data)])?;
            (trailer..len, done.enciphered)
        }
    };
    if let Some(found) = buffers.iter_mut().find(|buffer| buffer.kind() == SECBUFFER_DATA) {
        // SAFETY: the place lies inside the stream.
        found.pvBuffer = unsafe { start.add(place.start) }.cast();
        found.cbBuffer = place.len() as u32;
    }
    Ok(enciphered)
}
