//! The server's own certificates: by name, from PKCS#12, exchanged while it serves, made by itself, and in a process that gave up
//! its rights.

use crate::harness::{ANN, DOMAIN, PASSWORD, Server};
use crate::peers::{self, Logon};
use crate::tls::certificates::{self, Own};
use crate::tls::clients::{bound, curl, curl_as, s_client};
use crate::tls::listener::{Listener, list, map_to_ann};
use crate::tls::names::{CERTIFICATE_REVOKED, MATCHED, UNKNOWN_NAME};
use std::process::Command;

fn is_bound(server: &Server) {
    let logon = Logon { domain: DOMAIN, ..Logon::new(ANN, PASSWORD) };
    bound(server.https(), "pyspnego", "NTLM", "right", &logon, &[]).expect_user(ANN, MATCHED);
}

fn shows(server: &Server, arguments: &[&str], name: &str) {
    let mut client = s_client(server.https(), arguments);
    client.ask(1, 401);
    assert!(client.said().contains(&format!("subject=CN = {name}\n")), "{}", client.said());
}

#[test]
fn server_names_choose_certificates() {
    let entry = |name: &str, names: &str| {
        let (cert, key) =
            (certificates::argument(&format!("{name}.pem")), certificates::argument(&format!("{name}.key")));
        format!("{{ names = {names}, cert = {cert:?}, key = {key:?} }}")
    };
    let (a, b) = (entry("a.example", "[\"a.example\"]"), entry("b.example", "[\"b.example\", \"www.b.example\"]"));
    let server = Listener::new().tls(&format!("certificates = [{a}, {b}]")).start();
    for (asked, shown) in [
        ("a.example", "a.example"),
        ("A.Example", "a.example"),
        ("b.example", "b.example"),
        ("www.b.example", "b.example"),
        // The one of the command line is for everybody else.
        ("c.example", "p256"),
        ("a.example.org", "p256"),
    ] {
        shows(&server, &["-servername", asked], shown);
    }
    shows(&server, &["-noservername"], "p256");
    // Names of others may be refused instead.
    let server = Listener::new().tls(&format!("certificates = [{a}]\nstrict_names = true")).start();
    shows(&server, &["-servername", "a.example"], "a.example");
    let mut client = s_client(server.https(), &["-servername", "c.example"]);
    client.expect("SSL alert number ", 1);
    assert!(client.ends(), "{}", client.said());
    server.expect_last_cause(UNKNOWN_NAME);
}

/// Without `--tls-cert` the first start makes a certificate, and later ones use it.
#[test]
fn a_first_start_makes_a_certificate() {
    let server = Server::with_arguments("", &["--https".to_owned(), "127.0.0.1:0".to_owned()]);
    let own = Own::new();
    let seen = || {
        let address = server.https();
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", "import ssl, sys; print(ssl.get_server_certificate((sys.argv[1], int(sys.argv[2]))))"]);
        command.args([address.ip().to_string(), address.port().to_string()]);
        let output = peers::run(command);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let made = seen();
    // It is its own issuer, and good for today.
    std::fs::write(own.path("made.pem"), &made).unwrap();
    let mut verify = Command::new("openssl");
    verify.args(["verify", "-CAfile"]).arg(own.path("made.pem")).arg(own.path("made.pem"));
    let verified = peers::run(verify);
    assert!(verified.status.success(), "{verified:?}");
    curl(&server, &["-k"]).expect(401);
    server.reload();
    assert_eq!(seen(), made);
}

#[test]
fn a_certificate_from_pkcs_12() {
    let password = certificates::argument("password");
    let server = Listener::new()
        .files(certificates::file("p384.p12"), None)
        .tls(&format!("password_file = {password:?}"))
        .start();
    shows(&server, &[], "p384");
    is_bound(&server);
}

/// What is exchanged counts for the next connection, bindings and all; what cannot be used leaves the old in place.
#[test]
fn a_certificate_is_exchanged_while_it_serves() {
    let own = Own::new();
    let copy = |name: &str| {
        for end in ["pem", "key"] {
            std::fs::copy(certificates::file(&format!("{name}.{end}")), own.path(&format!("own.{end}"))).unwrap();
        }
    };
    copy("p256");
    let server = Listener::new().files(own.path("own.pem"), Some(own.path("own.key"))).start();
    let none: [&str; 0] = [];
    let mut before = s_client(server.https(), &none);
    before.ask(1, 401);
    copy("rsa");
    server.reload();
    shows(&server, &[], "rsa");
    is_bound(&server);
    before.ask(2, 401);
    std::fs::write(own.path("own.pem"), "no certificate").unwrap();
    // Nothing says when a server has seen that it can do nothing with a file; asked for a while, it serves as before.
    server.signal();
    for _ in 0..20 {
        shows(&server, &[], "rsa");
    }
}

/// A server that gave up files, sockets and root's rights still has its keys, and what is read anew comes from elsewhere.
#[test]
fn a_server_with_its_authority_in_another_process() {
    let own = Own::new();
    std::fs::copy(certificates::file("issuing-empty.crl"), own.path("current.crl")).unwrap();
    let files = list(&[certificates::file("root.crl"), own.path("current.crl")]);
    let lines = format!("client_crls = {files}\nrevocation = \"require\"");
    let server = Listener::new().argument("--separate").client_auth("request").tls(&lines).start();
    map_to_ann(&server, "ann");
    curl_as(&server, "ann").expect_account(ANN);
    is_bound(&server);
    own.revoke("ann");
    std::fs::copy(own.path("issuing.crl"), own.path("current.crl")).unwrap();
    server.reload();
    curl_as(&server, "ann").expect_no_answer();
    server.expect_last_cause(CERTIFICATE_REVOKED);
    is_bound(&server);
}
