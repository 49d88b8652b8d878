//! Many threads and two users over one credential: names never mix.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::ntlm::Ntlm;
use portcullis::{Credential, Handshake, Segment};
use portcullis_testkit::{Foretold, Host, Initiator, Part, Realm, Session, Settings, converse, server_names};
use std::sync::Barrier;

fn realm() -> Realm {
    Realm::new("DOMAIN", "domain.example", &[("Ann", "pa"), ("Ben", "pb")])
}

fn users() -> [(Initiator, &'static str); 2] {
    let client =
        |name, password, key| Initiator { random_session_key: [key; 16], ..Initiator::new(name, "", password) };
    [(client("ann", "pa", 0xa1), r"DOMAIN\Ann"), (client("BEN", "pb", 0xb2), r"DOMAIN\Ben")]
}

#[test]
fn threads_over_one_credential() {
    const THREADS: usize = 8;
    let (credential, realm, users) = (Credential::acceptor(Ntlm::new(server_names())), realm(), users());
    let start = Barrier::new(THREADS);
    std::thread::scope(|threads| {
        for thread in 0..THREADS {
            let (credential, realm, users, start) = (&credential, &realm, &users, &start);
            threads.spawn(move || {
                start.wait();
                for turn in 0..100_usize {
                    let (client, name) = &users[(thread + turn) % 2];
                    let mut challenge = [0; 8];
                    challenge[0] = thread as u8;
                    challenge[1] = turn as u8;
                    let settings = Settings { server_challenge: challenge, ..Settings::default() };
                    let right = converse(credential, realm, client, &settings);
                    let facts = right.context.as_ref().unwrap().facts();
                    assert_eq!(facts.client_name().as_deref(), Some(*name));
                    assert_eq!(facts.session_key.as_ref().unwrap().expose(), &client.random_session_key);
                    // The other's name with one's own password, in between.
                    let liar = Initiator { user: users[(thread + turn + 1) % 2].0.user.clone(), ..client.clone() };
                    assert_eq!(converse(credential, realm, &liar, &settings).cause_name(), "account/wrong-proof");
                }
            });
        }
    });
}

/// Two handshakes step by step in turn, their questions answered in the other order.
#[test]
fn two_handshakes_interleaved() {
    let (credential, realm, users) = (Credential::acceptor(Ntlm::new(server_names())), realm(), users());
    let settings = Settings::default();
    let mut hosts = [Host::new(&settings, Foretold::seeded(1)), Host::new(&settings, Foretold::seeded(2))];
    let mut waiting = Vec::new();
    for (host, (client, _)) in hosts.iter_mut().zip(&users) {
        let Some(Handshake::NeedsToken(next)) = host.call(|call| credential.begin().token(&client.negotiate(), call))
        else {
            panic!("no CHALLENGE")
        };
        waiting.push((next, host.take_output()));
    }
    let mut asking = Vec::new();
    let mut sessions: Vec<Session> = Vec::new();
    for (host, ((client, _), (next, challenge))) in hosts.iter_mut().zip(users.iter().zip(waiting)) {
        let (message, session) = client.authenticate(&client.negotiate(), &challenge).unwrap();
        sessions.push(session);
        let Some(Handshake::NeedsAnswer(question)) = host.call(|call| next.token(&message, call)) else {
            panic!("no question")
        };
        asking.push(question);
    }
    for index in [1, 0] {
        let question = asking.pop().unwrap();
        let Some(Handshake::Established(mut context)) = hosts[index].call(|call| question.ask(&realm, call)) else {
            panic!("not established")
        };
        assert_eq!(context.facts().client_name().as_deref(), Some(users[index].1));
        let mut parts = [Part::Data(b"mine".to_vec())];
        let mut token = sessions.pop().unwrap().seal(&mut parts);
        let mut data = parts[0].bytes().to_vec();
        context.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut token)]).unwrap();
        assert_eq!(data, b"mine");
    }
}
