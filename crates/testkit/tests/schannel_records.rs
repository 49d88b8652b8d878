//! What comes in which pieces, and what is no TLS, or none that is spoken here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::schannel::AcceptorSettings;
use portcullis::{Call, Credential, Handshake, Inbound, Record, Status, TlsVersion};
use portcullis_testkit::tls::{
    Ca, NoAccounts, Old, Server, VERSIONS, client_of, connect, handshake, hears, hello, plain_alert, reads, record,
    sends, sevens, writes,
};
use rustls::ClientConnection;
use std::time::SystemTime;

fn setup() -> (Ca, Credential) {
    let ca = Ca::new("Root");
    let credential = ca.server(&["localhost"]).acceptor(AcceptorSettings::default());
    (ca, credential)
}

fn speak(ca: &Ca, version: TlsVersion) -> ClientConnection {
    connect(&client_of(version, ca, None, |_| ()), "localhost")
}

/// How a server ends that hears this, and what it says.
fn hear(bytes: &[u8]) -> (&'static str, Vec<u8>) {
    let (_, credential) = setup();
    let mut server = Server::new(&credential, &NoAccounts);
    server.hear(bytes);
    (server.ended(), server.out)
}

/// What is missing of the record at the front.
fn missing(bytes: &[u8]) -> usize {
    match bytes {
        [_, _, _, high, low, rest @ ..] => usize::from(u16::from_be_bytes([*high, *low])) - rest.len(),
        _ => 5 - bytes.len(),
    }
}

#[test]
fn one_byte_at_a_time() {
    let (ca, credential) = setup();
    for version in VERSIONS {
        let mut client = speak(&ca, version);
        let mut server = Server::new(&credential, &NoAccounts);
        let mut partial = 0;
        while server.context.is_none() {
            let flight = sends(&mut client);
            assert!(!flight.is_empty());
            for byte in flight {
                let before = server.pending.len();
                server.hear(&[byte]);
                if !server.pending.is_empty() {
                    assert_eq!(server.pending.len(), before + 1, "nothing is taken of a part");
                    assert_eq!(server.missing, missing(&server.pending));
                    partial += 1;
                }
            }
            let reply = std::mem::take(&mut server.out);
            hears(&mut client, &reply).unwrap();
        }
        assert!(partial > 200, "{partial}");
        assert_eq!(server.ended(), "ok");

        let sent = writes(&mut client, b"data");
        for (at, byte) in sent.iter().enumerate() {
            match server.receive().unwrap().0 {
                Record::Incomplete { missing: said } => assert_eq!(said, missing(&sent[..at])),
                other => panic!("{other:?} of {at} bytes"),
            }
            server.hear(&[*byte]);
        }
        assert_eq!(server.receive().unwrap().1, b"data");
        assert!(server.pending.is_empty());
    }
}

#[test]
fn records_that_come_glued_are_opened_one_a_call() {
    let (ca, credential) = setup();
    for version in VERSIONS {
        let mut client = speak(&ca, version);
        let mut server = Server::new(&credential, &NoAccounts);
        handshake(&mut client, &mut server).unwrap();
        let mut sent = Vec::new();
        let mut ends = Vec::new();
        for number in 0..5_u8 {
            sent.extend(writes(&mut client, &vec![number; 1000 * usize::from(number) + 1]));
            ends.push(sent.len());
        }
        let front = sent[..ends[4] - 1].to_vec();
        server.hear(&front);
        for number in 0..4_u8 {
            let (opened, data) = server.receive().unwrap();
            assert_eq!(data, vec![number; 1000 * usize::from(number) + 1]);
            let Record::Data { used, .. } = opened else { panic!("{opened:?}") };
            assert_eq!(server.pending, front[ends[usize::from(number)]..], "{used}");
        }
        assert!(matches!(server.receive().unwrap().0, Record::Incomplete { missing: 1 }));
        server.hear(&sent[ends[4] - 1..]);
        assert_eq!(server.receive().unwrap().1.len(), 4001);
    }
}

#[test]
fn a_hello_over_three_records() {
    let (ca, credential) = setup();
    for version in VERSIONS {
        for glued in [false, true] {
            let mut client = speak(&ca, version);
            let mut server = Server::new(&credential, &NoAccounts);
            let whole = sends(&mut client);
            let fragment = &whole[5..];
            let parts = [&fragment[..3], &fragment[3..100], &fragment[100..]];
            let records: Vec<Vec<u8>> = parts.iter().map(|part| record(22, part)).collect();
            if glued {
                server.hear(&records.concat());
            } else {
                for (number, part) in records.iter().enumerate() {
                    assert!(server.out.is_empty(), "nothing is said to the front of a hello");
                    server.hear(part);
                    assert!(server.pending.is_empty(), "record {number} is taken");
                }
            }
            assert!(!server.out.is_empty());
            let reply = std::mem::take(&mut server.out);
            hears(&mut client, &reply).unwrap();
            handshake(&mut client, &mut server).unwrap();
            assert_eq!(server.ended(), "ok");
            server.send(b"through").unwrap();
            let out = std::mem::take(&mut server.out);
            hears(&mut client, &out).unwrap();
            assert_eq!(reads(&mut client), b"through");
        }
    }
}

/// What stands behind the client's Finished is the host's, to the byte: in TLS 1.3 every client may glue so, in TLS 1.2
/// one that does not wait (RFC 7918).
#[test]
fn finished_and_data_glued() {
    let (ca, credential) = setup();
    for cut in 0..=3 {
        let mut client = speak(&ca, TlsVersion::Tls13);
        let mut server = Server::new(&credential, &NoAccounts);
        server.hear(&sends(&mut client));
        let reply = std::mem::take(&mut server.out);
        hears(&mut client, &reply).unwrap();
        let finished = sends(&mut client);
        let data = [writes(&mut client, b"one"), writes(&mut client, b"two")].concat();
        let came = data.len() - cut;
        server.hear(&[&finished, &data[..came]].concat());
        assert_eq!(server.ended(), "ok");
        assert_eq!(server.pending, data[..came]);
        server.hear(&data[came..]);
        assert_eq!(server.receive().unwrap().1, b"one");
        assert_eq!(server.receive().unwrap().1, b"two");
    }
    let (old, first) = Old::new();
    let mut server = Server::new(&credential, &NoAccounts);
    server.hear(&first);
    let (finished, mut raw) = old.answer(&std::mem::take(&mut server.out));
    let data = raw.seal(23, b"early");
    server.hear(&[finished, data.clone()].concat());
    assert_eq!((server.ended(), &server.pending), ("ok", &data));
    assert_eq!(server.receive().unwrap().1, b"early");
}

/// A host that brings a stream as a token loses nothing unnoticed.
#[test]
fn a_token_with_extra_bytes_is_refused() {
    let (ca, credential) = setup();
    for glued in [false, true] {
        let mut client = speak(&ca, TlsVersion::Tls13);
        let mut waiting = credential.begin();
        let mut random = sevens;
        let (mut events, mut out) = ((), Vec::new());
        let first = sends(&mut client);
        let call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
        let Ok(Handshake::NeedsToken(next)) = waiting.token(&first, call) else { panic!("a reply") };
        waiting = next;
        hears(&mut client, &out).unwrap();
        let mut last = sends(&mut client);
        if glued {
            last.extend(writes(&mut client, b"data"));
        }
        let call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
        match waiting.token(&last, call) {
            Ok(Handshake::Established(_)) => assert!(!glued),
            Err(failure) => assert_eq!((failure.cause.name(), glued), ("call/extra", true)),
            other => panic!("{other:?}"),
        }
    }
    // Of a part, all is left, and that is no extra.
    let mut random = sevens;
    let (mut events, mut out) = ((), Vec::new());
    let call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
    let mut inbound = Inbound::new(&[22, 3, 1]);
    let at = credential.begin().stream(&mut inbound, call);
    assert!(matches!(at, Ok(Handshake::Incomplete { missing: 2, .. })));
    assert_eq!((inbound.used(), inbound.extra()), (0, &[22, 3, 1][..]));
}

#[test]
fn strangers_are_named() {
    let alert = |description| plain_alert(2, description);
    let dtls = [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 1];
    let ssl2 = [0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10];
    for (bytes, cause, says) in [
        (&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], "schannel/http", vec![]),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "schannel/http", vec![]),
        (&dtls, "schannel/dtls", vec![]),
        (&ssl2, "schannel/version-too-old", alert(70)),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "schannel/malformed-record", alert(10)),
        (b"NTLMSSP\0\x01\0\0\0", "schannel/malformed-record", alert(10)),
        (&[22, 3, 1, 0x48, 0x01], "schannel/malformed-record", alert(22)),
        (&[22, 3, 1, 0xff, 0xff], "schannel/malformed-record", alert(22)),
    ] {
        assert_eq!(hear(bytes), (cause, says), "{bytes:?}");
    }
    for waits in [&b""[..], b"G", b"PA"] {
        assert_eq!(hear(waits), ("waits", vec![]), "{waits:?}");
    }
}

#[test]
fn hellos_that_share_nothing_with_us() {
    let all_groups: (u16, &[u8]) = (10, &[0, 4, 0, 0x1d, 0, 0x17]);
    let signatures: (u16, &[u8]) = (13, &[0, 4, 4, 3, 8, 4]);
    let tls11_only: (u16, &[u8]) = (43, &[2, 3, 2]);
    let front = [all_groups, signatures];
    for (version, suites, more, cause, alert) in [
        (0x0301, &[0xc02b, 0xc02f][..], &[][..], "schannel/version-too-old", 70),
        (0x0302, &[0xc02b, 0xc02f], &[], "schannel/version-too-old", 70),
        (0x0300, &[0xc02b], &[], "schannel/version-too-old", 70),
        (0x0303, &[0xc02b], &[tls11_only], "schannel/version-too-old", 70),
        // CBC, and RSA key exchange.
        (0x0303, &[0xc009, 0xc013, 0x002f, 0x009c], &[], "schannel/no-common-suite", 40),
        (0x0303, &[0xc02f], &[], "schannel/no-common-suite", 40),
    ] {
        let (ended, out) = hear(&record(22, &hello(version, suites, &[&front, more].concat())));
        assert_eq!((ended, out), (cause, plain_alert(2, alert)), "{version:x} {suites:x?}");
    }
    // No signature that our ECDSA key can make.
    let rsa_only = [all_groups, (13, &[0, 4, 8, 4, 4, 1])];
    let heard = hear(&record(22, &hello(0x0303, &[0xc02b], &rsa_only)));
    assert_eq!(heard, ("schannel/no-certificate", plain_alert(2, 40)));
}

#[test]
fn what_is_not_a_hello() {
    // Data, a Finished, a hello that is cut inside, and one that never ends.
    let cut = [&[1, 0, 0, 4][..], &[3, 3, 0, 0]].concat();
    for (bytes, alert) in [
        (record(23, b"data"), Some(10)),
        (record(22, &[20, 0, 0, 0]), Some(10)),
        (record(22, b""), Some(50)),
        (record(22, &cut), Some(50)),
        (record(20, &[1]), Some(10)),
        // An alert is not answered.
        (plain_alert(2, 40), None),
    ] {
        let says = alert.map(|alert| plain_alert(2, alert)).unwrap_or_default();
        assert_eq!(hear(&bytes), ("schannel/protocol-violation", says), "{bytes:?}");
    }
    // A second record that is none, and one that is no part of the hello.
    let front = record(22, &[1, 0, 4, 0]);
    for (second, cause, alert) in [
        (&b"GET / HTTP/1.1"[..], "schannel/malformed-record", 10),
        (&[22, 3, 1, 0xff, 0xff], "schannel/malformed-record", 22),
        (&record(23, b"data"), "schannel/protocol-violation", 10),
    ] {
        assert_eq!(hear(&[&front, second].concat()), (cause, plain_alert(2, alert)), "{second:?}");
    }
    let endless = [record(22, &[&[1, 0, 0xff, 0xff][..], &[0; 16380]].concat()), record(22, &[0; 16384]).repeat(9)];
    assert_eq!(hear(&endless.concat()), ("schannel/too-large", plain_alert(2, 50)));
}

#[test]
fn alerts_before_the_handshake_is_through() {
    let (_, credential) = setup();
    let begun = || {
        let (old, first) = Old::new();
        let mut server = Server::new(&credential, &NoAccounts);
        server.hear(&first);
        (old, server)
    };
    for (alert, status) in
        [(40, Status::SEC_E_ILLEGAL_MESSAGE), (48, Status::SEC_E_UNTRUSTED_ROOT), (45, Status::SEC_E_CERT_EXPIRED)]
    {
        let (_, mut server) = begun();
        server.hear(&plain_alert(2, alert));
        let failure = server.failure.clone().unwrap();
        assert_eq!((failure.cause.name(), failure.status), ("schannel/peer-alert", status));
    }
    // Four warnings are borne, and the handshake goes on; the fifth is one too many.
    for (warnings, ended) in [(4, "ok"), (5, "schannel/flood")] {
        let (old, mut server) = begun();
        let reply = std::mem::take(&mut server.out);
        server.hear(&plain_alert(1, 90).repeat(warnings));
        let (flight, _) = old.answer(&reply);
        server.hear(&flight);
        assert_eq!(server.ended(), ended, "{warnings}");
    }
}

#[test]
fn a_client_that_does_not_have_the_keys() {
    let (ca, credential) = setup();
    let (mut old, first) = Old::new();
    let mut server = Server::new(&credential, &NoAccounts);
    server.hear(&first);
    old.spoils_finished = true;
    let (flight, _) = old.answer(&std::mem::take(&mut server.out));
    server.hear(&flight);
    assert_eq!(server.ended(), "schannel/bad-record");
    assert_eq!(server.out, plain_alert(2, 51), "decrypt_error");
    // And one whose last flight somebody changed.
    for version in VERSIONS {
        let mut client = speak(&ca, version);
        let mut server = Server::new(&credential, &NoAccounts);
        server.hear(&sends(&mut client));
        let reply = std::mem::take(&mut server.out);
        hears(&mut client, &reply).unwrap();
        let mut last = sends(&mut client);
        *last.last_mut().unwrap() ^= 1;
        server.hear(&last);
        assert_eq!(server.ended(), "schannel/bad-record");
        assert!(!server.out.is_empty(), "bad_record_mac");
    }
}
