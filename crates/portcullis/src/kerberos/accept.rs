use super::authenticator::{Proof, open_authenticator};
use super::conclude::{Judged, Ready};
use super::crypto::{Enctype, Key};
use super::drawn::Drawn;
use super::error_token::{self, Told};
use super::open::{usable, wanted};
use super::reply::{self, Frame, ThirdLeg};
use super::{
    Acceptor, Cause, OpenTicket, OpenedTicket, PacPolicy, PacVerdict, ServiceNames, SessionKeys, TicketFacts,
    Transited, delegation, open_ticket, pac, times,
};
use crate::call::Leg;
use crate::handshake::{Input, Next, Step};
use crate::protection::Protection as _;
use crate::{
    Account, Answer, BindingsOutcome, CallCause, Claim, ClientBindings, ContextFlags, Event, Facts, Failure, Question,
    Role, Secret, Wants, package,
};
use portcullis_wire::kerberos::{
    ApReq, Authenticator, EncTicketPart, EncryptedData, HostAddress, InnerToken, TicketFlags, gss_flag, recognise,
    unparse,
};
use portcullis_wire::{Error, Kind};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Tokens larger than this are not looked at: the largest PAC that Windows makes fits into 64 KiB.
const MAX_TOKEN: usize = 128 * 1024;

/// Nobody's name (RFC 8062 §3).
const ANONYMOUS: [&[u8]; 2] = [b"WELLKNOWN", b"ANONYMOUS"];

/// An AP-REP in its frame, with the longest key; measured with some air.
const MAX_REPLY: usize = 256;

pub(super) fn begin(acceptor: Arc<Acceptor>) -> Box<dyn Step> {
    Box::new(AwaitRequest { acceptor, may_retry: true })
}

struct AwaitRequest {
    acceptor: Arc<Acceptor>,
    /// Whether a client of another clock is told ours and may try again.
    may_retry: bool,
}

impl Step for AwaitRequest {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Self { acceptor, may_retry } = *self;
        let token = expect_token(input)?;
        let (frame, kind, body) = recognised(token)?;
        match kind {
            InnerToken::TgtReq => {
                let granting = acceptor.config.user_to_user.as_ref().ok_or(Cause::NoUserToUser)?;
                let reply = granting.answer(body, frame)?;
                leg.needs_room(reply.len())?;
                leg.out.extend_from_slice(&reply);
                Ok(Next::Token(Box::new(Self { acceptor, may_retry })))
            }
            InnerToken::ApReq => ask(acceptor, may_retry, frame, body, leg),
            InnerToken::ApRep | InnerToken::KrbError | InnerToken::TgtRep => Err(Cause::UnexpectedMessage.into()),
        }
    }

    fn least_room(&self, _: &Wants) -> usize {
        self.acceptor.config.user_to_user.as_ref().map_or(0, |granting| granting.reply_len()).max(MAX_REPLY)
    }
}

pub(super) fn recognised(token: &[u8]) -> Result<(Frame, InnerToken, &[u8]), Failure> {
    let message = recognise(token).map_err(Cause::Malformed)?;
    let frame = Frame::of(message.mechanism).ok_or(Cause::UnexpectedMessage)?;
    Ok((frame, message.kind, message.body))
}

/// Asks for the ticket to be opened.
fn ask(
    acceptor: Arc<Acceptor>,
    may_retry: bool,
    frame: Frame,
    body: &[u8],
    leg: &mut Leg<'_>,
) -> Result<Next, Failure> {
    let message = ApReq::decode(body).map_err(Cause::Malformed)?;
    let ticket = &message.ticket;
    let mut target = String::new();
    unparse(&ticket.sname, ticket.realm, &mut target);
    let claim = Claim::new("", "", "", &target);
    let enctype = usable(ticket.enc_part.etype, acceptor.config.danger_accept_rc4);
    let version = enctype.map_or("unknown enctype", Enctype::name);
    leg.event(&Event::Claimed { package: package::KERBEROS.name, version, claim: &claim });
    let user_to_user = message.options & ApReq::USE_SESSION_KEY != 0;
    let request = Request {
        frame,
        body: body.to_vec(),
        authenticator: (message.authenticator.etype, message.authenticator.cipher.len()),
        mutual: message.options & ApReq::MUTUAL_REQUIRED != 0,
    };
    let state = AwaitTicket { acceptor, may_retry, request, user_to_user };
    if let Err(cause) = enctype {
        leg.event(&Event::Because { detail: &wanted(ticket) });
        return state.refuse(cause.into(), leg);
    }
    if state.request.mutual {
        leg.needs_room(MAX_REPLY)?;
    }
    let config = &state.acceptor.config;
    // A ticket of user-to-user is for an account, which has no service's name.
    let services = match user_to_user {
        true => Arc::new(ServiceNames::Any),
        false => Arc::clone(&state.acceptor.services),
    };
    let question =
        OpenTicket::new(claim, leg.peer, services, config.pac, config.danger_accept_rc4, ticket.raw.to_vec());
    if !user_to_user {
        return Ok(Next::Ask(Question::OpenTicket(question), Box::new(state)));
    }
    // The key of such a ticket is the one of our own ticket-granting ticket: nobody else need be asked.
    let Some(granting) = config.user_to_user.clone() else { return state.refuse(Cause::NoUserToUser.into(), leg) };
    let answer = match open_ticket(granting.keys(), &ServiceNames::Any, &question) {
        Ok(opened) => question.accept(opened),
        Err(denied) => question.refuse(denied),
    };
    if let Some(denied) = answer.denied() {
        leg.because(denied);
    }
    state.opened(&question, answer, leg)
}

/// An AP-REQ that waits for its ticket.
pub(super) struct Request {
    frame: Frame,
    body: Vec<u8>,
    /// The authenticator's enctype and length.
    authenticator: (i32, usize),
    /// Whether the client wants the server to prove itself, as far as one can tell from outside.
    mutual: bool,
}

impl Request {
    /// The authenticator: what an AP-REQ ends with.
    fn authenticator(&self) -> EncryptedData<'_> {
        let (etype, len) = self.authenticator;
        let start = self.body.len().saturating_sub(len);
        EncryptedData { etype, kvno: None, cipher: self.body.get(start..).unwrap_or_default() }
    }
}

struct AwaitTicket {
    acceptor: Arc<Acceptor>,
    may_retry: bool,
    request: Request,
    user_to_user: bool,
}

impl Step for AwaitTicket {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Answer(Question::OpenTicket(question), answer) = input else {
            return Err(CallCause::WrongInput.into());
        };
        self.opened(&question, answer, leg)
    }
}

impl AwaitTicket {
    fn opened(self, question: &OpenTicket, answer: Answer, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let judged = answer.into_ticket().and_then(|opened| self.judge(&opened, question.peer, leg));
        match judged {
            Ok(judged) => {
                let Self { acceptor, request, .. } = self;
                judged.go_on(acceptor, request, leg)
            }
            Err(failure) if failure.cause == Cause::ClockSkew.into() && self.may_retry && wants_errors(leg) => {
                let Self { acceptor, request, .. } = self;
                tell(&request, &failure, leg);
                Ok(Next::Token(Box::new(AwaitRequest { acceptor, may_retry: false })))
            }
            Err(failure) => self.refuse(failure, leg),
        }
    }

    fn refuse(&self, failure: Failure, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        refuse(&self.request, failure, leg)
    }

    /// Everything that must hold but that the token is new.
    fn judge(&self, opened: &OpenedTicket, peer: Option<IpAddr>, leg: &mut Leg<'_>) -> Result<Judged, Failure> {
        let config = &self.acceptor.config;
        let sealed = self.request.authenticator();
        let part = EncTicketPart::decode(opened.part().expose()).map_err(Cause::Malformed)?;
        let session = session_key(&part, config.danger_accept_rc4, leg)?;
        let plain = open_authenticator(&sealed, &session, leg)?;
        let authenticator = Authenticator::decode(plain.expose()).map_err(Cause::Malformed)?;
        let client = self.check_client(&part, &authenticator, opened, leg)?;
        let claim = Claim::new(&client, "", "", &opened.service().principal);
        let version = opened.service().enctype.name();
        leg.event(&Event::Claimed { package: package::KERBEROS.name, version, claim: &claim });
        times::check(&part, &authenticator, config.skew, leg)?;
        self.check_origin(&part, &opened.service().principal, peer, leg)?;

        let proof = Proof::read(&authenticator, &session, config.danger_accept_rc4)?;
        let aware = proof.bindings != ClientBindings::Unaware;
        let bindings = match config.bindings.apply(proof.bindings, leg) {
            Ok(outcome) => outcome,
            Err(outcome) => return Err(unbound(outcome, proof.bindings, leg).into()),
        };
        let delegated = match proof.delegation {
            Some(bytes) => Some(delegation::take(bytes, &session, proof.subkey.as_ref(), &part, leg)?),
            None => None,
        };
        let (account, pac) = self.account(&part, opened.pac(), &client, leg)?;
        leg.event(&Event::Verified { account: &account });

        let dce = proof.flags & gss_flag::DCE_STYLE != 0;
        let mutual = dce || proof.flags & gss_flag::MUTUAL != 0 || (!proof.is_gss && self.request.mutual);
        let granted = granted(&proof, dce, mutual, self.user_to_user, delegated.is_some(), &leg.want);
        leg.requires(granted)?;

        let drawn = Drawn::new(leg.random()?);
        let made = reply::make(&session, &proof, &authenticator, (mutual, dce), self.request.frame, &drawn)?;
        leg.needs_room(made.token.len())?;
        let keys = SessionKeys::new(made.key, made.acceptor_subkey, Role::Acceptor)
            .starting_at(made.send_seq, proof.seq.into())
            .granting(granted)
            .drawing_from(Secret::new(*drawn.seed.expose()));
        let end = times::time(part.endtime);
        let target = proof.client_target.as_deref().unwrap_or(&opened.service().principal);
        let facts = Facts {
            package: &package::KERBEROS,
            role: Role::Acceptor,
            account: Some(Arc::new(account)),
            claim: Claim::new(&client, "", "", target),
            version,
            granted,
            start: leg.now,
            expiry: Some(end),
            sizes: keys.sizes(),
            key_info: keys.key_info(),
            session_key: keys.session_key(),
            bindings,
            bindings_aware: aware,
            logon_id: drawn.logon_id,
            negotiation: None,
            inner: None,
            channel: None,
            ticket: Some(Arc::new(TicketFacts {
                client,
                service: opened.service().clone(),
                session_enctype: session.enctype(),
                flags: part.flags,
                auth_time: times::time(part.authtime),
                end_time: end,
                renew_till: part.renew_till.map(times::time),
                pac,
                delegated,
                target_unverified: proof.target_unverified,
            })),
        };
        let third = dce.then(|| ThirdLeg::new(session, made.send_seq, made.message));
        let ready = Ready { token: made.token, facts, keys, third };
        let tag = reply::tag(&sealed, &opened.service().key_id);
        // Past its own time and the skew it is refused by its time; a second more for what times are rounded to.
        let until = config.skew.checked_add(Duration::from_secs(1));
        let until = until.and_then(|after| times::client_time(&authenticator).checked_add(after));
        let until = until.ok_or(Cause::ClockSkew)?;
        Ok(Judged { ready, tag, until })
    }

    /// The ticket's client, which the authenticator must repeat: name and realm (RFC 4120 §3.2.3).
    fn check_client(
        &self,
        part: &EncTicketPart<'_>,
        authenticator: &Authenticator<'_>,
        opened: &OpenedTicket,
        leg: &mut Leg<'_>,
    ) -> Result<String, Failure> {
        // As text two of other bytes could become one name, and control characters another line of a log.
        let readable = |text: &[u8]| {
            std::str::from_utf8(text).is_ok_and(|text| !text.is_empty() && !text.chars().any(char::is_control))
        };
        let named = part.cname.components().next().is_some();
        if !named || !part.cname.components().chain([part.crealm]).all(readable) {
            return Err(Cause::Malformed(Error::new(0, "cname", Kind::Unexpected)).into());
        }
        let mut client = String::new();
        unparse(&part.cname, part.crealm, &mut client);
        // RFC 8062: it proves that somebody asked the KDC for a ticket, and nothing else.
        if part.flags.contains(TicketFlags::ANONYMOUS) || part.cname.components().eq(ANONYMOUS) {
            leg.event(&Event::Because {
                detail: &format!("the ticket is of {client}; its flags are {:?}", part.flags),
            });
            return Err(Cause::AnonymousRefused.into());
        }
        if part.crealm != authenticator.crealm || !part.cname.same_components(&authenticator.cname) {
            let mut other = String::new();
            unparse(&authenticator.cname, authenticator.crealm, &mut other);
            let service = &opened.service().principal;
            let detail = format!("the ticket for {service} is of {client}, the authenticator of {other}");
            leg.event(&Event::Because { detail: &detail });
            return Err(Cause::ClientDiffers.into());
        }
        Ok(client)
    }

    /// Whether the ticket came a way, and from an address, that the policy allows.
    fn check_origin(
        &self,
        part: &EncTicketPart<'_>,
        service: &str,
        peer: Option<IpAddr>,
        leg: &mut Leg<'_>,
    ) -> Result<(), Failure> {
        let config = &self.acceptor.config;
        if let (true, Some(addresses), Some(peer)) = (config.check_addresses, part.caddr, peer)
            && !addresses.iter().any(|address| is_at(&address, peer.to_canonical()))
        {
            leg.event(&Event::Because { detail: &format!("the client is at {peer}, which the ticket does not name") });
            return Err(Cause::AddressNotAllowed.into());
        }
        let foreign = service.rsplit_once('@').is_none_or(|(_, realm)| realm.as_bytes() != part.crealm);
        let checked = part.flags.contains(TicketFlags::TRANSITED_POLICY_CHECKED);
        if config.transited == Transited::Checked && foreign && !checked {
            let detail = "the ticket's flag TRANSITED-POLICY-CHECKED is not set, and its client is of another realm";
            leg.event(&Event::Because { detail });
            return Err(Cause::TransitedUnchecked.into());
        }
        Ok(())
    }

    /// The account that the ticket says: by its PAC where that is verified, else by its principal alone.
    fn account(
        &self,
        part: &EncTicketPart<'_>,
        verdict: PacVerdict,
        client: &str,
        leg: &mut Leg<'_>,
    ) -> Result<(Account, Option<super::PacFacts>), Failure> {
        let policy = self.acceptor.config.pac;
        let raw = match verdict {
            PacVerdict::Verified => pac::find(part)?,
            PacVerdict::Unused => None,
        };
        let (account, facts) = match raw {
            Some(raw) => match pac::read(raw, part, client) {
                Ok((account, facts)) => (account, Some(facts)),
                Err(denied) => {
                    leg.because(&denied);
                    return Err(denied.cause.into());
                }
            },
            None => (None, None),
        };
        match account {
            Some(account) => Ok((account, facts)),
            None if policy == PacPolicy::Require => Err(Cause::PacMissing.into()),
            None => Ok((pac::account_of_principal(part, client), facts)),
        }
    }
}

/// Why a client's bindings are refused, and what it said of them.
fn unbound(outcome: BindingsOutcome, client: ClientBindings<'_>, leg: &mut Leg<'_>) -> Cause {
    let said = match client {
        ClientBindings::Unaware => "nothing of channel bindings (no hash, and not KERB_AP_OPTIONS_CBT)",
        ClientBindings::None => "that it sees no channel (no hash, but KERB_AP_OPTIONS_CBT)",
        ClientBindings::Hash(_) => "the hash of another channel",
    };
    let here = leg.channels().count();
    leg.event(&Event::Because { detail: &format!("the client says {said}; bindings known here: {here}") });
    match outcome {
        BindingsOutcome::Missing => Cause::BindingsMissing,
        _ => Cause::BindingsWrong,
    }
}

/// Whether an address of a ticket is the peer's (RFC 4120 §7.5.3: type 2 is IPv4, 24 IPv6).
fn is_at(address: &HostAddress<'_>, peer: IpAddr) -> bool {
    match peer {
        IpAddr::V4(peer) => address.addr_type == 2 && address.address == peer.octets(),
        IpAddr::V6(peer) => address.addr_type == 24 && address.address == peer.octets(),
    }
}

fn session_key(part: &EncTicketPart<'_>, accept_rc4: bool, leg: &mut Leg<'_>) -> Result<Key, Failure> {
    let enctype = usable(part.key.etype, accept_rc4).inspect_err(|_| {
        let detail = format!("the session key is {}", Enctype::name_of(part.key.etype));
        leg.event(&Event::Because { detail: &detail });
    })?;
    let wrong = Error::new(0, "EncTicketPart.key", Kind::WrongLength);
    Ok(Key::new(enctype, part.key.value).ok_or(Cause::Malformed(wrong))?)
}

/// What is granted: by the initiator's flags, and by what happened.
fn granted(
    proof: &Proof<'_>,
    dce: bool,
    mutual: bool,
    user_to_user: bool,
    delegated: bool,
    want: &Wants,
) -> ContextFlags {
    let has = |flag: u32| proof.flags & flag != 0;
    ContextFlags::CONNECTION
        .with(ContextFlags::DELEGATE, delegated)
        .with(ContextFlags::MUTUAL_AUTH, mutual)
        .with(ContextFlags::REPLAY_DETECT, has(gss_flag::REPLAY))
        .with(ContextFlags::SEQUENCE_DETECT, has(gss_flag::SEQUENCE))
        .with(ContextFlags::CONFIDENTIALITY, has(gss_flag::CONF))
        .with(ContextFlags::INTEGRITY, has(gss_flag::INTEG | gss_flag::CONF | gss_flag::REPLAY | gss_flag::SEQUENCE))
        .with(ContextFlags::USE_DCE_STYLE, dce)
        .with(ContextFlags::IDENTIFY, has(gss_flag::IDENTIFY))
        .with(ContextFlags::USE_SESSION_KEY, user_to_user)
        .with(ContextFlags::EXTENDED_ERROR, want.all().contains(ContextFlags::EXTENDED_ERROR))
}

pub(super) fn expect_token(input: Input<'_>) -> Result<&[u8], Failure> {
    match input {
        Input::Token(token) if token.len() <= MAX_TOKEN => Ok(token),
        Input::Token(_) => Err(Cause::Malformed(Error::new(MAX_TOKEN, "token", Kind::TooLarge)).into()),
        Input::Answer(..) => Err(CallCause::WrongInput.into()),
    }
}

/// Fails, and tells the client why where it can hear it.
pub(super) fn refuse(request: &Request, failure: Failure, leg: &mut Leg<'_>) -> Result<Next, Failure> {
    if request.mutual || request.frame == Frame::Bare || wants_errors(leg) {
        tell(request, &failure, leg);
    }
    Err(failure)
}

fn wants_errors(leg: &Leg<'_>) -> bool {
    leg.want.all().contains(ContextFlags::EXTENDED_ERROR)
}

/// Writes the KRB-ERROR of a failure, where there is one and it fits.
fn tell(request: &Request, failure: &Failure, leg: &mut Leg<'_>) {
    let crate::Cause::Kerberos(cause) = failure.cause else { return };
    let (Some(code), Ok(message)) = (cause.error_code(), ApReq::decode(&request.body)) else { return };
    let told = Told { code, now: leg.now, ticket: &message.ticket, status: failure.status };
    let token = error_token::make(&told, request.frame);
    if leg.needs_room(token.len()).is_ok() {
        leg.out.extend_from_slice(&token);
    }
}
