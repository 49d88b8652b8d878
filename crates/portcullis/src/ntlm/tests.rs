//! The worked examples of MS-NLMP 4.2, through the functions and through the acceptor.

use super::keys::{self, Sender};
use super::{Cause, Ntlm, ServerNames, protection, verify};
use crate::protection::Protection;
use crate::*;
use portcullis_wire::ntlm::{Authenticate, Challenge, Charset, Flags, NtResponse};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SERVER_CHALLENGE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
const CLIENT_CHALLENGE: [u8; 8] = [0xaa; 8];
const AUTHENTICATE_V2: &str = "4e544c4d5353500003000000180018006c00000054005400840000000c000c00480000000800080054000000100010005c00000010001000d8000000358288e20501280a0000000f44006f006d00610069006e00550073006500720043004f004d005000550054004500520086c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa68cd0ab851e51c96aabc927bebef6a1c01010000000000000000000000000000aaaaaaaaaaaaaaaa0000000002000c0044006f006d00610069006e0001000c005300650072007600650072000000000000000000c5dad2544fc9799094ce1ce90bc9d03e";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn key(text: &str) -> keys::Key {
    Secret::new(hex(text).try_into().unwrap())
}

#[test]
fn one_way_functions() {
    let hash = keys::nt_hash("Password");
    assert_eq!(hash.expose()[..], hex("a4f49c406510bdcab6824ee7c30fd852"));
    assert_eq!(keys::ntowf_v2(&hash, "User", "Domain").expose()[..], hex("0c868a403bfd7a93a3001ef22ef02e3f"));
    assert_eq!(keys::nt_hash("").expose(), &keys::EMPTY_NT_HASH);
}

#[test]
fn responses_of_version_1() {
    let hash = keys::nt_hash("Password");
    let response = keys::response_v1(&hash, &SERVER_CHALLENGE);
    assert_eq!(response[..], hex("67c43011f30298a2ad35ece64f16331c44bdbed927841f94"));
    let challenge = keys::ess_challenge(&SERVER_CHALLENGE, &CLIENT_CHALLENGE);
    let response = keys::response_v1(&hash, &challenge);
    assert_eq!(response[..], hex("7537f803ae367128ca458204bde7caf81e97ed2683267232"));
    let base = keys::session_base_key_v1(&hash);
    assert_eq!(base.expose()[..], hex("d87262b0cde4b1cb7499becccdf10784"));
    let exchange = keys::key_exchange_key(&base, Some((&SERVER_CHALLENGE, &CLIENT_CHALLENGE)));
    assert_eq!(exchange.expose()[..], hex("eb93429a8bd952f8b89c55b87f475edc"));
    assert_eq!(keys::exchange(&base, &[0x55; 16]).expose()[..], hex("518822b1b3f350c8958682ecbb3e3cb7"));
}

#[test]
fn response_and_keys_of_version_2() {
    let bytes = hex(AUTHENTICATE_V2);
    let message = Authenticate::decode(&bytes, Charset::Unicode).unwrap();
    let Ok(NtResponse::V2(response)) = NtResponse::decode(message.nt_response) else { panic!("not NTLMv2") };
    let ntowf = keys::ntowf_v2(&keys::nt_hash("Password"), "User", "Domain");
    assert_eq!(keys::proof_v2(&ntowf, &SERVER_CHALLENGE, response.blob), response.proof);
    let lm = keys::lm_v2(&ntowf, &SERVER_CHALLENGE, &CLIENT_CHALLENGE);
    assert_eq!(message.lm_response, [&lm[..], &CLIENT_CHALLENGE[..]].concat());
    let base = keys::session_base_key_v2(&ntowf, &response.proof);
    assert_eq!(base.expose()[..], hex("8de40ccadbc14a82f15cb0ad0de95ca3"));
    let opened = keys::exchange(&base, message.encrypted_session_key.first_chunk().unwrap());
    assert_eq!(opened.expose(), &[0x55; 16]);
    let flags = Flags(0xe28a_8233);
    assert_eq!(keys::sign_key(&opened, Sender::Client).expose()[..], hex("4788dc861b4782f35d43fd98fe1a2d39"));
    assert_eq!(keys::seal_key(&opened, flags, Sender::Client).expose()[..], hex("59f600973cc4960a25480a7c196e4c58"));
}

#[test]
fn strengths_of_sealing_keys() {
    // 4.2.3: 56 bits.
    let flags = Flags(0x820a_8233);
    let session = key("eb93429a8bd952f8b89c55b87f475edc");
    assert_eq!(keys::seal_key(&session, flags, Sender::Client).expose()[..], hex("04dd7f014d8504d265a25cc86a3a7c06"));
    assert_eq!(keys::sign_key(&session, Sender::Client).expose()[..], hex("60e799be5c72fc92922ae8ebe961fb8d"));
}

/// Seals "Plaintext" as the specification does and gives data and signature.
fn wrapped(session: &keys::Key, flags: u32, sender: Sender) -> (Vec<u8>, Vec<u8>) {
    let (mut seal, _) = protection::SessionKeys::new(session, Flags(flags), sender, false).halves();
    let (mut data, mut signature) = (portcullis_wire::utf16::encode("Plaintext"), [0; 16]);
    seal.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut signature)]).unwrap();
    (data, signature.to_vec())
}

#[test]
fn sealed_messages() {
    let random = Secret::new([0x55; 16]);
    let v1 = wrapped(&random, 0xe202_8233, Sender::Client);
    assert_eq!(v1, (hex("56fe04d861f9319af0d7238a2e3b4d457fb8"), hex("0100000045c844e509dcd1df2e459d36")));
    let v1_ess = wrapped(&key("eb93429a8bd952f8b89c55b87f475edc"), 0x820a_8233, Sender::Client);
    assert_eq!(v1_ess, (hex("a02372f6530273f3aa1eb90190ce5200c99d"), hex("01000000ff2aeb52f681793a00000000")));
    let v2 = wrapped(&random, 0xe28a_8233, Sender::Client);
    assert_eq!(v2, (hex("54e50165bf1936dc996020c1811b0f06fb5f"), hex("010000007fb38ec5c55d497600000000")));
    // Computed for this project; not in the specification.
    let back = wrapped(&random, 0xe28a_8233, Sender::Server);
    assert_eq!(back, (hex("160871b730ba74e946c453d7465b54278dd0"), hex("01000000b298b847ce7c580700000000")));
}

struct OneUser(&'static str);

impl Authority for OneUser {
    fn answer(&self, question: &Question) -> Answer {
        let Question::VerifyNtlm(question) = question else { return question.refuse(Refusal::NotAnswered) };
        match verify(&keys::nt_hash(self.0), question) {
            Some(verified) => question.accept(verified, std::sync::Arc::new(user())),
            None => question.refuse(Refusal::WrongProof),
        }
    }
}

fn user() -> Account {
    Account {
        sid: "S-1-5-21-1-2-3-1000".parse().ok(),
        name: "User".into(),
        domain: "Domain".into(),
        dns_domain: String::new(),
        upn: None,
        display_name: None,
        mail: None,
        groups: vec![],
        logoff_at: None,
        password_expires_at: None,
    }
}

fn converse(config: Ntlm, negotiate: &[u8], authenticate: &[u8], password: &'static str) -> Result<Context, Failure> {
    let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let mut random = |bytes: &mut [u8]| {
        bytes.iter_mut().zip(SERVER_CHALLENGE.iter().cycle()).for_each(|(to, from)| *to = *from);
        Ok(())
    };
    let (mut events, mut out) = ((), vec![]);
    let call = Call::new(now, &mut random, &mut events, &mut out);
    let Handshake::NeedsToken(next) = Credential::acceptor(config).begin().token(negotiate, call)? else { panic!() };
    let challenge = Challenge::decode(&out).unwrap();
    assert_eq!(challenge.server_challenge, SERVER_CHALLENGE);
    let mut out = vec![];
    let call = Call::new(now, &mut random, &mut events, &mut out);
    let Handshake::NeedsAnswer(next) = next.token(authenticate, call)? else { panic!() };
    let call = Call::new(now, &mut random, &mut events, &mut out);
    let Handshake::Established(context) = next.ask(&OneUser(password), call)? else { panic!() };
    assert!(out.is_empty());
    Ok(context)
}

/// The NEGOTIATE that the messages of 4.2.4 answer.
fn negotiate() -> Vec<u8> {
    let mut bytes = vec![];
    portcullis_wire::ntlm::Negotiate::encode(Flags(0xe28a_8233), None, None, None, &mut bytes);
    bytes
}

fn server() -> Ntlm {
    Ntlm::new(ServerNames::standalone("Server"))
}

#[test]
fn the_worked_example_logs_in() {
    let mut context = converse(server(), &negotiate(), &hex(AUTHENTICATE_V2), "Password").unwrap();
    let facts = context.facts();
    assert_eq!(facts.client_name().as_deref(), Some(r"Domain\User"));
    assert_eq!(facts.session_key.as_ref().unwrap().expose(), &[0x55; 16]);
    assert_eq!(facts.version, "NTLMv2");
    assert_eq!(facts.attribute(1), Some(attribute::Attribute::Names(r"Domain\User".into())));
    assert_eq!(facts.attribute(9), Some(attribute::Attribute::SessionKey(&[0x55; 16])));
    assert_eq!(facts.attribute(4), None);
    assert!(facts.start > SystemTime::UNIX_EPOCH && facts.expiry.is_none());

    let (mut data, mut signature) =
        (hex("54e50165bf1936dc996020c1811b0f06fb5f"), hex("010000007fb38ec5c55d497600000000"));
    context.unseal(&mut [Segment::Token(&mut signature), Segment::Data(&mut data)]).unwrap();
    assert_eq!(data, portcullis_wire::utf16::encode("Plaintext"));
}

#[test]
fn a_wrong_password_does_not() {
    for password in ["password", "", "Password "] {
        let failure = converse(server(), &negotiate(), &hex(AUTHENTICATE_V2), password).unwrap_err();
        assert_eq!(failure, Refusal::WrongProof.into());
        assert_eq!(failure.status, Status::SEC_E_LOGON_DENIED);
    }
}

#[test]
fn what_is_required_must_be_granted() {
    let weak = Flags::SIGN | Flags::UNICODE | Flags::KEY_56;
    let mut negotiate = vec![];
    portcullis_wire::ntlm::Negotiate::encode(weak, None, None, None, &mut negotiate);
    let failure = converse(server(), &negotiate, &hex(AUTHENTICATE_V2), "Password").unwrap_err();
    assert_eq!(failure.cause, Cause::WeakKey.into());
    let strict = Ntlm { require_mic: true, ..server() };
    let failure = converse(strict, &self::negotiate(), &hex(AUTHENTICATE_V2), "Password").unwrap_err();
    assert_eq!(failure.cause, Cause::MicMissing.into());
}

#[test]
fn an_answer_to_another_question_ends_the_handshake() {
    let park = || {
        let mut random = |bytes: &mut [u8]| {
            bytes.fill(1);
            Ok(())
        };
        let (mut events, mut out) = ((), vec![]);
        let first = Call::new(UNIX_EPOCH, &mut random, &mut events, &mut out);
        let Handshake::NeedsToken(next) = Credential::acceptor(server()).begin().token(&negotiate(), first).unwrap()
        else {
            panic!()
        };
        let second = Call::new(UNIX_EPOCH, &mut random, &mut events, &mut out);
        let Handshake::NeedsAnswer(asks) = next.token(&hex(AUTHENTICATE_V2), second).unwrap() else { panic!() };
        asks
    };
    let (one, other) = (park(), park());
    let answer = OneUser("Password").answer(one.question());
    let mut random = |_: &mut [u8]| Ok(());
    let (mut events, mut out) = ((), vec![]);
    let failure = other.answer(answer, Call::new(UNIX_EPOCH, &mut random, &mut events, &mut out)).unwrap_err();
    assert_eq!(failure.cause, CallCause::ForeignAnswer.into());
}

#[test]
fn attributes_are_read_from_the_facts() {
    use crate::attribute::Attribute;
    let context = converse(server(), &negotiate(), &hex(AUTHENTICATE_V2), "Password").unwrap();
    let facts = context.facts();
    let names: Vec<_> = attribute::TABLE.iter().map(|row| (row.name, facts.attribute(row.id))).collect();
    let sizes = Sizes { max_token: 2888, max_signature: 16, block_size: 0, security_trailer: 16 };
    let key_info = KeyInfo {
        signature_algorithm: "HMAC-MD5",
        encrypt_algorithm: "RSADSI RC4",
        key_bits: 128,
        signature_id: -138,
        encrypt_id: 0x6801,
    };
    let token = facts.access_token().unwrap();
    assert_eq!(
        names,
        [
            ("SIZES", Some(Attribute::Sizes(sizes))),
            ("NAMES", Some(Attribute::Names(r"Domain\User".into()))),
            ("LIFESPAN", Some(Attribute::Lifespan(facts.start, None))),
            ("DCE_INFO", Some(Attribute::DceInfo(r"Domain\User".into()))),
            ("STREAM_SIZES", None),
            ("KEY_INFO", Some(Attribute::KeyInfo(key_info))),
            ("AUTHORITY", Some(Attribute::Authority("Domain"))),
            ("PASSWORD_EXPIRY", Some(Attribute::PasswordExpiry(None))),
            ("SESSION_KEY", Some(Attribute::SessionKey(&[0x55; 16]))),
            ("PACKAGE_INFO", Some(Attribute::PackageInfo(&package::NTLM))),
            ("USER_FLAGS", Some(Attribute::UserFlags(0))),
            ("NEGOTIATION_INFO", None),
            ("NATIVE_NAMES", Some(Attribute::NativeNames(r"Domain\User".into(), "".into()))),
            // CONNECTION, CONFIDENTIALITY, INTEGRITY, REPLAY_DETECT and SEQUENCE_DETECT.
            ("FLAGS", Some(Attribute::Flags(0x0002_081c))),
            ("ACCESS_TOKEN", Some(Attribute::AccessToken(token.clone()))),
            ("LOGOFF_TIME", Some(Attribute::LogoffTime(None))),
            ("UNIQUE_BINDINGS", None),
            ("ENDPOINT_BINDINGS", None),
            ("CLIENT_SPECIFIED_TARGET", Some(Attribute::ClientSpecifiedTarget(""))),
            ("LAST_CLIENT_TOKEN_STATUS", Some(Attribute::LastClientTokenStatus(0))),
            ("NEGO_PKG_INFO", None),
            ("NEGO_STATUS", None),
            ("APPLICATION_PROTOCOL", None),
            ("IS_LOOPBACK", Some(Attribute::IsLoopback(false))),
            ("REMOTE_CERT_CONTEXT", None),
            ("LOCAL_CERT_CONTEXT", None),
            ("CONNECTION_INFO", None),
            ("SESSION_INFO", None),
            ("REMOTE_CERTIFICATES", None),
            ("CIPHER_INFO", None),
            ("REMOTE_CERT_CHAIN", None),
            ("KEYING_MATERIAL", None),
            ("CONNECTION_INFO_EX", None),
        ]
    );
    assert_eq!(Some(token.user), user().sid);
    assert!(token.has(&well_known::NTLM_AUTHENTICATION) && !token.has(&well_known::ANONYMOUS));
}
