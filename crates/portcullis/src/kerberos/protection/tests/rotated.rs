use super::*;
use portcullis_wire::kerberos::WrapHeader;

/// The encryption types of RFC 4121's tokens.
fn each() -> impl Iterator<Item = Enctype> {
    Enctype::ALL.into_iter().filter(|enctype| *enctype != Enctype::Rc4)
}

/// A token as the sender would have turned it by `rrc` more bytes.
fn turned(token: &[u8], rrc: u16) -> Vec<u8> {
    let mut token = token.to_vec();
    let header = WrapHeader { rrc, ..WrapHeader::decode(&token).unwrap() };
    token[..16].copy_from_slice(&header.encode());
    let len = token.len() - 16;
    token[16..].rotate_right(usize::from(rrc) % len);
    token
}

fn rotations() -> impl Iterator<Item = u16> {
    (0..200).chain([255, 256, 1000, 4095, 0x7fff, 0x8000, 0xff00, 0xfffe, 0xffff])
}

#[test]
fn k27_any_rotation_of_a_whole_token() {
    for enctype in each() {
        for enciphered in [true, false] {
            for data in [0, 1, 16, 45, 300].map(text) {
                let [mut one, _] = pair(enctype, FULL);
                let token = one.wrap(&data, enciphered);
                assert_eq!(WrapHeader::decode(&token).unwrap().rrc, 0);
                for rrc in rotations() {
                    let [_, mut other] = pair(enctype, FULL);
                    let opened = other.unwrap(&turned(&token, rrc));
                    assert_eq!(opened.unwrap(), (data.clone(), enciphered), "{enctype:?}, {rrc}");
                }
            }
        }
    }
}

#[test]
fn k27_any_rotation_in_segments() {
    for enctype in each() {
        for enciphered in [true, false] {
            for data in [0, 1, 16, 45, 300].map(text) {
                let [mut one, mut sizes] = pair(enctype, FULL);
                let token = one.wrap(&data, enciphered);
                let overhead = if enciphered { sizes.seal(b"").0 } else { sizes.seal_plain(b"").0 }.len();
                for rrc in rotations() {
                    let [_, mut other] = pair(enctype, FULL);
                    let token = turned(&token, rrc);
                    let (token, sealed) = token.split_at(overhead);
                    let (opened, found) = other.unseal(token, sealed).unwrap();
                    assert_eq!((found, opened.enciphered), (data.clone(), enciphered), "{enctype:?}, {rrc}");
                }
            }
        }
    }
}

#[test]
fn what_this_side_makes_is_turned_as_windows_turns_it() {
    // MS-KILE 3.4.5.4.1: 28 bytes with a MAC of 12 when sealed, and 12 when signed; DCE style has 16 bytes of filler.
    for enctype in each() {
        let mac = enctype.mac_len() as u16;
        for (granted, filler) in [(FULL, 0), (DCE, 16)] {
            let [mut one, _] = pair(enctype, granted);
            let header = |token: &[u8]| WrapHeader::decode(token).unwrap();
            let sealed = header(&one.seal(b"data").0);
            assert_eq!((sealed.ec, sealed.rrc, sealed.flags), (filler, 16 + mac, 2 | 4));
            let plain = header(&one.seal_plain(b"data").0);
            assert_eq!((plain.ec, plain.rrc, plain.flags, plain.seq), (mac, mac, 4, sealed.seq + 1));
        }
    }
}

/// DCE style counts the filler into the rotation, whatever its length, and a sender's filler may hold anything.
#[test]
fn fillers_of_every_length() {
    for enctype in each() {
        for (granted, extra) in [(FULL, 0), (DCE, 1)] {
            for ec in [0, 1, 15, 16, 17, 200, 3000] {
                let [_, mut other] = pair(enctype, granted);
                let data = text(40);
                let header = WrapHeader { flags: 2 | 4, ec, rrc: 0, seq: FIRST.0 };
                let filler = vec![0xa5; ec.into()];
                let mut body = Vec::new();
                let keys = keys(enctype, granted, Role::Initiator);
                keys.key.cipher(24).encrypt(&[7; 16], &[&data[..], &filler, &header.encode()].concat(), &mut body);
                let len = body.len();
                let rrc = 16 + enctype.mac_len() + (1 - extra) * usize::from(ec);
                body.rotate_right((rrc + extra * usize::from(ec)) % len);
                let token = [&WrapHeader { rrc: rrc as u16, ..header }.encode()[..], &body].concat();
                let overhead = token.len() - data.len();
                let (_, found) = other.unseal(&token[..overhead], &token[overhead..]).unwrap();
                assert_eq!(found, data, "{enctype:?}, {ec}");
            }
        }
    }
}
