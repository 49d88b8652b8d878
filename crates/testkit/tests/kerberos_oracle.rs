//! Our decoders of Kerberos beside `rasn-kerberos`, over real messages and many edits of them: who reads what, and
//! whether both read the same. Where they differ, the reason is one of those that are named here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis_testkit::{Foretold, hex};
use portcullis_wire::der::{Der, bits32, tag, tlv};
use portcullis_wire::kerberos::*;
use portcullis_wire::{Error, Kind};
use std::collections::BTreeSet;

type Ours = fn(&[u8]) -> Result<Vec<u8>, Error>;
type Theirs = fn(&[u8]) -> Option<Vec<u8>>;

macro_rules! pair {
    ($name:literal, $ours:ident, $theirs:ident) => {
        (
            $name,
            (|bytes| {
                let mut out = Vec::new();
                $ours::decode(bytes)?.encode(&mut out);
                Ok(out)
            }) as Ours,
            (|bytes| {
                let read: rasn_kerberos::$theirs = rasn::der::decode(bytes).ok()?;
                rasn::der::encode(&read).ok()
            }) as Theirs,
        )
    };
}

const PAIRS: [(&str, Ours, Theirs); 11] = [
    pair!("ap_req", ApReq, ApReq),
    pair!("ap_rep", ApRep, ApRep),
    pair!("ap_rep_enc_part", EncApRepPart, EncApRepPart),
    pair!("authenticator", Authenticator, Authenticator),
    pair!("enc_tkt_part", EncTicketPart, EncTicketPart),
    pair!("ticket", Ticket, Ticket),
    pair!("cred", KrbCred, KrbCred),
    pair!("enc_cred_part", EncKrbCredPart, EncKrbCredPart),
    pair!("error", KrbError, KrbError),
    pair!("enc_data", EncryptedData, EncryptedData),
    pair!("keyblock", EncryptionKey, EncryptionKey),
];

/// MIT's sample values, and what its programs wrote.
fn messages() -> Vec<(String, Vec<u8>, Ours, Theirs)> {
    let line = |line: &str| line.split_once(": ").map(|(name, digits)| (name.to_owned(), hex::bytes(digits)));
    let read = |text: &str| text.lines().filter(|line| !line.starts_with('#')).filter_map(line).collect::<Vec<_>>();
    let mut all = Vec::new();
    for (name, bytes) in read(include_str!("../../wire/tests/vectors/mit-asn1.txt")) {
        let kind = name.split_once('(').map_or(&*name, |(kind, _)| kind);
        if let Some((_, ours, theirs)) = PAIRS.iter().find(|(found, ..)| *found == kind) {
            all.push((name, bytes, *ours, *theirs));
        }
    }
    for (name, bytes) in read(include_str!("../../wire/tests/vectors/mit-1.20.txt")) {
        let kind = match name.split_once(' ').map_or("", |(_, what)| what) {
            "request" => "ap_req",
            "reply" | "third" => "ap_rep",
            "enc-ticket-part" => "enc_tkt_part",
            "authenticator" => "authenticator",
            "enc-ap-rep-part" | "third-enc-ap-rep-part" => "ap_rep_enc_part",
            "krb-cred" => "cred",
            "enc-krb-cred-part" => "enc_cred_part",
            _ => continue,
        };
        let bytes = recognise(&bytes).map(|read| read.body.to_vec()).unwrap_or(bytes);
        let (_, ours, theirs) = PAIRS.iter().find(|(found, ..)| *found == kind).unwrap();
        all.push((name, bytes, *ours, *theirs));
    }
    all
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    BothRead,
    BothRefuse,
    OnlyOurs(&'static str),
    OnlyTheirs(&'static str),
}

fn judge(name: &str, bytes: &[u8], ours: Ours, theirs: Theirs) -> Verdict {
    match (ours(bytes), theirs(bytes)) {
        (Ok(a), Some(b)) => {
            assert_eq!(
                hex::encode(&normal(&a)),
                hex::encode(&normal(&b)),
                "{name}: read differently: {}",
                hex::encode(bytes)
            );
            Verdict::BothRead
        }
        (Err(_), None) => Verdict::BothRefuse,
        (Ok(_), None) => Verdict::OnlyOurs(why_only_ours(bytes, theirs)),
        (Err(error), Some(_)) => Verdict::OnlyTheirs(why_only_theirs(&error, bytes, ours, theirs)),
    }
}

/// Each BIT STRING as one of 32 bits, which ours writes whatever came.
fn normal(bytes: &[u8]) -> Vec<u8> {
    let (mut der, mut out) = (Der::new(bytes), Vec::new());
    while let Some(found) = der.peek() {
        match found {
            tag::BIT_STRING => bits32(der.bits32("flags").unwrap(), &mut out),
            _ => {
                let content = der.take(found, "value").unwrap();
                let constructed = found & 0x20 != 0;
                let inner = if constructed { normal(content.rest()) } else { content.rest().to_vec() };
                tlv(found, &inner, &mut out);
            }
        }
    }
    out
}

/// What ours reads, and theirs does not: the reason is found by taking it away.
fn why_only_ours(bytes: &[u8], theirs: Theirs) -> &'static str {
    // They know the characters of a GeneralString; peers send names in UTF-8 and worse.
    let mut plain = bytes.to_vec();
    for (number, (tag, content)) in values(bytes).into_iter().enumerate() {
        if tag == tag::GENERAL_STRING && rasn::types::GeneralString::try_from(content).is_err() {
            plain = with_value(&plain, number, b"x");
        }
    }
    if theirs(&plain).is_some() {
        return "characters";
    }
    // They read no negative number where an unsigned one belongs.
    let unsigned = |(number, (tag, content)): (usize, (u8, &[u8]))| {
        let negative = tag == tag::INTEGER && content.len() <= 4 && content.first().is_some_and(|first| *first >= 0x80);
        let wide = [&[0xff; 4][..], content].concat();
        let positive = [&[0], &wide[wide.len() - 4..]].concat();
        negative && theirs(&with_value(&plain, number, &positive)).is_some()
    };
    assert!(values(&plain).into_iter().enumerate().any(unsigned), "{}", hex::encode(bytes));
    "negative"
}

/// Each value that holds no others: its tag and content.
fn values(bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let (mut der, mut found) = (Der::new(bytes), Vec::new());
    while let Ok((tag, content)) = der.any("value") {
        match tag & 0x20 {
            0 => found.push((tag, content.rest())),
            _ => found.extend(values(content.rest())),
        }
    }
    found
}

/// What theirs reads, and ours refuses.
fn why_only_theirs(error: &Error, bytes: &[u8], ours: Ours, theirs: Theirs) -> &'static str {
    // They do not look at the bit that tells whether a value holds others (X.690 §8.1.2.5).
    let mut turned = bytes.to_vec();
    if error.kind == Kind::Unexpected && turned.get(error.offset).is_some() {
        turned[error.offset] ^= 0x20;
        let (a, b) = (ours(&turned), theirs(&turned));
        if b.is_some() && a.as_ref().err().is_none_or(|next| next.offset > error.offset) {
            return "constructed bit";
        }
    }
    match (error.field, error.kind) {
        ("pvno" | "msg-type" | "tkt-vno" | "authenticator-vno", Kind::Unexpected | Kind::TooLarge) => {
            "another protocol"
        }
        ("cusec" | "susec" | "usec", Kind::Unexpected | Kind::TooLarge) => "a million microseconds",
        ("flags" | "ap-options", Kind::Unexpected) => "unused bits set",
        (_, Kind::WrongLength) => "not shortest",
        _ => panic!("{error}: {}", hex::encode(bytes)),
    }
}

#[test]
fn as_they_were_written() {
    for (name, bytes, ours, theirs) in messages() {
        let verdict = judge(&name, &bytes, ours, theirs);
        let expected = match name.as_str() {
            // MIT's own forms of key versions and sequence numbers.
            "authenticator(80 -> seq-number 0xffffff80)"
            | "authenticator(FF -> seq-number 0xffffffff)"
            | "enc_data(MSB-set kvno)"
            | "enc_data(kvno=-1)" => Verdict::OnlyOurs("negative"),
            "authenticator(FFFFFFFF -> seq-number 0xffffffff)" | "ticket(+ trailing [4] INTEGER)" => {
                Verdict::BothRefuse
            }
            _ => Verdict::BothRead,
        };
        assert_eq!(verdict, expected, "{name}");
    }
}

/// Each byte changed, left out, and sent twice.
#[test]
fn edits_of_bytes() {
    let mut seen = BTreeSet::new();
    // Most of the longer ones is ciphertext.
    for (name, bytes, ours, theirs) in messages().into_iter().filter(|(_, bytes, ..)| bytes.len() < 700) {
        for at in 0..bytes.len() {
            for change in [0x01, 0x04, 0x20, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                seen.insert(judge(&name, &changed, ours, theirs));
            }
            for other in [[&bytes[..at], &bytes[at + 1..]].concat(), [&bytes[..=at], &bytes[at..]].concat()] {
                assert_eq!(judge(&name, &other, ours, theirs), Verdict::BothRefuse, "{name} at {at}");
            }
        }
    }
    each_was_seen(&seen, &["characters", "negative", "another protocol", "constructed bit", "unused bits set"]);
}

/// Each value that holds no others replaced by others of its kind, with the lengths around it set right.
#[test]
fn edits_of_values() {
    let mut seen = BTreeSet::new();
    for (name, bytes, ours, theirs) in messages() {
        let before = judge(&name, &bytes, ours, theirs);
        for (number, (tag, _)) in values(&bytes).iter().enumerate() {
            for content in others(*tag) {
                let changed = with_value(&bytes, number, &content);
                let verdict = judge(&name, &changed, ours, theirs);
                // What an OCTET STRING holds is nobody's business.
                assert!(*tag != tag::OCTET_STRING || verdict == before, "{name}: {verdict:?}");
                seen.insert(verdict);
            }
        }
    }
    let reasons = ["characters", "negative", "another protocol", "a million microseconds", "not shortest"];
    each_was_seen(&seen, &reasons);
}

/// The length of the whole with zeros before it: X.690 §10.1 forbids them, and they read it.
#[test]
fn longer_forms_of_lengths() {
    for (name, bytes, ours, theirs) in messages() {
        let (_, header, content) = Der::new(&bytes).header("message").unwrap();
        let len = u32::try_from(content).unwrap().to_be_bytes();
        let changed = [&[bytes[0], 0x84][..], &len, &bytes[header..]].concat();
        match judge(&name, &changed, ours, theirs) {
            Verdict::OnlyTheirs("not shortest") => {}
            // They refuse it for another reason.
            Verdict::BothRefuse => assert_ne!(judge(&name, &bytes, ours, theirs), Verdict::BothRead, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// Several random edits at once.
#[test]
fn random_edits() {
    let mut chance = Foretold::seeded(11);
    let mut read = 0;
    for (name, bytes, ours, theirs) in messages() {
        for turn in 0..400 {
            let mut changed = bytes.clone();
            for _ in 0..=turn % 3 {
                let at = usize::try_from(chance.number()).unwrap_or(usize::MAX) % changed.len();
                changed[at] = chance.number() as u8;
            }
            // What differs from the message in several places differs in the reasons too: no panic, and no value
            // that both read and understand differently.
            if let (Ok(a), Some(b)) = (ours(&changed), theirs(&changed)) {
                assert_eq!(hex::encode(&normal(&a)), hex::encode(&normal(&b)), "{name}");
                read += 1;
            }
        }
    }
    assert!(read > 1000, "{read}");
}

fn each_was_seen(seen: &BTreeSet<Verdict>, reasons: &[&str]) {
    for reason in reasons {
        let has =
            |verdict: &Verdict| matches!(verdict, Verdict::OnlyOurs(why) | Verdict::OnlyTheirs(why) if why == reason);
        assert!(seen.iter().any(has), "no edit was read by one alone for this reason: {reason}");
    }
    assert!(seen.contains(&Verdict::BothRead) && seen.contains(&Verdict::BothRefuse));
}

/// Contents of a value of this kind, at the bounds of what it may hold and beyond.
fn others(of: u8) -> Vec<Vec<u8>> {
    let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    match of {
        tag::INTEGER => ["", "00", "05", "0e", "7f", "80", "ff", "0080", "007f", "ff80", "0f423f", "0f4240"]
            .iter()
            .chain(&["7fffffff", "80000000", "0080000000", "00ffffffff", "0100000000", "ff7fffffff"])
            .chain(&["7fffffffffffffff", "010000000000000000", "00000000000000000005"])
            .map(|digits| hex::bytes(digits))
            .collect(),
        tag::GENERALIZED_TIME => texts(&[
            "19700101000000Z",
            "20240229235959Z",
            "20230229000000Z",
            "20241301000000Z",
            "20240101240000Z",
            "20240101000000",
            "20240101000000+0000",
            "202401010000Z",
            "",
        ]),
        tag::GENERAL_STRING => texts(&["", "a", "EXAMPLE.COM", "Àlvaro", &"x".repeat(200)]),
        tag::BIT_STRING => {
            ["0000000000", "00ffffffff", "0740", "00", "004000000080", "0740ff", "", "0840"].map(hex::bytes).to_vec()
        }
        _ => vec![Vec::new(), vec![0; 1], vec![0xff; 127], vec![7; 128], vec![7; 300]],
    }
}

/// The message with another content of one of its [`values`].
fn with_value(bytes: &[u8], number: usize, content: &[u8]) -> Vec<u8> {
    fn walk(bytes: &[u8], left: &mut usize, content: &[u8], out: &mut Vec<u8>) {
        let mut der = Der::new(bytes);
        while let Ok((tag, inner)) = der.any("value") {
            let mut rebuilt = inner.rest().to_vec();
            if tag & 0x20 != 0 {
                rebuilt.clear();
                walk(inner.rest(), left, content, &mut rebuilt);
            } else {
                if *left == 0 {
                    rebuilt = content.to_vec();
                }
                *left = left.wrapping_sub(1);
            }
            tlv(tag, &rebuilt, out);
        }
    }
    let (mut left, mut out) = (number, Vec::new());
    walk(bytes, &mut left, content, &mut out);
    out
}
