//! Files of keys.

use crate::samples::{captured, hex};
use portcullis_wire::kerberos::*;
use portcullis_wire::{Error, Kind};

fn shown(file: &[u8]) -> Vec<Result<(String, u32, i32), Kind>> {
    let row = |entry: Result<KeytabEntry<'_>, Error>| {
        let entry = entry.map_err(|error| error.kind)?;
        let mut name = String::new();
        unparse_components(entry.components(), entry.realm, &mut name);
        Ok((name, entry.kvno, entry.etype))
    };
    Keytab::decode(file).unwrap().entries().map(row).collect()
}

const OLD: &str = "old/server.example.test@EXAMPLE.TEST";

/// A key version of 300 needs the number behind the key.
#[test]
fn written_by_ktutil() {
    let file = captured("keytab");
    assert_eq!(
        shown(&file),
        [Ok((OLD.into(), 1, etype::RC4_HMAC)), Ok(("bob@EXAMPLE.TEST".into(), 300, etype::AES128_SHA1))]
    );
    let entries: Vec<_> = Keytab::decode(&file).unwrap().entries().map(Result::unwrap).collect();
    assert_eq!(entries.iter().map(|entry| entry.key.len()).collect::<Vec<_>>(), [16, 16]);
    assert!(entries.iter().all(|entry| (entry.name_type, entry.timestamp) == (NT_PRINCIPAL, 0x6b07_1425)));
    // What we write of the same entries is the same file.
    let components: Vec<Vec<&[u8]>> = entries.iter().map(|entry| entry.components().collect()).collect();
    let rewritten: Vec<_> =
        entries.iter().zip(&components).map(|(entry, components)| again(entry, components)).collect();
    assert_eq!(encode_keytab(&rewritten), Ok(file));
}

fn again<'a>(entry: &KeytabEntry<'a>, components: &'a [&'a [u8]]) -> NewKeytabEntry<'a> {
    let KeytabEntry { realm, name_type, timestamp, kvno, etype, key, .. } = *entry;
    NewKeytabEntry { realm, name_type, components, timestamp, kvno, etype, key }
}

/// A deleted entry leaves a hole: its size, negative.
#[test]
fn a_hole() {
    let file = captured("hole");
    assert_eq!(file[2..6], (-92_i32).to_be_bytes());
    assert_eq!(shown(&file), [Ok((OLD.into(), 1, etype::RC4_HMAC))]);
}

/// realm R, one component a, name type 1, timestamp 0, version 7 of eight bits, AES-128, a key of two bytes.
const ENTRY: &str = "0001 000152 000161 00000001 00000000 07 0011 0002 4b4b";

fn file(entries: &[&str]) -> Vec<u8> {
    let mut file = vec![5, 2];
    for entry in entries {
        let entry = hex(entry);
        file.extend(u32::try_from(entry.len()).unwrap().to_be_bytes());
        file.extend(entry);
    }
    file
}

#[test]
fn both_versions_of_a_key() {
    let kvno = |behind: &str| shown(&file(&[&format!("{ENTRY}{behind}")]))[0].clone().map(|(_, kvno, _)| kvno);
    for (behind, expected) in [
        ("", 7),
        ("00", 7),
        ("000000", 7),
        ("00000000", 7),
        ("00000107", 0x107),
        ("ffffffff", u32::MAX),
        // Heimdal's flags behind it.
        ("00000008 00000000", 8),
    ] {
        assert_eq!(kvno(behind), Ok(expected), "{behind}");
    }
}

/// Version 1: little-endian, the realm counted, no name type.
#[test]
fn version_1() {
    let file = hex("0501 19000000 0300 0100 52 0400 48545450 0100 77 78563412 07 1700 0200 4b4b");
    let entries: Vec<_> = Keytab::decode(&file).unwrap().entries().map(Result::unwrap).collect();
    let [entry] = entries[..] else { panic!("{entries:?}") };
    assert_eq!((entry.realm, entry.name_type, entry.timestamp), (&b"R"[..], 0, 0x1234_5678));
    assert_eq!((entry.kvno, entry.etype, entry.key), (7, etype::RC4_HMAC, &b"KK"[..]));
    assert!(entry.components().eq([&b"HTTP"[..], b"w"]));
    let none = hex("0501 0e000000 0000 0100 52 00000000 07 1700 0000");
    assert_eq!(Keytab::decode(&none).unwrap().entries().next().unwrap().unwrap_err().field, "num_components");
}

#[test]
fn no_keytab() {
    for (file, kind) in [
        (&[][..], Kind::Truncated),
        (&[5], Kind::Truncated),
        (&[5, 0], Kind::Unexpected),
        (&[5, 3], Kind::Unexpected),
        (&[5, 4, 0, 0], Kind::Unexpected),
        (b"PK\x03\x04", Kind::Unexpected),
    ] {
        assert_eq!(Keytab::decode(file).unwrap_err().kind, kind, "{file:02x?}");
    }
    assert_eq!(shown(&[5, 2]), []);
}

/// One entry that cannot be read does not hide the next; where a size leads outside, nothing can follow.
#[test]
fn spoilt_entries() {
    let good: Result<(String, u32, i32), Kind> = Ok(("a@R".into(), 7, 17));
    let spoilt = ENTRY.replace("0002 4b4b", "0003 4b4b");
    assert_eq!(shown(&file(&[ENTRY, &spoilt, ENTRY])), [good.clone(), Err(Kind::Truncated), good.clone()]);
    let many = ENTRY.replacen("0001", "ffff", 1);
    assert_eq!(shown(&file(&[&many, ENTRY])), [Err(Kind::Truncated), good.clone()]);
    let whole = file(&[ENTRY, ENTRY]);
    let (second, rest) = (whole.len() / 2 + 1, (whole.len() - 2) / 2);
    for len in second + 1..whole.len() {
        assert_eq!(shown(&whole[..len]), [good.clone(), Err(Kind::Truncated)], "{len}, {rest}");
    }
    // Zero ends the list: a file grown for an entry that was never written.
    assert_eq!(shown(&[&whole[..], &[0; 40]].concat()), [good.clone(), good.clone()]);
    for size in [i32::MAX, i32::MIN, -1_000_000, 1_000_000] {
        let more = [&file(&[ENTRY])[..], &size.to_be_bytes(), &[0; 64]].concat();
        assert_eq!(shown(&more), [good.clone(), Err(Kind::Truncated)], "{size}");
    }
    let error = Keytab::decode(&file(&[ENTRY, &spoilt])).unwrap().entries().find_map(Result::err).unwrap();
    assert_eq!((error.field, error.offset), ("key", 2 + 4 + 23 + 4 + 21), "counted from the file's first byte");
}

#[test]
fn every_truncation_and_changed_byte() {
    for name in ["keytab", "hole"] {
        let file = captured(name);
        for len in 2..file.len() {
            Keytab::decode(&file[..len]).unwrap().entries().for_each(|entry| assert!(entry.is_err() || len > 80));
        }
        for at in 2..file.len() {
            for change in [0x01, 0x10, 0x7f, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] ^= change;
                let entries = Keytab::decode(&changed).unwrap().entries();
                assert!(entries.take(100).count() <= 12);
            }
        }
    }
}

#[test]
fn no_room_in_the_file() {
    let long = vec![b'x'; 65_536];
    let entry = NewKeytabEntry {
        realm: b"R",
        name_type: 1,
        components: &[b"a"],
        timestamp: 0,
        kvno: 70_000,
        etype: -128,
        key: b"KK",
    };
    let good = encode_keytab(&[entry, entry]).unwrap();
    assert_eq!(shown(&good), [Ok(("a@R".into(), 70_000, -128)), Ok(("a@R".into(), 70_000, -128))]);
    let components: Vec<&[u8]> = vec![b"a"; 65_536];
    for (spoilt, field) in [
        (NewKeytabEntry { realm: &long, ..entry }, "realm"),
        (NewKeytabEntry { components: &[&long], ..entry }, "component"),
        (NewKeytabEntry { components: &components, ..entry }, "num_components"),
        (NewKeytabEntry { key: &long, ..entry }, "key"),
        (NewKeytabEntry { etype: 40_000, ..entry }, "keytype"),
    ] {
        assert_eq!(encode_keytab(&[entry, spoilt]), Err(Error::new(1, field, Kind::TooLarge)));
    }
}

#[test]
fn keys_are_not_shown() {
    let file = file(&[ENTRY]);
    let keytab = Keytab::decode(&file).unwrap();
    let entry = keytab.entries().next().unwrap().unwrap();
    let new = again(&entry, &[b"a"]);
    for text in [format!("{keytab:?}"), format!("{entry:?}"), format!("{new:?}"), format!("{:?}", keytab.entries())] {
        assert!(!text.contains("75, 75") && !text.contains("4b"), "{text}");
    }
}
