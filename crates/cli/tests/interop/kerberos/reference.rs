//! The clients against acceptors that nobody here wrote either: MIT's, Heimdal's and pyspnego's.

use crate::kerberos::clients::{self, Ask, Way, expect_alice, flags};
use crate::kerberos::services::{Target, World};
use crate::tls::certificates;

fn log_on(ask: Ask, library: &str) {
    let world = World::new();
    let acceptor = world.reference(library, &[]);
    let way = Way { times: 2, ..Way::default() };
    expect_alice(&ask(&Target::http(acceptor.port), &world.alice, &way), 2);
    let way = Way { body: Some("a body"), ..Way::default() };
    expect_alice(&ask(&Target::http(acceptor.port), &world.alice, &way), 1);
}

macro_rules! clients {
    ($($client:ident)*) => {$(
        mod $client {
            #[test] fn to_mit() { super::log_on(super::clients::$client, "gssapi"); }
            #[test] fn to_heimdal() { super::log_on(super::clients::$client, "heimdal"); }
        }
    )*};
}

clients! { gssapi heimdal pyspnego curl java node }

/// It has no body to send, and no second request.
#[test]
fn chromium_to_mit() {
    let world = World::new();
    let acceptor = world.reference("gssapi", &[]);
    expect_alice(&clients::chromium(&Target::http(acceptor.port), &world.alice, &Way::default()), 1);
}

/// What is asked for, and what the acceptor sees of it. MIT's library and Heimdal's always say that they can seal.
const FLAGS: [(&str, &[&str]); 4] = [
    ("INTEGRITY", &["CONFIDENTIALITY", "INTEGRITY"]),
    ("MUTUAL_AUTH,DELEGATE", &["DELEGATE", "MUTUAL_AUTH", "CONFIDENTIALITY", "INTEGRITY"]),
    (
        "MUTUAL_AUTH,REPLAY_DETECT,SEQUENCE_DETECT",
        &["MUTUAL_AUTH", "REPLAY_DETECT", "SEQUENCE_DETECT", "CONFIDENTIALITY", "INTEGRITY"],
    ),
    ("MUTUAL_AUTH,USE_DCE_STYLE", &["MUTUAL_AUTH", "CONFIDENTIALITY", "INTEGRITY", "USE_DCE_STYLE"]),
];

#[test]
fn what_is_asked_for_arrives() {
    let world = World::new();
    for library in ["gssapi", "heimdal"] {
        let acceptor = world.reference(library, &[]);
        let target = Target::http(acceptor.port);
        for (name, ask) in
            [("gssapi", clients::gssapi as Ask), ("heimdal", clients::heimdal), ("pyspnego", clients::pyspnego)]
        {
            for (asked, arrives) in FLAGS {
                for bare in [true, false] {
                    if name == "pyspnego" && !bare && !asked.contains("MUTUAL") {
                        continue; // see below
                    }
                    let outcome = ask(&target, &world.alice, &Way { flags: asked, bare, ..Way::default() });
                    expect_alice(&outcome, 1);
                    assert_eq!(flags(&outcome), arrives, "{name}, {asked}, {bare}: {outcome:?}");
                }
            }
        }
    }
}

/// pyspnego 0.12.4 loses the only token of a Kerberos that wants no answer: it sends an empty list of mechanisms, and
/// then "accepted" and nothing else. Whoever believes that lets in a client that proved nothing.
#[test]
fn pyspnego_without_mutual_authentication_proves_nothing() {
    let world = World::new();
    for library in ["gssapi", "heimdal"] {
        let acceptor = world.reference(library, &[]);
        let way = Way { flags: "INTEGRITY", ..Way::default() };
        clients::pyspnego(&Target::http(acceptor.port), &world.alice, &way).expect_refused();
    }
}

#[test]
fn over_https_the_channel_is_bound() {
    let world = World::new();
    let (certificate, key) = (certificates::argument("p256.pem"), certificates::argument("p256.key"));
    let acceptor = world.reference("gssapi", &[("PEER_CERTIFICATE", &certificate), ("PEER_KEY", &key)]);
    let target = Target::https(acceptor.port);
    for ask in [clients::gssapi as Ask, clients::heimdal, clients::pyspnego, clients::java] {
        let bound = |bindings| ask(&target, &world.alice, &Way { bindings, ..Way::default() });
        let right = bound("right");
        expect_alice(&right, 1);
        assert_eq!(right.answers[0].body["channel_bindings"], "matched", "{right:?}");
        let absent = bound("absent");
        expect_alice(&absent, 1);
        assert_eq!(absent.answers[0].body["channel_bindings"], "unchecked", "{absent:?}");
    }
    for ask in [clients::gssapi as Ask, clients::heimdal, clients::pyspnego] {
        ask(&target, &world.alice, &Way { bindings: "wrong", ..Way::default() }).expect_refused();
    }
}
