//! A browser: Chromium has an NTLM of its own.

use crate::harness::{DOMAIN, PASSWORD, Server};
use crate::peers;

/// A name that stands in no browser's error page.
const ZEBEDEE: &str = "zebedee";

fn server() -> Server {
    let server = Server::with("[http]\nschemes = [\"NTLM\"]\n");
    server.account(ZEBEDEE, PASSWORD);
    server
}

#[test]
fn chromium_logs_on_and_shows_who_it_is() {
    let server = server();
    for user in [ZEBEDEE.to_owned(), format!("{DOMAIN}%5C{ZEBEDEE}")] {
        let page = peers::chromium(&server, &user, &PASSWORD.replace(' ', "%20"));
        assert!(page.contains(ZEBEDEE), "{page}");
        let line = server.audit().into_iter().find(|line| line["cause"] == "ok").expect("a logon");
        assert_eq!((line["package"].as_str(), line["version"].as_str()), (Some("NTLM"), Some("NTLMv2")), "{line}");
    }
    assert!(server.causes().iter().all(|cause| cause == "ok"), "{:?}", server.causes());
}

#[test]
fn chromium_with_a_wrong_password_sees_nobody() {
    let server = server();
    let page = peers::chromium(&server, ZEBEDEE, "wrong");
    assert!(!page.contains(ZEBEDEE), "{page}");
    server.expect_last_cause("account/wrong-proof");
    assert!(!server.causes().contains(&"ok".to_owned()));
}
