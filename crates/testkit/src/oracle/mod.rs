//! What must hold whatever bytes come: the fuzz targets call these, and tests replay their corpora.
//!
//! Each takes any bytes and panics when the library does what it must not.

mod certificates;
mod initiators;
mod kerberos_acceptor;
mod kerberos_files;
mod kerberos_messages;
mod kerberos_pac;
mod negoex_messages;
mod negotiate_acceptor;
mod remote;
mod schannel;
mod spnego_messages;
mod tls_records;

pub use certificates::x509;
pub use initiators::{negotiate_initiator, ntlm_initiator};
pub use kerberos_acceptor::{kerberos_acceptor, kerberos_setting, random_kerberos_script};
pub use kerberos_files::{kerberos_ccache, kerberos_keytab};
pub use kerberos_messages::kerberos_messages;
pub use kerberos_pac::kerberos_pac;
pub use negoex_messages::negoex;
pub use negotiate_acceptor::negotiate_acceptor;
pub use remote::remote;
pub use schannel::{schannel_acceptor, schannel_initiator};
pub use spnego_messages::spnego;
pub use tls_records::tls_records;

use crate::chance::Foretold;
use crate::converse::{Outcome, exchange};
use crate::initiator::{Initiator, Responses};
use crate::realm::Realm;
use crate::vector::Setup;
use portcullis::ntlm::{KeyStrength, keys};
use portcullis::{ChannelBindings, ContextFlags, Status};
use portcullis_wire::ntlm::{
    Authenticate, AuthenticateBuilder, AvFlags, Challenge, Charset, Flags, MIC_OFFSET, Negotiate, NtResponse,
};
use portcullis_wire::sid::Sid;
use portcullis_wire::{Error, Reader, utf16};

/// NEGOTIATE: no panic; what was read and written again reads the same.
pub fn negotiate(bytes: &[u8]) {
    let Some(read) = sound(bytes, Negotiate::decode(bytes)) else { return };
    assert_eq!(read.raw, bytes);
    let mut again = Vec::new();
    Negotiate::encode(read.flags, read.domain, read.workstation, read.version, &mut again);
    let twice = Negotiate::decode(&again).unwrap();
    assert_eq!((twice.domain, twice.workstation, twice.version), (read.domain, read.workstation, read.version));
    let kept = !(Flags::OEM_DOMAIN_SUPPLIED | Flags::OEM_WORKSTATION_SUPPLIED | Flags::VERSION);
    assert_eq!(twice.flags & kept, read.flags & kept, "a flag was lost or made up");
}

/// CHALLENGE: as [`negotiate`].
pub fn challenge(bytes: &[u8]) {
    let Some(read) = sound(bytes, Challenge::decode(bytes)) else { return };
    read.av_pairs().take_while(Result::is_ok).for_each(|pair| assert!(pair.unwrap().value.len() <= bytes.len()));
    let mut again = Vec::new();
    read.encode(&mut again);
    assert_eq!(again.len(), read.encoded_len());
    assert_eq!(Challenge::decode(&again).unwrap(), read);
}

/// AUTHENTICATE: as [`negotiate`].
pub fn authenticate(bytes: &[u8]) {
    for charset in [Charset::Unicode, Charset::Oem] {
        let Some(read) = sound(bytes, Authenticate::decode(bytes, charset)) else { continue };
        assert_eq!(read.raw, bytes);
        for name in [read.user, read.domain, read.workstation] {
            if let Ok(text) = name.decode() {
                assert!(text.len() <= name.bytes.len() * 2);
            }
        }
        if read.is_anonymous() {
            assert!(read.user.bytes.is_empty() && read.nt_response.is_empty() && read.lm_response.len() <= 1);
        }
        if read.mic().is_some() {
            assert!(read.payload_offset >= MIC_OFFSET + 16 && bytes.len() >= MIC_OFFSET + 16);
        }
        let mut again = Vec::new();
        AuthenticateBuilder {
            lm_response: read.lm_response,
            nt_response: read.nt_response,
            domain: read.domain.bytes,
            user: read.user.bytes,
            workstation: read.workstation.bytes,
            encrypted_session_key: read.encrypted_session_key,
            flags: read.flags,
            version: read.version(),
            mic: read.mic().copied(),
        }
        .encode(&mut again);
        // Fields that share their bytes are written apart: what no longer fits 32 bits of offset cannot come back.
        let twice = Authenticate::decode(&again, charset).unwrap();
        assert_eq!((twice.lm_response, twice.nt_response), (read.lm_response, read.nt_response));
        assert_eq!((twice.user.bytes, twice.domain.bytes), (read.user.bytes, read.domain.bytes));
        assert_eq!((twice.workstation.bytes, twice.flags), (read.workstation.bytes, read.flags));
        assert_eq!(twice.encrypted_session_key, read.encrypted_session_key);
        if again.len() > MIC_OFFSET + 16 {
            assert_eq!(twice.mic().filter(|_| read.mic().is_some()), read.mic());
        }
    }
}

/// NtChallengeResponse and the AV pairs in it.
pub fn nt_response(bytes: &[u8]) {
    match sound(bytes, NtResponse::decode(bytes)) {
        None => {}
        Some(NtResponse::None) => assert!(bytes.is_empty()),
        Some(NtResponse::V1(response)) => assert_eq!(&response[..], bytes),
        Some(NtResponse::V2(response)) => {
            assert_eq!([&response.proof[..], response.blob].concat(), bytes, "the hash is over all that came");
            let challenge = &response.client_challenge;
            for pair in challenge.av_pairs.clone() {
                let pair = pair.expect("a decoded response's pairs are known to end");
                assert!(bytes.windows(pair.value.len().max(1)).any(|w| pair.value.is_empty() || w == pair.value));
            }
            let _ = (challenge.flags(), challenge.target_name(), challenge.channel_bindings());
        }
    }
}

/// The binary and the text form of a SID.
pub fn sid(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    if let Some(sid) = sound(bytes, Sid::decode(&mut reader)) {
        let mut again = Vec::new();
        sid.encode_into(&mut again);
        assert_eq!(again, bytes[..reader.offset()]);
        assert_eq!(sid.to_string().parse(), Ok(sid));
        if let Some((domain, rid)) = sid.split() {
            assert_eq!(domain.child(rid), Some(sid));
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(sid) = text.parse::<Sid>()
    {
        assert_eq!(sid.to_string().parse(), Ok(sid));
    }
}

/// UTF-16 text and its upper case.
pub fn utf_16(bytes: &[u8]) {
    if let Some(text) = sound(bytes, utf16::decode(bytes, 0, "text")) {
        assert_eq!(utf16::encode(&text), bytes);
        let upper = utf16::upper_string(&text);
        assert_eq!(upper.encode_utf16().count() * 2, bytes.len(), "upper-casing is one to one");
        assert_eq!(utf16::upper_string(&upper), upper, "and done once");
        assert!(utf16::same_name(&text, &upper));
    }
}

fn sound<T>(bytes: &[u8], decoded: Result<T, Error>) -> Option<T> {
    match decoded {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(error.offset <= bytes.len() + 0x1_0000, "{error} is nowhere near the {} bytes", bytes.len());
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

/// A conversation with the acceptor. The first byte chooses who speaks, the second the setting; see [`script`].
///
/// Nobody is ever established whose proof does not fit, no MIC that is announced is wrong, and nothing is our fault.
pub fn acceptor(bytes: &[u8]) {
    let Some((&[speaker, setting], rest)) = bytes.split_first_chunk::<2>() else { return };
    let setup = setting_of(setting);
    let outcome = if speaker & 1 == 0 { raw(&setup, rest) } else { edited(&setup, speaker, rest) };
    judge(&setup, &outcome);
}

/// The bytes of a raw conversation, as [`acceptor`] reads them.
pub fn script(setting: u8, first: &[u8], second: &[u8]) -> Vec<u8> {
    let len = u16::try_from(first.len()).unwrap();
    [&[0, setting][..], &len.to_le_bytes(), first, second].concat()
}

/// One of the settings that [`acceptor`] can choose.
pub fn setting_of(setting: u8) -> Setup {
    let bit = |n: u8| setting >> n & 1 == 1;
    let mut setup = Setup::default();
    setup.ntlm.danger_accept_ntlmv1 = bit(0);
    setup.ntlm.allow_anonymous = bit(1);
    setup.ntlm.require_mic = bit(3);
    setup.ntlm.minimum_key = if bit(4) { KeyStrength::Bits40 } else { KeyStrength::Bits128 };
    setup.settings.bindings = bit(5).then(|| ChannelBindings::tls_server_end_point(&[0x11; 32]));
    if bit(2) {
        setup.settings.want.flags |= ContextFlags::NULL_SESSION;
    }
    if bit(6) {
        setup.settings.want.flags |= ContextFlags::ALLOW_MISSING_BINDINGS;
    }
    setup
}

/// Two tokens: a length of two bytes, the first, then the second.
fn raw(setup: &Setup, bytes: &[u8]) -> Outcome {
    let (len, rest) = bytes.split_first_chunk::<2>().unwrap_or((&[0, 0], &[]));
    let (first, second) = rest.split_at(usize::from(u16::from_le_bytes(*len)).min(rest.len()));
    exchange(&setup.credential(), &setup.realm, &setup.settings, first, |_| Some(second.to_vec()))
}

/// A good client, and someone on the way who edits: four bytes an edit, which message, where, and what.
fn edited(setup: &Setup, speaker: u8, edits: &[u8]) -> Outcome {
    let mut client = Initiator::user();
    if speaker & 2 != 0 {
        client = client.without_mic();
    }
    if speaker & 4 != 0 {
        client = client.curl_like();
    }
    if speaker & 8 != 0 {
        client.responses = Responses::V1Ess;
    }
    if speaker & 16 != 0 {
        client.password = "other".into();
    }
    let apply = |number: u8, message: &[u8]| {
        let mut message = message.to_vec();
        edit(edits, number, &mut message);
        message
    };
    let negotiate = client.negotiate();
    exchange(&setup.credential(), &setup.realm, &setup.settings, &apply(0, &negotiate), |challenge| {
        let (message, _) = client.authenticate(&negotiate, &apply(1, challenge))?;
        Some(apply(2, &message))
    })
}

/// Applies edits to message `number`: four bytes each, which message and how, where, and what.
fn edit(edits: &[u8], number: u8, message: &mut Vec<u8>) {
    for &[which, high, low, value] in edits.as_chunks::<4>().0 {
        let at = usize::from(u16::from_be_bytes([high, low]));
        match (which & 3 == number & 3, which >> 2 & 3) {
            (false, _) => {}
            (true, 0) => message.get_mut(at).into_iter().for_each(|byte| *byte ^= value),
            (true, 1) => message.get_mut(at).into_iter().for_each(|byte| *byte = value),
            (true, 2) => message.truncate(at),
            (true, _) => message.insert(at.min(message.len()), value),
        }
    }
}

/// The next token of a script: a length of two bytes, and as much of it as there is.
fn next_token<'b>(script: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (len, rest) = script.split_first_chunk::<2>()?;
    let (token, rest) = rest.split_at(usize::from(u16::from_le_bytes(*len)).min(rest.len()));
    *script = rest;
    Some(token)
}

/// Whether an outcome is one that the acceptor may come to.
///
/// # Panics
/// When it is not.
pub fn judge(setup: &Setup, outcome: &Outcome) {
    assert!(!outcome.statuses.contains(&Status::SEC_E_INTERNAL_ERROR), "{:?}", outcome.cause);
    if let Some(challenge) = outcome.messages.get(1) {
        own_challenge(challenge, &outcome.messages[0], setup);
    }
    let Some(context) = &outcome.context else {
        assert!(outcome.cause.is_some() || outcome.messages.len() < 3, "neither context nor cause: {outcome:?}");
        return;
    };
    let [negotiate, challenge, raw] = &outcome.messages[..] else { panic!("established without three messages") };
    let facts = context.facts();
    let message = Authenticate::decode(raw, Charset::Oem).expect("an established client's message can be read");
    let Some(account) = &facts.account else {
        assert!(setup.ntlm.allow_anonymous && setup.settings.want.flags.contains(ContextFlags::NULL_SESSION));
        assert!(message.is_anonymous() && facts.session_key.is_none());
        return;
    };
    let password = &setup.realm.accounts.iter().find(|entry| entry.name == account.name).expect("ours").password;
    let base_key =
        proof_of(password, &setup.settings.server_challenge, &message, facts.claim.user(), facts.claim.domain());
    assert!(!password.is_empty(), "the empty password logged in");
    let (base_key, v1) = base_key.expect("established without the right proof");
    assert!(!v1 || setup.ntlm.danger_accept_ntlmv1, "NTLMv1 came in though it is off");
    assert!(!v1 || !setup.ntlm.require_mic, "a MIC was demanded of a form that has none");

    if let Ok(NtResponse::V2(response)) = NtResponse::decode(message.nt_response) {
        let announced = response.client_challenge.flags().unwrap().has(AvFlags::MIC);
        assert!(announced || !setup.ntlm.require_mic, "the demanded MIC was not there");
        if announced {
            let key = facts.session_key.as_ref().expect("a client has a key");
            let key = portcullis::Secret::new(*key.expose().first_chunk().unwrap());
            let (before, rest) = raw.split_at(MIC_OFFSET);
            let expected = keys::mic(&key, &[negotiate, challenge], (before, &rest[16..]));
            assert_eq!(&expected, message.mic().unwrap(), "established with a wrong MIC");
            let exchanged = message.encrypted_session_key.first_chunk().map(|sent| keys::exchange(&base_key, sent));
            let candidates = [Some(base_key), exchanged];
            assert!(candidates.iter().flatten().any(|candidate| candidate.expose() == key.expose()));
        }
    }
    assert!(facts.bindings.is_valid(), "{:?}", facts.bindings);
}

/// SessionBaseKey when the message's proof fits the password, and whether it was of version 1.
fn proof_of(
    password: &str,
    server_challenge: &[u8; 8],
    message: &Authenticate<'_>,
    user: &str,
    domain: &str,
) -> Option<(keys::Key, bool)> {
    let hash = keys::nt_hash(password);
    match NtResponse::decode(message.nt_response).ok()? {
        NtResponse::None => None,
        NtResponse::V1(response) => {
            let plain = keys::response_v1(&hash, server_challenge);
            let extended = message
                .lm_response
                .first_chunk()
                .map(|client| keys::response_v1(&hash, &keys::ess_challenge(server_challenge, client)));
            (*response == plain || Some(*response) == extended).then(|| (keys::session_base_key_v1(&hash), true))
        }
        NtResponse::V2(response) => [domain, ""].into_iter().find_map(|domain| {
            let key = keys::ntowf_v2(&hash, user, domain);
            let fits = keys::proof_v2(&key, server_challenge, response.blob) == response.proof;
            fits.then(|| (keys::session_base_key_v2(&key, &response.proof), false))
        }),
    }
}

/// What holds of every CHALLENGE that we make, whatever was asked.
fn own_challenge(challenge: &[u8], negotiate: &[u8], setup: &Setup) {
    let sent = Challenge::decode(challenge).expect("our own CHALLENGE can be read");
    let asked = Negotiate::decode(negotiate).unwrap().flags;
    let flags = sent.flags;
    let always = Flags::REQUEST_TARGET | Flags::NTLM | Flags::ALWAYS_SIGN | Flags::TARGET_INFO;
    assert!(flags.contains(always), "{flags:?}");
    let charsets = [flags.contains(Flags::UNICODE), flags.contains(Flags::OEM)];
    assert_eq!(charsets, [asked.contains(Flags::UNICODE), !asked.contains(Flags::UNICODE)], "{flags:?}");
    let types = [Flags::TARGET_TYPE_DOMAIN, Flags::TARGET_TYPE_SERVER].map(|kind| flags.contains(kind));
    assert_eq!(types, [!setup.ntlm.names.standalone, setup.ntlm.names.standalone], "exactly one TARGET_TYPE");
    let never = Flags::LM_KEY | Flags::DATAGRAM | Flags::REQUEST_NON_NT_SESSION_KEY | Flags::ANONYMOUS;
    assert!(!flags.intersects(never | Flags::OEM_DOMAIN_SUPPLIED | Flags::OEM_WORKSTATION_SUPPLIED), "{flags:?}");
    if flags.intersects(Flags::KEY_128 | Flags::KEY_56) {
        assert!(flags.intersects(Flags::SIGN | Flags::SEAL), "strengths without protection: {flags:?}");
    }
    let computed = always | Flags::UNICODE | Flags::OEM | Flags::TARGET_TYPE_DOMAIN | Flags::TARGET_TYPE_SERVER;
    assert_eq!(flags.0 & !computed.0 & !asked.0, 0, "granted what was not asked: {flags:?}");
    let named = Flags::NAMED.iter().fold(0, |all, (flag, _)| all | flag.0);
    assert_eq!(flags.0 & !named, 0, "an unknown bit was echoed: {flags:?}");
    assert_eq!(sent.server_challenge, setup.settings.server_challenge);
}

/// Settings and edits of a seeded random client, for tests that want many of them.
pub fn random_script(chance: &mut Foretold, edits: usize) -> Vec<u8> {
    let mut bytes = vec![chance.number() as u8 | 1, chance.number() as u8];
    for _ in 0..edits {
        let number = chance.number();
        bytes.extend_from_slice(&[number as u8, (number >> 8) as u8 & 1, (number >> 16) as u8, (number >> 24) as u8]);
    }
    bytes
}

/// The realm that [`acceptor`] judges by.
pub fn realm() -> Realm {
    Realm::of_user()
}
