//! The messages of NTLM: printed ones, round trips, and what must be refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis_wire::ntlm::{
    Authenticate, AuthenticateBuilder, AvFlags, AvId, AvPairs, Challenge, Charset, Flags, Negotiate, NtResponse,
    Version, message_type, push_av_pair, push_av_text,
};
use portcullis_wire::{Error, Kind, utf16};

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn is(error: Error, field: &str, kind: Kind) {
    assert_eq!((error.field, error.kind), (field, kind), "{error}");
}

const VISTA: Version = Version { major: 6, minor: 0, build: 6000, revision: 15 };
const XP: Version = Version { major: 5, minor: 1, build: 2600, revision: 15 };

// MS-NLMP 4.2.2.3, 4.2.3.3, 4.2.4.3.
const CHALLENGE_V1: &str = "4e544c4d53535000020000000c000c0038000000338202e20123456789abcdef00000000000000000000000000000000060070170000000f530065007200760065007200";
const CHALLENGE_V1_ESS: &str = "4e544c4d53535000020000000c000c003800000033820a820123456789abcdef00000000000000000000000000000000060070170000000f530065007200760065007200";
const CHALLENGE_V2: &str = "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef00000000000000002400240044000000060070170000000f53006500720076006500720002000c0044006f006d00610069006e0001000c0053006500720076006500720000000000";
const AUTHENTICATE_V1: &str = "4e544c4d5353500003000000180018006c00000018001800840000000c000c00480000000800080054000000100010005c000000100010009c000000358280e20501280a0000000f44006f006d00610069006e00550073006500720043004f004d005000550054004500520098def7b87f88aa5dafe2df779688a172def11c7d5ccdef1367c43011f30298a2ad35ece64f16331c44bdbed927841f94518822b1b3f350c8958682ecbb3e3cb7";
const AUTHENTICATE_V1_ESS: &str = "4e544c4d5353500003000000180018006c00000018001800840000000c000c00480000000800080054000000100010005c000000000000009c000000358208820501280a0000000f44006f006d00610069006e00550073006500720043004f004d0050005500540045005200aaaaaaaaaaaaaaaa000000000000000000000000000000007537f803ae367128ca458204bde7caf81e97ed2683267232";
const AUTHENTICATE_V2: &str = "4e544c4d5353500003000000180018006c00000054005400840000000c000c00480000000800080054000000100010005c00000010001000d8000000358288e20501280a0000000f44006f006d00610069006e00550073006500720043004f004d005000550054004500520086c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa68cd0ab851e51c96aabc927bebef6a1c01010000000000000000000000000000aaaaaaaaaaaaaaaa0000000002000c0044006f006d00610069006e0001000c005300650072007600650072000000000000000000c5dad2544fc9799094ce1ce90bc9d03e";
// Computed by hand: NTLMv2 with time, MIC, bindings and target.
const OWN_NEGOTIATE: &str = "4e544c4d5353500001000000978208e2000000000000000000000000000000000a0063450000000f";
const OWN_CHALLENGE: &str = "4e544c4d53535000020000000c000c0038000000358289e20123456789abcdef00000000000000007e007e00440000000a0063450000000f44004f004d00410049004e0002000c0044004f004d00410049004e0001000c0053004500520056004500520004001c0064006f006d00610069006e002e006500780061006d0070006c00650003002a007300650072007600650072002e0064006f006d00610069006e002e006500780061006d0070006c00650007000800000000000000da0100000000";
const OWN_AUTHENTICATE: &str = "4e544c4d5353500003000000180018007c00000002010201940000000c000c00580000000800080064000000100010006c0000001000100096010000358288e20a0063450000000fac68b13d8e4492dcec79cdac28e9b8e244004f004d00410049004e00550073006500720043004f004d00500055005400450052000000000000000000000000000000000000000000000000001782e170b21ec23ecd43615ede70805b0101000000000000000000000000da01aaaaaaaaaaaaaaaa0000000002000c0044004f004d00410049004e0001000c0053004500520056004500520004001c0064006f006d00610069006e002e006500780061006d0070006c00650003002a007300650072007600650072002e0064006f006d00610069006e002e006500780061006d0070006c00650007000800000000000000da0106000400020000000a0010008f1214c9c9cab8dc3bf866da9aba57a70900340048005400540050002f007300650072007600650072002e0064006f006d00610069006e002e006500780061006d0070006c0065000000000000000000fe4876d28c5d7288956bb4c4aca5366b";

#[test]
fn printed_challenges_and_back() {
    for (text, flags, pairs) in [
        (CHALLENGE_V1, 0xe202_8233, 0),
        (CHALLENGE_V1_ESS, 0x820a_8233, 0),
        (CHALLENGE_V2, 0xe28a_8233, 2),
        (OWN_CHALLENGE, 0xe289_8235, 5),
    ] {
        let raw = bytes(text);
        let message = Challenge::decode(&raw).unwrap();
        assert_eq!(message.flags, Flags(flags));
        assert_eq!(message.server_challenge, [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
        assert_eq!(message.av_pairs().filter(Result::is_ok).count(), pairs);
        assert_eq!(message_type(&raw), Some(2));
        let mut again = Vec::new();
        message.encode(&mut again);
        assert_eq!(again.len(), message.encoded_len());
        // An empty TargetInfo may carry any offset: Microsoft prints zero, we write where it would stand.
        match pairs {
            0 => assert_eq!(Challenge::decode(&again).unwrap(), message),
            _ => assert_eq!(again, raw),
        }
    }
    let raw = bytes(CHALLENGE_V2);
    let message = Challenge::decode(&raw).unwrap();
    assert_eq!(message.version, Some(VISTA));
    assert_eq!(message.target_name, utf16::encode("Server"));
    let domain = message.av_pairs().find(AvId::NB_DOMAIN_NAME).unwrap().unwrap();
    assert_eq!((domain.value, domain.offset), (&*utf16::encode("Domain"), 0));
    assert!(message.av_pairs().find(AvId::TIMESTAMP).unwrap().is_none());
}

#[test]
fn printed_authenticates_and_back() {
    for (text, flags, mic) in [
        (AUTHENTICATE_V1, 0xe280_8235, false),
        (AUTHENTICATE_V1_ESS, 0x8208_8235, false),
        (AUTHENTICATE_V2, 0xe288_8235, false),
        (OWN_AUTHENTICATE, 0xe288_8235, true),
    ] {
        let raw = bytes(text);
        let message = Authenticate::decode(&raw, Charset::Unicode).unwrap();
        assert_eq!((message.raw, message.flags), (&*raw, Flags(flags)));
        assert_eq!(message.user.decode().unwrap(), "User");
        assert_eq!(message.workstation.decode().unwrap(), "COMPUTER");
        assert!(message.domain.decode().unwrap().eq_ignore_ascii_case("Domain"));
        assert_eq!(message.mic().is_some(), mic);
        assert!(!message.is_anonymous());
        let mut again = Vec::new();
        AuthenticateBuilder {
            lm_response: message.lm_response,
            nt_response: message.nt_response,
            domain: message.domain.bytes,
            user: message.user.bytes,
            workstation: message.workstation.bytes,
            encrypted_session_key: message.encrypted_session_key,
            flags: message.flags,
            version: message.version(),
            mic: message.mic().copied(),
        }
        .encode(&mut again);
        assert_eq!(again, raw);
    }
    let raw = bytes(AUTHENTICATE_V1);
    assert_eq!(Authenticate::decode(&raw, Charset::Oem).unwrap().version(), Some(XP));
    // An empty key whose offset is the message's end.
    let raw = bytes(AUTHENTICATE_V1_ESS);
    assert!(Authenticate::decode(&raw, Charset::Oem).unwrap().encrypted_session_key.is_empty());
}

#[test]
fn printed_responses() {
    let raw = bytes(OWN_AUTHENTICATE);
    let message = Authenticate::decode(&raw, Charset::Unicode).unwrap();
    let NtResponse::V2(response) = NtResponse::decode(message.nt_response).unwrap() else { panic!("version 2") };
    assert_eq!(response.blob.len() + 16, message.nt_response.len());
    let challenge = &response.client_challenge;
    assert_eq!((challenge.timestamp, challenge.challenge), (0x01da_0000_0000_0000, [0xaa; 8]));
    assert_eq!(challenge.flags().unwrap(), AvFlags(AvFlags::MIC));
    assert_eq!(challenge.channel_bindings().unwrap().unwrap()[..], bytes("8f1214c9c9cab8dc3bf866da9aba57a7"));
    assert_eq!(challenge.target_name().unwrap(), utf16::encode("HTTP/server.domain.example"));
    let ids: Vec<_> = challenge.av_pairs.clone().map(|pair| pair.unwrap().id.0).collect();
    assert_eq!(ids, [2, 1, 4, 3, 7, 6, 10, 9]);

    let raw = bytes(AUTHENTICATE_V1);
    let message = Authenticate::decode(&raw, Charset::Unicode).unwrap();
    assert!(matches!(NtResponse::decode(message.nt_response).unwrap(), NtResponse::V1(_)));
    assert_eq!(NtResponse::decode(&[]).unwrap(), NtResponse::None);
}

#[test]
fn negotiate_as_clients_send_it() {
    let raw = bytes(OWN_NEGOTIATE);
    let message = Negotiate::decode(&raw).unwrap();
    assert_eq!(message.version, Some(Version { major: 10, minor: 0, build: 17763, revision: 15 }));
    assert_eq!((message.domain, message.workstation), (None, None));

    // curl 7.88.1: OEM, no version, 32 bytes.
    let mut curl = b"NTLMSSP\0\x01\0\0\0\x06\x82\x08\0".to_vec();
    curl.resize(32, 0);
    let message = Negotiate::decode(&curl).unwrap();
    assert_eq!(message.flags, Flags(0x0008_8206));
    assert!(!message.flags.contains(Flags::UNICODE) && message.flags.contains(Flags::OEM));
    assert_eq!(message.version, None);
    // The shortest: 16 bytes.
    assert_eq!(Negotiate::decode(&curl[..16]).unwrap().flags, Flags(0x0008_8206));
    // VERSION said and not there: older clients end after the triples.
    let mut without = curl.clone();
    without[15] |= 0x02;
    assert_eq!(Negotiate::decode(&without).unwrap().version, None);

    let mut out = vec![0xff];
    Negotiate::encode(Flags(0x0008_8206), Some(b"DOM\xe9"), Some(b"WS"), Some(XP), &mut out);
    let message = Negotiate::decode(&out[1..]).unwrap();
    assert_eq!((message.domain, message.workstation), (Some(&b"DOM\xe9"[..]), Some(&b"WS"[..])));
    assert_eq!(message.version, Some(XP));
    assert_eq!(message.raw, &out[1..]);
}

#[test]
fn a_name_counts_only_with_its_flag() {
    let mut raw = Vec::new();
    Negotiate::encode(Flags(0x6), Some(b"D"), None, None, &mut raw);
    raw[13] &= !0x10;
    raw[16] = 200; // a length that would be outside
    assert_eq!(Negotiate::decode(&raw).unwrap().domain, None);
    raw[13] |= 0x10;
    is(Negotiate::decode(&raw).unwrap_err(), "DomainNameFields", Kind::OutOfBounds);
}

#[test]
fn headers_are_checked() {
    let good = bytes(OWN_NEGOTIATE);
    is(Negotiate::decode(&[]).unwrap_err(), "Signature", Kind::Truncated);
    is(Negotiate::decode(&good[..8]).unwrap_err(), "MessageType", Kind::Truncated);
    is(Negotiate::decode(&good[..15]).unwrap_err(), "NegotiateFlags", Kind::Truncated);
    is(Negotiate::decode(&good[..17]).unwrap_err(), "DomainNameFields", Kind::Truncated);
    is(Negotiate::decode(&good[..34]).unwrap_err(), "ProductBuild", Kind::Truncated);
    is(Negotiate::decode(&bytes(CHALLENGE_V1)).unwrap_err(), "MessageType", Kind::Unexpected);
    is(Challenge::decode(&good).unwrap_err(), "MessageType", Kind::Unexpected);
    is(Authenticate::decode(&good, Charset::Oem).unwrap_err(), "MessageType", Kind::Unexpected);
    for at in 0..8 {
        let mut wrong = good.clone();
        wrong[at] ^= 0x20;
        is(Negotiate::decode(&wrong).unwrap_err(), "Signature", Kind::Unexpected);
    }
    assert_eq!(message_type(b"NTLMSSP\0\x03\0\0"), None);
    assert_eq!(message_type(b"NTLMSSQ\0\x03\0\0\0"), None);
}

#[test]
fn challenges_that_end_early() {
    let good = bytes(CHALLENGE_V2);
    for len in 0..good.len() {
        let error = Challenge::decode(&good[..len]).unwrap_err();
        assert!(error.offset <= len && matches!(error.kind, Kind::Truncated | Kind::OutOfBounds), "{len}: {error}");
    }
}

#[test]
fn authenticates_that_end_early() {
    let good = bytes(OWN_AUTHENTICATE);
    for len in 0..good.len() {
        let error = Authenticate::decode(&good[..len], Charset::Unicode).unwrap_err();
        assert!(matches!(error.kind, Kind::Truncated | Kind::OutOfBounds), "{len}: {error}");
    }
}

/// Where each triple of AUTHENTICATE stands.
const FIELDS: [(usize, &str); 6] = [
    (12, "LmChallengeResponseFields"),
    (20, "NtChallengeResponseFields"),
    (28, "DomainNameFields"),
    (36, "UserNameFields"),
    (44, "WorkstationFields"),
    (52, "EncryptedRandomSessionKeyFields"),
];

#[test]
fn offsets_are_bounded() {
    for (at, field) in FIELDS {
        for (len, offset) in [
            (16_u16, 0xffff_fff0_u32), // ends at 2³² exactly
            (17, 0xffff_fff0),
            (1, 0xffff_ffff),
            (0xffff, 0xffff_ffff),
            (0xffff, 100),
            (1, 422),
            (2, 421),
        ] {
            let mut wrong = bytes(OWN_AUTHENTICATE);
            assert_eq!(wrong.len(), 422);
            wrong[at..at + 2].copy_from_slice(&len.to_le_bytes());
            wrong[at + 4..at + 8].copy_from_slice(&offset.to_le_bytes());
            is(Authenticate::decode(&wrong, Charset::Unicode).unwrap_err(), field, Kind::OutOfBounds);
        }
        // Nothing lies in the fixed part.
        for offset in [0, 12, 63] {
            let mut wrong = bytes(OWN_AUTHENTICATE);
            wrong[at + 4..at + 8].copy_from_slice(&u32::to_le_bytes(offset));
            is(Authenticate::decode(&wrong, Charset::Unicode).unwrap_err(), "Payload", Kind::OutOfBounds);
        }
        // Empty fields may carry any offset; the maximum length is ignored.
        let mut empty = bytes(OWN_AUTHENTICATE);
        empty[at..at + 2].fill(0);
        empty[at + 2..at + 8].fill(0xff);
        Authenticate::decode(&empty, Charset::Unicode).unwrap();
    }
}

#[test]
fn gaps_odd_offsets_and_shared_bytes_are_read() {
    let mut raw = bytes(AUTHENTICATE_V2);
    // The user at an odd offset behind a gap: MS-NLMP 2.2 wants it even, no server insists.
    let at = u32::try_from(raw.len() + 1).unwrap();
    raw.extend_from_slice(b"?J\0o\0e\0");
    raw[36..38].copy_from_slice(&6u16.to_le_bytes());
    raw[40..44].copy_from_slice(&at.to_le_bytes());
    let message = Authenticate::decode(&raw, Charset::Unicode).unwrap();
    assert!(at % 2 == 1);
    assert_eq!(message.user.decode().unwrap(), "Joe");
    // Workstation and user share their bytes.
    raw.copy_within(36..44, 44);
    let message = Authenticate::decode(&raw, Charset::Unicode).unwrap();
    assert_eq!(message.workstation.bytes, message.user.bytes);
    assert_eq!(message.raw.len(), raw.len());
}

#[test]
fn the_payload_tells_what_the_fixed_part_holds() {
    for (start, version, mic) in [(64, false, false), (72, true, false), (87, true, false), (88, true, true)] {
        let mut raw = b"NTLMSSP\0\x03\0\0\0".to_vec();
        for _ in 0..3 {
            raw.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0]);
        }
        raw.extend_from_slice(&[2, 0, 2, 0, start, 0, 0, 0]);
        for _ in 0..2 {
            raw.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0]);
        }
        raw.extend_from_slice(&(Flags::UNICODE | Flags::VERSION).0.to_le_bytes());
        raw.resize(usize::from(start), 7);
        raw.extend_from_slice(b"u\0");
        let message = Authenticate::decode(&raw, Charset::Unicode).unwrap();
        assert_eq!(message.payload_offset, usize::from(start));
        assert_eq!((message.version().is_some(), message.mic().is_some()), (version, mic), "{start}");
        assert_eq!(message.user.decode().unwrap(), "u");
    }
    // No payload at all: the message's end is where it would begin.
    let mut empty = b"NTLMSSP\0\x03\0\0\0".to_vec();
    empty.resize(64, 0);
    let message = Authenticate::decode(&empty, Charset::Oem).unwrap();
    assert_eq!((message.payload_offset, message.mic(), message.version()), (64, None, None));
    assert!(message.is_anonymous());
}

#[test]
fn who_is_anonymous() {
    let make = |user: &[u8], nt: &[u8], lm: &[u8], flags: Flags| {
        let mut out = Vec::new();
        let builder = AuthenticateBuilder { user, nt_response: nt, lm_response: lm, flags, ..Default::default() };
        builder.encode(&mut out);
        Authenticate::decode(&out, Charset::Oem).unwrap().is_anonymous()
    };
    let none = Flags(0);
    assert!(make(b"", b"", b"", none) && make(b"", b"", &[0], none));
    assert!(!make(b"u", b"", b"", Flags::ANONYMOUS), "the flag does not count");
    assert!(!make(b"", &[0; 24], b"", none) && !make(b"", b"", &[1], none) && !make(b"", b"", &[0, 0], none));
}

#[test]
fn names_in_their_charsets() {
    let make = |user: &[u8], flags: Flags, charset| {
        let mut out = Vec::new();
        AuthenticateBuilder { user, flags, ..Default::default() }.encode(&mut out);
        Authenticate::decode(&out, charset).unwrap().user.decode()
    };
    assert_eq!(make(b"J\xc3\xbcrgen", Flags::OEM, Charset::Oem).unwrap(), "Jürgen");
    assert_eq!(make(b"J\xfcrgen", Flags::OEM, Charset::Oem).unwrap(), "Jürgen");
    assert_eq!(make(b"", Flags::OEM, Charset::Oem).unwrap(), "");
    // What the CHALLENGE chose holds, but for a message that says OEM alone.
    assert_eq!(make(b"ann", Flags::UNICODE, Charset::Oem).unwrap(), "ann");
    assert_eq!(make(b"ann", Flags::OEM, Charset::Unicode).unwrap(), "ann");
    assert_eq!(make(&utf16::encode("Jürgen"), Flags(0), Charset::Unicode).unwrap(), "Jürgen");
    assert_eq!(make(&utf16::encode("\u{10428}"), Flags::UNICODE, Charset::Unicode).unwrap(), "\u{10428}");
    let unicode = |user: &[u8]| make(user, Flags::UNICODE, Charset::Unicode).unwrap_err();
    is(unicode(b"abc"), "UserName", Kind::NotUtf16);
    is(unicode(&[0x00, 0xd8]), "UserName", Kind::NotUtf16);
    is(unicode(&[0x00, 0xdc, 0x41, 0]), "UserName", Kind::NotUtf16);
    is(unicode(&[0x00, 0xd8, 0x00, 0xd8]), "UserName", Kind::NotUtf16);
    let mut out = Vec::new();
    AuthenticateBuilder { user: b"u\0", workstation: b"odd", ..Default::default() }.encode(&mut out);
    let message = Authenticate::decode(&out, Charset::Unicode).unwrap();
    is(message.workstation.decode().unwrap_err(), "Workstation", Kind::NotUtf16);
}

/// An NTLMv2 response around these AV pairs.
fn response(pairs: &[u8]) -> Vec<u8> {
    let mut out = vec![0x11; 16];
    out.extend_from_slice(&[1, 1, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&[9; 8]);
    out.extend_from_slice(&[0xaa; 8]);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(pairs);
    out
}

fn refused(bytes: &[u8]) -> Error {
    NtResponse::decode(bytes).map(|_| ()).unwrap_err()
}

#[test]
fn responses_by_their_length() {
    for len in 1..24 {
        is(refused(&vec![0; len]), "NtChallengeResponse", Kind::WrongLength);
    }
    is(refused(&[0; 25]), "RespType", Kind::Unexpected);
    let whole = response(&[0; 4]);
    for len in 25..whole.len() {
        assert!(matches!(refused(&whole[..len]).kind, Kind::Truncated | Kind::Unterminated), "{len}");
    }
    let mut other = whole.clone();
    other[17] = 2;
    is(refused(&other), "RespType", Kind::Unexpected);
}

#[test]
fn av_pairs_to_their_end_and_not_beyond() {
    let mut pairs = Vec::new();
    push_av_pair(&mut pairs, AvId(0x7fff), &[1, 2, 3]);
    push_av_text(&mut pairs, AvId::TARGET_NAME, "HTTP/a");
    push_av_text(&mut pairs, AvId::TARGET_NAME, "HTTP/b");
    let unterminated = response(&pairs);
    let error = refused(&unterminated);
    is(error, "AvPairs", Kind::Unterminated);
    assert_eq!(error.offset, unterminated.len(), "offsets count from the response's start");
    push_av_pair(&mut pairs, AvId::EOL, &[]);
    for tail in [&b""[..], &[0; 4], b"\x0a\0\xff\xff undefined"] {
        let raw = response(&[&pairs[..], tail].concat());
        let NtResponse::V2(v2) = NtResponse::decode(&raw).unwrap() else { panic!("version 2") };
        assert_eq!(v2.blob, &raw[16..], "the tail is under the proof");
        assert_eq!(v2.client_challenge.target_name().unwrap(), utf16::encode("HTTP/a"), "the first counts");
        assert_eq!(v2.client_challenge.av_pairs.clone().count(), 3);
        assert_eq!(v2.client_challenge.channel_bindings().unwrap(), None);
        assert_eq!(v2.client_challenge.flags().unwrap(), AvFlags(0));
    }
    is(refused(&response(&[9, 0, 5, 0, 1])), "AvValue", Kind::Truncated);
    is(refused(&response(&[9, 0, 0xff, 0xff])), "AvValue", Kind::Truncated);
    is(refused(&response(&[9, 0, 5])), "AvLen", Kind::Truncated);
    is(refused(&response(&[9])), "AvId", Kind::Truncated);
    is(refused(&response(&[])), "AvPairs", Kind::Unterminated);
}

#[test]
fn av_values_of_another_size() {
    let mut pairs = Vec::new();
    push_av_pair(&mut pairs, AvId::FLAGS, &[2, 0]);
    push_av_pair(&mut pairs, AvId::CHANNEL_BINDINGS, &[1; 15]);
    push_av_pair(&mut pairs, AvId::TARGET_NAME, &[]);
    push_av_pair(&mut pairs, AvId::EOL, &[]);
    let raw = response(&pairs);
    let NtResponse::V2(v2) = NtResponse::decode(&raw).unwrap() else { panic!("version 2") };
    is(v2.client_challenge.flags().unwrap_err(), "MsvAvFlags", Kind::WrongLength);
    is(v2.client_challenge.channel_bindings().unwrap_err(), "MsvAvChannelBindings", Kind::WrongLength);
    assert_eq!(v2.client_challenge.target_name(), None, "an empty name is none");
}

#[test]
fn a_broken_list_says_so_once() {
    let mut list = AvPairs::new(&[1, 0, 2, 0, 0x41, 0, 7, 0, 8, 0, 1]);
    assert_eq!(list.next().unwrap().unwrap().id, AvId::NB_COMPUTER_NAME);
    is(list.next().unwrap().unwrap_err(), "AvValue", Kind::Truncated);
    assert_eq!(list.next(), None);
    let list = AvPairs::new(&[1, 0, 2, 0, 0x41, 0, 7, 0, 8, 0, 1]);
    assert!(list.find(AvId::NB_COMPUTER_NAME).is_err(), "found, but the list never ends");
    // A value too large to be said is left out.
    let mut out = Vec::new();
    push_av_pair(&mut out, AvId::TARGET_NAME, &vec![0; 0x1_0000]);
    assert!(out.is_empty());
}

#[test]
fn flags_keep_bits_without_a_name() {
    let all = Flags(0xffff_ffff);
    let named = Flags::NAMED.iter().fold(Flags(0), |set, (flag, _)| set | *flag);
    assert_eq!(named.0.count_ones() as usize, Flags::NAMED.len(), "each a bit of its own");
    let unnamed = all & !named;
    for bit in (0..32).map(|n| 1_u32 << n) {
        let mut raw = b"NTLMSSP\0\x01\0\0\0".to_vec();
        raw.extend_from_slice(&bit.to_le_bytes());
        assert_eq!(Negotiate::decode(&raw).unwrap().flags, Flags(bit));
    }
    assert!(format!("{unnamed:?}").contains(&format!("+{:#x}", unnamed.0)), "{unnamed:?}");
    assert_eq!(format!("{:?}", Flags::UNICODE | Flags(8)), "0x00000009 UNICODE +0x8");
    assert!(!Flags::SIGN.contains(Flags::SIGN | Flags::SEAL) && Flags::SIGN.intersects(Flags::SIGN | Flags::SEAL));
    assert_eq!(Flags::SIGN.with(Flags::SIGN, false), Flags(0));
}
