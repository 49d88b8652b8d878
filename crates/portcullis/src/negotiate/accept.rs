use super::fragments::{self, Gathered, gather};
use super::mechanism::{self, Direct, check, done, list_mic};
use super::{Acceptor, Cause};
use crate::call::Leg;
use crate::handshake::{Input, Next, Step};
use crate::{CallCause, Context, ContextFlags, Event, Failure, Wants};
use portcullis_wire::der::Oid;
use portcullis_wire::spnego::{FirstToken, MechTypes, NegState, NegTokenInit, NegTokenResp};
use std::sync::Arc;

pub(super) fn begin(acceptor: Arc<Acceptor>) -> Box<dyn Step> {
    Box::new(AwaitFirst { acceptor, hinted: false, held: Vec::new() })
}

/// The client's first token is due.
struct AwaitFirst {
    acceptor: Arc<Acceptor>,
    /// Whether the client asked for the hint already.
    hinted: bool,
    /// The pieces of the token that came so far.
    held: Vec<u8>,
}

impl Step for AwaitFirst {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Token(token) = input else { return Err(CallCause::WrongInput.into()) };
        let Self { acceptor, hinted, held } = *self;
        if token.is_empty() && held.is_empty() {
            return if hinted { Err(Cause::TokenMissing.into()) } else { hint(acceptor, leg) };
        }
        let token = match gather(held, token)? {
            Gathered::Whole(token) => token,
            Gathered::Part(held) => return Ok(Next::Token(Box::new(Self { acceptor, hinted, held }))),
        };
        match FirstToken::recognise(&token) {
            FirstToken::Spnego => rejecting(leg, |leg, error| offer(&acceptor, &token, error, leg)),
            FirstToken::Raw(oid) => direct(&acceptor, oid, &token, leg),
            FirstToken::Response => rejecting(leg, |_, _| Err(Cause::UnexpectedMove.into())),
            FirstToken::Other => Err(Cause::UnknownToken.into()),
        }
    }

    /// Which mechanism it will be is not known yet: the most that one of them wants.
    fn least_room(&self, want: &Wants) -> usize {
        let begun = self.acceptor.offered.iter().map(|package| Arc::clone(package).begin());
        let most = begun.map(|step| step.least_room(want)).max().unwrap_or(0);
        // Without a frame it is not cut.
        most.max(mechanism::least_room(most, want))
    }
}

/// The server speaks first: what it offers, before the client says anything (MS-SPNG 3.2.5.2).
fn hint(acceptor: Arc<Acceptor>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
    let hint = acceptor.hint.clone();
    fragments::send(hint, Next::Token(Box::new(AwaitFirst { acceptor, hinted: true, held: Vec::new() })), leg)
}

/// A mechanism's own first token: the mechanism runs as if there were no Negotiate, and answers without its frame.
fn direct(acceptor: &Acceptor, oid: Oid<'_>, token: &[u8], leg: &mut Leg<'_>) -> Result<Next, Failure> {
    let chosen = acceptor.mechanism(oid);
    leg.event(&Event::Negotiating { offered: &[oid], chosen: chosen.map(|package| package.info().name) });
    let mechanism = Arc::clone(chosen.ok_or(Cause::MechanismNotOffered)?).begin();
    Box::new(Direct { mechanism }).step(Input::Token(token), leg)
}

/// Chooses a mechanism from the client's list, and gives it the optimistic token where that is its own.
fn offer(acceptor: &Acceptor, token: &[u8], reply: &mut Vec<u8>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
    let init = NegTokenInit::decode(token).map_err(Cause::malformed)?;
    let offered: Vec<_> = init.mech_types.iter().collect();
    let chosen = offered.iter().find_map(|oid| acceptor.mechanism(*oid).map(|package| (*oid, package)));
    leg.event(&Event::Negotiating { offered: &offered, chosen: chosen.map(|(_, package)| package.info().name) });
    let (oid, package) = chosen.ok_or(Cause::NoCommonMechanism)?;
    // Several OIDs may name one mechanism: an optimistic token is good for each of them.
    let preferred = offered.first().is_some_and(|first| package.mechanism_oids().contains(first));
    let talk = Talk::new(&init.mech_types, oid, preferred);
    let mechanism = Arc::clone(package).begin();
    match init.mech_token.filter(|token| preferred && !token.is_empty()) {
        Some(token) => {
            let mic = list_mic(init.mech_list_mic, Some(token)).map(<[u8]>::to_vec);
            talk.advance(mechanism, Input::Token(token), mic, reply, leg)
        }
        // The client begins the chosen mechanism with its next message (RFC 4178 §3.2).
        None => talk.await_token(mechanism, &[], leg),
    }
}

/// What stays the same from the choice of a mechanism to its end.
struct Talk {
    /// The client's list, byte for byte: what both sides sign.
    list: Vec<u8>,
    /// The chosen mechanism by the name that the client gave it: Windows clients want their own echoed.
    oid: Vec<u8>,
    /// Whether the choice was the client's first. Any other must be signed (RFC 4178 §5).
    preferred: bool,
    /// Whether the mechanism was named to the client, as the first reply does.
    named: bool,
}

impl Talk {
    fn new(list: &MechTypes<'_>, oid: Oid<'_>, preferred: bool) -> Self {
        Self { list: list.raw.to_vec(), oid: oid.0.to_vec(), preferred, named: false }
    }

    /// Gives the mechanism its input, and acts on what comes of it. `token` is what the mechanism says; it stays there
    /// when it fails.
    fn advance(
        self,
        mechanism: Box<dyn Step>,
        input: Input<'_>,
        mic: Option<Vec<u8>>,
        token: &mut Vec<u8>,
        leg: &mut Leg<'_>,
    ) -> Result<Next, Failure> {
        let next = mechanism::run(mechanism, input, token, leg)?;
        match next {
            Next::Ask(question, mechanism) => {
                let token = std::mem::take(token);
                Ok(Next::Ask(question, Box::new(AwaitVerdict { talk: self, mechanism, mic, token })))
            }
            // There are no keys yet that could have signed it.
            Next::Token(_) if mic.is_some() => Err(Cause::UnexpectedMove.into()),
            Next::Token(mechanism) => self.await_token(mechanism, token, leg),
            Next::Done(context) => self.finish(context, token, mic.as_deref(), leg),
            // No stream package is negotiated.
            Next::Incomplete(..) => Err(CallCause::WrongInput.into()),
        }
    }

    /// Replies with the mechanism's token, and waits for the client's next.
    fn await_token(mut self, mechanism: Box<dyn Step>, token: &[u8], leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let state = if self.preferred || self.named { NegState::AcceptIncomplete } else { NegState::RequestMic };
        let reply = self.reply(state, token, None);
        let next = AwaitResponse { talk: self, mechanism, held: Vec::new() };
        fragments::send(reply, Next::Token(Box::new(next)), leg)
    }

    /// The mechanism is through: now the list must be signed, where it must.
    fn finish(
        mut self,
        mut context: Context,
        token: &[u8],
        mic: Option<&[u8]>,
        leg: &mut Leg<'_>,
    ) -> Result<Next, Failure> {
        let granted = context.facts().granted;
        let demanded = !self.preferred || context.protection().demands_list_mic();
        let signs = granted.contains(ContextFlags::INTEGRITY) || context.protection().always_signs_lists();
        if !self.preferred && !signs && !granted.contains(ContextFlags::NULL_SESSION) {
            return Err(Cause::ListMicMissing.into());
        }
        if let Some(mic) = mic {
            check(&self.list, &mut context, mic)?;
            let ours = context.protection().make_list_mic(&self.list)?;
            let reply = self.reply(NegState::AcceptCompleted, token, Some(&ours));
            return fragments::send(reply, done(context), leg);
        }
        // A null session has no keys to sign with, and needs the host's leave anyway.
        if !demanded || !signs {
            let reply = self.reply(NegState::AcceptCompleted, token, None);
            return fragments::send(reply, done(context), leg);
        }
        // The client had its chance with its last token, unless the last token is ours or this is the first reply.
        let state = match (token.is_empty(), self.named) {
            (true, true) => return Err(Cause::ListMicMissing.into()),
            (_, false) => NegState::RequestMic,
            (false, true) => NegState::AcceptIncomplete,
        };
        let ours = context.protection().make_list_mic(&self.list)?;
        let reply = self.reply(state, token, Some(&ours));
        let next = AwaitListMic { list: self.list, context, held: Vec::new() };
        fragments::send(reply, Next::Token(Box::new(next)), leg)
    }

    /// A reply. The first one, and no other, names the mechanism (MS-SPNG 3.3.5).
    fn reply(&mut self, state: NegState, token: &[u8], mic: Option<&[u8]>) -> Vec<u8> {
        let named = std::mem::replace(&mut self.named, true);
        let response = NegTokenResp {
            state: Some(state),
            supported_mech: (!named).then_some(Oid(&self.oid)),
            response_token: (!token.is_empty()).then_some(token),
            mech_list_mic: mic,
        };
        let mut reply = Vec::new();
        response.encode(&mut reply);
        reply
    }
}

/// The client's next token for the mechanism is due.
struct AwaitResponse {
    talk: Talk,
    mechanism: Box<dyn Step>,
    held: Vec<u8>,
}

impl Step for AwaitResponse {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Token(piece) = input else { return Err(CallCause::WrongInput.into()) };
        let Self { talk, mechanism, held } = *self;
        rejecting(leg, |leg, reply| {
            let token = match gather(held, piece)? {
                Gathered::Whole(token) => token,
                Gathered::Part(held) => return Ok(Next::Token(Box::new(Self { talk, mechanism, held }))),
            };
            let response = response(&token, &talk.oid)?;
            let token = response.response_token.filter(|token| !token.is_empty()).ok_or(Cause::TokenMissing)?;
            let mic = list_mic(response.mech_list_mic, Some(token)).map(<[u8]>::to_vec);
            talk.advance(mechanism, Input::Token(token), mic, reply, leg)
        })
    }

    fn least_room(&self, want: &Wants) -> usize {
        mechanism::least_room(self.mechanism.least_room(want), want)
    }
}

/// Reads a client's response, as far as it is a legal move.
fn response<'t>(token: &'t [u8], chosen: &[u8]) -> Result<NegTokenResp<'t>, Failure> {
    // An offer comes once, and first.
    if matches!(FirstToken::recognise(token), FirstToken::Spnego | FirstToken::Raw(_)) {
        return Err(Cause::UnexpectedMove.into());
    }
    let response = NegTokenResp::decode(token).map_err(Cause::malformed)?;
    match response.state {
        Some(NegState::Reject) => return Err(Cause::RejectedByPeer.into()),
        // Only an acceptor asks for signatures (RFC 4178 §4.2.2).
        Some(NegState::RequestMic) => return Err(Cause::UnexpectedMove.into()),
        Some(NegState::AcceptCompleted | NegState::AcceptIncomplete) | None => {}
    }
    // Naming the mechanism is the acceptor's part. Some clients repeat it; none may name another.
    match response.supported_mech {
        Some(oid) if oid.0 != chosen => Err(Cause::UnexpectedMove.into()),
        _ => Ok(response),
    }
}

/// The mechanism asked something.
struct AwaitVerdict {
    talk: Talk,
    mechanism: Box<dyn Step>,
    /// The client's signature over the list, to be checked once there are keys.
    mic: Option<Vec<u8>>,
    /// What the mechanism has to say so far.
    token: Vec<u8>,
}

impl Step for AwaitVerdict {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Answer(question, answer) = input else { return Err(CallCause::WrongInput.into()) };
        let Self { talk, mechanism, mic, token } = *self;
        rejecting(leg, |leg, reply| {
            *reply = token;
            talk.advance(mechanism, Input::Answer(question, answer), mic, reply, leg)
        })
    }
}

/// Everything is agreed but that nobody changed the client's list: its signature is due, and nothing else.
struct AwaitListMic {
    list: Vec<u8>,
    context: Context,
    held: Vec<u8>,
}

impl Step for AwaitListMic {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Token(piece) = input else { return Err(CallCause::WrongInput.into()) };
        let Self { list, mut context, held } = *self;
        rejecting(leg, |_, _| {
            let token = match gather(held, piece)? {
                Gathered::Whole(token) => token,
                Gathered::Part(held) => return Ok(Next::Token(Box::new(Self { list, context, held }))),
            };
            let response = response(&token, &[])?;
            let mic = response.mech_list_mic.ok_or(Cause::ListMicMissing)?;
            if response.response_token.is_some_and(|token| !token.is_empty() && token != mic) {
                return Err(Cause::UnexpectedMove.into());
            }
            check(&list, &mut context, mic)?;
            Ok(done(context))
        })
    }
}

/// Tells the client of a failure (RFC 4178 §4.2.2): a reject token in the output, around the mechanism's error token
/// where it has one. A call that could not be carried out says nothing: the peer has no part in it.
fn rejecting(
    leg: &mut Leg<'_>,
    step: impl FnOnce(&mut Leg<'_>, &mut Vec<u8>) -> Result<Next, Failure>,
) -> Result<Next, Failure> {
    let mut error = Vec::new();
    let result = step(leg, &mut error);
    if let Err(Failure { cause, .. }) = &result
        && !matches!(cause, crate::Cause::Call(_))
    {
        let response_token = (!error.is_empty()).then_some(error.as_slice());
        let mut reject = Vec::new();
        NegTokenResp { state: Some(NegState::Reject), response_token, ..NegTokenResp::default() }.encode(&mut reject);
        if leg.needs_room(reject.len()).is_ok() {
            leg.out.extend_from_slice(&reject);
        }
    }
    result
}
