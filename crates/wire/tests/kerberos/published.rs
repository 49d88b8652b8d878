//! MIT's sample values (krb5, src/tests/asn.1): every field as its test programs have it.

use crate::samples::{asn1, messages};
use portcullis_wire::kerberos::*;

const TIME: KerberosTime = KerberosTime(771_228_197);
const REALM: &[u8] = b"ATHENA.MIT.EDU";
const FLAGS: u32 = 0xfedc_ba98;

fn is_sample_name(name: &PrincipalName<'_>) -> bool {
    name.name_type == NT_PRINCIPAL && name.components().eq([&b"hftsai"[..], b"extra"])
}

fn is_sample_key(key: &EncryptionKey<'_>) -> bool {
    (key.etype, key.value) == (1, &b"12345678"[..])
}

fn sample_data() -> EncryptedData<'static> {
    EncryptedData { etype: 0, kvno: Some(5), cipher: b"krbASN.1 test message" }
}

#[track_caller]
fn is_sample_ticket(ticket: &Ticket<'_>) {
    assert_eq!((ticket.realm, ticket.enc_part), (REALM, sample_data()));
    assert!(is_sample_name(&ticket.sname));
    assert_eq!(ticket.raw, asn1("ticket"));
}

/// What was read is written as it came: the DER of each has one form.
#[test]
fn each_message_is_written_as_it_was_read() {
    for (name, bytes, again) in messages() {
        assert_eq!(again(&bytes).as_deref(), Ok(&bytes[..]), "{name}");
    }
}

#[test]
fn an_ap_req() {
    let bytes = asn1("ap_req");
    let message = ApReq::decode(&bytes).unwrap();
    assert_eq!((message.options, message.authenticator), (FLAGS, sample_data()));
    is_sample_ticket(&message.ticket);
    // Bits 1 and 2 of RFC 4120 §5.5.1.
    assert_eq!((ApReq::USE_SESSION_KEY, ApReq::MUTUAL_REQUIRED), (0x8000_0000 >> 1, 0x8000_0000 >> 2));
}

#[test]
fn an_authenticator() {
    let bytes = asn1("authenticator");
    let read = Authenticator::decode(&bytes).unwrap();
    assert_eq!((read.crealm, read.cusec, read.ctime), (REALM, 123_456, TIME));
    assert_eq!((read.cksum, read.seq_number), (Some(Checksum { cksumtype: 1, checksum: b"1234" }), Some(17)));
    assert!(is_sample_name(&read.cname) && is_sample_key(&read.subkey.unwrap()));
    let data: Vec<_> = read.authorization_data.unwrap().iter().collect();
    assert_eq!(data, [(1, &b"foobar"[..]); 2]);

    let bytes = asn1("authenticator(optionals NULL)");
    let read = Authenticator::decode(&bytes).unwrap();
    assert!(read.cksum.is_none() && read.subkey.is_none() && read.authorization_data.is_none());
    assert_eq!((read.seq_number, read.cusec, read.ctime), (None, 123_456, TIME));
}

/// Peers have written sequence numbers with a sign and without; both are 32 bits.
#[test]
fn sequence_numbers_of_either_sign() {
    for (form, number) in [
        ("80 -> seq-number 0xffffff80", 0xffff_ff80),
        ("FF -> seq-number 0xffffffff", 0xffff_ffff),
        ("00FF -> seq-number 0xff", 0xff),
        ("00FFFFFFFF -> seq-number 0xffffffff", 0xffff_ffff),
        ("7FFFFFFF -> seq-number 0x7fffffff", 0x7fff_ffff),
    ] {
        let bytes = asn1(&format!("authenticator({form})"));
        assert_eq!(Authenticator::decode(&bytes).unwrap().seq_number, Some(number), "{form}");
    }
    // MIT reads this form of −1 too; DER has a shorter one, so it is none.
    let padded = asn1("authenticator(FFFFFFFF -> seq-number 0xffffffff)");
    let error = Authenticator::decode(&padded).unwrap_err();
    assert_eq!((error.field, error.kind), ("seq-number", portcullis_wire::Kind::WrongLength));
}

#[test]
fn key_versions_of_either_sign() {
    for (name, kvno) in [("enc_data", 5), ("enc_data(MSB-set kvno)", 0xff00_0000), ("enc_data(kvno=-1)", 0xffff_ffff)] {
        let bytes = asn1(name);
        let read = EncryptedData::decode(&bytes).unwrap();
        assert_eq!(read, EncryptedData { kvno: Some(kvno), ..sample_data() }, "{name}");
        // It is written as the unsigned number that it is.
        let mut again = Vec::new();
        read.encode(&mut again);
        assert_eq!(EncryptedData::decode(&again), Ok(read), "{name}");
    }
}

#[test]
fn a_ticket() {
    is_sample_ticket(&Ticket::decode(&asn1("ticket")).unwrap());
    // MIT passes over fields that a later version may add; there is none, and here it is refused.
    let error = Ticket::decode(&asn1("ticket(+ trailing [4] INTEGER)")).unwrap_err();
    assert_eq!((error.field, error.kind), ("Ticket", portcullis_wire::Kind::Unexpected));
}

#[test]
fn the_encrypted_part_of_a_ticket() {
    let bytes = asn1("enc_tkt_part");
    let part = EncTicketPart::decode(&bytes).unwrap();
    assert_eq!((part.raw, part.flags, part.crealm), (&bytes[..], TicketFlags(FLAGS), REALM));
    assert!(is_sample_name(&part.cname) && is_sample_key(&part.key));
    assert_eq!(part.transited, Transited { tr_type: 1, contents: b"EDU,MIT.,ATHENA.,WASHINGTON.EDU,CS." });
    assert_eq!((part.authtime, part.endtime), (TIME, TIME));
    assert_eq!((part.starttime, part.renew_till), (Some(TIME), Some(TIME)));
    let addresses: Vec<_> = part.caddr.unwrap().iter().collect();
    assert_eq!(addresses, [HostAddress { addr_type: 2, address: &[18, 208, 0, 35] }; 2]);
    assert_eq!(part.authorization_data.unwrap().iter().count(), 2);

    let bytes = asn1("enc_tkt_part(optionals NULL)");
    let part = EncTicketPart::decode(&bytes).unwrap();
    assert!(part.starttime.is_none() && part.renew_till.is_none());
    assert!(part.caddr.is_none() && part.authorization_data.is_none());
}

#[test]
fn an_ap_rep() {
    let bytes = asn1("ap_rep");
    assert_eq!(ApRep::decode(&bytes), Ok(ApRep { enc_part: sample_data() }));
    let bytes = asn1("ap_rep_enc_part");
    let part = EncApRepPart::decode(&bytes).unwrap();
    assert_eq!((part.ctime, part.cusec, part.seq_number), (TIME, 123_456, Some(17)));
    assert!(is_sample_key(&part.subkey.unwrap()));
    let bytes = asn1("ap_rep_enc_part(optionals NULL)");
    let part = EncApRepPart::decode(&bytes).unwrap();
    assert!(part.subkey.is_none() && part.seq_number.is_none());
}

#[test]
fn an_error() {
    let bytes = asn1("error");
    let error = KrbError::decode(&bytes).unwrap();
    assert_eq!((error.ctime, error.cusec), (Some(TIME), Some(123_456)));
    assert_eq!((error.stime, error.susec, error.error_code), (TIME, 123_456, 60));
    assert_eq!((error.crealm, error.realm), (Some(REALM), REALM));
    assert!(is_sample_name(&error.cname.unwrap()) && is_sample_name(&error.sname));
    assert_eq!((error.e_text, error.e_data), (Some(&b"krb5data"[..]), Some(&b"krb5data"[..])));
    assert_eq!(error_code::lookup(60).unwrap().0, "KRB_ERR_GENERIC");

    let bytes = asn1("error(optionals NULL)");
    let error = KrbError::decode(&bytes).unwrap();
    assert_eq!((error.ctime, error.cusec), (None, Some(123_456)));
    assert!(error.crealm.is_none() && error.cname.is_none() && error.e_text.is_none() && error.e_data.is_none());
}

#[test]
fn credentials_for_another() {
    let bytes = asn1("cred");
    let message = KrbCred::decode(&bytes).unwrap();
    assert_eq!((message.tickets.iter().count(), message.enc_part), (2, sample_data()));
    message.tickets.iter().for_each(|ticket| is_sample_ticket(&ticket));

    let bytes = asn1("enc_cred_part");
    let part = EncKrbCredPart::decode(&bytes).unwrap();
    assert_eq!((part.nonce, part.timestamp, part.usec), (Some(42), Some(TIME), Some(123_456)));
    let address = Some(HostAddress { addr_type: 2, address: &[18, 208, 0, 35] });
    assert_eq!((part.s_address, part.r_address), (address, address));
    assert_eq!(part.ticket_info.iter().count(), 2);
    for info in part.ticket_info.iter() {
        assert!(is_sample_key(&info.key) && is_sample_name(&info.pname.unwrap()));
        assert!(is_sample_name(&info.sname.unwrap()));
        assert_eq!((info.prealm, info.srealm), (Some(REALM), Some(REALM)));
        assert_eq!(info.flags, Some(TicketFlags(FLAGS)));
        assert_eq!([info.authtime, info.starttime, info.endtime, info.renew_till], [Some(TIME); 4]);
        assert_eq!(info.caddr.unwrap().iter().count(), 2);
    }

    let bytes = asn1("enc_cred_part(optionals NULL)");
    let part = EncKrbCredPart::decode(&bytes).unwrap();
    let first = part.ticket_info.iter().next().unwrap();
    assert!(first.prealm.is_none() && first.pname.is_none() && first.flags.is_none() && first.caddr.is_none());
    assert!(part.nonce.is_none() && part.timestamp.is_none() && part.s_address.is_none());
}

/// MS-KILE 3.4.5.2's answer to a wrong clock, as Heimdal's acceptor sends it, and Windows' own reason.
#[test]
fn the_data_of_an_error() {
    let mut skew = Vec::new();
    KerbErrorData { data_type: KerbErrorData::SKEW_RECOVERY, data_value: None }.encode(&mut skew);
    assert_eq!(skew, [0x30, 5, 0xa1, 3, 2, 1, 2]);
    // STATUS_TIME_DIFFERENCE_AT_DC.
    let (reason, mut value) = (KerbExtError { status: 0xc000_0133, reserved: 0, flags: 1 }, Vec::new());
    reason.encode(&mut value);
    assert_eq!(value, [0x33, 1, 0, 0xc0, 0, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(KerbExtError::decode(&value), Ok(reason));
    assert!(KerbExtError::decode(&value[..11]).is_err() && KerbExtError::decode(&[&value[..], &[0]].concat()).is_err());
}

#[test]
fn keys_are_not_shown() {
    let (part, info, authenticator) = (asn1("enc_tkt_part"), asn1("enc_cred_part"), asn1("authenticator"));
    for shown in [
        format!("{:?}", EncTicketPart::decode(&part).unwrap()),
        format!("{:?}", EncKrbCredPart::decode(&info).unwrap()),
        format!("{:?}", Authenticator::decode(&authenticator).unwrap()),
        format!("{:?}", EncApRepPart::decode(&asn1("ap_rep_enc_part")).unwrap()),
    ] {
        assert!(shown.contains("[8 bytes]") && !shown.contains("49, 50, 51, 52, 53"), "{shown}");
    }
}
