use super::*;
use portcullis::kerberos::crypto::Enctype;
use portcullis::kerberos::{
    ConfirmPac, OpenTicket, PacPolicy, PacSignature, PacVerdict, SeenBefore, Service, ServiceNames,
};
use portcullis::{Cause, Claim, Group, Refusal, Sid, kerberos};
use std::time::{Duration, SystemTime};

fn account() -> Account {
    Account {
        sid: Sid::new(5, &[21, 1, 2, 3, 1001]),
        name: "jörg".into(),
        domain: "CORP".into(),
        dns_domain: "corp.example".into(),
        upn: Some("jörg@corp.example".into()),
        display_name: None,
        mail: Some(String::new()),
        groups: vec![Group { sid: Sid::new(5, &[32, 545]).unwrap(), name: "Users".into() }],
        logoff_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)),
        password_expires_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000)),
    }
}

fn requests() -> Vec<Question> {
    let claim = || Claim::new("ann", "CORP", "PC1", "HTTP/web1");
    let message = b"NTLMSSP\0\x03\0\0\0 and so on".to_vec();
    vec![
        Question::VerifyNtlm(VerifyNtlm::new(claim(), [7; 8], Some([192, 0, 2, 1].into()), message, Form::V1Ess)),
        Question::VerifyPassword(VerifyPassword::new(claim(), Secret::new("pässword".into()), Some([1; 16].into()))),
        Question::VerifyPassword(VerifyPassword::new(Claim::default(), Secret::new("x".into()), None)),
        Question::FindAccount(FindAccount::new(
            claim(),
            Some([192, 0, 2, 1].into()),
            b"0\x03\x02\x01\0".to_vec(),
            true,
        )),
        Question::FindAccount(FindAccount::new(Claim::default(), None, Vec::new(), false)),
        Question::OpenTicket(OpenTicket::new(
            claim(),
            Some([192, 0, 2, 1].into()),
            Arc::new(ServiceNames::List(vec!["HTTP/web1".into(), "ldap/web1@CORP".into()])),
            PacPolicy::Require,
            true,
            b"a\x03\x02\x01\x05".to_vec(),
        )),
        open_ticket(PacPolicy::Ignore),
        open_ticket(PacPolicy::VerifyIfPresent),
        Question::ConfirmPac(ConfirmPac::new(
            claim(),
            None,
            "HTTP/web1@CORP".into(),
            vec![1; 12],
            PacSignature { checksum_type: -138, checksum: vec![2; 16] },
        )),
        Question::SeenBefore(SeenBefore::new(claim(), Some([1; 16].into()), [7; 16], moment(1), moment(999_999_999))),
    ]
}

fn open_ticket(pac: PacPolicy) -> Question {
    Question::OpenTicket(OpenTicket::new(Claim::default(), None, Arc::new(ServiceNames::Any), pac, false, Vec::new()))
}

fn moment(nanos: u32) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_800_000_000, nanos)
}

fn opened(pac: PacVerdict) -> Reply {
    let service =
        Service { principal: "HTTP/web1@CORP".into(), kvno: 300, enctype: Enctype::Aes256Sha1, key_id: [9; 16] };
    Reply::Opened(Box::new(OpenedTicket::vouched_for(Secret::new(vec![0x63; 2000]), service, pac)))
}

fn denied(cause: impl Into<Cause>) -> Denied {
    Denied { cause: cause.into(), detail: "wanted kvno 3, held kvno 2 – ä".into() }
}

fn replies() -> Vec<Reply> {
    vec![
        Reply::Accepted(Secret::new([5; 16]), Arc::new(account())),
        opened(PacVerdict::Verified),
        opened(PacVerdict::Unused),
        Reply::Pac { asked: true },
        Reply::Pac { asked: false },
        Reply::Fresh,
        Reply::Refused(denied(Refusal::LockedOut)),
        Reply::Is(true),
        Reply::Is(false),
        Reply::Domain(DomainNames { netbios: "CORP".into(), dns: "corp.example".into() }),
        Reply::Done,
        Reply::Failed,
    ]
}

#[test]
fn questions_arrive_as_they_were_asked() {
    for question in requests() {
        let bytes = Request::Ask(Asked::Borrowed(&question)).encode(9).unwrap();
        let (id, Request::Ask(Asked::Owned(received))) = decode_request(&bytes).unwrap() else { panic!() };
        assert_eq!((id, received.claim(), received.peer()), (9, question.claim(), question.peer()));
        match (&question, &received) {
            (Question::VerifyNtlm(a), Question::VerifyNtlm(b)) => {
                assert_eq!((a.server_challenge, a.form(), a.message()), (b.server_challenge, b.form(), b.message()));
            }
            (Question::VerifyPassword(a), Question::VerifyPassword(b)) => {
                assert_eq!(a.password.expose(), b.password.expose());
            }
            (Question::FindAccount(a), Question::FindAccount(b)) => {
                assert_eq!((a.certificate(), a.may_name_sid()), (b.certificate(), b.may_name_sid()));
            }
            (Question::OpenTicket(a), Question::OpenTicket(b)) => {
                assert_eq!((&a.services, a.pac, a.danger_accept_rc4), (&b.services, b.pac, b.danger_accept_rc4));
                assert_eq!(a.ticket(), b.ticket());
            }
            (Question::ConfirmPac(a), Question::ConfirmPac(b)) => {
                assert_eq!(a.service, b.service);
                assert_eq!((&a.server_signature, &a.kdc_signature), (&b.server_signature, &b.kdc_signature));
            }
            (Question::SeenBefore(a), Question::SeenBefore(b)) => {
                assert_eq!((a.tag, a.now, a.until), (b.tag, b.now, b.until));
            }
            _ => panic!("another kind arrived"),
        }
    }
    for (request, kind) in [
        (Request::Domain, DOMAIN),
        (Request::Health, HEALTH),
        (Request::OpensTickets, OPENS_TICKETS),
        (Request::Write(b"{}\n"), WRITE),
    ] {
        assert_eq!(request.encode(1).unwrap()[8], kind);
    }
}

#[test]
fn replies_arrive_as_they_were_given() {
    let bytes = Reply::Accepted(Secret::new([5; 16]), Arc::new(account())).encode(3);
    let (3, Reply::Accepted(key, received)) = decode_reply(&bytes).unwrap() else { panic!() };
    assert_eq!((key.expose(), received), (&[5; 16], Arc::new(account())));
    for verdict in [PacVerdict::Verified, PacVerdict::Unused] {
        let (Reply::Opened(given), (4, Reply::Opened(received))) =
            (opened(verdict), decode_reply(&opened(verdict).encode(4)).unwrap())
        else {
            panic!()
        };
        assert_eq!((received.service(), received.pac()), (given.service(), verdict));
        assert_eq!(received.part().expose(), given.part().expose());
    }
    for asked in [true, false] {
        let (_, Reply::Pac { asked: received }) = decode_reply(&Reply::Pac { asked }.encode(1)).unwrap() else {
            panic!()
        };
        assert_eq!(received, asked);
    }
    assert!(matches!(decode_reply(&Reply::Fresh.encode(1)), Ok((1, Reply::Fresh))));
    assert!(matches!(decode_reply(&Reply::Is(true).encode(1)), Ok((1, Reply::Is(true)))));
}

fn arrived(denied: &Denied) -> Denied {
    let (_, Reply::Refused(received)) = decode_reply(&Reply::Refused(denied.clone()).encode(1)).unwrap() else {
        panic!()
    };
    received
}

#[test]
fn refusals_arrive_with_their_cause_and_detail() {
    for refusal in Refusal::ALL {
        assert_eq!(arrived(&denied(refusal)), denied(refusal));
    }
    // Whatever the library's functions give an authority to answer with.
    let mut known = 0;
    for name in kerberos::Cause::TABLE.iter().map(|row| row.name) {
        if let Some(cause) = kerberos::Cause::of_an_authority(name) {
            assert_eq!(arrived(&denied(cause)), denied(cause));
            known += 1;
        }
    }
    assert!(known >= 14, "{known}");
    let error = Error::new(77, "enc-part", Kind::Truncated);
    let at = Error::new(77, "ticket", Kind::Unexpected);
    let received = arrived(&denied(kerberos::Cause::Malformed(error)));
    assert_eq!(received.cause, kerberos::Cause::Malformed(at).into());
    assert_eq!(received.detail, format!("{error}; {}", denied(Refusal::LockedOut).detail));
    let received = arrived(&kerberos::Cause::PacMalformed(error).into());
    assert_eq!(received.cause, kerberos::Cause::PacMalformed(Error { field: "PAC", ..at }).into());
    assert_eq!(received.detail, error.to_string());
    // A text that nobody reads to its end is cut, between two characters.
    let long = Denied { cause: Refusal::LockedOut.into(), detail: "xä".repeat(4000) };
    let detail = arrived(&long).detail;
    assert!(long.detail.starts_with(&detail) && detail.len() > 4090 && detail.len() <= 4096, "{}", detail.len());
}

/// What opens a context is in the reply's buffer once: it does not grow while it is written.
#[test]
fn a_ticket_is_not_left_behind_by_a_growing_buffer() {
    let reply = opened(PacVerdict::Verified);
    let Reply::Opened(ticket) = &reply else { panic!() };
    assert!(reply.encode(1).len() <= super::ticket::opened_len(ticket));
}

/// FILETIME ends in the year 30828; what ends later is the same as what never ends.
#[test]
fn times_that_cannot_be_written_are_never() {
    let late = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(1 << 40));
    let account = Account { logoff_at: late, password_expires_at: late, ..account() };
    let bytes = Reply::Accepted(Secret::new([5; 16]), Arc::new(account)).encode(3);
    let (_, Reply::Accepted(_, received)) = decode_reply(&bytes).unwrap() else { panic!() };
    assert_eq!((received.logoff_at, received.password_expires_at), (None, None));
}

#[test]
fn what_is_cut_or_has_a_tail_is_an_error() {
    let mut whole: Vec<Bytes> =
        requests().iter().map(|question| Request::Ask(Asked::Borrowed(question)).encode(9).unwrap()).collect();
    whole.push(Request::Write(b"{}\n").encode(1).unwrap());
    for bytes in &whole {
        for len in 0..bytes.len() {
            assert!(decode_request(&bytes[..len]).is_err(), "{len}");
        }
        assert_eq!(decode_request(&[&bytes[..], b"\0"].concat()).unwrap_err().field, "end");
    }
    for reply in replies() {
        let bytes = reply.encode(3);
        for len in 0..bytes.len() {
            assert!(decode_reply(&bytes[..len]).is_err(), "{reply:?} {len}");
        }
        assert_eq!(decode_reply(&[&bytes[..], b"\0"].concat()).unwrap_err().field, "end");
    }
    // The cause's name stands behind the id, the kind and its length.
    let mut unknown = Reply::Refused(denied(Refusal::LockedOut)).encode(1);
    unknown[13] = b'!';
    assert_eq!(decode_reply(&unknown).unwrap_err().field, "refusal");
}

#[test]
fn values_that_are_none_are_errors() {
    let question = |services: &[&str]| {
        let services = ServiceNames::List(services.iter().map(|&name| name.to_owned()).collect());
        let asked = OpenTicket::new(Claim::default(), None, Arc::new(services), PacPolicy::Ignore, false, vec![1]);
        Request::Ask(Asked::Borrowed(&Question::OpenTicket(asked))).encode(1).unwrap()
    };
    assert!(decode_request(&question(&["x"; 1024])).is_ok());
    let error = decode_request(&question(&["x"; 1025])).unwrap_err();
    assert_eq!((error.field, error.kind), ("services", Kind::TooLarge));
    // Id, kind, four empty texts, no peer, no list: then the PAC policy and whether RC4 is taken.
    let mut asked = Request::Ask(Asked::Borrowed(&open_ticket(PacPolicy::Ignore))).encode(1).unwrap();
    for (at, field) in [(26, "services"), (27, "PAC policy"), (28, "accept RC4")] {
        let before = std::mem::replace(&mut asked[at], 3);
        assert_eq!(decode_request(&asked).unwrap_err().field, field);
        asked[at] = before;
    }
    assert!(decode_request(&asked).is_ok());
    let seen = SeenBefore::new(Claim::default(), None, [7; 16], moment(0), moment(0));
    let bytes = Request::Ask(Asked::Borrowed(&Question::SeenBefore(seen))).encode(1).unwrap();
    for (at, value) in [(bytes.len() - 1, 0xff), (bytes.len() - 5, 0xff)] {
        let mut changed = bytes.to_vec();
        changed[at] = value;
        assert_eq!(decode_request(&changed).unwrap_err().field, "until", "nanoseconds, seconds");
    }
}

/// No byte of a message makes a decoder panic, whatever it is changed to.
#[test]
fn no_changed_byte_panics() {
    let mut messages: Vec<Bytes> = replies().iter().map(|reply| reply.encode(3)).collect();
    messages.extend(requests().iter().map(|question| Request::Ask(Asked::Borrowed(question)).encode(9).unwrap()));
    for message in messages {
        for at in 0..message.len().min(400) {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = message.to_vec();
                changed[at] = value;
                let _ = decode_reply(&changed);
                let _ = decode_request(&changed);
            }
        }
    }
}
