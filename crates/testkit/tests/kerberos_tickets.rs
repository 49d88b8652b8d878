//! Kerberos tickets: whose key opens them, and until when. The numbers are those of the regressions that each test
//! shows not to be here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::Status;
use portcullis::kerberos::crypto::Enctype;
use portcullis::kerberos::{ServiceNames, Transited};
use portcullis_testkit::kerberos::{Client, Keys, LongTerm, NOW, Name, RawKey, Site, Ticket};
use portcullis_wire::kerberos::TicketFlags;
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

const WEB: &str = "HTTP/web.example@EXAMPLE";
const DENIED: Status = Status::SEC_E_LOGON_DENIED;
const NO_KEY: Status = Status::SEC_E_NO_KERB_KEY;

fn key(kvno: u32) -> LongTerm {
    LongTerm::of(WEB, kvno, Enctype::Aes256Sha1)
}

/// A client with a ticket under this key.
fn with(key: &LongTerm) -> Client {
    Client::of(Ticket::of(key, "ann@EXAMPLE", NOW))
}

/// The same client, whose ticket says another version of its key.
fn saying(key: &LongTerm, kvno: Option<u32>) -> Client {
    Client::of(Ticket { kvno, ..Ticket::of(key, "ann@EXAMPLE", NOW) })
}

#[test]
fn k29_the_key_is_held_or_it_is_not() {
    let site = Site::of_web();
    let context = site.accepts(&site.client());
    let ticket = context.facts().ticket.as_ref().unwrap();
    assert_eq!((ticket.service.principal.as_str(), ticket.service.kvno), (WEB, 3));

    let mut other = key(3);
    other.key.value[31] ^= 1;
    let outcome = site.refuses(&with(&other), "kerberos/ticket-not-decryptable", DENIED, Some(41));
    let events = outcome.events.join("\n");
    for said in ["ticket for HTTP/web.example@EXAMPLE, kvno 3, aes256", "held: HTTP/web.example@EXAMPLE kvno 3 aes256"]
    {
        assert!(events.contains(said), "{said}: {events}");
    }
    // Another service's key, whatever the ticket calls itself.
    let ldap = LongTerm::of("ldap/web.example@EXAMPLE", 3, Enctype::Aes256Sha1);
    site.refuses(&with(&ldap), "kerberos/ticket-not-decryptable", DENIED, Some(41));

    let empty = Site::holding(Vec::new());
    empty.refuses(&site.client(), "kerberos/no-keytab", Status::SEC_E_NO_CREDENTIALS, Some(45));
    let aes_128 = LongTerm::of(WEB, 3, Enctype::Aes128Sha1);
    site.refuses(&with(&aes_128), "kerberos/no-key", NO_KEY, Some(45));
}

#[test]
fn k29_versions_of_a_key() {
    let rotated = Site::holding(vec![key(4)]);
    rotated.refuses(&with(&key(3)), "kerberos/no-key-version", NO_KEY, Some(44));
    rotated.accepts(&with(&key(4)));
    // Old keys that are kept go on opening.
    for order in [vec![key(3), key(4)], vec![key(4), key(3)]] {
        let kept = Site::holding(order);
        for kvno in [3, 4] {
            let context = kept.accepts(&with(&key(kvno)).again(kvno.into()));
            assert_eq!(context.facts().ticket.as_ref().unwrap().service.kvno, kvno);
        }
    }
    // A ticket without a version, of version zero, or of a wrong one for the right key.
    let site = Site::holding(vec![key(3), key(4)]);
    for (seed, kvno) in (1..).zip([None, Some(0), Some(3), Some(4), Some(5), Some(u32::MAX)]) {
        for opener in [3, 4] {
            let context = site.accepts(&saying(&key(opener), kvno).again(seed * 10 + u64::from(opener)));
            assert_eq!(context.facts().ticket.as_ref().unwrap().service.kvno, opener, "{kvno:?}");
        }
    }
    // A keytab of version zero fits every ticket, as far as its key does.
    let unversioned = Site::holding(vec![LongTerm { kvno: 0, ..key(3) }]);
    unversioned.accepts(&with(&key(3)));
    unversioned.accepts(&saying(&key(3), Some(77)).again(9));
    unversioned.refuses(&with(&key(4)), "kerberos/ticket-not-decryptable", DENIED, Some(41));
    // Versions beyond the eight bits of old keytabs.
    let many = Site::holding(vec![key(300)]);
    assert_eq!(many.accepts(&with(&key(300))).facts().ticket.as_ref().unwrap().service.kvno, 300);
    many.refuses(&with(&key(44)), "kerberos/no-key-version", NO_KEY, Some(44));
}

#[test]
fn a_keytab_of_many_keys() {
    let mut keys: Vec<_> =
        (0..40).map(|n| LongTerm::of(&format!("svc{n}/h@EXAMPLE"), 9, Enctype::Aes256Sha1)).collect();
    keys.push(key(3));
    let site = Site::holding(keys);
    site.accepts(&with(&key(3)));
    // One that calls itself otherwise is tried against sixteen of them, not against all.
    let mut hidden = with(&key(3)).again(8);
    hidden.ticket.service = Name::service("nobody/h@EXAMPLE");
    hidden.ticket.kvno = None;
    site.refuses(&hidden, "kerberos/ticket-not-decryptable", DENIED, Some(41));
    // One key under forty names is one key.
    let same = (0..40).map(|n| LongTerm { name: Name::service(&format!("svc{n}/h@EXAMPLE")), ..key(5) });
    let site = Site::holding(same.chain([key(3)]).collect());
    site.accepts(&hidden);
}

#[test]
fn k24_every_enctype_of_service_and_session() {
    for service in Enctype::ALL {
        for session in Enctype::ALL {
            let mut site = Site::of_enctype(service);
            site.config.danger_accept_rc4 = true;
            let mut client = Client::of(site.ticket("ann@EXAMPLE").with_session(session));
            for (seed, subkey) in (1..).zip([client.subkey.clone(), None]) {
                client = Client { subkey, ..client.again(seed) };
                let outcome = site.hears(&client);
                assert_eq!(outcome.cause_name(), "ok", "{service:?} {session:?}");
                let reply = client.heard(&outcome.output).reply();
                assert_eq!((reply.etype, reply.time, reply.micros), (session.number(), client.time, client.micros));
                let facts = outcome.context.as_ref().unwrap().facts();
                let ticket = facts.ticket.as_ref().unwrap();
                assert_eq!((ticket.service.enctype, ticket.session_enctype), (service, session));
                // RC4 goes on with the client's key, all others with the server's.
                let own = client.subkey.as_ref().unwrap_or(&client.ticket.session);
                let agreed = reply.subkey.as_ref().unwrap_or(own);
                assert_eq!(reply.subkey.is_none(), session == Enctype::Rc4);
                assert_eq!(agreed.etype, session.number());
                assert_eq!(facts.session_key.as_ref().unwrap().expose(), &agreed.value);
            }
        }
    }
}

#[test]
fn k13_rc4_is_off_unless_it_is_switched_on() {
    let rc4 = LongTerm::of(WEB, 3, Enctype::Rc4);
    let mut site = Site::holding(vec![rc4.clone(), key(3)]);
    let by_service = with(&rc4);
    let aes = with(&key(3));
    let by_session = Client::of(aes.ticket.clone().with_session(Enctype::Rc4));
    let by_subkey = Client { subkey: Some(RawKey::drawn(Enctype::Rc4, 1)), ..aes.clone() };
    for client in [&by_service, &by_session, &by_subkey] {
        site.refuses(client, "kerberos/rc4-refused", DENIED, Some(14));
    }
    // A list of wishes that has RC4 in it is one without.
    let wishes = Client { enctypes: vec![23, 17], ..aes };
    let reply = wishes.heard(&site.hears(&wishes).output).reply();
    assert_eq!(reply.subkey.unwrap().etype, 17);
    site.config.danger_accept_rc4 = true;
    for client in [&by_service, &by_session, &by_subkey] {
        site.accepts(client);
    }
}

#[test]
fn enctypes_that_nobody_has() {
    let site = Site::of_web();
    for etype in [0, 1, 2, 3, 16, 24, -133, 21, i32::MAX, i32::MIN] {
        let mut client = site.client();
        client.ticket.etype = etype;
        let outcome = site.refuses(&client, "kerberos/unknown-enctype", DENIED, Some(14));
        assert!(outcome.events.join("\n").contains(&*Enctype::name_of(etype)));
        let mut client = site.client();
        client.ticket.session.etype = etype;
        site.refuses(&client, "kerberos/unknown-enctype", DENIED, Some(14));
        let client = Client { subkey: Some(RawKey { etype, value: vec![1; 32] }), ..site.client() };
        site.refuses(&client, "kerberos/unknown-enctype", DENIED, Some(14));
    }
    // Keys whose length does not fit their enctype.
    for len in [0, 16, 31, 33] {
        let value = vec![1; len];
        let mut client = site.client();
        client.ticket.session = RawKey { etype: 18, value: value.clone() };
        let invalid = Status::SEC_E_INVALID_TOKEN;
        site.refuses(&client, "kerberos/malformed-token", invalid, None);
        let client = Client { subkey: Some(RawKey { etype: 18, value }), ..site.client() };
        site.refuses(&client, "kerberos/malformed-token", invalid, None);
    }
}

#[test]
fn k16_a_ticket_for_the_kdc_is_no_services() {
    let kdc = LongTerm::of("krbtgt/EXAMPLE@EXAMPLE", 3, Enctype::Aes256Sha1);
    // A real one, under the KDC's key; even where somebody put that key into the keytab.
    let mut as_web = with(&kdc);
    as_web.ticket.service = Name::service(WEB);
    for site in [Site::of_web(), Site::holding(vec![kdc.clone(), key(3)])] {
        site.refuses(&with(&kdc), "kerberos/ticket-granting", DENIED, Some(41));
        site.refuses(&as_web, "kerberos/ticket-not-decryptable", DENIED, Some(41));
    }
    Site::holding(vec![kdc]).refuses(&as_web, "kerberos/no-keytab", Status::SEC_E_NO_CREDENTIALS, Some(45));
    // One that only says so, under a key that is held.
    for name in ["krbtgt/EXAMPLE@EXAMPLE", "KRBTGT/OTHER@EXAMPLE", "krbtgt@EXAMPLE"] {
        let mut client = with(&key(3));
        client.ticket.service = Name::service(name);
        Site::of_web().refuses(&client, "kerberos/ticket-granting", DENIED, Some(41));
    }
}

#[test]
fn k11_what_stands_outside_a_ticket_decides_nothing() {
    let ldap = LongTerm::of("ldap/web.example@EXAMPLE", 3, Enctype::Aes256Sha1);
    let mut site = Site::holding(vec![key(3), ldap.clone()]);
    for (seed, name) in (1..).zip(["HTTP/web.example@EXAMPLE", "ldap/web.example@EXAMPLE", "x@y", "a/b/c/d@OTHER"]) {
        let mut client = with(&ldap).again(seed);
        client.ticket.service = Name::service(name);
        let context = site.accepts(&client);
        let facts = context.facts();
        assert_eq!(facts.ticket.as_ref().unwrap().service.principal, "ldap/web.example@EXAMPLE", "{name}");
        assert_eq!(facts.claim.target(), "ldap/web.example@EXAMPLE", "{name}");
    }
    // So a list of services looks at the key's.
    site.config.services = ServiceNames::List(vec!["http/WEB.example".into()]);
    let mut client = with(&ldap).again(50);
    client.ticket.service = Name::service(WEB);
    site.refuses(&client, "kerberos/service-not-ours", DENIED, Some(35));
    let mut client = with(&key(3)).again(51);
    client.ticket.service = ldap.name;
    site.accepts(&client);
    site.config.services = ServiceNames::List(vec!["HTTP/web.example@OTHER".into()]);
    site.refuses(&with(&key(3)), "kerberos/service-not-ours", DENIED, Some(35));
}

/// What is changed of a ticket, and how it ends then; `None` where it is good.
type Change = fn(&mut Ticket);
type End = Option<(&'static str, Status, i32)>;

#[test]
fn k23_a_ticket_has_its_time() {
    let site = Site::of_web();
    let nyv = ("kerberos/ticket-not-yet-valid", Status::SEC_E_TIME_SKEW, 33);
    let expired = ("kerberos/ticket-expired", Status::SEC_E_CONTEXT_EXPIRED, 32);
    let invalid = ("kerberos/ticket-invalid", DENIED, 33);
    let cases: [(Change, End); 14] = [
        (|ticket| ticket.flags = ticket.flags | TicketFlags::INVALID, Some(invalid)),
        (|ticket| (ticket.flags, ticket.end_time) = (TicketFlags::INVALID, NOW - 1000), Some(invalid)),
        (|ticket| ticket.flags = TicketFlags(!(TicketFlags::INVALID | TicketFlags::ANONYMOUS).0), None),
        (|ticket| ticket.start_time = Some(NOW + 299), None),
        (|ticket| ticket.start_time = Some(NOW + 300), None),
        (|ticket| ticket.start_time = Some(NOW + 301), Some(nyv)),
        (|ticket| (ticket.start_time, ticket.auth_time) = (None, NOW + 300), None),
        (|ticket| (ticket.start_time, ticket.auth_time) = (None, NOW + 301), Some(nyv)),
        (|ticket| ticket.end_time = NOW - 299, None),
        (|ticket| ticket.end_time = NOW - 300, None),
        (|ticket| ticket.end_time = NOW - 301, Some(expired)),
        (|ticket| ticket.end_time = 0, Some(expired)),
        (|ticket| ticket.end_time = 253_402_300_799, None),
        (|ticket| ticket.renew_till = None, None),
    ];
    for (number, (change, end)) in cases.into_iter().enumerate() {
        let mut client = site.client().again(number as u64);
        change(&mut client.ticket);
        match end {
            Some((cause, status, code)) => drop(site.refuses(&client, cause, status, Some(code))),
            None => {
                let context = site.accepts(&client);
                let end = UNIX_EPOCH + Duration::from_secs(u64::try_from(client.ticket.end_time).unwrap());
                assert_eq!(context.facts().expiry, Some(end), "case {number}");
                let ticket = context.facts().ticket.as_ref().unwrap();
                assert_eq!((ticket.end_time, ticket.flags), (end, client.ticket.flags));
                assert_eq!(ticket.renew_till.is_some(), client.ticket.renew_till.is_some());
            }
        }
    }
}

#[test]
fn k23_clocks_may_differ_by_the_skew() {
    let invalid = Status::SEC_E_INVALID_TOKEN;
    for skew in [0_i64, 10, 300] {
        let mut site = Site::of_web();
        site.config.skew = Duration::from_secs(skew.unsigned_abs());
        let at = |seconds: i64, micros: u32| Client { time: NOW + seconds, micros, ..site.client() };
        let inside = [(skew, 0), (-skew, 0), (skew - 1, 999_999), (-skew, 1)];
        for (seed, (seconds, micros)) in (1..).zip(&inside[..if skew == 0 { 1 } else { 4 }]) {
            site.accepts(&at(*seconds, *micros).again(seed));
        }
        for (seconds, micros) in [(skew, 1), (skew + 1, 0), (-skew - 1, 999_999), (-skew - 1, 0), (-NOW, 0)] {
            let client = at(seconds, micros);
            let outcome = site.refuses(&client, "kerberos/clock-skew", Status::SEC_E_TIME_SKEW, Some(37));
            let refused = client.heard(&outcome.output).refused();
            assert_eq!((refused.time, refused.micros), (NOW, 0), "the server's time");
            assert!(outcome.events.join("\n").contains(&format!("allowed are {skew} s")));
        }
    }
    let site = Site::of_web();
    site.refuses(&Client { micros: 1_000_000, ..site.client() }, "kerberos/malformed-token", invalid, None);
}

#[test]
fn addresses_count_where_they_are_looked_at() {
    let mut site = Site::of_web();
    let mut client = site.client();
    let v6: IpAddr = "2001:db8::1".parse().unwrap();
    let mapped: IpAddr = "::ffff:192.0.2.7".parse().unwrap();
    let octets = "2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets().to_vec();
    client.ticket.addresses = Some(vec![(20, b"WORKSTATION".to_vec()), (2, vec![192, 0, 2, 7]), (24, octets)]);
    let mut seed = 0;
    let mut ends = |site: &Site, peer: Option<IpAddr>| {
        seed += 1;
        let settings = portcullis_testkit::Settings { peer, ..site.settings.clone() };
        let site = Site { settings, config: site.config.clone(), services: Vec::new(), keys: Keys::of(&site.services) };
        site.hears(&client.clone().again(seed)).cause_name()
    };
    let stranger = Some("192.0.2.8".parse().unwrap());
    assert_eq!(ends(&site, stranger), "ok", "off by default");
    site.config.check_addresses = true;
    for peer in [Some("192.0.2.7".parse().unwrap()), Some(v6), Some(mapped), None] {
        assert_eq!(ends(&site, peer), "ok", "{peer:?}");
    }
    site.settings.peer = stranger;
    site.refuses(&client, "kerberos/address-not-allowed", DENIED, Some(38));
    client.ticket.addresses = Some(Vec::new());
    site.refuses(&client, "kerberos/address-not-allowed", DENIED, Some(38));
    client.ticket.addresses = None;
    site.accepts(&client);
}

#[test]
fn clients_of_other_realms() {
    let mut site = Site::of_web();
    let mut foreign = Client::of(site.ticket("ann@OTHER"));
    foreign.ticket.transited = (1, b"MIDDLE".to_vec());
    site.accepts(&foreign);
    site.config.transited = Transited::Checked;
    site.refuses(&foreign, "kerberos/transited-unchecked", DENIED, Some(51));
    site.accepts(&site.client().again(2));
    foreign.ticket.flags = foreign.ticket.flags | TicketFlags::TRANSITED_POLICY_CHECKED;
    foreign.seed = 4;
    let context = site.accepts(&foreign);
    assert_eq!(context.facts().ticket.as_ref().unwrap().client, "ann@OTHER");
}

#[test]
fn a_right_key_around_nonsense() {
    let site = Site::of_web();
    let ticket = site.ticket("ann@EXAMPLE");
    let part = ticket.part();
    let cut: Vec<_> = (0..part.len()).map(|len| part[..len].to_vec()).collect();
    let glued = [part.clone(), [&part[..], &[0]].concat()].concat();
    for part in cut.into_iter().chain([glued, b"EncTicketPart".to_vec()]) {
        let client = Client { raw_ticket: Some(ticket.around(&part)), ..site.client() };
        let outcome = site.hears(&client);
        assert_eq!((outcome.cause_name(), outcome.status()), ("kerberos/malformed-token", Status::SEC_E_INVALID_TOKEN));
        assert!(outcome.output.is_empty());
    }
}

/// One account's key stands under each of its services' names, and the name in the ticket proves nothing: the list is of
/// keys, whatever the keytab's order and the ticket say.
#[test]
fn a_list_of_services_is_of_their_keys() {
    let web = LongTerm::of("HTTP/web.example@EXAMPLE", 7, Enctype::Aes256Sha1);
    let host = LongTerm { name: Name::service("host/web.example@EXAMPLE"), kvno: 7, key: web.key.clone() };
    let cifs = LongTerm::of("cifs/web.example@EXAMPLE", 7, Enctype::Aes256Sha1);
    for keys in [vec![web.clone(), host.clone(), cifs.clone()], vec![cifs.clone(), host.clone(), web.clone()]] {
        let mut site = Site::holding(keys);
        site.config.services = portcullis::kerberos::ServiceNames::List(vec!["HTTP/web.example".into()]);
        for (seed, named) in (1..).zip(["HTTP/web.example@EXAMPLE", "host/web.example@EXAMPLE", "HTTP/alias@EXAMPLE"]) {
            let mut client = Client::of(Ticket::of(&web, "ann@EXAMPLE", NOW)).again(seed);
            client.ticket.service = Name::service(named);
            let context = site.accepts(&client);
            let service = &context.facts().ticket.as_ref().unwrap().service;
            assert_eq!(service.principal, "HTTP/web.example@EXAMPLE", "{named}");
        }
        let other = Client::of(Ticket::of(&cifs, "ann@EXAMPLE", NOW));
        assert_eq!(site.hears(&other).cause_name(), "kerberos/service-not-ours");
    }
}
