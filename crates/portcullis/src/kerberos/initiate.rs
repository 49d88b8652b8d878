use super::accept::recognised;
use super::crypto::{Enctype, Key};
use super::drawn::Drawn;
use super::reply::{self, Frame};
use super::request::{self, Held, Sent, Wish};
use super::{Cause, Service, SessionKeys, TicketFacts, times};
use crate::call::Leg;
use crate::credential::{InitiatorPackage, Package, Sealed};
use crate::handshake::{Input, Next, Step};
use crate::protection::Protection as _;
use crate::{
    BindingsOutcome, CallCause, Claim, Context, ContextFlags, Event, Facts, Failure, PackageInfo, Role, Secret, package,
};
use portcullis_wire::kerberos::{ApRep, Ccache, EncApRepPart, InnerToken, KrbError, error_code};
use portcullis_wire::spnego::KERBEROS;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use subtle::ConstantTimeEq as _;

/// The configuration of a Kerberos initiator: the tickets of a credential cache. It asks no KDC: the service's ticket
/// must be in the cache.
///
/// With DELEGATE among the call's wishes the cache's forwardable ticket-granting ticket is sent along.
#[derive(Clone)]
pub struct Initiator {
    cache: Arc<Secret<Vec<u8>>>,
    /// How far the clocks of both sides may differ. Defaults to five minutes.
    pub skew: Duration,
}

/// Bytes that are no usable credential cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoCredentials {
    /// It cannot be read.
    Unreadable(portcullis_wire::Error),
    /// It holds no ticket-granting ticket with a usable key.
    NoTicketGranting,
}

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "not a credential cache of FILE, version 3 or 4: {error}"),
            Self::NoTicketGranting => f.write_str("the credential cache holds no usable ticket-granting ticket"),
        }
    }
}

impl std::error::Error for NoCredentials {}

impl Initiator {
    /// An initiator with the tickets of a credential cache (FILE, version 3 or 4): the bytes of the file.
    ///
    /// # Errors
    /// When it is no such cache.
    pub fn from_ccache(bytes: &[u8]) -> Result<Self, NoCredentials> {
        let cache = Ccache::decode(bytes).map_err(NoCredentials::Unreadable)?;
        cache.credentials().try_for_each(|credential| credential.map(|_| ())).map_err(NoCredentials::Unreadable)?;
        Ok(Self { cache: Arc::new(Secret::new(bytes.to_vec())), skew: Duration::from_secs(300) })
    }
}

impl fmt::Debug for Initiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator").field("skew", &self.skew).finish_non_exhaustive()
    }
}

impl InitiatorPackage for Initiator {}

impl Sealed for Initiator {
    fn into_package(self) -> Arc<dyn Package> {
        Arc::new(self)
    }
}

impl Package for Initiator {
    fn info(&self) -> &'static PackageInfo {
        &package::KERBEROS
    }

    fn begin(self: Arc<Self>) -> Box<dyn Step> {
        Box::new(SendRequest { initiator: self })
    }
}

struct SendRequest {
    initiator: Arc<Initiator>,
}

impl Step for SendRequest {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        match input {
            Input::Token(&[]) => {}
            Input::Token(_) => return Err(Cause::UnexpectedMessage.into()),
            Input::Answer(..) => return Err(CallCause::WrongInput.into()),
        }
        let Self { initiator } = *self;
        let target = leg.target.ok_or(Cause::NoTarget)?.to_owned();
        let held = Held::find(initiator.cache.expose(), &target, initiator.skew, leg)?;
        let asked = Asked { initiator, held, target };
        asked.send(Duration::ZERO, false, true, leg)
    }
}

/// Whom a request goes to, and with which ticket.
struct Asked {
    initiator: Arc<Initiator>,
    held: Held,
    target: String,
}

impl Asked {
    /// Sends the request, by the server's clock where that is known.
    fn send(self, ahead: Duration, behind: bool, may_retry: bool, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let drawn = Drawn::new(leg.random()?);
        let mut flags = leg.want.all();
        if flags.contains(ContextFlags::USE_DCE_STYLE) {
            flags |= ContextFlags::MUTUAL_AUTH;
        }
        let delegation = match flags.contains(ContextFlags::DELEGATE) {
            true => request::forwardable(self.initiator.cache.expose(), &self.held, &drawn)?,
            false => Vec::new(),
        };
        let delegates = !delegation.is_empty();
        let now = if behind { leg.now.checked_sub(ahead) } else { leg.now.checked_add(ahead) };
        let wish =
            Wish { flags, bindings: leg.bindings, target: &self.target, delegation, now: now.unwrap_or(leg.now) };
        let sent = request::make(&self.held, &wish, &drawn)?;
        let dce = flags.contains(ContextFlags::USE_DCE_STYLE);
        let frame = if dce { Frame::Bare } else { Frame::Gss(KERBEROS) };
        let token = frame.around(InnerToken::ApReq, &sent.message);
        leg.needs_room(token.len())?;
        let granted = granted(flags, delegates);
        if !flags.contains(ContextFlags::MUTUAL_AUTH) {
            leg.requires(granted)?;
            leg.out.extend_from_slice(&token);
            let agreed = Agreed { key: sent.subkey, acceptor_subkey: false, recv_seq: drawn.seq.into() };
            return Ok(Next::Done(self.context(agreed, granted, drawn, leg)));
        }
        leg.out.extend_from_slice(&token);
        Ok(Next::Token(Box::new(AwaitReply { asked: self, sent, drawn, granted, frame, may_retry })))
    }

    fn context(self, agreed: Agreed, granted: ContextFlags, drawn: Drawn, leg: &Leg<'_>) -> Context {
        let Self { held, target, .. } = self;
        let keys = SessionKeys::new(agreed.key, agreed.acceptor_subkey, Role::Initiator)
            .starting_at(drawn.seq.into(), agreed.recv_seq)
            .granting(granted)
            .drawing_from(drawn.seed);
        let enctype = Enctype::from_number(held.enctype).unwrap_or(held.session.enctype());
        let facts = Facts {
            package: &package::KERBEROS,
            role: Role::Initiator,
            account: None,
            claim: Claim::new(&held.client, "", "", &target),
            version: held.session.enctype().name(),
            granted,
            start: leg.now,
            expiry: Some(held.end_time),
            sizes: keys.sizes(),
            key_info: keys.key_info(),
            session_key: keys.session_key(),
            bindings: BindingsOutcome::Unchecked,
            bindings_aware: leg.bindings.is_some(),
            logon_id: drawn.logon_id,
            negotiation: None,
            inner: None,
            channel: None,
            ticket: Some(Arc::new(TicketFacts {
                client: held.client,
                service: Service { principal: held.service, kvno: held.kvno, enctype, key_id: [0; 16] },
                session_enctype: held.session.enctype(),
                flags: held.flags,
                auth_time: held.auth_time,
                end_time: held.end_time,
                renew_till: held.renew_till,
                pac: None,
                delegated: None,
                target_unverified: false,
            })),
        };
        Context::new(facts, Box::new(keys))
    }
}

/// The key and number that both sides go on with.
struct Agreed {
    key: Key,
    acceptor_subkey: bool,
    recv_seq: u64,
}

fn granted(flags: ContextFlags, delegates: bool) -> ContextFlags {
    let asked = ContextFlags::MUTUAL_AUTH
        | ContextFlags::REPLAY_DETECT
        | ContextFlags::SEQUENCE_DETECT
        | ContextFlags::CONFIDENTIALITY
        | ContextFlags::INTEGRITY
        | ContextFlags::USE_DCE_STYLE
        | ContextFlags::IDENTIFY
        | ContextFlags::EXTENDED_ERROR;
    let granted = ContextFlags::CONNECTION | flags & asked;
    let signs = ContextFlags::REPLAY_DETECT | ContextFlags::SEQUENCE_DETECT | ContextFlags::CONFIDENTIALITY;
    granted.with(ContextFlags::DELEGATE, delegates).with(ContextFlags::INTEGRITY, granted & signs != ContextFlags::NONE)
}

/// The server's reply is due.
struct AwaitReply {
    asked: Asked,
    sent: Sent,
    drawn: Drawn,
    granted: ContextFlags,
    frame: Frame,
    /// Whether a server of another clock may be asked again.
    may_retry: bool,
}

impl Step for AwaitReply {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Token(token) = input else { return Err(CallCause::WrongInput.into()) };
        let (_, kind, body) = recognised(token)?;
        match kind {
            InnerToken::ApRep => self.proved(body, leg),
            InnerToken::KrbError => self.refused(body, leg),
            InnerToken::ApReq | InnerToken::TgtReq | InnerToken::TgtRep => Err(Cause::UnexpectedMessage.into()),
        }
    }
}

impl AwaitReply {
    /// The server proves itself by repeating the time of the request under the session key (RFC 4120 §3.2.5).
    fn proved(self, body: &[u8], leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Self { asked, sent, drawn, granted, frame, .. } = self;
        let session = &asked.held.session;
        let message = ApRep::decode(body).map_err(Cause::Malformed)?;
        let plain = reply::opened(&message, session).ok_or(Cause::ServerNotProved)?;
        let part = EncApRepPart::decode(plain.expose()).map_err(Cause::Malformed)?;
        let same = part.ctime.0.ct_eq(&sent.ctime.0) & part.cusec.ct_eq(&sent.cusec);
        if !bool::from(same) {
            return Err(Cause::ServerNotProved.into());
        }
        leg.requires(granted)?;
        let subkey = part.subkey.map(|key| {
            Enctype::from_number(key.etype)
                .and_then(|enctype| Key::new(enctype, key.value))
                .ok_or(Cause::ServerNotProved)
        });
        let subkey = subkey.transpose()?;
        let seq = part.seq_number.unwrap_or(0);
        if frame == Frame::Bare {
            let answer = EncApRepPart { subkey: None, seq_number: Some(seq), ..part };
            let message = reply::sealed(&answer, session, &leg.random()?);
            leg.needs_room(message.len())?;
            leg.out.extend_from_slice(&message);
        }
        let acceptor_subkey = subkey.is_some();
        let agreed = Agreed { key: subkey.unwrap_or(sent.subkey), acceptor_subkey, recv_seq: seq.into() };
        Ok(Next::Done(asked.context(agreed, granted, drawn, leg)))
    }

    /// The server says no. With its clock it can be asked once more, by that (MS-KILE 3.2.5.9).
    fn refused(self, body: &[u8], leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let error = KrbError::decode(body).map_err(Cause::Malformed)?;
        if error.error_code == error_code::KRB_AP_ERR_SKEW && self.may_retry {
            let theirs = times::time(error.stime) + Duration::from_micros(error.susec.min(999_999).into());
            let (apart, behind) = apart(theirs, leg.now);
            // Nobody vouches for the time: whoever is on the way could collect requests for any day.
            if apart > MOST_APART {
                return Err(Cause::ServerRefused(error.error_code).into());
            }
            return self.asked.send(apart, behind, false, leg);
        }
        let said = error.e_text.map(String::from_utf8_lossy).unwrap_or_default();
        leg.event(&Event::Because { detail: &format!("the server says: {} {said:?}", error.error_code) });
        Err(Cause::ServerRefused(error.error_code).into())
    }
}

/// How far a server's clock may be from this one's to be followed.
const MOST_APART: Duration = Duration::from_secs(24 * 3600);

/// How far the server's clock is ahead of ours, or behind.
fn apart(theirs: SystemTime, now: SystemTime) -> (Duration, bool) {
    match theirs.duration_since(now) {
        Ok(ahead) => (ahead, false),
        Err(behind) => (behind.duration(), true),
    }
}
