use super::Cause;
use super::keys::{self, Key, KeyStrength, Sender};
use super::protection::SessionKeys;
use super::session::{ANONYMOUS, SIZES, VERSION, granted, granted_anonymous, has_exchanged_key};
use crate::call::Leg;
use crate::credential::{InitiatorPackage, Package, Sealed};
use crate::handshake::{Input, Next, Step};
use crate::protection::{NoKeys, Protection};
use crate::{
    BindingsOutcome, CallCause, Claim, Context, ContextFlags, Facts, Failure, PackageInfo, Role, Secret, package,
};
use portcullis_wire::filetime;
use portcullis_wire::ntlm::{
    AuthenticateBuilder, AvFlags, AvId, Challenge, Flags, MIC_OFFSET, Negotiate, push_av_pair,
};
use portcullis_wire::{Error, Kind, utf16};
use std::fmt;
use std::sync::Arc;

/// The configuration of an NTLM initiator: who logs on, and what the server must be able to.
///
/// It speaks NTLMv2 only, always signs its messages with a MIC, names its target ([`crate::Call::target`]) and binds
/// itself to the channel ([`crate::Call::bindings`]). NTLM proves nothing of the server: mutual authentication is never
/// granted, and a reflected challenge cannot be told from another; a target that the server checks is what helps.
///
/// ```
/// use portcullis::{Call, Credential, Handshake, Secret, ntlm};
/// let ann = ntlm::Initiator::with_password("ann", "CORP", &Secret::new("secret".to_owned()));
/// let (mut random, mut events, mut out) = (|_: &mut [u8]| Ok(()), (), Vec::new());
/// let call = Call::new(std::time::SystemTime::now(), &mut random, &mut events, &mut out);
/// let next = Credential::initiator(ann).begin().token(b"", call).unwrap();
/// assert!(matches!(next, Handshake::NeedsToken(_)));
/// assert!(out.starts_with(b"NTLMSSP\0\x01"));
/// ```
pub struct Initiator {
    /// `None` for a client without a name.
    account: Option<NamedHash>,
    /// The client's computer, as it tells the server. Defaults to none.
    pub workstation: String,
    /// The weakest key to sign or seal with. Defaults to 128 bits.
    pub minimum_key: KeyStrength,
}

struct NamedHash {
    user: String,
    domain: String,
    nt_hash: Key,
}

impl Initiator {
    /// Logs on with a password. The domain may be empty, and the user `name@dns.domain` then.
    pub fn with_password(user: &str, domain: &str, password: &Secret<String>) -> Self {
        Self::with_nt_hash(user, domain, keys::nt_hash(password.expose()))
    }

    /// Logs on with the password's NT hash.
    pub fn with_nt_hash(user: &str, domain: &str, nt_hash: Key) -> Self {
        let account = NamedHash { user: user.to_owned(), domain: domain.to_owned(), nt_hash };
        Self { account: Some(account), ..Self::anonymous() }
    }

    /// Logs on without a name, to servers that allow it. The context has no keys.
    pub fn anonymous() -> Self {
        Self { account: None, workstation: String::new(), minimum_key: KeyStrength::Bits128 }
    }
}

impl fmt::Debug for Initiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.account.as_ref().map(|account| (&account.user, &account.domain));
        f.debug_struct("Initiator").field("user", &user).field("workstation", &self.workstation).finish_non_exhaustive()
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
        &package::NTLM
    }

    fn begin(self: Arc<Self>) -> Box<dyn Step> {
        Box::new(SendNegotiate { initiator: self })
    }
}

/// What this side can do, whatever the call wants.
const OFFERED: Flags = Flags(
    Flags::UNICODE.0
        | Flags::REQUEST_TARGET.0
        | Flags::NTLM.0
        | Flags::ALWAYS_SIGN.0
        | Flags::EXTENDED_SESSION_SECURITY.0
        | Flags::TARGET_INFO.0
        | Flags::KEY_128.0
        | Flags::KEY_56.0
        | Flags::KEY_EXCHANGE.0,
);

struct SendNegotiate {
    initiator: Arc<Initiator>,
}

impl Step for SendNegotiate {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        match input {
            Input::Token([]) => {}
            // The client speaks first.
            Input::Token(_) => return Err(Error::new(0, "token", Kind::Unexpected).into()),
            Input::Answer(..) => return Err(CallCause::WrongInput.into()),
        }
        let wanted = leg.want.all();
        let seals = wanted.contains(ContextFlags::CONFIDENTIALITY);
        let signs = [ContextFlags::INTEGRITY, ContextFlags::REPLAY_DETECT, ContextFlags::SEQUENCE_DETECT];
        let flags = OFFERED
            .with(Flags::SIGN, seals || signs.iter().any(|flag| wanted.contains(*flag)))
            .with(Flags::SEAL, seals)
            .with(Flags::IDENTIFY, wanted.contains(ContextFlags::IDENTIFY));
        let mut transcript = Vec::with_capacity(512);
        Negotiate::encode(flags, None, None, Some(VERSION), &mut transcript);
        leg.needs_room(transcript.len())?;
        leg.out.extend_from_slice(&transcript);
        let asked = flags | Flags::VERSION;
        Ok(Next::Token(Box::new(AwaitChallenge { initiator: self.initiator, transcript, asked })))
    }
}

struct AwaitChallenge {
    initiator: Arc<Initiator>,
    /// NEGOTIATE as it was sent.
    transcript: Vec<u8>,
    /// Its flags.
    asked: Flags,
}

/// What the server may leave of the flags: all that were asked, and no other.
struct Agreed {
    flags: Flags,
    /// The server's time, where it told it.
    time: Option<u64>,
}

impl Step for AwaitChallenge {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Token(token) = input else { return Err(CallCause::WrongInput.into()) };
        let challenge = Challenge::decode(token)?;
        let agreed = self.agree(&challenge)?;
        let Self { initiator, mut transcript, .. } = *self;
        transcript.extend_from_slice(token);
        match &initiator.account {
            Some(account) => respond(&initiator, account, &challenge, &agreed, &transcript, leg),
            None => without_a_name(&initiator, &agreed, leg),
        }
    }
}

impl AwaitChallenge {
    /// Refuses a server that a careful client does not answer.
    fn agree(&self, challenge: &Challenge<'_>) -> Result<Agreed, Failure> {
        let flags = challenge.flags & self.asked;
        if !flags.contains(Flags::UNICODE) {
            return Err(Cause::ServerWithoutUnicode.into());
        }
        let named = !challenge.target_info.is_empty();
        let pair = |id| if named { challenge.av_pairs().find(id) } else { Ok(None) };
        let time = match pair(AvId::TIMESTAMP)? {
            Some(pair) => {
                let bytes = pair
                    .value
                    .try_into()
                    .map_err(|_| Failure::from(Error::new(pair.offset, "MsvAvTimestamp", Kind::WrongLength)))?;
                Some(u64::from_le_bytes(bytes))
            }
            None => None,
        };
        if flags.intersects(Flags::SIGN | Flags::SEAL) && self.initiator.account.is_some() {
            let strong = flags.contains(Flags::EXTENDED_SESSION_SECURITY)
                && KeyStrength::of(flags) >= self.initiator.minimum_key;
            if !strong && self.initiator.minimum_key > KeyStrength::Bits40 {
                return Err(Cause::ServerTooWeak.into());
            }
            let is_named = |id| pair(id).map(|pair| pair.is_some_and(|pair| !pair.value.is_empty()));
            if !(is_named(AvId::NB_COMPUTER_NAME)? && is_named(AvId::NB_DOMAIN_NAME)?) {
                return Err(Cause::ServerNameless.into());
            }
        }
        Ok(Agreed { flags, time })
    }
}

/// The names of a message, as it carries them.
struct Names {
    user: Vec<u8>,
    domain: Vec<u8>,
    workstation: Vec<u8>,
    target: Vec<u8>,
}

/// Names longer than this are refused, in bytes: all four and the server's must fit a field of 64 KiB.
const MAX_NAME: usize = 4096;

/// TargetInfo longer than this is refused, in bytes.
const MAX_TARGET_INFO: usize = 32 * 1024;

impl Names {
    fn new(claim: &Claim) -> Result<Self, Failure> {
        let encode = |name| {
            let bytes = utf16::encode(name);
            if bytes.len() <= MAX_NAME { Ok(bytes) } else { Err(Cause::NameTooLong) }
        };
        Ok(Self {
            user: encode(claim.user())?,
            domain: encode(claim.domain())?,
            workstation: encode(claim.workstation())?,
            target: encode(claim.target())?,
        })
    }
}

/// The response (MS-NLMP 3.1.5.1.2), and the context on this side.
fn respond(
    initiator: &Initiator,
    account: &NamedHash,
    challenge: &Challenge<'_>,
    agreed: &Agreed,
    transcript: &[u8],
    leg: &mut Leg<'_>,
) -> Result<Next, Failure> {
    let granted = granted(agreed.flags, &leg.want);
    leg.requires(granted)?;
    let target = leg.target.unwrap_or_default();
    let claim = Claim::new(&account.user, &account.domain, &initiator.workstation, target);
    let names = Names::new(&claim)?;
    let client_challenge: [u8; 8] = leg.random()?;
    let blob = blob(challenge, agreed, &names, client_challenge, leg)?;

    let ntowf = keys::ntowf_v2(&account.nt_hash, &account.user, &account.domain);
    let proof = keys::proof_v2(&ntowf, &challenge.server_challenge, &blob);
    let key_exchange_key = keys::session_base_key_v2(&ntowf, &proof);
    let (session_key, encrypted) = if has_exchanged_key(agreed.flags) {
        let session_key = Secret::new(leg.random()?);
        let encrypted = keys::exchange(&key_exchange_key, session_key.expose());
        (session_key, encrypted.expose().to_vec())
    } else {
        (key_exchange_key, Vec::new())
    };
    // With the server's time in the response an LMv2 response says nothing more (MS-NLMP 3.1.5.1.2).
    let mut lm_response = [0; 24];
    if agreed.time.is_none() {
        let (lm, behind) = lm_response.split_at_mut(16);
        lm.copy_from_slice(&keys::lm_v2(&ntowf, &challenge.server_challenge, &client_challenge));
        behind.copy_from_slice(&client_challenge);
    }
    let mut message = Vec::with_capacity(512);
    AuthenticateBuilder {
        lm_response: &lm_response,
        nt_response: &[&proof[..], &blob].concat(),
        domain: &names.domain,
        user: &names.user,
        workstation: &names.workstation,
        encrypted_session_key: &encrypted,
        flags: agreed.flags,
        version: Some(VERSION),
        mic: Some([0; 16]),
    }
    .encode(&mut message);
    leg.needs_room(message.len())?;
    sign(&mut message, transcript, &session_key);
    leg.out.extend_from_slice(&message);

    let logon_id = leg.random().map(u64::from_le_bytes)?;
    let protection = Box::new(SessionKeys::new(&session_key, agreed.flags, Sender::Client, true));
    let key_info = protection.key_info();
    let session_key = protection.session_key();
    let facts = Facts { key_info, session_key, ..facts(claim, "NTLMv2", granted, logon_id, leg) };
    Ok(Next::Done(Context::new(facts, protection)))
}

/// NTLMv2_CLIENT_CHALLENGE (MS-NLMP 2.2.2.7): what the server said, and what this side knows of MIC, channel and target.
fn blob(
    challenge: &Challenge<'_>,
    agreed: &Agreed,
    names: &Names,
    client_challenge: [u8; 8],
    leg: &Leg<'_>,
) -> Result<Vec<u8>, Failure> {
    if challenge.target_info.len() > MAX_TARGET_INFO {
        return Err(Error::new(40, "TargetInfo", Kind::TooLarge).into());
    }
    let mut blob = vec![1, 1, 0, 0, 0, 0, 0, 0];
    let time = agreed.time.unwrap_or_else(|| filetime::from_system(leg.now));
    blob.extend(time.to_le_bytes());
    blob.extend(client_challenge);
    blob.extend([0; 4]);
    let ours = [AvId::EOL, AvId::FLAGS, AvId::CHANNEL_BINDINGS, AvId::TARGET_NAME];
    if !challenge.target_info.is_empty() {
        for pair in challenge.av_pairs() {
            let pair = pair?;
            if !ours.contains(&pair.id) {
                push_av_pair(&mut blob, pair.id, pair.value);
            }
        }
    }
    push_av_pair(&mut blob, AvId::FLAGS, &AvFlags::MIC.to_le_bytes());
    // All zero: a client that knows of bindings and has no channel.
    push_av_pair(&mut blob, AvId::CHANNEL_BINDINGS, &leg.bindings.map_or([0; 16], crate::ChannelBindings::md5));
    push_av_pair(&mut blob, AvId::TARGET_NAME, &names.target);
    push_av_pair(&mut blob, AvId::EOL, &[]);
    blob.extend([0; 4]);
    Ok(blob)
}

/// Writes the MIC into a message that has room for it.
fn sign(message: &mut [u8], transcript: &[u8], session_key: &Key) {
    let Some((before, rest)) = message.split_at_mut_checked(MIC_OFFSET) else { return };
    let Some((field, behind)) = rest.split_first_chunk_mut::<16>() else { return };
    *field = keys::mic(session_key, &[transcript], (before, behind));
}

/// A client without a name (MS-NLMP 3.2.5.1.2): no proof, and an LM response of one zero byte.
fn without_a_name(initiator: &Initiator, agreed: &Agreed, leg: &mut Leg<'_>) -> Result<Next, Failure> {
    let granted = granted_anonymous(&leg.want);
    leg.requires(granted)?;
    let claim = Claim::new("", "", &initiator.workstation, "");
    let names = Names::new(&claim)?;
    let mut message = Vec::with_capacity(128);
    AuthenticateBuilder {
        lm_response: &[0],
        workstation: &names.workstation,
        // Without keys there is nothing to sign or exchange.
        flags: Flags(agreed.flags.0 & !(Flags::SIGN | Flags::SEAL | Flags::KEY_EXCHANGE).0) | Flags::ANONYMOUS,
        version: Some(VERSION),
        mic: Some([0; 16]),
        ..AuthenticateBuilder::default()
    }
    .encode(&mut message);
    leg.needs_room(message.len())?;
    leg.out.extend_from_slice(&message);
    let logon_id = leg.random().map(u64::from_le_bytes)?;
    Ok(Next::Done(Context::new(facts(claim, ANONYMOUS, granted, logon_id, leg), Box::new(NoKeys))))
}

fn facts(claim: Claim, version: &'static str, granted: ContextFlags, logon_id: u64, leg: &Leg<'_>) -> Facts {
    Facts {
        package: &package::NTLM,
        role: Role::Initiator,
        account: None,
        claim,
        version,
        granted,
        start: leg.now,
        expiry: None,
        sizes: SIZES,
        key_info: None,
        session_key: None,
        bindings: BindingsOutcome::Unchecked,
        bindings_aware: true,
        logon_id,
        negotiation: None,
        inner: None,
        channel: None,
        ticket: None,
    }
}
