//! What a call brings to a handshake of TLS: room, randomness, a thread of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::schannel::{Acceptor, AcceptorSettings, Identities};
use portcullis::{Call, ContextFlags, Credential, Failure, Handshake, Inbound, NeedsToken, Wants};
use portcullis_testkit::Broken;
use portcullis_testkit::tls::{
    Ca, Leaf, NoAccounts, Server, VERSIONS, client_of, connect, handshake, hears, sends, sevens,
};
use std::time::SystemTime;

/// One call with so much room; what it says.
fn call(waiting: NeedsToken, bytes: &[u8], room: Option<usize>) -> (Result<Handshake, Failure>, Vec<u8>) {
    let (mut random, mut events, mut out) = (sevens, (), Vec::new());
    let mut call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
    call.room = room;
    let at = waiting.stream(&mut Inbound::new(bytes), call);
    (at, out)
}

#[test]
fn what_does_not_fit_is_not_said() {
    let ca = Ca::new("Root");
    let credential = ca.server(&["localhost"]).acceptor(AcceptorSettings::default());
    for version in VERSIONS {
        let mut client = connect(&client_of(version, &ca, None, |_| ()), "localhost");
        let first = sends(&mut client);
        let (at, whole) = call(credential.begin(), &first, None);
        assert!(matches!(at, Ok(Handshake::NeedsToken(_))));
        for room in [0, 100, whole.len() / 2] {
            let (at, out) = call(credential.begin(), &first, Some(room));
            assert_eq!(at.unwrap_err().cause.name(), "call/no-room");
            assert!(out.is_empty(), "no half a flight");
        }
        // With what it takes it goes on, to the last word.
        let (at, out) = call(credential.begin(), &first, Some(whole.len() + 100));
        let Ok(Handshake::NeedsToken(next)) = at else { panic!("{at:?}") };
        hears(&mut client, &out).unwrap();
        let (at, out) = call(next, &sends(&mut client), Some(10_000));
        let Ok(Handshake::Established(_)) = at else { panic!("{at:?}") };
        hears(&mut client, &out).unwrap();
        assert!(!client.is_handshaking());
    }
}

#[test]
fn a_broken_source_of_randomness() {
    let ca = Ca::new("Root");
    let credential = ca.server(&["localhost"]).acceptor(AcceptorSettings::default());
    let mut client = connect(&client_of(VERSIONS[1], &ca, None, |_| ()), "localhost");
    let (at, out) = call(credential.begin(), &sends(&mut client), None);
    let Ok(Handshake::NeedsToken(next)) = at else { panic!("{at:?}") };
    hears(&mut client, &out).unwrap();
    let (mut random, mut events, mut out) = (Broken, (), Vec::new());
    let call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
    let ended = next.stream(&mut Inbound::new(&sends(&mut client)), call);
    assert_eq!(ended.unwrap_err().cause.name(), "call/no-randomness");
}

#[test]
fn every_requirement_is_met_or_refused() {
    let ca = Ca::new("Root");
    let credential = ca.server(&["localhost"]).acceptor(AcceptorSettings::default());
    for version in VERSIONS {
        for (required, ended) in [
            (ContextFlags::STREAM | ContextFlags::CONFIDENTIALITY | ContextFlags::REPLAY_DETECT, "ok"),
            (ContextFlags::SEQUENCE_DETECT | ContextFlags::EXTENDED_ERROR, "ok"),
            (ContextFlags::INTEGRITY, "call/requirement-not-met"),
            (ContextFlags::DATAGRAM, "call/requirement-not-met"),
            (ContextFlags::DELEGATE, "schannel/flag-not-supported"),
        ] {
            let mut server = Server::new(&credential, &NoAccounts);
            server.want = Wants { required, ..Wants::default() };
            let _ = handshake(&mut connect(&client_of(version, &ca, None, |_| ()), "localhost"), &mut server);
            assert_eq!(server.ended(), ended, "{required:?}");
        }
    }
}

fn three(ca: &Ca) -> (Vec<(&'static str, Leaf)>, Credential) {
    let names = ["one.example", "two.example", "three.example"];
    let leaves: Vec<_> = names.into_iter().map(|name| (name, ca.server(&[name]))).collect();
    let all =
        leaves.iter().skip(1).fold(Identities::new(leaves[0].1.identity()), |all, (_, leaf)| all.and(leaf.identity()));
    let acceptor = Acceptor::new(all, AcceptorSettings::default()).unwrap();
    (leaves, Credential::acceptor(acceptor))
}

/// Handshakes that take turns on one thread do not see each other's choices.
#[test]
fn handshakes_that_take_turns() {
    let ca = Ca::new("Root");
    let (leaves, credential) = three(&ca);
    for version in VERSIONS {
        let config = client_of(version, &ca, None, |_| ());
        let mut pairs: Vec<_> =
            leaves.iter().map(|(name, _)| (connect(&config, name), Server::new(&credential, &NoAccounts))).collect();
        // One fails in between, whose choice is nobody's.
        Server::new(&credential, &NoAccounts).hear(&[22, 3, 1, 0, 1, 1]);
        for _ in 0..4 {
            for (client, server) in &mut pairs {
                let flight = sends(client);
                server.hear(&flight);
            }
            for (client, server) in pairs.iter_mut().rev() {
                let reply = std::mem::take(&mut server.out);
                hears(client, &reply).unwrap();
            }
        }
        for ((_, server), (name, leaf)) in pairs.iter_mut().zip(&leaves) {
            assert_eq!(*server.channel().local_certificates, leaf.chain(), "{name}");
        }
    }
}

/// One credential, many threads.
#[test]
fn handshakes_at_once() {
    let ca = Ca::new("Root");
    let (leaves, credential) = three(&ca);
    std::thread::scope(|scope| {
        for thread in 0..6_usize {
            let (ca, leaves, credential) = (&ca, &leaves, &credential);
            scope.spawn(move || {
                for turn in 0..20 {
                    let (name, leaf) = &leaves[(thread + turn) % leaves.len()];
                    let mut client = connect(&client_of(VERSIONS[turn % 2], ca, None, |_| ()), name);
                    let mut server = Server::new(credential, &NoAccounts);
                    handshake(&mut client, &mut server).unwrap();
                    assert_eq!(*server.channel().local_certificates, leaf.chain());
                }
            });
        }
    });
}
