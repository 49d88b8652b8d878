//! What the client is told: AP-REP and KRB-ERROR, and how it gets in after its clock was wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::{ContextFlags, Status};
use portcullis_testkit::kerberos::{Asks, Checksum, Client, Frame, Heard, NOW, Name, SKEW, Site};
use portcullis_testkit::{Broken, Host, hex};
use portcullis_wire::der::Oid;
use portcullis_wire::kerberos::gss_flag;
use portcullis_wire::spnego::{KERBEROS, KERBEROS_MICROSOFT, KERBEROS_USER_TO_USER, NTLM, SPNEGO};

const SKEWED: Status = Status::SEC_E_TIME_SKEW;
const CONTINUE: Status = Status::SEC_I_CONTINUE_NEEDED;

#[test]
fn the_reply_proves_the_server_and_wears_the_requests_frame() {
    let site = Site::of_web();
    for (seed, oid) in (1..).zip([KERBEROS, KERBEROS_MICROSOFT, KERBEROS_USER_TO_USER]) {
        let client = Client { frame: Frame::Gss(oid), ..site.client() }.again(seed);
        let outcome = site.hears(&client);
        assert_eq!(outcome.statuses, [Status::SEC_E_OK]);
        let reply = client.heard(&outcome.output).reply();
        assert_eq!(reply.mechanism.as_deref(), Some(oid.0));
        assert_eq!((reply.time, reply.micros), (client.time, client.micros));
        // Some peers take a number with its highest bit set for a negative one.
        assert!(reply.seq.unwrap() < 1 << 30);
        // And so does an error.
        let mut wrong = client.again(seed);
        wrong.ticket.end_time = 0;
        let refused = wrong.heard(&site.hears(&wrong).output).refused();
        assert_eq!(refused.mechanism.as_deref(), Some(oid.0));
    }
    let bare = site.client().dce().again(50);
    let reply = bare.heard(&site.hears(&bare).messages[1]).reply();
    assert_eq!(reply.mechanism, None);
}

#[test]
fn no_wish_no_reply() {
    let site = Site::of_web();
    let silent = site.client().without_mutual();
    let outcome = site.hears(&silent);
    assert_eq!((outcome.statuses.as_slice(), outcome.output.as_slice()), (&[Status::SEC_E_OK][..], &[][..]));
    let granted = outcome.context.unwrap().facts().granted;
    assert!(!granted.contains(ContextFlags::MUTUAL_AUTH) && granted.contains(ContextFlags::CONFIDENTIALITY));
}

/// RFC 4120 §5.9.1, MS-KILE 2.2.2: what stands in an error, byte for byte.
#[test]
fn k28_an_error_says_what_the_client_can_use() {
    let site = Site::of_web();
    let client = Client { time: NOW - SKEW - 1, ..site.client() };
    let outcome = site.hears(&client);
    let refused = client.heard(&outcome.output).refused();
    assert_eq!((refused.code, refused.time, refused.micros), (37, NOW, 0));
    assert_eq!(refused.service, "HTTP/web.example@EXAMPLE");
    assert_eq!(refused.text, "SEC_E_TIME_SKEW");
    assert_eq!(refused.data, Some(hex::bytes("30 05 a1 03 02 01 02")));
    let expected = "608181 06092a864886f712010202 0300 7e72 3070 a003020105 a10302011e \
                    a411180f32303236303130313030303030305a a503020100 a603020125 a9091b074558414d504c45 \
                    aa1e301c a003020102 a1153013 1b0448545450 1b0b7765622e6578616d706c65 \
                    ab111b0f5345435f455f54494d455f534b4557 ac090407 3005a103020102";
    assert_eq!(hex::encode(&outcome.output), hex::encode(&hex::bytes(expected)));
    // Another error has no data.
    let mut expired = site.client();
    expired.ticket.end_time = NOW - SKEW - 1;
    expired.ticket.service = Name::service("HTTP/elsewhere@OTHER");
    let refused = expired.heard(&site.hears(&expired).output).refused();
    assert_eq!((refused.code, refused.data, refused.text.as_str()), (32, None, "SEC_E_CONTEXT_EXPIRED"));
    assert_eq!(refused.service, "HTTP/elsewhere@OTHER", "the name that the client knows it by");
}

/// Only who asked for the server's proof, or speaks without frames, or whose host wants errors told, is told.
#[test]
fn k28_who_is_told() {
    let told = |change: fn(&mut Client), wants: bool| {
        let mut site = Site::of_web();
        if wants {
            site.settings.want.flags = ContextFlags::EXTENDED_ERROR;
        }
        let mut client = site.client();
        client.ticket.end_time = 0;
        change(&mut client);
        let outcome = site.hears(&client);
        assert_eq!(outcome.statuses, [Status::SEC_E_CONTEXT_EXPIRED]);
        client.heard(&outcome.output).error_code() == Some(32)
    };
    let silent: fn(&mut Client) = |client| (client.options, client.checksum) = (0, Checksum::Gss(Asks::of(0)));
    assert!(told(|_| {}, false));
    assert!(!told(silent, false));
    assert!(told(silent, true));
    assert!(told(|client| (client.options, client.frame) = (0, Frame::Bare), false));
}

#[test]
fn a_client_of_another_clock_gets_in_at_its_second_try() {
    let mut site = Site::of_web();
    site.settings.want.flags = ContextFlags::EXTENDED_ERROR;
    for (seed, apart) in (1..).zip([SKEW + 1, -SKEW - 1, 86_400 * 365, -86_400 * 365]) {
        let wrong = Client { time: NOW + apart, ..site.client() }.again(seed);
        let (mut said, mut heard) = (0, Vec::new());
        let outcome = site.talks(|reply| {
            said += 1;
            match said {
                1 => Some(wrong.token()),
                2 => {
                    let refused = wrong.heard(reply).refused();
                    assert_eq!((refused.code, refused.data), (37, Some(hex::bytes("3005a103020102"))));
                    let client = Client { time: refused.time, micros: refused.micros, ..wrong.clone() };
                    heard.push(client.clone());
                    Some(client.again(seed + 100).token())
                }
                _ => None,
            }
        });
        assert_eq!(outcome.statuses, [CONTINUE, Status::SEC_E_OK]);
        let reply = heard[0].heard(&outcome.output).reply();
        assert_eq!((reply.time, reply.micros), (NOW, 0), "the reply is to the second request");
    }
    assert_eq!(site.keys.remembered(), 4, "only those that were good are remembered");
}

#[test]
fn a_second_wrong_clock_is_the_last() {
    let mut site = Site::of_web();
    site.settings.want.flags = ContextFlags::EXTENDED_ERROR;
    let client = site.client();
    let wrong = |seed| Client { time: NOW + SKEW + 1, ..client.clone() }.again(seed);
    let outcome = site.hears_tokens(&[wrong(1).token(), wrong(2).token(), site.client().token()]);
    assert_eq!((outcome.statuses.as_slice(), outcome.cause_name()), (&[CONTINUE, SKEWED][..], "kerberos/clock-skew"));
    assert_eq!(site.client().heard(&outcome.output).error_code(), Some(37));
    // What is wrong at the second try for another reason has its own.
    let mut expired = site.client();
    expired.ticket.end_time = 0;
    let outcome = site.hears_tokens(&[wrong(3).token(), expired.token()]);
    assert_eq!(outcome.cause_name(), "kerberos/ticket-expired");
    // Only a clock may be corrected.
    let outcome = site.hears_tokens(&[expired.token(), site.client().token()]);
    assert_eq!(outcome.statuses, [Status::SEC_E_CONTEXT_EXPIRED]);
    // Where the host does not want errors told, there is one try.
    site.settings.want.flags = ContextFlags::NONE;
    let outcome = site.hears_tokens(&[wrong(4).token(), site.client().token()]);
    assert_eq!(outcome.statuses, [SKEWED]);
    assert_eq!(site.client().heard(&outcome.output).error_code(), Some(37));
}

#[test]
fn messages_that_are_not_due() {
    let site = Site::of_web();
    let client = site.client();
    let outcome = site.hears(&client);
    let error = {
        let mut expired = site.client();
        expired.ticket.end_time = 0;
        site.hears(&expired).output
    };
    let other = |oid: Oid<'static>| Client { frame: Frame::Gss(oid), ..site.client() }.token();
    let invalid = Status::SEC_E_INVALID_TOKEN;
    for token in
        [outcome.output, error, client.third_saying(Some(1), &client.ticket.session), other(SPNEGO), other(NTLM)]
    {
        let outcome = site.hears_tokens(&[token]);
        assert_eq!(
            (outcome.cause_name(), outcome.statuses.as_slice()),
            ("kerberos/unexpected-message", &[invalid][..])
        );
        assert!(outcome.output.is_empty());
    }
}

#[test]
fn a_buffer_that_is_just_large_enough() {
    let mut site = Site::of_web();
    let least = site.credential().begin().least_room(site.settings.want);
    for room in [0, 1, least - 1] {
        site.settings.room = Some(room);
        let outcome = site.hears(&site.client());
        assert_eq!((outcome.cause_name(), outcome.status()), ("call/no-room", Status::SEC_E_BUFFER_TOO_SMALL));
        assert!(outcome.output.is_empty());
    }
    assert_eq!(site.keys.remembered(), 0);
    site.settings.room = Some(least);
    for enctype in portcullis::kerberos::crypto::Enctype::ALL {
        let mut site = Site::of_enctype(enctype);
        site.settings.room = Some(least);
        site.config.danger_accept_rc4 = true;
        // The longest keys that can be asked for.
        for (seed, wish) in (1..).zip([20, 18, 26]) {
            let client = Client { enctypes: vec![wish], ..site.client() }.again(seed);
            let outcome = site.hears(&client);
            assert_eq!(outcome.cause_name(), "ok", "{enctype:?}: {} bytes", outcome.output.len());
            assert!(outcome.output.len() <= least);
        }
        let dce = site.client().dce().again(9);
        assert!(matches!(dce.heard(&site.hears(&dce).messages[1]), Heard::Reply(_)));
    }
}

/// A client that wants no proof is let in with nothing written, whatever the room.
#[test]
fn who_is_told_nothing_needs_no_room() {
    let mut site = Site::of_web();
    site.settings.room = Some(0);
    let outcome = site.hears(&site.client().without_mutual());
    assert_eq!((outcome.cause_name(), outcome.output.as_slice()), ("ok", &[][..]));
}

#[test]
fn a_broken_source_of_randomness() {
    let site = Site::of_web();
    let mut host = Host::new(&site.settings, Broken);
    let token = site.client().asking(Client::FLAGS & !gss_flag::MUTUAL).token();
    let mut at = host.call(|call| site.credential().begin().token(&token, call));
    while let Some(portcullis::Handshake::NeedsAnswer(asking)) = at {
        at = host.call(|call| asking.ask(&site.keys, call));
    }
    let outcome = host.finish();
    assert_eq!((outcome.cause_name(), outcome.status()), ("call/no-randomness", Status::SEC_E_INTERNAL_ERROR));
    assert_eq!(site.keys.remembered(), 0);
}
