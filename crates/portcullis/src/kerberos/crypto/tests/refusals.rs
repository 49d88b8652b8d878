use super::*;

#[test]
fn a_flipped_bit_anywhere() {
    for key in keys() {
        let cipher = key.cipher(2);
        for len in [0, 1, 16, 30] {
            let mut message = Vec::new();
            cipher.encrypt(&CONFOUNDER, &text(len), &mut message);
            for at in 0..message.len() {
                for bit in 0..8 {
                    let mut altered = message.clone();
                    altered[at] ^= 1 << bit;
                    assert_eq!(cipher.decrypt(&mut altered), Err(BadIntegrity), "{key:?}, {len}, {at}");
                    assert!(altered.iter().all(|byte| *byte == 0), "{key:?}, {len}, {at}: something is left");
                }
            }
        }
    }
}

#[test]
fn every_shorter_and_longer_message() {
    for key in keys() {
        let cipher = key.cipher(2);
        let mut message = Vec::new();
        cipher.encrypt(&CONFOUNDER, &text(33), &mut message);
        for len in 0..message.len() {
            let mut short = message[..len].to_vec();
            assert_eq!(cipher.decrypt(&mut short), Err(BadIntegrity), "{key:?}, {len}");
            assert!(short.iter().all(|byte| *byte == 0), "{key:?}, {len}");
            let mut late = message[message.len() - len..].to_vec();
            assert_eq!(cipher.decrypt(&mut late), Err(BadIntegrity), "{key:?}, {len}");
        }
        message.push(0);
        assert_eq!(cipher.decrypt(&mut message), Err(BadIntegrity), "{key:?}");
    }
}

#[test]
fn zeros_of_every_length() {
    for key in keys() {
        let cipher = key.cipher(2);
        for len in 0..100 {
            assert_eq!(cipher.decrypt(&mut vec![0; len]), Err(BadIntegrity), "{key:?}, {len}");
        }
    }
}

#[test]
fn pieces_shorter_than_a_confounder() {
    // Nothing that a caller gives may panic, also where no message can be.
    for key in keys() {
        let cipher = key.cipher(24);
        for len in 0..16 {
            let mut data = vec![1; len];
            let mac = vec![0; cipher.mac_len()];
            assert_eq!(cipher.decrypt_pieces(&mut [Piece::Data(&mut data)], &mac), Err(BadIntegrity));
            assert_eq!(data, vec![0; len]);
        }
        assert_eq!(cipher.decrypt_pieces(&mut [], &[]), Err(BadIntegrity));
        assert_eq!(cipher.decrypt_pieces(&mut [Piece::SignOnly(b"x")], &[]), Err(BadIntegrity));
    }
}

#[test]
fn another_key() {
    for key in keys() {
        let mut message = Vec::new();
        key.cipher(2).encrypt(&CONFOUNDER, b"ticket", &mut message);
        for at in 0..key.bytes().len() {
            let mut bytes = key.bytes().to_vec();
            bytes[at] ^= 1;
            let other = Key::new(key.enctype(), &bytes).unwrap();
            assert_eq!(other.cipher(2).decrypt(&mut message.clone()), Err(BadIntegrity), "{key:?}, {at}");
        }
    }
}
