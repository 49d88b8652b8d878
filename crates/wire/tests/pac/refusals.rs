//! PACs whose table cheats (CVE-2022-42898 and kin), and buffers that do.

use portcullis_wire::kerberos::pac::{Attributes, BufferType, ClientInfo, Credentials, Pac, UpnDnsInfo};
use portcullis_wire::{Error, Kind};

/// A table, and `len` bytes behind it.
fn table(count: u32, entries: &[(u32, u32, u64)], len: usize) -> Vec<u8> {
    let mut out = [count.to_le_bytes(), [0; 4]].concat();
    for (buffer_type, size, offset) in entries {
        out.extend_from_slice(&buffer_type.to_le_bytes());
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(&offset.to_le_bytes());
    }
    out.extend((0..len).map(|number| number as u8));
    out
}

fn refusal(pac: &[u8]) -> (usize, &'static str, Kind) {
    let Error { offset, field, kind, .. } = Pac::decode(pac).unwrap_err();
    (offset, field, kind)
}

#[test]
fn counts() {
    for count in [65, 0x1000_0000, 0x1000_0001, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        assert_eq!(refusal(&table(count, &[(1, 0, 24)], 64)), (0, "cBuffers", Kind::TooLarge), "{count:#x}");
    }
    assert_eq!(refusal(&table(2, &[(1, 0, 24)], 15)), (8, "Buffers", Kind::Truncated));
    assert_eq!(refusal(&table(64, &[], 1000)), (8, "Buffers", Kind::Truncated));
    let most: Vec<_> = (0..64).map(|number| (0x100 + number, 8, 8 + 64 * 16 + 8 * u64::from(number))).collect();
    assert_eq!(Pac::decode(&table(64, &most, 512)).unwrap().buffers().count(), 64);
    assert_eq!(Pac::decode(&[0; 8]).unwrap().buffers().count(), 0);
    let mut version = table(1, &[(1, 0, 24)], 0);
    version[4] = 1;
    assert_eq!(refusal(&version), (4, "Version", Kind::Unexpected));
    for len in 0..8 {
        assert_eq!(Pac::decode(&vec![0; len]).unwrap_err().kind, Kind::Truncated);
    }
}

/// The two of MIT Kerberos' t_pac.c.
#[test]
fn fuzzed_by_others() {
    let first = [0, 0, 0, 0x10, 0, 0, 0, 0, 6, 0xff, 0xff, 0xff, 0, 0, 0xf5];
    let second = [0, 0, 0, 0x20, 0, 0, 0, 0, 0x20, 0x20];
    assert_eq!(refusal(&first), (0, "cBuffers", Kind::TooLarge));
    assert_eq!(refusal(&second), (0, "cBuffers", Kind::TooLarge));
}

#[test]
fn offsets() {
    let outside = (16, "Offset", Kind::OutOfBounds);
    for (what, size, offset) in [
        ("behind the end", 8, 40),
        ("one byte too long", 17, 24),
        ("nothing behind the end", 0, 48),
        ("into the table", 8, 16),
        ("into the header", 8, 0),
        ("nothing in the header", 0, 8),
        ("wraps 32 bits", u32::MAX, 24),
        ("wraps 32 bits to the start", 0xffff_fff8, 32),
        ("wraps 64 bits", 32, 0xffff_ffff_ffff_fff0),
        ("wraps 64 bits to the start", 24, 0xffff_ffff_ffff_ffe8),
        ("a 32-bit machine's truncation", 8, 0x1_0000_0018),
        ("the sign", 8, 0x8000_0000_0000_0018),
    ] {
        assert_eq!(refusal(&table(1, &[(1, size, offset)], 16)), outside, "{what}");
    }
    for offset in 25..32 {
        assert_eq!(refusal(&table(1, &[(1, 1, offset)], 16)), (16, "Offset", Kind::Unexpected));
    }
    let fits = table(1, &[(1, 16, 24)], 16);
    assert_eq!(Pac::decode(&fits).unwrap().buffer(BufferType::LOGON_INFO).unwrap(), &fits[24..]);
    // Nothing, right behind the last byte.
    assert_eq!(Pac::decode(&table(1, &[(1, 0, 40)], 16)).unwrap().buffer(BufferType::LOGON_INFO), Some(&[][..]));
}

#[test]
fn overlaps() {
    let two = |first, second| table(2, &[first, second], 32);
    let refused = (32, "Offset", Kind::OutOfBounds);
    assert_eq!(refusal(&two((1, 16, 40), (10, 16, 48))), refused, "the second in the first");
    assert_eq!(refusal(&two((1, 16, 48), (10, 9, 40))), refused, "the first in the second");
    assert_eq!(refusal(&two((1, 8, 40), (10, 8, 40))), refused, "the same");
    assert_eq!(refusal(&two((1, 32, 40), (10, 8, 48))), refused, "one inside the other");
    assert!(Pac::decode(&two((1, 8, 40), (10, 8, 48))).is_ok(), "side by side");
    assert!(Pac::decode(&two((1, 8, 48), (10, 8, 40))).is_ok(), "in another order");
    assert!(Pac::decode(&two((1, 32, 40), (10, 0, 48))).is_ok(), "nothing overlaps nothing");
}

/// MS-PAC 2.4: of two of a type the first counts. Of two signatures none may.
#[test]
fn duplicates() {
    for buffer_type in [1, 2, 10, 11, 12, 13, 14, 15, 17, 18, 20, 0x999] {
        let pac = table(2, &[(buffer_type, 8, 48), (buffer_type, 8, 40)], 16);
        let read = Pac::decode(&pac).unwrap();
        assert_eq!(read.buffer(BufferType(buffer_type)), Some(&pac[48..56]));
        assert_eq!(read.buffers().count(), 2);
    }
    for buffer_type in [6, 7, 0x10, 0x13] {
        let pac = table(2, &[(buffer_type, 8, 48), (buffer_type, 8, 40)], 16);
        assert_eq!(refusal(&pac), (24, "ulType", Kind::Unexpected), "{buffer_type}");
        assert!(BufferType(buffer_type).is_signature());
    }
}

#[test]
fn types_have_names() {
    assert_eq!(BufferType::ALL.len(), 15);
    assert!(BufferType::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(BufferType::ALL.iter().all(|buffer_type| !buffer_type.name().unwrap().is_empty()));
    assert_eq!(BufferType::FULL_SIGNATURE.to_string(), "extended KDC checksum");
    assert_eq!((BufferType(9).name(), BufferType(9).to_string().as_str()), (None, "PAC buffer of type 0x9"));
}

#[test]
fn client_info() {
    let bytes = |len: u16, name: &[u8]| [&7u64.to_le_bytes()[..], &len.to_le_bytes(), name].concat();
    let name = ClientInfo { client_id: 7, name: "ab".into() };
    assert_eq!(ClientInfo::decode(&bytes(4, b"a\0b\0")), Ok(name.clone()));
    assert_eq!(ClientInfo::decode(&bytes(4, b"a\0b\0pad")), Ok(name));
    let kind = |bytes: &[u8]| ClientInfo::decode(bytes).unwrap_err().kind;
    assert_eq!(kind(&bytes(u16::MAX, b"a\0b\0")), Kind::Truncated);
    assert_eq!(kind(&bytes(6, b"a\0b\0")), Kind::Truncated);
    assert_eq!(kind(&bytes(3, b"a\0b\0")), Kind::NotUtf16);
    assert_eq!(kind(&bytes(2, b"\0\xd8")), Kind::NotUtf16);
}

/// Four fields of 16 bits, flags, and two or four more; then 16 bytes.
fn names(fields: [u16; 4], flags: u32, more: &[u16]) -> Vec<u8> {
    let mut out: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
    out.extend_from_slice(&flags.to_le_bytes());
    out.extend(more.iter().flat_map(|field| field.to_le_bytes()));
    out.extend_from_slice(&[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, b'x', 0, b'y', 0]);
    out
}

#[test]
fn names_and_their_offsets() {
    let decode = |bytes: &[u8]| UpnDnsInfo::decode(bytes).map_err(|error| (error.field, error.kind));
    let (upn, dns) = (Err(("Upn", Kind::OutOfBounds)), Err(("DnsDomainName", Kind::OutOfBounds)));
    assert_eq!(
        decode(&names([2, 24, 2, 26], 0, &[])).map(|read| (read.upn, read.dns_domain)),
        Ok(("x".into(), "y".into()))
    );
    // Of nothing the offset does not matter.
    assert!(decode(&names([0, u16::MAX, 0, 0], 0, &[])).is_ok());
    assert_eq!(decode(&names([2, 8, 0, 0], 0, &[])), upn, "into the fixed part");
    assert_eq!(decode(&names([2, 27, 0, 0], 0, &[])), upn, "over the end");
    assert_eq!(decode(&names([u16::MAX, u16::MAX, 0, 0], 0, &[])), upn);
    assert_eq!(decode(&names([0, 0, 2, 11], 0, &[])), dns);
    assert_eq!(decode(&names([0, 0, 4, 26], 0, &[])), dns);
    assert_eq!(decode(&names([3, 24, 0, 0], 0, &[])), Err(("Upn", Kind::NotUtf16)));

    let extended = |more: &[u16]| decode(&names([0; 4], 2, more));
    let read = extended(&[2, 32, 12, 20]).unwrap();
    assert_eq!((read.sam_name.as_deref(), read.sid), (Some("x"), "S-1-5-18".parse().ok()));
    assert_eq!(extended(&[2, 18, 12, 20]), Err(("SamName", Kind::OutOfBounds)), "the fixed part is longer");
    assert_eq!(extended(&[0, 0, 12, 16]), Err(("Sid", Kind::OutOfBounds)));
    assert_eq!(extended(&[0, 0, 17, 20]), Err(("Sid", Kind::OutOfBounds)));
    assert_eq!(extended(&[0, 0, 13, 20]), Err(("Sid", Kind::WrongLength)));
    assert_eq!(extended(&[0, 0, 11, 20]), Err(("SubAuthority", Kind::Truncated)));
    assert_eq!(extended(&[0, 0, 0, 20]), Err(("Revision", Kind::Truncated)), "announced and not there");
    // Without the flag there is neither.
    let read = decode(&names([0; 4], 1, &[2, 32, 12, 20])).unwrap();
    assert_eq!((read.sam_name, read.sid, read.flags), (None, None, UpnDnsInfo::UPN_MADE_UP));
}

#[test]
fn attributes_and_credentials() {
    let attributes = |len: u32, rest: &[u8]| Attributes::decode(&[&len.to_le_bytes(), rest].concat());
    assert_eq!(attributes(2, &[1, 0, 0, 0]), Ok(Attributes { flags_length: 2, flags: Attributes::REQUESTED }));
    assert_eq!(attributes(33, &[1, 0, 0, 0, 9, 9, 9, 9]), Ok(Attributes { flags_length: 33, flags: 1 }));
    assert_eq!(attributes(0, &[]), Ok(Attributes { flags_length: 0, flags: 0 }));
    for len in [1, 32, 33, 0x7fff_ffff, u32::MAX] {
        assert_eq!(attributes(len, &[1, 0, 0]).unwrap_err().kind, Kind::Truncated);
    }
    let read = Credentials::decode(b"\0\0\0\0\x12\0\0\0sealed").unwrap();
    assert_eq!(read, Credentials { version: 0, encryption_type: 18, sealed: b"sealed" });
    assert_eq!(Credentials::decode(&[0; 7]).unwrap_err().field, "EncryptionType");
}
