//! NEGOEX: real messages' shape, and everything that pointed outside of them in other decoders.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis_wire::negoex::{Body, Guid, Message, MessageType, Messages, is_critical};
use portcullis_wire::{Error, Kind};

/// PKU2U's scheme.
const PKU2U: [u8; 16] =
    [0x79, 0x8f, 0x5f, 0x23, 0xad, 0x69, 0xfb, 0x53, 0xdb, 0x64, 0x70, 0xb0, 0x15, 0x16, 0x82, 0x8d];

fn message(kind: u32, number: u32, fixed: &[u8], payload: &[u8]) -> Vec<u8> {
    let header = u32::try_from(40 + fixed.len()).unwrap();
    let len = header + u32::try_from(payload.len()).unwrap();
    let mut out = b"NEGOEXTS".to_vec();
    for number in [kind, number, header, len] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&[0x11; 16]);
    out.extend_from_slice(fixed);
    out.extend_from_slice(payload);
    out
}

/// An offset, and a count or length.
fn vector(offset: u32, count: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&offset.to_le_bytes());
    bytes[4..].copy_from_slice(&count.to_le_bytes());
    bytes
}

/// Two schemes, and a critical extension of three bytes.
fn nego() -> Vec<u8> {
    let fixed = [&[0xaa; 32][..], &[0; 8], &vector(96, 2), &vector(128, 1)].concat();
    let payload = [&PKU2U[..], &[0x22; 16], &0x8000_0007u32.to_le_bytes(), &vector(140, 3), b"abc"].concat();
    message(0, 0, &fixed, &payload)
}

fn exchange(kind: u32) -> Vec<u8> {
    message(kind, 1, &[&PKU2U[..], &vector(64, 5)].concat(), b"token")
}

fn verify() -> Vec<u8> {
    let checksum = [&20u32.to_le_bytes()[..], &1u32.to_le_bytes(), &16u32.to_le_bytes(), &vector(80, 12)].concat();
    message(6, 2, &[&PKU2U[..], &checksum, &[0; 4]].concat(), &[0xcc; 12])
}

fn alert() -> Vec<u8> {
    let fixed = [&PKU2U[..], &0xc000_006du32.to_le_bytes(), &vector(72, 1), &[0; 4]].concat();
    let payload = [&1u32.to_le_bytes()[..], &vector(84, 8), &vector(8, 1)].concat();
    message(7, 3, &fixed, &payload)
}

fn all() -> Vec<Vec<u8>> {
    vec![nego(), exchange(2), exchange(3), exchange(4), exchange(5), verify(), alert(), message(99, 4, &[], b"?")]
}

#[test]
fn messages_as_they_must_be() {
    let token = all().concat();
    let read: Vec<_> = Messages::new(&token).map(Result::unwrap).collect();
    assert_eq!(read.len(), all().len());
    let Body::Nego(nego) = read[0].body else { panic!("{:?}", read[0]) };
    let schemes: Vec<_> = nego.schemes.iter().map(|scheme| scheme.to_string()).collect();
    assert_eq!(schemes, ["235f8f79-69ad-53fb-db64-70b01516828d", "22222222-2222-2222-2222-222222222222"]);
    assert_eq!(nego.extensions.iter().collect::<Vec<_>>(), [(0x8000_0007, &b"abc"[..])]);
    assert!(is_critical(0x8000_0007) && !is_critical(7));
    assert_eq!(nego.random, [0xaa; 32]);
    for message in &read[1..5] {
        let Body::Exchange(exchange) = message.body else { panic!("{message:?}") };
        assert_eq!((exchange.scheme, exchange.exchange), (Guid(PKU2U), &b"token"[..]));
    }
    let Body::Verify(verify) = read[5].body else { panic!() };
    assert_eq!((verify.checksum_type, verify.checksum), (16, &[0xcc; 12][..]));
    let Body::Alert(alert) = read[6].body else { panic!() };
    assert_eq!((alert.error, alert.alerts.iter().count()), (0xc000_006d, 1));
    assert!(alert.is_no_key());
    assert_eq!(read[7].body, Body::Unknown(b"?"));
    let names: Vec<_> = read.iter().map(|message| message.header.message_type.name().unwrap_or("?")).collect();
    assert_eq!(names[0], "INITIATOR_NEGO");
    assert_eq!(&names[4..], ["AP_REQUEST", "VERIFY", "ALERT", "?"]);
    assert_eq!(read[2].header.message_type, MessageType::ACCEPTOR_META_DATA);
    assert_eq!(read[3].header.sequence_number, 1);
}

/// Each number that says where or how much, at every value that was ever misread.
#[test]
fn offsets_counts_and_lengths() {
    // Where they stand: header and message length, then those of each kind, and in the payload the values' own.
    let places: [(Vec<u8>, &[usize]); 4] = [
        (nego(), &[16, 20, 80, 84, 88, 92, 132, 136]),
        (exchange(5), &[16, 20, 56, 60]),
        (verify(), &[16, 20, 56, 60, 68, 72]),
        (alert(), &[16, 20, 60, 64, 76, 80]),
    ];
    for (good, places) in places {
        let len = u32::try_from(good.len()).unwrap();
        assert!(Message::decode(&good).is_ok());
        for &at in places {
            for value in
                [0, 1, 39, 40, 41, 52, len - 1, len, len + 1, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX - 7, u32::MAX]
            {
                let mut bytes = good.clone();
                bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
                let read = Message::decode(&bytes);
                // Whatever is read lies in what came.
                if let Ok((message, taken)) = read {
                    assert!(taken <= bytes.len());
                    inside(&message, &bytes);
                }
                // Counts have 16 bits, and none of anything may point anywhere.
                if value > len && value & 0xffff != 0 {
                    assert!(read.is_err(), "{value:#x} at {at}");
                }
            }
        }
    }
}

fn inside(message: &Message<'_>, bytes: &[u8]) {
    let holds = |part: &[u8]| assert!(part.is_empty() || bytes.windows(part.len()).any(|window| window == part));
    match message.body {
        Body::Nego(nego) => nego.extensions.iter().for_each(|(_, value)| holds(value)),
        Body::Exchange(exchange) => holds(exchange.exchange),
        Body::Verify(verify) => holds(verify.checksum),
        Body::Alert(alert) => alert.alerts.iter().for_each(|(_, value)| holds(value)),
        Body::Unknown(rest) => holds(rest),
    }
}

#[test]
fn cut_anywhere_and_changed_anywhere() {
    for good in all() {
        for len in 0..good.len() {
            assert!(Message::decode(&good[..len]).is_err(), "{len} of {}", good.len());
        }
        for at in 0..good.len() {
            for value in 0..=255 {
                let mut bytes = good.clone();
                bytes[at] = value;
                Messages::new(&bytes).flatten().for_each(|message| inside(&message, &bytes));
            }
        }
    }
}

#[test]
fn bounds() {
    let error = |bytes: &[u8]| Messages::new(bytes).find_map(Result::err);
    let many = message(99, 0, &[], b"").repeat(16);
    assert_eq!(error(&many), None);
    let more = message(99, 0, &[], b"").repeat(17);
    assert_eq!(error(&more), Some(Error::new(16 * 40, "MESSAGE_ARRAY", Kind::TooLarge)));
    let schemes = |count: u32| {
        let fixed = [&[0; 40][..], &vector(96, count), &vector(0, 0)].concat();
        message(0, 0, &fixed, &vec![7; 16 * usize::try_from(count).unwrap()])
    };
    assert_eq!(error(&schemes(64)), None);
    assert_eq!(error(&schemes(65)), Some(Error::new(80, "AuthSchemes", Kind::TooLarge)));
    // A count of 2^16 - 1 in a small message.
    let mut greedy = schemes(1);
    greedy[84..86].fill(0xff);
    assert_eq!(error(&greedy).unwrap().kind, Kind::TooLarge);
}

#[test]
fn what_the_protocol_does_not_know() {
    let changed = |mut bytes: Vec<u8>, at: usize, value: u8| {
        bytes[at] = value;
        Message::decode(&bytes).unwrap_err()
    };
    assert_eq!(changed(nego(), 72, 1), Error::new(72, "ProtocolVersion", Kind::Unexpected));
    assert_eq!(changed(nego(), 0, b'n'), Error::new(0, "Signature", Kind::Unexpected));
    assert_eq!(changed(verify(), 56, 21), Error::new(56, "Checksum.cbHeaderLength", Kind::WrongLength));
    assert_eq!(changed(verify(), 60, 2), Error::new(60, "ChecksumScheme", Kind::Unexpected));
    // An offset into the header is none.
    assert_eq!(changed(exchange(5), 56, 40), Error::new(56, "Exchange", Kind::OutOfBounds));
    // The second message's errors say where they stand in the token.
    let token = [nego(), exchange(5)[..50].to_vec()].concat();
    let error = Messages::new(&token).nth(1).unwrap().unwrap_err();
    assert_eq!(error, Error::new(nego().len() + 20, "cbMessageLength", Kind::Truncated));
}
