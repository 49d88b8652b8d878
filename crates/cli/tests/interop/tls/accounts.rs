//! Client certificates: which are asked for, which are taken, and what an account's state makes of them. Whose they are is in
//! `mappings`.

use crate::harness::{ANN, PASSWORD, Server};
use crate::tls::certificates::{self, Own};
use crate::tls::clients::{Fetched, curl, curl_as, s_client, with_certificate};
use crate::tls::listener::{Listener, list, map, map_to_ann};
use crate::tls::names::{
    CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID, CERTIFICATE_REVOKED, CERTIFICATE_UNTRUSTED,
    CERTIFICATE_WRONG_USAGE, DISABLED, NO_CERTIFICATE, REVOCATION_STALE, REVOCATION_UNKNOWN, UNMAPPED,
};

const VERSIONS: [&str; 2] = ["1.2", "1.3"];

/// Certificates that are not taken, and why.
const BAD: [(&str, &str); 6] = [
    ("expired", CERTIFICATE_EXPIRED),
    ("early", CERTIFICATE_NOT_YET_VALID),
    ("revoked", CERTIFICATE_REVOKED),
    ("foreign", CERTIFICATE_UNTRUSTED),
    ("self-signed", CERTIFICATE_UNTRUSTED),
    ("server-only", CERTIFICATE_WRONG_USAGE),
];

fn lists(revocation: &str) -> String {
    let files = [certificates::file("root.crl"), certificates::file("issuing.crl")];
    format!("client_crls = {}\nrevocation = \"{revocation}\"", list(&files))
}

fn in_version(server: &Server, version: &str, arguments: &[String]) -> Fetched {
    curl(server, &[&["--tls-max".to_owned(), version.to_owned()], arguments].concat())
}

fn by_password(server: &Server, more: &[String]) -> Fetched {
    let typed = ["--basic".to_owned(), "-u".to_owned(), format!("{ANN}:{PASSWORD}")];
    curl(server, &[&typed, more].concat())
}

/// The client is served, but is nobody until it logs on otherwise.
pub fn is_nobody(server: &Server, fetched: &Fetched, cause: &str) {
    fetched.expect(401);
    server.expect_last_cause(cause);
    assert!(!format!("{:?}", fetched.output).contains(cause), "the client learns the cause: {fetched:?}");
}

#[test]
fn none_asks_for_none() {
    for server in [Listener::new().start(), Listener::new().client_auth("none").start()] {
        map_to_ann(&server, "ann");
        let mut client = s_client(server.https(), &["-tls1_2"]);
        client.ask(1, 401);
        assert!(client.said().contains("No client certificate CA names sent"), "{}", client.said());
        assert!(!client.said().contains("Client Certificate Types"), "{}", client.said());
        for certificate in ["ann", "foreign", "expired"] {
            curl_as(&server, certificate).expect(401);
        }
        let fetched = by_password(&server, &with_certificate("ann"));
        fetched.expect(200);
        assert!(fetched.body["client_certificate"].is_null(), "{fetched:?}");
    }
}

#[test]
fn request_takes_a_good_one_and_none() {
    let server = Listener::new().client_auth("request").tls(&lists("require")).start();
    map_to_ann(&server, "ann");
    for version in VERSIONS {
        in_version(&server, version, &[]).expect(401);
        in_version(&server, version, &with_certificate("ann")).expect_account(ANN);
        let fetched = by_password(&server, &[]);
        fetched.expect(200);
        assert!(fetched.body["client_certificate"].is_null(), "{fetched:?}");
        // One that is nobody's leaves the other ways to log on.
        is_nobody(&server, &in_version(&server, version, &with_certificate("unmapped")), UNMAPPED);
        let fetched = by_password(&server, &with_certificate("unmapped"));
        fetched.expect(200);
        let sha256 = certificates::sha256(&certificates::file("unmapped.leaf.pem"));
        assert_eq!(fetched.body["client_certificate"]["sha256"], sha256.as_str(), "{fetched:?}");
    }
}

#[test]
fn require_takes_a_good_one_alone() {
    let server = Listener::new().client_auth("require").tls(&lists("require")).start();
    map_to_ann(&server, "ann");
    map_to_ann(&server, "rsa-client");
    for version in VERSIONS {
        in_version(&server, version, &[]).expect_no_answer();
        server.expect_last_cause(NO_CERTIFICATE);
        in_version(&server, version, &with_certificate("ann")).expect_account(ANN);
        in_version(&server, version, &with_certificate("rsa-client")).expect_account(ANN);
        is_nobody(&server, &in_version(&server, version, &with_certificate("unmapped")), UNMAPPED);
    }
}

/// A certificate that is wrong is refused where it is asked for only, too: it was meant to say something.
#[test]
fn wrong_ones_are_refused_whether_required_or_not() {
    for how in ["request", "require"] {
        let server = Listener::new().client_auth(how).tls(&lists("require")).start();
        for (certificate, cause) in BAD {
            // That an account has it changes nothing.
            map(&server, ANN, certificate);
            for version in VERSIONS {
                in_version(&server, version, &with_certificate(certificate)).expect_no_answer();
                let line = server.expect_last_cause(cause);
                assert_eq!(line["package"], "Schannel", "{line}");
            }
        }
        assert!(!server.causes().contains(&"ok".to_owned()), "{:?}", server.causes());
        map_to_ann(&server, "ann");
        curl_as(&server, "ann").expect_account(ANN);
    }
}

#[test]
fn the_accounts_state_counts() {
    for how in ["request", "require"] {
        let server = Listener::new().client_auth(how).start();
        map_to_ann(&server, "ann");
        curl_as(&server, "ann").expect_account(ANN);
        server.cli(&["account", "disable", ANN]);
        is_nobody(&server, &curl_as(&server, "ann"), DISABLED);
        server.cli(&["account", "enable", ANN]);
        curl_as(&server, "ann").expect_account(ANN);
        server.cli(&["account", "set", ANN, "--expires", "2020-01-01"]);
        is_nobody(&server, &curl_as(&server, "ann"), "account/account-expired");
    }
}

/// Whether a certificate logs on, and whether one that is nobody's may stay.
#[test]
fn mapping_may_be_required_or_left_out() {
    let server = Listener::new().client_auth("require").tls("client_mapping = \"required\"").start();
    map_to_ann(&server, "ann");
    curl_as(&server, "ann").expect_account(ANN);
    curl_as(&server, "unmapped").expect_no_answer();
    server.expect_last_cause(UNMAPPED);
    server.cli(&["account", "disable", ANN]);
    curl_as(&server, "ann").expect_no_answer();
    server.expect_last_cause(DISABLED);

    let server = Listener::new().client_auth("require").tls("client_mapping = \"off\"").start();
    map_to_ann(&server, "ann");
    curl_as(&server, "ann").expect(401);
    let fetched = by_password(&server, &with_certificate("ann"));
    fetched.expect(200);
    assert!(fetched.body["client_certificate"]["account"].is_null(), "{fetched:?}");
}

#[test]
fn revocation_must_be_known_where_it_is_required() {
    let of = |file: &str, revocation: &str| {
        let files = list(&[certificates::file("root.crl"), certificates::file(file)]);
        format!("client_crls = {files}\nrevocation = \"{revocation}\"")
    };
    let fetch = |tls: &str| {
        let server = Listener::new().client_auth("require").tls(tls).start();
        map_to_ann(&server, "ann");
        let fetched = curl_as(&server, "ann");
        (server, fetched)
    };
    let none = "revocation = \"require\"".to_owned();
    for (tls, cause) in [(of("issuing-stale.crl", "require"), REVOCATION_STALE), (none, REVOCATION_UNKNOWN)] {
        let (server, fetched) = fetch(&tls);
        fetched.expect_no_answer();
        server.expect_last_cause(cause);
    }
    for tls in [of("issuing.crl", "require"), of("issuing.crl", "when-known"), "revocation = \"when-known\"".to_owned()]
    {
        fetch(&tls).1.expect_account(ANN);
    }
    // Known to be revoked is known, whatever is required.
    let server = Listener::new().client_auth("require").tls(&of("issuing.crl", "when-known")).start();
    curl_as(&server, "revoked").expect_no_answer();
    server.expect_last_cause(CERTIFICATE_REVOKED);
}

#[test]
fn a_list_that_is_read_anew_counts() {
    let own = Own::new();
    std::fs::copy(certificates::file("issuing-empty.crl"), own.path("current.crl")).unwrap();
    let files = list(&[certificates::file("root.crl"), own.path("current.crl")]);
    let server =
        Listener::new().client_auth("require").tls(&format!("client_crls = {files}\nrevocation = \"require\"")).start();
    map_to_ann(&server, "ann");
    map_to_ann(&server, "revoked");
    curl_as(&server, "revoked").expect_account(ANN);
    own.revoke("ann");
    std::fs::copy(own.path("issuing.crl"), own.path("current.crl")).unwrap();
    server.reload();
    for certificate in ["ann", "revoked"] {
        curl_as(&server, certificate).expect_no_answer();
        server.expect_last_cause(CERTIFICATE_REVOKED);
    }
}
