//! Serialized structures that cheat.

use portcullis_wire::kerberos::pac::{ClaimsMetadata, Delegation, DeviceInfo, LogonInfo, decode_claims};
use portcullis_wire::ndr::{NdrReader, NdrWriter};
use portcullis_wire::sid::Sid;
use portcullis_wire::{Error, Kind};

fn written(write: impl FnOnce(&mut NdrWriter)) -> Vec<u8> {
    let mut ndr = NdrWriter::new();
    write(&mut ndr);
    let mut out = Vec::new();
    ndr.finish(&mut out);
    out
}

#[test]
fn headers() {
    let good = written(|ndr| {
        ndr.u32(7).u32(8);
    });
    assert_eq!(good.len(), 16 + 16);
    assert_eq!(NdrReader::open(&good).unwrap().u32("x"), Ok(7));
    let open = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        NdrReader::open(&bytes).map(drop).map_err(|error| (error.offset, error.field, error.kind))
    };
    assert_eq!(open(0, 2), Err((0, "Version", Kind::Unexpected)), "NDR64");
    assert_eq!(open(1, 0), Err((1, "Endianness", Kind::Unexpected)), "big-endian");
    assert_eq!(open(1, 0x11), Err((1, "Endianness", Kind::Unexpected)), "EBCDIC");
    assert_eq!(open(2, 16), Err((2, "CommonHeaderLength", Kind::Unexpected)));
    for (at, value) in [(8, 17), (9, 1), (11, 0x80)] {
        assert_eq!(open(at, value), Err((8, "ObjectBufferLength", Kind::OutOfBounds)));
    }
    assert_eq!(open(8, 3), Err((16, "Referent", Kind::Truncated)));
    let mut null = good.clone();
    null[16..20].fill(0);
    assert_eq!(NdrReader::open(&null).unwrap_err(), Error::new(16, "Referent", Kind::Unexpected));
    for at in 4..8 {
        assert!(open(at, 0xff).is_ok(), "fillers say nothing");
    }
    for len in 0..good.len() {
        assert!(NdrReader::open(&good[..len]).is_err(), "{len}");
    }
    // What lies behind the structure is not read.
    let behind = [&good[..], &[9; 4]].concat();
    let mut ndr = NdrReader::open(&behind).unwrap();
    ndr.bytes(12, "all").unwrap();
    assert_eq!(ndr.u16("more").unwrap_err().kind, Kind::Truncated);
}

#[test]
fn everything_aligns_itself() {
    let bytes = written(|ndr| {
        ndr.u16(1).u32(2).u32(2).u16(3).u64(4).u16(5).filetime(6).bytes(b"x").u16(7);
    });
    let mut ndr = NdrReader::open(&bytes).unwrap();
    assert_eq!((ndr.u16("a"), ndr.u32("b"), ndr.u32("b")), (Ok(1), Ok(2), Ok(2)));
    assert_eq!((ndr.u16("c"), ndr.u64("d")), (Ok(3), Ok(4)));
    assert_eq!(ndr.offset(), 48, "the 64-bit number stands at a multiple of eight");
    assert_eq!(
        (ndr.u16("e"), ndr.filetime("f"), ndr.bytes(1, "g"), ndr.u16("h")),
        (Ok(5), Ok(6), Ok(&b"x"[..]), Ok(7))
    );
    assert_eq!(ndr.offset(), 64, "a FILETIME stands at a multiple of four");
}

/// An array's own count, its structure's, and what there is.
#[test]
fn counts_of_arrays() {
    let bytes = |count| {
        written(|ndr| {
            ndr.u32(count).bytes(&[0; 12]);
        })
    };
    let conformance = |stands: u32, said: u32, size: usize| {
        NdrReader::open(&bytes(stands)).unwrap().conformance(said, size, "x").map_err(|error| error.kind)
    };
    assert_eq!(conformance(3, 3, 4), Ok(3));
    assert_eq!(conformance(0, 0, 4), Ok(0));
    assert_eq!(conformance(3, 2, 4), Err(Kind::Unexpected));
    assert_eq!(conformance(2, 3, 4), Err(Kind::Unexpected));
    // Twelve bytes, and four of padding.
    assert_eq!(conformance(5, 5, 4), Err(Kind::TooLarge));
    for huge in [0x1000_0000, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        assert_eq!(conformance(huge, huge, 1), Err(Kind::TooLarge));
        assert_eq!(conformance(huge, huge, usize::MAX), Err(Kind::TooLarge));
    }
}

#[test]
fn texts() {
    // Length, maximum, pointer; maximum count, first, count, text.
    let text = |len: u16, referent: u32, counts: [u32; 3], bytes: &[u8]| {
        let bytes = written(|ndr| {
            ndr.u16(len).u16(len).u32(referent);
            counts.into_iter().for_each(|count| {
                ndr.u32(count);
            });
            ndr.bytes(bytes);
        });
        let mut ndr = NdrReader::open(&bytes).unwrap();
        let header = ndr.text_header("x").map_err(|error| error.kind)?;
        ndr.text(header, "x").map_err(|error| error.kind)
    };
    assert_eq!(text(4, 1, [2, 0, 2], b"a\0b\0"), Ok("ab".into()));
    assert_eq!(text(4, 1, [3, 0, 2], b"a\0b\0"), Ok("ab".into()), "room for a zero");
    assert_eq!(text(0, 0, [2, 0, 2], b"a\0b\0"), Ok(String::new()), "null");
    assert_eq!(text(0, 1, [2, 0, 0], b"a\0b\0"), Ok(String::new()));
    assert_eq!(text(4, 0, [2, 0, 2], b"a\0b\0"), Err(Kind::Unexpected), "a length of null");
    assert_eq!(text(3, 1, [2, 0, 2], b"a\0b\0"), Err(Kind::NotUtf16), "an odd length");
    assert_eq!(text(4, 1, [2, 0, 1], b"a\0b\0"), Err(Kind::Unexpected), "shorter than said");
    assert_eq!(text(2, 1, [2, 0, 2], b"a\0b\0"), Err(Kind::Unexpected), "longer than said");
    assert_eq!(text(4, 1, [1, 0, 2], b"a\0b\0"), Err(Kind::Unexpected), "more than the most");
    assert_eq!(text(4, 1, [2, 1, 2], b"a\0b\0"), Err(Kind::Unexpected), "not from the first");
    assert_eq!(text(4, 1, [u32::MAX, 0, 0x8000_0002], b"a\0b\0"), Err(Kind::Unexpected), "2^31 more");
    assert_eq!(text(0xfffe, 1, [0x7fff, 0, 0x7fff], b"a\0b\0"), Err(Kind::Truncated));
    assert_eq!(text(2, 1, [1, 0, 1], b"\0\xdc"), Err(Kind::NotUtf16), "half a surrogate pair");
}

#[test]
fn terminated_texts() {
    let text = |counts: [u32; 3], bytes: &[u8]| {
        let bytes = written(|ndr| {
            counts.into_iter().for_each(|count| {
                ndr.u32(count);
            });
            ndr.bytes(bytes);
        });
        NdrReader::open(&bytes).unwrap().terminated_text("x").map_err(|error| error.kind)
    };
    assert_eq!(text([3, 0, 3], b"a\0b\0\0\0"), Ok("ab".into()));
    assert_eq!(text([1, 0, 1], b"\0\0"), Ok(String::new()));
    assert_eq!(text([2, 0, 2], b"a\0b\0"), Err(Kind::Unterminated));
    assert_eq!(text([0, 0, 0], b""), Err(Kind::Unterminated));
    assert_eq!(text([2, 1, 2], b"a\0\0\0"), Err(Kind::Unexpected));
    assert_eq!(text([u32::MAX, 0, u32::MAX], b"a\0\0\0"), Err(Kind::Truncated));
}

#[test]
fn sids() {
    let sid = |count: u32, binary: &[u8]| {
        let bytes = written(|ndr| {
            ndr.u32(count).bytes(binary);
        });
        NdrReader::open(&bytes).unwrap().sid("x").map_err(|error| error.kind)
    };
    let binary = |count: u8| [&[1, count, 0, 0, 0, 0, 0, 5][..], &[7; 64][..4 * usize::from(count)]].concat();
    assert_eq!(sid(1, &binary(1)), Ok(Sid::new(5, &[0x0707_0707]).unwrap()));
    assert_eq!(sid(15, &binary(15)).unwrap().sub_authorities().len(), 15);
    assert_eq!(sid(0, &binary(0)), Ok(Sid::new(5, &[]).unwrap()));
    assert_eq!(sid(16, &binary(16)), Err(Kind::TooLarge));
    assert_eq!(sid(2, &binary(1)), Err(Kind::Unexpected));
    assert_eq!(sid(0x8000_0001, &binary(1)), Err(Kind::Unexpected));
    assert_eq!(sid(15, &binary(15)[..64]), Err(Kind::Truncated));
    assert_eq!(sid(1, &[&[2][..], &binary(1)[1..]].concat()), Err(Kind::Unexpected), "another revision");
}

/// Counts of 2^31 and null pointers, in each structure that has arrays.
#[test]
fn arrays_in_structures() {
    let refused = |bytes: &[u8]| {
        [
            LogonInfo::decode(bytes).unwrap_err().kind,
            DeviceInfo::decode(bytes).unwrap_err().kind,
            Delegation::decode(bytes).unwrap_err().kind,
            ClaimsMetadata::decode(bytes).unwrap_err().kind,
            decode_claims(bytes).unwrap_err().kind,
        ]
    };
    for word in [0x8000_0000, 0x0fff_ffff, u32::MAX - 1] {
        let kinds = refused(&written(|ndr| {
            (0..200).for_each(|_| {
                ndr.u32(word);
            })
        }));
        assert!(!kinds.contains(&Kind::Truncated), "{word:#x}: {kinds:?}");
    }
    let device = |count: u32, referent: u32, array: u32| {
        let bytes = written(|ndr| {
            ndr.u32(1).u32(2).u32(0).u32(count).u32(referent).bytes(&[0; 16]).u32(array).bytes(&[7; 16]);
        });
        DeviceInfo::decode(&bytes).map(|read| read.account_groups.len()).map_err(|error| (error.field, error.kind))
    };
    assert_eq!(device(2, 1, 2), Ok(2));
    assert_eq!(device(0, 0, 9), Ok(0));
    assert_eq!(device(2, 0, 2), Err(("AccountGroupIds", Kind::Unexpected)), "two groups at null");
    assert_eq!(device(2, 1, 1), Err(("AccountGroupIds", Kind::Unexpected)));
    assert_eq!(device(3, 1, 3), Err(("AccountGroupIds", Kind::TooLarge)));
    assert_eq!(device(0x8000_0000, 1, 0x8000_0000), Err(("AccountGroupIds", Kind::TooLarge)));
    assert_eq!(device(0x8000_0002, 1, 2), Err(("AccountGroupIds", Kind::Unexpected)));
}

/// One array of one claim without values.
#[test]
fn claims_of_unknown_type_and_without_name() {
    let claims = |id: u32, kind: u16, tag: u16, count: u32| {
        let bytes = written(|ndr| {
            ndr.u32(1).u32(1).u16(0).u32(0).u32(0).u32(1).u16(1).u32(1).u32(1);
            ndr.u32(1).u32(id).u16(kind).u16(tag).u32(count).u32(0).terminated_text("id");
        });
        decode_claims(&bytes).map(|arrays| arrays[0].claims.len()).map_err(|error| (error.field, error.kind))
    };
    for kind in [1, 2, 3, 6] {
        assert_eq!(claims(1, kind, kind, 0), Ok(1));
        assert_eq!(claims(1, kind, kind, 1), Err(("Values", Kind::Unexpected)), "a value at null");
        assert_eq!(claims(0, kind, kind, 0), Err(("ClaimEntries", Kind::Unexpected)), "no name");
        assert_eq!(claims(1, kind, kind + 1, 0), Err(("ClaimEntries", Kind::Unexpected)), "two types");
    }
    for kind in [0, 4, 5, 7, u16::MAX] {
        assert_eq!(claims(1, kind, kind, 0), Err(("Type", Kind::Unexpected)));
    }
}

/// A set of claims that is empty, compressed, or not there.
#[test]
fn sets_of_claims() {
    let read = |set: &[u8], compression: u16| {
        let len = u32::try_from(set.len()).unwrap();
        let bytes = written(|ndr| {
            ndr.u32(len).pointer(!set.is_empty()).u16(compression).u32(u32::MAX).u16(0).u32(0).u32(0);
            if !set.is_empty() {
                ndr.u32(len).bytes(set);
            }
        });
        ClaimsMetadata::decode(&bytes).unwrap().claims().map_err(|error| error.kind)
    };
    assert_eq!(read(b"", 0), Ok(Some(Vec::new())));
    assert_eq!(read(b"huffman", 4), Ok(None));
    assert_eq!(read(b"neither", 9), Ok(None));
    assert_eq!(read(b"nonsense", 0), Err(Kind::Unexpected));
    assert_eq!(
        read(
            &written(|ndr| {
                ndr.u32(0).u32(0).u16(0).u32(0).u32(0);
            }),
            0
        ),
        Ok(Some(Vec::new()))
    );
}
