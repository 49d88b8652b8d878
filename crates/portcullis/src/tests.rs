//! Both sides of this library with each other: what a call wants, and the room that it brings.

use crate::ntlm::{Ntlm, ServerNames, keys};
use crate::*;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) const NOW: SystemTime = UNIX_EPOCH;

/// Every byte a little larger than the one before.
pub(crate) fn counting() -> impl FnMut(&mut [u8]) -> Result<(), NoRandomness> {
    let mut count = 0u8;
    move |bytes: &mut [u8]| {
        bytes.iter_mut().for_each(|byte| {
            count = count.wrapping_add(1);
            *byte = count;
        });
        Ok(())
    }
}

pub(crate) struct Ann;

impl Authority for Ann {
    fn answer(&self, question: &Question) -> Answer {
        let account = Arc::new(ann());
        match question {
            Question::VerifyNtlm(question) => match ntlm::verify(&keys::nt_hash("secret"), question) {
                Some(verified) => question.accept(verified, account),
                None => question.refuse(Refusal::WrongProof),
            },
            Question::VerifyPassword(question) => {
                match password::verify(b"secret", question.password.expose().as_bytes()) {
                    Some(verified) => question.accept(verified, account),
                    None => question.refuse(Refusal::WrongProof),
                }
            }
            other => other.refuse(Refusal::NotAnswered),
        }
    }
}

/// An account that has everything.
pub(crate) fn ann() -> Account {
    Account {
        sid: "S-1-5-21-1-2-3-1000".parse().ok(),
        name: "ann".into(),
        domain: "CORP".into(),
        dns_domain: "corp.example".into(),
        upn: Some("ann@corp.example".into()),
        display_name: Some("Ann Ümlaut".into()),
        mail: None,
        groups: vec![
            Group { sid: "S-1-5-21-1-2-3-513".parse().unwrap(), name: "Domain Users".into() },
            Group { sid: well_known::EVERYONE, name: String::new() },
        ],
        logoff_at: Some(NOW + Duration::new(1_700_000_000, 123_456_700)),
        password_expires_at: Some(NOW - Duration::new(1, 1)),
    }
}

pub(crate) fn acceptor() -> Ntlm {
    Ntlm { allow_anonymous: true, ..Ntlm::new(ServerNames::standalone("WEB1")) }
}

pub(crate) fn initiator() -> ntlm::Initiator {
    ntlm::Initiator::with_password("ann", "CORP", &Secret::new("secret".to_owned()))
}

/// The same packages plain, and inside Negotiate.
pub(crate) fn both_packages() -> [(Credential, Credential); 2] {
    let negotiate = negotiate::Negotiate::offering([acceptor().into()]);
    let offer = negotiate::Initiator::trying([initiator().into()]);
    [
        (Credential::acceptor(acceptor()), Credential::initiator(initiator())),
        (Credential::acceptor(negotiate), Credential::initiator(offer)),
    ]
}

pub(crate) fn wants(flags: ContextFlags) -> Wants {
    Wants { flags, required: ContextFlags::NONE }
}

/// One call, and what it said.
fn call(
    random: &mut dyn Random,
    want: Wants,
    room: Option<usize>,
    step: impl FnOnce(Call<'_>) -> Result<Handshake, Failure>,
) -> (Result<Handshake, Failure>, Vec<u8>) {
    let (mut events, mut out) = ((), Vec::new());
    let mut call = Call::new(NOW, random, &mut events, &mut out);
    (call.want, call.room, call.target) = (want, room, Some("HTTP/web1"));
    (step(call), out)
}

/// A handshake of both sides, the acceptor's context first.
pub(crate) fn meet(acceptor: &Credential, initiator: &Credential, want: ContextFlags) -> (Context, Context) {
    meet_in_room(acceptor, initiator, want, |_| None).unwrap()
}

/// As [`meet`]; `room` is what a call of the acceptor's brings, made from what it needs.
fn meet_in_room(
    acceptor: &Credential,
    initiator: &Credential,
    want: ContextFlags,
    room: impl Fn(usize) -> Option<usize>,
) -> Result<(Context, Context), Failure> {
    let (want, mut random, mut token) = (wants(want), counting(), Vec::new());
    let mut sides = [Some(initiator.begin()), Some(acceptor.begin())];
    let mut contexts = [None, None];
    for side in [0, 1].into_iter().cycle() {
        let Some(waiting) = sides[side].take() else { break };
        let room = if side == 1 { room(waiting.least_room(want)) } else { None };
        let (mut next, mut out) = call(&mut random, want, room, |call| waiting.token(&token, call));
        if let Ok(Handshake::NeedsAnswer(asks)) = next {
            (next, out) = call(&mut random, want, room, |call| asks.ask(&Ann, call));
        }
        match next? {
            Handshake::NeedsToken(waiting) => sides[side] = Some(waiting),
            Handshake::NeedsAnswer(_) => panic!("asks twice"),
            Handshake::Incomplete { .. } => panic!("a package of messages knows no part of one"),
            Handshake::Established(context) => contexts[side] = Some(context),
        }
        if out.is_empty() && contexts.iter().all(Option::is_some) {
            break;
        }
        token = out;
    }
    let [theirs, ours] = contexts;
    Ok((ours.unwrap(), theirs.unwrap()))
}

/// Each wants it for itself: it is no part of the protocol.
#[test]
fn dce_style_is_granted_to_whoever_wants_it() {
    let (dce, none) = (ContextFlags::USE_DCE_STYLE, ContextFlags::NONE);
    let has = |(ours, theirs): (Context, Context)| {
        [ours, theirs].map(|context| {
            let granted = context.facts().granted;
            context.facts().inner.as_ref().inspect(|inner| assert_eq!(inner.granted, granted));
            granted.contains(dce)
        })
    };
    for (acceptor, initiator) in &both_packages() {
        assert_eq!(has(meet(acceptor, initiator, dce)), [true, true]);
        assert_eq!(has(meet(acceptor, initiator, none)), [false, false]);
    }
    let [(acceptor, _), _] = both_packages();
    let nobody = Credential::initiator(ntlm::Initiator::anonymous());
    assert_eq!(has(meet(&acceptor, &nobody, dce | ContextFlags::NULL_SESSION)), [true, true]);
    // Required is wanted too.
    let [_, (acceptor, _)] = both_packages();
    let required = Wants { flags: none, required: dce };
    let mut random = counting();
    let (begun, offer) = call(&mut random, required, None, |call| both_packages()[1].1.begin().token(b"", call));
    let Ok(Handshake::NeedsToken(_)) = begun else { panic!() };
    let (next, _) = call(&mut random, required, None, |call| acceptor.begin().token(&offer, call));
    assert!(matches!(next, Ok(Handshake::NeedsToken(_))));
}

#[test]
fn the_least_room_is_enough_and_less_is_not() {
    for (number, (acceptor, initiator)) in both_packages().iter().enumerate() {
        let none = ContextFlags::NONE;
        meet_in_room(acceptor, initiator, none, |room| Some(room.max(1))).unwrap();
        let failure = meet_in_room(acceptor, initiator, none, |room| room.checked_sub(1)).unwrap_err();
        assert_eq!(failure.cause, CallCause::NoRoom.into(), "{number}");
        // Negotiate answers the last token, and must not ask before it can.
        let begun = acceptor.begin().least_room(wants(none));
        let last_is_short = |room: usize| Some(if room < begun { room.saturating_sub(1) } else { room });
        let end = meet_in_room(acceptor, initiator, none, last_is_short);
        assert_eq!(end.is_err(), number == 1);
        // What has a frame can be cut, but NTLM's own token has none.
        let cut = acceptor.begin().least_room(wants(ContextFlags::FRAGMENT_TO_FIT));
        assert_eq!(cut, both_packages()[0].0.begin().least_room(wants(none)));
        assert_eq!(initiator.begin().least_room(wants(none)), 0);
    }
    // The frame of Negotiate, and the longer of two names.
    let [(ntlm, _), (negotiate, _)] = both_packages();
    let rooms = [ntlm, negotiate].map(|acceptor| acceptor.begin().least_room(Wants::default()));
    assert_eq!(rooms[1] - rooms[0], 128);
    let room = |name: &str| {
        Credential::acceptor(Ntlm::new(ServerNames::standalone(name))).begin().least_room(Wants::default())
    };
    // Three times two bytes in UTF-16; as OEM text it is three bytes.
    assert_eq!(room("WEB") - room(""), 3 * 6);
    assert_eq!(Credential::acceptor(password::Password::new()).begin().least_room(Wants::default()), 0);
}
