use crate::call::Leg;
use crate::{Answer, Authority, Call, CallCause, Context, Control, Failure, Question, Wants};

/// Where a handshake stands. Each variant offers only the moves that are legal now, and each move consumes it: after
/// a failure there is nothing left to call.
#[must_use]
#[non_exhaustive]
#[derive(Debug)]
pub enum Handshake {
    /// Send the output, if any, and bring the peer's next token.
    NeedsToken(NeedsToken),
    /// Someone must say what this library may not find out itself.
    NeedsAnswer(NeedsAnswer),
    /// The token ends inside a message (SEC_E_INCOMPLETE_MESSAGE). Nothing of it was taken: bring it again with more
    /// behind it.
    Incomplete {
        /// Bytes that are missing, at least; never zero.
        missing: usize,
        /// The handshake as it was.
        again: NeedsToken,
    },
    /// Both sides share a context. Output, if any, must still be sent.
    Established(Context),
}

/// A handshake that waits for the peer.
pub struct NeedsToken(pub(crate) Box<dyn Step>);

/// A handshake that waits for an answer. Its question can be answered now by [`ask`](Self::ask), or later and
/// elsewhere by [`answer`](Self::answer).
pub struct NeedsAnswer {
    step: Box<dyn Step>,
    question: Question,
}

impl NeedsToken {
    /// Takes the peer's token, whole: what a package of messages (NTLM, Negotiate) is given.
    ///
    /// # Errors
    /// With the status that the host is to return and the cause for its log. The output holds what must be sent even
    /// so, where the package has an error token. A stream's bytes that belong to what follows the handshake are
    /// refused with `call/extra`: bring those by [`stream`](Self::stream).
    pub fn token(self, token: &[u8], call: Call<'_>) -> Result<Handshake, Failure> {
        let mut inbound = Inbound::new(token);
        let next = self.stream(&mut inbound, call)?;
        if inbound.extra().is_empty() || matches!(next, Handshake::Incomplete { .. }) {
            Ok(next)
        } else {
            Err(CallCause::Extra.into())
        }
    }

    /// Takes what has come of the peer's stream so far, as far as it can be used now; the rest
    /// ([`Inbound::extra`]) belongs to the next call, or to the context (SECBUFFER_EXTRA).
    ///
    /// # Errors
    /// As [`token`](Self::token).
    pub fn stream(self, inbound: &mut Inbound<'_>, call: Call<'_>) -> Result<Handshake, Failure> {
        let mut leg = Leg::from(call);
        let next = self.0.step(Input::Token(inbound.bytes), &mut leg)?;
        let left = if matches!(next, Next::Incomplete(..)) { inbound.bytes.len() } else { leg.left };
        inbound.used = inbound.bytes.len().saturating_sub(left);
        Ok(next.into())
    }

    /// Tells the handshake what has no token of its own (ApplyControlToken before the end).
    ///
    /// # Errors
    /// `call/not-negotiated` where the package knows no such thing.
    pub fn control(&mut self, control: Control) -> Result<(), Failure> {
        self.0.control(control)
    }

    /// How many bytes of output room ([`Call::room`]) the next token needs with these wishes, before the package does
    /// anything that cannot be taken back: an acceptor that has less refuses the token with `call/no-room` and is gone,
    /// while a host that looks here first can still ask its caller for a larger buffer. Zero where nothing is at stake:
    /// initiators ask nobody, and what FRAGMENT_TO_FIT cuts always fits.
    pub fn least_room(&self, want: Wants) -> usize {
        self.0.least_room(&want)
    }
}

impl NeedsAnswer {
    /// What is asked.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// Goes on with an answer made from [`question`](Self::question).
    ///
    /// # Errors
    /// What the answer says, and what the package finds after it. An answer made from another question ends the
    /// handshake with `call/foreign-answer`.
    pub fn answer(self, answer: Answer, call: Call<'_>) -> Result<Handshake, Failure> {
        if !answer.is_for(&self.question) {
            return Err(CallCause::ForeignAnswer.into());
        }
        let mut leg = Leg::from(call);
        if let Some(denied) = answer.denied() {
            leg.because(denied);
        }
        Ok(self.step.step(Input::Answer(self.question, answer), &mut leg)?.into())
    }

    /// Asks an authority here and now.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn ask(self, authority: &dyn Authority, call: Call<'_>) -> Result<Handshake, Failure> {
        let answer = authority.answer(&self.question);
        self.answer(answer, call)
    }
}

impl std::fmt::Debug for NeedsToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NeedsToken")
    }
}

impl std::fmt::Debug for NeedsAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("NeedsAnswer").field(&self.question).finish()
    }
}

/// What has come of a peer's stream.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    bytes: &'a [u8],
    used: usize,
}

impl<'a> Inbound<'a> {
    /// Bytes of which nothing is used yet.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, used: 0 }
    }

    /// How many bytes a call has used.
    pub const fn used(&self) -> usize {
        self.used
    }

    /// What a call has left.
    pub fn extra(&self) -> &'a [u8] {
        self.bytes.get(self.used..).unwrap_or_default()
    }
}

impl From<Next> for Handshake {
    fn from(next: Next) -> Self {
        match next {
            Next::Token(step) => Self::NeedsToken(NeedsToken(step)),
            Next::Incomplete(missing, step) => Self::Incomplete { missing, again: NeedsToken(step) },
            Next::Ask(question, step) => Self::NeedsAnswer(NeedsAnswer { step, question }),
            Next::Done(context) => Self::Established(context),
        }
    }
}

/// One state of a package's handshake: it consumes itself and says what comes next.
pub(crate) trait Step: Send {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure>;

    /// Takes a host's word that has no token.
    fn control(&mut self, _: Control) -> Result<(), Failure> {
        Err(CallCause::NotNegotiated.into())
    }

    /// The room that the step insists on before it does anything irreversible, in bytes.
    fn least_room(&self, _want: &Wants) -> usize {
        0
    }
}

/// What a state is given. A question comes back with its answer: the state need not keep a copy of what it asked.
#[allow(clippy::large_enum_variant, reason = "it is passed once and lives on the stack")]
pub(crate) enum Input<'a> {
    Token(&'a [u8]),
    Answer(Question, Answer),
}

/// What a state goes over to.
pub(crate) enum Next {
    Token(Box<dyn Step>),
    /// So many bytes are missing at least; nothing was taken.
    #[cfg_attr(not(feature = "schannel"), allow(dead_code, reason = "messages come whole, streams in parts"))]
    Incomplete(usize, Box<dyn Step>),
    Ask(Question, Box<dyn Step>),
    Done(Context),
}
