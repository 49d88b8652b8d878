//! Each kind of server certificate: clients take it, and both sides hash it by the same rule (RFC 5929 §4.1).

use crate::harness::{ANN, DOMAIN, PASSWORD};
use crate::peers::Logon;
use crate::tls::clients::{bound, curl, gnutls_cli, s_client};
use crate::tls::listener::Listener;
use crate::tls::names::{BINDINGS_WRONG, MATCHED};

fn logon() -> Logon<'static> {
    Logon { domain: DOMAIN, ..Logon::new(ANN, PASSWORD) }
}

/// pyspnego is given the hash that requests-ntlm's own rule makes; requests-ntlm makes it itself.
fn is_bound_by(certificate: &str) {
    let server = Listener::new().certificate(certificate).settings("[ntlm]\nbindings = \"require\"").start();
    // OpenSSL's default level takes no certificate that SHA-1 signed.
    let weak: &[(&str, &str)] = if certificate == "sha1" { &[("PEER_WEAK", "1")] } else { &[] };
    for library in ["pyspnego", "requests_ntlm"] {
        let ask = |bindings: &str| bound(server.https(), library, "NTLM", bindings, &logon(), weak);
        ask("right").expect_user(ANN, MATCHED);
        ask("wrong").expect_refused(&server, BINDINGS_WRONG);
    }
}

#[test]
fn sha_256_of_ecdsa() {
    is_bound_by("p256");
}

#[test]
fn sha_384_of_ecdsa() {
    is_bound_by("p384");
}

#[test]
fn sha_256_of_rsa() {
    is_bound_by("rsa");
}

#[test]
fn sha_512_of_rsa() {
    is_bound_by("rsa-sha512");
}

/// The hash stands in the parameters.
#[test]
fn rsa_pss() {
    is_bound_by("pss");
    is_bound_by("pss-sha384");
}

#[test]
fn sha_256_in_the_place_of_sha_1() {
    is_bound_by("sha1");
}

/// It has no hash of its own, and RFC 5929 leaves open what is bound: clients take SHA-256, as Windows does.
#[test]
fn sha_256_in_the_place_of_none_of_ed25519() {
    is_bound_by("ed25519");
}

#[test]
fn clients_take_each_kind() {
    for certificate in ["p256", "p384", "rsa", "rsa-sha512", "pss", "pss-sha384", "ed25519"] {
        let server = Listener::new().certificate(certificate).start();
        for version in ["-tls1_2", "-tls1_3"] {
            let mut client = s_client(server.https(), &[version]);
            client.ask(1, 401);
            assert!(client.said().contains("Verification: OK"), "{}", client.said());
        }
        let none: [&str; 0] = [];
        gnutls_cli(server.https(), &none).ask(1, 401);
        curl(&server, &none).expect(401);
    }
}
