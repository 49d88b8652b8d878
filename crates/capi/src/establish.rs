//! AcceptSecurityContext and InitializeSecurityContext: a leg from the caller's buffers to the library and back.

use crate::abi::{
    NEVER, SECBUFFER_APPLICATION_PROTOCOLS, SECBUFFER_CHANNEL_BINDINGS_RESULT, SECBUFFER_TOKEN, SecBuffer,
    SecBufferDesc, SecHandle,
};
use crate::buffers::Bindings;
use crate::code::Code;
use crate::context::{Context, Next, Pending, Shaking, State, Talk};
use crate::credential::{self, Credential, read_handle};
use crate::decision::Decision;
use crate::schannel::leg::Left;
use crate::schannel::protocols::{self, Protocols};
use crate::schannel::renewal;
use crate::stepper::{Outcome, Stepper};
use crate::{attribute, buffers, flags, handles, kerberos, moment, packages};
use library::{ContextFlags, Wants, package};
use std::ffi::c_void;
use std::sync::Arc;
use std::time::SystemTime;

/// What a leg is called with.
pub(crate) struct Leg {
    pub(crate) acceptor: bool,
    pub(crate) credential: *const SecHandle,
    pub(crate) context: *const SecHandle,
    pub(crate) input: *mut SecBufferDesc,
    pub(crate) request: u32,
    /// TargetDataRep.
    pub(crate) representation: u32,
    pub(crate) target: Option<String>,
    pub(crate) new_context: *mut SecHandle,
    pub(crate) output: *mut SecBufferDesc,
    pub(crate) granted: *mut u32,
    pub(crate) expiry: *mut c_void,
}

/// One leg.
///
/// # Safety
/// The pointers are null or hold.
pub(crate) unsafe fn run(leg: &Leg) -> Result<Code, Code> {
    // Input before output: they may be the same buffers.
    // SAFETY: as the caller says.
    let input = unsafe { Input::read(leg) };
    // SAFETY: as the caller says.
    let outputs = unsafe { buffers::list(leg.output) }?;
    let allocate = leg.request & flags::ALLOCATE_MEMORY != 0;
    let room = buffers::output(outputs).map_or(0, |buffer| if buffer.pvBuffer.is_null() { 0 } else { buffer.cbBuffer });
    let (token, spare) = input.as_ref().map_or((None, None), |input| (input.token, input.spare));
    let room = room as usize;
    let mut exchange = Exchange { leg, outputs, allocate, room, out: Vec::new(), has_error: false, left: None };
    let done = input.and_then(|input| match leg.context.is_null() {
        // SAFETY: as the caller says.
        true => unsafe { exchange.first(input) },
        // SAFETY: as the caller says.
        false => unsafe { exchange.later(input) },
    });
    if done.is_err() && !exchange.has_error {
        exchange.silence();
    }
    // When the output is written: it may be the same descriptor.
    if let Some(left) = exchange.left.filter(|left| done.is_ok() || matches!(left, Left::Missing(_))) {
        // SAFETY: as the caller says.
        unsafe { left.tell(spare, token) };
    }
    done
}

/// What the caller brings.
pub(crate) struct Input {
    pub(crate) token: Option<SecBuffer>,
    bindings: Option<Box<Bindings>>,
    protocols: Option<Protocols>,
    /// A buffer in which a stream says what it left of the token.
    spare: Option<*mut SecBuffer>,
}

impl Input {
    /// # Safety
    /// As [`run`].
    unsafe fn read(leg: &Leg) -> Result<Self, Code> {
        // SAFETY: as the caller says.
        let inputs = unsafe { buffers::inputs(leg.input) }?;
        // SAFETY: as the caller says.
        let token = unsafe { inputs.of(SECBUFFER_TOKEN) };
        // SAFETY: as the caller says.
        let bindings = unsafe { buffers::channel_bindings(inputs, leg.acceptor) }?;
        // SAFETY: as the caller says.
        let protocols = match unsafe { inputs.of(SECBUFFER_APPLICATION_PROTOCOLS) } {
            // SAFETY: as the caller says.
            Some(buffer) => unsafe { protocols::read(&buffer) }?,
            None => None,
        };
        // SAFETY: as the caller says.
        Ok(Self { token, bindings, protocols, spare: unsafe { inputs.spare() } })
    }

    /// The peer's token; the empty one for none.
    ///
    /// # Safety
    /// Nothing was written to the caller's buffers yet.
    unsafe fn token<'t>(&self) -> &'t [u8] {
        // SAFETY: it is as long as it says.
        self.token.map_or(&[], |token| unsafe { token.bytes() })
    }
}

/// A leg under way.
pub(crate) struct Exchange<'l> {
    pub(crate) leg: &'l Leg,
    pub(crate) outputs: &'l mut [SecBuffer],
    pub(crate) allocate: bool,
    /// Bytes that the caller has room for.
    room: usize,
    pub(crate) out: Vec<u8>,
    /// Whether a failure's token was given to the caller.
    has_error: bool,
    /// Of a stream's input.
    pub(crate) left: Option<Left>,
}

impl Exchange<'_> {
    /// # Safety
    /// As [`run`].
    unsafe fn first(&mut self, mut input: Input) -> Result<Code, Code> {
        if self.leg.new_context.is_null() {
            return Err(Code::INVALID_HANDLE);
        }
        // SAFETY: as the caller says.
        let handle = unsafe { read_handle(self.leg.credential) }?;
        let credential = renewal::current(handle, handles::get::<Credential>(handle)?);
        let credential = kerberos::renewal::current(handle, credential);
        self.check(packages::is_stream(credential.package), &input)?;
        let peer = if self.leg.acceptor { attribute::take_next_peer() } else { None };
        let talk = Talk { peer, bindings: input.bindings.take(), protocols: input.protocols.take(), host: None };
        let shaking = Shaking { next: Some(self.side(&credential)?.begin()), talk };
        // Nothing is kept of a first leg whose output does not fit: it is begun anew.
        let room = if self.allocate { None } else { Some(self.room) };
        // SAFETY: as the caller says; nothing is written to the caller's buffers before the token is read.
        let stepped = self.step(&credential, shaking, unsafe { input.token() }, room);
        // The same call comes again.
        if matches!(stepped, Err(Code::BUFFER_TOO_SMALL) | Ok(Outcome::Incomplete(..))) {
            attribute::set_next_peer(peer);
        }
        let outcome = match stepped.map_err(|code| self.refused(code))? {
            // There is no context yet: the same comes again, with more behind it.
            Outcome::Incomplete(..) => return Err(Code::INCOMPLETE_MESSAGE),
            outcome => outcome,
        };
        // SAFETY: as the caller says.
        let given = unsafe { self.give(&outcome) }?;
        let context = Arc::new(Context::new(credential, self.leg.acceptor));
        let code = self.settle(&context, outcome, given);
        let made = handles::insert(context)?;
        // SAFETY: the caller's variable.
        unsafe { self.leg.new_context.write_unaligned(made) };
        Ok(code)
    }

    /// # Safety
    /// As [`run`].
    unsafe fn later(&mut self, mut input: Input) -> Result<Code, Code> {
        // SAFETY: as the caller says.
        let handle = unsafe { read_handle(self.leg.context) }?;
        let context = handles::get::<Context>(handle)?;
        let Some(credential) = context.credential.as_ref().filter(|_| context.acceptor == self.leg.acceptor) else {
            return Err(Code::INVALID_HANDLE);
        };
        if !self.leg.credential.is_null() {
            // SAFETY: as the caller says.
            let given = unsafe { read_handle(self.leg.credential) }?;
            if handles::look(given, |given: &Arc<Credential>| given.package)? != context.package {
                return Err(Code::INVALID_HANDLE);
            }
        }
        self.check(context.is_stream(), &input)?;
        // What follows is lost, and so the context with it, if this thread panics.
        let outcome = match context.take() {
            State::Shaking(mut shaking) => {
                let wants = self.wants(credential);
                let least = shaking.next.as_ref().map_or(0, |next| next.least_room(wants));
                if !self.allocate && self.room < least {
                    context.put(State::Shaking(shaking));
                    return Err(Code::BUFFER_TOO_SMALL);
                }
                let pieces = wants.flags.contains(ContextFlags::FRAGMENT_TO_FIT)
                    && context.package == &package::NEGOTIATE
                    && !self.allocate;
                let room = pieces.then_some(self.room);
                // A channel that was named once stays the handshake's.
                shaking.talk.bindings = input.bindings.take().or(shaking.talk.bindings);
                shaking.talk.protocols = input.protocols.take().or(shaking.talk.protocols);
                // SAFETY: as the caller says; nothing is written to the caller's buffers before the token is read.
                self.step(credential, shaking, unsafe { input.token() }, room)
            }
            State::Pending(Pending { input: of, out, extra, next })
                // SAFETY: as the caller says.
                if context.is_again(&of, unsafe { input.token() }) =>
            {
                self.out = out;
                // What has come behind it since is more of what is left.
                // SAFETY: as the caller says.
                let more = unsafe { input.token() }.len().saturating_sub(of.len());
                self.left = Some(Left::Extra(extra + more));
                Ok(Outcome::Next(*next))
            }
            pending @ State::Pending(_) => {
                context.put(pending);
                return Err(Code::INVALID_TOKEN);
            }
            deferred @ State::Deferred(..) => {
                context.put(deferred);
                return Err(Code::OUT_OF_SEQUENCE);
            }
            // SAFETY: as the caller says.
            State::Open if context.is_stream() => return unsafe { self.again(&context, credential, &input) },
            State::Open => return Err(Code::OUT_OF_SEQUENCE),
            State::Busy | State::Dead => return Err(Code::INVALID_HANDLE),
        };
        let outcome = match outcome {
            Ok(Outcome::Incomplete(_, shaking)) => {
                context.put(State::Shaking(shaking));
                return Err(Code::INCOMPLETE_MESSAGE);
            }
            Ok(outcome) => outcome,
            Err(code) => {
                context.put(State::Dead);
                return Err(self.refused(code));
            }
        };
        // SAFETY: as the caller says.
        let given = match (unsafe { self.give(&outcome) }, outcome) {
            (Ok(given), outcome) => (given, outcome),
            (Err(Code::BUFFER_TOO_SMALL), Outcome::Next(next)) => {
                let out = std::mem::take(&mut self.out);
                // SAFETY: as the caller says; output that did not fit was not written.
                let input = unsafe { input.token() }.to_vec();
                let extra = if let Some(Left::Extra(extra)) = self.left.take() { extra } else { 0 };
                context.put(State::Pending(Pending { input, out, extra, next: Box::new(next) }));
                return Err(Code::BUFFER_TOO_SMALL);
            }
            (Err(code), _) => {
                context.put(State::Dead);
                return Err(code);
            }
        };
        let code = self.settle(&context, given.1, given.0);
        if !self.leg.new_context.is_null() {
            // SAFETY: the caller's variable.
            unsafe { self.leg.new_context.write_unaligned(handle) };
        }
        Ok(code)
    }

    /// The side of the credential that is meant.
    fn side<'c>(&self, credential: &'c Credential) -> Result<&'c library::Credential, Code> {
        if self.leg.acceptor {
            return credential.acceptor.as_ref().map(|acceptor| &acceptor.credential).ok_or(Code::NO_CREDENTIALS);
        }
        let initiator = credential.initiator.as_ref().ok_or(Code::NO_CREDENTIALS)?;
        let varies = match packages::is_stream(credential.package) {
            true => self.leg.request & flags::MANUAL_CRED_VALIDATION != 0,
            false => flags::wanted(self.leg.request, false).contains(ContextFlags::NULL_SESSION),
        };
        // Not every package has clients without a name.
        if varies { initiator.variant.as_ref().ok_or(Code::UNSUPPORTED_FUNCTION) } else { Ok(&initiator.credential) }
    }

    pub(crate) fn wants(&self, credential: &Credential) -> Wants {
        Wants {
            flags: flags::wanted(self.leg.request, self.leg.acceptor),
            required: credential::required(credential, self.leg.acceptor),
        }
    }

    /// The library's part of a leg, with all that it asks.
    fn step(
        &mut self,
        credential: &Arc<Credential>,
        shaking: Shaking,
        token: &[u8],
        room: Option<usize>,
    ) -> Result<Outcome, Code> {
        let Shaking { next: Some(next), mut talk } = shaking else { return Err(Code::INTERNAL_ERROR) };
        let bindings = talk.bindings.take();
        let mut decision = Decision::new(credential, self.leg.acceptor, talk.peer);
        let stepper = Stepper {
            credential,
            wants: self.wants(credential),
            bindings: bindings.as_deref(),
            target: self.leg.target.as_deref(),
            room,
            decision: &mut decision,
            talk,
            out: &mut self.out,
        };
        let mut result = match packages::is_stream(credential.package) {
            true => {
                let mut extra = 0;
                let stepped = stepper.stream(next, token, &mut extra);
                self.left = match &stepped {
                    Ok(Outcome::Incomplete(missing, _)) => Some(Left::Missing(*missing)),
                    _ => Some(Left::Extra(extra)),
                };
                stepped
            }
            false => stepper.token(next, token),
        };
        if let Ok(
            Outcome::Next(Next::Shaking(shaking)) | Outcome::Deferred(_, shaking) | Outcome::Incomplete(_, shaking),
        ) = &mut result
        {
            shaking.talk.bindings = bindings;
        }
        // For refusals too: the host learns why bindings were not met.
        self.tell_bindings(decision.bindings());
        result
    }

    /// Gives the output to the caller; says whether memory was allocated for it.
    ///
    /// # Safety
    /// As [`run`].
    unsafe fn give(&mut self, outcome: &Outcome) -> Result<bool, Code> {
        if let Outcome::Deferred(..) = outcome {
            self.silence();
            return Ok(false);
        }
        self.silence_alert();
        let output = buffers::output(self.outputs);
        let allocates = self.allocate && output.is_some() && !self.out.is_empty();
        // SAFETY: as the caller says.
        unsafe { buffers::give(&self.out, output, self.allocate) }?;
        Ok(allocates)
    }

    /// No output: a caller that looks at the length alone must find none.
    fn silence(&mut self) {
        self.silence_token();
        self.silence_alert();
    }

    pub(crate) fn silence_token(&mut self) {
        let allocate = self.allocate;
        if let Some(output) = buffers::output(self.outputs) {
            output.cbBuffer = 0;
            if allocate {
                output.pvBuffer = std::ptr::null_mut();
            }
        }
    }

    /// A refused leg's output: its error token, where the caller asked for one and it fits.
    fn refused(&mut self, code: Code) -> Code {
        if code == Code::BUFFER_TOO_SMALL {
            return code;
        }
        let wanted = flags::wanted(self.leg.request, self.leg.acceptor).contains(ContextFlags::EXTENDED_ERROR);
        if self.alert() {
            self.silence_token();
            self.has_error = true;
        } else {
            let has_error = wanted && !self.out.is_empty();
            // SAFETY: the buffers are as `run`'s caller says.
            self.has_error =
                has_error && unsafe { buffers::give(&self.out, buffers::output(self.outputs), self.allocate) }.is_ok();
        }
        if !self.has_error {
            return code;
        }
        let allocated = if self.allocate { flags::ALLOCATE_MEMORY } else { 0 };
        self.tell(flags::extended_error(self.leg.acceptor) | allocated, None);
        code
    }

    /// Puts the context where the leg left it, and tells the caller.
    fn settle(&mut self, context: &Context, outcome: Outcome, allocated: bool) -> Code {
        let memory = if allocated { flags::ALLOCATE_MEMORY } else { 0 };
        match outcome {
            Outcome::Next(Next::Shaking(shaking)) => {
                context.put(State::Shaking(shaking));
                self.tell(memory, None);
                Code::CONTINUE_NEEDED
            }
            Outcome::Next(Next::Established(shared)) => {
                self.tell(self.granted(shared.facts()) | memory, shared.facts().expiry);
                context.establish(shared);
                Code::OK
            }
            // Seen to before.
            Outcome::Incomplete(..) => Code::INTERNAL_ERROR,
            Outcome::Deferred(question, mut shaking) => {
                shaking.talk.host().deferred.allocates = self.allocate;
                context.put(State::Deferred(question, shaking));
                self.tell(memory, None);
                Code::COMPLETE_NEEDED
            }
        }
    }

    pub(crate) fn tell(&self, granted: u32, expiry: Option<SystemTime>) {
        // SAFETY: the caller's variables; a TimeStamp may be aligned as its halves are.
        unsafe {
            if !self.leg.granted.is_null() {
                self.leg.granted.write_unaligned(granted);
            }
            if !self.leg.expiry.is_null() {
                self.leg.expiry.cast::<i64>().write_unaligned(expiry.map_or(NEVER, moment::local));
            }
        }
    }

    /// SEC_CHANNEL_BINDINGS_RESULT, for a caller that has a buffer for it.
    fn tell_bindings(&mut self, flags: Option<u32>) {
        let of_result = |buffer: &&mut SecBuffer| buffer.kind() == SECBUFFER_CHANNEL_BINDINGS_RESULT;
        if let (Some(flags), Some(buffer)) = (flags, self.outputs.iter_mut().find(of_result))
            && !buffer.is_read_only()
        {
            // SAFETY: the buffers are as `run`'s caller says.
            let room = unsafe { buffer.bytes_mut() };
            if let Some(room) = room.first_chunk_mut() {
                *room = flags.to_le_bytes();
                buffer.cbBuffer = room.len() as u32;
            }
        }
    }
}
