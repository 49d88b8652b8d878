//! Signing and sealing between the acceptor and a client of other code: every strength and form, segments, two threads,
//! and what must be refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::ntlm::{KeyStrength, Ntlm};
use portcullis::{Context, Credential, Segment, Status};
use portcullis_testkit::{Initiator, Part, Realm, Responses, Session, Settings, converse, server_names};
use portcullis_wire::ntlm::Flags;

/// Both ends of a session of a client that asks for all but `clear`, in the given form.
fn ends_of(responses: Responses, clear: Flags) -> (Context, Session) {
    let mut ntlm = Ntlm::new(server_names());
    ntlm.minimum_key = KeyStrength::Bits40;
    ntlm.danger_accept_ntlmv1 = true;
    let asks = Flags(Initiator::WINDOWS.0 & !clear.0);
    let client = match responses {
        Responses::V2 => Initiator { asks, ..Initiator::user() },
        _ => Initiator { asks, responses, ..Initiator::user().without_mic() },
    };
    converse(&Credential::acceptor(ntlm), &Realm::of_user(), &client, &Settings::default()).ends()
}

fn ends(clear: Flags) -> (Context, Session) {
    ends_of(Responses::V2, clear)
}

/// The segments of a message over its parts.
fn segments<'m>(parts: &'m mut [Part], token: &'m mut [u8]) -> Vec<Segment<'m>> {
    let mut segments = vec![Segment::Token(token)];
    segments.extend(parts.iter_mut().map(|part| match part {
        Part::Data(bytes) => Segment::Data(bytes),
        Part::SignOnly(bytes) => Segment::SignOnly(bytes),
        Part::ReadOnly(bytes) => Segment::ReadOnly(bytes),
    }));
    segments
}

fn message() -> Vec<Part> {
    vec![
        Part::SignOnly(b"header".to_vec()),
        Part::Data(b"first".to_vec()),
        Part::Data(Vec::new()),
        Part::ReadOnly(b"routing".to_vec()),
        Part::Data(vec![0x5a; 3000]),
    ]
}

/// One message each way, sealed and then signed.
fn round(server: &mut Context, client: &mut Session, what: &str) {
    let (mut parts, plain) = (message(), message());
    let mut token = client.seal(&mut parts).to_vec();
    assert_ne!(parts[1], plain[1], "{what}");
    assert_eq!((&parts[0], &parts[3]), (&plain[0], &plain[3]), "{what}: left readable");
    server.unseal(&mut segments(&mut parts, &mut token)).unwrap_or_else(|why| panic!("{what}: {why}"));
    assert_eq!(parts, plain, "{what}");

    let mut token = [0; 16];
    assert_eq!(server.seal(&mut segments(&mut parts, &mut token)).unwrap(), 16);
    assert_ne!(parts[4], plain[4], "{what}");
    assert!(client.unseal(&mut parts, &token), "{what}");
    assert_eq!(parts, plain, "{what}");

    let mut token = client.sign(&parts);
    server.verify(&mut segments(&mut parts, &mut token)).unwrap_or_else(|why| panic!("{what}: {why}"));
    server.sign(&mut segments(&mut parts, &mut token)).unwrap();
    assert!(client.verify(&parts, &token), "{what}");
    assert_eq!(parts, plain, "{what}");
}

#[test]
fn both_directions_in_every_form() {
    let strengths = [("128", Flags(0)), ("56", Flags::KEY_128), ("40", Flags::KEY_128 | Flags::KEY_56)];
    let forms = [
        ("ESS, key exchange", Flags(0)),
        ("ESS, no key exchange", Flags::KEY_EXCHANGE),
        ("no ESS, key exchange", Flags::EXTENDED_SESSION_SECURITY),
        ("no ESS, no key exchange", Flags::EXTENDED_SESSION_SECURITY | Flags::KEY_EXCHANGE),
        ("SEAL alone", Flags::SIGN),
    ];
    for (strength, without) in strengths {
        for (form, clear) in forms {
            for responses in [Responses::V2, Responses::V1] {
                let ess = !clear.contains(Flags::EXTENDED_SESSION_SECURITY);
                let responses = if responses == Responses::V1 && ess { Responses::V1Ess } else { responses };
                let (mut server, mut client) = ends_of(responses, clear | without);
                for turn in 0..3 {
                    round(&mut server, &mut client, &format!("{responses:?}, {strength} bits, {form}, turn {turn}"));
                }
            }
        }
    }
}

/// Another strength is another key: a session of 40 bits cannot be read by 56.
#[test]
fn strengths_are_different_keys() {
    let mut sealed = Vec::new();
    for clear in [Flags(0), Flags::KEY_128, Flags::KEY_128 | Flags::KEY_56] {
        let (mut server, _) = ends(clear);
        let (mut data, mut token) = (b"the same words".to_vec(), [0; 16]);
        server.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
        sealed.push(data);
        let bits = [128, 56, 40][sealed.len() - 1];
        assert_eq!(server.facts().key_info.unwrap().key_bits, bits);
    }
    assert!(sealed[0] != sealed[1] && sealed[1] != sealed[2] && sealed[0] != sealed[2]);
}

/// MS-NLMP 3.4.4.3: without SIGN and SEAL there is a dummy signature, and it is checked to be that.
#[test]
fn a_dummy_signature_without_sign_and_seal() {
    let (mut server, mut client) = ends(Flags::SIGN | Flags::SEAL);
    let (mut data, mut token) = (b"words".to_vec(), [0xff; 16]);
    for _ in 0..2 {
        server.sign(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
        assert_eq!(token, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let mut theirs = client.sign(&[Part::Data(data.clone())]);
        server.verify(&mut [Segment::Data(&mut data), Segment::Token(&mut theirs)]).unwrap();
    }
    token[5] = 1;
    let failure = server.verify(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap_err();
    assert_eq!(failure.cause.name(), "call/bad-signature");
}

#[test]
fn sealing_that_was_not_negotiated() {
    for clear in [Flags::SEAL, Flags::SEAL | Flags::SIGN, Flags::SEAL | Flags::EXTENDED_SESSION_SECURITY] {
        let (mut server, mut client) = ends(clear);
        let (mut data, mut token) = (b"words".to_vec(), [0; 16]);
        let failure = server.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap_err();
        assert_eq!((failure.cause.name(), failure.status), ("call/not-negotiated", Status::SEC_E_UNSUPPORTED_FUNCTION));
        assert_eq!(data, b"words", "nothing was touched");
        let failure = server.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap_err();
        assert_eq!(failure.cause.name(), "call/not-negotiated");
        // The context still signs, and its numbers have not moved.
        let mut signature = client.sign(&[Part::Data(data.clone())]);
        server.verify(&mut [Segment::Data(&mut data), Segment::Token(&mut signature)]).unwrap();
    }
}

#[test]
fn a_message_needs_exactly_one_token() {
    for clear in [Flags(0), Flags::EXTENDED_SESSION_SECURITY, Flags::SIGN | Flags::SEAL] {
        let (mut server, mut client) = ends(clear);
        let seals = !clear.contains(Flags::SEAL);
        let (mut data, mut one, mut two, mut short) = (b"words".to_vec(), [0; 16], [0; 16], [0; 15]);
        let is_bad = |failure: Result<usize, portcullis::Failure>| {
            let failure = failure.unwrap_err();
            assert_eq!((failure.cause.name(), failure.status), ("call/bad-buffers", Status::SEC_E_INVALID_TOKEN));
        };
        is_bad(server.sign(&mut [Segment::Data(&mut data)]));
        is_bad(server.sign(&mut []));
        is_bad(server.sign(&mut [Segment::Token(&mut one), Segment::Data(&mut data), Segment::Token(&mut two)]));
        is_bad(server.sign(&mut [Segment::Data(&mut data), Segment::Token(&mut short)]));
        is_bad(server.verify(&mut [Segment::Data(&mut data), Segment::Token(&mut short)]).map(|()| 0));
        if seals {
            is_bad(server.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut short)]));
            is_bad(server.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut short)]).map(|_| 0));
        }
        assert_eq!(data, b"words", "nothing was touched");
        // A refused call moves neither the numbers nor the cipher.
        let mut token = [0; 32];
        assert_eq!(server.sign(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap(), 16);
        assert_eq!(token[16..], [0; 16], "a longer token is used from its start");
        assert!(client.verify(&[Part::Data(data.clone())], token.first_chunk().unwrap()));
    }
}

#[test]
fn an_altered_message() {
    for clear in [Flags(0), Flags::KEY_EXCHANGE, Flags::EXTENDED_SESSION_SECURITY] {
        let plain = message();
        let mut altered = 0;
        for part in 0..plain.len() {
            for at in [0, plain[part].bytes().len().saturating_sub(1)] {
                let (mut server, mut client) = ends(clear);
                let mut parts = plain.clone();
                let mut token = client.seal(&mut parts).to_vec();
                let not_covered =
                    clear.contains(Flags::EXTENDED_SESSION_SECURITY) && matches!(plain[part], Part::ReadOnly(_));
                match &mut parts[part] {
                    Part::Data(bytes) | Part::SignOnly(bytes) | Part::ReadOnly(bytes) if !bytes.is_empty() => {
                        bytes[at] ^= 4;
                    }
                    _ => continue,
                }
                let result = server.unseal(&mut segments(&mut parts, &mut token));
                if not_covered {
                    result.unwrap(); // as MS-NLMP 3.4.6.1 has it: the caller wanted it left out
                    continue;
                }
                let failure = result.unwrap_err();
                assert_eq!(
                    (failure.cause.name(), failure.status),
                    ("call/bad-signature", Status::SEC_E_MESSAGE_ALTERED)
                );
                for part in &parts {
                    if let Part::Data(bytes) = part {
                        assert!(bytes.iter().all(|byte| *byte == 0), "what could not be verified is not shown");
                    }
                }
                altered += 1;
            }
        }
        assert!(altered >= 6);
        // Every bit of the signature, signed and sealed.
        for bit in 0..128 {
            let ess = !clear.contains(Flags::EXTENDED_SESSION_SECURITY);
            if !ess && (32..64).contains(&bit) {
                continue; // four random bytes that nobody checks (MS-NLMP 2.2.2.9.1)
            }
            for seal in [true, false] {
                let (mut server, mut client) = ends(clear);
                let mut parts = message();
                let mut token = if seal { client.seal(&mut parts) } else { client.sign(&parts) };
                token[bit / 8] ^= 1 << (bit % 8);
                let mut segments = segments(&mut parts, &mut token);
                let result = if seal { server.unseal(&mut segments).map(drop) } else { server.verify(&mut segments) };
                let name = result.unwrap_err().cause.name();
                let expected = if ess && bit >= 96 { "call/out-of-sequence" } else { "call/bad-signature" };
                assert_eq!(name, expected, "bit {bit}");
            }
        }
    }
}

#[test]
fn a_replayed_message() {
    for clear in [Flags(0), Flags::KEY_EXCHANGE] {
        let (mut server, mut client) = ends(clear);
        let parts = [Part::Data(b"once".to_vec())];
        let (first, second, third) = (client.sign(&parts), client.sign(&parts), client.sign(&parts));
        let mut verify = |token: [u8; 16]| {
            let (mut token, mut data) = (token, b"once".to_vec());
            server.verify(&mut [Segment::Data(&mut data), Segment::Token(&mut token)])
        };
        verify(first).unwrap();
        let failure = verify(first).unwrap_err();
        assert_eq!((failure.cause.name(), failure.status), ("call/out-of-sequence", Status::SEC_E_OUT_OF_SEQUENCE));
        assert_eq!(verify(third).unwrap_err().cause.name(), "call/out-of-sequence", "one overtakes another");
        // A message out of turn was not taken: the one whose turn it is still fits.
        verify(second).unwrap();
        verify(third).unwrap();
        verify(second).unwrap_err();
    }
    // Without extended session security the number lies under the cipher: a replay shows as altered.
    let (mut server, mut client) = ends(Flags::EXTENDED_SESSION_SECURITY);
    let mut data = b"once".to_vec();
    let mut token = client.sign(&[Part::Data(data.clone())]);
    server.verify(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
    let failure = server.verify(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap_err();
    assert_eq!(failure.status, Status::SEC_E_MESSAGE_ALTERED);
}

/// Our own message sent back to us is not the client's.
#[test]
fn a_reflected_message() {
    for clear in [Flags(0), Flags::KEY_EXCHANGE] {
        let (mut server, _) = ends(clear);
        let (mut data, mut token) = (b"ours".to_vec(), [0; 16]);
        server.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
        let failure = server.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap_err();
        assert_eq!(failure.cause.name(), "call/bad-signature");
    }
}

/// One thread seals while another opens.
#[test]
fn two_threads() {
    const MESSAGES: u32 = 500;
    let (server, client) = ends(Flags(0));
    let Session { key, flags, .. } = client;
    let (mut sealer, mut opener, facts) = server.split();
    let (to_server, from_client) = std::sync::mpsc::channel::<(Vec<u8>, [u8; 16])>();
    let (to_client, from_server) = std::sync::mpsc::channel::<(Vec<u8>, [u8; 16])>();
    std::thread::scope(|threads| {
        threads.spawn(move || {
            for number in 0..MESSAGES {
                let (mut data, mut token) = (vec![number as u8; 100], [0; 16]);
                sealer.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
                to_client.send((data, token)).unwrap();
            }
        });
        threads.spawn(move || {
            for number in 0..MESSAGES {
                let (mut data, mut token) = from_client.recv().unwrap();
                opener.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
                assert_eq!(data, [number as u8; 64]);
            }
        });
        threads.spawn(move || {
            let mut end = Session::client(key, flags);
            for number in 0..MESSAGES {
                let mut parts = [Part::Data(vec![number as u8; 64])];
                let token = end.seal(&mut parts);
                to_server.send((parts[0].bytes().to_vec(), token)).unwrap();
            }
        });
        threads.spawn(move || {
            let mut end = Session::client(key, flags);
            for number in 0..MESSAGES {
                let (data, token) = from_server.recv().unwrap();
                let mut parts = [Part::Data(data)];
                assert!(end.unseal(&mut parts, &token));
                assert_eq!(parts[0].bytes(), [number as u8; 100]);
            }
        });
    });
    assert_eq!(facts.client_name().as_deref(), Some(r"DOMAIN\User"));
}

/// Without extended session security both directions share one cipher: two threads take turns, and no message breaks.
#[test]
fn two_threads_and_one_cipher() {
    let (server, mut client) = ends(Flags::EXTENDED_SESSION_SECURITY);
    let (mut sealer, mut opener, _) = server.split();
    for number in 0..100_u8 {
        let mut parts = [Part::Data(vec![number; 33])];
        let mut token = client.seal(&mut parts);
        let mut data = parts[0].bytes().to_vec();
        let opened = std::thread::scope(|threads| {
            threads
                .spawn(|| {
                    opener.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
                    data.clone()
                })
                .join()
                .unwrap()
        });
        assert_eq!(opened, [number; 33]);
        let (mut data, mut token) = (vec![number; 21], [0; 16]);
        std::thread::scope(|threads| {
            threads.spawn(|| sealer.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap());
        });
        let mut parts = [Part::Data(data)];
        assert!(client.unseal(&mut parts, &token));
    }
}

/// A plain password gives no keys.
#[test]
fn no_keys_without_ntlm() {
    let credential = Credential::acceptor(portcullis::password::Password::new());
    let outcome =
        portcullis_testkit::exchange(&credential, &Realm::of_user(), &Settings::default(), b"User:Password", |_| None);
    let mut context = outcome.context.unwrap();
    let (mut data, mut token) = (vec![1], [0; 16]);
    for result in [
        context.sign(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).map(|_| ()),
        context.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).map(|_| ()),
        context.verify(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]),
        context.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).map(drop),
    ] {
        assert_eq!(result.unwrap_err().cause.name(), "call/not-negotiated");
    }
}
