//! Tokens in the wrong place: replayed, out of order, glued, cut.

use crate::harness::{ANN, PASSWORD, Server};
use crate::peers::{self, Logon, Outcome};
use crate::raw::{Connection, NEGOTIATE};

fn odd(server: &Server, what: &str, besides: &[(&str, &str)]) -> Outcome {
    let besides: Vec<_> = [("PEER_ODD", what)].into_iter().chain(besides.iter().copied()).collect();
    peers::odd(server, &Logon { besides: &besides, ..Logon::new(ANN, PASSWORD) })
}

#[test]
fn a_recorded_conversation_is_worth_nothing_on_another_connection() {
    let server = Server::start();
    assert_eq!(odd(&server, "replay", &[]).statuses(), [200, 401]);
    server.expect_last_cause("account/wrong-proof");
}

#[test]
fn authenticate_without_negotiate_on_this_connection_is_refused() {
    let server = Server::start();
    assert_eq!(odd(&server, "authenticate-first", &[]).statuses(), [401]);
    server.expect_last_cause("ntlm/malformed-token");
}

#[test]
fn a_second_authenticate_after_a_failure_is_refused() {
    let server = Server::start();
    assert_eq!(odd(&server, "after-failure", &[]).statuses(), [401, 401]);
    server.expect_last_cause("ntlm/malformed-token");
    assert!(!server.causes().contains(&"ok".to_owned()));
}

#[test]
fn a_token_glued_to_itself_is_refused() {
    let server = Server::start();
    assert_eq!(odd(&server, "glued", &[]).statuses(), [401]);
    assert!(!server.causes().contains(&"ok".to_owned()));
}

#[test]
fn a_cut_token_is_refused_wherever_it_is_cut() {
    let server = Server::start();
    for keep in ["0", "1", "8", "11", "12", "40", "63", "64", "72", "87", "88", "100", "150", "200"] {
        odd(&server, "truncated", &[("PEER_KEEP", keep)]).expect_refused();
    }
    assert!(!server.causes().contains(&"ok".to_owned()));
}

#[test]
fn two_users_on_one_connection_are_each_themselves() {
    let server = Server::start();
    server.account("ben", "Battery staple 8");
    let outcome = odd(&server, "two-users", &[("PEER_OTHER", "ben"), ("PEER_OTHER_PASSWORD", "Battery staple 8")]);
    let seen: Vec<_> = outcome.answers.iter().map(|a| (a.status, a.body["name"].as_str().unwrap_or(""))).collect();
    // Each logon and the plain request behind it; the third logon fails, and then nobody is logged on.
    assert_eq!(seen, [(200, ANN), (200, ANN), (200, "ben"), (200, "ben"), (401, ""), (401, "")], "{outcome:?}");
}

#[test]
fn requests_between_the_legs_and_headers_that_are_no_tokens_are_refused() {
    let server = Server::start();
    let mut connection = Connection::open(server.http);
    for (header, cause) in [
        ("Authorization: NTLM !!!", "host/bad-header"),
        ("Authorization: NTLM", "host/bad-header"),
        ("Authorization: NTLM TlRMTVNTUAAB", "ntlm/malformed-token"),
        ("Authorization: NTLM TlRMTVNTUAACAAAA", "ntlm/malformed-token"),
        ("Authorization: Bearer abc", "host/scheme-not-offered"),
    ] {
        connection.get(&[header]).expect_refused(cause);
        server.expect_last_cause(cause);
    }
    let large = "A".repeat(90_000);
    connection.get(&[&format!("Authorization: NTLM {large}")]).expect_refused("host/token-too-large");
    server.expect_last_cause("host/token-too-large");
    // The connection still serves.
    assert!(connection.get(&[&format!("Authorization: NTLM {NEGOTIATE}")]).challenge().is_some());
}
