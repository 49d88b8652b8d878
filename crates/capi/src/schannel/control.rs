//! What goes on in a stream beside its data: ApplyControlToken, and AcceptSecurityContext or InitializeSecurityContext on a
//! context that is established.

use crate::abi::{SECBUFFER_TOKEN, SecBufferDesc, SecHandle};
use crate::buffers;
use crate::code::Code;
use crate::context::{Context, Open, State};
use crate::credential::read_handle;
use crate::handles;
use library::schannel::Cause;
use library::{ContextFlags, Control, Failure};

/// What a stream has to send that is no data.
#[derive(Default)]
pub(crate) struct Outgoing {
    /// Waits for a call that has room for it.
    pub(crate) bytes: Vec<u8>,
    /// This side said that it ends.
    ended: bool,
    /// What the peer sent was refused, and why.
    pub(crate) failed: Option<Failure>,
}

/// SCHANNEL_…, the kinds of control tokens.
const RENEGOTIATE: u32 = 0;
const SHUTDOWN: u32 = 1;
const ALERT: u32 = 2;
const SESSION: u32 = 3;

/// SSL_SESSION_ENABLE_RECONNECTS and SSL_SESSION_DISABLE_RECONNECTS.
const ENABLE_RECONNECTS: u32 = 1;
const DISABLE_RECONNECTS: u32 = 2;

/// close_notify among the alerts.
const CLOSE_NOTIFY: u32 = 0;

/// ApplyControlToken.
///
/// # Safety
/// The pointers are null or hold.
pub(crate) unsafe fn apply(context: *const SecHandle, input: *mut SecBufferDesc) -> Result<Code, Code> {
    // SAFETY: as the caller says.
    let context = handles::get::<Context>(unsafe { read_handle(context) }?)?;
    if !context.is_stream() {
        return Err(Code::UNSUPPORTED_FUNCTION);
    }
    // SAFETY: as the caller says.
    let token = unsafe { buffers::inputs(input)?.of(SECBUFFER_TOKEN) }.ok_or(Code::INVALID_TOKEN)?;
    // SAFETY: as the caller says.
    let bytes = unsafe { token.bytes() };
    let number = |at: usize| {
        let found = bytes.get(4 * at..).and_then(|rest| rest.first_chunk());
        found.map(|four| u32::from_le_bytes(*four)).ok_or(Code::INVALID_TOKEN)
    };
    let control = match number(0)? {
        SHUTDOWN => Control::Shutdown,
        ALERT => {
            number(1)?; // how grave it is, which follows from its number
            if number(2)? != CLOSE_NOTIFY {
                return Err(Code::UNSUPPORTED_FUNCTION);
            }
            Control::Shutdown
        }
        SESSION => match number(1)? {
            DISABLE_RECONNECTS => Control::Forget,
            ENABLE_RECONNECTS => return Ok(Code::OK), // as it is
            _ => return Err(Code::INVALID_PARAMETER),
        },
        RENEGOTIATE => return Err(Failure::from(Cause::Renegotiation).into()),
        _ => return Err(Code::INVALID_PARAMETER),
    };
    let told = match &mut *context.state.lock() {
        State::Shaking(shaking) => Some(shaking.next.as_mut().ok_or(Code::INVALID_HANDLE)?.control(control)),
        State::Open => None,
        // Output of the leg before waits: it must go first.
        State::Pending(_) => return Err(Code::OUT_OF_SEQUENCE),
        _ => return Err(Code::INVALID_HANDLE),
    };
    match told {
        Some(told) => told?,
        None => tell(context.open()?, control)?,
    }
    Ok(Code::OK)
}

/// Tells the stream, and keeps what it has to send.
fn tell(open: &Open, control: Control) -> Result<(), Code> {
    let halves = open.halves()?;
    let mut sealer = halves.sealer.lock();
    let mut outgoing = halves.outgoing.lock();
    let told = sealer.as_mut().ok_or(Code::INVALID_HANDLE)?.control(control, &mut outgoing.bytes);
    outgoing.ended |= control == Control::Shutdown;
    drop((sealer, outgoing)); // a refusal is logged, and the host's function may do anything
    Ok(told?)
}

/// A leg on an established stream: what it has to send, and the code that goes with it. What a failure is of is the host's to
/// send, too: the alert that the stream made of it.
pub(crate) fn again(context: &Context, wants: ContextFlags) -> Result<(Vec<u8>, Code), Code> {
    let open = context.open()?;
    tell(open, Control::Respond)?;
    let mut outgoing = open.halves()?.outgoing.lock();
    let (bytes, ended, failed) = (std::mem::take(&mut outgoing.bytes), outgoing.ended, outgoing.failed.clone());
    drop(outgoing);
    match (bytes.is_empty(), failed, ended) {
        (false, ..) => Ok((bytes, Code::OK)),
        (true, Some(failed), _) => Err(failed.into()),
        (true, None, true) => Ok((bytes, Code::CONTEXT_EXPIRED)),
        (true, None, false) => {
            let asks = ContextFlags::MUTUAL_AUTH;
            let is_new = context.acceptor && wants.contains(asks) && !open.facts.granted.contains(asks);
            let cause = if is_new { Cause::PostHandshakeAuthentication } else { Cause::Renegotiation };
            Err(Failure::from(cause).into())
        }
    }
}

/// Puts output back that did not fit.
pub(crate) fn put_back(context: &Context, mut bytes: Vec<u8>) -> Result<(), Code> {
    let mut outgoing = context.open()?.halves()?.outgoing.lock();
    bytes.append(&mut outgoing.bytes);
    outgoing.bytes = bytes;
    Ok(())
}
