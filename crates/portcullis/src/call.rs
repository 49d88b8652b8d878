use crate::question::Denied;
use crate::{CallCause, ChannelBindings, ContextFlags, Event, Events, Failure};
use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

/// What one call brings. SSPI gives flags and bindings with each leg, so they live here and not in the handshake.
pub struct Call<'a> {
    /// The time of the call.
    pub now: SystemTime,
    /// The source of challenges and ids.
    pub random: &'a mut dyn Random,
    /// Who is told what happens.
    pub events: &'a mut dyn Events,
    /// The token to be sent to the peer is appended here, also when the call fails.
    pub out: &'a mut Vec<u8>,
    /// What the host wants of the context. Defaults to nothing.
    pub want: Wants,
    /// The bindings of the channel that the tokens come through. Defaults to none.
    pub bindings: Option<&'a ChannelBindings>,
    /// Further bindings that an acceptor takes for its channel's: of another type (`tls-exporter` beside
    /// `tls-server-end-point`), or of a declared terminator of TLS in front. Defaults to none.
    pub further_bindings: &'a [ChannelBindings],
    /// Whether an acceptor only reports how the client's bindings were judged (SEC_CHANNEL_BINDINGS_AUDIT_BINDINGS),
    /// whatever its credential's policy. Defaults to `false`.
    pub audits_bindings: bool,
    /// The service that an initiator means, as an SPN (`HTTP/web.example`). Acceptors do not look at it. Defaults to
    /// none.
    pub target: Option<&'a str>,
    /// The application protocols that are offered or taken (ALPN), the most wanted first, instead of the credential's.
    /// Only packages of TLS look at it, in the first call. Defaults to the credential's.
    pub application_protocols: Option<&'a [Vec<u8>]>,
    /// The peer's address, for authorities that throttle by it. Defaults to unknown.
    pub peer: Option<IpAddr>,
    /// How many bytes `out` may grow: a C caller's buffer. Defaults to any number.
    pub room: Option<usize>,
}

impl<'a> Call<'a> {
    /// A call with the four things that every call needs, and the defaults for the rest.
    pub fn new(now: SystemTime, random: &'a mut dyn Random, events: &'a mut dyn Events, out: &'a mut Vec<u8>) -> Self {
        Self {
            now,
            random,
            events,
            out,
            want: Wants::default(),
            bindings: None,
            further_bindings: &[],
            audits_bindings: false,
            target: None,
            application_protocols: None,
            peer: None,
            room: None,
        }
    }
}

/// What a host wants of a context.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wants {
    /// Wished for: what cannot be had is no error; compare with what was granted.
    pub flags: ContextFlags,
    /// Required: a context that lacks one of these is refused with SEC_E_SECURITY_QOS_FAILED.
    pub required: ContextFlags,
}

impl Wants {
    /// What is wished for or required.
    pub(crate) fn all(&self) -> ContextFlags {
        self.flags | self.required
    }
}

/// A source of unpredictable bytes.
pub trait Random {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// When the source fails; the handshake then ends with `call/no-randomness`.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

/// The source of randomness failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source of randomness failed")
    }
}

impl std::error::Error for NoRandomness {}

impl<F: FnMut(&mut [u8]) -> Result<(), NoRandomness>> Random for F {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self(bytes)
    }
}

/// A call as a step sees it: what an outer package may lend inward with other wishes, bindings and output.
pub(crate) struct Leg<'a> {
    pub(crate) now: SystemTime,
    random: &'a mut dyn Random,
    events: &'a mut dyn Events,
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) want: Wants,
    pub(crate) bindings: Option<&'a ChannelBindings>,
    pub(crate) further_bindings: &'a [ChannelBindings],
    pub(crate) audits_bindings: bool,
    pub(crate) target: Option<&'a str>,
    pub(crate) application_protocols: Option<&'a [Vec<u8>]>,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) room: Option<usize>,
    /// Bytes of the token that a stream package leaves for later.
    pub(crate) left: usize,
}

impl Leg<'_> {
    /// The leg as a package inside this one sees it: with wishes of its own, and an output that the outer package
    /// frames. `overhead` is what that frame takes of the caller's room.
    pub(crate) fn inner<'b>(&'b mut self, want: Wants, overhead: usize, out: &'b mut Vec<u8>) -> Leg<'b> {
        Leg {
            now: self.now,
            random: &mut *self.random,
            events: &mut *self.events,
            out,
            want,
            bindings: self.bindings,
            further_bindings: self.further_bindings,
            audits_bindings: self.audits_bindings,
            target: self.target,
            application_protocols: self.application_protocols,
            peer: self.peer,
            room: self.room.map(|room| room.saturating_sub(overhead)),
            left: 0,
        }
    }

    pub(crate) fn random<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).map_err(|NoRandomness| CallCause::NoRandomness)?;
        Ok(bytes)
    }

    /// Every binding of the channel.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &ChannelBindings> {
        self.bindings.into_iter().chain(self.further_bindings)
    }

    pub(crate) fn event(&mut self, event: &Event<'_>) {
        self.events.event(event);
    }

    /// Tells the operator on which values a no rests.
    pub(crate) fn because(&mut self, denied: &Denied) {
        if !denied.detail.is_empty() {
            self.event(&Event::Because { detail: &denied.detail });
        }
    }

    /// Refuses before anything irreversible when the reply would not fit the caller's buffer.
    pub(crate) fn needs_room(&self, len: usize) -> Result<(), Failure> {
        if self.room.is_some_and(|room| room < len) {
            return Err(CallCause::NoRoom.into());
        }
        Ok(())
    }

    /// Refuses a context that lacks what the call requires.
    pub(crate) fn requires(&self, granted: ContextFlags) -> Result<(), Failure> {
        if granted.contains(self.want.required) { Ok(()) } else { Err(CallCause::RequirementNotMet.into()) }
    }
}

impl<'a> From<Call<'a>> for Leg<'a> {
    fn from(call: Call<'a>) -> Self {
        let Call { now, random, events, out, want, bindings, further_bindings, audits_bindings, .. } = call;
        let Call { target, application_protocols, peer, room, .. } = call;
        Self {
            now,
            random,
            events,
            out,
            want,
            bindings,
            further_bindings,
            audits_bindings,
            target,
            application_protocols,
            peer,
            room,
            left: 0,
        }
    }
}
