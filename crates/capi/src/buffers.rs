//! SecBufferDesc, as callers fill it.

use crate::abi::{
    SECBUFFER_ATTRMASK, SECBUFFER_CHANNEL_BINDINGS, SECBUFFER_EMPTY, SECBUFFER_READONLY, SECBUFFER_TOKEN,
    SECBUFFER_VERSION, SecBuffer, SecBufferDesc, SecChannelBindings,
};
use crate::code::Code;
use crate::memory;
use library::ChannelBindings;

/// More buffers than any function here takes.
const MOST: u32 = 64;

/// The buffers of a descriptor; none for no descriptor.
///
/// # Safety
/// `desc` is null or points to a descriptor, whose buffers are as many as it says.
pub(crate) unsafe fn list<'d>(desc: *mut SecBufferDesc) -> Result<&'d mut [SecBuffer], Code> {
    if desc.is_null() {
        return Ok(&mut []);
    }
    // SAFETY: the caller says that it is a descriptor.
    let SecBufferDesc { ulVersion, cBuffers, pBuffers } = unsafe { desc.read_unaligned() };
    if ulVersion != SECBUFFER_VERSION || cBuffers > MOST {
        return Err(Code::INVALID_TOKEN);
    }
    if pBuffers.is_null() || cBuffers == 0 {
        return Ok(&mut []);
    }
    // SAFETY: the caller says that as many buffers stand there, and none else uses them during the call.
    Ok(unsafe { std::slice::from_raw_parts_mut(pBuffers, cBuffers as usize) })
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

/// The peer's token among the input buffers; empty where there is none.
///
/// # Safety
/// The buffers are as they say.
pub(crate) unsafe fn token<'b>(buffers: &[SecBuffer]) -> &'b [u8] {
    let token = buffers.iter().find(|buffer| buffer.kind() == SECBUFFER_TOKEN);
    // SAFETY: as the caller says.
    token.map_or(&[], |token| unsafe { token.bytes() })
}

/// The channel bindings among the input buffers.
///
/// # Safety
/// The buffers are as they say.
pub(crate) unsafe fn channel_bindings(buffers: &[SecBuffer]) -> Result<Option<ChannelBindings>, Code> {
    let Some(buffer) = buffers.iter().find(|buffer| buffer.kind() == SECBUFFER_CHANNEL_BINDINGS) else {
        return Ok(None);
    };
    // SAFETY: as the caller says.
    let bytes = unsafe { buffer.bytes() };
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.len() < size_of::<SecChannelBindings>() {
        return Err(Code::INVALID_TOKEN);
    }
    // SAFETY: as many bytes stand there, and any bytes are numbers.
    let header = unsafe { bytes.as_ptr().cast::<SecChannelBindings>().read_unaligned() };
    let part = |offset: u32, len: u32| {
        let end = (offset as usize).checked_add(len as usize).ok_or(Code::INVALID_TOKEN)?;
        if len == 0 { Ok(&[][..]) } else { bytes.get(offset as usize..end).ok_or(Code::INVALID_TOKEN) }
    };
    Ok(Some(ChannelBindings {
        initiator_type: header.dwInitiatorAddrType,
        initiator: part(header.dwInitiatorOffset, header.cbInitiatorLength)?.to_vec(),
        acceptor_type: header.dwAcceptorAddrType,
        acceptor: part(header.dwAcceptorOffset, header.cbAcceptorLength)?.to_vec(),
        application_data: part(header.dwApplicationDataOffset, header.cbApplicationDataLength)?.to_vec(),
    }))
}

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
