//! Messages signed and sealed both ways: by pyspnego and by Samba, against our context behind the testkit's TCP service.

use crate::peers::{self, Logon};
use portcullis::negotiate::Negotiate;
use portcullis::ntlm::{KeyStrength, Ntlm, ServerNames};
use portcullis::{Authority, Credential};
use portcullis_testkit::{Realm, seal};
use std::net::TcpListener;
use std::sync::Arc;

const USER: &str = "User";
const PASSWORD: &str = "Password";

/// The service with NTLM; it ends with the test program.
fn service(settings: fn(&mut Ntlm)) -> u16 {
    start(Credential::acceptor(ntlm(settings)))
}

/// The service with Negotiate.
fn spnego_service(settings: fn(&mut Ntlm)) -> u16 {
    start(Credential::acceptor(Negotiate::offering([ntlm(settings).into()])))
}

fn ntlm(settings: fn(&mut Ntlm)) -> Ntlm {
    let mut ntlm = Ntlm::new(ServerNames {
        netbios_computer: "WEB1".into(),
        netbios_domain: "DOMAIN".into(),
        dns_computer: "web1.domain.example".into(),
        dns_domain: "domain.example".into(),
        ..ServerNames::default()
    });
    settings(&mut ntlm);
    ntlm
}

fn start(credential: Credential) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let realm: Arc<dyn Authority> = Arc::new(Realm::of_user());
    std::thread::spawn(move || seal::serve(&listener, &credential, &realm));
    port
}

/// What the client prints when everything came back right; a forged signature is SEC_E_MESSAGE_ALTERED.
fn expect_all(said: &str, kinds: &[&str]) {
    let mut expected = vec!["established".to_owned()];
    expected.extend(kinds.iter().map(|kind| format!("{kind} 60")));
    expected.extend(["forged 8009030f".to_owned(), "done".to_owned()]);
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

fn pyspnego_with(settings: fn(&mut Ntlm), besides: &[(&str, &str)]) {
    let logon = Logon { domain: "DOMAIN", besides, ..Logon::new(USER, PASSWORD) };
    expect_all(&peers::seal(service(settings), "pyspnego", &logon), &["signed", "sealed", "in_segments"]);
}

#[test]
fn pyspnego_with_128_bits() {
    pyspnego_with(|_| {}, &[]);
}

#[test]
fn pyspnego_without_key_exchange() {
    pyspnego_with(|_| {}, &[("PEER_WITHOUT", "key_exch")]);
}

#[test]
fn pyspnego_with_56_and_40_bits() {
    pyspnego_with(|ntlm| ntlm.minimum_key = KeyStrength::Bits56, &[("PEER_WITHOUT", "key_128")]);
    pyspnego_with(|ntlm| ntlm.minimum_key = KeyStrength::Bits40, &[("PEER_WITHOUT", "key_128,key_56")]);
}

#[test]
fn pyspnego_after_ntlmv1() {
    // Level 2 has extended session security, level 0 has not: one cipher state for both directions then.
    for level in ["2", "0"] {
        pyspnego_with(|ntlm| ntlm.danger_accept_ntlmv1 = true, &[("LM_COMPAT_LEVEL", level)]);
    }
}

fn samba_with(settings: fn(&mut Ntlm), besides: &[(&str, &str)]) {
    let logon = Logon { domain: "DOMAIN", besides, ..Logon::new(USER, PASSWORD) };
    expect_all(&peers::seal(service(settings), "samba", &logon), &["signed", "sealed"]);
}

#[test]
fn samba_with_128_bits() {
    samba_with(|_| {}, &[]);
}

#[test]
fn samba_with_56_and_40_bits() {
    samba_with(
        |ntlm| ntlm.minimum_key = KeyStrength::Bits56,
        &[("PEER_SAMBA", "ntlmssp_client:128bit=no,ntlmssp_client:56bit=yes")],
    );
    let weakest = [("PEER_SAMBA", "ntlmssp_client:128bit=no")];
    samba_with(|ntlm| ntlm.minimum_key = KeyStrength::Bits40, &weakest);
}

#[test]
fn samba_after_ntlmv1() {
    for settings in ["client ntlmv2 auth=no", "client ntlmv2 auth=no,ntlmssp_client:ntlm2=no"] {
        samba_with(|ntlm| ntlm.danger_accept_ntlmv1 = true, &[("PEER_SAMBA", settings)]);
    }
}

/// After a signed list the cipher begins anew and the count goes on: a client that does otherwise could not read us.
fn spnego_with(library: &str, settings: fn(&mut Ntlm), besides: &[(&str, &str)], kinds: &[&str]) {
    let besides = [&[("PEER_PACKAGE", "Negotiate")], besides].concat();
    let logon = Logon { domain: "DOMAIN", besides: &besides, ..Logon::new(USER, PASSWORD) };
    expect_all(&peers::seal(spnego_service(settings), library, &logon), kinds);
}

#[test]
fn pyspnego_through_spnego_with_and_without_a_signed_list() {
    for ways in ["", "nomic"] {
        spnego_with("pyspnego", |_| {}, &[("PEER_SPNEGO", ways)], &["signed", "sealed", "in_segments"]);
    }
}

#[test]
fn samba_through_spnego() {
    spnego_with("samba", |_| {}, &[], &["signed", "sealed"]);
    let weakest = [("PEER_SAMBA", "ntlmssp_client:128bit=no")];
    spnego_with("samba", |ntlm| ntlm.minimum_key = KeyStrength::Bits40, &weakest, &["signed", "sealed"]);
}

#[test]
fn gss_ntlmssp_through_spnego() {
    spnego_with("gssapi", |_| {}, &[], &["signed", "sealed"]);
}

#[test]
fn a_wrong_password_and_a_weak_key_are_refused_with_their_status() {
    let wrong = Logon { domain: "DOMAIN", ..Logon::new(USER, "password") };
    assert_eq!(peers::seal(service(|_| {}), "pyspnego", &wrong), "refused 8009030c\n");
    let weak = [("PEER_WITHOUT", "key_128")];
    let weak = Logon { domain: "DOMAIN", besides: &weak, ..Logon::new(USER, PASSWORD) };
    assert_eq!(peers::seal(service(|_| {}), "pyspnego", &weak), "refused 80090302\n");
}
