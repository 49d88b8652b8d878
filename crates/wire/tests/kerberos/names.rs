//! Names as text, and times.

use crate::samples::hex;
use portcullis_wire::Kind;
use portcullis_wire::kerberos::*;
use std::time::{Duration, UNIX_EPOCH};

fn text(components: &[&[u8]], realm: &[u8]) -> String {
    let name = encode_principal_name(NT_PRINCIPAL, components);
    let mut text = "<".to_owned();
    unparse(&PrincipalName::from_encoded(&name).unwrap(), realm, &mut text);
    text.split_off(1)
}

/// As krb5_unparse_name and krb5_parse_name do it.
#[test]
fn there_and_back() {
    type Row<'a> = (&'a [&'a [u8]], &'a [u8], &'a str);
    let rows: [Row<'_>; 9] = [
        (&[b"ann"], b"EXAMPLE.COM", "ann@EXAMPLE.COM"),
        (&[b"HTTP", b"web.example"], b"EXAMPLE", "HTTP/web.example@EXAMPLE"),
        (&[b"host", b"a", b"b", b"c"], b"R", "host/a/b/c@R"),
        (&[b"ann@example.com"], b"R", r"ann\@example.com@R"),
        (&[b"a/b", b"c"], b"C=US/O=x", r"a\/b/c@C=US\/O=x"),
        (&[b"a\\b"], b"R", r"a\\b@R"),
        (&[b"a\n\t\x08\0b"], b"R", r"a\n\t\b\0b@R"),
        (&["jörg".as_bytes()], b"R", "jörg@R"),
        (&[b"", b""], b"", "/@"),
    ];
    for (components, realm, expected) in rows {
        assert_eq!(text(components, realm), expected);
        let (read, read_realm) = parse_principal(expected).unwrap();
        assert_eq!(
            (read.iter().map(Vec::as_slice).collect::<Vec<_>>(), read_realm.as_deref()),
            (components.to_vec(), Some(realm))
        );
    }
    assert_eq!(text(&[b"\xff\xfe"], b"R"), "\u{fffd}\u{fffd}@R");
    assert_eq!(text(&[], b"R"), "@R");
}

#[test]
fn texts_that_are_no_name() {
    for text in ["a@b@c", "a@b/c", "a\\", "a@b\\", "@@"] {
        assert_eq!(parse_principal(text), None, "{text}");
    }
    let plain = |text: &str| parse_principal(text).unwrap();
    assert_eq!(plain("a/b"), (vec![b"a".to_vec(), b"b".to_vec()], None));
    assert_eq!(plain("a@"), (vec![b"a".to_vec()], Some(Vec::new())));
    assert_eq!(plain(""), (vec![Vec::new()], None));
    assert_eq!(plain(r"a\xb\@c@R"), (vec![b"axb@c".to_vec()], Some(b"R".to_vec())));
}

#[test]
fn names_are_compared_without_their_types() {
    let of = |name_type, components: &[&[u8]]| encode_principal_name(name_type, components);
    let (a, b) = (of(NT_PRINCIPAL, &[b"host", b"a"]), of(NT_SRV_HST, &[b"host", b"a"]));
    let (a, b) = (PrincipalName::from_encoded(&a).unwrap(), PrincipalName::from_encoded(&b).unwrap());
    assert!(a.same_components(&b) && a != b);
    // Where one component ends and another begins counts, and so do case and count.
    for other in [&[&b"host"[..], b"b"][..], &[b"hos", b"ta"], &[b"host/a"], &[b"host"], &[b"Host", b"a"], &[]] {
        let other = of(NT_PRINCIPAL, other);
        assert!(!a.same_components(&PrincipalName::from_encoded(&other).unwrap()), "{other:02x?}");
    }
}

#[test]
fn what_is_no_name() {
    let kind = |text: &str| PrincipalName::from_encoded(&hex(text)).map(|_| ()).map_err(|error| error.kind);
    assert_eq!(kind("300c a003020101 a105 3003 1b0161"), Ok(()));
    assert_eq!(kind("300c a003020180 a105 3003 1b0161"), Ok(()), "NT-MS-PRINCIPAL is negative");
    // Other strings than GeneralString; bytes behind a part; the type alone.
    for wrong in [
        "300c a003020101 a105 3003 0c0161",
        "300c a003020101 a105 3003 160161",
        "300c a003020101 a105 3103 1b0161",
        "300d a003020101 a106 3003 1b0161 00",
        "300d a004020101 00 a105 3003 1b0161",
        "300e a003020101 a105 3003 1b0161 a200",
        "3005 a003020101",
        "3007 a105 3003 1b0161",
    ] {
        assert!(kind(wrong).is_err(), "{wrong}");
    }
    assert_eq!(kind("300c a003020101 a105 3003 1b0261"), Err(Kind::Truncated));
    assert_eq!(kind("300f a00602050000000001 a105 3003 1b0161"), Err(Kind::Truncated));
}

#[test]
fn times() {
    let time = |text: &str| {
        let bytes = [&[0x18, u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
        KerberosTime::decode(&bytes).map_err(|error| error.kind)
    };
    // Against `date -u -d … +%s`; the first is MIT's sample.
    for (text, seconds) in [
        ("19940610060317Z", 771_228_197),
        ("19700101000000Z", 0),
        ("19691231235959Z", -1),
        ("20380119031408Z", 0x8000_0000),
        ("20240229235959Z", 1_709_251_199),
        ("21060207062816Z", 0x1_0000_0000),
        ("99991231235959Z", 253_402_300_799),
    ] {
        assert_eq!(time(text), Ok(KerberosTime(seconds)));
        assert_eq!(KerberosTime(seconds).to_text(), text.as_bytes());
        assert_eq!(KerberosTime::from_system(KerberosTime(seconds).to_system().unwrap()), KerberosTime(seconds));
    }
    for text in [
        "",
        "9406100603170Z",
        "940610060317Z",
        "19940610060317",
        "19940610060317.0Z",
        "19940610060317+0000",
        "199406100603Z",
        "19940610060360Z",
        "19941310060317Z",
        "19940631060317Z",
        "20230229000000Z",
        "1994061006031 Z",
    ] {
        assert_eq!(time(text), Err(Kind::Unexpected), "{text}");
    }
    let half = Duration::from_millis(1500);
    assert_eq!(KerberosTime::from_system(UNIX_EPOCH + half), KerberosTime(1));
    assert_eq!(KerberosTime::from_system(UNIX_EPOCH - half), KerberosTime(-2), "the second that it lies in");
}

#[test]
fn flags_by_their_bits() {
    // RFC 4120 §5.3 counts from the most significant bit.
    for (flag, bit) in [
        (TicketFlags::FORWARDABLE, 1),
        (TicketFlags::PROXY, 4),
        (TicketFlags::INVALID, 7),
        (TicketFlags::INITIAL, 9),
        (TicketFlags::HW_AUTHENT, 11),
        (TicketFlags::TRANSITED_POLICY_CHECKED, 12),
        (TicketFlags::OK_AS_DELEGATE, 13),
        (TicketFlags::ENC_PA_REP, 15),
        (TicketFlags::ANONYMOUS, 16),
    ] {
        assert_eq!(flag.0, 1 << (31 - bit));
        assert_eq!(flag.names().count(), 1);
    }
    let flags = TicketFlags::FORWARDABLE | TicketFlags::INITIAL;
    assert_eq!(format!("{flags:?}"), "0x40400000 forwardable initial");
    // Each has one bit of its own.
    assert_eq!(TicketFlags::TABLE.iter().map(|(flag, _)| u64::from(flag.0)).sum::<u64>(), 0x7ffd_8000);
}

#[test]
fn codes_are_in_order_and_named_once() {
    assert!(error_code::TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
    for (code, name) in [(0x25, "KRB_AP_ERR_SKEW"), (41, "KRB_AP_ERR_MODIFIED"), (68, "KDC_ERR_WRONG_REALM")] {
        assert_eq!(error_code::lookup(code).unwrap().0, name);
    }
    assert_eq!((error_code::lookup(30), error_code::lookup(-1)), (None, None));
    assert_eq!((etype::name(18), etype::name(4)), (Some("aes256-cts-hmac-sha1-96"), None));
}
