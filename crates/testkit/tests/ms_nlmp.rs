//! The worked examples of MS-NLMP 4.2, and one of our own with time, MIC, bindings and target, computed by hand apart
//! from this library.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::Secret;
use portcullis::ntlm::keys::{self, Key, Sender};
use portcullis_testkit::hex::{bytes, encode};
use portcullis_testkit::initiator::lmowf_v1;
use portcullis_testkit::{Part, Session, printed};
use portcullis_wire::ntlm::{Authenticate, Charset, Flags, MIC_OFFSET, NtResponse};
use portcullis_wire::utf16;

const SERVER: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
const CLIENT: [u8; 8] = [0xaa; 8];
const RANDOM: [u8; 16] = [0x55; 16];

fn key(text: &str) -> Key {
    Secret::new(bytes(text).try_into().unwrap())
}

fn shown(key: &Key) -> String {
    encode(key.expose())
}

/// "Plaintext", sealed as the first message of a direction.
fn wrapped(mut session: Session) -> (String, String) {
    let mut parts = [Part::Data(utf16::encode("Plaintext"))];
    let signature = session.seal(&mut parts);
    (encode(parts[0].bytes()), encode(&signature))
}

#[test]
fn one_way_functions() {
    let hash = keys::nt_hash("Password");
    assert_eq!(shown(&hash), "a4f49c406510bdcab6824ee7c30fd852");
    assert_eq!(shown(&lmowf_v1("Password")), "e52cac67419a9a224a3b108f3fa6cb6d");
    assert_eq!(shown(&keys::session_base_key_v1(&hash)), "d87262b0cde4b1cb7499becccdf10784");
    assert_eq!(shown(&keys::ntowf_v2(&hash, "User", "Domain")), "0c868a403bfd7a93a3001ef22ef02e3f");
    assert_eq!(shown(&keys::ntowf_v2(&hash, "uSER", "Domain")), "0c868a403bfd7a93a3001ef22ef02e3f", "upper-cased");
    assert_ne!(shown(&keys::ntowf_v2(&hash, "User", "DOMAIN")), "0c868a403bfd7a93a3001ef22ef02e3f", "as sent");
}

#[test]
fn version_1() {
    let hash = keys::nt_hash("Password");
    let lm = lmowf_v1("Password");
    assert_eq!(encode(&keys::response_v1(&hash, &SERVER)), "67c43011f30298a2ad35ece64f16331c44bdbed927841f94");
    assert_eq!(encode(&keys::response_v1(&lm, &SERVER)), "98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13");
    let base = keys::session_base_key_v1(&hash);
    let exchange = keys::key_exchange_key(&base, None);
    assert_eq!(shown(&keys::exchange(&exchange, &RANDOM)), "518822b1b3f350c8958682ecbb3e3cb7");
    // The session key comes back out of what was sent.
    let sent = keys::exchange(&exchange, &RANDOM);
    assert_eq!(keys::exchange(&exchange, sent.expose()).expose(), &RANDOM);

    let (data, signature) = wrapped(Session::client(RANDOM, Flags(0xe202_8233)));
    assert_eq!(data, "56fe04d861f9319af0d7238a2e3b4d457fb8");
    assert_eq!(signature, "0100000045c844e509dcd1df2e459d36");
}

#[test]
fn version_1_with_extended_session_security() {
    let hash = keys::nt_hash("Password");
    let challenge = keys::ess_challenge(&SERVER, &CLIENT);
    assert_eq!(encode(&keys::response_v1(&hash, &challenge)), "7537f803ae367128ca458204bde7caf81e97ed2683267232");
    let base = keys::session_base_key_v1(&hash);
    let exported = keys::key_exchange_key(&base, Some((&SERVER, &CLIENT)));
    assert_eq!(shown(&exported), "eb93429a8bd952f8b89c55b87f475edc");
    let flags = Flags(0x820a_8233); // 56 bits, no key exchange
    assert_eq!(shown(&keys::seal_key(&exported, flags, Sender::Client)), "04dd7f014d8504d265a25cc86a3a7c06");
    assert_eq!(shown(&keys::sign_key(&exported, Sender::Client)), "60e799be5c72fc92922ae8ebe961fb8d");

    let (data, signature) = wrapped(Session::client(*exported.expose(), flags));
    assert_eq!(data, "a02372f6530273f3aa1eb90190ce5200c99d");
    assert_eq!(signature, "01000000ff2aeb52f681793a00000000", "the checksum is not enciphered without key exchange");
}

#[test]
fn version_2() {
    let ntowf = keys::ntowf_v2(&keys::nt_hash("Password"), "User", "Domain");
    let message = bytes(printed::AUTHENTICATE_V2);
    let read = Authenticate::decode(&message, Charset::Unicode).unwrap();
    let NtResponse::V2(response) = NtResponse::decode(read.nt_response).unwrap() else { panic!("version 2") };
    let proof = keys::proof_v2(&ntowf, &SERVER, response.blob);
    assert_eq!(encode(&proof), "68cd0ab851e51c96aabc927bebef6a1c");
    assert_eq!(proof, response.proof);
    assert_eq!(encode(&keys::lm_v2(&ntowf, &SERVER, &CLIENT)), "86c35097ac9cec102554764a57cccc19");
    let base = keys::session_base_key_v2(&ntowf, &proof);
    assert_eq!(shown(&base), "8de40ccadbc14a82f15cb0ad0de95ca3");
    assert_eq!(shown(&keys::exchange(&base, &RANDOM)), "c5dad2544fc9799094ce1ce90bc9d03e");
    assert_eq!(read.encrypted_session_key, bytes("c5dad2544fc9799094ce1ce90bc9d03e"));

    let (exported, flags) = (Key::new(RANDOM), Flags(0xe28a_8233));
    assert_eq!(shown(&keys::sign_key(&exported, Sender::Client)), "4788dc861b4782f35d43fd98fe1a2d39");
    assert_eq!(shown(&keys::seal_key(&exported, flags, Sender::Client)), "59f600973cc4960a25480a7c196e4c58");
    assert_eq!(shown(&keys::sign_key(&exported, Sender::Server)), "d04d6f10741041d1d246d64188d7a8ad");
    assert_eq!(shown(&keys::seal_key(&exported, flags, Sender::Server)), "9355f3a957c1583d25c4c2f11e40390e");

    let (data, signature) = wrapped(Session::client(RANDOM, flags));
    assert_eq!((&*data, &*signature), ("54e50165bf1936dc996020c1811b0f06fb5f", "010000007fb38ec5c55d497600000000"));
    let (data, signature) = wrapped(Session::server(RANDOM, flags));
    assert_eq!((&*data, &*signature), ("160871b730ba74e946c453d7465b54278dd0", "01000000b298b847ce7c580700000000"));
}

/// The acceptor's own cipher gives the printed bytes: its context after the printed AUTHENTICATE opens the printed
/// messages of the client.
#[test]
fn the_acceptor_opens_what_microsoft_printed() {
    use portcullis::Segment;
    let cases = [
        ("ms-nlmp-4.2.2-v1", "56fe04d861f9319af0d7238a2e3b4d457fb8", "0100000045c844e509dcd1df2e459d36"),
        ("ms-nlmp-4.2.3-v1-ess", "a02372f6530273f3aa1eb90190ce5200c99d", "01000000ff2aeb52f681793a00000000"),
        ("ms-nlmp-4.2.4-v2", "54e50165bf1936dc996020c1811b0f06fb5f", "010000007fb38ec5c55d497600000000"),
    ];
    for (name, data, signature) in cases {
        let case = portcullis_testkit::cases::all().into_iter().find(|case| case.name == name).unwrap();
        let mut context = case.vector().unwrap().replay().unwrap().context.unwrap();
        let (mut data, mut signature) = (bytes(data), bytes(signature));
        context.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut signature)]).unwrap();
        assert_eq!(data, utf16::encode("Plaintext"), "{name}");
    }
}

/// NTLMv2 with time, MIC, bindings and target.
#[test]
fn our_own_conversation_with_a_mic() {
    let (negotiate, challenge, message) =
        (bytes(printed::OWN_NEGOTIATE), bytes(printed::OWN_CHALLENGE), bytes(printed::OWN_AUTHENTICATE));
    let ntowf = keys::ntowf_v2(&keys::nt_hash("Password"), "User", "DOMAIN");
    assert_eq!(shown(&ntowf), "f38efea48ada6afaa95ae44669e5634b");
    let read = Authenticate::decode(&message, Charset::Unicode).unwrap();
    let NtResponse::V2(response) = NtResponse::decode(read.nt_response).unwrap() else { panic!("version 2") };
    let proof = keys::proof_v2(&ntowf, &SERVER, response.blob);
    assert_eq!(encode(&proof), "1782e170b21ec23ecd43615ede70805b");
    assert_eq!(proof, response.proof);
    let base = keys::session_base_key_v2(&ntowf, &proof);
    assert_eq!(shown(&base), "288975a081d476fa00904010bd185a2f");
    assert_eq!(encode(read.encrypted_session_key), "fe4876d28c5d7288956bb4c4aca5366b");
    let session = keys::exchange(&base, read.encrypted_session_key.first_chunk().unwrap());
    assert_eq!(session.expose(), &RANDOM);
    let (before, rest) = message.split_at(MIC_OFFSET);
    let mic = keys::mic(&session, &[&negotiate, &challenge], (before, &rest[16..]));
    assert_eq!(encode(&mic), "ac68b13d8e4492dcec79cdac28e9b8e2");
    assert_eq!(Some(&mic), read.mic());
    assert_ne!(key("ac68b13d8e4492dcec79cdac28e9b8e2").expose(), session.expose());
}
