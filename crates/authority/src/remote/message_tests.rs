use super::*;
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
            _ => panic!("another kind arrived"),
        }
    }
    for (request, kind) in [(Request::Domain, DOMAIN), (Request::Health, HEALTH), (Request::Write(b"{}\n"), WRITE)] {
        assert_eq!(request.encode(1).unwrap()[8], kind);
    }
}

#[test]
fn replies_arrive_as_they_were_given() {
    let bytes = Reply::Accepted(Secret::new([5; 16]), Arc::new(account())).encode(3);
    let (3, Reply::Accepted(key, received)) = decode_reply(&bytes).unwrap() else { panic!() };
    assert_eq!((key.expose(), received), (&[5; 16], Arc::new(account())));
    for refusal in Refusal::ALL {
        let (_, Reply::Refused(received)) = decode_reply(&Reply::Refused(refusal).encode(1)).unwrap() else { panic!() };
        assert_eq!(received, refusal);
    }
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
    let reply = Reply::Accepted(Secret::new([5; 16]), Arc::new(account())).encode(3);
    for len in 0..reply.len() {
        assert!(decode_reply(&reply[..len]).is_err(), "{len}");
    }
    let mut unknown = Reply::Refused(Refusal::LockedOut).encode(1);
    *unknown.last_mut().unwrap() = b'!';
    assert_eq!(decode_reply(&unknown).unwrap_err().field, "refusal");
}

/// No byte of a message makes a decoder panic, whatever it is changed to.
#[test]
fn no_changed_byte_panics() {
    let reply = Reply::Accepted(Secret::new([5; 16]), Arc::new(account())).encode(3);
    for at in 0..reply.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut changed = reply.to_vec();
            changed[at] = value;
            let _ = decode_reply(&changed);
            let _ = decode_request(&changed);
        }
    }
}
