//! A cause for each thing that is wrong. Each client is good in all else.

use crate::harness::Server;
use crate::kerberos::clients::{self, Way, expect_alice};
use crate::kerberos::services::{HTTP, Target, World, python, serve};
use crate::peers::{Outcome, run};
use portcullis_testkit::kdc::{Client, Enctype, MitRealm};

fn odd(server: &Server, client: &Client, other: &Client, what: &str) -> Outcome {
    let mut command = python("gssapi", "python/kerberos_odd.py");
    command.envs(client.environment()).env("PEER_URL", Target::of(server).url);
    command.env("PEER_ODD", what).env("PEER_REALM", MitRealm::REALM);
    command.env("PEER_OTHER", format!("FILE:{}", other.cache().display()));
    let outcome = Outcome::of(run(command));
    assert!(outcome.output.status.success(), "{outcome:?}");
    outcome
}

#[test]
fn tokens_with_one_thing_wrong() {
    let world = World::new();
    let server = world.serve();
    let again = world.realm.client();
    again.log_on_with(MitRealm::ALICE, MitRealm::PASSWORD, &["-f"]).unwrap();
    for (what, cause) in [
        ("ticket", "kerberos/ticket-not-decryptable"),
        ("authenticator", "kerberos/authenticator-altered"),
        ("mixed", "kerberos/authenticator-altered"),
        ("cut", "host/token-incomplete"),
        ("longer", "kerberos/malformed-token"),
        ("reply", "kerberos/unexpected-message"),
        ("granting", "kerberos/ticket-granting"),
        ("skew:400", "kerberos/clock-skew"),
        ("skew:-400", "kerberos/clock-skew"),
    ] {
        let outcome = odd(&server, &world.alice, &again, what);
        assert_eq!(outcome.statuses(), [401], "{what}: {outcome:?}");
        server.expect_last_cause(cause);
    }
    assert!(!server.causes().contains(&"ok".to_owned()), "{:?}", server.causes());
    for what in ["skew:200", "skew:-200"] {
        assert_eq!(odd(&server, &world.alice, &again, what).statuses(), [200], "{what}");
    }
}

#[test]
fn a_token_that_comes_again_is_refused() {
    let world = World::new();
    let server = world.serve();
    let outcome = odd(&server, &world.alice, &world.alice, "replay");
    assert_eq!(outcome.statuses(), [200, 401], "{outcome:?}");
    server.expect_last_cause("kerberos/replayed");
    // The same client with a new token is none.
    expect_alice(&clients::gssapi(&Target::of(&server), &world.alice, &Way::default()), 1);
}

#[test]
fn who_says_that_it_is_through_and_proves_nothing_is_not() {
    let world = World::new();
    let server = world.serve();
    let outcome = odd(&server, &world.alice, &world.alice, "completed");
    assert_eq!(outcome.statuses(), [401, 401], "{outcome:?}");
    clients::pyspnego(&Target::of(&server), &world.alice, &Way { flags: "INTEGRITY", ..Way::default() })
        .expect_refused();
    assert!(!server.causes().contains(&"ok".to_owned()), "{:?}", server.causes());
}

/// The ticket is good, and its service is none whose key is here.
#[test]
fn a_ticket_for_another_service() {
    let world = World::new();
    world.realm.service("HTTP/other.mit.example", &[Enctype::Aes256Sha1]);
    let server = world.serve();
    let mut command = python("gssapi", "python/kerberos_client.py");
    command.envs(world.alice.environment()).env("PEER_TARGET", "HTTP@other.mit.example");
    command.env("PEER_URL", Target::of(&server).url);
    Outcome::of(run(command)).expect_refused();
    server.expect_last_cause("kerberos/ticket-not-decryptable");
}

#[test]
fn a_service_that_is_not_to_be_served_though_its_key_is_held() {
    let world = World::new();
    let server = serve(&world.keytab, "[kerberos]\nservices = [\"HTTP/web.mit.example\"]\n");
    clients::gssapi(&Target::of(&server), &world.alice, &Way::default()).expect_refused();
    server.expect_last_cause("kerberos/service-not-ours");
    let server = serve(&world.keytab, &format!("[kerberos]\nservices = [\"{HTTP}\"]\n"));
    expect_alice(&clients::gssapi(&Target::of(&server), &world.alice, &Way::default()), 1);
}

/// With no keytab Kerberos is not offered: a client with a ticket finds that out, and one with a password logs on.
#[test]
fn without_a_keytab_tickets_are_good_for_nothing() {
    let world = World::new();
    let server = Server::with("[http]\nschemes = [\"Negotiate\"]\n");
    clients::gssapi(&Target::of(&server), &world.alice, &Way { bare: true, ..Way::default() }).expect_refused();
    assert!(!server.causes().contains(&"ok".to_owned()), "{:?}", server.causes());
}

/// MIT's PAC names no Windows account. Whoever wants one is told so.
#[test]
fn where_a_pac_is_required_its_logon_information_is_meant() {
    let world = World::new();
    let server = serve(&world.keytab, "[kerberos]\npac = \"require\"\n");
    clients::gssapi(&Target::of(&server), &world.alice, &Way::default()).expect_refused();
    server.expect_last_cause("kerberos/pac-missing");
}
