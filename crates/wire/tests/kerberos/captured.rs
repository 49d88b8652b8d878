//! What MIT's client, acceptor and issuer said to each other, and what of it was encrypted.

use crate::samples::captured;
use portcullis_wire::kerberos::*;
use portcullis_wire::spnego::KERBEROS;

const REALM: &[u8] = b"EXAMPLE.TEST";
/// 2026-11-25 17:00:21 UTC.
const AT: KerberosTime = KerberosTime(0x6b07_1425);

fn text(name: &PrincipalName<'_>, realm: &[u8]) -> String {
    PrincipalText { name: *name, realm }.to_string()
}

#[test]
fn a_request_with_delegation() {
    let token = captured("deleg request");
    let read = recognise(&token).unwrap();
    assert_eq!((read.mechanism, read.kind), (Some(KERBEROS), InnerToken::ApReq));
    let message = ApReq::decode(read.body).unwrap();
    assert_eq!(message.options, ApReq::MUTUAL_REQUIRED);
    let Ticket { realm, sname, enc_part, .. } = message.ticket;
    assert_eq!(text(&sname, realm), "HTTP/server.example.test@EXAMPLE.TEST");
    assert_eq!((enc_part.etype, enc_part.kvno), (etype::AES256_SHA1, Some(1)));
    assert_eq!((message.authenticator.etype, message.authenticator.kvno), (etype::AES256_SHA1, None));
    let mut again = Vec::new();
    message.encode(&mut again);
    assert_eq!(again, read.body);
    let mut framed = Vec::new();
    frame_token(KERBEROS, InnerToken::ApReq, &again, &mut framed);
    assert_eq!(framed, token);
}

#[test]
fn a_ticket() {
    let bytes = captured("deleg enc-ticket-part");
    let part = EncTicketPart::decode(&bytes).unwrap();
    assert_eq!(text(&part.cname, part.crealm), "ann@EXAMPLE.TEST");
    let flags: Vec<_> = part.flags.names().collect();
    let expected = ["forwardable", "renewable", "transited-policy-checked", "ok-as-delegate", "enc-pa-rep"];
    assert_eq!(flags, expected);
    assert_eq!((part.key.etype, part.key.value.len()), (etype::AES256_SHA1, 32));
    assert_eq!(part.endtime.0 - part.authtime.0, 10 * 3600);
    // Left out where it is authtime.
    assert_eq!((part.starttime, part.renew_till), (None, Some(KerberosTime(part.authtime.0 + 7 * 86_400))));
    assert_eq!((part.transited.contents, part.caddr), (&b""[..], None));
    // The PAC, inside AD-IF-RELEVANT.
    let data: Vec<_> = part.authorization_data.unwrap().flatten().map(Result::unwrap).collect();
    assert_eq!(data.iter().map(|entry| (entry.ad_type, entry.if_relevant)).collect::<Vec<_>>(), [(AD_WIN2K_PAC, true)]);
    assert_eq!(data[0].data[4..8], [0; 4], "the PAC's version");
    let mut again = Vec::new();
    part.encode(&mut again);
    assert_eq!(again, bytes);
}

#[test]
fn an_authenticator() {
    let bytes = captured("deleg authenticator");
    let read = Authenticator::decode(&bytes).unwrap();
    assert_eq!((text(&read.cname, read.crealm), read.ctime), ("ann@EXAMPLE.TEST".into(), AT));
    assert!(read.subkey.is_some() && read.seq_number.is_some());
    let cksum = read.cksum.unwrap();
    assert_eq!((cksum.cksumtype, cksum.checksum), (GssChecksum::TYPE, &captured("deleg checksum")[..]));
    let mut again = Vec::new();
    read.encode(&mut again);
    assert_eq!(again, bytes);

    let checksum = GssChecksum::decode(cksum.checksum).unwrap();
    let wanted = [gss_flag::DELEG, gss_flag::MUTUAL, gss_flag::REPLAY, gss_flag::SEQUENCE];
    let wanted = wanted.iter().fold(gss_flag::CONF | gss_flag::INTEG, |all, flag| all | flag);
    assert_eq!((checksum.flags & 0x3f, checksum.extensions), (wanted, &b""[..]));
    assert_ne!(checksum.bindings, &[0; 16]);
    let mut again = Vec::new();
    checksum.encode(&mut again);
    assert_eq!(again, cksum.checksum);
}

#[test]
fn credentials_in_a_checksum() {
    let bytes = captured("deleg checksum");
    let given = GssChecksum::decode(&bytes).unwrap().delegation.unwrap();
    assert_eq!(given, captured("deleg krb-cred"));
    let message = KrbCred::decode(given).unwrap();
    let tickets: Vec<_> = message.tickets.iter().map(|ticket| text(&ticket.sname, ticket.realm)).collect();
    assert_eq!(tickets, ["krbtgt/EXAMPLE.TEST@EXAMPLE.TEST"]);
    let mut again = Vec::new();
    message.encode(&mut again);
    assert_eq!(again, given);

    let bytes = captured("deleg enc-krb-cred-part");
    let part = EncKrbCredPart::decode(&bytes).unwrap();
    let [info] = part.ticket_info.iter().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((info.prealm, info.srealm), (Some(REALM), Some(REALM)));
    assert_eq!(text(&info.pname.unwrap(), REALM), "ann@EXAMPLE.TEST");
    assert!(info.flags.unwrap().contains(TicketFlags::FORWARDED));
    assert_eq!((part.timestamp, part.s_address, part.r_address), (Some(AT), None, None));
    let mut again = Vec::new();
    part.encode(&mut again);
    assert_eq!(again, bytes);
}

#[test]
fn a_reply() {
    let token = captured("deleg reply");
    let read = recognise(&token).unwrap();
    assert_eq!((read.mechanism, read.kind), (Some(KERBEROS), InnerToken::ApRep));
    let message = ApRep::decode(read.body).unwrap();
    assert_eq!((message.enc_part.etype, message.enc_part.kvno), (etype::AES256_SHA1, None));
    let (part, asked) = (captured("deleg enc-ap-rep-part"), captured("deleg authenticator"));
    let (part, asked) = (EncApRepPart::decode(&part).unwrap(), Authenticator::decode(&asked).unwrap());
    assert_eq!((part.ctime, part.cusec), (asked.ctime, asked.cusec), "the time comes back");
    assert!(part.subkey.is_some() && part.seq_number.is_some());
}

/// Three messages without frames; the client ends with the acceptor's sequence number.
#[test]
fn dce_style() {
    for (name, kind) in [("request", InnerToken::ApReq), ("reply", InnerToken::ApRep), ("third", InnerToken::ApRep)] {
        let token = captured(&format!("dce {name}"));
        let read = recognise(&token).unwrap();
        assert_eq!((read.mechanism, read.kind, read.body), (None, kind, &token[..]), "{name}");
        match kind {
            InnerToken::ApReq => assert!(ApReq::decode(read.body).is_ok()),
            _ => assert!(ApRep::decode(read.body).is_ok()),
        }
    }
    let checksum = captured("dce checksum");
    let checksum = GssChecksum::decode(&checksum).unwrap();
    assert!(checksum.flags & gss_flag::DCE_STYLE != 0 && checksum.delegation.is_none());
    let (second, third) = (captured("dce enc-ap-rep-part"), captured("dce third-enc-ap-rep-part"));
    let (second, third) = (EncApRepPart::decode(&second).unwrap(), EncApRepPart::decode(&third).unwrap());
    assert_eq!(second.seq_number, third.seq_number);
    assert!(second.subkey.is_some() && third.subkey.is_none());
}

#[test]
fn messages_under_the_context() {
    let asked = captured("deleg authenticator");
    let first = u64::from(Authenticator::decode(&asked).unwrap().seq_number.unwrap());
    let answered = captured("deleg enc-ap-rep-part");
    let acceptors = u64::from(EncApRepPart::decode(&answered).unwrap().seq_number.unwrap());
    let mic = captured("deleg mic");
    let header = MicHeader::decode(&mic).unwrap();
    // The acceptor chose a subkey, and yet MIT's client does not sign with it: a library before 1.7 could not.
    assert_eq!((header.seq, header.flags & token_flag::SENT_BY_ACCEPTOR), (first, 0));
    assert_eq!(header.encode(), mic[..MicHeader::LEN]);
    for (name, flags, ec, seq) in [
        ("wrap-signed", 0, 12, first + 1),
        ("wrap-sealed", token_flag::SEALED, 0, first + 2),
        ("wrap-acceptor", token_flag::SEALED | token_flag::SENT_BY_ACCEPTOR, 0, acceptors),
    ] {
        let token = captured(&format!("deleg {name}"));
        let header = WrapHeader::decode(&token).unwrap();
        let subkey = header.flags & token_flag::ACCEPTOR_SUBKEY;
        assert_eq!(header, WrapHeader { flags: flags | subkey, ec, rrc: 0, seq }, "{name}");
        assert_eq!(subkey, token_flag::ACCEPTOR_SUBKEY, "{name}");
        assert_eq!(header.encode(), token[..WrapHeader::LEN], "{name}");
        assert!(MicHeader::decode(&token).is_err());
    }
}
