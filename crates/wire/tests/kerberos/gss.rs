//! Context tokens, and the checksum of a context.

use crate::samples::{asn1, captured};
use portcullis_wire::kerberos::*;
use portcullis_wire::spnego::{KERBEROS, KERBEROS_MICROSOFT, KERBEROS_USER_TO_USER};
use portcullis_wire::{Error, Kind};

#[test]
fn each_kind_in_each_frame() {
    for (kind, id) in [
        (InnerToken::ApReq, [1, 0]),
        (InnerToken::ApRep, [2, 0]),
        (InnerToken::KrbError, [3, 0]),
        (InnerToken::TgtReq, [4, 0]),
        (InnerToken::TgtRep, [4, 1]),
    ] {
        for mechanism in [KERBEROS, KERBEROS_MICROSOFT, KERBEROS_USER_TO_USER] {
            for body in [&b""[..], b"body", &[7; 300]] {
                let mut token = Vec::new();
                frame_token(mechanism, kind, body, &mut token);
                assert_eq!(recognise(&token), Ok(Recognised { mechanism: Some(mechanism), kind, body }));
                assert!(token.windows(2).any(|window| window == id));
                for len in 0..token.len() {
                    assert!(recognise(&token[..len]).is_err(), "{len}");
                }
                assert!(recognise(&[&token[..], &[0]].concat()).is_err());
            }
        }
        assert_eq!((kind.token_id(), InnerToken::from_token_id(id)), (id, Some(kind)));
    }
}

#[test]
fn without_a_frame() {
    for (name, kind) in [("ap_req", InnerToken::ApReq), ("ap_rep", InnerToken::ApRep), ("error", InnerToken::KrbError)]
    {
        let bytes = asn1(name);
        assert_eq!(recognise(&bytes), Ok(Recognised { mechanism: None, kind, body: &bytes }));
    }
    for first in (0..=255_u8).filter(|first| ![0x60, 0x6e, 0x6f, 0x7e].contains(first)) {
        let error = Error::new(0, "InitialContextToken", Kind::Unexpected);
        assert_eq!(recognise(&[first, 0]), Err(error), "{first:#x}");
    }
    assert_eq!(recognise(&[]).unwrap_err().kind, Kind::Truncated);
}

#[test]
fn other_two_bytes() {
    for id in 0..=u16::MAX {
        let id = id.to_be_bytes();
        let known = [[1, 0], [2, 0], [3, 0], [4, 0], [4, 1]].contains(&id);
        assert_eq!(InnerToken::from_token_id(id).is_some(), known);
    }
    // A MIC token in a frame is no context token.
    let error = recognise(&[0x60, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 1, 1]).unwrap_err();
    assert_eq!((error.offset, error.field, error.kind), (13, "TOK_ID", Kind::Unexpected));
}

fn checksum(flags: u32, behind: &[u8]) -> Vec<u8> {
    [&[16, 0, 0, 0][..], &[0xbb; 16], &flags.to_le_bytes(), behind].concat()
}

#[test]
fn checksums() {
    let plain = checksum(0x203e, b"");
    let read = GssChecksum::decode(&plain).unwrap();
    assert_eq!(read, GssChecksum { bindings: &[0xbb; 16], flags: 0x203e, delegation: None, extensions: b"" });
    let deleg = checksum(gss_flag::DELEG, b"\x01\x00\x03\x00abcext");
    let read = GssChecksum::decode(&deleg).unwrap();
    assert_eq!((read.delegation, read.extensions), (Some(&b"abc"[..]), &b"ext"[..]));
    // Without the flag the same bytes are extensions.
    let other = checksum(gss_flag::MUTUAL, b"\x01\x00\x03\x00abc");
    assert_eq!(GssChecksum::decode(&other).unwrap().extensions, b"\x01\x00\x03\x00abc");
    for bytes in [plain, deleg, other] {
        let mut again = Vec::new();
        GssChecksum::decode(&bytes).unwrap().encode(&mut again);
        assert_eq!(again, bytes);
    }
}

/// K10 of the attacks that peers fell for: what is no checksum of a context is an error, never a default.
#[test]
fn what_is_no_checksum() {
    let deleg = checksum(gss_flag::DELEG, b"\x01\x00\x03\x00abc");
    for len in 0..deleg.len() {
        assert_eq!(GssChecksum::decode(&deleg[..len]).unwrap_err().kind, Kind::Truncated, "{len}");
    }
    let kind = |bytes: &[u8]| GssChecksum::decode(bytes).map(|_| ()).map_err(|error| (error.field, error.kind));
    assert_eq!(kind(&[0xff; 24]), Err(("Lgth", Kind::WrongLength)));
    assert_eq!(kind(&[0; 24]), Err(("Lgth", Kind::WrongLength)));
    for length in [0_u32, 15, 17, 16 << 24] {
        let mut bytes = checksum(0, b"");
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        assert_eq!(kind(&bytes), Err(("Lgth", Kind::WrongLength)));
    }
    assert_eq!(kind(&checksum(1, b"\x00\x00\x00\x00")), Err(("DlgOpt", Kind::Unexpected)));
    assert_eq!(kind(&checksum(1, b"\x01\x00\xff\xffabc")), Err(("Deleg", Kind::Truncated)));
    assert_eq!(kind(&checksum(0xffff_ffff, b"")), Err(("DlgOpt", Kind::Truncated)));
}

#[test]
fn every_truncation_of_a_real_one() {
    let bytes = captured("deleg checksum");
    for len in 0..bytes.len() {
        assert!(GssChecksum::decode(&bytes[..len]).is_err(), "{len}");
    }
    let token = captured("deleg request");
    for len in 0..token.len() {
        assert!(recognise(&token[..len]).is_err(), "{len}");
    }
}

/// More credentials than 16 bits can count are cut: a caller that has them is wrong, and is not brought down.
#[test]
fn too_much_to_delegate() {
    let given = vec![7; 70_000];
    let checksum = GssChecksum { bindings: &[0; 16], flags: 1, delegation: Some(&given), extensions: b"" };
    let mut out = Vec::new();
    checksum.encode(&mut out);
    assert_eq!(GssChecksum::decode(&out).unwrap().delegation, Some(&given[..65_535]));
}
