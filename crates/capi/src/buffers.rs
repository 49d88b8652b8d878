//! SecBufferDesc, as callers fill it.

use crate::abi::{
    SECBUFFER_ATTRMASK, SECBUFFER_CHANNEL_BINDINGS, SECBUFFER_EMPTY, SECBUFFER_READONLY, SECBUFFER_TOKEN,
    SECBUFFER_VERSION, SecBuffer, SecBufferDesc,
};
use crate::code::Code;
use crate::memory;
use library::ChannelBindings;

/// More buffers than any function here takes.
const MOST: u32 = 64;

/// The buffers of a descriptor, to be written back to; none for no descriptor.
///
/// # Safety
/// `desc` is null or points to a descriptor, whose buffers are as many as it says, and nobody else uses them during the
/// call.
pub(crate) unsafe fn list<'d>(desc: *mut SecBufferDesc) -> Result<&'d mut [SecBuffer], Code> {
    // SAFETY: as the caller says.
    let (buffers, count) = unsafe { place(desc) }?;
    if count == 0 {
        return Ok(&mut []);
    }
    // SAFETY: the caller says that as many buffers stand there, and none else uses them during the call.
    Ok(unsafe { std::slice::from_raw_parts_mut(buffers, count) })
}

/// The buffers of a descriptor that is only read: some callers give the same one for input and output, so that each is
/// copied when it is looked at, and none is borrowed.
#[derive(Clone, Copy)]
pub(crate) struct Inputs {
    at: *const SecBuffer,
    count: usize,
}

/// The buffers of an input.
///
/// # Safety
/// `desc` is null or points to a descriptor, whose buffers are as many as it says.
pub(crate) unsafe fn inputs(desc: *mut SecBufferDesc) -> Result<Inputs, Code> {
    // SAFETY: as the caller says.
    unsafe { place(desc) }.map(|(at, count)| Inputs { at, count })
}

impl Inputs {
    /// The first buffer of this type.
    ///
    /// # Safety
    /// The buffers still stand there.
    pub(crate) unsafe fn of(self, kind: u32) -> Option<SecBuffer> {
        // SAFETY: as the caller says.
        let mut buffers = (0..self.count).map(|number| unsafe { self.at.add(number).read() });
        buffers.find(|buffer| buffer.kind() == kind)
    }
}

impl Inputs {
    /// The first buffer that is empty and may be written, to be written when the input is done with.
    ///
    /// # Safety
    /// As [`of`](Self::of).
    pub(crate) unsafe fn spare(self) -> Option<*mut SecBuffer> {
        // SAFETY: as the caller says.
        let places = (0..self.count).map(|number| unsafe { self.at.add(number) }.cast_mut());
        // SAFETY: as the caller says.
        let mut places = places.map(|place| (place, unsafe { place.read() }));
        places.find(|(_, buffer)| buffer.kind() == SECBUFFER_EMPTY && !buffer.is_read_only()).map(|(place, _)| place)
    }
}

/// # Safety
/// As [`inputs`].
unsafe fn place(desc: *mut SecBufferDesc) -> Result<(*mut SecBuffer, usize), Code> {
    if desc.is_null() {
        return Ok((std::ptr::null_mut(), 0));
    }
    // SAFETY: the caller says that it is a descriptor.
    let SecBufferDesc { ulVersion, cBuffers, pBuffers } = unsafe { desc.read_unaligned() };
    // What no compiler lays out so is no array of buffers.
    if ulVersion != SECBUFFER_VERSION || cBuffers > MOST || !pBuffers.is_aligned() {
        return Err(Code::INVALID_TOKEN);
    }
    Ok((pBuffers, if pBuffers.is_null() { 0 } else { cBuffers as usize }))
}

impl SecBuffer {
    /// Its type, without the bits that say how it may be used.
    pub(crate) fn kind(&self) -> u32 {
        self.BufferType & !SECBUFFER_ATTRMASK
    }

    /// Whether it must not be written.
    pub(crate) fn is_read_only(&self) -> bool {
        self.BufferType & SECBUFFER_READONLY != 0
    }

    /// Its bytes.
    ///
    /// # Safety
    /// It is null or points to as many bytes as it says.
    pub(crate) unsafe fn bytes<'b>(&self) -> &'b [u8] {
        if self.pvBuffer.is_null() || self.cbBuffer == 0 {
            return &[];
        }
        // SAFETY: the caller says so.
        unsafe { std::slice::from_raw_parts(self.pvBuffer.cast(), self.cbBuffer as usize) }
    }

    /// Its bytes, to be written.
    ///
    /// # Safety
    /// As [`bytes`](Self::bytes), and nobody else uses them during the call.
    pub(crate) unsafe fn bytes_mut<'b>(&self) -> &'b mut [u8] {
        if self.pvBuffer.is_null() || self.cbBuffer == 0 {
            return &mut [];
        }
        // SAFETY: the caller says so.
        unsafe { std::slice::from_raw_parts_mut(self.pvBuffer.cast(), self.cbBuffer as usize) }
    }
}

/// The channel that a leg goes through, as the caller describes it.
#[derive(Clone)]
pub(crate) struct Bindings {
    pub(crate) channel: ChannelBindings,
    /// Whether they are only to be reported on (SEC_CHANNEL_BINDINGS_EX).
    pub(crate) audits: bool,
}

/// SEC_CHANNEL_BINDINGS_AUDIT_BINDINGS.
const AUDIT: u32 = 1;

/// The channel bindings among the input buffers. A buffer for them that is empty is a mistake of a server's, which would
/// go on without checking any; a client without a channel has none.
///
/// # Safety
/// The buffers are as they say.
pub(crate) unsafe fn channel_bindings(inputs: Inputs, acceptor: bool) -> Result<Option<Box<Bindings>>, Code> {
    // SAFETY: as the caller says.
    let Some(buffer) = (unsafe { inputs.of(SECBUFFER_CHANNEL_BINDINGS) }) else { return Ok(None) };
    // SAFETY: as the caller says.
    match unsafe { buffer.bytes() } {
        [] if !acceptor => Ok(None),
        bytes => bindings(bytes).map(Box::new).map(Some).ok_or(Code::INVALID_TOKEN),
    }
}

/// SEC_CHANNEL_BINDINGS, or SEC_CHANNEL_BINDINGS_EX: the same eight numbers behind four more. The second tells its own
/// lengths where the first has an address' offset and type, which a TLS channel has not.
fn bindings(bytes: &[u8]) -> Option<Bindings> {
    let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let is_extended = bytes.len() >= EXTENDED && number(8)? as usize == EXTENDED && number(12)? as usize <= bytes.len();
    let (start, audits) = if is_extended { (16, number(4)? & AUDIT != 0) } else { (0, false) };
    let part = |len_at: usize| {
        let (len, offset) = (number(start + len_at)? as usize, number(start + len_at + 4)? as usize);
        if len == 0 { Some(Vec::new()) } else { Some(bytes.get(offset..offset.checked_add(len)?)?.to_vec()) }
    };
    let channel = ChannelBindings {
        initiator_type: number(start)?,
        initiator: part(4)?,
        acceptor_type: number(start + 12)?,
        acceptor: part(16)?,
        application_data: part(24)?,
    };
    Some(Bindings { channel, audits })
}

/// The size of SEC_CHANNEL_BINDINGS_EX.
const EXTENDED: usize = 48;

/// Where a token goes: the first buffer that takes one.
pub(crate) fn output(buffers: &mut [SecBuffer]) -> Option<&mut SecBuffer> {
    let takes = |buffer: &SecBuffer| matches!(buffer.kind(), SECBUFFER_TOKEN | SECBUFFER_EMPTY);
    let place = buffers.iter().position(|buffer| buffer.kind() == SECBUFFER_TOKEN);
    let place = place.or_else(|| buffers.iter().position(takes))?;
    buffers.get_mut(place).filter(|buffer| !buffer.is_read_only())
}

/// Gives a token to the caller: into its buffer, or into memory of ours.
///
/// # Safety
/// The buffer is as it says, unless memory is asked for.
pub(crate) unsafe fn give(token: &[u8], to: Option<&mut SecBuffer>, allocate: bool) -> Result<(), Code> {
    let Some(to) = to else { return if token.is_empty() { Ok(()) } else { Err(Code::BUFFER_TOO_SMALL) } };
    let len = u32::try_from(token.len()).map_err(|_| Code::INTERNAL_ERROR)?;
    if allocate {
        to.pvBuffer = if token.is_empty() { std::ptr::null_mut() } else { memory::copy(token)?.cast() };
    } else {
        // SAFETY: as the caller says.
        let room = unsafe { to.bytes_mut() };
        room.get_mut(..token.len()).ok_or(Code::BUFFER_TOO_SMALL)?.copy_from_slice(token);
    }
    to.cbBuffer = len;
    to.BufferType = SECBUFFER_TOKEN;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    #[test]
    fn both_forms_of_bindings() {
        let plain = [&numbers(&[0, 0, 0, 0, 0, 0, 4, 32])[..], b"data"].concat();
        let read = bindings(&plain).unwrap();
        assert_eq!((read.channel.application_data.as_slice(), read.audits), (&b"data"[..], false));
        for (flags, audits) in [(0, false), (1, true), (3, true)] {
            let ex = [&numbers(&[7, flags, 48, 52, 0, 0, 0, 0, 0, 0, 4, 48])[..], b"data"].concat();
            let read = bindings(&ex).unwrap();
            assert_eq!((read.channel.application_data.as_slice(), read.audits), (&b"data"[..], audits));
            assert_eq!(read.channel.initiator_type, 0);
        }
        for len in 0..plain.len() {
            assert!(bindings(&plain[..len]).is_none(), "{len}");
        }
        let mut outside = plain;
        outside[28..32].fill(0xff);
        assert!(bindings(&outside).is_none());
    }
}
