//! Properties of every CHALLENGE, over all kinds of NEGOTIATE.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::ntlm::{Ntlm, ServerNames};
use portcullis::{Credential, Status};
use portcullis_testkit::oracle::judge;
use portcullis_testkit::vector::Setup;
use portcullis_testkit::{Foretold, Initiator, NegotiateForm, converse, exchange, server_names};
use portcullis_wire::ntlm::{AvId, Challenge, Flags};
use portcullis_wire::utf16;

/// [`judge`] holds the rules: granted flags are computed and never echoed, exactly one TARGET_TYPE, no LM_KEY, strengths
/// only with SIGN or SEAL, no bit without a name.
#[test]
fn flags_follow_the_rules_whatever_is_asked() {
    let mut chance = Foretold::seeded(11);
    let mut setup = Setup::default();
    let mut answered = 0;
    let singles = (0..32).flat_map(|bit| [1 << bit, !(1 << bit), Initiator::WINDOWS.0 ^ (1 << bit)]);
    let random: Vec<u32> = (0..20_000).map(|_| chance.number() as u32).collect();
    for asked in singles.chain(random) {
        setup.ntlm.names.standalone = asked % 3 == 0;
        setup.ntlm.minimum_key =
            if asked % 5 == 0 { portcullis::ntlm::KeyStrength::Bits40 } else { portcullis::ntlm::KeyStrength::Bits128 };
        let client = Initiator { asks: Flags(asked), negotiate: NegotiateForm::Shortest, ..Initiator::user() };
        let mut first = client.negotiate();
        first[12..16].copy_from_slice(&asked.to_le_bytes());
        let outcome = exchange(&setup.credential(), &setup.realm, &setup.settings, &first, |_| None);
        judge(&setup, &outcome);
        match Challenge::decode(outcome.messages.get(1).map_or(&[], Vec::as_slice)) {
            Err(_) => {
                let refusals = [Status::SEC_E_INVALID_TOKEN, Status::SEC_E_UNSUPPORTED_FUNCTION];
                assert!(refusals.contains(&outcome.status()), "{asked:#x}: {:?}", outcome.statuses);
            }
            Ok(challenge) => {
                answered += 1;
                let flags = challenge.flags;
                assert!(!flags.contains(Flags::LM_KEY | Flags::EXTENDED_SESSION_SECURITY));
                let one = [Flags::TARGET_TYPE_DOMAIN, Flags::TARGET_TYPE_SERVER].map(|kind| flags.contains(kind));
                assert!(one[0] != one[1]);
            }
        }
    }
    assert!(answered > 3000, "{answered}");
}

/// TargetName is the domain's or the computer's name in the charset of the session; AV pairs are UTF-16 all the same.
#[test]
fn names_are_in_their_charsets() {
    for (names, expected) in [(server_names(), "DOMAIN"), (ServerNames::standalone("WEB1"), "WEB1")] {
        let credential = Credential::acceptor(Ntlm::new(names));
        let setup = Setup::default();
        for client in [Initiator::user(), Initiator::user().curl_like()] {
            let outcome = converse(&credential, &setup.realm, &client, &setup.settings);
            let challenge = Challenge::decode(&outcome.messages[1]).unwrap();
            let name = match challenge.flags.contains(Flags::UNICODE) {
                true => utf16::encode(expected),
                false => expected.as_bytes().to_vec(),
            };
            assert_eq!(challenge.target_name, name);
            let pair = challenge.av_pairs().find(AvId::NB_DOMAIN_NAME).unwrap().unwrap();
            assert_eq!(pair.value, utf16::encode(expected));
            let ends = challenge.target_info.ends_with(&[0; 4]);
            assert!(ends && challenge.av_pairs().all(|pair| pair.is_ok()));
        }
    }
}

/// Fresh challenges: one for each handshake, from the call's source of chance.
#[test]
fn challenges_come_from_the_call() {
    let setup = Setup::default();
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..100_u64 {
        let mut settings = setup.settings.clone();
        settings.server_challenge = number.to_be_bytes();
        let outcome = converse(&setup.credential(), &setup.realm, &Initiator::user(), &settings);
        assert_eq!(outcome.cause_name(), "ok");
        let challenge = Challenge::decode(&outcome.messages[1]).unwrap().server_challenge;
        assert_eq!(challenge, number.to_be_bytes());
        seen.insert(challenge);
    }
    assert_eq!(seen.len(), 100);
}
