//! A Negotiate client that does what it is told, wrong things too. Its mechanism is the [`Initiator`] inside.

use crate::converse::{Outcome, Settings, talk};
use crate::initiator::Initiator;
use crate::session::Session;
use portcullis::{Authority, Credential};
use portcullis_wire::der::{Constructed, Oid, tag};
use portcullis_wire::spnego::{MechTypes, NTLM, NegState, NegTokenInit, NegTokenResp, SPNEGO, frame};

/// A Negotiate client, every part of whose behaviour is a field. [`Spnego::of`] is a good one, as Windows behaves.
#[derive(Debug, Clone)]
pub struct Spnego {
    /// The client of the mechanism.
    pub ntlm: Initiator,
    /// The offered mechanisms, the most wanted first.
    pub mechanisms: Vec<Oid<'static>>,
    /// What stands in the offer's mechToken.
    pub optimistic: Optimistic,
    /// How the offer is written.
    pub form: Form,
    /// The state that responses have.
    pub state: Option<NegState>,
    /// The mechanism that responses name, which is no business of a client's.
    pub names: Option<Oid<'static>>,
    /// The signature over the list.
    pub mic: ListMic,
    /// The list that is signed, where it is not the one that was offered.
    pub signed: Option<Vec<Oid<'static>>>,
    /// How often it asks for the hint first, with an empty token.
    pub asks_hint: usize,
    /// The length of the pieces that tokens are cut into; `None` sends them whole.
    pub pieces: Option<usize>,
}

/// An offer's mechToken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Optimistic {
    /// The mechanism's first token.
    Own,
    /// None: it comes when the acceptor has chosen.
    Absent,
    /// An empty one.
    Empty,
    /// The first token of another mechanism, whatever it is.
    Foreign(Vec<u8>),
}

/// How an offer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// RFC 4178.
    Rfc,
    /// Microsoft's, with a hint in field 3.
    Microsoft,
    /// The RFC's without the GSS frame.
    Bare,
}

/// The signature over the list that goes with the mechanism's last token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListMic {
    /// As Windows does: where the mechanism has a MIC, or the acceptor asked for it.
    AsDue,
    /// Always.
    Right,
    /// Never.
    Absent,
    /// One bit off.
    Wrong,
    /// The mechanism's token once more, as Windows 2000 has it.
    LikeToken,
    /// Too short.
    Short,
}

/// How a conversation looks to the client.
#[derive(Debug, Default)]
pub struct Seen {
    /// Whether the acceptor's signature over the list fitted; `None` where it sent none.
    pub list_mic: Option<bool>,
    /// The state of each reply.
    pub states: Vec<Option<NegState>>,
    /// The mechanism that each reply names.
    pub named: Vec<Option<Vec<u8>>>,
}

impl Spnego {
    /// A good client.
    pub fn of(ntlm: Initiator) -> Self {
        Self {
            ntlm,
            mechanisms: vec![NTLM],
            optimistic: Optimistic::Own,
            form: Form::Rfc,
            state: None,
            names: None,
            mic: ListMic::AsDue,
            signed: None,
            asks_hint: 0,
            pieces: None,
        }
    }

    /// The one account of most tests.
    pub fn user() -> Self {
        Self::of(Initiator::user())
    }

    /// A client that wants another mechanism most: NTLM is its second choice, and `foreign` its first token.
    pub fn preferring(mechanism: Oid<'static>, foreign: &[u8]) -> Self {
        Self { mechanisms: vec![mechanism, NTLM], optimistic: Optimistic::Foreign(foreign.to_vec()), ..Self::user() }
    }

    /// The offer.
    pub fn offer(&self) -> Vec<u8> {
        let negotiate = self.ntlm.negotiate();
        let token = match &self.optimistic {
            Optimistic::Own => Some(negotiate.as_slice()),
            Optimistic::Absent => None,
            Optimistic::Empty => Some(&[][..]),
            Optimistic::Foreign(token) => Some(token.as_slice()),
        };
        let list = MechTypes::encode(&self.mechanisms);
        let fields =
            Constructed::new().with(tag::context(0), &list).with_optional(tag::context(2), tag::OCTET_STRING, token);
        let fields = match self.form {
            Form::Rfc | Form::Bare => fields,
            Form::Microsoft => {
                let name = Constructed::new().with(tag::GENERAL_STRING, b"a hint").into_tlv(tag::context(0));
                fields.with(tag::context(3), &Constructed::new().with_encoded(&name).into_tlv(tag::SEQUENCE))
            }
        };
        let init = Constructed::new().with_encoded(&fields.into_tlv(tag::SEQUENCE)).into_tlv(tag::context(0));
        if self.form == Form::Bare {
            return init;
        }
        let mut out = Vec::new();
        frame(SPNEGO, &init, &mut out);
        out
    }

    /// Talks with an acceptor to the end.
    pub fn converse(&self, credential: &Credential, authority: &dyn Authority, settings: &Settings) -> (Outcome, Seen) {
        let mut client = Talking::of(self);
        let mut outcome = talk(credential, authority, settings, |reply| client.next(reply));
        client.hear(&outcome.output);
        outcome.session = client.session;
        (outcome, client.seen)
    }

    /// What makes this client's tokens from the replies, one after another.
    pub fn talker(&self) -> impl FnMut(&[u8]) -> Option<Vec<u8>> {
        let mut client = Talking::of(self);
        move |reply| client.next(reply)
    }

    fn signed_list(&self) -> Vec<u8> {
        MechTypes::encode(self.signed.as_ref().unwrap_or(&self.mechanisms))
    }
}

/// A client in the middle of a conversation.
struct Talking<'c> {
    client: &'c Spnego,
    session: Option<Session>,
    /// Whether the acceptor asked for a signature.
    asked: bool,
    /// Whether AUTHENTICATE was sent.
    sent: bool,
    seen: Seen,
    /// How often the hint was asked for.
    asked_hint: usize,
    /// What is still to be sent of the last token.
    pieces: Vec<Vec<u8>>,
}

impl<'c> Talking<'c> {
    fn of(client: &'c Spnego) -> Self {
        let seen = Seen::default();
        Self { client, session: None, asked: false, sent: false, seen, asked_hint: 0, pieces: Vec::new() }
    }

    /// The next token, or the next piece of it.
    fn next(&mut self, reply: &[u8]) -> Option<Vec<u8>> {
        if self.pieces.is_empty() {
            let token = self.answer(reply)?;
            let size = self.client.pieces.filter(|_| !token.is_empty()).unwrap_or(usize::MAX);
            self.pieces = token.chunks(size.min(token.len()).max(1)).rev().map(<[u8]>::to_vec).collect();
            if token.is_empty() {
                return Some(token);
            }
        }
        self.pieces.pop()
    }

    /// The next token after a reply; `None` when nothing is left to say.
    fn answer(&mut self, reply: &[u8]) -> Option<Vec<u8>> {
        if self.asked_hint < self.client.asks_hint {
            self.asked_hint += 1;
            return Some(Vec::new());
        }
        if self.seen.states.is_empty() && (reply.is_empty() || NegTokenInit::decode(reply).is_ok()) {
            return Some(self.client.offer());
        }
        let token = self.hear(reply)?;
        if self.sent {
            return None;
        }
        if token.is_empty() {
            // The acceptor chose, and waits for the mechanism to begin.
            return Some(self.respond(&self.client.ntlm.negotiate(), None));
        }
        let (message, session) = self.client.ntlm.authenticate(&self.client.ntlm.negotiate(), &token)?;
        self.session = Some(session);
        let mic = self.mic(&message);
        self.sent = true;
        Some(self.respond(&message, mic.as_deref()))
    }

    /// Reads a reply and gives the mechanism's token in it; `None` when it cannot be read.
    fn hear(&mut self, reply: &[u8]) -> Option<Vec<u8>> {
        let reply = NegTokenResp::decode(reply).ok()?;
        self.seen.states.push(reply.state);
        self.seen.named.push(reply.supported_mech.map(|oid| oid.0.to_vec()));
        self.asked |= reply.state == Some(NegState::RequestMic);
        if let (Some(mic), Some(session)) = (reply.mech_list_mic, &mut self.session) {
            let list = MechTypes::encode(&self.client.mechanisms);
            self.seen.list_mic = Some(mic.try_into().is_ok_and(|mic| session.fits_list(&list, mic)));
        }
        Some(reply.response_token.unwrap_or_default().to_vec())
    }

    fn mic(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let due = self.asked || self.client.ntlm.mic != crate::Mic::NoField;
        match self.client.mic {
            ListMic::Absent => return None,
            ListMic::AsDue if !due => return None,
            ListMic::LikeToken => return Some(message.to_vec()),
            _ => {}
        }
        let mut mic = self.session.as_mut()?.list_mic(&self.client.signed_list()).to_vec();
        match self.client.mic {
            ListMic::Wrong => mic[6] ^= 1,
            ListMic::Short => mic.truncate(12),
            _ => {}
        }
        Some(mic)
    }

    fn respond(&self, token: &[u8], mic: Option<&[u8]>) -> Vec<u8> {
        self.response(Some(token), mic)
    }

    fn response(&self, token: Option<&[u8]>, mic: Option<&[u8]>) -> Vec<u8> {
        let (state, supported_mech) = (self.client.state, self.client.names);
        let mut out = Vec::new();
        NegTokenResp { state, supported_mech, response_token: token, mech_list_mic: mic }.encode(&mut out);
        out
    }
}

/// An offer of the RFC's form as a whole: the mechanisms, a token, a signature.
pub fn offer(mechanisms: &[Oid<'_>], token: Option<&[u8]>, mic: Option<&[u8]>) -> Vec<u8> {
    let list = MechTypes::encode(mechanisms);
    let fields = Constructed::new()
        .with(tag::context(0), &list)
        .with_optional(tag::context(2), tag::OCTET_STRING, token)
        .with_optional(tag::context(3), tag::OCTET_STRING, mic);
    let init = Constructed::new().with_encoded(&fields.into_tlv(tag::SEQUENCE)).into_tlv(tag::context(0));
    let mut out = Vec::new();
    frame(SPNEGO, &init, &mut out);
    out
}

/// A response as a whole.
pub fn response(state: Option<NegState>, token: Option<&[u8]>, mic: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    NegTokenResp { state, supported_mech: None, response_token: token, mech_list_mic: mic }.encode(&mut out);
    out
}
