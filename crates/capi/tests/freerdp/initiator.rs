//! Our client in `xfreerdp`, and FreeRDP's own server, which we had no hand in.

use crate::client::{Logon, log_on_with};
use crate::harness::library;
use crate::server::{ANN, BEN, Server, sam};

#[test]
fn is_let_in() {
    let server = Server::stock(&sam(&[ANN]));
    log_on_with(&library(), &server, &Logon::new(ANN.name, ANN.password)).expect_let_in();
    log_on_with(&library(), &server, &Logon { user: ANN.name, domain: "CORP", password: ANN.password }).expect_let_in();
}

#[test]
fn is_refused_with_a_wrong_password() {
    let server = Server::stock(&sam(&[ANN]));
    log_on_with(&library(), &server, &Logon::new(ANN.name, BEN.password)).expect_refused();
    // The MIC is what FreeRDP looks at, where there is one: so ours was there.
    server.expect_logged("CompleteAuthToken status SEC_E_MESSAGE_ALTERED");
}

#[test]
fn is_refused_as_an_unknown_user() {
    let server = Server::stock(&sam(&[ANN]));
    log_on_with(&library(), &server, &Logon::new(BEN.name, BEN.password)).expect_refused();
    server.expect_logged("Could not find user in SAM database");
}
