use super::{edit, judge, next_token, setting_of};
use crate::converse::{Outcome, talk};
use crate::initiator::Initiator;
use crate::session::Session;
use crate::spnego::{Form, ListMic, Optimistic, Spnego};
use crate::vector::{Package, Setup};
use portcullis::{ContextFlags, Status};
use portcullis_wire::ntlm::{Authenticate, Charset, Flags};
use portcullis_wire::spnego::{KERBEROS, NEGOEX, NTLM, NegTokenInit, NegTokenResp};

/// A conversation with a Negotiate acceptor. The first byte chooses who speaks, the second the setting, as in
/// [`super::acceptor`]: tokens as they stand, each behind its length in two bytes, or a good client and edits of what it
/// says, four bytes each.
///
/// Nobody is established whom NTLM alone would refuse, nor over a list that somebody changed where a signature was due.
pub fn negotiate_acceptor(bytes: &[u8]) {
    let Some((&[speaker, setting], rest)) = bytes.split_first_chunk::<2>() else { return };
    let mut setup = setting_of(setting);
    setup.package = Package::Negotiate;
    if setting & 0x80 != 0 {
        setup.packages = "!ntlm".parse().unwrap();
    }
    let outcome = if speaker & 1 == 0 { raw(&setup, rest) } else { edited(&setup, speaker, rest) };
    judge_negotiate(&setup, outcome);
}

/// Up to sixteen tokens, each behind its length.
fn raw(setup: &Setup, mut bytes: &[u8]) -> Outcome {
    let mut left = 16;
    talk(&setup.credential(), &setup.realm, &setup.settings, |_| {
        left -= 1;
        next_token(&mut bytes).filter(|_| left > 0).map(<[u8]>::to_vec)
    })
}

/// A good client, of whose tokens somebody edits bytes.
fn edited(setup: &Setup, speaker: u8, edits: &[u8]) -> Outcome {
    let bit = |n: u8| speaker >> n & 1 == 1;
    let mut ntlm = if bit(1) { Initiator::user().without_mic() } else { Initiator::user() };
    if bit(2) {
        ntlm.password = "other".into();
    }
    let client = Spnego {
        mechanisms: if bit(3) { vec![NEGOEX, KERBEROS, NTLM] } else { vec![NTLM] },
        optimistic: if bit(4) { Optimistic::Absent } else { Optimistic::Own },
        mic: if bit(5) { ListMic::Right } else { ListMic::AsDue },
        form: if bit(6) { Form::Bare } else { Form::Rfc },
        pieces: bit(7).then_some(50),
        ..Spnego::of(ntlm)
    };
    let (mut says, mut number) = (client.talker(), 0u8);
    talk(&setup.credential(), &setup.realm, &setup.settings, |reply| {
        let mut token = says(reply)?;
        edit(edits, number, &mut token);
        number = number.wrapping_add(1);
        (number < 64).then_some(token)
    })
}

/// Whether an outcome is one that a Negotiate acceptor of NTLM may come to.
///
/// # Panics
/// When it is not.
fn judge_negotiate(setup: &Setup, outcome: Outcome) {
    assert!(!outcome.statuses.contains(&Status::SEC_E_INTERNAL_ERROR), "{:?}", outcome.cause);
    let Some(context) = &outcome.context else { return };
    assert!(setup.packages.allows("NTLM"), "an excluded mechanism let somebody in");
    let told = Told::from(&outcome);
    let granted = context.facts().granted;
    let key = context.facts().session_key.as_ref().map(|key| *key.expose().first_chunk().unwrap());
    let inner = Outcome { messages: told.ntlm, ..outcome };
    judge(setup, &inner);
    let (Some(offer), Some(key)) = (told.offer, key) else { return };
    let message = Authenticate::decode(&inner.messages[2], Charset::Oem).unwrap();
    let offer = NegTokenInit::decode(&offer).unwrap();
    let preferred = offer.mech_types.iter().next() == Some(NTLM);
    let signs = granted.contains(ContextFlags::INTEGRITY);
    assert!(preferred || signs, "the second choice of a client without keys");
    let Some(mic) = told.mic else {
        let has_mic = message.mic().is_some_and(|mic| mic != &[0; 16]) && announces(&message);
        assert!(preferred && !(has_mic && signs), "a signature was due and did not come");
        return;
    };
    let server = portcullis_wire::ntlm::Challenge::decode(&inner.messages[1]).unwrap();
    let mut session = Session::server(key, Flags(message.flags.0 & server.flags.0));
    let fits = mic.try_into().is_ok_and(|mic| session.fits_list(offer.mech_types.raw, &mic));
    assert!(fits, "established over a wrong signature");
}

fn announces(message: &Authenticate<'_>) -> bool {
    use portcullis_wire::ntlm::{AvFlags, NtResponse};
    match NtResponse::decode(message.nt_response) {
        Ok(NtResponse::V2(response)) => response.client_challenge.flags().is_ok_and(|flags| flags.has(AvFlags::MIC)),
        _ => false,
    }
}

/// What was said inside, in an established conversation.
struct Told {
    /// NEGOTIATE, CHALLENGE and AUTHENTICATE.
    ntlm: Vec<Vec<u8>>,
    /// The offer; `None` where NTLM spoke alone.
    offer: Option<Vec<u8>>,
    /// The client's signature over the list.
    mic: Option<Vec<u8>>,
}

impl Told {
    fn from(outcome: &Outcome) -> Self {
        let (mut told, mut held) = (Self { ntlm: Vec::new(), offer: None, mic: None }, Vec::new());
        let tokens: Vec<_> = outcome.messages.iter().step_by(2).collect();
        for (number, (token, reply)) in tokens.iter().zip(outcome.replies()).enumerate() {
            held.extend_from_slice(token);
            if reply.is_empty() && number + 1 < tokens.len() {
                continue; // a piece
            }
            told.token(&std::mem::take(&mut held));
            told.reply(reply);
        }
        told
    }

    fn token(&mut self, token: &[u8]) {
        if let Ok(init) = NegTokenInit::decode(token) {
            let own = init.mech_types.iter().next() == Some(NTLM);
            self.ntlm.extend(init.mech_token.filter(|token| own && !token.is_empty()).map(<[u8]>::to_vec));
            self.offer = Some(token.to_vec());
        } else if let Ok(response) = NegTokenResp::decode(token) {
            self.ntlm.extend(response.response_token.map(<[u8]>::to_vec));
            let repeated = response.mech_list_mic == response.response_token;
            self.mic = response.mech_list_mic.filter(|_| !repeated).map(<[u8]>::to_vec);
        } else if token.starts_with(b"NTLMSSP\0") {
            self.ntlm.push(token.to_vec());
        }
    }

    fn reply(&mut self, reply: &[u8]) {
        if let Ok(response) = NegTokenResp::decode(reply) {
            self.ntlm.extend(response.response_token.map(<[u8]>::to_vec));
        } else if reply.starts_with(b"NTLMSSP\0") {
            self.ntlm.push(reply.to_vec());
        }
    }
}
