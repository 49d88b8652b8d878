use super::super::window::{Place, Window};
use super::*;
use crate::export::Body;
use Place::{Again, Ahead, InTurn, Late, TooOld};
use portcullis_wire::Reader;

const REPLAY: ContextFlags = ContextFlags::REPLAY_DETECT;
const SEQUENCE: ContextFlags = ContextFlags::SEQUENCE_DETECT;
const BOTH: ContextFlags = ContextFlags(REPLAY.0 | SEQUENCE.0);

/// Four bytes, eight, or either.
#[derive(Clone, Copy, PartialEq)]
enum Width {
    Narrow,
    Wide,
    Either,
}

/// The first number, the flags, the width, and the numbers that come.
type Row = (u64, ContextFlags, Width, &'static [(u64, Place)]);

const MAX32: u64 = u32::MAX as u64;
const MAX: u64 = u64::MAX;

#[test]
fn places_in_the_window() {
    use Width::{Either, Narrow, Wide};
    // The conversations of MIT krb5's src/lib/gssapi/generic/t_seqstate.c. There a number that is only late is called a
    // success without sequence detection; what is made of it comes below.
    let table: &[Row] = &[
        (10, ContextFlags::NONE, Either, &[(11, InTurn), (10, InTurn), (10, InTurn), (9, InTurn)]),
        (100, SEQUENCE, Either, &[(100, InTurn), (102, Ahead), (103, InTurn), (101, Late)]),
        (200, SEQUENCE, Either, &[(201, Ahead), (202, InTurn), (200, Late), (203, InTurn)]),
        (MAX32 - 1, SEQUENCE, Narrow, &[(MAX32 - 1, InTurn), (MAX32, InTurn), (0, InTurn), (1, InTurn)]),
        (MAX32 - 1, SEQUENCE, Narrow, &[(MAX32 - 1, InTurn), (0, Ahead), (MAX32, Late), (1, InTurn)]),
        (MAX - 1, SEQUENCE, Wide, &[(MAX - 1, InTurn), (MAX, InTurn), (0, InTurn), (1, InTurn)]),
        (MAX - 1, SEQUENCE, Wide, &[(MAX - 1, InTurn), (0, Ahead), (MAX, Late), (1, InTurn)]),
        (MAX32 - 1, SEQUENCE, Wide, &[(MAX32 - 1, InTurn), (MAX32, InTurn), (MAX32 + 1, InTurn), (MAX32 + 2, InTurn)]),
        (MAX32 - 1, SEQUENCE, Wide, &[(MAX32 - 1, InTurn), (MAX32 + 1, Ahead), (MAX32, Late), (MAX32 + 2, InTurn)]),
        (MAX32 - 1, SEQUENCE, Wide, &[(MAX32 - 1, InTurn), (MAX32, InTurn), (0, Ahead)]),
        (250, SEQUENCE, Either, &[(250, InTurn), (250, Late)]),
        (
            0,
            BOTH,
            Either,
            &[
                (5, Ahead),
                (3, Late),
                (8, Ahead),
                (3, Again),
                (0, Late),
                (0, Again),
                (5, Again),
                (3, Again),
                (8, Again),
                (9, InTurn),
            ],
        ),
        (
            MAX - 5,
            BOTH,
            Wide,
            &[
                (MAX, Ahead),
                (MAX - 2, Late),
                (0, InTurn),
                (MAX, Again),
                (MAX, Again),
                (2, Ahead),
                (0, Again),
                (1, Late),
                (MAX - 2, Again),
                (MAX - 6, Ahead),
            ],
        ),
        (
            MAX32 - 5,
            BOTH,
            Narrow,
            &[
                (MAX32, Ahead),
                (MAX32 - 2, Late),
                (0, InTurn),
                (MAX32, Again),
                (MAX32, Again),
                (2, Ahead),
                (0, Again),
                (1, Late),
                (MAX32 - 2, Again),
                (MAX32 - 6, Ahead),
            ],
        ),
        (
            1000,
            REPLAY,
            Either,
            &[
                (1163, Ahead),
                (1100, Late),
                (1100, Again),
                (1163, Again),
                (1099, TooOld),
                (1100, Again),
                (1150, Late),
                (1150, Again),
                (1000, TooOld),
                (999, Ahead),
            ],
        ),
        // Ours: a jump farther than the window forgets all before it.
        (0, BOTH, Either, &[(0, InTurn), (64, Ahead), (0, TooOld), (1, Late), (65, InTurn), (1, TooOld), (2, Late)]),
        (0, BOTH, Either, &[(63, Ahead), (0, Late), (0, Again), (64, InTurn), (0, TooOld)]),
        (0, BOTH, Either, &[(5, Ahead), (500, Ahead), (5, TooOld), (437, Late), (436, TooOld), (437, Again)]),
    ];
    for (first, flags, width, numbers) in table {
        for (wide, which) in [(false, Narrow), (true, Wide)] {
            if *width != Either && *width != which {
                continue;
            }
            let mut window = Window::new(*first, wide, *flags);
            for (number, expected) in *numbers {
                assert_eq!(window.place(*number), *expected, "{number} of {numbers:?}, {flags:?}, wide: {wide}");
            }
        }
    }
}

#[test]
fn flags_say_what_is_refused() {
    // In turn, ahead, late, again, too old.
    let numbers = [0, 2, 1, 1, 100, 3];
    let expected = [
        (ContextFlags::NONE, [true; 6]),
        (REPLAY, [true, true, true, false, true, false]),
        (SEQUENCE, [true, false, false, false, false, false]),
        (BOTH, [true, false, false, false, false, false]),
    ];
    for (flags, expected) in expected {
        let mut window = Window::new(0, true, flags);
        assert_eq!(numbers.map(|number| window.take(number).is_ok()), expected, "{flags:?}");
    }
}

#[test]
fn messages_repeated_and_out_of_order() {
    let with = |flags: ContextFlags| ContextFlags(flags.0 | ContextFlags::CONFIDENTIALITY.0);
    for enctype in Enctype::ALL {
        // The order in which five messages arrive, and which of them are taken.
        for (flags, arrivals, expected) in [
            (BOTH, [0, 1, 1, 2, 4], [true, true, false, true, false]),
            (REPLAY, [4, 1, 1, 0, 4], [true, true, false, true, false]),
            (SEQUENCE, [0, 0, 1, 4, 2], [true, false, true, false, false]),
            (ContextFlags::NONE, [3, 3, 0, 4, 0], [true; 5]),
        ] {
            let [mut one, mut other] = pair(enctype, with(flags));
            // The acceptor sends: its numbers leave four bytes on the way.
            let sealed: Vec<_> = (0..5).map(|n| other.seal(&[n; 20])).collect();
            for (at, taken) in arrivals.into_iter().zip(expected) {
                let (token, data): &(Vec<u8>, Vec<u8>) = &sealed[at];
                let found = cause(one.unseal(token, data));
                assert_eq!(found, if taken { "ok" } else { "call/out-of-sequence" }, "{enctype:?}, {flags:?}, {at}");
            }
        }
    }
}

#[test]
fn an_altered_message_moves_nothing() {
    for enctype in Enctype::ALL {
        let [mut one, mut other] = pair(enctype, FULL);
        let (token, data) = one.seal(b"data");
        let mut altered = data.clone();
        altered[0] ^= 1;
        for _ in 0..3 {
            assert_eq!(cause(other.unseal(&token, &altered)), "call/bad-signature");
        }
        other.unseal(&token, &data).unwrap();
        let mic = one.sign(b"data");
        assert_eq!(cause(other.verify(b"date", &mic)), "call/bad-signature");
        other.verify(b"data", &mic).unwrap();
        assert_eq!(cause(other.verify(b"data", &mic)), "call/out-of-sequence", "{enctype:?}");
    }
}

#[test]
fn lists_of_mechanisms_are_messages_like_others() {
    for enctype in Enctype::ALL {
        let (mut one, mut other) = (keys(enctype, FULL, Role::Initiator), keys(enctype, FULL, Role::Acceptor));
        let mic = one.make_list_mic(b"list").unwrap();
        assert_eq!(cause(other.check_list_mic(b"lisp", &mic)), "call/bad-signature");
        assert_eq!(cause(other.check_list_mic(b"list", &mic[1..])), "call/malformed-message");
        other.check_list_mic(b"list", &mic).unwrap();
        assert_eq!(cause(other.check_list_mic(b"list", &mic)), "call/out-of-sequence");
        let answer = other.make_list_mic(b"list").unwrap();
        one.check_list_mic(b"list", &answer).unwrap();
        // The next message has the next number, and the list's does not come again.
        let (mut one, mut other) = (Side::of(&one), Side::of(&other));
        assert_eq!(cause(other.verify(b"list", &mic)), "call/out-of-sequence");
        let next = one.sign(b"data");
        other.verify(b"data", &next).unwrap();
        let next = other.sign(b"data");
        one.verify(b"data", &next).unwrap();
    }
}

#[test]
fn contexts_go_on_elsewhere() {
    for enctype in Enctype::ALL {
        for granted in [FULL, DCE] {
            let ours = keys(enctype, granted, Role::Acceptor);
            let mut peer = Side::of(&keys(enctype, granted, Role::Initiator));
            let mut here = Side::of(&ours);
            let (token, data) = peer.seal(b"first");
            here.unseal(&token, &data).unwrap();
            let (token, data) = here.seal(b"answer");
            peer.unseal(&token, &data).unwrap();

            let mut body = Body::new();
            ours.export(&mut body).unwrap();
            here.seal.export(&mut body).unwrap();
            here.open.export(&mut body).unwrap();
            let bytes = body.into_bytes();
            let read = |bytes: &[u8]| {
                let mut reader = Reader::new(bytes);
                let keys = crate::protection::import(&mut reader).ok()?;
                let halves = keys.resume(&mut reader).ok()?;
                reader.rest().is_empty().then_some(halves)
            };
            for len in 0..bytes.expose().len() {
                assert!(read(&bytes.expose()[..len]).is_none(), "{enctype:?}: cut at {len}");
            }
            let (seal, open) = read(bytes.expose()).unwrap();
            let mut there = Side { seal, open, ..here };
            let (token, data) = there.seal(b"from there");
            assert_eq!(peer.unseal(&token, &data).unwrap().1, b"from there", "{enctype:?}");
            let (token, data) = peer.seal(b"second");
            assert_eq!(there.unseal(&token, &data).unwrap().1, b"second", "{enctype:?}");
            assert_eq!(cause(there.unseal(&token, &data)), "call/out-of-sequence");
            // And where it began: all numbers anew.
            let again = crate::protection::import(&mut Reader::new(bytes.expose())).unwrap().halves();
            let mut again = Side { seal: again.0, open: again.1, ..there };
            assert_eq!(again.seal(b"answer"), Side::of(&ours).seal(b"answer"));
            let mut peer = Side::of(&keys(enctype, granted, Role::Initiator));
            let (token, data) = peer.seal(b"first");
            again.unseal(&token, &data).unwrap();
        }
    }
}

#[test]
fn an_export_is_read_with_care() {
    let mut body = Body::new();
    keys(Enctype::Aes128Sha1, FULL, Role::Acceptor).export(&mut body).unwrap();
    let bytes = body.into_bytes();
    let read = |at: usize, byte: u8| {
        let mut bytes = bytes.expose().clone();
        bytes[at] = byte;
        crate::protection::import(&mut Reader::new(&bytes)).is_ok()
    };
    assert!(read(0, 2) && read(1, 17) && read(18, 3));
    assert!(!read(0, 3) && !read(1, 16) && !read(1, 0) && !read(18, 4) && !read(18, 0x80));
}
