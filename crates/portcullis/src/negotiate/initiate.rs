use super::fragments::{self, Gathered, gather};
use super::mechanism::{self, Direct, check, done, list_mic};
use super::{Cause, Nested, PackageList};
use crate::call::Leg;
use crate::credential::{InitiatorPackage, Package, Sealed};
use crate::handshake::{Input, Next, Step};
use crate::{CallCause, Context, ContextFlags, Failure, PackageInfo, package};
use portcullis_wire::der::Oid;
use portcullis_wire::spnego::{FirstToken, MechTypes, NegState, NegTokenInit, NegTokenResp};
use std::sync::Arc;

/// The configuration of a Negotiate initiator.
///
/// ```
/// use portcullis::{Credential, Secret, negotiate, ntlm};
/// let ann = ntlm::Initiator::with_password("ann", "CORP", &Secret::new("secret".to_owned()));
/// let credential = Credential::initiator(negotiate::Initiator::trying([ann.into()]));
/// assert_eq!(credential.package().name, "Negotiate");
/// ```
#[derive(Clone)]
pub struct Initiator {
    mechanisms: Vec<InitiatorMechanism>,
    /// Which of the mechanisms may be used, as SSPI's `PackageList`. Defaults to all.
    pub packages: PackageList,
    /// Whether the only mechanism that is left speaks its own tokens at once, unless the server spoke first: as Windows
    /// does, and as servers expect that take no SPNEGO under this name. Nothing is lost by it, since there is no list that
    /// anybody could shorten. Defaults to `false`.
    pub direct_when_alone: bool,
}

impl Initiator {
    /// An initiator that offers these mechanisms, the most wanted first.
    pub fn trying(mechanisms: impl IntoIterator<Item = InitiatorMechanism>) -> Self {
        Self {
            mechanisms: mechanisms.into_iter().collect(),
            packages: PackageList::default(),
            direct_when_alone: false,
        }
    }
}

/// An initiator that Negotiate can offer. Made from a package's configuration.
#[derive(Clone)]
pub struct InitiatorMechanism(pub(super) Arc<dyn Package>);

impl<P: InitiatorPackage + Nested> From<P> for InitiatorMechanism {
    fn from(package: P) -> Self {
        Self(package.into_package())
    }
}

impl std::fmt::Debug for InitiatorMechanism {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.info().name)
    }
}

impl std::fmt::Debug for Initiator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Initiator")
            .field("mechanisms", &self.mechanisms)
            .field("packages", &self.packages)
            .field("direct_when_alone", &self.direct_when_alone)
            .finish()
    }
}

impl InitiatorPackage for Initiator {}

impl Sealed for Initiator {
    fn into_package(self) -> Arc<dyn Package> {
        let Self { mechanisms, packages, direct_when_alone } = self;
        let mechanisms = mechanisms
            .into_iter()
            .map(|InitiatorMechanism(package)| package)
            .filter(move |package| packages.allows(package.info().name))
            .collect();
        Arc::new(Tried { mechanisms, direct_when_alone })
    }
}

/// The mechanisms of a credential, the most wanted first.
struct Tried {
    mechanisms: Vec<Arc<dyn Package>>,
    direct_when_alone: bool,
}

impl Package for Tried {
    fn info(&self) -> &'static PackageInfo {
        &package::NEGOTIATE
    }

    fn begin(self: Arc<Self>) -> Box<dyn Step> {
        Box::new(SendOffer { tried: self, held: Vec::new() })
    }
}

/// Nothing was said yet; a server may have hinted at what it takes.
struct SendOffer {
    tried: Arc<Tried>,
    held: Vec<u8>,
}

impl Step for SendOffer {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Token(piece) = input else { return Err(CallCause::WrongInput.into()) };
        let Self { tried, held } = *self;
        if piece.is_empty() && held.is_empty() {
            return match tried.mechanisms.as_slice() {
                [only] if tried.direct_when_alone => {
                    let mechanism = Arc::clone(only).begin();
                    Box::new(Direct { mechanism }).step(Input::Token(&[]), leg)
                }
                all => offer(all.to_vec(), leg),
            };
        }
        let token = match gather(held, piece)? {
            Gathered::Whole(token) => token,
            Gathered::Part(held) => return Ok(Next::Token(Box::new(Self { tried, held }))),
        };
        // The server spoke first: what it does not take is not offered (MS-SPNG 3.2.5.2). Nobody signs the hint, but
        // whoever shortens it can as well shorten the offer, and that is signed.
        let hint = NegTokenInit::decode(&token).map_err(Cause::malformed)?;
        let hinted: Vec<_> = hint.mech_types.iter().collect();
        let is_hinted = |package: &&Arc<dyn Package>| package.mechanism_oids().iter().any(|oid| hinted.contains(oid));
        offer(tried.mechanisms.iter().filter(is_hinted).cloned().collect(), leg)
    }
}

/// The offer, with the first mechanism's first token ahead of the agreement.
fn offer(offered: Vec<Arc<dyn Package>>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
    let mut token = Vec::new();
    let (offered, mechanism) = begin_first(offered, &mut token, leg)?;
    let oids: Vec<Oid<'_>> = offered.iter().flat_map(|package| package.mechanism_oids()).copied().collect();
    let list = MechTypes::encode(&oids);
    let init = NegTokenInit {
        mech_types: MechTypes::decode(&list).map_err(Cause::malformed)?,
        req_flags: None,
        mech_token: (!token.is_empty()).then_some(&token),
        hint_name: None,
        mech_list_mic: None,
    };
    let mut message = Vec::new();
    init.encode(&mut message);
    let talk = Talk { offered, list, chosen: 0, heard: false, demanded: false, signed: false, checked: false };
    fragments::send(message, Next::Token(Box::new(AwaitReply { talk, mechanism, held: Vec::new() })), leg)
}

/// The first mechanism that can begin, and those behind it: one without a ticket for the target has nothing to offer, and
/// the next is tried before anything is said (MS-SPNG 3.1.5.3).
fn begin_first(
    mut offered: Vec<Arc<dyn Package>>,
    token: &mut Vec<u8>,
    leg: &mut Leg<'_>,
) -> Result<(Vec<Arc<dyn Package>>, Mechanism), Failure> {
    loop {
        let first = offered.first().ok_or(Cause::NoCommonMechanism)?;
        match begun(Arc::clone(first).begin(), token, leg) {
            Ok(mechanism) => return Ok((offered, mechanism)),
            Err(failure) if offered.len() > 1 && cannot_begin(&failure) => {
                token.clear();
                offered.remove(0);
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// Whether a mechanism lacks what it needs to begin, as opposed to being unable to go on.
fn cannot_begin(failure: &Failure) -> bool {
    use crate::kerberos::Cause::{NoTarget, NoTicket, OwnTicketExpired};
    matches!(failure.cause, crate::Cause::Kerberos(NoTicket | NoTarget | OwnTicketExpired))
}

/// Where the mechanism stands on this side.
enum Mechanism {
    Going(Box<dyn Step>),
    Through(Context),
}

/// A mechanism's first move. None here asks questions then.
fn begun(mechanism: Box<dyn Step>, token: &mut Vec<u8>, leg: &mut Leg<'_>) -> Result<Mechanism, Failure> {
    match mechanism::run(mechanism, Input::Token(&[]), token, leg)? {
        Next::Token(step) => Ok(Mechanism::Going(step)),
        Next::Done(context) => Ok(Mechanism::Through(context)),
        Next::Ask(..) | Next::Incomplete(..) => Err(CallCause::WrongInput.into()),
    }
}

/// What stays the same from the offer to the end.
struct Talk {
    offered: Vec<Arc<dyn Package>>,
    /// The list, byte for byte as it was sent: what both sides sign.
    list: Vec<u8>,
    /// Which of the offered is used.
    chosen: usize,
    /// Whether the server answered yet.
    heard: bool,
    /// Whether the choice must be signed: the server wants it, or did not take the first.
    demanded: bool,
    /// Whether this side signed.
    signed: bool,
    /// Whether the server's signature came and was right.
    checked: bool,
}

/// The server's next message is due.
struct AwaitReply {
    talk: Talk,
    mechanism: Mechanism,
    held: Vec<u8>,
}

impl Step for AwaitReply {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Token(piece) = input else { return Err(CallCause::WrongInput.into()) };
        let Self { mut talk, mechanism, held } = *self;
        let token = match gather(held, piece)? {
            Gathered::Whole(token) => token,
            Gathered::Part(held) => return Ok(Next::Token(Box::new(Self { talk, mechanism, held }))),
        };
        if FirstToken::recognise(&token) != FirstToken::Response {
            return Err(Cause::UnexpectedMove.into());
        }
        let response = NegTokenResp::decode(&token).map_err(Cause::malformed)?;
        let first = !std::mem::replace(&mut talk.heard, true);
        match response.state {
            Some(NegState::Reject) => return Err(Cause::RejectedByPeer.into()),
            // Only the first reply asks for signatures (RFC 4178 §4.2.2).
            Some(NegState::RequestMic) if !first => return Err(Cause::UnexpectedMove.into()),
            Some(NegState::RequestMic) => talk.demanded = true,
            Some(NegState::AcceptCompleted | NegState::AcceptIncomplete) | None => {}
        }
        if talk.changes(response.supported_mech, first)? {
            return talk.restart(&response, leg);
        }
        let token = response.response_token.filter(|token| !token.is_empty());
        let mic = list_mic(response.mech_list_mic, token);
        // Old servers leave the state out after their first reply.
        let through = match response.state {
            Some(state) => state == NegState::AcceptCompleted,
            None => !first && token.is_none(),
        };
        let mut out = Vec::new();
        let context = match (mechanism, token) {
            (Mechanism::Going(step), Some(token)) => {
                match mechanism::run(step, Input::Token(token), &mut out, leg)? {
                    Next::Done(context) => context,
                    // The server cannot be through, nor have keys to sign with, before this side is.
                    Next::Token(_) if through || mic.is_some() => return Err(Cause::UnexpectedMove.into()),
                    Next::Token(step) => return talk.send(Mechanism::Going(step), &out, None, leg),
                    Next::Ask(..) | Next::Incomplete(..) => return Err(CallCause::WrongInput.into()),
                }
            }
            (Mechanism::Going(_), None) => return Err(Cause::TokenMissing.into()),
            (Mechanism::Through(context), None) => context,
            // A token after the last.
            (Mechanism::Through(_), Some(_)) => return Err(Cause::UnexpectedMove.into()),
        };
        talk.settle(context, &out, mic, through, leg)
    }
}

impl Talk {
    /// Whether the server took another mechanism than the one that was begun. It says which with its first reply, and
    /// may repeat it.
    fn changes(&mut self, named: Option<Oid<'_>>, first: bool) -> Result<bool, Failure> {
        let Some(named) = named else { return Ok(false) };
        let position = self.offered.iter().position(|package| package.info().mechanism_oids.contains(&named));
        match position {
            Some(position) if position == self.chosen => Ok(false),
            Some(position) if first => {
                self.chosen = position;
                self.demanded = true;
                Ok(true)
            }
            // A mechanism that was not offered, or a change of mind.
            _ => Err(Cause::UnexpectedMove.into()),
        }
    }

    /// Begins the mechanism that the server chose. There can be nothing for it in this message yet.
    fn restart(self, response: &NegTokenResp<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let nothing = response.response_token.is_none_or(<[u8]>::is_empty) && response.mech_list_mic.is_none();
        if !nothing || response.state == Some(NegState::AcceptCompleted) {
            return Err(Cause::UnexpectedMove.into());
        }
        let package = self.offered.get(self.chosen).ok_or(Cause::UnexpectedMove)?;
        let mut token = Vec::new();
        match begun(Arc::clone(package).begin(), &mut token, leg)? {
            Mechanism::Going(step) => self.send(Mechanism::Going(step), &token, None, leg),
            Mechanism::Through(context) => self.settle(context, &token, None, false, leg),
        }
    }

    /// The mechanism is through on this side: both sign the list where it must be signed.
    fn settle(
        mut self,
        mut context: Context,
        token: &[u8],
        mic: Option<&[u8]>,
        through: bool,
        leg: &mut Leg<'_>,
    ) -> Result<Next, Failure> {
        let granted = context.facts().granted;
        let signs = granted.contains(ContextFlags::INTEGRITY) || context.protection().always_signs_lists();
        if self.demanded && !signs && !granted.contains(ContextFlags::NULL_SESSION) {
            return Err(Cause::ListMicMissing.into());
        }
        let due = signs && (self.demanded || context.protection().demands_list_mic());
        if let Some(mic) = mic {
            // Before this side has signed or spoken its last there is nothing that the server could answer so.
            check(&self.list, &mut context, mic)?;
            self.checked = true;
        }
        let answers = !self.signed && !through && (due || self.checked);
        if token.is_empty() && !answers {
            // Nothing is left to say: the server must be through too, and have signed where this side has.
            return match (through, (due || self.signed) && !self.checked) {
                (false, _) => Err(Cause::UnexpectedMove.into()),
                (true, true) => Err(Cause::ListMicMissing.into()),
                (true, false) => Ok(done(context)),
            };
        }
        if through {
            return Err(Cause::UnexpectedMove.into());
        }
        let ours = match answers {
            true => Some(context.protection().make_list_mic(&self.list)?),
            false => None,
        };
        self.signed |= answers;
        if self.checked && token.is_empty() {
            // The last word is ours (RFC 4178 §5): the server completes with it.
            let reply = reply(NegState::AcceptCompleted, token, ours.as_deref());
            return fragments::send(reply, done(context), leg);
        }
        self.send(Mechanism::Through(context), token, ours.as_deref(), leg)
    }

    fn send(self, mechanism: Mechanism, token: &[u8], mic: Option<&[u8]>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let reply = reply(NegState::AcceptIncomplete, token, mic);
        fragments::send(reply, Next::Token(Box::new(AwaitReply { talk: self, mechanism, held: Vec::new() })), leg)
    }
}

fn reply(state: NegState, token: &[u8], mic: Option<&[u8]>) -> Vec<u8> {
    let response = NegTokenResp {
        state: Some(state),
        supported_mech: None,
        response_token: (!token.is_empty()).then_some(token),
        mech_list_mic: mic,
    };
    let mut message = Vec::new();
    response.encode(&mut message);
    message
}
