//! No store is configured. The server hands WinPR's file of users to the module, between the client's proof and the
//! verdict.

use crate::client::{Logon, log_on, log_on_by_hash};
use crate::server::{ANN, BEN, Server, sam};

#[test]
fn those_of_the_file_are_let_in() {
    let server = Server::with_sam(&sam(&[ANN, BEN]));
    for user in [ANN, BEN] {
        log_on(&server, &Logon::new(user.name, user.password)).expect_let_in();
        assert_eq!(server.established(user), 1, "{}", server.log());
    }
    server.expect_module();
}

#[test]
fn a_wrong_password_is_refused() {
    let server = Server::with_sam(&sam(&[ANN, BEN]));
    log_on(&server, &Logon::new(ANN.name, BEN.password)).expect_refused();
    server.expect_logged("CompleteAuthToken status SEC_E_LOGON_DENIED");
    server.expect_logged("account/wrong-proof");
    server.expect_module();
    // The server survives it.
    log_on(&server, &Logon::new(ANN.name, ANN.password)).expect_let_in();
}

#[test]
fn an_unknown_user_is_refused() {
    let server = Server::with_sam(&sam(&[BEN]));
    log_on(&server, &Logon::new(ANN.name, ANN.password)).expect_refused();
    server.expect_logged("CompleteAuthToken status SEC_E_LOGON_DENIED");
    server.expect_logged("account/unknown-account");
    server.expect_module();
}

/// The line of the client's domain is the one that counts; a line without a domain is for those that have none.
#[test]
fn the_line_of_the_domain_comes_first() {
    let (corp, any) = (BEN.nt_hash, ANN.nt_hash);
    let server = Server::with_sam(&format!("# users\nann:::{any}:::\nann:CORP::{corp}:::\n"));
    let in_corp = |password| Logon { user: ANN.name, domain: "CORP", password };
    log_on(&server, &in_corp(BEN.password)).expect_let_in();
    log_on(&server, &in_corp(ANN.password)).expect_refused();
    log_on(&server, &Logon { user: ANN.name, domain: "ELSEWHERE", password: ANN.password }).expect_let_in();
    log_on(&server, &Logon::new(ANN.name, BEN.password)).expect_refused();
}

/// WinPR takes sixteen zeros for the hash of a line that has none, and then lets in whoever does the same.
#[test]
fn a_line_without_a_hash_lets_nobody_in() {
    let server = Server::with_sam(&format!("ann:::::\n{}", sam(&[BEN])));
    log_on_by_hash(&server, ANN.name, &"0".repeat(32)).expect_refused();
    log_on(&server, &Logon::new(ANN.name, "")).expect_refused();
    log_on_by_hash(&server, BEN.name, BEN.nt_hash).expect_let_in();
}
