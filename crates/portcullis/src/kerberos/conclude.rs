//! What follows once a token is judged: whether a KDC made its PAC, whether it is new, and the context.

use super::accept::{Request, expect_token, recognised, refuse};
use super::reply::ThirdLeg;
use super::{Acceptor, Cause, ConfirmPac, KdcSignature, SeenBefore, SessionKeys, pac};
use crate::call::Leg;
use crate::handshake::{Input, Next, Step};
use crate::{CallCause, Context, Event, Facts, Failure, Question};
use portcullis_wire::kerberos::InnerToken;
use std::sync::Arc;
use std::time::SystemTime;

/// A token that is good if it is new.
pub(super) struct Judged {
    pub(super) ready: Ready,
    pub(super) tag: [u8; 16],
    /// Until when it must be remembered.
    pub(super) until: SystemTime,
}

impl Judged {
    /// Asks what is left to ask.
    pub(super) fn go_on(self, acceptor: Arc<Acceptor>, request: Request, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        match self.confirmation(leg) {
            Some(question) => {
                let state = AwaitConfirmation { acceptor, request, judged: self };
                Ok(Next::Ask(Question::ConfirmPac(question), Box::new(state)))
            }
            // Whoever has the service's key makes tickets without one, too.
            None if acceptor.config.kdc_signature == KdcSignature::Require => {
                refuse(&request, Cause::PacMissing.into(), leg)
            }
            None => self.ask(&acceptor, request, leg),
        }
    }

    /// The question whether a KDC made the PAC; `None` without one.
    fn confirmation(&self, leg: &Leg<'_>) -> Option<ConfirmPac> {
        let facts = &self.ready.facts;
        let ticket = facts.ticket.as_ref()?;
        let (server, kdc) = pac::signatures(&ticket.pac.as_ref()?.raw)?;
        Some(ConfirmPac::new(facts.claim.clone(), leg.peer, ticket.service.principal.clone(), server, kdc))
    }

    /// Asks whether it is new.
    fn ask(self, acceptor: &Acceptor, request: Request, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Self { ready, tag, until } = self;
        if acceptor.config.danger_accept_replays {
            return ready.done(leg);
        }
        let question = SeenBefore::new(ready.facts.claim.clone(), leg.peer, tag, leg.now, until);
        Ok(Next::Ask(Question::SeenBefore(question), Box::new(AwaitFresh { request, ready })))
    }
}

/// A KDC's word about the PAC is due.
struct AwaitConfirmation {
    acceptor: Arc<Acceptor>,
    request: Request,
    judged: Judged,
}

impl Step for AwaitConfirmation {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Answer(Question::ConfirmPac(_), answer) = input else { return Err(CallCause::WrongInput.into()) };
        let Self { acceptor, request, judged } = *self;
        match (answer.into_pac_asked(), acceptor.config.kdc_signature) {
            (Ok(true), _) | (Ok(false), KdcSignature::WhenAsked) => judged.ask(&acceptor, request, leg),
            (Ok(false), KdcSignature::Require) => refuse(&request, Cause::PacUnconfirmed.into(), leg),
            (Err(failure), _) => refuse(&request, failure, leg),
        }
    }
}

/// What follows once it is new.
pub(super) struct Ready {
    pub(super) token: Vec<u8>,
    pub(super) facts: Facts,
    pub(super) keys: SessionKeys,
    pub(super) third: Option<ThirdLeg>,
}

impl Ready {
    fn done(self, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Self { token, facts, keys, third } = self;
        leg.out.extend_from_slice(&token);
        Ok(match third {
            Some(third) => Next::Token(Box::new(AwaitThirdLeg { facts, keys, third })),
            None => Next::Done(Context::new(facts, Box::new(keys))),
        })
    }
}

struct AwaitFresh {
    request: Request,
    ready: Ready,
}

impl Step for AwaitFresh {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Answer(Question::SeenBefore(_), answer) = input else {
            return Err(CallCause::WrongInput.into());
        };
        let Self { request, ready } = *self;
        match answer.into_fresh() {
            Ok(()) => ready.done(leg),
            Err(failure) => {
                let facts = &ready.facts;
                let detail = format!("an authenticator of {} for {}", facts.claim.user(), facts.claim.target());
                leg.event(&Event::Because { detail: &detail });
                refuse(&request, failure, leg)
            }
        }
    }
}

/// DCE style: the client's last word is due, an AP-REP with the server's sequence number (MS-KILE 3.4.5.1).
struct AwaitThirdLeg {
    facts: Facts,
    keys: SessionKeys,
    third: ThirdLeg,
}

impl Step for AwaitThirdLeg {
    fn step(self: Box<Self>, input: Input<'_>, _: &mut Leg<'_>) -> Result<Next, Failure> {
        let token = expect_token(input)?;
        let Self { facts, keys, third } = *self;
        let (_, kind, body) = recognised(token)?;
        match kind {
            InnerToken::ApRep => third.check(body)?,
            _ => return Err(Cause::UnexpectedMessage.into()),
        }
        Ok(Next::Done(Context::new(facts, Box::new(keys))))
    }
}
