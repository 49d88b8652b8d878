//! Forwarded tickets: whose they must be, and what the server gets of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::kerberos::crypto::Enctype;
use portcullis::{ContextFlags, Status};
use portcullis_testkit::kerberos::{Client, Forwarded, LongTerm, NOW, Name, RawKey, Site, Ticket};
use portcullis_wire::kerberos::{Ccache, KerberosTime, gss_flag};

const DENIED: Status = Status::SEC_E_LOGON_DENIED;
const INVALID: Status = Status::SEC_E_INVALID_TOKEN;

/// The ticket-granting ticket of a client, as its KDC gives it out for forwarding.
fn granting(client: &str) -> Ticket {
    let kdc = LongTerm::of("krbtgt/EXAMPLE@EXAMPLE", 1, Enctype::Aes256Sha1);
    let mut ticket = Ticket::of(&kdc, client, NOW);
    ticket.session = RawKey::drawn(Enctype::Aes256Sha1, 0x7467_7400);
    ticket
}

/// The site's client, who forwards a message.
fn forwarding(site: &Site, message: Vec<u8>) -> Client {
    let mut client = site.client().asking(Client::FLAGS | gss_flag::DELEG);
    client.asks().delegation = message;
    client
}

#[test]
fn the_server_gets_a_cache() {
    let site = Site::of_web();
    let base = site.client();
    let keys = [None, Some(base.ticket.session.clone()), base.subkey.clone()];
    for (seed, under) in (1..).zip(keys) {
        let tgt = granting("ann@EXAMPLE");
        let forwarded = Forwarded::of(tgt.clone(), under);
        let context = site.accepts(&forwarding(&site, forwarded.encode()).again(seed));
        let facts = context.facts();
        assert!(facts.granted.contains(ContextFlags::DELEGATE));
        let delegated = facts.ticket.as_ref().unwrap().delegated.as_ref().unwrap();
        assert_eq!(delegated.client, "ann@EXAMPLE");
        let cache = Ccache::decode(delegated.ccache.expose()).unwrap();
        let credentials: Vec<_> = cache.credentials().map(Result::unwrap).collect();
        let [credential] = &credentials[..] else { panic!("{credentials:?}") };
        assert_eq!((credential.client.realm, credential.server.realm), (&b"EXAMPLE"[..], &b"EXAMPLE"[..]));
        assert_eq!(credential.client.components().collect::<Vec<_>>(), [b"ann"]);
        assert_eq!(credential.server.components().collect::<Vec<_>>(), [&b"krbtgt"[..], b"EXAMPLE"]);
        assert_eq!((credential.key.etype, credential.key.value), (tgt.session.etype, &tgt.session.value[..]));
        assert_eq!((credential.ticket, credential.flags), (&tgt.encode()[..], tgt.flags));
        assert_eq!(credential.times.endtime, KerberosTime(tgt.end_time));
        assert_eq!(credential.times.renew_till, KerberosTime(tgt.renew_till.unwrap()));
        // And the secret is not among what a log would show.
        assert!(!format!("{facts:?}").contains("7467"), "{facts:?}");
    }
    // Nobody forwards anything: nothing is granted.
    let context = site.accepts(&site.client().again(9));
    assert!(!context.facts().granted.contains(ContextFlags::DELEGATE));
    assert!(context.facts().ticket.as_ref().unwrap().delegated.is_none());
}

#[test]
fn without_the_flag_it_is_no_delegation() {
    let site = Site::of_web();
    let mut client = site.client();
    client.asks().extensions = [&[1, 0, 0xff, 0xff][..], b"whatever follows"].concat();
    let context = site.accepts(&client);
    assert!(context.facts().ticket.as_ref().unwrap().delegated.is_none());
}

#[test]
fn k30_it_must_be_the_clients_own() {
    let site = Site::of_web();
    let session = site.client().ticket.session;
    let differs = |forwarded: Forwarded| {
        let client = forwarding(&site, forwarded.encode());
        let outcome = site.refuses(&client, "kerberos/delegated-client-differs", DENIED, Some(36));
        outcome.events.join("\n")
    };
    for other in ["bob@EXAMPLE", "ann@OTHER", "Ann@EXAMPLE", "ann/admin@EXAMPLE", "administrator@EXAMPLE"] {
        for under in [None, Some(session.clone())] {
            let said = differs(Forwarded::of(granting(other), under));
            assert!(said.contains(&format!("ann@EXAMPLE forwards a ticket of {other}")), "{said}");
        }
    }
    // The name that counts is the one beside the key.
    let honest = Forwarded { client: Some(Name::user("bob@EXAMPLE")), ..Forwarded::of(granting("ann@EXAMPLE"), None) };
    differs(honest);
}

#[test]
fn what_cannot_be_read_is_not_taken() {
    let site = Site::of_web();
    let session = site.client().ticket.session;
    let unreadable = |message: Vec<u8>| {
        let client = forwarding(&site, message);
        site.refuses(&client, "kerberos/delegation-unreadable", INVALID, Some(60));
    };
    let of = |under| Forwarded::of(granting("ann@EXAMPLE"), under);
    unreadable(of(Some(RawKey::drawn(Enctype::Aes256Sha1, 99))).encode());
    unreadable(of(Some(RawKey::drawn(Enctype::Aes128Sha1, 99))).encode());
    unreadable(of(Some(granting("ann@EXAMPLE").session)).encode());
    unreadable(of(Some(RawKey { etype: 3, value: vec![1; 8] })).encode());
    // Nothing in it, or nobody's.
    unreadable(Forwarded { times: 0, ..of(None) }.encode());
    // A service's ticket is no ticket-granting ticket.
    let other = LongTerm::of("cifs/files.example@EXAMPLE", 1, Enctype::Aes256Sha1);
    unreadable(Forwarded::of(Ticket::of(&other, "ann@EXAMPLE", NOW), None).encode());
    unreadable(Forwarded { client: None, ..of(Some(session.clone())) }.encode());

    let message = of(Some(session)).encode();
    let outcome = |message: Vec<u8>| {
        let outcome = site.hears(&forwarding(&site, message));
        assert!(outcome.context.is_none());
        (outcome.cause_name(), outcome.status())
    };
    for len in 0..message.len() {
        assert_eq!(outcome(message[..len].to_vec()), ("kerberos/malformed-token", INVALID), "{len}");
    }
    assert_eq!(outcome([&message[..], &[0]].concat()), ("kerberos/malformed-token", INVALID));
    assert_eq!(outcome(of(None).ticket.encode()), ("kerberos/malformed-token", INVALID), "a bare ticket");
    // Every byte of what is under the key.
    let mut spoilt = message.clone();
    *spoilt.last_mut().unwrap() ^= 1;
    assert_eq!(outcome(spoilt), ("kerberos/delegation-unreadable", INVALID));
}

#[test]
fn several_tickets_are_all_the_clients() {
    let site = Site::of_web();
    let forwarded = Forwarded { times: 3, ..Forwarded::of(granting("ann@EXAMPLE"), None) };
    let context = site.accepts(&forwarding(&site, forwarded.encode()));
    let ticket = context.facts().ticket.as_ref().unwrap();
    let cache = ticket.delegated.as_ref().unwrap().ccache.expose().clone();
    assert_eq!(Ccache::decode(&cache).unwrap().credentials().count(), 3);
}

#[test]
fn as_large_as_a_checksum_can_hold() {
    let site = Site::of_web();
    let mut tgt = granting("ann@EXAMPLE");
    tgt.authorization = vec![(0x7fff, vec![7; 60_000])];
    let context = site.accepts(&forwarding(&site, Forwarded::of(tgt, None).encode()));
    assert!(context.facts().ticket.as_ref().unwrap().delegated.as_ref().unwrap().ccache.expose().len() > 60_000);
}
