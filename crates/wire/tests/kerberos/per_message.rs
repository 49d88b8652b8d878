//! The heads of MIC and Wrap tokens, of both kinds.

use crate::samples::hex;
use portcullis_wire::Kind;
use portcullis_wire::kerberos::{MicHeader, Rc4Mic, Rc4Wrap, WrapHeader, token_flag};
use portcullis_wire::spnego::{KERBEROS, KERBEROS_MICROSOFT, NTLM};

/// The layout of RFC 4121 §4.2.6.
#[test]
fn heads_of_rfc_4121() {
    let mic = hex("0404 05 ffffffffff 0102030405060708");
    let expected =
        MicHeader { flags: token_flag::SENT_BY_ACCEPTOR | token_flag::ACCEPTOR_SUBKEY, seq: 0x0102_0304_0506_0708 };
    assert_eq!(MicHeader::decode(&mic), Ok(expected));
    assert_eq!(&expected.encode()[..], mic);
    let wrap = hex("0504 07 ff 000c 001c 00000000ffffffff");
    let expected = WrapHeader { flags: 7, ec: 12, rrc: 28, seq: 0xffff_ffff };
    assert_eq!(WrapHeader::decode(&wrap), Ok(expected));
    assert_eq!(&expected.encode()[..], wrap);
    // What stands behind the head is left to the caller.
    assert_eq!(WrapHeader::decode(&[&wrap[..], b"data"].concat()), Ok(expected));
}

/// CVE-2025-57736 and its kin: the filler is checked, and a head is whole or none.
#[test]
fn heads_that_are_none() {
    let (mic, wrap) = (hex("0404 00 ffffffffff 0000000000000000"), hex("0504 02 ff 0000 0000 0000000000000000"));
    for len in 0..16 {
        assert_eq!(MicHeader::decode(&mic[..len]).unwrap_err().kind, Kind::Truncated);
        assert_eq!(WrapHeader::decode(&wrap[..len]).unwrap_err().kind, Kind::Truncated);
    }
    for at in 0..16 {
        for change in 1..=255 {
            let changed = |bytes: &[u8]| {
                let mut changed = bytes.to_vec();
                changed[at] ^= change;
                changed
            };
            let constant = [0, 1, 3, 4, 5, 6, 7].contains(&at);
            assert_eq!(MicHeader::decode(&changed(&mic)).is_err(), constant, "{at}");
            let constant = [0, 1, 3].contains(&at);
            assert_eq!(WrapHeader::decode(&changed(&wrap)).is_err(), constant, "{at}");
        }
    }
    assert!(MicHeader::decode(&wrap).is_err() && WrapHeader::decode(&mic).is_err());
}

const OID: &str = "06 09 2a864886f712010202";

#[test]
fn a_mic_of_rfc_1964() {
    let token = hex(&format!("60 23 {OID} 0101 1100 ffffffff 0102030405060708 1112131415161718"));
    let mic = Rc4Mic::decode(&token).unwrap();
    assert_eq!((mic.mechanism, mic.sgn_alg, *mic.header), (KERBEROS, Rc4Mic::HMAC, Rc4Mic::HEADER));
    assert_eq!((mic.snd_seq[0], mic.sgn_cksum[7]), (1, 0x18));
    let mut again = Vec::new();
    mic.encode(&mut again);
    assert_eq!(again, token);
    for len in 0..token.len() {
        assert!(Rc4Mic::decode(&token[..len]).is_err(), "{len}");
    }
    assert!(Rc4Mic::decode(&[&token[..], &[0]].concat()).is_err());
    let longer = hex(&format!("60 24 {OID} 0101 1100 ffffffff 0102030405060708 1112131415161718 00"));
    assert_eq!(Rc4Mic::decode(&longer).unwrap_err().kind, Kind::Unexpected);
    assert!(Rc4Wrap::decode(&token).is_err());
}

#[test]
fn a_wrap_of_rfc_1964() {
    let fixed = "0201 1100 1000 ffff 0102030405060708 1112131415161718 2122232425262728";
    let token = hex(&format!("60 31 {OID} {fixed} 6465666768 01"));
    let wrap = Rc4Wrap::decode(&token).unwrap();
    assert_eq!((wrap.sgn_alg, wrap.seal_alg, *wrap.header), (Rc4Mic::HMAC, Rc4Wrap::RC4, Rc4Wrap::SEALED));
    assert_eq!((wrap.confounder[0], wrap.payload), (0x21, &b"defgh\x01"[..]));
    let mut again = Vec::new();
    wrap.encode(&mut again);
    assert_eq!(again, token);
    for len in 0..token.len() {
        assert!(Rc4Wrap::decode(&token[..len]).is_err(), "{len}");
    }
    // The payload elsewhere: its bytes are counted, or not.
    let (counted, not) = (hex(&format!("60 31 {OID} {fixed}")), hex(&format!("60 2b {OID} {fixed}")));
    let bare = Rc4Wrap { payload: b"", ..wrap };
    assert_eq!(Rc4Wrap::decode_detached(&counted, 6), Ok(bare));
    assert_eq!(Rc4Wrap::decode_detached(&not, 6), Ok(bare));
    assert_eq!(Rc4Wrap::decode_detached(&counted, 5).unwrap_err().kind, Kind::WrongLength);
    assert_eq!(Rc4Wrap::decode_detached(&counted, usize::MAX).unwrap_err().kind, Kind::WrongLength);
    assert_eq!(Rc4Wrap::decode_detached(&token, 6).unwrap_err().kind, Kind::Unexpected, "the payload is here");
    for (payload, expected) in [(6, &counted), (0, &not)] {
        let mut again = Vec::new();
        wrap.encode_detached(payload, &mut again);
        assert_eq!(&again, expected);
    }
    // A length of three bytes, over a payload of many.
    let payload = vec![9; 70_000];
    let mut long = Vec::new();
    Rc4Wrap { header: &Rc4Wrap::SIGNED, payload: &payload, ..wrap }.encode(&mut long);
    let read = Rc4Wrap::decode(&long).unwrap();
    assert_eq!((read.payload, read.seal_alg), (&payload[..], Rc4Wrap::NONE));
    assert_eq!(Rc4Wrap::decode_detached(&long[..long.len() - 70_000], 70_000).unwrap().payload, b"");
}

#[test]
fn frames_and_fillers() {
    let fixed = "0201 1100 1000 ffff 0102030405060708 1112131415161718 2122232425262728";
    let good = hex(&format!("60 2b {OID} {fixed}"));
    assert!(Rc4Wrap::decode(&good).is_ok());
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 0x40;
        // Algorithms, sequence number, checksum and confounder are not judged here.
        assert_eq!(Rc4Wrap::decode(&changed).is_ok(), (15..19).contains(&at) || at >= 21, "{at}");
    }
    let microsoft = hex(&format!("60 2b 06 09 2a864882f712010202 {fixed}"));
    assert_eq!(Rc4Wrap::decode(&microsoft).unwrap().mechanism, KERBEROS_MICROSOFT);
    let mut other = vec![0x60, 0x2c, 6, 10];
    other.extend([NTLM.0, &hex(fixed)].concat());
    assert_eq!(Rc4Wrap::decode(&other).unwrap_err().field, "thisMech");
    for short in ["60", "6000", "60 80", "60 84 ff ff ff ff", "60 02 06 00", "60 0b 06 09 2a864886f712010202"] {
        assert!(Rc4Wrap::decode(&hex(short)).is_err(), "{short}");
        assert!(Rc4Wrap::decode_detached(&hex(short), usize::MAX).is_err(), "{short}");
    }
}
