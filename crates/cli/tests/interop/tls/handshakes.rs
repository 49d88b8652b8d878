//! openssl's and GnuTLS's command line clients, in each version and with what they can be told.

use crate::harness::Server;
use crate::tls::certificates;
use crate::tls::clients::{curl, gnutls_cli, s_client};
use crate::tls::listener::Listener;
use crate::tls::names::{NO_COMMON_PROTOCOL, NO_COMMON_SUITE, NO_COMMON_VERSION};
use crate::tls::program::Program;
use std::time::Duration;

/// Two requests and an orderly end; gives what it said.
fn is_served(mut client: Program) -> String {
    client.ask(1, 401);
    client.ask(2, 401);
    client.finish()
}

/// It says why it was not served; gives what it said.
fn is_refused(mut client: Program, why: &str) -> String {
    client.expect(why, 1);
    assert!(client.ends(), "it was refused and goes on: {}", client.said());
    let said = client.finish();
    assert!(!said.contains("HTTP/1.1 "), "{said}");
    said
}

/// Nothing that a client does may hurt the others.
fn serves_others(server: &Server) {
    let none: [&str; 0] = [];
    curl(server, &none).expect(401);
}

#[test]
fn openssl_in_each_version_with_each_suite() {
    let server = Listener::new().start();
    let rsa = Listener::new().certificate("rsa").start();
    for (server, version, option, suites) in [
        (
            &server,
            "TLSv1.3",
            "-ciphersuites",
            "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256",
        ),
        (
            &server,
            "TLSv1.2",
            "-cipher",
            "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305",
        ),
        (
            &rsa,
            "TLSv1.2",
            "-cipher",
            "ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-CHACHA20-POLY1305",
        ),
    ] {
        let flag = if version == "TLSv1.3" { "-tls1_3" } else { "-tls1_2" };
        for suite in suites.split(' ') {
            let said = is_served(s_client(server.https(), &[flag, option, suite]));
            assert!(said.contains(&format!("New, {version}, Cipher is {suite}")), "{said}");
            assert!(said.contains("Verification: OK") && said.contains("Compression: NONE"), "{said}");
        }
    }
}

#[test]
fn openssl_with_each_group() {
    let server = Listener::new().start();
    for (group, shown) in
        [("X25519", "X25519, 253 bits"), ("P-256", "prime256v1, 256 bits"), ("P-384", "secp384r1, 384 bits")]
    {
        let said = is_served(s_client(server.https(), &["-groups", group]));
        assert!(
            said.contains(&format!("Server Temp Key: {shown}")) || said.contains(&format!("ECDH, {shown}")),
            "{said}"
        );
    }
    // Its first key share fits nothing: asked for another (HelloRetryRequest).
    let said = is_served(s_client(server.https(), &["-groups", "X448:P-256"]));
    assert!(said.contains("prime256v1"), "{said}");
    is_refused(s_client(server.https(), &["-groups", "X448"]), "alert handshake failure");
    serves_others(&server);
}

#[test]
fn old_versions_and_weak_suites_are_refused() {
    let server = Listener::new().certificate("rsa").start();
    for version in ["-tls1", "-tls1_1"] {
        let client = s_client(server.https(), &[version, "-cipher", "DEFAULT@SECLEVEL=0"]);
        // protocol_version, or handshake_failure from a library that misses newer extensions first.
        is_refused(client, "SSL alert number ");
        server.expect_last_cause(NO_COMMON_VERSION);
    }
    for suite in [
        "ECDHE-RSA-AES128-SHA256",
        "ECDHE-RSA-AES128-SHA",
        "AES128-GCM-SHA256",
        "DHE-RSA-AES128-GCM-SHA256",
        "AES128-SHA",
    ] {
        let client = s_client(server.https(), &["-tls1_2", "-cipher", &format!("{suite}:@SECLEVEL=0")]);
        is_refused(client, "alert handshake failure");
        server.expect_last_cause(NO_COMMON_SUITE);
    }
    serves_others(&server);
}

#[test]
fn openssl_with_application_protocols() {
    let server = Listener::new().start();
    for (offered, shown) in
        [("http/1.1", "http/1.1"), ("h2,http/1.1", "h2"), ("http/1.1,h2", "h2"), ("foo,http/1.1", "http/1.1")]
    {
        let mut client = s_client(server.https(), &["-alpn", offered]);
        client.expect(&format!("ALPN protocol: {shown}"), 1);
    }
    let said = is_served(s_client(server.https(), &["-noservername"]));
    assert!(said.contains("No ALPN negotiated"), "{said}");
    for version in ["-tls1_2", "-tls1_3"] {
        is_refused(s_client(server.https(), &[version, "-alpn", "foo"]), "alert no application protocol");
        server.expect_last_cause(NO_COMMON_PROTOCOL);
    }
    // What is configured is all that there is.
    let server = Listener::new().tls("alpn = [\"http/1.1\"]").start();
    s_client(server.https(), &["-alpn", "h2,http/1.1"]).expect("ALPN protocol: http/1.1", 1);
    is_refused(s_client(server.https(), &["-alpn", "h2"]), "alert no application protocol");
}

#[test]
fn forty_key_updates_among_requests() {
    let server = Listener::new().start();
    // `K` asks the other side for an update too: its answer must come between records, not inside one.
    for letter in ["K\n", "k\n"] {
        let mut client = s_client(server.https(), &["-tls1_3"]);
        client.ask(1, 401);
        for count in 1..=40 {
            client.say(letter);
            client.expect("KEYUPDATE", count);
            client.ask(count + 1, 401);
        }
        client.finish();
    }
}

#[test]
fn key_updates_without_end_are_cut_off() {
    let server = Listener::new().start();
    let update = |client: &mut Program, count| {
        client.say("K\n");
        client.says("KEYUPDATE", count)
    };
    let mut client = s_client(server.https(), &["-tls1_3"]);
    client.ask(1, 401);
    for count in 1..=30 {
        assert!(update(&mut client, count), "{}", client.said());
    }
    client.ask(2, 401);
    for count in 31..=100 {
        if !update(&mut client, count) {
            break;
        }
    }
    // Whether the writes still went out or not, nobody listens any more.
    client.say("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(client.ends(), "{}", client.said());
    let said = client.finish();
    assert_eq!(said.matches("HTTP/1.1 401").count(), 2, "{said}");
    serves_others(&server);
}

#[test]
fn renegotiation_is_refused() {
    let server = Listener::new().start();
    let mut client = s_client(server.https(), &["-tls1_2"]);
    client.ask(1, 401);
    client.say("R\n");
    client.expect("RENEGOTIATING", 1);
    client.expect("no renegotiation", 1);
    assert!(client.ends(), "{}", client.said());
    serves_others(&server);
}

#[test]
fn openssl_trusts_nobody_else() {
    let server = Listener::new().start();
    let client = s_client(server.https(), &["-CAfile", &certificates::argument("foreign-root.pem")]);
    is_refused(client, "unable to get local issuer certificate");
    serves_others(&server);
}

#[test]
fn gnutls_in_each_version() {
    let server = Listener::new().start();
    for version in ["1.3", "1.2"] {
        let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS{version}");
        let said = is_served(gnutls_cli(server.https(), &["--priority", &priority, "--alpn", "http/1.1"]));
        assert!(said.contains(&format!("- Description: (TLS{version}-X.509)")), "{said}");
        assert!(said.contains("- Application protocol: http/1.1"), "{said}");
    }
    let client = gnutls_cli(server.https(), &["--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT"]);
    is_refused(client, "Received alert [");
    let client = gnutls_cli(server.https(), &["--alpn", "foo"]);
    is_refused(client, "Received alert [120]");
    serves_others(&server);
}

#[test]
fn gnutls_changes_keys() {
    let server = Listener::new().start();
    let mut client = gnutls_cli(server.https(), &["--inline-commands", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3"]);
    client.ask(1, 401);
    // GnuTLS itself takes eight in a second and no more, and each of its own is answered by one.
    for count in 1..=12 {
        std::thread::sleep(Duration::from_millis(180));
        client.say("^rekey^\n");
        client.expect("Rekey was completed", count);
        client.ask(count + 1, 401);
    }
    client.finish();
}

/// TLS 1.2 without the extended master secret (RFC 7627) is served; what that lacks shows in `bindings`.
#[test]
fn gnutls_without_an_extended_master_secret() {
    let server = Listener::new().start();
    let said = is_served(gnutls_cli(server.https(), &["--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH"]));
    assert!(!said.contains("extended master secret"), "{said}");
}

#[test]
fn gnutls_trusts_nobody_else() {
    let server = Listener::new().start();
    let mut client = gnutls_cli(server.https(), &["--x509cafile", &certificates::argument("foreign-root.pem")]);
    client.expect("The certificate is NOT trusted", 1);
    assert!(client.ends());
    serves_others(&server);
}
