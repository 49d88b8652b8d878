//! What an initiator believes of a server, and what anyone on the way can change.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::kerberos::crypto::Enctype;
use portcullis::kerberos::{Cause, Initiator};
use portcullis::{ContextFlags as F, Credential, ExportKey, Secret, Segment, Status, package};
use portcullis_testkit::kerberos::{Cached, LongTerm, RawKey, Site, ccache};
use portcullis_testkit::{Foretold, Meeting, Settings, meet};
use portcullis_wire::kerberos::{
    ApRep, ApReq, EncApRepPart, EncryptedData, EncryptionKey, InnerToken, KerberosTime, frame_token, recognise,
};
use portcullis_wire::spnego::{KERBEROS, NTLM, SPNEGO};

const USUAL: F = F(F::MUTUAL_AUTH.0 | F::REPLAY_DETECT.0 | F::SEQUENCE_DETECT.0 | F::CONFIDENTIALITY.0);

fn settings(site: &Site, flags: F, seed: u64) -> Settings {
    let mut settings = Settings { target: Some("HTTP/web.example".into()), ..site.settings.clone() };
    settings.server_challenge = seed.to_le_bytes();
    settings.want.flags = flags;
    settings
}

fn client(site: &Site) -> Credential {
    Credential::initiator(Initiator::from_ccache(&ccache(&[Cached::of(site.ticket("ann@EXAMPLE"))])).unwrap())
}

/// Both ends talk, and someone on the way edits.
fn edited(site: &Site, flags: F, seed: u64, edit: impl FnMut(usize, &mut Vec<u8>)) -> Meeting {
    let settings = settings(site, flags, seed);
    meet((&client(site), &settings), (&site.credential(), &site.settings), &site.keys, edit)
}

/// An AP-REP of anyone who holds `key`.
fn reply(part: &EncApRepPart<'_>, key: &RawKey, etype: i32) -> Vec<u8> {
    let (mut plain, mut message, mut out) = (Vec::new(), Vec::new(), Vec::new());
    part.encode(&mut plain);
    ApRep { enc_part: EncryptedData { etype, kvno: None, cipher: &key.seal(12, &plain, 9) } }.encode(&mut message);
    frame_token(KERBEROS, InnerToken::ApRep, &message, &mut out);
    out
}

#[test]
fn k28_a_server_must_prove_itself() {
    let site = Site::of_web();
    let session = site.ticket("ann@EXAMPLE").session;
    let now = portcullis_testkit::kerberos::NOW;
    let good = EncApRepPart { ctime: KerberosTime(now), cusec: 0, subkey: None, seq_number: Some(7) };
    let mut seed = 0;
    let mut ends = |token: Vec<u8>| {
        seed += 1;
        let meeting = edited(&site, USUAL, seed, |number, on_the_way| {
            if number == 1 {
                on_the_way.clone_from(&token);
            }
        });
        (meeting.initiator.ended(), *meeting.initiator.statuses.last().unwrap())
    };
    assert_eq!(ends(reply(&good, &session, 18)), ("ok", Status::SEC_E_OK));
    assert_eq!(ends(reply(&EncApRepPart { seq_number: None, ..good }, &session, 18)).0, "ok");
    const UNPROVED: (&str, Status) = ("kerberos/server-not-proved", Status::SEC_E_WRONG_PRINCIPAL);
    for part in [
        EncApRepPart { ctime: KerberosTime(now + 1), ..good },
        EncApRepPart { ctime: KerberosTime(now - 1), ..good },
        EncApRepPart { cusec: 1, ..good },
        EncApRepPart { cusec: 999_999, ..good },
        EncApRepPart { subkey: Some(EncryptionKey { etype: 99, value: &[1; 32] }), ..good },
        EncApRepPart { subkey: Some(EncryptionKey { etype: 18, value: &[1; 31] }), ..good },
    ] {
        assert_eq!(ends(reply(&part, &session, 18)), UNPROVED, "{part:?}");
    }
    // Whoever does not have the session key: a server without the service's key, or the service of another ticket.
    for key in [RawKey::drawn(Enctype::Aes256Sha1, 1), site.services[0].key.clone()] {
        assert_eq!(ends(reply(&good, &key, 18)), UNPROVED);
    }
    assert_eq!(ends(reply(&good, &RawKey::drawn(Enctype::Aes128Sha1, 1), 17)), UNPROVED);
    assert_eq!(ends(reply(&good, &session, 17)), UNPROVED);
}

#[test]
fn messages_that_are_not_due() {
    let site = Site::of_web();
    let other = site.client().again(70);
    let request = other.token();
    let granting = other.framed(InnerToken::TgtRep, &[0x30, 0]);
    let invalid = Status::SEC_E_INVALID_TOKEN;
    let cases = [
        (request, "kerberos/unexpected-message"),
        (other.asks_for_ticket(), "kerberos/unexpected-message"),
        (granting, "kerberos/unexpected-message"),
        (Vec::new(), "kerberos/malformed-token"),
        (b"NTLMSSP\0".to_vec(), "kerberos/malformed-token"),
        (vec![0x60, 0x80], "kerberos/malformed-token"),
    ];
    for (seed, (token, cause)) in (1..).zip(cases) {
        let meeting = edited(&site, USUAL, seed, |number, on_the_way| {
            if number == 1 {
                on_the_way.clone_from(&token);
            }
        });
        assert_eq!((meeting.initiator.ended(), *meeting.initiator.statuses.last().unwrap()), (cause, invalid));
    }
    // A good reply, in the frame of another mechanism.
    for (seed, mechanism) in (20..).zip([NTLM, SPNEGO]) {
        let meeting = edited(&site, USUAL, seed, |number, on_the_way| {
            if number == 1 {
                let mut framed = Vec::new();
                frame_token(mechanism, InnerToken::ApRep, recognise(on_the_way).unwrap().body, &mut framed);
                *on_the_way = framed;
            }
        });
        assert_eq!(meeting.initiator.ended(), "kerberos/unexpected-message");
    }
    // An initiator speaks first.
    let meeting = meet(
        (&site.credential(), &settings(&site, USUAL, 1)),
        (&client(&site), &settings(&site, USUAL, 2)),
        &site.keys,
        |_, _| {},
    );
    assert_eq!(meeting.initiator.ended(), "kerberos/malformed-token", "an acceptor is not asked with nothing");
}

/// Whatever is changed on the way is noticed by one of both, or changes nothing.
#[test]
fn every_byte_on_the_way_counts() {
    let site = Site::of_web();
    for (flags, count) in [(USUAL, 2), (USUAL | F::USE_DCE_STYLE, 3), (F::CONFIDENTIALITY, 1)] {
        let lengths: Vec<_> = edited(&site, flags, 1, |_, _| {}).messages.iter().map(Vec::len).collect();
        assert_eq!(lengths.len(), count);
        let mut seed = 100;
        for (message, length) in lengths.into_iter().enumerate() {
            for at in 0..length {
                seed += 1;
                let (mut before, mut after) = (Vec::new(), Vec::new());
                let meeting = edited(&site, flags, seed, |number, token| {
                    if number == message {
                        before.clone_from(token);
                        token[at] ^= 0x40;
                        after.clone_from(token);
                    }
                });
                let (client, server) = (&meeting.initiator.context, &meeting.acceptor.context);
                if let (Some(client), Some(server)) = (client, server) {
                    let key = |facts: &portcullis::Facts| facts.session_key.as_ref().unwrap().expose().clone();
                    assert_eq!(key(client.facts()), key(server.facts()), "message {message}, byte {at}");
                    assert_eq!(client.facts().granted, server.facts().granted);
                    assert_eq!(server.facts().ticket.as_ref().unwrap().client, "ann@EXAMPLE");
                }
                let accepted = if message == 1 { client.is_some() } else { server.is_some() };
                if accepted {
                    assert_eq!(ciphers(&before), ciphers(&after), "message {message}, byte {at}");
                }
            }
        }
    }
}

/// What is under keys in a message.
fn ciphers(token: &[u8]) -> Vec<Vec<u8>> {
    let message = recognise(token).unwrap();
    match message.kind {
        InnerToken::ApReq => {
            let request = ApReq::decode(message.body).unwrap();
            vec![request.ticket.enc_part.cipher.to_vec(), request.authenticator.cipher.to_vec()]
        }
        InnerToken::ApRep => vec![ApRep::decode(message.body).unwrap().enc_part.cipher.to_vec()],
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_required_and_cannot_be_had() {
    let site = Site::of_web();
    let mut wants = settings(&site, USUAL, 1);
    wants.want.required = F::DELEGATE; // there is no ticket to be forwarded in the cache
    for flags in [USUAL, F::NONE] {
        wants.want.flags = flags;
        let meeting = meet((&client(&site), &wants), (&site.credential(), &site.settings), &site.keys, |_, _| {});
        assert_eq!(meeting.initiator.ended(), "call/requirement-not-met");
    }
    let mut small = settings(&site, USUAL, 2);
    small.room = Some(100);
    let meeting = meet((&client(&site), &small), (&site.credential(), &site.settings), &site.keys, |_, _| {});
    assert_eq!(meeting.initiator.ended(), "call/no-room");
    assert!(meeting.messages.is_empty());
}

#[test]
fn an_error_is_read_with_care() {
    let site = Site::of_web();
    let mut refusing = Site::of_web();
    refusing.keys = portcullis_testkit::kerberos::Keys::of(&[LongTerm::of("HTTP/x@EXAMPLE", 3, Enctype::Aes256Sha1)]);
    let error = edited(&refusing, USUAL, 1, |_, _| {}).messages[1].clone();
    for at in 0..error.len() {
        let (mut cut, mut flipped) = (error[..at].to_vec(), error.clone());
        flipped[at] ^= 0x11;
        for token in [&mut cut, &mut flipped] {
            let meeting = edited(&site, USUAL, at as u64, |number, on_the_way| {
                if number == 1 {
                    on_the_way.clone_from(token);
                }
            });
            // An error that says nothing but the clock is answered, and everything else is the end.
            assert!(meeting.initiator.context.is_none() || meeting.messages.len() > 2);
        }
    }
    let refused = edited(&refusing, USUAL, 7, |_, _| {}).initiator.cause;
    assert_eq!(refused, Some(Cause::ServerRefused(41).into()));
}

/// Both ends go on in other processes, in the middle of their messages.
#[test]
fn both_ends_go_on_elsewhere() {
    for enctype in Enctype::ALL {
        let site = Site::of_enctype(enctype);
        for flags in [USUAL, USUAL | F::USE_DCE_STYLE] {
            let meeting = edited(&site, flags, u64::from(flags.0), |_, _| {});
            let (client, server) = (meeting.initiator.context.unwrap(), meeting.acceptor.context.unwrap());
            let mut ends = [client, server];
            let key = ExportKey::new(Secret::new([3; 32]));
            for turn in 0..4_u8 {
                for _ in 0..2 {
                    let [from, to] = &mut ends;
                    let (mut data, mut token) = (vec![turn; 50], vec![0; 200]);
                    let len = from.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
                    to.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut token[..len])]).unwrap();
                    assert_eq!(data, vec![turn; 50], "{enctype:?}");
                    ends.reverse();
                }
                ends = ends.map(|end| {
                    let blob = end.export(&key, &mut Foretold::seeded(turn.into()), false).unwrap();
                    let back = portcullis::Context::import(&package::KERBEROS, &key, &blob).unwrap();
                    let (was, is) = (end.facts().ticket.as_ref().unwrap(), back.facts().ticket.as_ref().unwrap());
                    assert_eq!(format!("{was:?}"), format!("{is:?}"));
                    back
                });
            }
        }
    }
}
