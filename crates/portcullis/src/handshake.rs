use crate::call::Leg;
use crate::{Answer, Authority, Call, CallCause, Context, Failure, Question, Wants};

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
    /// Takes the peer's token, whole.
    ///
    /// # Errors
    /// With the status that the host is to return and the cause for its log. The output holds what must be sent even
    /// so, where the package has an error token.
    pub fn token(self, token: &[u8], call: Call<'_>) -> Result<Handshake, Failure> {
        advance(self.0, Input::Token(token), call)
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
        advance(self.step, Input::Answer(self.question, answer), call)
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

fn advance(step: Box<dyn Step>, input: Input<'_>, call: Call<'_>) -> Result<Handshake, Failure> {
    Ok(match step.step(input, &mut Leg::from(call))? {
        Next::Token(step) => Handshake::NeedsToken(NeedsToken(step)),
        Next::Ask(question, step) => Handshake::NeedsAnswer(NeedsAnswer { step, question }),
        Next::Done(context) => Handshake::Established(context),
    })
}

/// One state of a package's handshake: it consumes itself and says what comes next.
pub(crate) trait Step: Send {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure>;

    /// The room that the step insists on before it does anything irreversible, in bytes.
    fn least_room(&self, _want: &Wants) -> usize {
        0
    }
}

/// What a state is given. A question comes back with its answer: the state need not keep a copy of what it asked.
pub(crate) enum Input<'a> {
    Token(&'a [u8]),
    Answer(Question, Answer),
}

/// What a state goes over to.
pub(crate) enum Next {
    Token(Box<dyn Step>),
    Ask(Question, Box<dyn Step>),
    Done(Context),
}
