//! DER: lengths, tags and OIDs, right and wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis_wire::der::{Constructed, Der, Oid, complete_len, tag, tlv, tlv_len};
use portcullis_wire::{Error, Kind};

#[test]
fn written_and_read_again() {
    for len in [0, 1, 127, 128, 129, 255, 256, 65_535, 65_536, 0xff_ffff, 0x100_0000] {
        let content = vec![7; len];
        let mut bytes = Vec::new();
        tlv(tag::OCTET_STRING, &content, &mut bytes);
        assert_eq!(bytes.len(), tlv_len(len));
        assert_eq!(complete_len(&bytes, usize::MAX), Ok(Some(bytes.len())));
        let mut der = Der::new(&bytes);
        assert_eq!(der.bytes(tag::OCTET_STRING, "x").unwrap(), content);
        assert!(der.finish("x").is_ok());
        // One inside another.
        let whole = Constructed::new().with(tag::OCTET_STRING, &content).into_tlv(tag::SEQUENCE);
        let mut outer = Der::new(&whole);
        let mut inner = outer.take(tag::SEQUENCE, "outer").unwrap();
        assert_eq!(inner.bytes(tag::OCTET_STRING, "inner").unwrap().len(), len);
    }
}

/// How long a value is, told by as much of it as there is.
#[test]
fn lengths() {
    type Row = (&'static [u8], Result<Option<usize>, Kind>);
    let rows: [Row; 16] = [
        (&[], Ok(None)),
        (&[0x30], Ok(None)),
        (&[0x30, 0x00], Ok(Some(2))),
        (&[0x30, 0x7f], Ok(Some(129))),
        (&[0x30, 0x81], Ok(None)),
        (&[0x30, 0x81, 0x80], Ok(Some(131))),
        (&[0x30, 0x81, 0x7f], Err(Kind::WrongLength)),
        (&[0x30, 0x82, 0x01], Ok(None)),
        (&[0x30, 0x82, 0x01, 0x00], Ok(Some(260))),
        (&[0x30, 0x82, 0x00, 0xff], Err(Kind::WrongLength)),
        (&[0x30, 0x80], Err(Kind::WrongLength)),
        (&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff], Err(Kind::TooLarge)),
        (&[0x30, 0x84, 0x80, 0x00, 0x00, 0x00], Err(Kind::TooLarge)),
        (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], Err(Kind::TooLarge)),
        (&[0x30, 0x85, 0x01, 0x00, 0x00, 0x00, 0x00], Err(Kind::WrongLength)),
        (&[0x1f, 0x81, 0x00], Err(Kind::Unexpected)),
    ];
    for (bytes, expected) in rows {
        assert_eq!(complete_len(bytes, 1000).map_err(|error| error.kind), expected, "{bytes:02x?}");
    }
    assert_eq!(complete_len(&[0x30, 0x7f], 129), Ok(Some(129)));
    assert_eq!(complete_len(&[0x30, 0x7f], 128), Err(Error::new(0, "length", Kind::TooLarge)));
}

#[test]
fn errors_say_where() {
    let bytes = [0x30, 0x07, 0x06, 0x01, 0x2a, 0x04, 0x02, 0x01, 0x02];
    let mut sequence = Der::new(&bytes).take(tag::SEQUENCE, "outer").unwrap();
    assert_eq!(sequence.offset(), 2);
    assert_eq!(sequence.oid("mech").unwrap(), Oid(&[0x2a]));
    assert_eq!(sequence.take(tag::SEQUENCE, "next").unwrap_err(), Error::new(5, "next", Kind::Unexpected));
    assert_eq!(sequence.optional(tag::SEQUENCE, "next").map(|value| value.is_some()), Ok(false));
    assert_eq!(sequence.finish("outer"), Err(Error::new(5, "outer", Kind::Unexpected)));
    assert_eq!(sequence.bytes(tag::OCTET_STRING, "next"), Ok(&[1, 2][..]));
    assert_eq!(sequence.take(tag::OCTET_STRING, "end").unwrap_err(), Error::new(9, "end", Kind::Truncated));
    // A value that is longer than what is around it.
    let longer = [0x30, 0x03, 0x04, 0x05, 0x01];
    let mut inside = Der::new(&longer).take(tag::SEQUENCE, "outer").unwrap();
    assert_eq!(inside.bytes(tag::OCTET_STRING, "inner"), Err(Error::new(2, "inner", Kind::Truncated)));
    let empty = [0x06, 0x00];
    assert_eq!(Der::new(&empty).oid("mech"), Err(Error::new(0, "mech", Kind::WrongLength)));
}

#[test]
fn oids_for_people() {
    let rows: [(&[u8], &str); 11] = [
        (&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x02], "1.3.6.1.5.5.2"),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02], "1.2.840.113554.1.2.2"),
        (&[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02], "1.2.840.48018.1.2.2"),
        (&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a], "1.3.6.1.4.1.311.2.2.10"),
        (&[0x00], "0.0"),
        (&[0x27], "0.39"),
        (&[0x28], "1.0"),
        (&[0x4f], "1.39"),
        (&[0x88, 0x37], "2.999"),
        (&[0x2a, 0x86], "1.2.?"),
        (&[0x80], "0x80"),
    ];
    for (bytes, text) in rows {
        assert_eq!(Oid(bytes).to_string(), text, "{bytes:02x?}");
    }
    // Arcs larger than any number here.
    let huge = [&[0x2a][..], &[0xff; 12], &[0x7f, 0x03]].concat();
    assert_eq!(Oid(&huge).to_string(), "1.2.?.3");
    assert_eq!(Oid(&[]).to_string(), "0x");
}
