//! What the server signature is over.

use crate::vectors;
use portcullis_wire::kerberos::pac::{self, BufferType, ChecksumType, Pac};
use portcullis_wire::{Error, Kind};

/// The PAC with `len` zeros behind the type of each signature named.
fn zeroed(pac: &[u8], signatures: &[(BufferType, usize)]) -> Vec<u8> {
    let mut bytes = pac.to_vec();
    for (buffer_type, len) in signatures {
        let at = Pac::decode(pac).unwrap().find(*buffer_type).unwrap().offset + 4;
        bytes[at..at + len].fill(0);
    }
    bytes
}

#[test]
fn only_the_two_signatures_bytes_are_replaced() {
    let (server, kdc) = (BufferType::SERVER_SIGNATURE, BufferType::KDC_SIGNATURE);
    for (name, server_len, kdc_len) in [
        ("pac-mit-saved.txt", 16, 16),
        ("pac-mit-s4u-regular.txt", 12, 16),
        // The ticket signature stays.
        ("pac-mit-ticket.txt", 16, 12),
        // So does the identifier of a read-only domain controller,
        ("pac-samba-rodc.txt", 12, 12),
        // the extended signature,
        ("pac-samba-everything.txt", 12, 16),
        // and what stands behind them.
        ("pac-samba-bare.txt", 24, 24),
    ] {
        let pac = vectors::read(name).pac;
        let parts = Pac::decode(&pac).unwrap().signed_parts().unwrap();
        let expected = zeroed(&pac, &[(server, server_len), (kdc, kdc_len)]);
        assert_eq!(parts.concat(), expected, "{name}");
        assert_ne!(expected, pac, "{name}");
    }
}

fn pac_of(buffers: &[(BufferType, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    pac::encode(buffers, &mut out);
    out
}

#[test]
fn in_any_order_and_with_one_or_none() {
    let signature = [&[16, 0, 0, 0][..], &[0xaa; 12]].concat();
    let (server, kdc) = (BufferType::SERVER_SIGNATURE, BufferType::KDC_SIGNATURE);
    let both = pac_of(&[(kdc, &signature), (BufferType(0x99), b"between"), (server, &signature)]);
    let parts = Pac::decode(&both).unwrap().signed_parts().unwrap();
    assert_eq!(parts.concat(), zeroed(&both, &[(server, 12), (kdc, 12)]));
    for one in [server, kdc] {
        let pac = pac_of(&[(one, &signature)]);
        assert_eq!(Pac::decode(&pac).unwrap().signed_parts().unwrap().concat(), zeroed(&pac, &[(one, 12)]));
    }
    let none = pac_of(&[(BufferType::CLIENT_INFO, b"x")]);
    assert_eq!(Pac::decode(&none).unwrap().signed_parts().unwrap().concat(), none);
}

#[test]
fn each_type_has_its_length() {
    for (number, len) in [(-138, 16), (15, 12), (16, 12), (17, 16), (18, 16), (19, 16), (20, 24)] {
        assert_eq!(ChecksumType(number).signature_len(), Some(len));
        let signature = |len: usize| [&i32::to_le_bytes(number)[..], &vec![0x55; len]].concat();
        let decode = |bytes: &[u8]| {
            let pac = pac_of(&[(BufferType::SERVER_SIGNATURE, bytes)]);
            let pac = Pac::decode(&pac).unwrap();
            let parts = pac.signed_parts().map(|parts| parts.concat().iter().filter(|byte| **byte == 0x55).count());
            let read = pac.signature(BufferType::SERVER_SIGNATURE).map(|read| read.unwrap());
            read.map(|read| (read.checksum_type.0, read.signature.len(), read.rodc, parts.unwrap()))
        };
        assert_eq!(decode(&signature(len)), Ok((number, len, None, 0)));
        assert_eq!(decode(&signature(len + 2)), Ok((number, len, Some(0x5555), 2)));
        assert_eq!(decode(&signature(len + 1)), Ok((number, len, None, 1)));
        for short in 0..len {
            assert_eq!(decode(&signature(short)), Err(Error::new(24 + 4, "Signature", Kind::Truncated)));
        }
    }
}

/// The checksum of an unknown type is all that is there, but not without limit.
#[test]
fn signatures_of_unknown_type() {
    for (len, fits) in [(0, true), (40, true), (64, true), (65, false)] {
        let signature = [&7i32.to_le_bytes()[..], &vec![0x55; len]].concat();
        let pac = pac_of(&[(BufferType::KDC_SIGNATURE, &signature)]);
        let pac = Pac::decode(&pac).unwrap();
        assert_eq!(pac.signature(BufferType::KDC_SIGNATURE).unwrap().unwrap().signature.len(), len);
        match pac.signed_parts() {
            Ok(parts) => assert!(fits && !parts.concat().contains(&0x55)),
            Err(error) => assert_eq!((fits, error), (false, Error::new(28, "Signature", Kind::TooLarge))),
        }
    }
}
