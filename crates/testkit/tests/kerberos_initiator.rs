//! Both ends of the library: an initiator with a credential cache, and the acceptor.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::kerberos::crypto::Enctype;
use portcullis::kerberos::{Cause, Initiator};
use portcullis::{BindingPolicy, ChannelBindings, Context, ContextFlags as F, Credential, Segment, Status};
use portcullis_testkit::kerberos::{Cached, LongTerm, NOW, RawKey, SKEW, Site, Ticket, ccache};
use portcullis_testkit::{Meeting, Settings, meet};
use portcullis_wire::kerberos::{Ccache, TicketFlags};

/// A cache with a ticket for the site, and a ticket-granting ticket.
fn cache(site: &Site) -> Vec<u8> {
    let kdc = LongTerm::of("krbtgt/EXAMPLE@EXAMPLE", 1, Enctype::Aes256Sha1);
    let mut granting = Ticket::of(&kdc, "ann@EXAMPLE", NOW);
    granting.session = RawKey::drawn(Enctype::Aes256Sha1, 0x7467);
    ccache(&[Cached::of(granting), Cached::of(site.ticket("ann@EXAMPLE"))])
}

fn initiator(site: &Site) -> Credential {
    Credential::initiator(Initiator::from_ccache(&cache(site)).unwrap())
}

/// What the client's host gives to each call.
fn wanting(site: &Site, flags: F) -> Settings {
    let mut settings = Settings { target: Some("HTTP/web.example".into()), ..site.settings.clone() };
    settings.server_challenge = [0xcc; 8];
    settings.want.flags = flags;
    settings
}

fn talk(site: &Site, settings: &Settings) -> Meeting {
    meet((&initiator(site), settings), (&site.credential(), &site.settings), &site.keys, |_, _| {})
}

const USUAL: F = F(F::MUTUAL_AUTH.0 | F::REPLAY_DETECT.0 | F::SEQUENCE_DETECT.0 | F::CONFIDENTIALITY.0);

/// One message each way, and whether it was sealed.
fn exchange(from: &mut Context, to: &mut Context, sealed: bool) {
    let sizes = from.facts().sizes;
    let mut mic = vec![0; sizes.max_signature as usize];
    let len = from.sign(&mut [Segment::SignOnly(b"words"), Segment::Token(&mut mic)]).unwrap();
    to.verify(&mut [Segment::SignOnly(b"words"), Segment::Token(&mut mic[..len])]).unwrap();
    let (mut data, mut token) = (b"more words".to_vec(), vec![0; sizes.security_trailer as usize]);
    let message = &mut [Segment::Data(&mut data), Segment::Token(&mut token)];
    let len = if sealed { from.seal(message) } else { from.seal_plain(message) }.unwrap();
    assert_eq!(data == b"more words", !sealed);
    let opened = to.unseal(&mut [Segment::Data(&mut data), Segment::Token(&mut token[..len])]).unwrap();
    assert_eq!((data.as_slice(), opened.enciphered), (&b"more words"[..], sealed));
}

#[test]
fn all_flags_of_every_enctype() {
    let flags = [
        F::MUTUAL_AUTH,
        F::REPLAY_DETECT,
        F::SEQUENCE_DETECT,
        F::CONFIDENTIALITY,
        F::INTEGRITY,
        F::USE_DCE_STYLE,
        F::IDENTIFY,
        F::DELEGATE,
    ];
    for enctype in Enctype::ALL {
        let site = Site::of_enctype(enctype);
        let client = initiator(&site);
        for wishes in 0..1_u32 << flags.len() {
            let chosen = flags.iter().enumerate().filter(|(bit, _)| wishes >> bit & 1 == 1);
            let want = chosen.fold(F::NONE, |all, (_, flag)| all | *flag);
            let mut settings = wanting(&site, want);
            settings.server_challenge = u64::from(wishes).to_le_bytes();
            let meeting = meet((&client, &settings), (&site.credential(), &site.settings), &site.keys, |_, _| {});
            let ended = (meeting.initiator.ended(), meeting.acceptor.ended());
            assert_eq!(ended, ("ok", "ok"), "{enctype:?} {want:?}");
            let (mut client, mut server) = (meeting.initiator.context.unwrap(), meeting.acceptor.context.unwrap());
            let (ours, theirs) = (client.facts(), server.facts());
            assert_eq!(ours.granted, theirs.granted, "{enctype:?} {want:?}");
            assert!(ours.granted.contains(want), "{want:?} became {:?}", ours.granted);
            let key = |facts: &portcullis::Facts| facts.session_key.as_ref().unwrap().expose().clone();
            assert_eq!(key(ours), key(theirs));
            assert_eq!(theirs.claim.target(), "HTTP/web.example");
            assert_eq!(theirs.ticket.as_ref().unwrap().client, "ann@EXAMPLE");
            assert_eq!(ours.claim.user(), "ann@EXAMPLE");
            assert_eq!(theirs.ticket.as_ref().unwrap().delegated.is_some(), want.contains(F::DELEGATE));
            let messages = match (want.contains(F::USE_DCE_STYLE), want.contains(F::MUTUAL_AUTH)) {
                (true, _) => 3,
                (false, true) => 2,
                (false, false) => 1,
            };
            assert_eq!(meeting.messages.len(), messages, "{want:?}");
            let sealed = want.contains(F::CONFIDENTIALITY);
            exchange(&mut client, &mut server, sealed);
            exchange(&mut server, &mut client, sealed);
        }
    }
}

#[test]
fn clocks_that_differ_are_corrected_once() {
    for apart in [SKEW + 1, -SKEW - 1, 86_400] {
        let mut site = Site::of_web();
        site.settings.want.flags = F::EXTENDED_ERROR;
        let mut settings = wanting(&site, USUAL);
        settings.now = settings.now.checked_add_signed(apart * 10_000_000).unwrap();
        // The client's cache is good at its own time, too.
        let mut ticket = site.ticket("ann@EXAMPLE");
        ticket.end_time += 2 * 86_400;
        ticket.start_time = Some(NOW - 3 * 86_400);
        let client = Credential::initiator(Initiator::from_ccache(&ccache(&[Cached::of(ticket)])).unwrap());
        let meeting = meet((&client, &settings), (&site.credential(), &site.settings), &site.keys, |_, _| {});
        assert_eq!((meeting.initiator.ended(), meeting.acceptor.ended()), ("ok", "ok"), "{apart}");
        assert_eq!(meeting.messages.len(), 4, "request, error, request, reply");
        // A server that says so twice is not believed twice.
        let mut errors = Vec::new();
        let meeting =
            meet(
                (&client, &settings),
                (&site.credential(), &site.settings),
                &site.keys,
                |number, token| match number {
                    1 => errors.push(token.clone()),
                    3 => token.clone_from(&errors[0]),
                    _ => {}
                },
            );
        assert_eq!(meeting.initiator.cause, Some(Cause::ServerRefused(37).into()));
    }
}

/// A KRB-ERROR is signed by nobody: whoever stands between may not move the client's clock past a day.
#[test]
fn a_clock_too_far_away_is_not_followed() {
    for apart in [86_401, -86_401, 86_400 * 365] {
        let mut site = Site::of_web();
        site.settings.want.flags = F::EXTENDED_ERROR;
        let mut settings = wanting(&site, USUAL);
        settings.now = settings.now.checked_add_signed(apart * 10_000_000).unwrap();
        let mut ticket = site.ticket("ann@EXAMPLE");
        ticket.end_time += 2 * 86_400 * 365;
        ticket.start_time = Some(NOW - 3 * 86_400 * 365);
        let client = Credential::initiator(Initiator::from_ccache(&ccache(&[Cached::of(ticket)])).unwrap());
        let meeting = meet((&client, &settings), (&site.credential(), &site.settings), &site.keys, |_, _| {});
        assert_eq!(meeting.initiator.cause, Some(Cause::ServerRefused(37).into()), "{apart}");
        assert_eq!(meeting.messages.len(), 2, "request and error");
        assert!(meeting.initiator.context.is_none() && meeting.acceptor.context.is_none());
    }
}

#[test]
fn a_refusal_is_told() {
    let mut site = Site::of_web();
    let settings = wanting(&site, USUAL);
    site.keys =
        portcullis_testkit::kerberos::Keys::of(&[LongTerm::of("HTTP/web.example@EXAMPLE", 9, Enctype::Aes256Sha1)]);
    let meeting = talk(&site, &settings);
    assert_eq!(meeting.acceptor.ended(), "kerberos/no-key-version");
    assert_eq!(meeting.initiator.cause, Some(Cause::ServerRefused(44).into()));
    assert_eq!(meeting.initiator.ended(), "kerberos/server-refused");
    assert_eq!(meeting.initiator.statuses.last(), Some(&Status::SEC_E_LOGON_DENIED));
}

#[test]
fn who_has_no_ticket_says_nothing() {
    let site = Site::of_web();
    let ends = |cache: &[u8], target: Option<&str>, seconds: i64| {
        let mut settings = wanting(&site, USUAL);
        settings.target = target.map(str::to_owned);
        settings.now = settings.now.checked_add_signed(seconds * 10_000_000).unwrap();
        let client = Credential::initiator(Initiator::from_ccache(cache).unwrap());
        let meeting = meet((&client, &settings), (&site.credential(), &site.settings), &site.keys, |_, _| {});
        assert!(meeting.messages.is_empty() || meeting.initiator.cause.is_none());
        (meeting.initiator.ended(), meeting.initiator.statuses[0])
    };
    let (cache, web) = (cache(&site), Some("HTTP/web.example"));
    let none = ("kerberos/no-ticket", Status::SEC_E_NO_CREDENTIALS);
    let over = ("kerberos/own-ticket-expired", Status::SEC_E_CONTEXT_EXPIRED);
    assert_eq!(ends(&cache, None, 0), ("kerberos/no-target", Status::SEC_E_INVALID_PARAMETER));
    for target in ["HTTP/other.example", "ldap/web.example", "HTTP/web.example@OTHER", "web.example", ""] {
        assert_eq!(ends(&cache, Some(target), 0), none, "{target}");
    }
    for target in ["HTTP/web.example", "http/WEB.example", "HTTP/web.example@EXAMPLE"] {
        assert_eq!(ends(&cache, Some(target), 0).0, "ok", "{target}");
    }
    assert_eq!(ends(&cache, web, 36_000), over);
    assert_eq!(ends(&cache, web, -86_400), over);
    let empty =
        ccache(&[Cached::of(Ticket::of(&LongTerm::of("x/y@EXAMPLE", 1, Enctype::Aes128Sha1), "ann@EXAMPLE", NOW))]);
    assert_eq!(ends(&empty, web, 0), none);
    for len in 0..cache.len() {
        let cut = Initiator::from_ccache(&cache[..len]);
        // The file may end behind a whole ticket, and nowhere else.
        if cut.is_ok() {
            assert!(Ccache::decode(&cache[..len]).unwrap().credentials().all(|entry| entry.is_ok()), "{len}");
        }
    }
}

#[test]
fn bindings_are_said() {
    let mut site = Site::of_web();
    let channel = |byte| Some(ChannelBindings::tls_server_end_point(&[byte; 32]));
    site.config.bindings = BindingPolicy::Require;
    site.settings.bindings = channel(1);
    let mut settings = wanting(&site, USUAL);
    let mut number = 0;
    let mut ends = |site: &Site, bindings| {
        number += 1;
        (settings.bindings, settings.server_challenge) = (bindings, [number; 8]);
        talk(site, &settings).acceptor.ended()
    };
    assert_eq!(ends(&site, channel(1)), "ok");
    assert_eq!(ends(&site, channel(2)), "kerberos/bindings-wrong");
    assert_eq!(ends(&site, None), "kerberos/bindings-missing");
    // A client that sees no channel does not say that it would bind to one.
    site.config.bindings = BindingPolicy::WhenPresent;
    assert_eq!(ends(&site, None), "ok");
    assert_eq!(ends(&site, channel(2)), "kerberos/bindings-wrong");
}

#[test]
fn what_is_forwarded_can_be_used() {
    let site = Site::of_web();
    let meeting = talk(&site, &wanting(&site, USUAL | F::DELEGATE));
    let server = meeting.acceptor.context.unwrap();
    let ticket = server.facts().ticket.as_ref().unwrap();
    let delegated = ticket.delegated.as_ref().unwrap();
    assert_eq!(delegated.client, "ann@EXAMPLE");
    Initiator::from_ccache(delegated.ccache.expose()).unwrap();
    let held =
        Ccache::decode(delegated.ccache.expose()).unwrap().credentials().next().unwrap().unwrap().ticket.to_vec();
    let own = cache(&site);
    let sent = Ccache::decode(&own).unwrap().credentials().next().unwrap().unwrap().ticket;
    assert_eq!(held, sent);
    // A ticket-granting ticket that may not be forwarded is not.
    let kdc = LongTerm::of("krbtgt/EXAMPLE@EXAMPLE", 1, Enctype::Aes256Sha1);
    let fixed = Ticket { flags: TicketFlags::PRE_AUTHENT, ..Ticket::of(&kdc, "ann@EXAMPLE", NOW) };
    let cache = ccache(&[Cached::of(fixed), Cached::of(Ticket { seed: 9, ..site.ticket("ann@EXAMPLE") })]);
    let client = Credential::initiator(Initiator::from_ccache(&cache).unwrap());
    let settings = Settings { server_challenge: [9; 8], ..wanting(&site, USUAL | F::DELEGATE) };
    let meeting = meet((&client, &settings), (&site.credential(), &site.settings), &site.keys, |_, _| {});
    let (client, server) = (meeting.initiator.context.unwrap(), meeting.acceptor.context.unwrap());
    assert!(!client.facts().granted.contains(F::DELEGATE) && !server.facts().granted.contains(F::DELEGATE));
}
