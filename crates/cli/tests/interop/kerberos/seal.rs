//! Messages signed and sealed both ways: the libraries of others with each other, and with our context behind the
//! testkit's TCP service.

use crate::harness::root;
use crate::kerberos::services::{HTTP, World, python};
use crate::peers::run;
use portcullis::kerberos::Kerberos;
use portcullis::negotiate::Negotiate;
use portcullis::{Authority, Credential};
use portcullis_authority::{Authorities, KeytabAuthority, KeytabOptions, ReplayCache, Replays};
use portcullis_testkit::kdc::{Client, Enctype, MitRealm};
use portcullis_testkit::seal::{Messages, serve_with};
use portcullis_testkit::{Realm, server_names};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

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

/// Our service, with SPNEGO or without; it ends with the test program.
fn ours(world: &World, spnego: bool) -> u16 {
    let mut kerberos = Kerberos::new();
    kerberos.danger_accept_rc4 = true;
    let credential = if spnego {
        Credential::acceptor(Negotiate::offering([kerberos.into(), portcullis::ntlm::Ntlm::new(server_names()).into()]))
    } else {
        Credential::acceptor(kerberos)
    };
    let tickets = KeytabAuthority::open(&world.keytab, KeytabOptions::default()).unwrap();
    let authority: Arc<dyn Authority> = Arc::new(Authorities {
        accounts: Arc::new(Realm::of_user()),
        tickets: Some(Arc::new(tickets)),
        replays: Arc::new(Replays::in_memory(Arc::new(ReplayCache::default()))),
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || serve_with(&listener, &credential, &authority, Messages::InPieces));
    port
}

#[test]
fn each_library_with_ours() {
    for enctype in [Enctype::Aes256Sha1, Enctype::Aes128Sha1, Enctype::Aes256Sha2, Enctype::Aes128Sha2] {
        let world = World::with(&[enctype]);
        for spnego in [true, false] {
            let port = ours(&world, spnego);
            for library in ["gssapi", "heimdal", "pyspnego"] {
                // Heimdal 7 has no keys of RFC 8009.
                if library == "heimdal" && matches!(enctype, Enctype::Aes256Sha2 | Enctype::Aes128Sha2) {
                    continue;
                }
                expect_all(&seal(port, library, &world.alice, SIGNED_AND_SEALED, ALL, !spnego), ALL);
                let kinds = ["signed", "in_parts"];
                expect_all(&seal(port, library, &world.alice, DCE, &kinds, !spnego), &kinds);
            }
            let kinds = ["signed", "sealed", "wrapped"];
            expect_all(&seal(port, "java", &world.alice, SIGNED_AND_SEALED, &kinds, !spnego), &kinds);
        }
    }
}

#[test]
fn mit_and_pyspnego_with_ours_by_camellia() {
    for enctype in [Enctype::Camellia256, Enctype::Camellia128] {
        let world = World::with(&[enctype]);
        let port = ours(&world, true);
        for library in ["gssapi", "pyspnego"] {
            expect_all(&seal(port, library, &world.alice, SIGNED_AND_SEALED, ALL, false), ALL);
            let kinds = ["signed", "in_parts"];
            expect_all(&seal(port, library, &world.alice, DCE, &kinds, false), &kinds);
        }
    }
}

/// A client that takes RC4 alone, which therefore negotiates nothing stronger.
fn alice_with_rc4(world: &World) -> Client {
    let client = world.realm.client_with(&[Enctype::Rc4]);
    client.log_on(MitRealm::ALICE, MitRealm::PASSWORD).unwrap();
    client
}

#[test]
fn each_library_with_ours_by_rc4() {
    let world = World::with(&[Enctype::Rc4]);
    let client = alice_with_rc4(&world);
    for spnego in [true, false] {
        let port = ours(&world, spnego);
        for library in ["gssapi", "heimdal", "pyspnego", "java"] {
            let kinds = ["signed", "sealed", "wrapped"];
            expect_all(&seal(port, library, &client, SIGNED_AND_SEALED, &kinds, !spnego), &kinds);
        }
        for library in ["gssapi", "heimdal", "pyspnego"] {
            let kinds = ["signed", "in_parts"];
            expect_all(&seal(port, library, &client, DCE, &kinds, !spnego), &kinds);
        }
    }
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
    let client = alice_with_rc4(&world);
    for acceptor in ["gssapi", "heimdal"] {
        let service = world.reference(acceptor, &[("PEER_SERVE", "tcp")]);
        for library in ["gssapi", "heimdal", "pyspnego", "java"] {
            let kinds = ["signed", "sealed", "wrapped"];
            expect_all(&seal(service.port, library, &client, SIGNED_AND_SEALED, &kinds, true), &kinds);
        }
    }
}
