//! Negotiate over HTTP (RFC 4559): which token goes with which answer, and how a failed one is answered.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod harness;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{Client, Reply, Running};
use portcullis_testkit::Initiator;
use portcullis_testkit::spnego::{ListMic, Spnego, offer, response};
use portcullis_wire::spnego::{KERBEROS, NEGOEX, NTLM, NegState, NegTokenResp};

fn ann() -> Initiator {
    Initiator::new("ann", "WEB1", "Passw0rd!")
}

fn header(scheme: &str, token: &[u8]) -> String {
    format!("Authorization: {scheme} {}", STANDARD.encode(token))
}

/// The token of an answer, whatever its status.
fn token(reply: &Reply) -> Option<Vec<u8>> {
    let value = reply.header("www-authenticate")?.strip_prefix("Negotiate ")?;
    Some(STANDARD.decode(value).unwrap())
}

/// Talks to the end; every answer.
fn talk(client: &mut Client, spnego: &Spnego) -> Vec<Reply> {
    let (mut says, mut reply, mut replies) = (spnego.talker(), Vec::new(), Vec::new());
    while let Some(message) = says(&reply) {
        let answer = client.get(&[&header("Negotiate", &message)]);
        reply = token(&answer).unwrap_or_default();
        let ended = answer.status != 401 || reply.is_empty();
        replies.push(answer);
        if ended {
            break;
        }
    }
    replies
}

/// The final token goes with the 200: a client that checks the server's part needs it.
#[test]
fn g13_the_last_token_goes_with_the_answer() {
    let server = Running::start("");
    for spnego in [Spnego::of(ann()), Spnego { ntlm: ann(), ..Spnego::preferring(NEGOEX, b"NEGOEXTS") }] {
        let mut client = server.client();
        let replies = talk(&mut client, &spnego);
        let last = replies.last().unwrap();
        assert_eq!(last.name(), "ann");
        let word = token(last).expect("a token with the 200");
        let word = NegTokenResp::decode(&word).unwrap();
        assert_eq!(word.state, Some(NegState::AcceptCompleted));
        assert!(word.mech_list_mic.is_some(), "the list is signed, and so is the answer");
        assert!(
            replies[..replies.len() - 1].iter().all(|reply| reply.status == 401 && reply.offers() == ["Negotiate"])
        );
        // The connection is ann's now, and no token is sent again.
        let again = client.get(&[]);
        assert_eq!((again.name(), token(&again)), ("ann".to_owned(), None));
    }
    // Where nothing is signed there is a last word too.
    let replies = talk(&mut server.client(), &Spnego::of(ann().curl_like()));
    let word = token(replies.last().unwrap()).unwrap();
    assert_eq!(NegTokenResp::decode(&word).unwrap().state, Some(NegState::AcceptCompleted));
}

/// A failed mechanism is answered 401 with all that is offered, never 403: the client may try the next.
#[test]
fn g14_a_failure_offers_what_is_left() {
    let all = ["Negotiate", "NTLM", "Basic"];
    let rows = [
        ("wrong password", Spnego::of(Initiator { password: "x".into(), ..ann() }), "account/wrong-proof"),
        ("unsigned list", Spnego { mic: ListMic::Absent, ..Spnego::of(ann()) }, "negotiate/list-mic-missing"),
        (
            "nothing in common",
            Spnego { mechanisms: vec![KERBEROS], ..Spnego::of(ann()) },
            "negotiate/no-common-mechanism",
        ),
    ];
    for (what, spnego, cause) in rows {
        let server = Running::start("");
        let mut client = server.client();
        let last = talk(&mut client, &spnego).pop().unwrap();
        assert_eq!((last.status, last.offers()), (401, all.to_vec()), "{what}");
        assert_eq!(server.decisions.causes(), [cause], "{what}");
        // And the next scheme is taken, on the same connection.
        assert_eq!(client.logon("ann", "Passw0rd!", &[]).name(), "ann", "{what}");
    }
    let server = Running::start("");
    for bytes in [&b"NEGOEXTS"[..], &[0x60, 0x03, 0x06, 0x01, 0x2a], &[0xa1, 0x02, 0x30, 0x00], b"text"] {
        let reply = server.client().get(&[&header("Negotiate", bytes)]);
        assert_eq!((reply.status, reply.offers()), (401, all.to_vec()), "{bytes:02x?}");
    }
}

/// NTLM's own tokens under Negotiate, as many clients have it; and nothing of Negotiate under NTLM.
#[test]
fn schemes_and_tokens() {
    let server = Running::start("");
    let mut client = server.client();
    let challenge = token(&client.get(&[&header("Negotiate", &ann().negotiate())])).unwrap();
    assert!(challenge.starts_with(b"NTLMSSP\0\x02"));
    let (message, _) = ann().authenticate(&ann().negotiate(), &challenge).unwrap();
    let answer = client.get(&[&header("Negotiate", &message)]);
    assert_eq!((answer.name(), token(&answer)), ("ann".to_owned(), None));
    assert_eq!(answer.json()["package"], "Negotiate");
    let begun = offer(&[NTLM], Some(&ann().negotiate()), None);
    assert_eq!(server.client().get(&[&header("NTLM", &begun)]).status, 401);
    assert_eq!(server.decided(2).last(), Some(&"ntlm/malformed-token"));
    // A handshake that began under one scheme is not gone on with under another.
    let mut client = server.client();
    let reply = client.get(&[&header("Negotiate", &begun)]);
    let inner = NegTokenResp::decode(&token(&reply).unwrap()).unwrap().response_token.unwrap().to_vec();
    let (message, _) = ann().authenticate(&ann().negotiate(), &inner).unwrap();
    let answer = client.get(&[&header("NTLM", &message)]);
    assert_eq!((answer.status, server.decided(3).last()), (401, Some(&"host/proxied")));
}

/// One connection's second token on another: there is nothing there that waits for it.
#[test]
fn a_handshake_belongs_to_its_connection() {
    let server = Running::start("");
    let (spnego, mut one, mut two) = (Spnego::of(ann()), server.client(), server.client());
    let mut says = spnego.talker();
    let first = says(&[]).unwrap();
    let reply = token(&one.get(&[&header("Negotiate", &first)])).unwrap();
    let second = says(&reply).unwrap();
    assert_eq!(two.get(&[&header("Negotiate", &second)]).status, 401);
    assert_eq!(server.decisions.causes(), ["negotiate/unexpected-move"]);
    // Where it belongs it is right, once.
    assert_eq!(one.get(&[&header("Negotiate", &second)]).name(), "ann");
    assert_eq!(one.get(&[&header("Negotiate", &second)]).status, 401, "a replay");
    assert_eq!(one.get(&[]).status, 401, "which ends the identity");
}

/// HTTP brings tokens whole: what is cut is refused, and nothing of it is kept.
#[test]
fn a_token_in_pieces_is_refused() {
    let server = Running::start("");
    let begun = offer(&[NTLM], Some(&ann().negotiate()), None);
    let mut client = server.client();
    let reply = client.get(&[&header("Negotiate", &begun[..30])]);
    assert_eq!((reply.status, reply.offers()), (401, vec!["Negotiate", "NTLM", "Basic"]));
    assert_eq!(server.decisions.causes(), ["host/token-incomplete"]);
    assert_eq!(client.get(&[&header("Negotiate", &begun[30..])]).status, 401);
    // In the middle of a handshake too.
    let _ = client.get(&[&header("Negotiate", &begun)]);
    let cut = response(None, Some(&[0; 300]), None);
    assert_eq!(client.get(&[&header("Negotiate", &cut[..40])]).status, 401);
    assert_eq!(server.decided(3).last(), Some(&"host/token-incomplete"));
    assert_eq!(talk(&mut client, &Spnego::of(ann())).last().unwrap().name(), "ann");
}

/// Two users, whose legs are interleaved on two connections.
#[test]
fn two_users_never_mix() {
    let server = Running::start("");
    let users = [ann(), Initiator::new("bob", "WEB1", "hunter2")].map(Spnego::of);
    let mut clients = [server.client(), server.client()];
    for _ in 0..5 {
        let mut talkers = users.each_ref().map(Spnego::talker);
        let mut heard = [Vec::new(), Vec::new()];
        let mut names = [String::new(), String::new()];
        for turn in [0, 1, 1, 0] {
            let message = talkers[turn](&heard[turn]).unwrap();
            let answer = clients[turn].get(&[&header("Negotiate", &message)]);
            heard[turn] = token(&answer).unwrap_or_default();
            if answer.status == 200 {
                names[turn] = answer.name();
            }
        }
        assert_eq!(names, ["ann", "bob"]);
    }
}
