use super::keys::{self, Key, KeyStrength, Sender};
use super::protection::SessionKeys;
use super::session::{ANONYMOUS, SIZES, VERSION, granted, granted_anonymous, has_exchanged_key};
use super::{Acceptor, Cause, Form, TargetPolicy};
use crate::call::Leg;
use crate::handshake::{Input, Next, Step};
use crate::principal::ClaimBuilder;
use crate::protection::{NoKeys, Protection};
use crate::{
    Answer, BindingsOutcome, CallCause, Claim, ClientBindings, Context, ContextFlags, Event, Facts, Failure, Question,
    Role, VerifyNtlm, Wants, has_marshalled_target, package, target_matches,
};
use portcullis_wire::filetime;
use portcullis_wire::ntlm::{Authenticate, AvFlags, Challenge, Charset, Flags, MIC_OFFSET, Negotiate, NtResponse};
use portcullis_wire::{Error, Kind, utf16};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Tokens larger than this are not looked at: names and AV pairs of real clients stay below 4 KiB.
const MAX_TOKEN: usize = 64 * 1024;

/// What a client may ask for and get (MS-NLMP 3.2.5.1.1). LM_KEY and REQUEST_NON_NT_SESSION_KEY are not among it:
/// they would need the LM hash.
const GRANTABLE: Flags = Flags(
    Flags::SIGN.0
        | Flags::SEAL.0
        | Flags::EXTENDED_SESSION_SECURITY.0
        | Flags::IDENTIFY.0
        | Flags::VERSION.0
        | Flags::KEY_EXCHANGE.0,
);

pub(super) fn begin(acceptor: Arc<Acceptor>) -> Box<dyn Step> {
    Box::new(AwaitNegotiate { acceptor })
}

struct AwaitNegotiate {
    acceptor: Arc<Acceptor>,
}

impl Step for AwaitNegotiate {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let token = expect_token(input)?;
        let negotiate = Negotiate::decode(token)?;
        let flags = self.acceptor.choose(negotiate.flags, leg.want.flags)?;
        // One draw for all that the handshake needs: a call of the system's source costs as much as an MD5 or four.
        let (server_challenge, logon_id) = split(leg.random()?);
        let challenge = self.acceptor.challenge(flags, server_challenge);
        leg.needs_room(challenge.encoded_len())?;

        // The MIC covers both messages as they were sent.
        let mut transcript = Vec::with_capacity(token.len() + challenge.encoded_len());
        transcript.extend_from_slice(token);
        challenge.encode(&mut transcript);
        stamp(&mut transcript, filetime::from_system(leg.now));
        leg.out.extend_from_slice(transcript.get(token.len()..).unwrap_or_default());
        let acceptor = self.acceptor;
        Ok(Next::Token(Box::new(AwaitAuthenticate { acceptor, transcript, flags, server_challenge, logon_id })))
    }

    /// The CHALLENGE, in the longer of both charsets.
    fn least_room(&self, _: &Wants) -> usize {
        let len = |charset| self.acceptor.challenge(charset, [0; 8]).encoded_len();
        len(Flags::UNICODE).max(len(Flags::OEM))
    }
}

/// A challenge and a number, from sixteen random bytes.
fn split(random: [u8; 16]) -> ([u8; 8], u64) {
    let number = u128::from_le_bytes(random);
    ((number as u64).to_le_bytes(), (number >> 64) as u64)
}

/// Writes the time into a message that ends with TargetInfo, which ends with a timestamp and an empty end mark.
fn stamp(message: &mut [u8], filetime: u64) {
    const END_MARK: usize = 4;
    if let Some(timestamp) =
        message.len().checked_sub(END_MARK).and_then(|end| message.get_mut(..end)?.last_chunk_mut())
    {
        *timestamp = filetime.to_le_bytes();
    }
}

impl Acceptor {
    fn challenge(&self, flags: Flags, server_challenge: [u8; 8]) -> Challenge<'_> {
        let unicode = flags.contains(Flags::UNICODE);
        Challenge {
            target_name: if unicode { &self.target_name_unicode } else { &self.target_name_oem },
            flags,
            server_challenge,
            target_info: &self.target_info,
            version: flags.contains(Flags::VERSION).then_some(VERSION),
        }
    }

    /// The flags of the CHALLENGE: by rule from what the client asks, never an echo (MS-NLMP 3.2.5.1.1).
    fn choose(&self, asked: Flags, want: ContextFlags) -> Result<Flags, Failure> {
        if want.contains(ContextFlags::ALLOW_MISSING_BINDINGS | ContextFlags::PROXY_BINDINGS) {
            return Err(CallCause::ContradictoryFlags.into());
        }
        if asked.contains(Flags::DATAGRAM) || want.contains(ContextFlags::DATAGRAM) {
            return Err(Cause::Connectionless.into());
        }
        let charset = match (asked.contains(Flags::UNICODE), asked.contains(Flags::OEM)) {
            (true, _) => Flags::UNICODE,
            (false, true) => Flags::OEM,
            (false, false) => return Err(Cause::NoCharset.into()),
        };
        self.check_strength(asked)?;
        let protects = asked.intersects(Flags::SIGN | Flags::SEAL);
        // Strengths mean something only to clients that sign or seal.
        let strengths = if protects { asked & (Flags::KEY_128 | Flags::KEY_56) } else { Flags(0) };
        let always = Flags::REQUEST_TARGET | Flags::NTLM | Flags::ALWAYS_SIGN | Flags::TARGET_INFO;
        Ok(always | self.target_type | charset | asked & GRANTABLE | strengths)
    }
}

struct AwaitAuthenticate {
    acceptor: Arc<Acceptor>,
    /// NEGOTIATE and CHALLENGE as they were sent.
    transcript: Vec<u8>,
    /// The flags of the CHALLENGE.
    flags: Flags,
    server_challenge: [u8; 8],
    logon_id: u64,
}

impl Step for AwaitAuthenticate {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let token = expect_token(input)?;
        let charset = if self.flags.contains(Flags::UNICODE) { Charset::Unicode } else { Charset::Oem };
        let message = Authenticate::decode(token, charset)?;
        // What the client sets and the server did not offer does not count; what it clears is gone.
        let flags = message.flags & self.flags;
        self.acceptor.check_strength(flags)?;
        leg.needs_room(0)?;
        if message.is_anonymous() {
            return self.anonymous(&message, leg);
        }

        let response = NtResponse::decode(message.nt_response)?;
        let form = match &response {
            NtResponse::None => None,
            NtResponse::V1(_) if flags.contains(Flags::EXTENDED_SESSION_SECURITY) => Some(Form::V1Ess),
            NtResponse::V1(_) => Some(Form::V1),
            NtResponse::V2(_) => Some(Form::V2),
        };
        let claim = claim(&message, &response)?;
        leg.event(&Event::Claimed {
            package: package::NTLM.name,
            version: form.map_or("LM", Form::name),
            claim: &claim,
        });
        let form = form.ok_or(Cause::NoNtResponse)?;
        if form != Form::V2 && !self.acceptor.config.danger_accept_ntlmv1 {
            return Err(Cause::NtlmV1Refused.into());
        }
        if form == Form::V1Ess && message.lm_response.len() < 8 {
            return Err(Error::new(12, "LmChallengeResponse", Kind::WrongLength).into());
        }
        check_mic_field(&message, &response)?;
        if has_exchanged_key(flags) && message.encrypted_session_key.len() != 16 {
            return Err(Error::new(52, "EncryptedRandomSessionKey", Kind::WrongLength).into());
        }

        let question = VerifyNtlm::new(claim, self.server_challenge, leg.peer, token.to_vec(), form);
        let Self { acceptor, transcript, logon_id, .. } = *self;
        let question = Question::VerifyNtlm(question.after(transcript));
        Ok(Next::Ask(question, Box::new(AwaitVerdict { acceptor, flags, logon_id })))
    }
}

impl AwaitAuthenticate {
    /// A client without name and proof: a null session, where credential and call both allow it.
    fn anonymous(&self, message: &Authenticate<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let claim = claim(message, &NtResponse::None)?;
        leg.event(&Event::Claimed { package: package::NTLM.name, version: ANONYMOUS, claim: &claim });
        if !(self.acceptor.config.allow_anonymous && leg.want.flags.contains(ContextFlags::NULL_SESSION)) {
            return Err(Cause::AnonymousRefused.into());
        }
        // Nothing binds an anonymous client to its channel or its target.
        let bindings = judge_bindings(&self.acceptor, ClientBindings::Unaware, leg)?;
        self.acceptor.check_target(&claim)?;
        let granted = granted_anonymous(&leg.want);
        leg.requires(granted)?;
        let facts = Facts {
            package: &package::NTLM,
            role: Role::Acceptor,
            account: None,
            claim,
            version: ANONYMOUS,
            granted,
            start: leg.now,
            expiry: None,
            sizes: SIZES,
            key_info: None,
            session_key: None,
            bindings,
            bindings_aware: false,
            logon_id: self.logon_id,
            negotiation: None,
            inner: None,
            channel: None,
            ticket: None,
        };
        Ok(Next::Done(Context::new(facts, Box::new(NoKeys))))
    }
}

struct AwaitVerdict {
    acceptor: Arc<Acceptor>,
    /// The session's flags.
    flags: Flags,
    logon_id: u64,
}

impl Step for AwaitVerdict {
    fn step(self: Box<Self>, input: Input<'_>, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let Input::Answer(Question::VerifyNtlm(question), answer) = input else {
            return Err(CallCause::WrongInput.into());
        };
        self.finish(question, answer, leg)
    }
}

impl AwaitVerdict {
    fn finish(&self, question: VerifyNtlm, answer: Answer, leg: &mut Leg<'_>) -> Result<Next, Failure> {
        let logon = answer.into_logon()?;
        leg.event(&Event::Verified { account: &logon.account });
        let Proved { session_key, has_mic, bindings, bindings_aware } = self.prove(&question, &logon.key, leg)?;

        let granted = granted(self.flags, &leg.want);
        leg.requires(granted)?;
        let protection = Box::new(SessionKeys::new(&session_key, self.flags, Sender::Server, has_mic));
        let facts = Facts {
            package: &package::NTLM,
            role: Role::Acceptor,
            expiry: logon.account.logoff_at,
            account: Some(logon.account),
            version: question.form().name(),
            claim: question.claim,
            granted,
            start: leg.now,
            sizes: SIZES,
            key_info: protection.key_info(),
            session_key: protection.session_key(),
            bindings,
            bindings_aware,
            logon_id: self.logon_id,
            negotiation: None,
            inner: None,
            channel: None,
            ticket: None,
        };
        Ok(Next::Done(Context::new(facts, protection)))
    }

    /// What must hold besides the proof, in the order of MS-NLMP 3.2.5.1.2: bindings, target, MIC.
    fn prove(&self, question: &VerifyNtlm, session_base_key: &Key, leg: &mut Leg<'_>) -> Result<Proved, Failure> {
        let message = Authenticate::decode(question.message(), Charset::Oem)?;
        let response = NtResponse::decode(message.nt_response)?;
        let v1_ess = match question.form() {
            Form::V1Ess => message.lm_response.first_chunk(),
            Form::V1 | Form::V2 => None,
        };
        let key_exchange_key =
            keys::key_exchange_key(session_base_key, v1_ess.map(|client| (&question.server_challenge, client)));
        let session_key = match message.encrypted_session_key.first_chunk() {
            Some(encrypted) if has_exchanged_key(self.flags) => keys::exchange(&key_exchange_key, encrypted),
            _ => key_exchange_key,
        };

        let client = client_bindings(&response)?;
        let bindings = judge_bindings(&self.acceptor, client, leg)?;
        self.acceptor.check_target(&question.claim)?;
        let has_mic = self.check_mic(question.transcript(), &message, &response, &session_key)?;
        Ok(Proved { session_key, has_mic, bindings, bindings_aware: client != ClientBindings::Unaware })
    }

    /// MS-NLMP 3.2.5.1.2: the MIC is due when the client's AV flags announce it; they stand under the proof, so that
    /// nobody on the way can take the announcement back. Says whether there is one.
    fn check_mic(
        &self,
        transcript: &[u8],
        message: &Authenticate<'_>,
        response: &NtResponse<'_>,
        session_key: &Key,
    ) -> Result<bool, Failure> {
        if !announces_mic(response)? {
            return if self.acceptor.config.require_mic { Err(Cause::MicMissing.into()) } else { Ok(false) };
        }
        let mic = message.mic().ok_or(Cause::MicMissing)?;
        if *mic == [0; 16] {
            return Err(Cause::MicMissing.into());
        }
        let before = message.raw.get(..MIC_OFFSET).unwrap_or_default();
        let behind = message.raw.get(MIC_OFFSET + mic.len()..).unwrap_or_default();
        let expected = keys::mic(session_key, &[transcript], (before, behind));
        if bool::from(expected.ct_eq(mic)) { Ok(true) } else { Err(Cause::MicWrong.into()) }
    }
}

/// What holds of a client whose messages passed every check.
struct Proved {
    session_key: Key,
    has_mic: bool,
    bindings: BindingsOutcome,
    bindings_aware: bool,
}

impl Acceptor {
    /// Keys too weak for the policy: checked of what the client asks, and again of what it takes.
    fn check_strength(&self, flags: Flags) -> Result<(), Cause> {
        let protects = flags.intersects(Flags::SIGN | Flags::SEAL);
        if protects && KeyStrength::of(flags) < self.config.minimum_key { Err(Cause::WeakKey) } else { Ok(()) }
    }

    /// The client's target against ours. A marshalled target is refused under every policy: no honest client means it.
    fn check_target(&self, claim: &Claim) -> Result<(), Failure> {
        let target = claim.target();
        if has_marshalled_target(target) {
            return Err(Cause::TargetNotOurs.into());
        }
        match &self.config.targets {
            TargetPolicy::Any => Ok(()),
            TargetPolicy::WhenPresent(_) if target.is_empty() => Ok(()),
            TargetPolicy::Require(_) if target.is_empty() => Err(Cause::TargetMissing.into()),
            TargetPolicy::WhenPresent(ours) | TargetPolicy::Require(ours) if target_matches(target, ours) => Ok(()),
            TargetPolicy::WhenPresent(_) | TargetPolicy::Require(_) => Err(Cause::TargetNotOurs.into()),
        }
    }
}

fn expect_token(input: Input<'_>) -> Result<&[u8], Failure> {
    match input {
        Input::Token(token) if token.len() <= MAX_TOKEN => Ok(token),
        Input::Token(_) => Err(Error::new(MAX_TOKEN, "token", Kind::TooLarge).into()),
        Input::Answer(..) => Err(CallCause::WrongInput.into()),
    }
}

/// What the client says of itself. Its target counts only from a verified source (MsvAvFlags 0x4).
fn claim(message: &Authenticate<'_>, response: &NtResponse<'_>) -> Result<Claim, Error> {
    let target = match response {
        NtResponse::V2(v2) if !v2.client_challenge.flags()?.has(AvFlags::UNVERIFIED_TARGET) => {
            v2.client_challenge.target_name().unwrap_or_default()
        }
        _ => &[],
    };
    let names = [message.user, message.domain, message.workstation];
    let mut claim =
        ClaimBuilder::with_capacity(names.iter().map(|name| name.bytes.len()).sum::<usize>() + target.len());
    for name in names {
        name.decode_into(&mut claim.text)?;
        claim.end_part();
    }
    utf16::decode_into(target, 0, "MsvAvTargetName", &mut claim.text)?;
    claim.end_part();
    // No name holds a NUL, and whoever hands one on to C would cut it there: a client could be known by another's name.
    if claim.text.contains('\0') {
        return Err(Error::new(0, "names", Kind::Unexpected));
    }
    Ok(claim.build())
}

fn announces_mic(response: &NtResponse<'_>) -> Result<bool, Error> {
    match response {
        NtResponse::V2(v2) => Ok(v2.client_challenge.flags()?.has(AvFlags::MIC)),
        NtResponse::None | NtResponse::V1(_) => Ok(false),
    }
}

/// A message that announces a MIC must have room for one: its payload begins behind the field.
fn check_mic_field(message: &Authenticate<'_>, response: &NtResponse<'_>) -> Result<(), Failure> {
    if announces_mic(response)? && message.mic().is_none() {
        return Err(Error::new(MIC_OFFSET, "MIC", Kind::Truncated).into());
    }
    Ok(())
}

fn client_bindings<'a>(response: &NtResponse<'a>) -> Result<ClientBindings<'a>, Error> {
    Ok(match response {
        NtResponse::V2(v2) => match v2.client_challenge.channel_bindings()? {
            None => ClientBindings::Unaware,
            Some([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) => ClientBindings::None,
            Some(hash) => ClientBindings::Hash(hash),
        },
        NtResponse::None | NtResponse::V1(_) => ClientBindings::Unaware,
    })
}

fn judge_bindings(
    acceptor: &Acceptor,
    client: ClientBindings<'_>,
    leg: &mut Leg<'_>,
) -> Result<BindingsOutcome, Failure> {
    acceptor.config.bindings.apply(client, leg).map_err(|outcome| match outcome {
        BindingsOutcome::Missing => Cause::BindingsMissing.into(),
        _ => Cause::BindingsWrong.into(),
    })
}
