//! DCE style: messages without frames, three of them (MS-KILE 3.4.5.1).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::kerberos::crypto::Enctype;
use portcullis::{ContextFlags, Status};
use portcullis_testkit::Outcome;
use portcullis_testkit::kerberos::{Client, Frame, RawKey, Reply, Site};
use portcullis_wire::kerberos::{ApRep, EncryptedData, InnerToken, frame_token, gss_flag};
use portcullis_wire::spnego::KERBEROS;

const CONTINUE: Status = Status::SEC_I_CONTINUE_NEEDED;
const INVALID: Status = Status::SEC_E_INVALID_TOKEN;
const DENIED: Status = Status::SEC_E_LOGON_DENIED;

/// A conversation whose third message is made from the second.
fn three(site: &Site, client: &Client, third: impl FnOnce(&Reply) -> Vec<u8>) -> Outcome {
    let (mut first, mut third) = (Some(client.token()), Some(third));
    site.talks(|reply| match first.take() {
        Some(first) => Some(first),
        None => third.take().map(|third| third(&client.heard(reply).reply())),
    })
}

fn dce(site: &Site, seed: u64) -> Client {
    site.client().dce().again(seed)
}

#[test]
fn three_messages_and_a_context() {
    for enctype in Enctype::ALL {
        let site = Site::of_enctype(enctype);
        let client = dce(&site, 1);
        let outcome = three(&site, &client, |reply| client.third(reply));
        assert_eq!(outcome.statuses, [CONTINUE, Status::SEC_E_OK], "{enctype:?}");
        assert!(outcome.output.is_empty(), "the client had the last word");
        let context = outcome.context.unwrap();
        let granted = context.facts().granted;
        assert!(granted.contains(ContextFlags::USE_DCE_STYLE | ContextFlags::MUTUAL_AUTH));
        let reply = client.heard(&outcome.messages[1]).reply();
        // In this style RC4 too goes on with a sub-key of the server's.
        assert_eq!(*context.facts().session_key.as_ref().unwrap().expose(), reply.subkey.unwrap().value);
        assert_eq!(reply.mechanism, None);
    }
}

#[test]
fn the_flag_makes_the_style() {
    let site = Site::of_web();
    let framed = Client { frame: Frame::Gss(KERBEROS), ..dce(&site, 1) };
    let bare = Client { frame: Frame::Bare, ..site.client() }.again(2);
    // Some clients forget the wish for a proof.
    let forgetful = Client { options: 0, ..dce(&site, 3).asking(gss_flag::DCE_STYLE | gss_flag::INTEG) };
    for client in [framed, forgetful] {
        let outcome = three(&site, &client, |reply| client.third(reply));
        assert_eq!(outcome.statuses, [CONTINUE, Status::SEC_E_OK]);
        let granted = outcome.context.as_ref().unwrap().facts().granted;
        assert!(granted.contains(ContextFlags::USE_DCE_STYLE | ContextFlags::MUTUAL_AUTH));
        assert_eq!(client.heard(&outcome.messages[1]).reply().mechanism.is_some(), client.frame != Frame::Bare);
    }
    // Without the flag a missing frame is only that: the reply has none either, and nothing follows it.
    let outcome = site.hears(&bare);
    assert_eq!(outcome.status(), Status::SEC_E_OK);
    assert!(!outcome.context.as_ref().unwrap().facts().granted.contains(ContextFlags::USE_DCE_STYLE));
    assert_eq!(bare.heard(&outcome.output).reply().mechanism, None);
}

#[test]
fn a_third_message_that_does_not_fit() {
    let site = Site::of_web();
    let mut seed = 0;
    let mut ends = |third: &dyn Fn(&Client, &Reply) -> Vec<u8>| {
        seed += 1;
        let client = dce(&site, seed);
        let outcome = three(&site, &client, |reply| third(&client, reply));
        assert!(outcome.context.is_none());
        (outcome.cause_name(), outcome.status())
    };
    const WRONG: (&str, Status) = ("kerberos/third-leg-wrong", DENIED);
    let session = |client: &Client| client.ticket.session.clone();
    for off in [1, u32::MAX, 1 << 31] {
        let end =
            ends(&|client, reply| client.third_saying(reply.seq.map(|seq| seq.wrapping_add(off)), &session(client)));
        assert_eq!(end, WRONG);
    }
    assert_eq!(ends(&|client, _| client.third_saying(None, &session(client))), WRONG);
    assert_eq!(ends(&|client, _| client.third_saying(client.seq, &session(client))), WRONG, "the client's own number");
    assert_eq!(ends(&|client, reply| client.third_saying(reply.seq, client.subkey.as_ref().unwrap())), WRONG);
    assert_eq!(ends(&|client, reply| client.third_saying(reply.seq, reply.subkey.as_ref().unwrap())), WRONG);
    for enctype in Enctype::ALL {
        let other = RawKey::drawn(enctype, 3);
        assert_eq!(ends(&|client, reply| client.third_saying(reply.seq, &other)), WRONG);
    }
    const UNDUE: (&str, Status) = ("kerberos/unexpected-message", INVALID);
    assert_eq!(ends(&|client, _| client.token()), UNDUE, "a request again");
    assert_eq!(ends(&|client, _| client.framed(InnerToken::KrbError, &[0x7e, 0])), UNDUE);
    const MALFORMED: (&str, Status) = ("kerberos/malformed-token", INVALID);
    for token in [&b""[..], b"\0", b"NTLMSSP\0", &[0x6f], &[0x6f, 0x80, 0, 0], &[0x60, 0x02, 0x06, 0x00]] {
        assert_eq!(ends(&|_, _| token.to_vec()), MALFORMED, "{token:02x?}");
    }
}

/// The server's own reply is under the right key and has the right number: whoever sends it back proves nothing.
#[test]
fn the_reply_sent_back() {
    let site = Site::of_web();
    let reflects = |seed: u64, change: fn(&[u8]) -> Vec<u8>| {
        let client = dce(&site, seed);
        let (mut first, mut left) = (Some(client.token()), 1);
        let outcome = site.talks(|reply| match first.take() {
            Some(first) => Some(first),
            None => (left > 0).then(|| {
                left -= 1;
                change(reply)
            }),
        });
        assert_eq!(outcome.statuses, [CONTINUE, DENIED]);
        assert_eq!(outcome.cause_name(), "kerberos/third-leg-wrong");
    };
    reflects(1, <[u8]>::to_vec);
    // In a frame, or with what nobody signs written otherwise.
    reflects(2, |reply| {
        let mut out = Vec::new();
        frame_token(KERBEROS, InnerToken::ApRep, reply, &mut out);
        out
    });
    reflects(3, |reply| {
        let EncryptedData { etype, cipher, .. } = ApRep::decode(reply).unwrap().enc_part;
        let mut out = Vec::new();
        ApRep { enc_part: EncryptedData { etype, kvno: Some(1), cipher } }.encode(&mut out);
        out
    });
}

#[test]
fn every_byte_of_the_third_message_counts() {
    let site = Site::of_web();
    let sample = {
        let client = dce(&site, 9);
        three(&site, &client, |reply| client.third(reply)).messages[2].clone()
    };
    let mut seed = 1000;
    for at in 0..sample.len() {
        seed += 2;
        let client = dce(&site, seed);
        let flipped = three(&site, &client, |reply| {
            let mut token = client.third(reply);
            token[at] ^= 0x10;
            token
        });
        assert!(flipped.context.is_none(), "byte {at} may be anything");
        let client = dce(&site, seed + 1);
        let cut = three(&site, &client, |reply| client.third(reply)[..at].to_vec());
        assert_eq!((cut.cause_name(), cut.status()), ("kerberos/malformed-token", INVALID), "cut to {at}");
    }
    let client = dce(&site, 5);
    let glued = three(&site, &client, |reply| [client.third(reply), vec![0]].concat());
    assert_eq!(glued.cause_name(), "kerberos/malformed-token");
}

#[test]
fn errors_have_no_frame_either() {
    let site = Site::of_web();
    let mut client = dce(&site, 1);
    client.ticket.end_time = 0;
    let outcome = site.refuses(&client, "kerberos/ticket-expired", Status::SEC_E_CONTEXT_EXPIRED, Some(32));
    assert_eq!(outcome.output[0], 0x7e, "KRB-ERROR itself");
}
