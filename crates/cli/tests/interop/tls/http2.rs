//! HTTP/2: what proves a connection's user needs a connection of its own, and is told to come by HTTP/1.1.

use crate::harness::{ANN, DOMAIN, PASSWORD, Server};
use crate::peers::{self, Logon};
use crate::raw::NEGOTIATE;
use crate::tls::clients::{curl, curl_at, curl_with, with_certificate};
use crate::tls::listener::{Listener, map_to_ann};
use std::process::Command;

/// curl knows of no bindings.
const LENIENT: &str = "[ntlm]\nbindings = \"when-present\"";

#[test]
fn what_needs_no_logon_is_served() {
    let server = Listener::new().start();
    for (http, version) in [("--http2", "2"), ("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")] {
        let fetched = curl_at(server.https(), "/healthz", &[http]);
        assert_eq!((fetched.status, fetched.version.as_str()), (200, version), "{fetched:?}");
    }
    // Where all that is offered may be used over HTTP/2, the refusal comes over it.
    let server = Listener::new().settings("[http]\nschemes = [\"Basic\"]").start();
    let fetched = curl(&server, &["--http2"]);
    assert_eq!((fetched.status, fetched.version.as_str()), (401, "2"), "{fetched:?}");
}

/// Offers that only HTTP/1.1 can keep are made over HTTP/1.1, whatever the client would have chosen.
#[test]
fn curl_comes_back_by_http_1_1_for_the_offers() {
    let server = Listener::new().start();
    let fetched = curl(&server, &["--http2", "-D", "/dev/stderr"]);
    assert_eq!((fetched.status, fetched.version.as_str()), (401, "1.1"), "{fetched:?}");
    let headers = String::from_utf8_lossy(&fetched.output.stderr).to_ascii_lowercase();
    assert!(headers.contains("www-authenticate: ntlm") && !headers.contains("http/2 401"), "{fetched:?}");
}

#[test]
fn a_password_and_a_certificate_stay_on_http_2() {
    let server = Listener::new().client_auth("request").start();
    map_to_ann(&server, "ann");
    let fetched = curl(&server, &["--http2", "--basic", "-u", &format!("{ANN}:{PASSWORD}")]);
    assert_eq!((fetched.status, fetched.version.as_str()), (200, "2"), "{fetched:?}");
    let fetched = curl(&server, &[&["--http2".to_owned()], &with_certificate("ann")[..]].concat());
    assert_eq!(fetched.version, "2", "{fetched:?}");
    fetched.expect_account(ANN);
}

#[test]
fn curl_logs_on_by_ntlm_over_http_1_1() {
    let server = Listener::new().settings(LENIENT).start();
    let fetched = curl(&server, &["--http2", "--ntlm", "-u", &format!("{DOMAIN}\\{ANN}:{PASSWORD}")]);
    fetched.expect(200);
    assert_eq!((fetched.version.as_str(), &fetched.body["name"]), ("1.1", &ANN.into()), "{fetched:?}");
    assert!(fetched.connections >= 1, "{fetched:?}");
    server.expect_last_cause("ok");
}

#[test]
fn curl_negotiates_over_http_1_1() {
    let server = Listener::new().settings(LENIENT).start();
    let users = peers::gss_users(&Logon { domain: DOMAIN, ..Logon::new(ANN, PASSWORD) });
    let mut command = Command::new("curl");
    command.envs(peers::gss_ntlmssp(users.path()));
    let fetched = curl_with(command, server.https(), "/", &["--http2", "--negotiate", "-u", ":"]);
    fetched.expect(200);
    assert_eq!((fetched.version.as_str(), &fetched.body["package"]), ("1.1", &"Negotiate".into()), "{fetched:?}");
}

fn nghttp(server: &Server, header: &str) -> String {
    let mut command = Command::new("nghttp");
    command.args(["-nv", "--no-verify-peer", "--header", "accept: application/json"]);
    if !header.is_empty() {
        command.args(["--header", header]);
    }
    command.arg(format!("https://{}/", server.https()));
    let output = peers::run(command);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn connection_bound_schemes_are_told_which_http_they_need() {
    let server = Listener::new().settings(LENIENT).start();
    for scheme in ["NTLM", "Negotiate"] {
        let said = nghttp(&server, &format!("authorization: {scheme} {NEGOTIATE}"));
        assert!(said.contains("RST_STREAM") && said.contains("error_code=HTTP_1_1_REQUIRED(0x0d)"), "{said}");
        assert!(!said.contains(":status: 200") && !said.contains("TlRMTVNTUAAC"), "{said}");
    }
    let said = nghttp(&server, "");
    assert!(said.contains("error_code=HTTP_1_1_REQUIRED(0x0d)") && !said.contains(":status: 401"), "{said}");
    assert!(!server.causes().contains(&"ok".to_owned()), "{:?}", server.causes());
}
