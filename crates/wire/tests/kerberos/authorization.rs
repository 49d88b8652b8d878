//! Authorization data, and what Windows clients put into it.

use portcullis_wire::Kind;
use portcullis_wire::kerberos::*;

fn flat(bytes: &[u8]) -> Vec<Result<(i32, bool), Kind>> {
    let list = AuthorizationData::decode(bytes).unwrap();
    list.flatten().map(|entry| entry.map(|entry| (entry.ad_type, entry.if_relevant)).map_err(|e| e.kind)).collect()
}

#[test]
fn in_place_of_a_list_stands_what_it_holds() {
    let inner = AuthorizationData::of(&[(KERB_AP_OPTIONS, &[0, 0x40, 0, 0]), (KERB_LOCAL, b"?")]);
    let deeper = AuthorizationData::of(&[(AD_IF_RELEVANT, &inner), (AD_WIN2K_PAC, b"pac")]);
    let deepest = AuthorizationData::of(&[(AD_IF_RELEVANT, &deeper)]);
    let outer = |first: &[u8]| AuthorizationData::of(&[(5, b""), (AD_IF_RELEVANT, first), (6, b"")]);
    let (pac, options, local) = (Ok((AD_WIN2K_PAC, true)), Ok((KERB_AP_OPTIONS, true)), Ok((KERB_LOCAL, true)));
    let (before, behind) = (Ok((5, false)), Ok((6, false)));
    assert_eq!(flat(&outer(&inner)), [before, options, local, behind]);
    assert_eq!(flat(&outer(&deeper)), [before, options, local, pac, behind]);
    // The third level is not looked into.
    assert_eq!(flat(&outer(&deepest)), [before, Ok((AD_IF_RELEVANT, true)), pac, behind]);
    assert_eq!(flat(&outer(&AuthorizationData::of(&[]))), [before, behind]);
    assert_eq!(flat(&AuthorizationData::of(&[])), []);
}

#[test]
fn data_comes_with_its_element() {
    let inner = AuthorizationData::of(&[(AD_WIN2K_PAC, b"pac")]);
    let bytes = AuthorizationData::of(&[(AD_IF_RELEVANT, &inner)]);
    let list = AuthorizationData::decode(&bytes).unwrap();
    let expected = FlatEntry { ad_type: AD_WIN2K_PAC, data: b"pac", if_relevant: true };
    assert_eq!(list.flatten().collect::<Vec<_>>(), [Ok(expected)]);
    assert_eq!(list.iter().collect::<Vec<_>>(), [(AD_IF_RELEVANT, &inner[..])]);
}

/// An error, at its offset in the whole, and then nothing.
#[test]
fn a_list_inside_that_cannot_be_read() {
    let good = AuthorizationData::of(&[(AD_WIN2K_PAC, b"pac")]);
    for inside in [&b"foobar"[..], &[], &good[..good.len() - 1], &[&good[..], &[0]].concat()] {
        let bytes = AuthorizationData::of(&[(5, b"12345"), (AD_IF_RELEVANT, inside), (6, b"")]);
        let read = flat(&bytes);
        assert_eq!((read.len(), read[0]), (2, Ok((5, false))), "{inside:02x?}");
        assert!(read[1].is_err());
        let error = AuthorizationData::decode(&bytes).unwrap().flatten().find_map(Result::err).unwrap();
        let value = [&[4, u8::try_from(inside.len()).unwrap()], inside].concat();
        let at = bytes.windows(value.len()).position(|window| window == value).unwrap() + 2;
        assert!((at..=at + inside.len()).contains(&error.offset), "{} is not within {at}", error.offset);
    }
}

/// 64 lists of 64 elements would be 4096.
#[test]
fn many_elements() {
    let inner = AuthorizationData::of(&[(5, &b""[..]); 64]);
    let bytes = AuthorizationData::of(&[(AD_IF_RELEVANT, &inner[..]); 64]);
    let read = flat(&bytes);
    assert_eq!((read.len(), read.last()), (127, Some(&Err(Kind::TooLarge))));
    assert_eq!(read.iter().filter(|entry| entry.is_ok()).count(), 126, "two lists were opened");
}

#[test]
fn restrictions() {
    let integrity = LsapTokenInfoIntegrity { flags: 1, token_il: 0x2000, machine_id: [9; 32] };
    let mut bytes = Vec::new();
    integrity.encode(&mut bytes);
    assert_eq!(bytes[..8], [1, 0, 0, 0, 0, 0x20, 0, 0]);
    assert_eq!(LsapTokenInfoIntegrity::decode(&bytes), Ok(integrity));
    let list = RestrictionEntries::of(&[RestrictionEntry { restriction_type: 0, restriction: &bytes }]);
    // KERB-AD-RESTRICTION-ENTRY by hand: SEQUENCE OF SEQUENCE { [0] 0, [1] OCTET STRING }.
    assert_eq!(list[..13], [0x30, 0x33, 0x30, 0x31, 0xa0, 3, 2, 1, 0, 0xa1, 0x2a, 4, 0x28]);
    let read: Vec<_> = RestrictionEntries::decode(&list).unwrap().iter().collect();
    assert_eq!(read, [RestrictionEntry { restriction_type: 0, restriction: &bytes }]);
    for len in 0..40 {
        assert!(LsapTokenInfoIntegrity::decode(&bytes[..len]).is_err());
    }
    assert_eq!(LsapTokenInfoIntegrity::decode(&[&bytes[..], &[1, 2]].concat()), Ok(integrity));
}

#[test]
fn options_and_targets() {
    let options = ApOptions::decode(&[0, 0xc0, 0, 0]).unwrap();
    assert!(options.contains(ApOptions::CBT) && options.contains(ApOptions::UNVERIFIED_TARGET_NAME));
    assert!(!ApOptions::decode(&[0, 0x40, 0, 0]).unwrap().contains(ApOptions::UNVERIFIED_TARGET_NAME));
    for (bytes, kind) in [(&[][..], Kind::Truncated), (&[0; 3], Kind::Truncated), (&[0; 5], Kind::WrongLength)] {
        assert_eq!(ApOptions::decode(bytes).unwrap_err().kind, kind);
    }
    let target = portcullis_wire::utf16::encode("HTTP/web@EXAMPLE");
    assert_eq!(client_target(&target).as_deref(), Ok("HTTP/web@EXAMPLE"));
    assert_eq!(client_target(&target[1..]).unwrap_err().kind, Kind::NotUtf16);
    let types = EtypeList::of(&[18, 17, 23, -128]);
    assert_eq!(types, [0x30, 12, 2, 1, 18, 2, 1, 17, 2, 1, 23, 2, 1, 0x80]);
    assert_eq!(EtypeList::decode(&types).unwrap().iter().collect::<Vec<_>>(), [18, 17, 23, -128]);
}
