//! Clients of Negotiate, with NTLM inside: SPNEGO with a signed list and without, and NTLM's own tokens.

use crate::harness::{ANN, DOMAIN, PASSWORD, Server};
use crate::peers::{self, Client, Logon};

const OFFER_NEGOTIATE: &str = "[http]\nschemes = [\"Negotiate\"]\n";

fn logs_on(ask: Client) {
    let server = Server::with(OFFER_NEGOTIATE);
    for domain in [DOMAIN, "."] {
        let outcome = ask(&server, &Logon { times: 3, domain, ..Logon::new(ANN, PASSWORD) });
        outcome.expect_user_by("Negotiate", ANN, 3);
        // The client took our last token, and thinks that it is through.
        assert!(outcome.output.status.success(), "{outcome:?}");
    }
    let lines = server.audit();
    for line in &lines {
        assert_eq!((line["cause"].as_str(), line["mechanism"].as_str()), (Some("ok"), Some("NTLM")), "{line}");
        assert_eq!(line["package"], "Negotiate", "{line}");
    }
}

/// The default offers all schemes: the client takes the one that it knows best.
fn logs_on_where_all_is_offered(ask: Client) {
    let server = Server::start();
    let outcome = ask(&server, &Logon { times: 2, domain: DOMAIN, ..Logon::new(ANN, PASSWORD) });
    assert_eq!(outcome.statuses(), [200, 200], "{outcome:?}");
    assert_eq!(outcome.answers[1].body["name"], ANN, "{outcome:?}");
}

fn posts(ask: Client) {
    let server = Server::with(OFFER_NEGOTIATE);
    let body = "x=".to_owned() + &"body ".repeat(2000);
    let logon = Logon { times: 2, body: Some(&body), domain: DOMAIN, ..Logon::new(ANN, PASSWORD) };
    ask(&server, &logon).expect_user_by("Negotiate", ANN, 2);
}

fn is_refused(ask: Client) {
    let server = Server::with(OFFER_NEGOTIATE);
    server.account("gone", PASSWORD);
    server.cli(&["account", "disable", "gone"]);
    for (user, password, cause) in [
        (ANN, "correct-horse 7", "account/wrong-proof"),
        ("nobody", PASSWORD, "account/unknown-account"),
        ("gone", PASSWORD, "account/disabled"),
    ] {
        ask(&server, &Logon { domain: DOMAIN, ..Logon::new(user, password) }).expect_refused();
        server.expect_last_cause(cause);
    }
    assert!(!server.causes().contains(&"ok".to_owned()), "{:?}", server.causes());
}

macro_rules! clients {
    ($($(#[$doc:meta])* $client:ident { $($test:ident),* })*) => {$(
        $(#[$doc])*
        mod $client {
            $(#[test] fn $test() { super::$test(super::peers::$client); })*
        }
    )*};
}

clients! {
    /// MIT's SPNEGO around gss-ntlmssp: it signs the list, and checks our signature.
    curl_negotiate { logs_on, logs_on_where_all_is_offered, posts, is_refused }
    /// The same, where Kerberos is the client's first choice: our `request-mic`, and both sides' signatures over a list
    /// of two mechanisms though NTLM has no MIC.
    curl_negotiate_with_a_ticket { logs_on, logs_on_where_all_is_offered, posts, is_refused }
    pyspnego { logs_on, logs_on_where_all_is_offered, posts, is_refused }
    pyspnego_unsigned { logs_on, is_refused }
    pyspnego_without_flags { logs_on, is_refused }
    pyspnego_raw { logs_on, is_refused }
    samba_spnego { logs_on, logs_on_where_all_is_offered, posts, is_refused }
    /// NTLM's own tokens.
    requests_ntlm { logs_on, logs_on_where_all_is_offered, posts, is_refused }
    /// NTLM's own tokens.
    go_ntlmssp { logs_on, logs_on_where_all_is_offered, posts, is_refused }
}

/// Without Kerberos Chromium has nothing for Negotiate where it has no GSS credential, and takes NTLM.
#[test]
fn chromium_with_typed_credentials_where_all_is_offered() {
    let server = Server::start();
    server.account("zebedee", PASSWORD);
    let page = peers::chromium(&server, "zebedee", &PASSWORD.replace(' ', "%20"));
    assert!(page.contains("zebedee"), "{page}");
    assert!(server.causes().contains(&"ok".to_owned()), "{:?}", server.causes());
}
