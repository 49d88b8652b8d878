//! Messages under a context, as RFC 4121 lays them out, written and read by a client of the tests' own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::kerberos::crypto::Enctype;
use portcullis::{Context, ContextFlags, ExportKey, Failure, Opened, Secret, Segment, package};
use portcullis_testkit::Foretold;
use portcullis_testkit::kerberos::{Client, Heard, Session, Site};
use portcullis_wire::kerberos::gss_flag;

/// Every enctype whose messages are those of RFC 4121.
fn each() -> impl Iterator<Item = Enctype> {
    Enctype::ALL.into_iter().filter(|enctype| *enctype != Enctype::Rc4)
}

/// Both ends of a context.
fn ends(enctype: Enctype, client: impl FnOnce(&Site) -> Client) -> (Context, Session) {
    let site = Site::of_enctype(enctype);
    let client = client(&site);
    let outcome = site.hears(&client);
    assert_eq!(outcome.cause_name(), "ok");
    let heard = client.heard(&outcome.output);
    (outcome.context.unwrap(), Session::client(&client, &heard))
}

fn usual(enctype: Enctype) -> (Context, Session) {
    ends(enctype, Site::client)
}

fn cause<T>(result: Result<T, Failure>) -> &'static str {
    result.err().map_or("ok", |failure| failure.cause.name())
}

fn verify(context: &mut Context, message: &[u8], mic: &[u8]) -> Result<(), Failure> {
    let mut token = mic.to_vec();
    context.verify(&mut [Segment::SignOnly(message), Segment::Token(&mut token)])
}

/// Opens a whole Wrap token.
fn unwrap(context: &mut Context, token: &[u8]) -> Result<(Vec<u8>, bool), Failure> {
    let mut stream = token.to_vec();
    let Opened { enciphered, data } = context.unseal(&mut [Segment::Stream(&mut stream)])?;
    Ok((stream[data.unwrap()].to_vec(), enciphered))
}

fn sign(context: &mut Context, message: &[u8]) -> Vec<u8> {
    let mut mic = vec![0; context.facts().sizes.max_signature as usize];
    let len = context.sign(&mut [Segment::SignOnly(message), Segment::Token(&mut mic)]).unwrap();
    mic.truncate(len);
    mic
}

#[test]
fn both_directions_of_every_enctype() {
    for enctype in each() {
        for mutual in [true, false] {
            let (mut server, mut client) =
                ends(enctype, |site| if mutual { site.client() } else { site.client().without_mutual() });
            assert_eq!(client.acceptor_subkey, mutual, "{enctype:?}");
            assert_eq!(*server.facts().session_key.as_ref().unwrap().expose(), client.key.value);
            for turn in 0..3 {
                let words = vec![turn; 100 + usize::from(turn)];
                verify(&mut server, &words, &client.mic(&words)).unwrap();
                for (sealed, rrc, filler) in [(true, 0, 0), (true, 28, 16), (false, 0, 0), (false, 12, 0)] {
                    let token = client.wrap(&words, sealed, rrc, filler);
                    assert_eq!(unwrap(&mut server, &token).unwrap(), (words.clone(), sealed));
                }
                let mic = sign(&mut server, &words);
                assert!(client.fits(&words, &mic));
                for sealed in [true, false] {
                    let mut token = Vec::new();
                    server.wrap(&words, sealed, &mut token).unwrap();
                    assert_eq!(client.unwrap(&token), Some((words.clone(), sealed)), "{enctype:?}");
                }
                // As EncryptMessage lays it out: the token's buffer, and the data where it was.
                let mut trailer = vec![0; server.facts().sizes.security_trailer as usize];
                let mut data = words.clone();
                let len = server.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut trailer)]).unwrap();
                let token = [&trailer[..len], &data].concat();
                assert_eq!(client.unwrap(&token), Some((words, true)));
            }
        }
    }
}

#[test]
fn k01_every_bit_of_a_mic() {
    for enctype in each() {
        let (mut server, mut client) = usual(enctype);
        let mic = client.mic(b"words");
        for at in 0..mic.len() {
            for bit in 0..8 {
                let mut altered = mic.clone();
                altered[at] ^= 1 << bit;
                let cause = cause(verify(&mut server, b"words", &altered));
                assert!(["call/bad-signature", "call/malformed-message"].contains(&cause), "{at} {bit}: {cause}");
            }
        }
        assert_eq!(cause(verify(&mut server, b"word", &mic)), "call/bad-signature");
        assert_eq!(cause(verify(&mut server, b"words", &mic)), "ok", "nothing of it moved anything");
        let ours = sign(&mut server, b"words");
        assert!(ours[3..8].iter().all(|filler| *filler == 0xff));
    }
}

#[test]
fn k02_every_byte_of_a_sealed_message() {
    for (enctype, sealed) in each().flat_map(|enctype| [(enctype, true), (enctype, false)]) {
        let (mut server, mut client) = usual(enctype);
        let token = client.wrap(b"some words to be sealed", sealed, 0, 0);
        for at in 0..token.len() {
            let mut altered = token.clone();
            altered[at] ^= 0x21;
            assert!(unwrap(&mut server, &altered).is_err(), "{enctype:?} {sealed}: byte {at}");
        }
        for len in 0..token.len() {
            assert!(unwrap(&mut server, &token[..len]).is_err(), "{enctype:?} {sealed}: cut to {len}");
        }
        unwrap(&mut server, &token).unwrap();
    }
}

/// CVE-2024-37370: the extra count in the open is believed, and the copy under the key is not looked at.
#[test]
fn k02_the_copy_of_the_header_counts() {
    for enctype in each() {
        let (mut server, mut client) = usual(enctype);
        let token = client.wrap(b"some words", true, 0, 16);
        for ec in [0, 1, 8, 15, 17, 26, 0xffff_u16] {
            let mut altered = token.clone();
            altered[4..6].copy_from_slice(&ec.to_be_bytes());
            assert!(unwrap(&mut server, &altered).is_err(), "{enctype:?}: EC {ec}");
        }
        assert_eq!(unwrap(&mut server, &token).unwrap().0, b"some words");
    }
}

#[test]
fn k03_tokens_of_another_kind_and_of_any_length() {
    for enctype in each() {
        let (mut server, _) = usual(enctype);
        for len in 0..=64 {
            for start in
                [&[5, 4][..], &[4, 4], &[5, 4, 2, 0xff], &[2, 1, 0x11, 0], &[1, 1, 0x11, 0], &[0x60, 0x20, 6, 9]]
            {
                let mut token = vec![0xff; len];
                let front = start.len().min(len);
                token[..front].copy_from_slice(&start[..front]);
                assert!(unwrap(&mut server, &token).is_err());
                assert!(verify(&mut server, b"words", &token).is_err());
            }
        }
        // A MIC is no Wrap, and the other way round.
        let (mut server, mut client) = usual(enctype);
        let (mic, wrap) = (client.mic(b""), client.wrap(b"", false, 0, 0));
        assert!(unwrap(&mut server, &mic).is_err() && verify(&mut server, b"", &wrap).is_err());
    }
}

#[test]
fn one_sides_messages_are_not_the_others() {
    let (mut server, mut client) = usual(Enctype::Aes256Sha1);
    let mic = sign(&mut server, b"words");
    assert_eq!(cause(verify(&mut server, b"words", &mic)), "call/bad-signature", "its own, sent back");
    client.is_acceptor = true;
    let posed = client.mic(b"words");
    assert_eq!(cause(verify(&mut server, b"words", &posed)), "call/bad-signature");
    // Under the client's own sub-key, where the server has given another.
    let (mut server, mut client) = ends(Enctype::Aes256Sha1, Site::client);
    client.key = Site::of_web().client().subkey.unwrap();
    assert_eq!(cause(verify(&mut server, b"words", &client.mic(b"words"))), "call/bad-signature");
}

/// Java's SASL, Kafka: messages that are signed only, in a context that was asked for no more.
#[test]
fn k26_messages_that_are_only_signed() {
    for enctype in each() {
        let asks = gss_flag::MUTUAL | gss_flag::INTEG;
        let (mut server, mut client) = ends(enctype, |site| site.client().asking(asks));
        assert!(!server.facts().granted.contains(ContextFlags::CONFIDENTIALITY));
        assert_eq!(unwrap(&mut server, &client.wrap(b"words", false, 0, 0)).unwrap(), (b"words".to_vec(), false));
        let mut token = Vec::new();
        server.wrap(b"words", false, &mut token).unwrap();
        assert_eq!(client.unwrap(&token), Some((b"words".to_vec(), false)));
        assert!(client.fits(b"more", &sign(&mut server, b"more")));
        // Sealing was not asked for.
        assert_eq!(cause(server.wrap(b"words", true, &mut token)), "call/not-negotiated");
        assert_eq!(cause(unwrap(&mut server, &client.wrap(b"words", true, 0, 0))), "call/not-negotiated");
    }
}

#[test]
fn k27_any_rotation() {
    for enctype in [Enctype::Aes256Sha1, Enctype::Aes256Sha384] {
        let (mut server, mut client) = usual(enctype);
        let rotations = (0..200).chain((200..=u16::MAX).step_by(997)).chain([u16::MAX - 1, u16::MAX]);
        for rrc in rotations {
            for sealed in [true, false] {
                let token = client.wrap(b"some words", sealed, rrc, 0);
                assert_eq!(unwrap(&mut server, &token).unwrap().0, b"some words", "{rrc}");
            }
        }
    }
}

#[test]
fn k27_the_order_counts_where_it_was_asked_for() {
    let sequence = gss_flag::MUTUAL | gss_flag::SEQUENCE;
    let replay = gss_flag::MUTUAL | gss_flag::REPLAY;
    let cases = [
        (sequence | gss_flag::REPLAY, ["ok", "out", "out", "out"]),
        (sequence, ["ok", "out", "out", "out"]),
        (replay, ["ok", "out", "ok", "ok"]),
        (gss_flag::MUTUAL, ["ok", "ok", "ok", "ok"]),
    ];
    for (flags, expected) in cases {
        let (mut server, mut client) = ends(Enctype::Aes128Sha1, |site| site.client().asking(flags));
        let mics: Vec<_> = (0..4).map(|_| client.mic(b"words")).collect();
        // In turn, again, ahead, late.
        let got = [0, 0, 2, 1].map(|number| match cause(verify(&mut server, b"words", &mics[number])) {
            "call/out-of-sequence" => "out",
            other => other,
        });
        assert_eq!(got, expected, "{flags:#x}");
    }
}

/// The numbers that both sides announce are those that they begin with.
#[test]
fn numbers_begin_where_they_were_announced() {
    for seq in [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let (mut server, mut client) = ends(Enctype::Aes256Sha1, |site| Client { seq: Some(seq), ..site.client() });
        assert_eq!(client.send, u64::from(seq));
        for _ in 0..3 {
            verify(&mut server, b"words", &client.mic(b"words")).unwrap();
            assert!(client.fits(b"words", &sign(&mut server, b"words")));
        }
    }
    let (mut server, mut client) = ends(Enctype::Aes256Sha1, |site| Client { seq: None, ..site.client() });
    assert_eq!(client.send, 0);
    verify(&mut server, b"words", &client.mic(b"words")).unwrap();
}

/// A conversation goes on in another process, in the middle of its messages.
#[test]
fn an_export_in_the_middle() {
    for enctype in each() {
        let (mut server, mut client) = usual(enctype);
        let early = client.mic(b"before");
        verify(&mut server, b"before", &early).unwrap();
        assert!(client.fits(b"before", &sign(&mut server, b"before")));
        let key = ExportKey::new(Secret::new([7; 32]));
        let blob = server.export(&key, &mut Foretold::seeded(1), false).unwrap();
        let mut server = Context::import(&package::KERBEROS, &key, &blob).unwrap();
        assert_eq!(cause(verify(&mut server, b"before", &early)), "call/out-of-sequence", "what came stays known");
        verify(&mut server, b"after", &client.mic(b"after")).unwrap();
        assert!(client.fits(b"after", &sign(&mut server, b"after")));
        let facts = server.facts();
        let ticket = facts.ticket.as_ref().unwrap();
        assert_eq!((ticket.client.as_str(), ticket.service.kvno), ("ann@EXAMPLE", 3));
        assert_eq!(facts.client_name().as_deref(), Some(r"EXAMPLE\ann"));
        assert!(ticket.pac.is_some() && facts.expiry.is_some());
    }
}

#[test]
fn without_a_reply_both_count_from_the_clients_number() {
    let (mut server, mut client) = ends(Enctype::Aes256Sha384, |site| site.client().without_mutual());
    assert!(matches!(Site::of_web().client().heard(&[]), Heard::Nothing));
    assert!(client.fits(b"words", &sign(&mut server, b"words")));
    verify(&mut server, b"words", &client.mic(b"words")).unwrap();
}
