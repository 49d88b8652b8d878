//! User-to-user: a ticket under the session key of the ticket-granting ticket of the server's own account.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::kerberos::crypto::Enctype;
use portcullis::kerberos::{NoCredentials, PacPolicy, TicketGranting};
use portcullis::{ContextFlags, Status};
use portcullis_testkit::kerberos::{Cached, Client, Frame, Heard, LongTerm, NOW, Name, RawKey, Site, Ticket, ccache};
use portcullis_wire::kerberos::{ApReq, InnerToken};
use portcullis_wire::spnego::KERBEROS_USER_TO_USER;
use std::sync::Arc;

const DENIED: Status = Status::SEC_E_LOGON_DENIED;
const CONTINUE: Status = Status::SEC_I_CONTINUE_NEEDED;

/// The ticket-granting ticket of the account that the server runs under.
fn granting() -> Ticket {
    let kdc = LongTerm::of("krbtgt/EXAMPLE@EXAMPLE", 1, Enctype::Aes256Sha1);
    Ticket { session: RawKey::drawn(Enctype::Aes256Sha1, 0x6d65), ..Ticket::of(&kdc, "me@EXAMPLE", NOW) }
}

/// A site without a keytab, that has the ticket.
fn site() -> Site {
    let mut site = Site::holding(Vec::new());
    let cache = ccache(&[Cached::of(granting())]);
    site.config.user_to_user = Some(Arc::new(TicketGranting::from_ccache(&cache).unwrap()));
    site
}

/// A client whose ticket the KDC made under the session key of the server's.
fn client() -> Client {
    let owner = LongTerm { name: Name::user("me@EXAMPLE"), kvno: 0, key: granting().session };
    let mut client = Client::of(Ticket { kvno: None, ..Ticket::of(&owner, "ann@EXAMPLE", NOW) });
    client.options |= ApReq::USE_SESSION_KEY;
    client.frame = Frame::Gss(KERBEROS_USER_TO_USER);
    client
}

#[test]
fn the_client_asks_for_the_ticket_first() {
    let site = site();
    let client = client();
    let outcome = site.hears_tokens(&[client.asks_for_ticket(), client.token()]);
    assert_eq!(outcome.statuses, [CONTINUE, Status::SEC_E_OK]);
    assert_eq!(client.heard(&outcome.messages[1]), Heard::Granting(granting().encode()));
    let reply = client.heard(&outcome.output).reply();
    assert_eq!(reply.mechanism.as_deref(), Some(KERBEROS_USER_TO_USER.0));
    let context = outcome.context.unwrap();
    let facts = context.facts();
    assert!(facts.granted.contains(ContextFlags::USE_SESSION_KEY | ContextFlags::MUTUAL_AUTH));
    let ticket = facts.ticket.as_ref().unwrap();
    assert_eq!((ticket.client.as_str(), ticket.service.principal.as_str()), ("ann@EXAMPLE", "me@EXAMPLE"));
    assert!(ticket.pac.is_some(), "signed with the same session key");
    // Without asking, where the client has the ticket from before; and it is good once.
    assert_eq!(site.hears(&client.clone().again(9)).cause_name(), "ok");
    site.refuses(&client, "kerberos/replayed", DENIED, Some(34));
}

#[test]
fn the_ticket_may_be_asked_for_by_nobody_in_particular() {
    let site = site();
    let client = client();
    let bare = portcullis_wire::kerberos::TgtRequest { server_name: None, realm: None };
    let mut message = Vec::new();
    bare.encode(&mut message);
    let asks = client.framed(InnerToken::TgtReq, &message);
    let outcome = site.hears_tokens(&[asks.clone(), asks, client.token()]);
    assert_eq!(outcome.statuses, [CONTINUE, CONTINUE, Status::SEC_E_OK]);
    for len in 0..message.len() {
        let cut = client.framed(InnerToken::TgtReq, &message[..len]);
        let outcome = site.hears_tokens(&[cut]);
        assert_eq!(outcome.cause_name(), "kerberos/malformed-token");
    }
}

#[test]
fn only_where_it_is_configured() {
    let without = Site::of_web();
    let outcome = without.hears_tokens(&[client().asks_for_ticket()]);
    let none = ("kerberos/user-to-user-not-configured", Status::SEC_E_NO_CREDENTIALS);
    assert_eq!((outcome.cause_name(), outcome.status()), none);
    without.refuses(&client(), none.0, none.1, Some(67));
}

/// The option that says whose key it is stands outside of everything that is signed.
#[test]
fn the_option_decides_which_key_and_no_more() {
    let mut site = site();
    // The ticket of a service's long-term key is not opened by the session key, and the other way round.
    let web = LongTerm::of("HTTP/web.example@EXAMPLE", 3, Enctype::Aes256Sha1);
    site.services = vec![web];
    site.keys = portcullis_testkit::kerberos::Keys::of(&site.services);
    let mut ordinary = site.client();
    ordinary.options |= ApReq::USE_SESSION_KEY;
    site.refuses(&ordinary, "kerberos/ticket-not-decryptable", DENIED, Some(41));
    let mut bare = client();
    bare.options &= !ApReq::USE_SESSION_KEY;
    bare.ticket.kvno = Some(3);
    site.refuses(&bare, "kerberos/ticket-not-decryptable", DENIED, Some(41));
    site.accepts(&site.client().again(5));
    site.accepts(&client());
}

#[test]
fn the_same_is_asked_of_such_tickets() {
    let mut site = site();
    let mut expired = client();
    expired.ticket.end_time = 0;
    site.refuses(&expired, "kerberos/ticket-expired", Status::SEC_E_CONTEXT_EXPIRED, Some(32));
    let mut other = client();
    other.ticket.under = RawKey::drawn(Enctype::Aes256Sha1, 5);
    site.refuses(&other, "kerberos/ticket-not-decryptable", DENIED, Some(41));
    let mut kdc = client();
    kdc.ticket.service = Name::service("krbtgt/EXAMPLE@EXAMPLE");
    site.refuses(&kdc, "kerberos/ticket-granting", DENIED, Some(41));
    let mut unsigned = client();
    unsigned.ticket.pac.as_mut().unwrap().server.clear();
    site.refuses(&unsigned, "kerberos/pac-unsigned", DENIED, Some(41));
    let differs = Client { name: Name::user("bob@EXAMPLE"), ..client() };
    site.refuses(&differs, "kerberos/client-differs", DENIED, Some(36));
    site.config.pac = PacPolicy::Require;
    let mut none = client();
    none.ticket.pac = None;
    site.refuses(&none, "kerberos/pac-missing", DENIED, Some(41));
}

#[test]
fn caches_without_such_a_ticket() {
    let service = Cached::of(Site::of_web().ticket("me@EXAMPLE"));
    let none = TicketGranting::from_ccache(&ccache(std::slice::from_ref(&service))).unwrap_err();
    assert_eq!(none, NoCredentials::NoTicketGranting);
    let mut unknown = Cached::of(granting());
    unknown.key.etype = 3;
    let none = TicketGranting::from_ccache(&ccache(&[unknown])).unwrap_err();
    assert_eq!(none, NoCredentials::NoTicketGranting);
    // The first one that can be used, wherever it stands.
    TicketGranting::from_ccache(&ccache(&[service, Cached::of(granting())])).unwrap();
    let file = ccache(&[Cached::of(granting())]);
    for len in 0..file.len() {
        assert!(TicketGranting::from_ccache(&file[..len]).is_err(), "{len}");
    }
}

/// The services that are listed are names of keys in a keytab; the ticket's owner is none of them.
#[test]
fn a_list_of_services_is_not_about_accounts() {
    let mut site = site();
    site.config.services = portcullis::kerberos::ServiceNames::List(vec!["HTTP/web.example".into()]);
    site.accepts(&client());
}
