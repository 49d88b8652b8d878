use super::*;
use crate::KeyInfo;

const LENGTHS: [usize; 14] = [0, 1, 8, 15, 16, 17, 31, 32, 33, 100, 127, 300, 1500, 20000];

#[test]
fn every_form_both_ways() {
    for enctype in Enctype::ALL {
        for granted in [FULL, DCE] {
            let [mut one, mut other] = pair(enctype, granted);
            for round in 0..2 {
                for data in LENGTHS.map(text) {
                    let what = format!("{enctype:?}, {granted:?}, {round}, {}", data.len());
                    let mic = one.sign(&data);
                    other.verify(&data, &mic).unwrap_or_else(|why| panic!("{what}: {why}"));
                    let (token, sealed) = one.seal(&data);
                    assert_eq!(sealed.len(), data.len());
                    assert!(sealed != data || data.len() < 16, "{what}");
                    let opened = Opened { enciphered: true, data: None };
                    assert_eq!(other.unseal(&token, &sealed).unwrap(), (opened, data.clone()), "{what}");
                    let (token, plain) = one.seal_plain(&data);
                    let opened = Opened { enciphered: false, data: None };
                    assert_eq!(other.unseal(&token, &plain).unwrap(), (opened, data.clone()), "{what}");
                    for enciphered in [true, false] {
                        let token = one.wrap(&data, enciphered);
                        assert_eq!(other.unwrap(&token).unwrap(), (data.clone(), enciphered), "{what}");
                    }
                    // What a caller has laid out in segments goes as one token too.
                    if enctype != Enctype::Rc4 {
                        let (token, sealed) = one.seal(&data);
                        assert_eq!(other.unwrap(&[token, sealed].concat()).unwrap(), (data.clone(), true), "{what}");
                    }
                }
                std::mem::swap(&mut one, &mut other);
            }
        }
    }
}

#[test]
fn lengths_are_those_that_callers_are_told() {
    // RFC 4121 §4.2.6 and the MACs of RFC 3962, 8009 and 6803; RFC 4757 §7.2 and §7.3.
    let expected = [
        (Enctype::Aes128Sha1, 28, 60, 76),
        (Enctype::Aes256Sha1, 28, 60, 76),
        (Enctype::Aes128Sha256, 32, 64, 80),
        (Enctype::Aes256Sha384, 40, 72, 88),
        (Enctype::Rc4, 37, 49, 45),
        (Enctype::Camellia128, 32, 64, 80),
        (Enctype::Camellia256, 32, 64, 80),
    ];
    for (enctype, signature, trailer, dce_trailer) in expected {
        for (granted, trailer) in [(FULL, trailer), (DCE, dce_trailer)] {
            let sizes = keys(enctype, granted, Role::Acceptor).sizes();
            assert_eq!((sizes.max_signature, sizes.security_trailer, sizes.block_size), (signature, trailer, 1));
            assert_eq!(sizes.max_token, 48000);
            let [mut one, _] = pair(enctype, granted);
            assert_eq!(one.sign(b"x").len(), signature as usize);
            // RC4's frame grows with the data that it counts, to this length for the longest.
            let len = one.seal(b"x").0.len();
            assert_eq!(len, if enctype == Enctype::Rc4 { 45 } else { trailer as usize }, "{enctype:?}");
        }
    }
    let [mut one, _] = pair(Enctype::Rc4, FULL);
    assert_eq!([84, 85, 500, 70000].map(|len| one.seal(&text(len)).0.len()), [45, 46, 47, 48]);
}

#[test]
fn a_token_needs_its_room() {
    for enctype in Enctype::ALL {
        let [mut one, mut other] = pair(enctype, FULL);
        let needed = one.seal(b"data").0.len();
        for len in 0..needed {
            let (mut token, mut data) = (vec![0xcc; len], b"data".to_vec());
            let sealed = one.seal.seal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]);
            assert_eq!(cause(sealed), "call/bad-buffers", "{enctype:?}, {len}");
            assert_eq!((&data[..], token), (&b"data"[..], vec![0xcc; len]), "nothing is touched");
            if len < one.signature {
                let signed = one.seal.sign(&mut [Segment::SignOnly(b"data"), Segment::Token(&mut vec![0; len])]);
                assert_eq!(cause(signed), "call/bad-buffers", "{enctype:?}, {len}");
            }
        }
        // And no number was used up: the peer has opened none of them.
        let mut longer = vec![0xcc; needed + 7];
        let mut data = b"data".to_vec();
        let len = one.seal.seal(&mut [Segment::Token(&mut longer), Segment::Data(&mut data)]).unwrap();
        assert_eq!((len, &longer[len..]), (needed, &[0xcc; 7][..]));
        other.open.unseal(&mut [Segment::Token(&mut longer[..len]), Segment::Data(&mut data)]).unwrap_err();
        let [mut one, mut other] = pair(enctype, FULL);
        one.seal.seal(&mut [Segment::Token(&mut []), Segment::Data(&mut data)]).unwrap_err();
        let (token, data) = one.seal(b"data");
        assert_eq!(other.unseal(&token, &data).unwrap().1, b"data");
    }
}

#[test]
fn segments_that_are_no_message() {
    for enctype in Enctype::ALL {
        let [mut one, _] = pair(enctype, FULL);
        let (mut a, mut b, mut data) = ([0; 100], [0; 100], [0; 5]);
        let bad = "call/bad-buffers";
        assert_eq!(cause(one.seal.sign(&mut [Segment::SignOnly(b"x")])), bad);
        assert_eq!(cause(one.seal.seal(&mut [Segment::Token(&mut a), Segment::Token(&mut b)])), bad);
        assert_eq!(cause(one.seal.seal_plain(&mut [Segment::Stream(&mut a)])), bad);
        assert_eq!(cause(one.seal.sign(&mut [Segment::Token(&mut a), Segment::Header(&mut b)])), bad);
        assert_eq!(cause(one.open.verify(&mut [Segment::Stream(&mut a)])), bad);
        assert_eq!(cause(one.open.unseal(&mut [Segment::Data(&mut data)])), bad);
        assert_eq!(cause(one.open.unseal(&mut [Segment::Stream(&mut a), Segment::Token(&mut b)])), bad);
        assert_eq!(cause(one.open.unseal(&mut [Segment::Stream(&mut a), Segment::Data(&mut data)])), bad);
        assert_eq!(cause(one.open.unseal(&mut [Segment::Token(&mut a), Segment::Trailer(&mut b)])), bad);
        assert_eq!(cause(one.open.unseal(&mut [])), bad);
    }
}

#[test]
fn segments_in_any_order_and_number() {
    for enctype in Enctype::ALL {
        for granted in [FULL, DCE] {
            let [mut one, mut other] = pair(enctype, granted);
            let (mut a, mut b, mut token) = (text(21), text(47), vec![0; one.trailer]);
            let message = &mut [
                Segment::SignOnly(b"header"),
                Segment::Data(&mut a),
                Segment::Token(&mut token),
                Segment::ReadOnly(b"left out"),
                Segment::Data(&mut []),
                Segment::Data(&mut b),
                Segment::SignOnly(b"trailer"),
            ];
            let len = one.seal.seal(message).unwrap();
            token.truncate(len);
            // The same message cut elsewhere, with the token elsewhere, and what was left out gone.
            let mut whole = [a, b].concat();
            let (first, rest) = whole.split_at_mut(21);
            let (second, third) = rest.split_at_mut(3);
            let message = &mut [
                Segment::SignOnly(b"hea"),
                Segment::SignOnly(b"der"),
                Segment::Data(first),
                Segment::Data(second),
                Segment::Data(third),
                Segment::SignOnly(b"trailer"),
                Segment::Token(&mut token),
            ];
            other.open.unseal(message).unwrap();
            assert_eq!(whole, [text(21), text(47)].concat(), "{enctype:?}");
        }
    }
}

#[test]
fn what_is_only_signed_lies_beside_a_stream() {
    for enctype in Enctype::ALL {
        let [mut one, mut other] = pair(enctype, FULL);
        let (mut data, mut token) = (text(40), vec![0; one.trailer]);
        if enctype == Enctype::Rc4 {
            data.push(1); // a whole token's padding
        }
        let message = &mut [Segment::SignOnly(b"before"), Segment::Token(&mut token), Segment::Data(&mut data)];
        let len = one.seal.seal(message).unwrap();
        let mut stream = [&token[..len], &data].concat();
        let mut altered = stream.clone();
        let message = &mut [Segment::Stream(&mut altered), Segment::SignOnly(b"before")];
        assert_eq!(cause(other.open.unseal(message)), "call/bad-signature", "{enctype:?}: behind, not before");
        let message = &mut [Segment::SignOnly(b"before"), Segment::Stream(&mut stream)];
        let found = other.open.unseal(message).unwrap().data.unwrap();
        assert_eq!(stream[found], text(40), "{enctype:?}");
    }
}

#[test]
fn sealing_needs_to_be_negotiated_and_signing_does_not() {
    for enctype in Enctype::ALL {
        let [mut sealing, _] = pair(enctype, FULL);
        let [mut one, mut other] = pair(enctype, ContextFlags::NONE);
        let mut token = vec![0; one.trailer];
        let refused = one.seal.seal(&mut [Segment::Token(&mut token), Segment::Data(&mut [1])]);
        assert_eq!(cause(refused), "call/not-negotiated");
        assert_eq!(cause(one.seal.wrap(b"x", true, &mut token)), "call/not-negotiated");
        assert_eq!(token, vec![0; one.trailer]);
        let (token, data) = sealing.seal(b"x");
        assert_eq!(cause(other.unseal(&token, &data)), "call/not-negotiated");
        assert_eq!(cause(other.unwrap(&sealing.wrap(b"x", true))), "call/not-negotiated");
        let mic = one.sign(b"data");
        other.verify(b"data", &mic).unwrap();
        let token = one.wrap(b"data", false);
        assert_eq!(other.unwrap(&token).unwrap(), (b"data".to_vec(), false));
    }
}

#[test]
fn no_two_messages_begin_alike() {
    for enctype in Enctype::ALL {
        let mut seen = std::collections::HashSet::new();
        let [mut one, mut other] = pair(enctype, FULL);
        let mut again = Side::of(&keys(enctype, FULL, Role::Initiator).drawing_from(Secret::new([9; 32])));
        for _ in 0..50 {
            assert!(seen.insert(one.seal(&[0; 64]).1) && seen.insert(other.seal(&[0; 64]).1), "{enctype:?}");
            // Another context under the same key, with the same numbers. RC4's payload has no other key for it: the
            // numbers are all that tells its streams apart, and the confounder only stands before them.
            let sealed = again.seal(&[0; 64]);
            assert!(seen.insert(if enctype == Enctype::Rc4 { sealed.0 } else { sealed.1 }), "{enctype:?}");
        }
    }
}

#[test]
fn keys_are_named_and_given() {
    let keys = keys(Enctype::Aes256Sha1, FULL, Role::Acceptor);
    assert_eq!(
        keys.key_info(),
        Some(KeyInfo {
            signature_algorithm: "HMAC-SHA1-96",
            encrypt_algorithm: "AES-256-CTS-HMAC-SHA1-96",
            key_bits: 256,
            signature_id: 16,
            encrypt_id: 18,
        })
    );
    assert_eq!(keys.session_key().unwrap().expose().len(), 32);
}
