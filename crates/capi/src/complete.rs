//! CompleteAuthToken and DeleteSecurityContext.

use crate::abi::{SecBuffer, SecBufferDesc, SecHandle};
use crate::code::Code;
use crate::context::{Context, Deferred, Next, State};
use crate::credential::read_handle;
use crate::decision::Decision;
use crate::stepper::{Outcome, Stepper};
use crate::{buffers, handles};

/// CompleteAuthToken: goes on with what the host brought since the leg that asked for it.
///
/// # Safety
/// The pointers are null or hold.
pub(crate) unsafe fn complete(context: *const SecHandle, message: *mut SecBufferDesc) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let context = handles::get::<Context>(unsafe { read_handle(context) }?)?;
    // SAFETY: as the caller says.
    let buffers = unsafe { buffers::list(message) }?;
    let (question, mut shaking) = match context.take() {
        State::Deferred(question, shaking) => (question, shaking),
        State::Busy | State::Dead => return Err(Code::INVALID_HANDLE),
        // Digest's way; the others are complete when they say so.
        other => {
            context.put(other);
            return Err(Code::UNSUPPORTED_FUNCTION);
        }
    };
    let Some(credential) = &context.credential else { return Err(Code::INVALID_HANDLE) };
    let mut out = Vec::new();
    let Deferred { wants, allocates } = std::mem::take(&mut shaking.talk.host().deferred);
    let bindings = shaking.talk.bindings.take();
    let mut decision = Decision::new(credential, true, shaking.talk.peer);
    let mut stepper = Stepper {
        credential,
        wants,
        bindings: bindings.as_deref(),
        target: None,
        room: None,
        decision: &mut decision,
        talk: shaking.talk,
        out: &mut out,
    };
    let answer = stepper.answer(&question).unwrap_or_else(|| {
        tracing::error!(
            "no account store is configured, and the host program brought no secret before CompleteAuthToken"
        );
        question.question().refuse(library::Refusal::NotAnswered)
    });
    let stepped = stepper.call(|call| question.answer(answer, call));
    let outcome = stepper.goes_on(stepped).inspect_err(|_| context.put(State::Dead))?;
    // SAFETY: as the caller says.
    unsafe { complete_message(buffers, &out, allocates) };
    match outcome {
        Outcome::Next(Next::Shaking(shaking)) => {
            context.put(State::Shaking(shaking));
            Ok(Code::CONTINUE_NEEDED)
        }
        Outcome::Next(Next::Established(shared)) => {
            context.establish(shared);
            Ok(Code::OK)
        }
        Outcome::Deferred(..) | Outcome::Incomplete(..) => {
            context.put(State::Dead);
            Err(Code::INTERNAL_ERROR)
        }
    }
}

/// Puts the last token into the message buffer that the host passes now, as large as it says now; or into memory of ours,
/// where the leg before was asked for that. A host that has no buffer any more sends no token: FreeRDP's has taken it away by
/// then, and its last message has none.
///
/// # Safety
/// As [`complete`].
unsafe fn complete_message(buffers: &mut [SecBuffer], out: &[u8], allocate: bool) {
    if out.is_empty() {
        return;
    }
    // SAFETY: as the caller says.
    if unsafe { buffers::give(out, buffers::output(buffers), allocate) }.is_err() {
        if let Some(buffer) = buffers::output(buffers) {
            buffer.cbBuffer = 0;
        }
        tracing::warn!(bytes = out.len(), "CompleteAuthToken got no buffer for the last token; the peer will miss it");
    }
}

/// DeleteSecurityContext, in every state; once more is no mistake.
///
/// # Safety
/// `context` is null or points to a handle.
pub(crate) unsafe fn delete(context: *const SecHandle) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    handles::remove::<Context>(unsafe { read_handle(context) }?)?;
    Ok(Code::OK)
}
