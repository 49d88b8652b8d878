use super::super::cts::Cts;
use super::*;
use aes::Aes128;
use aes::cipher::KeyInit;

/// The lines of one kind, split.
fn lines(kind: &str) -> Vec<Vec<&'static str>> {
    let all = include_str!("vectors.txt").lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let lines: Vec<_> = all.filter(|line| line[0] == kind).collect();
    // Every encryption type has its own.
    let covered = Enctype::ALL.iter().filter(|enctype| lines.iter().any(|line| of(line) == **enctype)).count();
    assert!(covered >= if kind == "derive" { 6 } else { 7 }, "{kind}: {covered}");
    lines
}

fn of(line: &[&str]) -> Enctype {
    Enctype::from_number(line[1].parse().unwrap()).unwrap()
}

fn key(line: &[&str], at: usize) -> Key {
    Key::new(of(line), &hex(line[at])).unwrap()
}

#[test]
fn messages() {
    for line in lines("decrypt") {
        let cipher = key(&line, 3).cipher(line[2].parse().unwrap());
        let message = hex(line[5]);
        let mut opened = message.clone();
        assert_eq!(cipher.decrypt(&mut opened).unwrap(), hex(line[4]), "{line:?}");
        // The confounder stands before the plaintext; with the same one the same message comes out.
        let at = if of(&line) == Enctype::Rc4 { cipher.mac_len() } else { 0 };
        let mut confounder = [0; 16];
        confounder[..cipher.confounder_len()].copy_from_slice(&opened[at..at + cipher.confounder_len()]);
        let mut sealed = Vec::new();
        cipher.encrypt(&confounder, &hex(line[4]), &mut sealed);
        assert_eq!(sealed, message, "{line:?}");
    }
}

#[test]
fn derived_keys() {
    for line in lines("derive") {
        let constant = hex(line[2]);
        let usage = u32::from_be_bytes(constant[..4].try_into().unwrap());
        let purpose = match constant[4] {
            0x99 => Purpose::Checksum,
            0xaa => Purpose::Encryption,
            _ => Purpose::Integrity,
        };
        let derived = Base::new(&key(&line, 3)).derive(usage, purpose);
        let expected = hex(line[4]);
        assert_eq!(derived.expose()[..expected.len()], expected, "{line:?}");
        assert!(derived.expose()[expected.len()..].iter().all(|byte| *byte == 0), "{line:?}");
    }
}

#[test]
fn checksums() {
    for line in lines("checksum") {
        let sums = key(&line, 3).checksum(line[2].parse().unwrap());
        let (data, expected) = (hex(line[4]), hex(line[5]));
        assert_eq!(sums.compute([&data[..]])[..], expected, "{line:?}");
        for at in 0..=data.len() {
            assert!(sums.verify([&data[..at], &data[at..]], &expected), "{line:?}");
        }
        for len in 0..expected.len() {
            assert!(!sums.verify([&data[..]], &expected[..len]), "{line:?}, {len}");
        }
        assert!(!sums.verify([&data[..]], &[&expected[..], &[0]].concat()), "{line:?}");
    }
}

#[test]
fn pseudo_random() {
    for line in lines("prf") {
        assert_eq!(key(&line, 2).prf(&hex(line[3])), hex(line[4]), "{line:?}");
    }
}

#[test]
fn ciphertext_stealing() {
    // RFC 3962 Appendix B: "chicken teriyaki" over the beginnings of one sentence.
    let cipher = Aes128::new(b"chicken teriyaki".into());
    let text = b"I would like the General Gau's Chicken, please, and wonton soup.";
    for expected in [
        "c6353568f2bf8cb4d8a580362da7ff7f97",
        "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5",
        "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584",
        "97687268d6ecccc0c07b25e25ecfe584b3fffd940c16a18c1b5549d2f838029e39312523a78662d5be7fcbcc98ebf5",
        "97687268d6ecccc0c07b25e25ecfe5849dad8bbb96c4cdc03bc103e1a194bbd839312523a78662d5be7fcbcc98ebf5a8",
        "97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5a84807efe836ee89a526730dbc2f7bc840\
         9dad8bbb96c4cdc03bc103e1a194bbd8",
    ] {
        let expected = hex(expected);
        let mut data = text[..expected.len()].to_vec();
        cipher.encrypt(&mut [Piece::Data(&mut data)]);
        assert_eq!(data, expected);
        cipher.decrypt(&mut [Piece::Data(&mut data)]);
        assert_eq!(data, text[..expected.len()]);
    }
}
