//! A store is configured, and it alone decides.

use crate::client::{Logon, log_on};
use crate::server::{ANN, BEN, DOMAIN, Server, sam};

#[test]
fn those_of_the_store_are_let_in() {
    let server = Server::with_store(&[ANN], &sam(&[]));
    log_on(&server, &Logon::new(ANN.name, ANN.password)).expect_let_in();
    log_on(&server, &Logon { user: "ANN", domain: DOMAIN, password: ANN.password }).expect_let_in();
    server.expect_module();
    for line in server.audit(2) {
        assert_eq!(line["cause"], "ok", "{line}");
        assert_eq!(line["account"], "CORP\\ann", "{line}");
        assert!(line["sid"].as_str().is_some_and(|sid| sid.starts_with("S-1-5-21-")), "{line}");
        assert_eq!(line["package"], "Negotiate", "{line}");
        assert_eq!(line["mechanism"], "NTLM", "{line}");
        assert_eq!(line["version"], "NTLMv2", "{line}");
    }
}

#[test]
fn a_wrong_password_is_refused() {
    let server = Server::with_store(&[ANN], &sam(&[]));
    log_on(&server, &Logon::new(ANN.name, BEN.password)).expect_refused();
    server.expect_logged("AcceptSecurityContext status SEC_E_LOGON_DENIED");
    let line = &server.audit(1)[0];
    assert_eq!(line["cause"], "account/wrong-proof", "{line}");
    assert_eq!(line["claimed_user"], "ann", "{line}");
    server.expect_module();
    log_on(&server, &Logon::new(ANN.name, ANN.password)).expect_let_in();
    assert_eq!(server.audit(2)[1]["cause"], "ok");
}

#[test]
fn an_unknown_user_is_refused() {
    let server = Server::with_store(&[BEN], &sam(&[]));
    log_on(&server, &Logon::new(ANN.name, ANN.password)).expect_refused();
    server.expect_logged("AcceptSecurityContext status SEC_E_LOGON_DENIED");
    assert_eq!(server.audit(1)[0]["cause"], "account/unknown-account");
    server.expect_module();
}

/// The server has a file of users too; a module that asked it would let in whom an administrator thinks gone.
#[test]
fn those_of_the_file_alone_are_refused() {
    let server = Server::with_store(&[BEN], &sam(&[ANN]));
    log_on(&server, &Logon::new(ANN.name, ANN.password)).expect_refused();
    assert_eq!(server.audit(1)[0]["cause"], "account/unknown-account");
    log_on(&server, &Logon::new(BEN.name, BEN.password)).expect_let_in();
    assert_eq!(server.audit(2)[1]["account"], "CORP\\ben");
}
