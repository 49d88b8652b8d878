//! Calls that a host carries out badly.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::ntlm::Ntlm;
use portcullis::{Authority, Call, ContextFlags, Credential, Handshake, Refusal, Status};
use portcullis_testkit::{Broken, Foretold, Host, Initiator, Realm, Settings, converse, exchange, server_names};
use portcullis_wire::ntlm::Challenge;
use std::time::{SystemTime, UNIX_EPOCH};

fn credential() -> Credential {
    Credential::acceptor(Ntlm::new(server_names()))
}

/// A handshake that has asked its question.
fn asked(host: &mut Host<'_, Foretold>) -> portcullis::NeedsAnswer {
    let client = Initiator::user();
    let negotiate = client.negotiate();
    let Some(Handshake::NeedsToken(waiting)) = host.call(|call| credential().begin().token(&negotiate, call)) else {
        panic!("no CHALLENGE")
    };
    let (message, _) = client.authenticate(&negotiate, &host.take_output()).unwrap();
    let Some(Handshake::NeedsAnswer(asking)) = host.call(|call| waiting.token(&message, call)) else {
        panic!("no question")
    };
    asking
}

#[test]
fn an_answer_to_another_question() {
    let settings = Settings::default();
    let (mut one, mut two) = (Host::new(&settings, Foretold::seeded(1)), Host::new(&settings, Foretold::seeded(1)));
    let (first, second) = (asked(&mut one), asked(&mut two));
    // The same tokens, the same proof, the same account: and still not the same question.
    let answer = Realm::of_user().answer(first.question());
    assert!(answer.cause().is_none());
    assert!(two.call(|call| second.answer(answer, call)).is_none());
    let outcome = two.finish();
    assert_eq!((outcome.cause_name(), outcome.status()), ("call/foreign-answer", Status::SEC_E_INTERNAL_ERROR));
    // Nor does a refusal made elsewhere count.
    let mut three = Host::new(&settings, Foretold::seeded(1));
    let (third, refusal) = (asked(&mut three), first.question().refuse(Refusal::Disabled));
    assert!(three.call(|call| third.answer(refusal, call)).is_none());
    assert_eq!(three.finish().cause_name(), "call/foreign-answer");
}

/// `call/wrong-input` guards against a defect of this library: a token can be given to what waits for a token only, and
/// an answer to what waits for an answer, since each is a type of its own. An answer to another *kind* of question is
/// refused before the step sees it.
#[test]
fn no_public_move_gives_a_step_the_wrong_input() {
    let settings = Settings::default();
    let mut password = Host::new(&settings, Foretold::seeded(1));
    let basic = Credential::acceptor(portcullis::password::Password::new());
    let Some(Handshake::NeedsAnswer(asking)) = password.call(|call| basic.begin().token(b"User:Password", call)) else {
        panic!("no question")
    };
    let answer = Realm::of_user().answer(asking.question());
    let mut ntlm = Host::new(&settings, Foretold::seeded(1));
    let waiting = asked(&mut ntlm);
    assert!(ntlm.call(|call| waiting.answer(answer, call)).is_none());
    assert_eq!(ntlm.finish().cause_name(), "call/foreign-answer");
}

#[test]
fn a_broken_source_of_randomness() {
    let settings = Settings::default();
    let mut host = Host::new(&settings, Broken);
    let negotiate = Initiator::user().negotiate();
    assert!(host.call(|call| credential().begin().token(&negotiate, call)).is_none());
    assert!(host.take_output().is_empty(), "no CHALLENGE without chance");
    assert_eq!(host.finish().cause_name(), "call/no-randomness");
}

#[test]
fn a_buffer_that_is_just_large_enough() {
    let full = converse(&credential(), &Realm::of_user(), &Initiator::user(), &Settings::default()).messages[1].len();
    for (room, status) in
        [(full, Status::SEC_E_OK), (full - 1, Status::SEC_E_BUFFER_TOO_SMALL), (0, Status::SEC_E_BUFFER_TOO_SMALL)]
    {
        let settings = Settings { room: Some(room), ..Settings::default() };
        let outcome = converse(&credential(), &Realm::of_user(), &Initiator::user(), &settings);
        assert_eq!(outcome.status(), status, "room for {room}");
        assert_eq!(outcome.messages.len() == 1, room < full, "nothing is sent that does not fit");
    }
}

#[test]
fn every_requirement_is_met_or_refused() {
    let sealed = ContextFlags::CONFIDENTIALITY | ContextFlags::INTEGRITY | ContextFlags::REPLAY_DETECT;
    for (required, client, fits) in [
        (sealed, Initiator::user(), true),
        (sealed, Initiator::user().curl_like(), false),
        (ContextFlags::CONNECTION, Initiator::user().curl_like(), true),
        (ContextFlags::MUTUAL_AUTH, Initiator::user(), false),
        (ContextFlags::DELEGATE, Initiator::user(), false),
        (ContextFlags::IDENTIFY, Initiator::user(), false),
    ] {
        let mut settings = Settings::default();
        settings.want.required = required;
        let outcome = converse(&credential(), &Realm::of_user(), &client, &settings);
        let expected = if fits { "ok" } else { "call/requirement-not-met" };
        assert_eq!(outcome.cause_name(), expected, "{required:?}");
    }
}

/// Wished flags are no error and are never echoed.
#[test]
fn wishes_do_not_change_what_is_granted() {
    let plain = converse(&credential(), &Realm::of_user(), &Initiator::user(), &Settings::default());
    let mut settings = Settings::default();
    settings.want.flags =
        ContextFlags(!(ContextFlags::PROXY_BINDINGS | ContextFlags::DATAGRAM | ContextFlags::USE_DCE_STYLE).0);
    let wishing = converse(&credential(), &Realm::of_user(), &Initiator::user(), &settings);
    let granted = |outcome: portcullis_testkit::Outcome| outcome.context.unwrap().facts().granted;
    assert_eq!(granted(plain), granted(wishing));
}

/// The time in CHALLENGE is the time of the call, to the tick (100 ns).
#[test]
fn the_challenge_tells_the_time_of_the_call() {
    for ticks in [116_444_736_000_000_000, 133_419_138_960_850_944, 133_419_138_960_850_945, 0x01da_0000_0000_0000] {
        let settings = Settings { now: ticks, ..Settings::default() };
        let outcome = converse(&credential(), &Realm::of_user(), &Initiator::user(), &settings);
        let challenge = Challenge::decode(&outcome.messages[1]).unwrap();
        let time = challenge.av_pairs().find(portcullis_wire::ntlm::AvId::TIMESTAMP).unwrap().unwrap();
        assert_eq!(time.value, ticks.to_le_bytes());
    }
    // Against a calendar, not against ourselves: 2026-11-22 00:00:00 UTC.
    let now = UNIX_EPOCH + std::time::Duration::from_secs(1_795_305_600);
    let (mut out, mut random, mut events) = (Vec::new(), Foretold::seeded(3), ());
    let call = Call::new(now, &mut random, &mut events, &mut out);
    let _waiting = credential().begin().token(&Initiator::user().negotiate(), call).unwrap();
    let challenge = Challenge::decode(&out).unwrap();
    let time = challenge.av_pairs().find(portcullis_wire::ntlm::AvId::TIMESTAMP).unwrap().unwrap();
    assert_eq!(time.value, 134_397_792_000_000_000_u64.to_le_bytes());
    assert!(now > SystemTime::UNIX_EPOCH);
}

/// After a failure there is nothing left to call: what a second AUTHENTICATE would need was consumed. That it does not
/// compile is shown by the types; that a new handshake does not go on where the old one failed is shown here.
#[test]
fn a_failed_handshake_leaves_nothing() {
    let client = Initiator { password: "guess".into(), ..Initiator::user() };
    let failed = converse(&credential(), &Realm::of_user(), &client, &Settings::default());
    assert!(failed.context.is_none());
    let right = Initiator::user().authenticate(&client.negotiate(), &failed.messages[1]).unwrap().0;
    // The right AUTHENTICATE of the old challenge as the first token of a new handshake.
    let outcome = exchange(&credential(), &Realm::of_user(), &Settings::default(), &right, |_| None);
    assert_eq!(outcome.cause_name(), "ntlm/malformed-token");
    // And as the second token of a handshake with a challenge of its own.
    let settings = Settings { server_challenge: [9; 8], ..Settings::default() };
    let outcome = exchange(&credential(), &Realm::of_user(), &settings, &client.negotiate(), |_| Some(right));
    assert_eq!(outcome.cause_name(), "account/wrong-proof");
}
