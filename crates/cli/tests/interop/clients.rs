//! Each client logs on, keeps its connection, names itself in every spelling that it can, and is refused.

use crate::harness::{ANN, DOMAIN, PASSWORD, Server};
use crate::peers::{self, Client, Logon};

const OFFER_NTLM: &str = "[http]\nschemes = [\"NTLM\"]\n";

fn logs_on(ask: Client) {
    let server = Server::with(OFFER_NTLM);
    ask(&server, &Logon { times: 3, ..Logon::new(ANN, PASSWORD) }).expect_user(ANN, 3);
    assert!(server.causes().iter().all(|cause| cause == "ok"), "{:?}", server.causes());
}

/// With the defaults: Negotiate stands before NTLM, and the client finds what it knows.
fn where_all_is_offered(ask: Client) {
    let server = Server::start();
    let outcome = ask(&server, &Logon::new(ANN, PASSWORD));
    assert_eq!(outcome.statuses(), [200], "{outcome:?}");
    assert_eq!(outcome.answers[0].body["name"], ANN, "{outcome:?}");
    assert_eq!(server.causes().last().map(String::as_str), Some("ok"));
}

fn posts(ask: Client) {
    let server = Server::with(OFFER_NTLM);
    let body = "x=".to_owned() + &"body ".repeat(2000);
    let logon = Logon { times: 2, body: Some(&body), ..Logon::new(ANN, PASSWORD) };
    ask(&server, &logon).expect_user(ANN, 2);
}

/// By `DOMAIN\user` in either case, `.\user` and `user@dns.domain`.
fn names_itself(ask: Client, spellings: &[(&str, &str)]) {
    let server = Server::with(OFFER_NTLM);
    for (domain, user) in spellings {
        ask(&server, &Logon { domain, ..Logon::new(user, PASSWORD) }).expect_user(ANN, 1);
    }
}

fn password_beyond_ascii(ask: Client) {
    let server = Server::with(OFFER_NTLM);
    server.account("joe", "Pässwörd € 日本 😀");
    ask(&server, &Logon::new("joe", "Pässwörd € 日本 😀")).expect_user("joe", 1);
    ask(&server, &Logon::new("joe", "Passwörd € 日本 😀")).expect_refused();
}

fn user_beyond_ascii(ask: Client) {
    let server = Server::with(OFFER_NTLM);
    server.account("jörg", PASSWORD);
    ask(&server, &Logon::new("jörg", PASSWORD)).expect_user("jörg", 1);
    ask(&server, &Logon::new("JÖRG", PASSWORD)).expect_user("jörg", 1);
    ask(&server, &Logon::new("jorg", PASSWORD)).expect_refused();
}

fn is_refused(ask: Client) {
    let server = Server::with(OFFER_NTLM);
    // The JDK tries a wrong password twenty times over: it would lock the account.
    server.cli(&["policy", "set", "--lockout-threshold", "0"]);
    for (user, password, cause) in [
        (ANN, "correct-horse 7", "account/wrong-proof"),
        ("nobody", PASSWORD, "account/unknown-account"),
        // What stands in the message's user field is looked up, never a prefix of it.
        ("annn", PASSWORD, "account/unknown-account"),
    ] {
        ask(&server, &Logon::new(user, password)).expect_refused();
        server.expect_last_cause(cause);
    }
    // Some clients do not even start without a password; none may get in.
    let outcome = ask(&server, &Logon::new(ANN, ""));
    assert!(outcome.statuses().iter().all(|status| *status == 401), "{outcome:?}");
    assert!(!server.causes().contains(&"ok".to_owned()), "{:?}", server.causes());
}

const DOWN_LEVEL: &[(&str, &str)] = &[(DOMAIN, ANN), ("corp", "ANN"), (".", ANN)];
const WITH_UPN: &[(&str, &str)] = &[(DOMAIN, ANN), ("corp", "ANN"), (".", ANN), ("", "ann@corp.example")];

macro_rules! clients {
    ($($(#[$doc:meta])* $client:ident { $($test:ident $(($argument:expr))?),* })*) => {$(
        $(#[$doc])*
        mod $client {
            $(#[test] fn $test() { super::$test(super::peers::$client $(, $argument)?); })*
        }
    )*};
}

clients! {
    /// curl 7.88 hashes the bytes of its locale, not characters: nothing beyond ASCII fits.
    curl { logs_on, where_all_is_offered, posts, names_itself(super::WITH_UPN), is_refused }
    requests_ntlm {
        logs_on, where_all_is_offered, posts, names_itself(super::WITH_UPN), password_beyond_ascii, user_beyond_ascii, is_refused
    }
    /// requests-ntlm2 takes `user@domain` apart and refuses names that it cannot.
    ntlm_auth {
        logs_on, where_all_is_offered, posts, names_itself(super::DOWN_LEVEL), password_beyond_ascii, user_beyond_ascii, is_refused
    }
    impacket {
        logs_on, where_all_is_offered, posts, names_itself(super::WITH_UPN), password_beyond_ascii, user_beyond_ascii, is_refused
    }
    samba {
        logs_on, where_all_is_offered, posts, names_itself(super::WITH_UPN), password_beyond_ascii, user_beyond_ascii, is_refused
    }
    /// libsoup hashes the wrong bytes of a password beyond ASCII; the user's name is right.
    soup_2 { logs_on, where_all_is_offered, posts, names_itself(super::WITH_UPN), user_beyond_ascii, is_refused }
    /// As libsoup 2.
    soup_3 { logs_on, where_all_is_offered, posts, names_itself(super::WITH_UPN), user_beyond_ascii, is_refused }
    httpntlm {
        logs_on, where_all_is_offered, posts, names_itself(super::WITH_UPN), password_beyond_ascii, user_beyond_ascii, is_refused
    }
    axios_ntlm {
        logs_on, where_all_is_offered, posts, names_itself(super::WITH_UPN), password_beyond_ascii, user_beyond_ascii, is_refused
    }
    java_url_connection {
        logs_on, where_all_is_offered, posts, names_itself(super::WITH_UPN), password_beyond_ascii, user_beyond_ascii, is_refused
    }
    apache_http_client {
        logs_on, where_all_is_offered, posts, names_itself(super::WITH_UPN), password_beyond_ascii, user_beyond_ascii, is_refused
    }
    /// Authen::NTLM writes its domain in OEM into a Unicode message: only without one can it name itself.
    lwp { logs_on, where_all_is_offered, posts, is_refused }
    /// ruby-ntlm fails on users, and on some passwords, beyond ASCII before it sends anything.
    ruby_httpclient { logs_on, where_all_is_offered, posts, names_itself(super::WITH_UPN), is_refused }
}
