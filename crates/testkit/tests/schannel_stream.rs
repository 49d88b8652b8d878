//! An established stream: its ends, its keys, what the protocol sends of its own, and what a peer must not do to it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::schannel::AcceptorSettings;
use portcullis::{Context, Control, Credential, Record, Segment, TlsVersion};
use portcullis_testkit::tls::{
    Ca, NoAccounts, Old, Raw, Server, VERSIONS, client_of, connect, handshake, hears, reads, record, sends, writes,
};
use rustls::ClientConnection;

fn setup() -> (Ca, Credential) {
    let ca = Ca::new("Root");
    let credential = ca.server(&["localhost"]).acceptor(AcceptorSettings::default());
    (ca, credential)
}

/// Both sides of an established stream.
fn established(version: TlsVersion) -> (ClientConnection, Server<'static>) {
    let (ca, credential) = setup();
    let config = client_of(version, &ca, None, |config| config.enable_secret_extraction = true);
    let mut client = connect(&config, "localhost");
    let mut server = Server::new(&credential, &NoAccounts);
    handshake(&mut client, &mut server).unwrap();
    assert_eq!(server.ended(), "ok");
    (client, server)
}

/// The same, where the client may send what it likes.
fn raw(version: TlsVersion) -> (Raw, Server<'static>) {
    let (client, server) = established(version);
    (Raw::take_over(client), server)
}

fn cause<T: std::fmt::Debug>(result: Result<T, portcullis::Failure>) -> &'static str {
    result.unwrap_err().cause.name()
}

/// Gives the client what the server sent, and what it reads of that.
fn delivered(client: &mut ClientConnection, server: &mut Server<'_>) -> Vec<u8> {
    let out = std::mem::take(&mut server.out);
    hears(client, &out).unwrap();
    reads(client)
}

/// Seals into buffers that are as large as the sizes say.
fn seal(context: &mut Context, data: &mut [u8]) -> Result<Vec<u8>, portcullis::Failure> {
    let sizes = context.facts().channel.as_ref().unwrap().sizes;
    let (mut header, mut trailer) = (vec![0xee; sizes.header as usize], vec![0xee; sizes.trailer as usize]);
    let segments = &mut [Segment::Header(&mut header), Segment::Data(data), Segment::Trailer(&mut trailer)];
    let len = context.seal(segments)?;
    assert_eq!(len, trailer.len());
    Ok([&header[..], data, &trailer].concat())
}

/// Forty of them, each answered before anything else goes out: the answer never gets into a record of data, whose sizes
/// stay.
#[test]
fn forty_key_updates() {
    let (mut client, mut server) = established(TlsVersion::Tls13);
    let sizes = server.channel().sizes;
    for turn in 0..40_u8 {
        client.refresh_traffic_keys().unwrap();
        server.hear(&sends(&mut client));
        assert!(matches!(server.receive().unwrap().0, Record::WantsResponse { used: 27 }));
        assert!(server.pending.is_empty());
        let mut data = [turn; 5];
        assert_eq!(cause(seal(server.context(), &mut data)), "schannel/response-pending");
        assert_eq!(data, [turn; 5], "nothing was sealed");
        server.control(Control::Respond).unwrap();
        assert_eq!(server.out.len(), 27, "a KeyUpdate, and nothing else");
        let sealed = seal(server.context(), &mut data).unwrap();
        assert_eq!(sealed.len(), (sizes.header + sizes.trailer) as usize + 5);
        server.out.extend(sealed);
        assert_eq!(delivered(&mut client, &mut server), [turn; 5]);
        server.hear(&writes(&mut client, &[turn; 3]));
        assert_eq!(server.receive().unwrap().1, [turn; 3]);
    }
}

/// Without data in between they are a flood, answered or not.
#[test]
fn a_flood_of_key_updates() {
    for answered in [true, false] {
        let (mut client, mut server) = established(TlsVersion::Tls13);
        for turn in 0..33 {
            client.refresh_traffic_keys().unwrap();
            server.hear(&sends(&mut client));
            match server.receive() {
                Ok((Record::WantsResponse { .. }, _)) => assert!(turn < 32),
                Err(failure) => assert_eq!((failure.cause.name(), turn), ("schannel/flood", 32)),
                other => panic!("{other:?}"),
            }
            if answered && turn < 32 {
                server.control(Control::Respond).unwrap();
                delivered(&mut client, &mut server);
            }
        }
        let mut data = [0; 1];
        assert_eq!(cause(seal(server.context(), &mut data)), "schannel/flood", "and so it stays");
    }
}

#[test]
fn floods_of_alerts_and_of_nothing() {
    for version in VERSIONS {
        // user_canceled, the one warning that TLS 1.3 bears.
        for (content, fragment, borne) in [(21, &[1, 90][..], 4), (23, b"", 32)] {
            let (mut raw, mut server) = raw(version);
            for turn in 0..=borne {
                server.hear(&raw.seal(content, fragment));
                match server.receive() {
                    Ok((Record::Data { len: 0, .. }, _)) => assert!(turn < borne),
                    Err(failure) => assert_eq!((failure.cause.name(), turn), ("schannel/flood", borne)),
                    other => panic!("{other:?}"),
                }
            }
            // Data in between makes empty records harmless, and alerts no better.
            let (mut raw, mut server) = self::raw(version);
            let mut last = Ok(());
            for _ in 0..3 * borne {
                server.hear(&raw.seal(content, fragment));
                server.hear(&raw.seal(23, b"x"));
                last = server.receive().and_then(|_| server.receive()).map(drop);
                if last.is_err() {
                    break;
                }
            }
            assert_eq!(last.is_ok(), content == 23);
        }
    }
}

#[test]
fn an_alert_ends_the_stream() {
    for version in VERSIONS {
        for (level, alert) in [(2, 20), (2, 80), (1, 40)] {
            let (mut raw, mut server) = raw(version);
            server.hear(&raw.seal(21, &[level, alert]));
            // A warning is only that in TLS 1.2.
            match server.receive() {
                Ok((Record::Data { len: 0, .. }, _)) => assert_eq!((version, level), (TlsVersion::Tls12, 1)),
                Err(failure) => {
                    assert_eq!(failure.cause.name(), "schannel/peer-alert");
                    assert!(failure.to_string().contains("peer-alert"));
                    assert_eq!(cause(server.receive()), "schannel/peer-alert");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// An end without close_notify never looks like one with it.
#[test]
fn truncation_is_not_an_end() {
    for version in VERSIONS {
        let (mut client, mut server) = established(version);
        let sent = writes(&mut client, b"all of it");
        client.send_close_notify();
        let end = sends(&mut client);
        for cut in 0..sent.len() + end.len() {
            let whole = [&sent[..], &end].concat();
            server.pending = whole[..cut].to_vec();
            if cut < sent.len() {
                assert!(matches!(server.receive().unwrap().0, Record::Incomplete { missing: 1.. }), "{cut}");
            } else if cut == sent.len() {
                assert_eq!(server.receive().unwrap().1, b"all of it");
                assert!(matches!(server.receive().unwrap().0, Record::Incomplete { missing: 5 }));
            } else {
                server.pending = end[..cut - sent.len()].to_vec();
                assert!(matches!(server.receive().unwrap().0, Record::Incomplete { missing: 1.. }), "{cut}");
            }
        }
        server.pending = end;
        assert!(matches!(server.receive().unwrap().0, Record::Closed { .. }));
    }
}

#[test]
fn after_the_end_nothing_comes() {
    for version in VERSIONS {
        let (mut raw, mut server) = raw(version);
        let end = raw.seal(21, &[1, 0]);
        server.hear(&end);
        server.hear(&raw.seal(23, b"too late"));
        let (closed, _) = server.receive().unwrap();
        assert_eq!(closed, Record::Closed { used: end.len() });
        let (after, data) = server.receive().unwrap();
        assert!(matches!(after, Record::Closed { .. }), "data after the end is none: {after:?}");
        assert!(data.is_empty());
        // The other direction goes on, and ends for itself.
        let mut data = *b"still";
        assert!(seal(server.context(), &mut data).is_ok());
        server.control(Control::Shutdown).unwrap();
        assert!(!server.out.is_empty());
    }
}

#[test]
fn our_own_end() {
    for version in VERSIONS {
        let (mut client, mut server) = established(version);
        server.send(b"last words").unwrap();
        server.control(Control::Shutdown).unwrap();
        assert_eq!(delivered(&mut client, &mut server), b"last words");
        assert!(client.process_new_packets().unwrap().peer_has_closed());
        let mut data = *b"more";
        assert_eq!(cause(seal(server.context(), &mut data)), "schannel/ended");
        assert_eq!(&data, b"more");
        server.control(Control::Shutdown).unwrap();
        assert!(server.out.is_empty(), "it is said once");
        server.hear(&writes(&mut client, b"yours"));
        assert_eq!(server.receive().unwrap().1, b"yours", "the other direction is open");
    }
}

/// One changed bit anywhere ends the stream; what was in the buffer is no plaintext, and the peer can be told.
#[test]
fn an_altered_record() {
    for version in VERSIONS {
        let len = writes(&mut established(version).0, b"secret").len();
        for at in (0..len).step_by(3).chain([len - 1]) {
            let (mut client, mut server) = established(version);
            let mut sent = writes(&mut client, b"secret");
            sent[at] ^= 0x10;
            let mut buffer = sent.clone();
            match server.context().unseal_record(&mut buffer) {
                // A length that now says more.
                Ok(Record::Incomplete { .. }) => assert!((3..5).contains(&at)),
                Ok(other) => panic!("{other:?} at {at}"),
                Err(failure) if at < 5 => {
                    let named = ["schannel/malformed-record", "schannel/bad-record", "schannel/protocol-violation"];
                    assert!(named.contains(&failure.cause.name()), "{failure} at {at}");
                }
                Err(failure) => {
                    assert_eq!(failure.cause.name(), "schannel/bad-record");
                    assert!(buffer.iter().all(|byte| *byte == 0), "{buffer:?}");
                    let mut good = writes(&mut client, b"next");
                    assert_eq!(server.context().unseal_record(&mut good), Err(failure.clone()));
                    let mut data = *b"reply";
                    assert_eq!(seal(server.context(), &mut data), Err(failure));
                    server.control(Control::Respond).unwrap();
                    assert!(!server.out.is_empty(), "bad_record_mac");
                    let told = std::mem::take(&mut server.out);
                    let error = hears(&mut client, &told).unwrap_err();
                    assert_eq!(error, rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac));
                    server.control(Control::Respond).unwrap();
                    assert!(server.out.is_empty(), "it is told once");
                }
            }
        }
    }
}

#[test]
fn a_record_that_comes_twice_or_is_lost_or_is_anothers() {
    for version in VERSIONS {
        let (mut client, mut server) = established(version);
        let first = writes(&mut client, b"first");
        server.hear(&first.repeat(2));
        assert_eq!(server.receive().unwrap().1, b"first");
        assert_eq!(cause(server.receive()), "schannel/bad-record", "a replay");

        let (mut client, mut server) = established(version);
        let (_, second) = (writes(&mut client, b"first"), writes(&mut client, b"second"));
        server.hear(&second);
        assert_eq!(cause(server.receive()), "schannel/bad-record", "one is lost");

        let (mut client, _) = established(version);
        let (_, mut server) = established(version);
        server.hear(&writes(&mut client, b"first"));
        assert_eq!(cause(server.receive()), "schannel/bad-record", "another connection's");

        let (_, mut server) = established(version);
        server.hear(&record(23, b"in the clear, and long enough for a tag"));
        assert_eq!(cause(server.receive()), "schannel/bad-record", "nobody's");

        let (_, mut server) = established(version);
        server.hear(&record(24, b"?"));
        assert_eq!(cause(server.receive()), "schannel/malformed-record", "no record");
        assert_eq!(cause(server.receive()), "schannel/malformed-record", "and so it stays");
    }
}

/// A second handshake inside the first (CVE-2009-3555): refused, and the client is told.
#[test]
fn renegotiation() {
    let (old, first) = Old::new();
    let (_, credential) = setup();
    let mut server = Server::new(&credential, &NoAccounts);
    server.hear(&first);
    let (flight, mut raw) = old.answer(&std::mem::take(&mut server.out));
    server.hear(&flight);
    assert_eq!(server.ended(), "ok");
    server.out.clear();
    server.hear(&raw.seal(22, &first[5..]));
    assert_eq!(cause(server.receive()), "schannel/renegotiation");
    assert_eq!(cause(server.receive()), "schannel/renegotiation");
    server.control(Control::Respond).unwrap();
    assert_eq!(server.out[..5], [21, 3, 3, 0, 26], "no_renegotiation, sealed");
    // In TLS 1.3 there is no such thing.
    let (mut raw, mut server) = self::raw(TlsVersion::Tls13);
    server.hear(&raw.seal(22, &first[5..]));
    assert_eq!(cause(server.receive()), "schannel/protocol-violation");
}

#[test]
fn a_message_that_is_too_long() {
    for version in VERSIONS {
        let (mut client, mut server) = established(version);
        let max = server.channel().sizes.max_message as usize;
        assert_eq!(max, 16384);
        let mut long = vec![1; max + 1];
        assert_eq!(cause(seal(server.context(), &mut long)), "schannel/message-too-long");
        assert_eq!(long, vec![1; max + 1], "nothing was sealed");
        let mut data = vec![2; max];
        let sealed = seal(server.context(), &mut data).unwrap();
        hears(&mut client, &sealed).unwrap();
        assert_eq!(reads(&mut client), vec![2; max], "one byte less goes, and is the first record");
    }
}

/// Of nothing no record is made: nothing is to be sent.
#[test]
fn an_empty_message() {
    for version in VERSIONS {
        let (mut client, mut server) = established(version);
        let sizes = server.channel().sizes;
        let (mut header, mut trailer) = (vec![0xee; sizes.header as usize], vec![0xee; 17]);
        let segments = &mut [Segment::Header(&mut header), Segment::Data(&mut []), Segment::Trailer(&mut trailer)];
        assert_eq!(server.context().seal(segments), Ok(0));
        assert!(header.iter().chain(&trailer).all(|byte| *byte == 0xee), "the buffers are as they were");
        server.send(b"next").unwrap();
        assert_eq!(delivered(&mut client, &mut server), b"next");
    }
}

#[test]
fn lists_of_segments_that_make_no_record() {
    let (mut client, mut server) = established(TlsVersion::Tls13);
    let (mut header, mut data, mut trailer) = ([0; 5], *b"data", [0; 17]);
    let (mut second, mut token) = ([0; 5], [0; 17]);
    let context = server.context();
    let bad = |context: &mut Context, segments: &mut [Segment<'_>]| cause(context.seal(segments));
    assert_eq!(bad(context, &mut []), "call/bad-buffers");
    assert_eq!(bad(context, &mut [Segment::Data(&mut data)]), "call/bad-buffers");
    let no_trailer = &mut [Segment::Header(&mut header), Segment::Data(&mut data)];
    assert_eq!(bad(context, no_trailer), "call/bad-buffers");
    let two = &mut [
        Segment::Header(&mut header),
        Segment::Header(&mut second),
        Segment::Data(&mut data),
        Segment::Trailer(&mut trailer),
    ];
    assert_eq!(bad(context, two), "call/bad-buffers");
    let with_token = &mut [
        Segment::Header(&mut header),
        Segment::Data(&mut data),
        Segment::Trailer(&mut trailer),
        Segment::Token(&mut token),
    ];
    assert_eq!(bad(context, with_token), "call/bad-buffers");
    let read_only = &mut [
        Segment::Header(&mut header),
        Segment::ReadOnly(b"x"),
        Segment::Data(&mut data),
        Segment::Trailer(&mut trailer),
    ];
    assert_eq!(bad(context, read_only), "call/bad-buffers");
    assert_eq!(&data, b"data");
    // Signing, and messages with tokens, are no stream's.
    assert_eq!(cause(context.sign(&mut [Segment::Data(&mut data)])), "call/not-negotiated");
    assert_eq!(cause(context.verify(&mut [Segment::Data(&mut data)])), "call/not-negotiated");
    assert_eq!(cause(context.unseal(&mut [Segment::Data(&mut data)])), "call/not-negotiated");
    // None of it was counted.
    server.send(b"good").unwrap();
    assert_eq!(delivered(&mut client, &mut server), b"good");
}

/// Buffers that do not fit must not send half a record, nor use up its number.
#[test]
fn buffers_of_other_sizes() {
    for version in VERSIONS {
        for (header, trailer) in [(4, 17), (0, 17), (14, 17), (13, 15), (5, 0)] {
            let (mut client, mut server) = established(version);
            let (mut header, mut data, mut trailer) = (vec![0; header], *b"data", vec![0; trailer]);
            let segments =
                &mut [Segment::Header(&mut header), Segment::Data(&mut data), Segment::Trailer(&mut trailer)];
            assert_eq!(cause(server.context().seal(segments)), "call/bad-buffers");
            assert_eq!(&data, b"data");
            server.send(b"good").unwrap();
            assert_eq!(delivered(&mut client, &mut server), b"good");
        }
    }
}

/// One thread seals while the other opens.
#[test]
fn two_threads() {
    for version in VERSIONS {
        let (mut client, mut server) = established(version);
        let mut sent = Vec::new();
        for number in 0..200_u8 {
            sent.extend(writes(&mut client, &[number; 100]));
        }
        let (mut sealer, mut opener, facts) = server.context.take().unwrap().split();
        let sizes = facts.channel.as_ref().unwrap().sizes;
        let sealing = std::thread::spawn(move || {
            let mut out = Vec::new();
            for number in 0..200_u8 {
                let (mut header, mut trailer) = (vec![0; sizes.header as usize], vec![0; sizes.trailer as usize]);
                let mut data = [number; 50];
                let segments =
                    &mut [Segment::Header(&mut header), Segment::Data(&mut data), Segment::Trailer(&mut trailer)];
                sealer.seal(segments).unwrap();
                out.extend([&header[..], &data, &trailer].concat());
            }
            (sealer, out)
        });
        let mut opened = Vec::new();
        while !sent.is_empty() {
            let Record::Data { start, len, used } = opener.unseal_record(&mut sent).unwrap() else { panic!("data") };
            opened.extend_from_slice(&sent[start..start + len]);
            sent.drain(..used);
        }
        let (sealer, out) = sealing.join().unwrap();
        assert_eq!(opened, (0..200).flat_map(|number| [number; 100]).collect::<Vec<u8>>());
        let mut read = Vec::new();
        for part in out.chunks(4000) {
            hears(&mut client, part).unwrap();
            read.extend(reads(&mut client));
        }
        assert_eq!(read, (0..200).flat_map(|number| [number; 50]).collect::<Vec<u8>>());
        server.context = Some(Context::reunite(sealer, opener).unwrap());
        server.control(Control::Shutdown).unwrap();
        assert!(!server.out.is_empty());
    }
}

#[test]
fn both_sides_export_the_same() {
    for version in VERSIONS {
        let (client, mut server) = established(version);
        let channel = server.channel();
        for context in [None, Some(&b""[..]), Some(&b"context"[..])] {
            let (mut ours, mut theirs) = ([0; 48], [0; 48]);
            channel.keying_material(b"EXPORTER-test", context, &mut ours).unwrap();
            client.export_keying_material(&mut theirs, b"EXPORTER-test", context).unwrap();
            assert_eq!(ours, theirs);
            let mut other = [0; 48];
            channel.keying_material(b"EXPORTER-other", context, &mut other).unwrap();
            assert_ne!(ours, other);
        }
        assert_eq!(cause(channel.keying_material(b"x", None, &mut [])), "call/bad-buffers");
    }
}

/// Without the extended master secret two sessions may have the same keys (3SHAKE): nothing is exported.
#[test]
fn nothing_is_exported_that_is_not_bound_to_the_session() {
    let (_, credential) = setup();
    let (old, first) = Old::new();
    let mut server = Server::new(&credential, &NoAccounts);
    server.hear(&first);
    let (flight, _) = old.answer(&std::mem::take(&mut server.out));
    server.hear(&flight);
    let channel = server.channel();
    assert_eq!(cause(channel.exporter_bindings()), "schannel/exporter-unbound");
    let mut out = [0; 32];
    assert_eq!(cause(channel.keying_material(b"EXPORTER-test", None, &mut out)), "schannel/exporter-unbound");
    assert_eq!(out, [0; 32]);
    assert_eq!(server.context().facts().attribute(25), None);
    assert!(channel.end_point.is_some(), "the certificate's bindings need no keys");
}
