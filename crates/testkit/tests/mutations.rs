//! Truncation at every byte and a flip of every bit of each message of good conversations.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::Status;
use portcullis_testkit::oracle::judge;
use portcullis_testkit::vector::Setup;
use portcullis_testkit::{Initiator, Outcome, Responses, exchange};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A conversation in which someone on the way changes one message: 0 NEGOTIATE, 1 CHALLENGE, 2 AUTHENTICATE. Client and
/// server each know what they themselves sent and got.
fn altered(setup: &Setup, client: &Initiator, which: usize, change: &dyn Fn(&mut Vec<u8>)) -> Outcome {
    let on_the_way = |number: usize, message: &[u8]| {
        let mut message = message.to_vec();
        if number == which {
            change(&mut message);
        }
        message
    };
    let run = || {
        let negotiate = client.negotiate();
        let arrived = on_the_way(0, &negotiate);
        let outcome = exchange(&setup.credential(), &setup.realm, &setup.settings, &arrived, |challenge| {
            let (message, _) = client.authenticate(&negotiate, &on_the_way(1, challenge))?;
            Some(on_the_way(2, &message))
        });
        judge(setup, &outcome);
        outcome
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| panic!("message {which} of {client:?}"))
}

/// What is done, and what does it.
type Change = (String, Box<dyn Fn(&mut Vec<u8>)>);

/// What changes a message of `len` bytes: every truncation, every flip, and bytes glued behind.
fn changes(len: usize) -> impl Iterator<Item = Change> {
    let cuts = (0..len).map(|at| -> Change { (format!("cut at {at}"), Box::new(move |message| message.truncate(at))) });
    let flips = (0..len * 8).map(|bit| -> Change {
        (format!("byte {} bit {}", bit / 8, bit % 8), Box::new(move |message| message[bit / 8] ^= 1 << (bit % 8)))
    });
    let glued = [1, 2, 16, 1000].into_iter().map(|count| -> Change {
        (format!("{count} bytes glued"), Box::new(move |message| message.resize(message.len() + count, 0)))
    });
    cuts.chain(flips).chain(glued)
}

fn lengths(setup: &Setup, client: &Initiator) -> [usize; 3] {
    let good = altered(setup, client, 9, &|_| {});
    assert_eq!(good.cause_name(), "ok");
    [0, 1, 2].map(|number| good.messages[number].len())
}

/// With a MIC nothing may be changed: not one bit of the three messages, nothing cut off, nothing glued behind. There
/// are no exceptions: the MIC covers NEGOTIATE and CHALLENGE whole, and AUTHENTICATE but for the MIC itself.
#[test]
fn with_a_mic_no_change_survives() {
    let (setup, client) = (Setup::default(), Initiator::user());
    for (which, len) in lengths(&setup, &client).into_iter().enumerate() {
        for (what, change) in changes(len) {
            let outcome = altered(&setup, &client, which, &change);
            assert!(outcome.context.is_none(), "message {which}, {what}: accepted");
            // Where a client refuses a CHALLENGE that it cannot read there is no last status but CONTINUE.
            let hung_up = which == 1 && outcome.messages.len() == 2;
            assert!(hung_up || !outcome.status().is_success(), "message {which}, {what}");
        }
    }
}

/// Without a MIC the proof alone protects. What is accepted then was made by who knows the password: [`judge`] computes
/// the proof of every established client anew. Listed here is what an attacker on the way can change, and no more.
#[test]
fn without_a_mic_only_unproved_parts_can_be_changed() {
    let (setup, client) = (Setup::default(), Initiator::user().without_mic());
    let lengths = lengths(&setup, &client);
    let good = altered(&setup, &client, 9, &|_| {}).messages[2].clone();
    let number = |at: usize| usize::from(good[at]) | usize::from(good[at + 1]) << 8;
    let field = |at: usize| number(at + 4)..number(at + 4) + number(at);
    let (lm, nt, domain, user, workstation, key) = (field(12), field(20), field(28), field(36), field(44), field(52));
    let full = altered(&setup, &client, 9, &|_| {}).context.unwrap().facts().granted;
    let (mut accepted, mut refused) = (0, 0);
    for (what, change) in changes(lengths[2]) {
        let outcome = altered(&setup, &client, 2, &change);
        let Some(context) = &outcome.context else {
            refused += 1;
            continue;
        };
        accepted += 1;
        assert_eq!(context.facts().client_name().as_deref(), Some(r"DOMAIN\User"), "{what}");
        let Some(at) = what.strip_prefix("byte ").and_then(|rest| rest.split(' ').next()).map(|at| at.parse().unwrap())
        else {
            assert!(what.ends_with("glued"), "{what}: a cut message was accepted");
            continue;
        };
        let at: usize = at;
        let unproved = lm.contains(&at) // never looked at
            || workstation.contains(&at) // not hashed; an authority may judge it
            || key.contains(&at) // another session key: nothing the server signs can then be read
            || user.contains(&at) // case alone: the proof is over the upper-cased name
            || (12..20).contains(&at) || (44..52).contains(&at) // where those fields lie
            || matches!(at, 22..24 | 30..32 | 38..40 | 54..56) // maximum lengths, ignored on receipt
            || (52..60).contains(&at) // where the key lies
            || (60..64).contains(&at) // flags: less can be agreed, never more
            || (64..72).contains(&at) // the version
            || (28..36).contains(&at) && context.facts().claim.domain() != "DOMAIN"; // a client that hashes no domain
        assert!(unproved, "{what}: a proved part was changed");
        assert!(!nt.contains(&at) && !domain.contains(&at), "{what}");
        if user.contains(&at) {
            assert!(context.facts().claim.user().eq_ignore_ascii_case("User"), "{what}");
        }
        let granted = context.facts().granted;
        assert!(full.contains(granted), "{what}: more was granted than was agreed");
    }
    assert!(accepted > 500 && refused > 2000, "{accepted} accepted, {refused} refused");
    for which in [0, 1] {
        for (_, change) in changes(lengths[which]) {
            altered(&setup, &client, which, &change); // judged inside
        }
    }
}

/// The same of who does not know the password: nothing helps.
#[test]
fn no_change_makes_a_wrong_password_right() {
    for client in [Initiator::user(), Initiator::user().without_mic(), Initiator::user().curl_like()] {
        let setup = Setup::default();
        let lengths = lengths(&setup, &client);
        let wrong = Initiator { password: "other".into(), ..client };
        for (which, len) in lengths.into_iter().enumerate() {
            for (what, change) in changes(len) {
                let outcome = altered(&setup, &wrong, which, &change);
                assert!(outcome.context.is_none(), "message {which}, {what}: a wrong password was accepted");
            }
        }
    }
}

/// Where NTLMv1 and null sessions are switched on, flips of such messages stay what they are.
#[test]
fn version_1_and_null_sessions_survive_mutation() {
    let mut setup = Setup::default();
    setup.ntlm.danger_accept_ntlmv1 = true;
    setup.ntlm.allow_anonymous = true;
    setup.settings.want.flags = portcullis::ContextFlags::NULL_SESSION;
    for responses in [Responses::V1Ess, Responses::Anonymous] {
        let client = Initiator { responses, ..Initiator::user().without_mic() };
        let lengths = lengths(&setup, &client);
        let mut refused = 0;
        for (_, change) in changes(lengths[2]) {
            let outcome = altered(&setup, &client, 2, &change);
            refused += usize::from(outcome.status() != Status::SEC_E_OK);
        }
        assert!(refused > lengths[2], "cuts alone are that many");
    }
}
