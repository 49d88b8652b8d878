//! What a session ticket is worth: where it was made, for who made it, as long as that still holds.

use crate::harness::ANN;
use crate::tls::certificates::{self, Own};
use crate::tls::clients::{curl_as, gnutls_cli, s_client};
use crate::tls::listener::{Listener, list, map_to_ann};
use crate::tls::names::{DISABLED, NO_CERTIFICATE, UNMAPPED};
use crate::tls::tickets::{Client, each};
use std::path::Path;

/// A listener whose ticket keys lie in a file that others may have too.
fn sharing(keys: &Path) -> Listener {
    Listener::new().tls(&format!("ticket_keys = {:?}", keys.to_str().unwrap()))
}

const HOUR: u64 = 3600;

/// Makes the keys of a file older: all, or the newest alone.
fn age(keys: &Path, all: bool, seconds: u64) {
    let text = std::fs::read_to_string(keys).unwrap();
    let made = |line: &str| line.split(' ').next().and_then(|made| made.parse::<u64>().ok());
    let newest = text.lines().filter_map(made).max().expect("a key");
    let aged = |line: &str| match (made(line), line.split_once(' ')) {
        (Some(made), Some((_, rest))) if all || made == newest => format!("{} {rest}\n", made - seconds * 1000),
        _ => format!("{line}\n"),
    };
    std::fs::write(keys, text.lines().map(aged).collect::<String>()).unwrap();
}

fn count(keys: &Path) -> usize {
    std::fs::read_to_string(keys).unwrap().lines().filter(|line| !line.starts_with('#')).count()
}

#[test]
fn openssl_resumes_in_each_version() {
    let server = Listener::new().start();
    let own = Own::new();
    each(None, |client| {
        let session = client.begin(server.https(), &own, 401);
        client.resume(server.https(), &session).expect(true, 401);
        client.resume(server.https(), &session).expect(true, 401);
    });
    let mut client = s_client(server.https(), &["-tls1_2", "-reconnect"]);
    client.expect("Reused, TLSv1.2", 5);
}

#[test]
fn gnutls_resumes_in_each_version() {
    let server = Listener::new().start();
    for version in ["1.2", "1.3"] {
        let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS{version}");
        let mut client = gnutls_cli(server.https(), &["--resume", "--waitresumption", "--priority", &priority]);
        client.expect("*** This is a resumed session", 1);
        client.ask(1, 401);
    }
}

#[test]
fn a_client_with_a_certificate_resumes_as_who_it_was() {
    let server = Listener::new().client_auth("require").start();
    map_to_ann(&server, "ann");
    let own = Own::new();
    each(Some("ann"), |client| {
        let session = client.begin(server.https(), &own, 200);
        let resumed = client.resume(server.https(), &session);
        resumed.expect(true, 200);
        assert!(resumed.said.contains(&format!("\"name\": \"{ANN}\"")), "{}", resumed.said);
    });
}

#[test]
fn the_account_is_looked_at_again() {
    let server = Listener::new().client_auth("require").start();
    map_to_ann(&server, "ann");
    let own = Own::new();
    each(Some("ann"), |client| {
        let session = client.begin(server.https(), &own, 200);
        server.cli(&["account", "disable", ANN]);
        client.resume(server.https(), &session).expect_not(200);
        server.expect_last_cause(DISABLED);
        server.cli(&["account", "enable", ANN]);
        assert_eq!(client.resume(server.https(), &session).status, Some(200));
    });
}

#[test]
fn the_mapping_is_looked_at_again() {
    let own = Own::new();
    each(Some("ann"), |client| {
        let server = Listener::new().client_auth("require").start();
        map_to_ann(&server, "ann");
        let session = client.begin(server.https(), &own, 200);
        let leaf = certificates::argument("ann.leaf.pem");
        server.cli(&["account", "unmap-cert", ANN, "--cert", &leaf]);
        client.resume(server.https(), &session).expect_not(200);
        server.expect_last_cause(UNMAPPED);
    });
}

#[test]
fn revocation_is_looked_at_again() {
    each(Some("ann"), |client| {
        let own = Own::new();
        std::fs::copy(certificates::file("issuing-empty.crl"), own.path("current.crl")).unwrap();
        let files = list(&[certificates::file("root.crl"), own.path("current.crl")]);
        let lines = format!("client_crls = {files}\nrevocation = \"require\"");
        let server = Listener::new().client_auth("require").tls(&lines).start();
        map_to_ann(&server, "ann");
        let session = client.begin(server.https(), &own, 200);
        own.revoke("ann");
        std::fs::copy(own.path("issuing.crl"), own.path("current.crl")).unwrap();
        server.reload();
        let resumed = client.resume(server.https(), &session);
        assert_eq!(resumed.status, None, "{}", resumed.said);
    });
}

/// CVE-2025-23419, CVE-2025-23048: a session of a server that asks for nothing is no way into one that requires a
/// certificate, though both have the same keys.
#[test]
fn a_ticket_does_not_skip_the_certificate() {
    for lenient in ["none", "request"] {
        each(None, |client| {
            let own = Own::new();
            let keys = own.path("tickets");
            let easy = sharing(&keys).client_auth(lenient).start();
            let strict = sharing(&keys).client_auth("require").start();
            let session = client.begin(easy.https(), &own, 401);
            client.resume(easy.https(), &session).expect(true, 401);
            let resumed = client.resume(strict.https(), &session);
            assert!(!resumed.resumed, "{}", resumed.said);
            assert_eq!(resumed.status, None, "{}", resumed.said);
            strict.expect_last_cause(NO_CERTIFICATE);
        });
    }
}

/// The same with a certificate that the other server's root does not know.
#[test]
fn a_ticket_does_not_bring_a_certificate_to_another_root() {
    each(Some("ann"), |client| {
        let own = Own::new();
        let keys = own.path("tickets");
        let one = sharing(&keys).client_auth("require").start();
        let other = sharing(&keys).client_auth("require").client_ca("foreign-root.pem").start();
        map_to_ann(&one, "ann");
        map_to_ann(&other, "ann");
        let session = client.begin(one.https(), &own, 200);
        let resumed = client.resume(other.https(), &session);
        assert_eq!((resumed.resumed, resumed.status), (false, None), "{}", resumed.said);
        curl_as(&other, "ann").expect_no_answer();
    });
}

/// Another certificate of the server's is another server: bindings would not fit, and neither would the name.
#[test]
fn a_ticket_is_of_one_server_certificate() {
    each(None, |client| {
        let own = Own::new();
        let keys = own.path("tickets");
        let (one, other) = (sharing(&keys).start(), sharing(&keys).certificate("p384").start());
        let session = client.begin(one.https(), &own, 401);
        client.resume(other.https(), &session).expect(false, 401);
    });
}

/// Names may stand for different policies one day; and a proxy could mix them up (CVE-2025-23419).
#[test]
fn a_ticket_is_of_one_name() {
    let server = Listener::new().start();
    let own = Own::new();
    each(None, |client| {
        let session = client.begin(server.https(), &own, 401);
        let other = Client { name: "web1.corp.example", ..*client };
        other.resume(server.https(), &session).expect(false, 401);
        client.resume(server.https(), &session).expect(true, 401);
    });
}

#[test]
fn two_processes_share_tickets_and_keep_them_through_a_rotation() {
    each(None, |client| {
        let own = Own::new();
        let keys = own.path("tickets");
        let (one, two) = (sharing(&keys).start(), sharing(&keys).start());
        assert_eq!(count(&keys), 1, "one of them made the file, and the other one uses it");
        let old = client.begin(one.https(), &own, 401);
        client.resume(two.https(), &old).expect(true, 401);

        // Twelve hours later one of them adds a key, which is used after the time that the other one needs to see it.
        age(&keys, true, 13 * HOUR);
        one.reload();
        two.reload();
        assert_eq!(count(&keys), 2);
        client.resume(two.https(), &old).expect(true, 401);
        let (elsewhere, third) = (Own::new(), Own::new());
        let still_old = client.begin(one.https(), &elsewhere, 401);
        age(&keys, false, HOUR);
        one.reload();
        two.reload();
        assert_eq!(count(&keys), 2);
        let new = client.begin(one.https(), &third, 401);
        for session in [&still_old, &new] {
            client.resume(two.https(), session).expect(true, 401);
        }
        // Two days after its making the old key opens nothing.
        let text = std::fs::read_to_string(&keys).unwrap();
        let kept = text.lines().filter(|line| !line.starts_with('#')).max().unwrap().to_owned();
        std::fs::write(&keys, kept + "\n").unwrap();
        two.reload();
        client.resume(two.https(), &new).expect(true, 401);
    });
}

/// A key that is too old opens nothing and leaves the file; nor does a key that was taken away.
#[test]
fn a_ticket_ends_with_its_key() {
    each(None, |client| {
        let own = Own::new();
        let keys = own.path("tickets");
        let one = sharing(&keys).start();
        let session = client.begin(one.https(), &own, 401);
        age(&keys, true, 48 * HOUR);
        one.reload();
        assert_eq!(count(&keys), 1, "a new key stands in the old one's place");
        client.resume(one.https(), &session).expect(false, 401);

        let session = client.begin(one.https(), &own, 401);
        std::fs::remove_file(&keys).unwrap();
        let two = sharing(&keys).start();
        client.resume(two.https(), &session).expect(false, 401);
    });
}

#[test]
fn strangers_tickets_are_worth_nothing() {
    each(Some("ann"), |client| {
        let own = Own::new();
        let (one, two) =
            (Listener::new().client_auth("require").start(), Listener::new().client_auth("require").start());
        map_to_ann(&one, "ann");
        map_to_ann(&two, "ann");
        let session = client.begin(one.https(), &own, 200);
        // Its own handshake, with its certificate.
        client.resume(two.https(), &session).expect(false, 200);
        // Who has somebody's ticket, but not the session's secret, cannot use it; who has both is that client. A certificate
        // that the client no longer has is not asked for anew.
        let without = Client { certificate: None, ..*client };
        let resumed = without.resume(two.https(), &session);
        assert_eq!((resumed.resumed, resumed.status), (false, None), "{}", resumed.said);
    });
}

/// A file of ticket keys that others may read, or that holds nothing, is no file of keys.
#[test]
fn ticket_keys_are_nobody_elses() {
    use std::os::unix::fs::PermissionsExt;
    let own = Own::new();
    let keys = own.path("tickets");
    let _server = sharing(&keys).start();
    let mode = std::fs::metadata(&keys).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
    let made = std::fs::read(&keys).unwrap();
    assert!(made.len() >= 32 && made.iter().any(|byte| *byte != 0), "{made:?}");
}
