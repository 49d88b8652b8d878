//! curl, Java, Python, OpenSSL's newest by Python, Chromium and sslscan.

use crate::harness::{ANN, PASSWORD};
use crate::peers;
use crate::tls::certificates;
use crate::tls::clients::{self, curl, curl_as, curl_at, java, python};
use crate::tls::listener::{Listener, map_to_ann};
use std::process::Command;

#[test]
fn curl_in_each_version_and_over_each_http() {
    let server = Listener::new().start();
    for version in [["--tlsv1.2", "--tls-max", "1.2"], ["--tlsv1.3", "--tls-max", "1.3"]] {
        for (http, shown) in [("--http1.1", "1.1"), ("--http2", "2")] {
            let fetched = curl_at(server.https(), "/healthz", &[&version[..], &[http]].concat());
            fetched.expect(200);
            assert_eq!(fetched.version, shown, "{fetched:?}");
        }
    }
    let fetched = curl(&server, &["--cacert", &certificates::argument("foreign-root.pem")]);
    assert_eq!((fetched.status, fetched.output.status.code()), (0, Some(60)), "{fetched:?}");
    let fetched = curl(&server, &["--tls-max", "1.1", "--tlsv1.0", "--ciphers", "DEFAULT@SECLEVEL=0"]);
    fetched.expect_no_answer();
}

#[test]
fn curl_with_a_certificate() {
    let server = Listener::new().client_auth("require").start();
    map_to_ann(&server, "ann");
    let fetched = curl_as(&server, "ann");
    fetched.expect_account(ANN);
    let certificate = &fetched.body["client_certificate"];
    assert!(certificate["account"].as_str().is_some_and(|account| account.ends_with(ANN)), "{fetched:?}");
    assert_eq!((&fetched.body["tls"]["version"], &fetched.body["tls"]["resumed"]), (&"TLSv1.3".into(), &false.into()));
    let sha256 = certificates::sha256(&certificates::file("ann.leaf.pem"));
    assert_eq!(certificate["sha256"], sha256.as_str(), "{fetched:?}");
    assert!(certificate["subject"].as_str().is_some_and(|subject| subject.contains("CN=ann")), "{fetched:?}");
    assert!(certificate["issuer"].as_str().is_some_and(|issuer| issuer.contains("CN=Test issuing")), "{fetched:?}");
    assert!(certificate["serial"].as_str().is_some_and(|serial| !serial.is_empty()), "{fetched:?}");
}

/// Lines that begin with this, without it.
fn told<'a>(said: &'a str, what: &str) -> Vec<&'a str> {
    said.lines().filter_map(|line| line.strip_prefix(what)?.strip_prefix(' ')).collect()
}

#[test]
fn java_in_each_version() {
    let server = Listener::new().client_auth("request").start();
    map_to_ann(&server, "ann");
    for version in ["TLSv1.2", "TLSv1.3"] {
        let said = java(server.https(), &[("PEER_VERSION", version), ("PEER_TIMES", "2"), ("PEER_ALPN", "http/1.1")]);
        assert_eq!(told(&said, "version"), [version; 2], "{said}");
        assert_eq!(told(&said, "alpn"), ["http/1.1"; 2], "{said}");
        // The second was resumed.
        assert_eq!(told(&said, "session"), ["0"; 2], "{said}");
        assert_eq!(told(&said, "401").len(), 2, "{said}");

        let p12 = certificates::argument("ann.p12");
        let besides =
            [("PEER_VERSION", version), ("PEER_P12", &p12), ("PEER_P12_PASSWORD", "secret"), ("PEER_TIMES", "2")];
        let said = java(server.https(), &besides);
        let bodies = told(&said, "200");
        assert_eq!(bodies.len(), 2, "{said}");
        for body in bodies {
            assert_eq!(peers::json(body)["name"], ANN, "{said}");
        }
    }
    let said = java(server.https(), &[("PEER_CA", &certificates::argument("foreign-root.pem"))]);
    assert!(told(&said, "401").is_empty() && said.contains("refused"), "{said}");
    let said = java(server.https(), &[("PEER_ALPN", "foo")]);
    assert!(said.contains("refused") && said.contains("no_application_protocol"), "{said}");
}

#[test]
fn java_without_a_certificate_where_one_is_required() {
    let server = Listener::new().client_auth("require").start();
    for version in ["TLSv1.2", "TLSv1.3"] {
        let said = java(server.https(), &[("PEER_VERSION", version)]);
        assert!(said.contains("refused") && told(&said, "401").is_empty(), "{said}");
    }
}

#[test]
fn python_in_each_version() {
    let server = Listener::new().start();
    let leaf = certificates::sha256(&certificates::file("p256.leaf.pem"));
    for (option, version) in [("TLSv1_2", "TLSv1.2"), ("TLSv1_3", "TLSv1.3")] {
        let said = python(server.https(), &[("PEER_VERSION", option), ("PEER_TIMES", "3"), ("PEER_ALPN", "http/1.1")]);
        assert_eq!(told(&said, "version"), [version; 3], "{said}");
        assert_eq!(told(&said, "resumed"), ["False", "True", "True"], "{said}");
        assert_eq!(told(&said, "endpoint"), [leaf.as_str(); 3], "{said}");
        assert_eq!(told(&said, "401").len(), 3, "{said}");
    }
    let said = python(server.https(), &[("PEER_NAME", "elsewhere.example")]);
    assert!(said.contains("refused") && told(&said, "401").is_empty(), "{said}");
}

/// The server says `close_notify` before it ends TCP: who does not hear it was cut off.
#[test]
fn the_server_ends_with_close_notify() {
    let server = Listener::new().start();
    for version in ["TLSv1_2", "TLSv1_3"] {
        let said = python(server.https(), &[("PEER_VERSION", version), ("PEER_WAY", "close")]);
        assert!(said.lines().any(|line| line == "close_notify") && !said.contains("torn"), "{said}");
        assert_eq!(told(&said, "401").len(), 1, "{said}");
    }
}

/// OpenSSL 3.5 and newer, which PyPI has and Debian 12 has not, knows the post-quantum group; 3.0 and GnuTLS 3.7 do not.
#[test]
fn the_newest_openssl_agrees_on_a_post_quantum_group() {
    let server = Listener::new().start();
    let said = clients::script(&peers::venv(), &["python/openssl_client.py"], server.https(), &[]);
    assert_eq!(told(&said.to_ascii_uppercase(), "GROUP"), ["X25519MLKEM768"], "{said}");
    assert_eq!(told(&said, "401").len(), 1, "{said}");
}

/// Chromium binds its NTLM to the channel, and is told over HTTP/2 to come back by HTTP/1.1.
#[test]
fn chromium_logs_on_bound_to_the_channel() {
    let server = Listener::new().settings("[http]\nschemes = [\"NTLM\"]\n[ntlm]\nbindings = \"require\"").start();
    // A name that stands in no browser's error page.
    server.account("zebedee", PASSWORD);
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new("chromium");
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server", "--dump-dom"]);
    // It asks the system for its roots, where the tests' own are not.
    command.arg("--ignore-certificate-errors");
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!("https://zebedee:{}@{}/", PASSWORD.replace(' ', "%20"), server.https()));
    let page = String::from_utf8_lossy(&peers::run(command).stdout).into_owned();
    assert!(page.contains("zebedee"), "{page}");
    server.expect_last_cause("ok");
}

#[test]
fn sslscan_finds_nothing_old_or_weak() {
    for certificate in ["p256", "rsa"] {
        let server = Listener::new().certificate(certificate).start();
        let mut command = Command::new("sslscan");
        command.args(["--no-colour", "--no-check-certificate"]).arg(server.https().to_string());
        let output = peers::run(command);
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        for line in [
            "SSLv2     disabled",
            "SSLv3     disabled",
            "TLSv1.0   disabled",
            "TLSv1.1   disabled",
            "TLSv1.2   enabled",
            "TLSv1.3   enabled",
            "Session renegotiation not supported",
            "TLSv1.3 not vulnerable to heartbleed",
            "TLSv1.2 not vulnerable to heartbleed",
        ] {
            assert!(said.lines().any(|said| said.trim() == line), "{line:?} is not in {said}");
        }
        let ciphers: Vec<_> =
            said.lines().filter(|line| line.starts_with("Accepted ") || line.starts_with("Preferred ")).collect();
        // Three of each version.
        assert_eq!(ciphers.len(), 6, "{said}");
        for cipher in ciphers {
            let is_strong = cipher.contains("GCM") || cipher.contains("POLY1305");
            assert!(is_strong && cipher.contains("DHE"), "{cipher}");
        }
        let groups: Vec<_> =
            said.lines().filter(|line| line.starts_with("TLSv1.") && line.contains(" bits  ")).collect();
        assert!(groups.iter().any(|group| group.contains("x25519")), "{said}");
        assert!(groups.iter().all(|group| !group.contains("ffdhe") && !group.contains("sect")), "{groups:?}");
    }
}
