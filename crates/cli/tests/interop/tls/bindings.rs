//! Extended protection: a logon counts on the channel that it was made for, and on no other.
//!
//! What each client binds is what `interop/README.md` says; the proxies read it out of what they pass on.

use crate::harness::{ANN, DOMAIN, PASSWORD, Server};
use crate::peers::{self, Logon};
use crate::tls::certificates;
use crate::tls::clients::{Bound, bound, curl, curl_at, curl_with, script};
use crate::tls::listener::{Listener, list};
use crate::tls::names::{ALLOWED_MISSING, BINDINGS_MISSING, BINDINGS_WRONG, MATCHED};
use crate::tls::proxy::Proxy;
use std::process::Command;

const REQUIRE: &str = "[ntlm]\nbindings = \"require\"";
const WHEN_PRESENT: &str = "[ntlm]\nbindings = \"when-present\"";

/// Libraries that can be told what to bind, with each scheme that they speak.
const CLIENTS: [(&str, &str); 7] = [
    ("pyspnego", "NTLM"),
    ("pyspnego", "Negotiate"),
    ("requests_ntlm", "NTLM"),
    ("requests_ntlm", "Negotiate"),
    ("impacket", "NTLM"),
    ("impacket", "Negotiate"),
    ("gssapi", "Negotiate"),
];

/// Those that can say that they know of bindings and have none.
const WITH_ZERO: [(&str, &str); 4] =
    [("pyspnego", "NTLM"), ("pyspnego", "Negotiate"), ("impacket", "NTLM"), ("impacket", "Negotiate")];

fn logon() -> Logon<'static> {
    Logon { domain: DOMAIN, ..Logon::new(ANN, PASSWORD) }
}

fn ask(server: &Server, (library, scheme): (&str, &str), bindings: &str) -> Bound {
    // requests_ntlm takes NTLM where it is offered: what it speaks is chosen by the server.
    bound(server.https(), library, scheme, bindings, &logon(), &[])
}

fn server(policy: &str, scheme: &str) -> Server {
    Listener::new().settings(&format!("[http]\nschemes = [\"{scheme}\"]\n{policy}")).start()
}

fn other_certificate() -> String {
    certificates::argument("middle.leaf.pem")
}

#[test]
fn where_bindings_are_required_only_the_right_ones_are_let_in() {
    let (ntlm, negotiate) = (server(REQUIRE, "NTLM"), server(REQUIRE, "Negotiate"));
    for client in CLIENTS {
        let server = if client.1 == "NTLM" { &ntlm } else { &negotiate };
        ask(server, client, "right").expect_user(ANN, MATCHED);
        ask(server, client, "wrong").expect_refused(server, BINDINGS_WRONG);
        ask(server, client, &other_certificate()).expect_refused(server, BINDINGS_WRONG);
        ask(server, client, "absent").expect_refused(server, BINDINGS_MISSING);
        if WITH_ZERO.contains(&client) {
            ask(server, client, "zero").expect_refused(server, BINDINGS_MISSING);
        }
        ask(server, client, "right").expect_user(ANN, MATCHED);
    }
}

#[test]
fn where_they_are_looked_at_only_who_knows_of_none_is_let_in_without() {
    let (ntlm, negotiate) = (server(WHEN_PRESENT, "NTLM"), server(WHEN_PRESENT, "Negotiate"));
    for client in CLIENTS {
        let server = if client.1 == "NTLM" { &ntlm } else { &negotiate };
        ask(server, client, "right").expect_user(ANN, MATCHED);
        ask(server, client, "wrong").expect_refused(server, BINDINGS_WRONG);
        ask(server, client, &other_certificate()).expect_refused(server, BINDINGS_WRONG);
        ask(server, client, "absent").expect_user(ANN, ALLOWED_MISSING);
        if WITH_ZERO.contains(&client) {
            ask(server, client, "zero").expect_refused(server, BINDINGS_MISSING);
        }
    }
}

/// By the call: over TLS who speaks of bindings must be right, and who knows nothing of them is let in.
#[test]
fn the_default_looks_at_bindings_over_https_and_at_none_without_tls() {
    let server = Listener::new().start();
    ask(&server, ("pyspnego", "NTLM"), "right").expect_user(ANN, MATCHED);
    ask(&server, ("pyspnego", "NTLM"), "absent").expect_user(ANN, ALLOWED_MISSING);
    ask(&server, ("pyspnego", "NTLM"), "zero").expect_refused(&server, BINDINGS_MISSING);
    ask(&server, ("pyspnego", "Negotiate"), "wrong").expect_refused(&server, BINDINGS_WRONG);
    peers::curl(&server, &Logon::new(ANN, PASSWORD)).expect_user(ANN, 1);
    let bindings = [("PEER_ODD", "bindings")];
    peers::odd(&server, &Logon { besides: &bindings, ..Logon::new(ANN, PASSWORD) }).expect_user(ANN, 1);
}

/// curl 7.88 binds nothing, neither by its own NTLM nor by what it gives to GSSAPI; it knows of no bindings then.
#[test]
fn curl_knows_of_no_bindings() {
    let users = peers::gss_users(&logon());
    let negotiate = |server: &Server| {
        let mut command = Command::new("curl");
        command.envs(peers::gss_ntlmssp(users.path()));
        curl_with(command, server.https(), "/", &["--http1.1", "--negotiate", "-u", ":"])
    };
    let typed = format!("{DOMAIN}\\{ANN}:{PASSWORD}");
    let ntlm = |server: &Server| curl(server, &["--http1.1", "--ntlm", "-u", &typed]);

    let server = Listener::new().settings(REQUIRE).start();
    ntlm(&server).expect(401);
    server.expect_last_cause(BINDINGS_MISSING);
    negotiate(&server).expect(401);
    server.expect_last_cause(BINDINGS_MISSING);

    let server = Listener::new().settings(WHEN_PRESENT).start();
    for fetched in [ntlm(&server), negotiate(&server)] {
        fetched.expect(200);
        assert_eq!(fetched.body["channel_bindings"], ALLOWED_MISSING, "{fetched:?}");
    }
    let mut proxy = Proxy::start("middle", &format!("https://{}", server.https()));
    curl_at(proxy.address, "/", &["--ntlm", "-u", &typed]).expect(200);
    assert_eq!(proxy.saw(), "absent");
}

/// A man in the middle whose certificate the client trusts: the client is bound to him, and we are not he.
#[test]
fn a_man_in_the_middle_is_refused() {
    for policy in [REQUIRE, WHEN_PRESENT] {
        let (ntlm, negotiate) = (server(policy, "NTLM"), server(policy, "Negotiate"));
        for client @ (library, scheme) in CLIENTS {
            let server = if scheme == "NTLM" { &ntlm } else { &negotiate };
            let mut proxy = Proxy::start("middle", &format!("https://{}", server.https()));
            let answer = bound(proxy.address, library, scheme, "right", &logon(), &[]);
            answer.expect_refused(server, BINDINGS_WRONG);
            assert_eq!(proxy.saw().len(), 32, "{client:?} was bound to the man in the middle");
            // The same man, had he the server's own certificate and key, would be nobody to tell apart.
            let owner = Proxy::start("p256", &format!("https://{}", server.https()));
            bound(owner.address, library, scheme, "right", &logon(), &[]).expect_user(ANN, MATCHED);
        }
        let behind = Proxy::start("middle", &format!("https://{}", ntlm.https()));
        for bindings in ["wrong", "zero"] {
            let answer = bound(behind.address, "pyspnego", "NTLM", bindings, &logon(), &[]);
            let cause = if bindings == "zero" { BINDINGS_MISSING } else { BINDINGS_WRONG };
            answer.expect_refused(&ntlm, cause);
        }
        assert!(!ntlm.causes().is_empty());
    }
}

/// A terminator is declared by its certificate or by that one's hash; behind it runs TLS again, or none.
#[test]
fn a_declared_terminator_is_let_in() {
    let certificate = certificates::file("terminator.leaf.pem");
    let by_hash = format!("terminator_endpoints = [\"{}\"]", certificates::sha256(&certificate));
    let by_certificate = format!("terminator_certificates = {}", list(&[certificate]));
    for (declared, policy) in [(&by_hash, REQUIRE), (&by_certificate, REQUIRE), (&by_certificate, WHEN_PRESENT)] {
        let server = Listener::new().settings(&format!("[http]\n{declared}\n{policy}")).start();
        for behind in [format!("http://{}", server.http), format!("https://{}", server.https())] {
            let mut proxy = Proxy::start("terminator", &behind);
            for client @ (library, scheme) in
                [("pyspnego", "NTLM"), ("pyspnego", "Negotiate"), ("requests_ntlm", "NTLM")]
            {
                let address = proxy.address;
                let through = |bindings: &str| bound(address, library, scheme, bindings, &logon(), &[]);
                let answer = through("right");
                assert_eq!((answer.status, &answer.body["name"]), (200, &ANN.into()), "{client:?} {behind} {answer:?}");
                assert_eq!(answer.body["channel_bindings"], MATCHED, "{answer:?}");
                assert_eq!(proxy.saw().len(), 32);
                through("wrong").expect_refused(&server, BINDINGS_WRONG);
                through(&other_certificate()).expect_refused(&server, BINDINGS_WRONG);
                if policy == REQUIRE {
                    through("absent").expect_refused(&server, BINDINGS_MISSING);
                }
            }
            // Another one, which nobody declared, in the same place.
            let undeclared = Proxy::start("middle", &behind);
            let answer = bound(undeclared.address, "pyspnego", "NTLM", "right", &logon(), &[]);
            answer.expect_refused(&server, BINDINGS_WRONG);
        }
        // Without the terminator the server's own certificate counts as before.
        ask(&server, ("pyspnego", "NTLM"), "right").expect_user(ANN, MATCHED);
    }
}

/// Plain HTTP with nothing declared has no channel: who requires bindings there lets nobody in.
#[test]
fn an_undeclared_terminator_is_refused_where_bindings_are_required() {
    let server = Listener::new().settings(REQUIRE).start();
    let proxy = Proxy::start("terminator", &format!("http://{}", server.http));
    let answer = bound(proxy.address, "pyspnego", "NTLM", "right", &logon(), &[]);
    answer.expect_refused(&server, BINDINGS_WRONG);
}

/// `tls-exporter` (RFC 9266), by OpenSSL's exporter: both sides compute the same secret, in both versions.
#[test]
fn the_exporter_binds_too() {
    let server = Listener::new().settings(REQUIRE).start();
    for version in ["TLSv1_2", "TLSv1_3"] {
        let through = |bindings: &str| {
            let told = [
                ("PEER_USER", ANN),
                ("PEER_PASSWORD", PASSWORD),
                ("PEER_VERSION", version),
                ("PEER_BINDINGS", bindings),
            ];
            script(&peers::venv(), &["python/openssl_client.py"], server.https(), &told)
        };
        let said = through("right");
        let body = said.lines().find_map(|line| line.strip_prefix("200 ")).unwrap_or_else(|| panic!("{said}"));
        assert_eq!(peers::json(body)["channel_bindings"], MATCHED, "{said}");
        let said = through("wrong");
        assert!(said.lines().any(|line| line.starts_with("401 ")), "{said}");
        server.expect_last_cause(BINDINGS_WRONG);
    }
}

/// Without the extended master secret a man in the middle could have the same exporter on both of his sides
/// (RFC 7627, RFC 9266 §3): it binds nothing, and the certificate still does.
#[test]
fn an_exporter_without_the_extended_master_secret_binds_nothing() {
    let server = Listener::new().settings(REQUIRE).start();
    let told = [("PEER_USER", ANN), ("PEER_PASSWORD", PASSWORD), ("PEER_VERSION", "TLSv1_2"), ("PEER_NO_EMS", "1")];
    let said = script(&peers::venv(), &["python/openssl_client.py"], server.https(), &told);
    assert!(said.lines().any(|line| line.starts_with("401 ")), "{said}");
    server.expect_last_cause(BINDINGS_WRONG);
}

/// A logon of one connection is worth nothing on another with another certificate, whatever the account.
#[test]
fn two_servers_do_not_take_each_others_logons() {
    let (one, two) = (server(REQUIRE, "NTLM"), Listener::new().certificate("rsa").settings(REQUIRE).start());
    let of_two = certificates::argument("rsa.leaf.pem");
    ask(&one, ("pyspnego", "NTLM"), &of_two).expect_refused(&one, BINDINGS_WRONG);
    ask(&two, ("pyspnego", "NTLM"), &of_two).expect_user(ANN, MATCHED);
    ask(&two, ("pyspnego", "NTLM"), "right").expect_user(ANN, MATCHED);
}
