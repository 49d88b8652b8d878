//! What a leg of a stream has that other packages' legs have not: input that is left, alerts, and legs after the handshake.

use super::control;
use crate::abi::{SECBUFFER_ALERT, SECBUFFER_EXTRA, SECBUFFER_MISSING, SecBuffer};
use crate::buffers;
use crate::code::Code;
use crate::context::Context;
use crate::credential::Credential;
use crate::establish::{Exchange, Input, Leg};
use crate::flags;
use library::schannel::Cause;
use library::{ContextFlags, Facts, Failure};

/// What a stream's leg says of its input.
#[derive(Clone, Copy)]
pub(crate) enum Left {
    /// So many bytes are missing at least.
    Missing(usize),
    /// So many bytes at the end were not used.
    Extra(usize),
}

impl Left {
    /// In the caller's spare input buffer.
    ///
    /// # Safety
    /// `spare` still is a buffer of the caller's, and the token is as long as it says.
    pub(crate) unsafe fn tell(self, spare: Option<*mut SecBuffer>, token: Option<SecBuffer>) {
        let told = match (self, token) {
            (Self::Extra(0), _) | (Self::Extra(_), None) => return,
            (Self::Missing(missing), _) => SecBuffer {
                cbBuffer: u32::try_from(missing).unwrap_or(u32::MAX),
                BufferType: SECBUFFER_MISSING,
                pvBuffer: std::ptr::null_mut(),
            },
            (Self::Extra(extra), Some(token)) => SecBuffer {
                cbBuffer: extra as u32,
                BufferType: SECBUFFER_EXTRA,
                // SAFETY: not beyond the end of the token.
                pvBuffer: unsafe { token.pvBuffer.byte_add((token.cbBuffer as usize).saturating_sub(extra)) },
            },
        };
        match (spare, self) {
            // SAFETY: as the caller says.
            (Some(spare), _) => unsafe { spare.write(told) },
            (None, Self::Extra(bytes)) => {
                tracing::warn!(bytes, "a call had no SECBUFFER_EMPTY among its input: what is left of it is lost");
            }
            (None, Self::Missing(_)) => {}
        }
    }
}

/// Longer tokens of messages are not looked at: more than any package's, whole or in pieces. A stream may be as long as it
/// likes, since no more than its front is used.
const LONGEST: u32 = 1 << 20;

/// SECURITY_NETWORK_DREP, and what most programs say although it means nothing here: SECURITY_NATIVE_DREP.
const REPRESENTATIONS: [u32; 2] = [0, 0x10];

impl Exchange<'_> {
    /// Refuses what the package has nothing for, before anything is looked at.
    pub(crate) fn check(&self, is_stream: bool, input: &Input) -> Result<(), Code> {
        if !is_stream {
            let is_long = input.token.is_some_and(|token| token.cbBuffer > LONGEST);
            return if is_long { Err(Code::INVALID_TOKEN) } else { Ok(()) };
        }
        if !REPRESENTATIONS.contains(&self.leg.representation) {
            return Err(Code::INVALID_PARAMETER);
        }
        let prompts = !self.leg.acceptor && self.leg.request & flags::PROMPT_FOR_CREDS != 0;
        if prompts || flags::wanted(self.leg.request, self.leg.acceptor).contains(ContextFlags::DELEGATE) {
            return Err(Failure::from(Cause::Flag).into());
        }
        Ok(())
    }

    /// A leg on an established stream: what it has to say of its own. None of the input is used.
    ///
    /// # Safety
    /// As `establish::run`.
    pub(crate) unsafe fn again(
        &mut self,
        context: &Context,
        credential: &Credential,
        input: &Input,
    ) -> Result<Code, Code> {
        let (out, code) = control::again(context, self.wants(credential).flags)?;
        let output = buffers::output(self.outputs);
        let allocated = if self.allocate && output.is_some() && !out.is_empty() { flags::ALLOCATE_MEMORY } else { 0 };
        // SAFETY: as the caller says.
        if let Err(code) = unsafe { buffers::give(&out, output, self.allocate) } {
            control::put_back(context, out)?;
            return Err(code);
        }
        self.silence_alert();
        self.left = Some(Left::Extra(input.token.map_or(0, |token| token.cbBuffer as usize)));
        let facts = &context.open()?.facts;
        self.tell(self.granted(facts) | allocated, facts.expiry);
        Ok(code)
    }

    /// What the caller is told of what was granted.
    pub(crate) fn granted(&self, facts: &Facts) -> u32 {
        let Leg { request, acceptor, .. } = *self.leg;
        let mut granted = facts.granted;
        let Some(channel) = &facts.channel else { return flags::granted(granted, request, acceptor) };
        // Every stream has alerts; who did not ask for them does not look for any.
        if !flags::wanted(request, acceptor).contains(ContextFlags::EXTENDED_ERROR) {
            granted = ContextFlags(granted.0 & !ContextFlags::EXTENDED_ERROR.0);
        }
        // By what happened, whichever leg asked for it.
        let by_host = if acceptor || channel.verified { 0 } else { flags::MANUAL_CRED_VALIDATION };
        flags::granted(granted, request, acceptor) | by_host
    }

    /// Puts a failure's token into the caller's buffer for alerts; `false` where there is none, or it is too small.
    pub(crate) fn alert(&mut self) -> bool {
        let Some(buffer) = self.outputs.iter_mut().find(|buffer| is_alert(buffer)) else { return false };
        // SAFETY: the buffers are as the caller of the leg says.
        let given = !self.out.is_empty() && unsafe { buffers::give(&self.out, Some(buffer), self.allocate) }.is_ok();
        buffer.BufferType = SECBUFFER_ALERT;
        if !given {
            buffer.cbBuffer = 0;
        }
        given
    }

    /// No alert.
    pub(crate) fn silence_alert(&mut self) {
        if let Some(alert) = self.outputs.iter_mut().find(|buffer| is_alert(buffer)) {
            alert.cbBuffer = 0;
        }
    }
}

fn is_alert(buffer: &SecBuffer) -> bool {
    buffer.kind() == SECBUFFER_ALERT && !buffer.is_read_only()
}
