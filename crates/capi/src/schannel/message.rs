//! EncryptMessage and DecryptMessage of a stream: one record a call, in the caller's buffers.

use crate::abi::{
    SECBUFFER_DATA, SECBUFFER_EMPTY, SECBUFFER_EXTRA, SECBUFFER_MISSING, SECBUFFER_STREAM_HEADER,
    SECBUFFER_STREAM_TRAILER, SecBuffer,
};
use crate::code::Code;
use crate::context::Open;
use crate::message::{Work, overlaps};
use library::{Failure, Record, Segment};

/// SECQOP_WRAP_OOB_DATA.
const OUT_OF_BAND: u32 = 0x4000_0000;

/// A record.
///
/// # Safety
/// The buffers are as they say.
pub(crate) unsafe fn protect(work: Work, open: &Open, buffers: &mut [SecBuffer], qop: u32) -> Result<Code, Code> {
    match (work, qop) {
        // SAFETY: as the caller says.
        (Work::Seal, 0) => unsafe { seal(open, buffers) },
        // SAFETY: as the caller says.
        (Work::Open, 0) => unsafe { unseal(open, buffers) },
        // Alerts of the host's own.
        (Work::Seal, OUT_OF_BAND) => Err(Code::UNSUPPORTED_FUNCTION),
        (Work::Seal | Work::Open, _) => Err(Code::QOP_NOT_SUPPORTED),
        (Work::Sign | Work::Verify, _) => Err(Code::UNSUPPORTED_FUNCTION),
    }
}

/// # Safety
/// As [`protect`].
unsafe fn seal(open: &Open, buffers: &mut [SecBuffer]) -> Result<Code, Code> {
    let sizes = open.facts.channel.as_ref().map(|channel| channel.sizes).ok_or(Code::INTERNAL_ERROR)?;
    let one = |kind: u32| {
        let mut of_it = buffers.iter().filter(|buffer| buffer.kind() == kind && !buffer.is_read_only());
        of_it.next().copied().filter(|_| of_it.next().is_none()).ok_or(Code::INVALID_TOKEN)
    };
    let (header, data, trailer) = (one(SECBUFFER_STREAM_HEADER)?, one(SECBUFFER_DATA)?, one(SECBUFFER_STREAM_TRAILER)?);
    for (buffer, needed) in [(&header, sizes.header), (&trailer, sizes.trailer)] {
        if buffer.pvBuffer.is_null() || buffer.cbBuffer < needed {
            return Err(Code::BUFFER_TOO_SMALL);
        }
    }
    if data.pvBuffer.is_null() && data.cbBuffer != 0 {
        return Err(Code::INVALID_TOKEN);
    }
    // Longer ones count as long as they are needed.
    let header = SecBuffer { cbBuffer: sizes.header, ..header };
    let trailer = SecBuffer { cbBuffer: sizes.trailer, ..trailer };
    if overlaps([&header, &data, &trailer].into_iter()) {
        return Err(Code::INVALID_TOKEN);
    }
    // SAFETY: the buffers are as they say and were seen not to overlap.
    let mut message = unsafe {
        [Segment::Header(header.bytes_mut()), Segment::Data(data.bytes_mut()), Segment::Trailer(trailer.bytes_mut())]
    };
    let sealed = {
        let mut sealer = open.halves()?.sealer.lock();
        let sealer = sealer.as_mut().ok_or(Code::INVALID_HANDLE)?;
        sealer.seal(&mut message)
    };
    let used = sealed?;
    for buffer in buffers.iter_mut().filter(|buffer| !buffer.is_read_only()) {
        match buffer.kind() {
            // Of no data there is no record.
            SECBUFFER_STREAM_HEADER => buffer.cbBuffer = if used == 0 { 0 } else { sizes.header },
            SECBUFFER_STREAM_TRAILER => buffer.cbBuffer = used as u32,
            _ => {}
        }
    }
    Ok(Code::OK)
}

/// # Safety
/// As [`protect`].
unsafe fn unseal(open: &Open, buffers: &mut [SecBuffer]) -> Result<Code, Code> {
    let is_one = buffers.iter().filter(|buffer| buffer.kind() == SECBUFFER_DATA).count() == 1;
    let data = buffers.iter().find(|buffer| buffer.kind() == SECBUFFER_DATA && !buffer.is_read_only());
    let data = data.copied().filter(|_| is_one).ok_or(Code::INVALID_TOKEN)?;
    // The record's parts are told in four buffers, in the order in which they stand.
    let takes =
        |buffer: &&mut SecBuffer| matches!(buffer.kind(), SECBUFFER_DATA | SECBUFFER_EMPTY) && !buffer.is_read_only();
    let mut places = buffers.iter_mut().filter(takes);
    let (Some(first), Some(second), Some(third), Some(fourth)) =
        (places.next(), places.next(), places.next(), places.next())
    else {
        return Err(Code::INVALID_TOKEN);
    };
    // SAFETY: as the caller says.
    let stream = unsafe { data.bytes_mut() };
    let len = stream.len();
    let record: Result<Record, Failure> = {
        let mut opener = open.halves()?.opener.lock();
        let opener = opener.as_mut().ok_or(Code::INVALID_HANDLE)?;
        opener.unseal_record(stream)
    };
    if let Err(failure) = &record {
        // The first one: what comes later follows from it.
        open.halves()?.outgoing.lock().failed.get_or_insert_with(|| failure.clone());
    }
    let (start, plain, used, code) = match record? {
        Record::Incomplete { missing } => {
            let spare = if first.kind() == SECBUFFER_EMPTY { first } else { second };
            spare.BufferType = SECBUFFER_MISSING;
            spare.cbBuffer = u32::try_from(missing).unwrap_or(u32::MAX);
            return Err(Code::INCOMPLETE_MESSAGE);
        }
        Record::Data { start, len, used } => (start, len, used, Code::OK),
        // What is no data leaves none: a caller that looks for data all the same finds an empty piece.
        Record::WantsResponse { used } => (used, 0, used, Code::RENEGOTIATE),
        Record::Closed { used } => (used, 0, used, Code::CONTEXT_EXPIRED),
        // A kind that is newer than this table.
        _ => return Err(Code::INTERNAL_ERROR),
    };
    let place = |kind: u32, from: usize, to: usize| SecBuffer {
        cbBuffer: to.saturating_sub(from) as u32,
        BufferType: kind,
        // SAFETY: not beyond the end of the caller's buffer.
        pvBuffer: unsafe { data.pvBuffer.byte_add(from.min(len)) },
    };
    *first = place(SECBUFFER_STREAM_HEADER, 0, start);
    *second = place(SECBUFFER_DATA, start, start + plain);
    *third = place(SECBUFFER_STREAM_TRAILER, start + plain, used);
    if used < len {
        *fourth = place(SECBUFFER_EXTRA, used, len);
    } else {
        *fourth = SecBuffer { cbBuffer: 0, BufferType: SECBUFFER_EMPTY, pvBuffer: std::ptr::null_mut() };
    }
    Ok(code)
}
