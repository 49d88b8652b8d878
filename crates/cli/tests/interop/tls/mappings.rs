//! Whose a client certificate is: by its SID, by what an administrator mapped, and by nothing weaker.

use crate::harness::{ANN, PASSWORD, Server};
use crate::tls::accounts::is_nobody;
use crate::tls::certificates::{self, Own};
use crate::tls::clients::{Fetched, curl, curl_as};
use crate::tls::listener::{Listener, map, map_file, map_to_ann};
use crate::tls::names::{AMBIGUOUS, CERTIFICATE_UNTRUSTED, UNMAPPED, WEAK};
use std::path::Path;
use std::process::Command;

const BEN: &str = "ben";

/// A certificate that was made for this test.
fn as_own(server: &Server, own: &Own, name: &str) -> Fetched {
    let file = |end: &str| own.path(&format!("{name}.{end}")).to_str().unwrap().to_owned();
    curl(server, &["--cert".to_owned(), file("pem"), "--key".to_owned(), file("key")])
}

#[test]
fn each_account_has_its_own() {
    let server = Listener::new().client_auth("require").start();
    server.account(BEN, PASSWORD);
    map_to_ann(&server, "ann");
    map(&server, BEN, "ben");
    curl_as(&server, "ann").expect_account(ANN);
    curl_as(&server, "ben").expect_account(BEN);
    // Another certificate with the same subject, of the same authority, is nobody's.
    let own = Own::new();
    own.client("ann", "mail", "nobody@nowhere.example");
    is_nobody(&server, &as_own(&server, &own, "ann"), UNMAPPED);
}

/// What openssl says of a certificate, hexadecimal digits alone.
fn told(certificate: &Path, option: &[&str]) -> String {
    let output =
        Command::new("openssl").args(["x509", "-noout", "-in"]).arg(certificate).args(option).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().rsplit(['=', '\n']).next().unwrap().trim().replace(':', "").to_ascii_lowercase()
}

/// The three strong forms, with values that openssl computes: the serial number stands last byte first; openssl's key identifier
/// is the SHA-1 of the public key.
#[test]
fn each_strong_form_of_identity() {
    let server = Listener::new().client_auth("require").start();
    let own = Own::new();
    own.client("dan", "mail", "dan@nowhere.example");
    let leaf = own.path("dan.leaf.pem");
    let serial = told(&leaf, &["-serial"]);
    let reversed: String = (0..serial.len()).step_by(2).rev().map(|at| &serial[at..at + 2]).collect();
    let key = told(&leaf, &["-ext", "subjectKeyIdentifier"]);
    assert_eq!((key.len(), serial.len() % 2), (40, 0), "{key} {serial}");
    for identity in [
        format!("X509:<I>CN=Test issuing<SR>{reversed}"),
        format!("X509:<SKI>{key}"),
        format!("X509:<SHA1-PUKEY>{key}"),
    ] {
        is_nobody(&server, &as_own(&server, &own, "dan"), UNMAPPED);
        server.cli(&["account", "map-cert", ANN, "--identity", &identity]);
        as_own(&server, &own, "dan").expect_account(ANN);
        server.cli(&["account", "unmap-cert", ANN, "--all"]);
    }
    // The serial number as it stands in the certificate is another one.
    server.cli(&["account", "map-cert", ANN, "--identity", &format!("X509:<I>CN=Test issuing<SR>{serial}")]);
    is_nobody(&server, &as_own(&server, &own, "dan"), UNMAPPED);
}

/// Issuer and serial number mean one certificate; its key means the next one too.
#[test]
fn a_renewed_certificate_is_its_keys() {
    for (form, is_known) in [("issuer-serial", false), ("ski", true), ("sha1-public-key", true)] {
        let server = Listener::new().client_auth("require").start();
        let own = Own::new();
        own.client("dan", "mail", "dan@nowhere.example");
        let leaf = own.path("dan.leaf.pem");
        server.cli(&["account", "map-cert", ANN, "--cert", leaf.to_str().unwrap(), "--form", form]);
        as_own(&server, &own, "dan").expect_account(ANN);
        own.client("dan", "mail", "dan@nowhere.example");
        let fetched = as_own(&server, &own, "dan");
        if is_known { fetched.expect_account(ANN) } else { is_nobody(&server, &fetched, UNMAPPED) }
    }
}

fn sid_of(server: &Server, account: &str) -> String {
    let shown = server.cli(&["account", "show", account, "--json"]);
    let start = shown.find("S-1-5-21-").unwrap_or_else(|| panic!("{shown}"));
    shown[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// Its issuer says that it is Ben's, and an administrator that it is Ann's.
#[test]
fn a_certificate_of_two_accounts_is_nobodys() {
    let server = Listener::new().client_auth("require").start();
    server.account(BEN, PASSWORD);
    let own = Own::new();
    own.client("both", "sid", &sid_of(&server, BEN));
    as_own(&server, &own, "both").expect_account(BEN);
    map_file(&server, ANN, &own.path("both.leaf.pem"));
    is_nobody(&server, &as_own(&server, &own, "both"), AMBIGUOUS);
}

#[test]
fn sids_in_certificates_name_accounts_and_weak_names_do_not() {
    let server = Listener::new().client_auth("require").start();
    let sid = sid_of(&server, ANN);
    let own = Own::new();
    for kind in ["sid", "sid-uri"] {
        own.client(kind, kind, &sid);
        as_own(&server, &own, kind).expect_account(ANN);
        let nobody = format!("{kind}-nobody");
        own.client(&nobody, kind, &format!("{sid}9"));
        is_nobody(&server, &as_own(&server, &own, &nobody), UNMAPPED);
    }
    // Who issues certificates under another root can write any SID.
    let strict = Listener::new().client_auth("require").client_ca("foreign-root.pem").start();
    as_own(&strict, &own, "sid").expect_no_answer();
    strict.expect_last_cause(CERTIFICATE_UNTRUSTED);

    // Nor those of one that may issue certificates, and not say whose they are.
    let other = certificates::argument("foreign-root.pem");
    let modest = Listener::new().client_auth("require").tls(&format!("client_sid_ca = {other:?}")).start();
    own.client("sid-modest", "sid", &sid_of(&modest, ANN));
    is_nobody(&modest, &as_own(&modest, &own, "sid-modest"), UNMAPPED);

    server.cli(&["account", "set", ANN, "--upn", "ann@corp.example"]);
    own.client("upn", "upn", "ann@corp.example");
    is_nobody(&server, &as_own(&server, &own, "upn"), WEAK);
    server.cli(&["policy", "set", "--danger-weak-certificate-mappings", "true"]);
    as_own(&server, &own, "upn").expect_account(ANN);
    // A name that is nearly Ann's is nobody's (CVE-2022-26923).
    own.client("upn-nearly", "upn", r"ann\$@corp.example");
    is_nobody(&server, &as_own(&server, &own, "upn-nearly"), UNMAPPED);
}
