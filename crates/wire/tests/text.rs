//! UTF-16 text, and names as Windows compares them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a test")]

use portcullis_wire::{Kind, Reader, filetime, sid::Sid, utf16};
use std::time::{Duration, UNIX_EPOCH};

#[test]
fn text_and_back() {
    for text in ["", "User", "Jürgen", "日本語", "\u{10428}\u{1f600}", "\0"] {
        let bytes = utf16::encode(text);
        assert_eq!(utf16::decode(&bytes, 0, "text").unwrap(), text);
    }
}

#[test]
fn what_is_no_text() {
    for bytes in [&b"a"[..], b"a\0b", &[0, 0xd8], &[0, 0xdc], &[0, 0xd8, 0x41, 0], &[0, 0xdc, 0, 0xd8]] {
        let error = utf16::decode(bytes, 7, "UserName").unwrap_err();
        assert_eq!((error.offset, error.field, error.kind), (7, "UserName", Kind::NotUtf16), "{bytes:?}");
    }
}

#[test]
fn names_that_are_one() {
    for (a, b) in [("User", "uSER"), ("müller", "MÜLLER"), ("ÿ", "Ÿ"), ("straße", "STRAßE"), ("ǆ", "Ǆ"), ("ｕ", "Ｕ")]
    {
        assert!(utf16::same_name(a, b), "{a} {b}");
    }
    // What Unicode's full or present mapping would take for one.
    for (a, b) in [
        ("straße", "STRASSE"),
        ("ı", "I"),
        ("ſ", "S"),
        ("ς", "Σ"),
        ("µ", "Μ"),
        ("ǅ", "Ǆ"),
        ("ა", "Ა"),
        ("ꭰ", "Ꭰ"),
        ("\u{10428}", "\u{10400}"),
        ("ﬁ", "FI"),
        ("User", "Use"),
    ] {
        assert!(!utf16::same_name(a, b), "{a} {b}");
    }
    assert_eq!(utf16::upper_string("νίκος@ÿ.example"), "ΝΊΚΟς@Ÿ.EXAMPLE");
}

#[test]
fn sids_at_their_bounds() {
    let fifteen = format!("S-1-5{}", "-4294967295".repeat(15));
    assert_eq!(fifteen.parse::<Sid>().unwrap().to_string(), fifteen);
    assert!(format!("{fifteen}-1").parse::<Sid>().is_err());
    for text in ["", "S-", "S-1", "S-1-", "S-2-5", "S-1-5-", "S-1-5--1", "S-1-5-4294967296", "S-1-0x1000000000000", "x"]
    {
        assert!(text.parse::<Sid>().is_err(), "{text}");
    }
    assert_eq!("s-1-5-7".parse::<Sid>().unwrap().to_string(), "S-1-5-7");
    assert_eq!("S-1-0x10000000000-2".parse::<Sid>().unwrap().to_string(), "S-1-0x010000000000-2");
    let whole = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
    assert_eq!(Sid::decode(&mut Reader::new(&whole)).unwrap().to_string(), "S-1-5-32-544");
    for len in 0..whole.len() {
        assert_eq!(Sid::decode(&mut Reader::new(&whole[..len])).unwrap_err().kind, Kind::Truncated, "{len}");
    }
    let mut behind = Reader::new(&[1, 0, 0, 0, 0, 0, 0, 5, 0xff]);
    Sid::decode(&mut behind).unwrap();
    assert_eq!(behind.rest(), [0xff]);
}

#[test]
fn times_at_their_bounds() {
    let tick = Duration::from_nanos(100);
    let epoch = 116_444_736_000_000_000;
    assert_eq!(filetime::from_system(UNIX_EPOCH + tick), epoch + 1);
    assert_eq!(filetime::from_system(UNIX_EPOCH - tick), epoch - 1);
    assert_eq!(filetime::from_system(UNIX_EPOCH + Duration::from_nanos(99)), epoch, "rounded down");
    for ticks in [0, 1, epoch - 1, epoch, epoch + 1, 134_397_792_000_000_000, filetime::NEVER - 1] {
        assert_eq!(filetime::from_system(filetime::to_system(ticks).unwrap()), ticks);
    }
    assert_eq!(filetime::to_system(u64::MAX), None);
    let far = UNIX_EPOCH + Duration::from_secs(1 << 60);
    assert_eq!(filetime::from_system(far), filetime::NEVER);
}
