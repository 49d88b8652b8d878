//! One client-made logon for each reason to refuse: 401 with the offers to the client, the cause to the log alone.

use crate::harness::{ANN, DOMAIN, PASSWORD, Server};
use crate::peers::{self, Client, Logon};
use crate::raw::{Connection, NEGOTIATE};
use std::time::Duration;

/// The right password, which nevertheless does not let in.
fn refused(server: &Server, cause: &str) {
    refused_by(peers::odd, server, &Logon::new(ANN, PASSWORD), cause);
}

fn refused_by(client: Client, server: &Server, logon: &Logon<'_>, cause: &str) {
    let before = server.audit().len();
    let outcome = client(server, logon);
    outcome.expect_refused();
    let told = format!("{:?}", outcome.output);
    assert!(!told.contains(cause), "the client learns the cause: {told}");
    let line = server.expect_last_cause(cause);
    assert_eq!(server.audit().len(), before + 1, "one line for a decision");
    assert_eq!(line["package"], "NTLM", "{line}");
}

fn let_in(server: &Server) {
    peers::odd(server, &Logon::new(ANN, PASSWORD)).expect_user(ANN, 1);
    server.expect_last_cause("ok");
}

#[test]
fn wrong_proof() {
    let server = Server::start();
    refused_by(peers::odd, &server, &Logon::new(ANN, "Correct-horse 8"), "account/wrong-proof");
    let_in(&server);
}

#[test]
fn unknown_account() {
    let server = Server::start();
    refused_by(peers::odd, &server, &Logon::new("zoe", PASSWORD), "account/unknown-account");
}

#[test]
fn unknown_domain() {
    let server = Server::start();
    let logon = Logon { domain: "NOWHERE", ..Logon::new(ANN, PASSWORD) };
    refused_by(peers::odd, &server, &logon, "account/unknown-domain");
    peers::odd(&server, &Logon { domain: DOMAIN, ..logon }).expect_user(ANN, 1);
}

#[test]
fn disabled() {
    let server = Server::start();
    server.cli(&["account", "disable", ANN]);
    refused(&server, "account/disabled");
    server.cli(&["account", "enable", ANN]);
    let_in(&server);
}

#[test]
fn locked() {
    let server = Server::start();
    server.cli(&["policy", "set", "--lockout-threshold", "3"]);
    for _ in 0..3 {
        refused_by(peers::odd, &server, &Logon::new(ANN, "Correct-horse 8"), "account/wrong-proof");
    }
    refused(&server, "account/locked");
    server.cli(&["account", "unlock", ANN]);
    let_in(&server);
}

#[test]
fn throttled() {
    let server = Server::start();
    server.account("ben", "Battery staple 8");
    server.cli(&["policy", "set", "--address-threshold", "4", "--loopback-exempt", "false"]);
    for user in ["one", "two", "three", "four"] {
        refused_by(peers::odd, &server, &Logon::new(user, PASSWORD), "account/unknown-account");
    }
    refused(&server, "account/throttled");
    refused_by(peers::odd, &server, &Logon::new("ben", "Battery staple 8"), "account/throttled");
    server.cli(&["policy", "set", "--loopback-exempt", "true"]);
    let_in(&server);
}

#[test]
fn no_password() {
    let server = Server::start();
    server.cli(&["account", "add", "cleo", "--no-password"]);
    refused_by(peers::odd, &server, &Logon::new("cleo", PASSWORD), "account/no-password");
    // The hash of the empty password, which some clients send as they would any other.
    refused_by(peers::httpntlm, &server, &Logon::new("cleo", ""), "account/no-password");
}

#[test]
fn store_unreachable() {
    let server = Server::start();
    let_in(&server);
    // As after a disk failure or a wrong `rm`; then the store comes back.
    let store = server.data().join("portcullis.db");
    let gone = server.data().join("gone");
    std::fs::rename(&store, &gone).unwrap();
    std::fs::write(&store, b"no database").unwrap();
    refused(&server, "account/store-unreachable");
    std::fs::rename(&gone, &store).unwrap();
    let_in(&server);
}

#[test]
fn account_expired() {
    let server = Server::start();
    server.cli(&["account", "set", ANN, "--expires", "2020-01-01"]);
    refused(&server, "account/account-expired");
    server.cli(&["account", "set", ANN, "--expires", "2199-01-01"]);
    let_in(&server);
}

#[test]
fn password_expired() {
    let server = Server::start();
    server.cli(&["policy", "set", "--max-password-age", "1d"]);
    let_in(&server);
    server.cli(&["policy", "set", "--max-password-age", "1s"]);
    std::thread::sleep(Duration::from_millis(1500));
    refused(&server, "account/password-expired");
}

#[test]
fn must_change() {
    let server = Server::start();
    server.cli(&["account", "set", ANN, "--must-change"]);
    refused(&server, "account/must-change");
}

#[test]
fn logon_hours() {
    let server = Server::start();
    server.cli(&["account", "set", ANN, "--logon-hours", "none"]);
    refused(&server, "account/logon-hours");
    server.cli(&["account", "set", ANN, "--logon-hours", "all"]);
    let_in(&server);
}

#[test]
fn workstation_not_allowed() {
    let server = Server::start();
    server.cli(&["account", "set", ANN, "--workstations", "OFFICE,LAB"]);
    let at = |workstation| Logon { besides: workstation, ..Logon::new(ANN, PASSWORD) };
    let home = [("NETBIOS_COMPUTER_NAME", "HOME")];
    refused_by(peers::odd, &server, &at(&home), "account/workstation-not-allowed");
    let lab = [("NETBIOS_COMPUTER_NAME", "lab")];
    peers::odd(&server, &at(&lab)).expect_user(ANN, 1);
    assert_eq!(server.expect_last_cause("ok")["workstation"], "lab");
}

#[test]
fn the_accounts_state_shows_only_after_the_right_password() {
    let server = Server::start();
    server.cli(&["account", "disable", ANN]);
    refused_by(peers::odd, &server, &Logon::new(ANN, "Correct-horse 8"), "account/wrong-proof");
}

#[test]
fn mic_missing() {
    let server = Server::start();
    refused_by(peers::odd, &server, &odd(&[("PEER_ODD", "mic-dropped")]), "ntlm/mic-missing");
    // curl announces none.
    let server = Server::with("[ntlm]\nrequire_mic = true\n");
    refused_by(peers::curl, &server, &Logon::new(ANN, PASSWORD), "ntlm/mic-missing");
    let_in(&server);
}

#[test]
fn mic_wrong() {
    let server = Server::start();
    refused_by(peers::odd, &server, &odd(&[("PEER_ODD", "mic-altered")]), "ntlm/mic-wrong");
}

#[test]
fn bindings_missing_and_wrong() {
    let server = Server::with("[ntlm]\nbindings = \"require\"\n");
    refused(&server, "ntlm/bindings-missing");
    refused_by(peers::odd, &server, &odd(&[("PEER_ODD", "bindings")]), "ntlm/bindings-wrong");
    let server = Server::with("[ntlm]\nbindings = \"when-present\"\n");
    let_in(&server);
    refused_by(peers::odd, &server, &odd(&[("PEER_ODD", "bindings")]), "ntlm/bindings-wrong");
}

#[test]
fn target_not_ours() {
    let server = Server::with("[ntlm]\ntargets = [\"HTTP/web1.corp.example\"]\ntarget_policy = \"when-present\"\n");
    refused_by(peers::odd, &server, &odd(&[("PEER_TARGET", "files.corp.example")]), "ntlm/target-not-ours");
    peers::odd(&server, &odd(&[("PEER_TARGET", "web1.corp.example")])).expect_user(ANN, 1);
    // curl names none.
    peers::curl(&server, &Logon::new(ANN, PASSWORD)).expect_user(ANN, 1);
}

#[test]
fn target_missing() {
    let server = Server::with("[ntlm]\ntargets = [\"HTTP/web1.corp.example\"]\ntarget_policy = \"require\"\n");
    refused_by(peers::curl, &server, &Logon::new(ANN, PASSWORD), "ntlm/target-missing");
}

#[test]
fn ntlmv1_refused() {
    let server = Server::with("[http]\nschemes = [\"NTLM\"]\n");
    refused_by(peers::wget, &server, &Logon::new(ANN, PASSWORD), "ntlm/ntlmv1-refused");
    // v1, and v1 with extended session security; with an LM response and without.
    for level in ["0", "1", "2"] {
        refused_by(peers::ntlm_auth, &server, &odd(&[("PEER_LEVEL", level)]), "ntlm/ntlmv1-refused");
        refused_by(peers::odd, &server, &odd(&[("LM_COMPAT_LEVEL", level)]), "ntlm/ntlmv1-refused");
    }
    // LWP tries over and over.
    peers::lwp_v1(&server, &Logon::new(ANN, PASSWORD)).expect_refused();
    server.expect_last_cause("ntlm/ntlmv1-refused");
}

#[test]
fn ntlmv1_let_in_by_the_danger_setting_alone() {
    let server = Server::with("[http]\nschemes = [\"NTLM\"]\n[ntlm]\ndanger_accept_ntlmv1 = true\n");
    for level in ["0", "1", "2"] {
        peers::ntlm_auth(&server, &odd(&[("PEER_LEVEL", level)])).expect_user(ANN, 1);
        peers::odd(&server, &odd(&[("LM_COMPAT_LEVEL", level)])).expect_user(ANN, 1);
    }
    peers::wget(&server, &Logon::new(ANN, PASSWORD)).expect_user(ANN, 1);
    peers::wget(&server, &Logon::new(ANN, "Correct-horse 8")).expect_refused();
    peers::lwp_v1(&server, &Logon::new(ANN, PASSWORD)).expect_user(ANN, 1);
}

#[test]
fn handshake_timeout() {
    let server = Server::with("[limits]\nhandshake_seconds = 1\n");
    let mut connection = Connection::open(server.http);
    let begun = connection.get(&[&format!("Authorization: NTLM {NEGOTIATE}")]);
    assert!(begun.challenge().is_some(), "{begun:?}");
    server.expect_last_cause("host/handshake-timeout");
}

#[test]
fn anonymous_refused() {
    let server = Server::start();
    refused_by(peers::odd, &server, &odd(&[("PEER_ODD", "anonymous")]), "ntlm/anonymous-refused");
}

fn odd<'a>(besides: &'a [(&'a str, &'a str)]) -> Logon<'a> {
    Logon { besides, ..Logon::new(ANN, PASSWORD) }
}
