//! The clients against ours.

use crate::harness::{ANN, PASSWORD, Server};
use crate::kerberos::clients::{self, Ask, Way, expect_alice, flags};
use crate::kerberos::services::{Target, World, keytab_argument, serve};
use crate::peers::{self, Logon};
use portcullis_testkit::kdc::{Enctype, MitRealm};

fn logs_on(ask: Ask) {
    let world = World::new();
    let server = world.serve();
    let outcome = ask(&Target::of(&server), &world.alice, &Way { times: 3, ..Way::default() });
    expect_alice(&outcome, 3);
    for line in server.audit() {
        assert_eq!((line["cause"].as_str(), line["mechanism"].as_str()), (Some("ok"), Some("Kerberos")), "{line}");
        assert_eq!(line["package"], "Negotiate", "{line}");
    }
    assert!(!server.audit().is_empty(), "nothing is in the audit log");
}

/// The default offers everything; who has a ticket uses it.
fn logs_on_where_all_is_offered(ask: Ask) {
    let world = World::new();
    let server = Server::with_arguments("", &keytab_argument(&world.keytab));
    expect_alice(&ask(&Target::of(&server), &world.alice, &Way { times: 2, ..Way::default() }), 2);
}

fn posts(ask: Ask) {
    let world = World::new();
    let server = world.serve();
    let body = "x=".to_owned() + &"body ".repeat(2000);
    expect_alice(&ask(&Target::of(&server), &world.alice, &Way { body: Some(&body), ..Way::default() }), 1);
}

/// The service's keys are others than those that the ticket was made with.
fn is_refused(ask: Ask) {
    let (world, other) = (World::new(), World::new());
    let server = serve(&other.keytab, "");
    ask(&Target::of(&server), &world.alice, &Way::default()).expect_refused();
    server.expect_last_cause("kerberos/ticket-not-decryptable");
    assert!(!server.causes().contains(&"ok".to_owned()), "{:?}", server.causes());
}

macro_rules! clients {
    ($($client:ident { $($test:ident),* })*) => {$(
        mod $client {
            $(#[test] fn $test() { super::$test(super::clients::$client); })*
        }
    )*};
}

clients! {
    gssapi { logs_on, logs_on_where_all_is_offered, posts, is_refused }
    heimdal { logs_on, logs_on_where_all_is_offered, posts, is_refused }
    pyspnego { logs_on, logs_on_where_all_is_offered, posts, is_refused }
    curl { logs_on, logs_on_where_all_is_offered, posts, is_refused }
    java { logs_on, logs_on_where_all_is_offered, posts, is_refused }
    node { logs_on, logs_on_where_all_is_offered, posts, is_refused }
}

#[test]
fn chromium_shows_who_it_is() {
    let world = World::new();
    for server in [world.serve(), Server::with_arguments("", &keytab_argument(&world.keytab))] {
        let outcome = clients::chromium(&Target::of(&server), &world.alice, &Way::default());
        let page = String::from_utf8_lossy(&outcome.output.stdout);
        assert!(page.contains("alice") && page.contains("Kerberos"), "{outcome:?}");
        server.expect_last_cause("ok");
    }
}

/// What is asked for, and what is granted of it. Every one of these libraries says that it can seal.
const FLAGS: [(&str, &[&str]); 5] = [
    ("INTEGRITY", &["CONFIDENTIALITY", "INTEGRITY"]),
    ("MUTUAL_AUTH", &["MUTUAL_AUTH", "CONFIDENTIALITY", "INTEGRITY"]),
    ("MUTUAL_AUTH,DELEGATE", &["DELEGATE", "MUTUAL_AUTH", "CONFIDENTIALITY", "INTEGRITY"]),
    (
        "MUTUAL_AUTH,REPLAY_DETECT,SEQUENCE_DETECT",
        &["MUTUAL_AUTH", "REPLAY_DETECT", "SEQUENCE_DETECT", "CONFIDENTIALITY", "INTEGRITY"],
    ),
    ("MUTUAL_AUTH,USE_DCE_STYLE", &["MUTUAL_AUTH", "CONFIDENTIALITY", "INTEGRITY", "USE_DCE_STYLE"]),
];

#[test]
fn what_is_asked_for_is_granted_with_and_without_spnego() {
    let world = World::new();
    let server = world.serve();
    let target = Target::of(&server);
    for (name, ask) in
        [("gssapi", clients::gssapi as Ask), ("heimdal", clients::heimdal), ("pyspnego", clients::pyspnego)]
    {
        for (asked, granted) in FLAGS {
            for bare in [true, false] {
                if name == "pyspnego" && !bare && !asked.contains("MUTUAL") {
                    continue; // it sends no ticket: `refusals` has it
                }
                let outcome = ask(&target, &world.alice, &Way { flags: asked, bare, ..Way::default() });
                expect_alice(&outcome, 1);
                assert_eq!(flags(&outcome), granted, "{name}, {asked}, {bare}: {outcome:?}");
            }
        }
    }
    assert!(server.causes().iter().all(|cause| cause == "ok"), "{:?}", server.causes());
}

#[test]
fn names_of_two_and_three_components_are_whole() {
    let world = World::new();
    let server = world.serve();
    for user in [MitRealm::BOB, MitRealm::THREE] {
        let client = world.realm.client();
        client.log_on(user, MitRealm::PASSWORD).unwrap();
        let outcome = clients::gssapi(&Target::of(&server), &client, &Way::default());
        assert_eq!(outcome.statuses(), [200], "{outcome:?}");
        assert_eq!(outcome.answers[0].body["name"], user, "{outcome:?}");
        assert_eq!(outcome.answers[0].body["domain"], MitRealm::REALM, "{outcome:?}");
    }
}

/// The store's accounts log on by NTLM beside those who bring tickets.
#[test]
fn accounts_of_the_store_log_on_beside_tickets() {
    let world = World::new();
    let server = world.serve();
    expect_alice(&clients::curl(&Target::of(&server), &world.alice, &Way::default()), 1);
    peers::curl_negotiate(&server, &Logon { domain: "CORP", ..Logon::new(ANN, PASSWORD) }).expect_user_by(
        "Negotiate",
        ANN,
        1,
    );
    expect_alice(&clients::curl(&Target::of(&server), &world.alice, &Way::default()), 1);
}

/// A keytab with the keys of several services; a client may mean any of them.
#[test]
fn each_service_of_the_keytab_is_one_that_clients_may_mean() {
    let world = World::new();
    let names = ["HTTP/web.mit.example", "host/web.mit.example"];
    for name in names {
        world.realm.service(name, &[Enctype::Aes256Sha1]);
    }
    world.realm.keytab("http.keytab", &names);
    let server = world.serve();
    for target in ["HTTP@localhost", "HTTP@web.mit.example", "host@web.mit.example"] {
        let mut command = crate::kerberos::services::python("gssapi", "python/kerberos_client.py");
        command.envs(world.alice.environment()).env("PEER_TARGET", target).env("PEER_FLAGS", "MUTUAL_AUTH");
        command.env("PEER_URL", Target::of(&server).url);
        expect_alice(&peers::Outcome::of(peers::run(command)), 1);
    }
}
