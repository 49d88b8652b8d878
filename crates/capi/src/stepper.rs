//! One leg of a handshake, with every question answered that can be.

use crate::acceptor::Judge;
use crate::buffers::Bindings;
use crate::code::Code;
use crate::context::{Next, Shaking, Talk};
use crate::credential::Credential;
use crate::decision::Decision;
use crate::host;
use library::{
    Answer, Call, Facts, Failure, Handshake, HostCause, Inbound, NeedsAnswer, NeedsToken, NoRandomness, Wants,
};
use std::time::SystemTime;

/// What a leg leaves behind, before its output is given to the caller.
pub(crate) enum Outcome {
    Next(Next),
    Deferred(NeedsAnswer, Shaking),
    /// The token ends too early, by so many bytes at least; nothing has happened.
    Incomplete(usize, Shaking),
}

/// Steps a handshake until it needs the peer or the host, or ends.
pub(crate) struct Stepper<'s> {
    pub(crate) credential: &'s Credential,
    pub(crate) wants: Wants,
    pub(crate) bindings: Option<&'s Bindings>,
    pub(crate) target: Option<&'s str>,
    pub(crate) room: Option<usize>,
    pub(crate) decision: &'s mut Decision,
    pub(crate) talk: Talk,
    pub(crate) out: &'s mut Vec<u8>,
}

impl Stepper<'_> {
    pub(crate) fn token(mut self, next: NeedsToken, token: &[u8]) -> Result<Outcome, Code> {
        let stepped = self.call(|call| next.token(token, call));
        self.goes_on(stepped)
    }

    /// As [`token`](Self::token), of what has come of a stream; `extra` says how much of it is left.
    pub(crate) fn stream(mut self, next: NeedsToken, bytes: &[u8], extra: &mut usize) -> Result<Outcome, Code> {
        let mut inbound = Inbound::new(bytes);
        // The primitives behind it have locks of their own.
        let inside = host::uninterrupted();
        let stepped = self.call(|call| next.stream(&mut inbound, call));
        drop(inside);
        *extra = inbound.extra().len();
        self.goes_on(stepped)
    }

    pub(crate) fn goes_on(mut self, mut stepped: Result<Handshake, Failure>) -> Result<Outcome, Code> {
        loop {
            stepped = match stepped {
                Err(failure) => {
                    self.decision.refused(&failure);
                    return Err(failure.into());
                }
                Ok(Handshake::NeedsToken(next)) => {
                    return Ok(Outcome::Next(Next::Shaking(Shaking { next: Some(next), talk: self.talk })));
                }
                Ok(Handshake::Established(shared)) => {
                    self.accepted(shared.facts())?;
                    return Ok(Outcome::Next(Next::Established(shared)));
                }
                Ok(Handshake::NeedsAnswer(question)) => match self.answer(&question) {
                    Some(answer) => self.call(|call| question.answer(answer, call)),
                    None => {
                        self.talk.host().deferred.wants = self.wants;
                        return Ok(Outcome::Deferred(question, Shaking { next: None, talk: self.talk }));
                    }
                },
                Ok(Handshake::Incomplete { missing, again }) => {
                    return Ok(Outcome::Incomplete(missing, Shaking { next: Some(again), talk: self.talk }));
                }
                // A state that this library does not know cannot be gone on from.
                Ok(_) => return Err(Code::INTERNAL_ERROR),
            };
        }
    }

    /// A context that nobody could write down, where that must be, is none.
    fn accepted(&mut self, facts: &Facts) -> Result<(), Code> {
        if self.decision.accepted(facts) {
            return Ok(());
        }
        self.out.clear();
        Err(Failure::from(HostCause::AuditUnwritable).into())
    }

    /// What the credential's judge says; `None` where the host must bring a secret first.
    pub(crate) fn answer(&self, question: &NeedsAnswer) -> Option<Answer> {
        let question = question.question();
        let Some(acceptor) = &self.credential.acceptor else { return Some(question.refuse(host::NOBODY)) };
        if let Some(answer) = acceptor.answer_of_ticket(question) {
            return Some(answer);
        }
        match &acceptor.judge {
            Judge::Store(accounts) => Some(match host::open(accounts) {
                Ok(store) => store.answer(question),
                Err(_) => question.refuse(host::NOBODY),
            }),
            Judge::One(account) => Some(account.answer(question)),
            Judge::Host(preset) => {
                let brought = self.talk.host.as_deref().map(|host| &host.secrets);
                let secrets = brought.into_iter().chain([preset]).find(|secrets| !secrets.is_empty())?;
                Some(secrets.answer(question))
            }
        }
    }

    pub(crate) fn call<R>(&mut self, step: impl FnOnce(Call<'_>) -> R) -> R {
        let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|_| NoRandomness);
        let mut call = Call::new(SystemTime::now(), &mut random, self.decision, self.out);
        call.want = self.wants;
        call.bindings = self.bindings.map(|bindings| &bindings.channel);
        call.audits_bindings = self.bindings.is_some_and(|bindings| bindings.audits);
        call.target = self.target;
        call.application_protocols = self.talk.protocols.as_deref();
        call.peer = self.talk.peer.map(|peer| peer.ip());
        call.room = self.room;
        step(call)
    }
}
