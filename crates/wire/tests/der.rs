//! DER: lengths, tags and OIDs, right and wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis_wire::der::{
    Constructed, Der, Oid, SequenceOf, bits32, complete_len, enclose, integer, tag, tlv, tlv_len,
};
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
        let mut enclosed = [&b"before"[..], &bytes].concat();
        enclose(tag::SEQUENCE, 6, &mut enclosed);
        assert_eq!(enclosed, [&b"before"[..], &whole].concat());
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

/// Content, then what it is as a signed and as an unsigned number of 32 bits.
#[test]
fn numbers() {
    type Row = (&'static [u8], Result<i32, Kind>, Result<u32, Kind>);
    let (wrong, large) = (Kind::WrongLength, Kind::TooLarge);
    let rows: [Row; 16] = [
        (&[0], Ok(0), Ok(0)),
        (&[0x7f], Ok(127), Ok(127)),
        (&[0x80], Ok(-128), Ok(0xffff_ff80)),
        (&[0xff], Ok(-1), Ok(u32::MAX)),
        (&[0, 0x80], Ok(128), Ok(128)),
        (&[0x7f, 0xff, 0xff, 0xff], Ok(i32::MAX), Ok(0x7fff_ffff)),
        (&[0x80, 0, 0, 0], Ok(i32::MIN), Ok(0x8000_0000)),
        (&[0, 0x80, 0, 0, 0], Err(large), Ok(0x8000_0000)),
        (&[0, 0xff, 0xff, 0xff, 0xff], Err(large), Ok(u32::MAX)),
        (&[1, 0, 0, 0, 0], Err(large), Err(large)),
        (&[0xff, 0x7f, 0xff, 0xff, 0xff], Err(large), Err(large)),
        (&[0x7f; 8], Err(large), Err(large)),
        (&[0x7f; 9], Err(large), Err(large)),
        (&[], Err(wrong), Err(wrong)),
        (&[0, 0x7f], Err(wrong), Err(wrong)),
        (&[0xff, 0x80], Err(wrong), Err(wrong)),
    ];
    for (content, signed, unsigned) in rows {
        let mut bytes = Vec::new();
        tlv(tag::INTEGER, content, &mut bytes);
        assert_eq!(Der::new(&bytes).int32("x").map_err(|error| error.kind), signed, "{content:02x?}");
        assert_eq!(Der::new(&bytes).uint32("x").map_err(|error| error.kind), unsigned, "{content:02x?}");
        if let Ok(number) = signed {
            let mut again = Vec::new();
            integer(number.into(), &mut again);
            assert_eq!(again, bytes);
        }
    }
    for number in [i64::MIN, -0x8001, -0x8000, -129, 255, 256, 0xffff_ffff, i64::MAX] {
        let mut bytes = Vec::new();
        integer(number, &mut bytes);
        let content = Der::new(&bytes).integer("x").unwrap();
        let sign = if number < 0 { [0xff; 8] } else { [0; 8] };
        let wide = [&sign[content.len()..], content].concat();
        assert_eq!(i64::from_be_bytes(wide.try_into().unwrap()), number, "in its shortest form");
    }
}

#[test]
fn explicit_tags_and_bits() {
    let bytes = [0xa1, 4, 2, 1, 5, 0];
    let inner = |der: &mut Der<'_>| der.int32("x");
    assert_eq!(Der::new(&bytes).explicit(1, "x", inner), Err(Error::new(5, "x", Kind::Unexpected)));
    assert_eq!(Der::new(&bytes).optional_explicit(2, "x", inner), Ok(None));
    assert_eq!(Der::new(&[0xa1, 3, 2, 1, 5]).optional_explicit(1, "x", inner), Ok(Some(5)));
    let mut bits = Vec::new();
    bits32(0xfedc_ba98, &mut bits);
    assert_eq!(bits, [3, 5, 0, 0xfe, 0xdc, 0xba, 0x98]);
    assert_eq!(Der::new(&bits).bits32("x"), Ok(0xfedc_ba98));
    assert_eq!(tag::application(30), 0x7e);
    // A list knows where it stood in the whole.
    let whole = [0xa0, 6, 0x30, 4, 2, 2, 0, 1];
    let list = Der::new(&whole).explicit(0, "x", SequenceOf::<'_, i32>::read);
    assert_eq!(list.unwrap_err(), Error::new(4, "EtypeList", Kind::WrongLength));
}
