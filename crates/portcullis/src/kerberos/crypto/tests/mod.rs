mod published;
mod refusals;

use super::cipher::Piece;
use super::derive::{Base, Purpose, n_fold};
use super::{BadIntegrity, Cipher, Enctype, Key};

fn hex(text: &str) -> Vec<u8> {
    let text = if text == "-" { "" } else { text };
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// A key of each encryption type.
fn keys() -> impl Iterator<Item = Key> {
    Enctype::ALL.into_iter().map(|enctype| {
        let bytes: Vec<u8> = (0..enctype.key_len()).map(|n| (n * 7 + enctype.number() as usize) as u8).collect();
        Key::new(enctype, &bytes).unwrap()
    })
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 + n / 256 + 5) as u8).collect()
}

const CONFOUNDER: [u8; 16] = *b"sixteen at once!";

#[test]
fn numbers_and_names() {
    for enctype in Enctype::ALL {
        assert_eq!(Enctype::from_number(enctype.number()), Some(enctype));
        assert_eq!(Enctype::name_of(enctype.number()), enctype.name());
        let key = Key::new(enctype, &vec![1; enctype.key_len()]).unwrap();
        assert_eq!((key.cipher(1).mac_len(), key.checksum(1).mac_len()), (enctype.mac_len(), enctype.mac_len()));
        assert_eq!(format!("{key:?}"), format!("Key({})", enctype.name()));
        assert_eq!((key.bytes(), key.duplicate().bytes()), (&vec![1; enctype.key_len()][..], key.bytes()));
    }
    assert_eq!(Enctype::ALL.map(Enctype::checksum_type), [15, 16, 19, 20, -138, 17, 18]);
    assert_eq!(Enctype::ALL.iter().filter(|enctype| enctype.is_weak()).count(), 1);
    for (number, name) in [(3, "des-cbc-md5"), (16, "des3-cbc-sha1"), (-128, "etype -128"), (0, "etype 0")] {
        assert_eq!(Enctype::from_number(number), None);
        assert_eq!(Enctype::name_of(number), name);
    }
}

#[test]
fn keys_of_another_length_are_none() {
    for enctype in Enctype::ALL {
        for len in (0..66).filter(|len| *len != enctype.key_len()) {
            assert!(Key::new(enctype, &vec![0; len]).is_none(), "{} of {len}", enctype.name());
        }
    }
}

#[test]
fn what_is_sealed_opens() {
    for key in keys() {
        let cipher = key.cipher(11);
        // Over all ends of a block, and across more than a run of blocks.
        for len in (0..70).chain([1023, 1024, 1025, 1039, 1040, 4096, 65536, 65537]) {
            let mut message = vec![0xee];
            cipher.encrypt(&CONFOUNDER, &text(len), &mut message);
            assert_eq!(message.len(), 1 + len + cipher.overhead());
            assert_eq!(message[0], 0xee);
            assert_eq!(cipher.decrypt(&mut message[1..]).unwrap(), text(len), "{key:?}, {len}");
        }
    }
}

#[test]
fn a_message_is_opened_in_its_own_buffer() {
    for key in keys() {
        let cipher = key.cipher(11);
        for len in [0, 1, 16, 100, 1500] {
            let mut message = Vec::new();
            cipher.encrypt(&CONFOUNDER, &text(len), &mut message);
            let (sealed, at) = (message.len(), message.len() / 2);
            let mut altered = message.clone();
            cipher.open(&mut message).unwrap();
            assert_eq!(message, text(len), "{key:?}, {len}");
            altered[at] ^= 1;
            assert_eq!(cipher.open(&mut altered), Err(BadIntegrity));
            assert_eq!(altered, vec![0; sealed]);
        }
    }
}

#[test]
fn pieces_are_one_message() {
    for key in keys() {
        let cipher = key.cipher(22);
        let confounder = &CONFOUNDER[..cipher.confounder_len()];
        for len in [0, 1, 15, 16, 17, 31, 32, 33, 100, 1500] {
            let plain = text(len);
            let whole = [confounder, &plain[..]].concat();
            let mut message = Vec::new();
            cipher.encrypt(&CONFOUNDER, &plain, &mut message);
            for step in [1, 3, 15, 16, 17, 40, 5000] {
                let mut pieces = whole.clone();
                let mut parts: Vec<_> = pieces.chunks_mut(step).map(Piece::Data).collect();
                parts.insert(parts.len() / 2, Piece::Data(&mut []));
                let mac = cipher.encrypt_pieces(&mut parts);
                let sealed = if key.enctype() == Enctype::Rc4 { [&mac[..], &pieces] } else { [&pieces[..], &mac] };
                assert_eq!(sealed.concat(), message, "{key:?}, {len} by {step}");
                let mut parts: Vec<_> = pieces.chunks_mut(step).map(Piece::Data).collect();
                cipher.decrypt_pieces(&mut parts, &mac).unwrap();
                assert_eq!(pieces, whole, "{key:?}, {len} by {step}");
            }
        }
    }
}

#[test]
fn what_is_only_signed_counts_where_it_stands() {
    for key in keys() {
        let cipher = key.cipher(22);
        let (mut first, mut second) = (CONFOUNDER.to_vec(), text(21));
        let mac = cipher.encrypt_pieces(&mut [
            Piece::Data(&mut first),
            Piece::SignOnly(b"header"),
            Piece::Data(&mut second),
            Piece::SignOnly(b"trailer"),
        ]);
        let open = |before: &[u8], after: &[u8]| {
            let (mut first, mut second) = (first.clone(), second.clone());
            let parts = &mut [
                Piece::Data(&mut first),
                Piece::SignOnly(before),
                Piece::Data(&mut second),
                Piece::SignOnly(after),
            ];
            let opened = cipher.decrypt_pieces(parts, &mac);
            (opened, second)
        };
        assert_eq!(open(b"header", b"trailer"), (Ok(()), text(21)));
        for (before, after) in [("trailer", "header"), ("heade", "trailer"), ("header", ""), ("", "headertrailer")] {
            assert_eq!(open(before.as_bytes(), after.as_bytes()), (Err(BadIntegrity), vec![0; 21]), "{key:?}");
        }
    }
}

/// RFC 3961 §5.1 step by step, for any lengths: what the folding of constants is compared with.
fn fold(input: &[u8], out: usize) -> Vec<u8> {
    let bits: Vec<u8> = input.iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1)).collect();
    let gcd = |mut a: usize, mut b: usize| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let copies = out / gcd(input.len(), out);
    let all: Vec<u8> = (0..copies)
        .flat_map(|copy| {
            let mut turned = bits.clone();
            turned.rotate_right(13 * copy % bits.len());
            turned
        })
        .collect();
    let mut sum = vec![0u32; out * 8];
    for chunk in all.chunks(out * 8) {
        sum.iter_mut().zip(chunk).for_each(|(sum, bit)| *sum += u32::from(*bit));
    }
    while sum.iter().any(|bit| *bit > 1) {
        for at in (0..sum.len()).rev() {
            let carry = sum[at] >> 1;
            sum[at] &= 1;
            let before = (at + sum.len() - 1) % sum.len();
            sum[before] += carry;
        }
    }
    sum.chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | *bit as u8)).collect()
}

#[test]
fn folding() {
    // RFC 3961 A.1.
    for (input, out) in [
        ("012345", "be072631276b1955"),
        ("password", "78a07b6caf85fa"),
        ("Rough Consensus, and Running Code", "bb6ed30870b7f0e0"),
        ("password", "59e4a8ca7c0385c3c37b3f6d2000247cb6e6bd5b3e"),
        ("MASSACHVSETTS INSTITVTE OF TECHNOLOGY", "db3b0d8f0b061e603282b308a50841229ad798fab9540c1b"),
        ("Q", "518a54a2 15a8452a 518a54a2 15a8452a 518a54a2 15"),
        ("ba", "fb25d531 ae897449 9f52fd92 ea9857c4 ba24cf29 7e"),
        ("kerberos", "6b65726265726f73"),
        ("kerberos", "6b65726265726f737b9b5b2b93132b93"),
    ] {
        let out = hex(&out.replace(' ', ""));
        assert_eq!(fold(input.as_bytes(), out.len()), out, "{input}");
    }
    assert_eq!(n_fold(*b"prf")[..], fold(b"prf", 16));
    for usage in (0..600u32).chain([1024, 0xffff, 0x8000_0000, u32::MAX - 1, u32::MAX]) {
        for purpose in [0x99, 0xaa, 0x55] {
            let [a, b, c, d] = usage.to_be_bytes();
            let constant = [a, b, c, d, purpose];
            assert_eq!(n_fold(constant)[..], fold(&constant, 16), "{constant:x?}");
        }
    }
}

#[test]
fn a_usage_is_no_other() {
    for key in keys() {
        let mut message = Vec::new();
        key.cipher(2).encrypt(&CONFOUNDER, b"ticket", &mut message);
        let sum = key.checksum(2).compute([&b"ticket"[..]]);
        for usage in (0..30).filter(|usage| *usage != 2) {
            assert_eq!(key.cipher(usage).decrypt(&mut message.clone()), Err(BadIntegrity), "{key:?}, {usage}");
            assert!(!key.checksum(usage).verify([&b"ticket"[..]], &sum), "{key:?}, {usage}");
        }
        assert!(key.checksum(2).verify([&b"tic"[..], b"", b"ket"], &sum));
    }
}

#[test]
fn ciphers_go_to_other_threads() {
    fn goes<T: Send + Sync>() {}
    goes::<Cipher>();
    goes::<super::ChecksumKey>();
    goes::<Key>();
}
