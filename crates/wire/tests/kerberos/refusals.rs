//! What is no message: cut short, grown, changed, out of order.

use crate::samples::{asn1, captured, hex, messages};
use portcullis_wire::der::{Der, tlv};
use portcullis_wire::kerberos::*;
use portcullis_wire::{Error, Kind};

#[test]
fn every_truncation() {
    for (name, bytes, again) in messages() {
        for len in 0..bytes.len() {
            assert!(again(&bytes[..len]).is_err(), "{name} of {len} bytes");
        }
    }
}

#[test]
fn bytes_behind() {
    for (name, bytes, again) in messages() {
        let error = again(&[&bytes[..], &[0]].concat()).unwrap_err();
        assert_eq!((error.offset, error.kind), (bytes.len(), Kind::Unexpected), "{name}");
    }
}

/// No panic, and what is read of a changed message is what was written: nothing is passed over.
#[test]
fn every_changed_byte() {
    for (name, bytes, again) in messages() {
        for at in 0..bytes.len() {
            for change in [1, 2, 3, 4, 8, 0x10, 0x20, 0x40, 0x7f, 0x80, 0x81, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                let Ok(written) = again(&changed) else { continue };
                // Written and read once more it stays: what differs is a form that one is free to choose.
                assert_eq!(again(&written).as_deref(), Ok(&written[..]), "{name}: {change:#x} at {at}");
                assert!(written == changed || free_form(&changed, at), "{name}: {change:#x} at {at} was passed over");
            }
        }
    }
}

/// The liberties: a negative number is written unsigned, and a flag field as one of 32 bits.
fn free_form(changed: &[u8], at: usize) -> bool {
    let negative = changed
        .windows(3)
        .enumerate()
        .any(|(start, value)| value[0] == 2 && value[1] < 6 && value[2] >= 0x80 && (start..=start + 2).contains(&at));
    let flags = changed.windows(2).enumerate().any(|(start, value)| value[0] == 3 && (start..start + 8).contains(&at));
    negative || flags
}

#[test]
fn two_changed_bytes() {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        usize::try_from(state).unwrap()
    };
    for (name, bytes, again) in messages() {
        for _ in 0..1000 {
            let mut changed = bytes.clone();
            for _ in 0..2 {
                let at = next() % changed.len();
                changed[at] = (next() % 256) as u8;
            }
            if let Ok(written) = again(&changed) {
                assert_eq!(again(&written).as_deref(), Ok(&written[..]), "{name}");
            }
        }
    }
}

/// Every length of every value: indefinite, not shortest, too long by far.
#[test]
fn other_forms_of_lengths() {
    for (name, bytes, again) in messages() {
        for (at, content) in headers(&bytes) {
            let indefinite = [&bytes[..at + 1], &[0x80], &bytes[content..], &[0, 0]].concat();
            assert!(again(&indefinite).is_err(), "{name}: indefinite at {at}");
            let long = [&bytes[..at + 1], &[0x84, 0xff, 0xff, 0xff, 0xff], &bytes[content..]].concat();
            assert!(again(&long).is_err(), "{name}: too long at {at}");
            let ninety = [&bytes[..at + 1], &[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0], &bytes[content..]].concat();
            assert!(again(&ninety).is_err(), "{name}: a length of nine bytes at {at}");
        }
        // The whole, with one more zero in its length.
        let content = headers(&bytes)[0].1;
        let len = u32::try_from(bytes.len() - content).unwrap().to_be_bytes();
        let padded = [&[bytes[0], 0x84][..], &len, &bytes[content..]].concat();
        assert_eq!(again(&padded).unwrap_err().kind, Kind::WrongLength, "{name}");
    }
}

/// Where each value begins, and where its content does.
fn headers(bytes: &[u8]) -> Vec<(usize, usize)> {
    fn walk(der: &mut Der<'_>, found: &mut Vec<(usize, usize)>) {
        while der.peek().is_some() {
            let (tag, at) = (der.peek().unwrap(), der.offset());
            let (_, mut content) = der.any("value").unwrap();
            found.push((at, content.offset()));
            if tag & 0x20 != 0 {
                walk(&mut content, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(&mut Der::new(bytes), &mut found);
    found
}

/// CVE-2020-28196: a decoder that follows each level of these runs out of stack.
#[test]
fn nested_indefinite_lengths() {
    for tag in [0x6e, 0x61, 0x63, 0x62, 0x76, 0x7e, 0x30, 0xa0, 0x24] {
        let nested = [tag, 0x80].repeat(100_000);
        for (name, _, again) in messages() {
            assert!(again(&nested).is_err(), "{name}");
        }
        assert!(recognise(&nested).map(|read| ApReq::decode(read.body).is_err()).unwrap_or(true));
    }
    // The same where an OCTET STRING may hold a list.
    let deep = (0..2000).fold(b"x".to_vec(), |inner, _| AuthorizationData::of(&[(AD_IF_RELEVANT, &inner)]));
    let list = AuthorizationData::decode(&deep).unwrap();
    assert_eq!(list.flatten().map(|entry| entry.unwrap().ad_type).collect::<Vec<_>>(), [AD_IF_RELEVANT]);
}

fn refused<T: std::fmt::Debug>(read: Result<T, Error>) -> (&'static str, Kind) {
    let error = read.unwrap_err();
    (error.field, error.kind)
}

#[test]
fn another_version_or_message_type() {
    let with = |bytes: &[u8], from: &str, to: &str| {
        let (from, to) = (hex(from), hex(to));
        let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
        [&bytes[..at], &to, &bytes[at + from.len()..]].concat()
    };
    let request = asn1("ap_req");
    let pvno = with(&request, "a003020105 a10302010e", "a003020104 a10302010e");
    assert_eq!(refused(ApReq::decode(&pvno)), ("pvno", Kind::Unexpected));
    let kind = with(&request, "a003020105 a10302010e", "a003020105 a10302010f");
    assert_eq!(refused(ApReq::decode(&kind)), ("msg-type", Kind::Unexpected));
    let vno = with(&request, "305a a003020105", "305a a003020106");
    assert_eq!(refused(ApReq::decode(&vno)), ("tkt-vno", Kind::Unexpected));
    let vno = with(&asn1("authenticator"), "a003020105", "a003020100");
    assert_eq!(refused(Authenticator::decode(&vno)), ("authenticator-vno", Kind::Unexpected));
    let million = with(&asn1("authenticator"), "020301e240", "02030f4240");
    assert_eq!(refused(Authenticator::decode(&million)), ("cusec", Kind::Unexpected));
    let negative = with(&asn1("ap_rep_enc_part"), "020301e240", "0203ffe240");
    assert_eq!(refused(EncApRepPart::decode(&negative)), ("cusec", Kind::WrongLength));
    let negative = with(&asn1("ap_rep_enc_part"), "020301e240", "020381e240");
    assert_eq!(refused(EncApRepPart::decode(&negative)), ("cusec", Kind::Unexpected));
    // One message is not another.
    assert_eq!(refused(ApRep::decode(&request)), ("AP-REP", Kind::Unexpected));
    assert_eq!(refused(ApReq::decode(&asn1("ticket"))), ("AP-REQ", Kind::Unexpected));
    // Each of its numbers lies in 32 bits.
    let wide = with(&asn1("enc_data"), "3023 a003020100", "3027 a00702050100000000");
    assert_eq!(refused(EncryptedData::decode(&wide)), ("etype", Kind::TooLarge));
    let wide = with(&asn1("enc_data"), "3023 a003020100 a103020105", "3027 a003020100 a10702050100000000");
    assert_eq!(refused(EncryptedData::decode(&wide)), ("kvno", Kind::TooLarge));
    let low = with(&asn1("enc_data"), "3023 a003020100 a103020105", "3027 a003020100 a1070205ff7fffffff");
    assert_eq!(refused(EncryptedData::decode(&low)), ("kvno", Kind::TooLarge));
}

/// Each field left out, in turn: an optional one only then leaves a message.
#[test]
fn a_field_left_out_or_twice() {
    let rows: [(&str, Vec<u8>, &[usize]); 5] = [
        ("ap-req", asn1("ap_req"), &[]),
        ("enc-ticket-part", asn1("enc_tkt_part"), &[6, 8, 9, 10]),
        ("authenticator", asn1("authenticator"), &[3, 6, 7, 8]),
        ("krb-error", asn1("error"), &[2, 3, 7, 8, 11, 12]),
        ("enc-krb-cred-part", asn1("enc_cred_part"), &[1, 2, 3, 4, 5]),
    ];
    let all = messages();
    for (name, bytes, optional) in rows {
        let again = all.iter().find(|(found, ..)| *found == name).unwrap().2;
        let fields = fields(&bytes);
        for out in 0..fields.len() {
            let rest: Vec<_> = fields.iter().enumerate().filter(|(at, _)| *at != out).map(|(_, f)| *f).collect();
            let message = rebuilt(bytes[0], &rest);
            assert_eq!(again(&message).is_ok(), optional.contains(&out), "{name} without its field {out}");
            let mut twice = fields.clone();
            twice.insert(out, fields[out]);
            assert!(again(&rebuilt(bytes[0], &twice)).is_err(), "{name} with its field {out} twice");
            if out > 0 {
                let mut swapped = fields.clone();
                swapped.swap(out, out - 1);
                assert!(again(&rebuilt(bytes[0], &swapped)).is_err(), "{name}, {out} before its predecessor");
            }
        }
    }
}

/// The fields of a SEQUENCE in an application tag, each whole.
fn fields(bytes: &[u8]) -> Vec<&[u8]> {
    let mut der = Der::new(bytes).any("message").unwrap().1.any("sequence").unwrap().1;
    let mut fields = Vec::new();
    while let Some(tag) = der.peek() {
        fields.push(der.whole(tag, "field").unwrap().0);
    }
    fields
}

fn rebuilt(tag: u8, fields: &[&[u8]]) -> Vec<u8> {
    let (mut inner, mut out) = (Vec::new(), Vec::new());
    tlv(0x30, &fields.concat(), &mut inner);
    tlv(tag, &inner, &mut out);
    out
}

#[test]
fn lists_too_long() {
    let name = |count: usize| encode_principal_name(NT_PRINCIPAL, &vec![&b"a"[..]; count]);
    assert_eq!(PrincipalName::from_encoded(&name(16)).unwrap().components().count(), 16);
    assert_eq!(PrincipalName::from_encoded(&name(0)).unwrap().components().count(), 0);
    assert_eq!(refused(PrincipalName::from_encoded(&name(17))), ("PrincipalName", Kind::TooLarge));
    let ticket = asn1("ticket");
    let ticket = Ticket::decode(&ticket).unwrap();
    assert_eq!(Tickets::decode(&Tickets::of(&[ticket; 16])).unwrap().iter().count(), 16);
    assert_eq!(refused(Tickets::decode(&Tickets::of(&[ticket; 17]))), ("tickets", Kind::TooLarge));
    let entry: AuthorizationEntry<'_> = (5, b"x");
    assert!(AuthorizationData::decode(&AuthorizationData::of(&[entry; 64])).is_ok());
    let long = AuthorizationData::of(&[entry; 65]);
    assert_eq!(refused(AuthorizationData::decode(&long)), ("AuthorizationData", Kind::TooLarge));
    assert_eq!(refused(EtypeList::decode(&EtypeList::of(&[18; 65]))), ("EtypeList", Kind::TooLarge));
}

#[test]
fn flags_of_other_lengths() {
    let with = |flags: &str| {
        let flags = hex(flags);
        let request = asn1("ap_req");
        let mut parts: Vec<_> = fields(&request).into_iter().map(<[u8]>::to_vec).collect();
        parts[2] = Vec::new();
        tlv(0xa2, &flags, &mut parts[2]);
        ApReq::decode(&rebuilt(0x6e, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>()))
            .map(|read| read.options)
            .map_err(|error| error.kind)
    };
    for (flags, expected) in [
        ("0305 00 20000000", Ok(ApReq::MUTUAL_REQUIRED)),
        ("0302 05 20", Ok(ApReq::MUTUAL_REQUIRED)),
        ("0301 00", Ok(0)),
        ("0306 00 20000000ff", Ok(ApReq::MUTUAL_REQUIRED)),
        ("0302 06 20", Err(Kind::Unexpected)),
        ("0302 08 00", Err(Kind::Unexpected)),
        ("0301 01", Err(Kind::Unexpected)),
        ("0300", Err(Kind::WrongLength)),
        ("0405 00 20000000", Err(Kind::Unexpected)),
    ] {
        assert_eq!(with(flags), expected, "{flags}");
    }
}

/// Random edits of what was really sent, beside those of the sample values.
#[test]
fn edits_of_real_messages() {
    let parts = ["enc-ticket-part", "authenticator", "krb-cred", "enc-krb-cred-part", "enc-ap-rep-part"];
    for (part, decodes) in parts.iter().zip([
        (|b| EncTicketPart::decode(b).is_ok()) as fn(&[u8]) -> bool,
        |b| Authenticator::decode(b).is_ok(),
        |b| KrbCred::decode(b).is_ok(),
        |b| EncKrbCredPart::decode(b).is_ok(),
        |b| EncApRepPart::decode(b).is_ok(),
    ]) {
        let bytes = captured(&format!("deleg {part}"));
        assert!(decodes(&bytes));
        for at in 0..bytes.len() {
            assert!(!decodes(&bytes[..at]));
            let without = [&bytes[..at], &bytes[at + 1..]].concat();
            assert!(!decodes(&without), "{part} without its byte {at}");
            for twice in [0x00, 0x80, 0xff] {
                let grown = [&bytes[..at], &[twice], &bytes[at..]].concat();
                assert!(!decodes(&grown), "{part} with {twice:#x} more at {at}");
            }
        }
    }
}
