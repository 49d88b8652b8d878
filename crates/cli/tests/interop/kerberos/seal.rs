//! Messages signed and sealed both ways: the libraries of others against each other. What passes between them is what
//! passes between them and us.

use crate::harness::root;
use crate::kerberos::services::{HTTP, World, python};
use crate::peers::run;
use portcullis_testkit::kdc::{Client, Enctype};
use std::process::Command;

const SIGNED_AND_SEALED: &str = "MUTUAL_AUTH,REPLAY_DETECT,SEQUENCE_DETECT,CONFIDENTIALITY,INTEGRITY";
const DCE: &str = "MUTUAL_AUTH,USE_DCE_STYLE,CONFIDENTIALITY,INTEGRITY";
const ALL: &[&str] = &["signed", "sealed", "wrapped", "in_parts"];

/// Lets `library` talk with the service at `port`; gives what it prints.
pub fn seal(port: u16, library: &str, client: &Client, flags: &str, kinds: &[&str], bare: bool) -> String {
    let mut command = if library == "java" {
        let mut command = Command::new("java");
        command.current_dir(root().join("interop")).arg("java/Kerberos.java");
        command
    } else {
        python(library, "python/kerberos_seal.py")
    };
    command.args(["localhost", &port.to_string()]).envs(client.environment());
    command.env("PEER_TARGET", HTTP.replace('/', "@")).env("PEER_FLAGS", flags).env("PEER_KINDS", kinds.join(","));
    let output = run({
        command.env("PEER_MECHANISM", if bare { "krb5" } else { "spnego" });
        command
    });
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the client prints when everything came back right; a forged signature is SEC_E_MESSAGE_ALTERED.
pub fn expect_all(said: &str, kinds: &[&str]) {
    let mut expected = vec!["established".to_owned()];
    expected.extend(kinds.iter().map(|kind| format!("{kind} 32")));
    expected.extend(["forged 8009030f".to_owned(), "done".to_owned()]);
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn libraries_of_others_with_each_other() {
    let world = World::new();
    for acceptor in ["gssapi", "heimdal", "pyspnego"] {
        let service = world.reference(acceptor, &[("PEER_SERVE", "tcp")]);
        for library in ["gssapi", "heimdal", "pyspnego"] {
            for bare in [false, true] {
                expect_all(&seal(service.port, library, &world.alice, SIGNED_AND_SEALED, ALL, bare), ALL);
                // pyspnego's acceptor takes no third leg without SPNEGO. Wrap tokens in DCE style differ between MIT and
                // Heimdal: RPC has none.
                if !(acceptor == "pyspnego" && bare) {
                    let kinds = ["signed", "in_parts"];
                    expect_all(&seal(service.port, library, &world.alice, DCE, &kinds, bare), &kinds);
                }
            }
        }
        let kinds = ["signed", "sealed", "wrapped"];
        expect_all(&seal(service.port, "java", &world.alice, SIGNED_AND_SEALED, &kinds, false), &kinds);
    }
}

/// RC4's tokens are those of RFC 4757, and have a layout of their own. In parts they need padding, but in DCE style.
#[test]
fn libraries_of_others_with_each_other_by_rc4() {
    let world = World::with(&[Enctype::Rc4]);
    let client = world.realm.client_with(&[Enctype::Rc4]);
    client.log_on(portcullis_testkit::kdc::MitRealm::ALICE, portcullis_testkit::kdc::MitRealm::PASSWORD).unwrap();
    for acceptor in ["gssapi", "heimdal"] {
        let service = world.reference(acceptor, &[("PEER_SERVE", "tcp")]);
        for library in ["gssapi", "heimdal", "pyspnego", "java"] {
            let kinds = ["signed", "sealed", "wrapped"];
            expect_all(&seal(service.port, library, &client, SIGNED_AND_SEALED, &kinds, true), &kinds);
        }
    }
}
