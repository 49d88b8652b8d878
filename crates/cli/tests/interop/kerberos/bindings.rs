//! Extended protection by Kerberos: the hash of the channel stands in the authenticator's checksum (RFC 4121 §4.1.1.2).

use crate::harness::Server;
use crate::kerberos::clients::{self, Ask, Way, expect_alice};
use crate::kerberos::services::{Target, World, keytab_argument};
use crate::peers::Outcome;
use crate::tls::listener::Listener;
use crate::tls::names::{ALLOWED_MISSING, MATCHED};

const WRONG: &str = "kerberos/bindings-wrong";
const MISSING: &str = "kerberos/bindings-missing";

/// Those that can be told what to bind; the JDK is in its own test.
const CLIENTS: [Ask; 3] = [clients::gssapi, clients::heimdal, clients::pyspnego];

fn server(world: &World, policy: &str) -> Server {
    let [name, keytab] = keytab_argument(&world.keytab);
    let policy = if policy.is_empty() { String::new() } else { format!("[kerberos]\nbindings = \"{policy}\"") };
    Listener::new()
        .settings(&format!("[http]\nschemes = [\"Negotiate\"]\n{policy}"))
        .argument(&name)
        .argument(&keytab)
        .start()
}

fn ask(ask: Ask, server: &Server, world: &World, bindings: &str) -> Outcome {
    ask(&Target::https(server.https().port()), &world.alice, &Way { bindings, ..Way::default() })
}

fn expect_bound(outcome: &Outcome, how: &str) {
    expect_alice(outcome, 1);
    assert_eq!(outcome.answers[0].body["channel_bindings"], how, "{outcome:?}");
}

#[test]
fn where_they_are_required_only_the_right_ones_are_let_in() {
    let world = World::new();
    let server = server(&world, "require");
    for client in CLIENTS {
        expect_bound(&ask(client, &server, &world, "right"), MATCHED);
        ask(client, &server, &world, "wrong").expect_refused();
        server.expect_last_cause(WRONG);
        ask(client, &server, &world, "absent").expect_refused();
        server.expect_last_cause(MISSING);
    }
}

/// The default over TLS, too: who speaks of bindings must be right.
#[test]
fn where_they_are_looked_at_who_knows_of_none_is_let_in_without() {
    let world = World::new();
    for policy in ["when-present", ""] {
        let server = server(&world, policy);
        for client in CLIENTS {
            expect_bound(&ask(client, &server, &world, "right"), MATCHED);
            ask(client, &server, &world, "wrong").expect_refused();
            server.expect_last_cause(WRONG);
            expect_bound(&ask(client, &server, &world, "absent"), ALLOWED_MISSING);
        }
    }
}

/// Java binds when it is told to, and curl 7.88 never does.
#[test]
fn java_and_curl_over_https() {
    let world = World::new();
    let required = server(&world, "require");
    expect_bound(&ask(clients::java, &required, &world, "right"), MATCHED);
    ask(clients::java, &required, &world, "absent").expect_refused();
    ask(clients::curl, &required, &world, "absent").expect_refused();
    required.expect_last_cause(MISSING);
    let usual = server(&world, "");
    expect_bound(&ask(clients::java, &usual, &world, "absent"), ALLOWED_MISSING);
    expect_bound(&ask(clients::curl, &usual, &world, "absent"), ALLOWED_MISSING);
}
