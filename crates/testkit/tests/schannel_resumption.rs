//! What may be resumed, and what must not: a session goes on only where a full handshake would have come to the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::schannel::{AcceptorSettings, ClientAuth, Identities, Mapping, TicketKey, TicketKeys, Trust};
use portcullis::{ContextFlags, Control, Credential, Refusal, Secret, TlsVersion, Wants, schannel};
use portcullis_testkit::tls::{
    Ca, Judge, Leaf, Server, VERSIONS, client_of, client_with, connect, handshake, hears, provider, reads,
};
use rustls::client::{ClientSessionMemoryCache, ClientSessionStore, Resumption};
use rustls::client::{Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, NamedGroup};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(3600);

fn key(name: u8, from: SystemTime, until: SystemTime) -> TicketKey {
    TicketKey::new([name; 16], &Secret::new([name; 32]), from, until).unwrap()
}

/// Keys that every process of the tests has.
fn keys() -> TicketKeys {
    TicketKeys::new(vec![key(1, SystemTime::now() - HOUR, SystemTime::now() + 9000 * HOUR)], TicketKeys::LONGEST)
}

struct World {
    ca: Ca,
    server: Leaf,
    ann: Leaf,
    judge: Judge,
}

impl World {
    fn new() -> Self {
        let ca = Ca::new("Root");
        let (server, ann) = (ca.server(&["localhost", "other.example"]), ca.client("Ann", 7));
        Self { server, ann, judge: Judge::accepts(Judge::ann()), ca }
    }

    fn settings(&self) -> AcceptorSettings {
        AcceptorSettings {
            client_auth: ClientAuth::Require,
            clients: Some(self.ca.trust()),
            tickets: Some(keys()),
            application_protocols: vec![b"h2".to_vec()],
            ..Default::default()
        }
    }

    /// A client with a certificate, which keeps its sessions.
    fn client(&self, version: TlsVersion) -> Arc<ClientConfig> {
        client_of(version, &self.ca, Some(&self.ann), |config| config.resumption = Resumption::in_memory_sessions(8))
    }

    /// A handshake, and what it came to: the cause, and whether it was resumed.
    fn talk(&self, config: &Arc<ClientConfig>, credential: &Credential) -> (&'static str, bool) {
        self.talk_at(SystemTime::now(), Wants::default(), config, credential)
    }

    fn talk_at(
        &self,
        now: SystemTime,
        want: Wants,
        config: &Arc<ClientConfig>,
        credential: &Credential,
    ) -> (&'static str, bool) {
        let mut client = connect(config, "localhost");
        let mut server = Server::new(credential, &self.judge);
        (server.now, server.want) = (now, want);
        let _ = handshake(&mut client, &mut server);
        if server.ended() != "ok" {
            return (server.ended(), false);
        }
        // Data, so that it is a session that works, and the client has read its tickets.
        server.send(b"hello").unwrap();
        let out = std::mem::take(&mut server.out);
        hears(&mut client, &out).unwrap();
        assert_eq!(reads(&mut client), b"hello");
        let resumed = server.channel().resumed;
        assert_eq!(client.handshake_kind() == Some(rustls::HandshakeKind::Resumed), resumed);
        ("ok", resumed)
    }

    /// After a session with one server: what the same client comes to with another.
    fn after(&self, version: TlsVersion, first: &Credential, second: &Credential) -> (&'static str, bool) {
        let client = self.client(version);
        assert_eq!(self.talk(&client, first), ("ok", false));
        self.talk(&client, second)
    }
}

#[test]
fn a_session_is_resumed_in_any_process_with_the_keys() {
    let world = World::new();
    let credential = || world.server.acceptor(world.settings());
    for version in VERSIONS {
        let (one, two) = (credential(), credential());
        assert_eq!(world.after(version, &one, &one), ("ok", true));
        assert_eq!(world.after(version, &one, &two), ("ok", true), "another process");
        let client = world.client(version);
        for turn in 0..5 {
            assert_eq!(world.talk(&client, [&one, &two][turn % 2]), ("ok", turn > 0));
        }
        let asked = world.judge.times();
        assert_eq!(world.talk(&client, &one), ("ok", true));
        assert_eq!(world.judge.times(), asked + 1, "whose it is, is asked each time");
    }
}

/// What a resumed session says of its client is what the full handshake said.
#[test]
fn a_resumed_session_has_its_client() {
    let world = World::new();
    let credential = world.server.acceptor(world.settings());
    for version in VERSIONS {
        let config = world.client(version);
        assert_eq!(world.talk(&config, &credential), ("ok", false));
        let mut server = Server::new(&credential, &world.judge);
        handshake(&mut connect(&config, "localhost"), &mut server).unwrap();
        let channel = server.channel();
        assert!(channel.resumed && channel.verified);
        assert_eq!(channel.peer_certificates, world.ann.chain());
        assert_eq!(*channel.local_certificates, world.server.chain());
        assert!(channel.end_point.is_some());
        let facts = server.context().share_facts();
        assert_eq!(facts.account.as_deref(), Some(&Judge::ann()));
        assert!(facts.granted.contains(ContextFlags::MUTUAL_AUTH) && facts.expiry.is_some());
    }
}

/// CVE-2025-23419: a session of a server that asks nobody opens none that asks.
#[test]
fn no_session_crosses_policies() {
    let world = World::new();
    let base = || AcceptorSettings { client_auth: ClientAuth::Request, ..world.settings() };
    let made = |settings: AcceptorSettings| world.server.acceptor(settings);
    let named = |identities: Identities, settings: AcceptorSettings| {
        Credential::acceptor(schannel::Acceptor::new(identities, settings).unwrap())
    };
    let mut strict = Identities::new(world.server.identity());
    strict.strict_names = true;
    let own = || Identities::new(world.server.identity());
    let renewed = world.ca.server(&["localhost"]);
    let more_roots = Trust { roots: vec![world.ca.certificate(), Ca::new("More").certificate()], ..Trust::default() };
    let known = Trust { revocation: Some(schannel::Revocation::WhenKnown), ..world.ca.trust() };
    let none = AcceptorSettings { client_auth: ClientAuth::None, ..base() };
    let policies = [
        ("request", made(base())),
        ("none", made(none.clone())),
        ("require", made(AcceptorSettings { client_auth: ClientAuth::Require, ..base() })),
        ("roots", made(AcceptorSettings { clients: Some(more_roots), ..base() })),
        ("revocation", made(AcceptorSettings { clients: Some(known), ..base() })),
        ("protocols", made(AcceptorSettings { application_protocols: vec![b"http/1.1".to_vec()], ..base() })),
        ("service", made(AcceptorSettings { service: "other".into(), ..base() })),
        ("mapping", made(AcceptorSettings { mapping: Mapping::Required, ..base() })),
        ("host", made(AcceptorSettings { danger_host_verifies_clients: true, ..base() })),
        ("identity", renewed.acceptor(base())),
        ("names", named(strict, base())),
        ("more", named(own().and(renewed.identity()), base())),
    ];
    for version in VERSIONS {
        for (first_name, first) in &policies {
            for (second_name, second) in &policies {
                let ended = world.after(version, first, second);
                assert_eq!(ended, ("ok", first_name == second_name), "{version:?} {first_name} → {second_name}");
            }
        }
    }
    // And whoever has no certificate at all is not let in by a session of where none is asked for.
    for version in VERSIONS {
        let nobody =
            client_of(version, &world.ca, None, |config| config.resumption = Resumption::in_memory_sessions(8));
        let (open, closed) = (made(none.clone()), made(world.settings()));
        assert_eq!(world.talk(&nobody, &open), ("ok", false));
        assert_eq!(world.talk(&nobody, &closed), ("schannel/no-client-certificate", false));
        // Nor is the wish of one call the policy of another.
        assert_eq!(world.talk(&nobody, &open).0, "ok");
        let want = Wants { flags: ContextFlags::MUTUAL_AUTH, ..Wants::default() };
        let wanting = world.talk_at(SystemTime::now(), want, &nobody, &open);
        assert_eq!(wanting, ("schannel/no-client-certificate", false));
    }
}

/// The same policy, and another protocol by the call.
#[test]
fn no_session_crosses_a_calls_own_protocols() {
    let world = World::new();
    let credential = world.server.acceptor(world.settings());
    for version in VERSIONS {
        for (first, second) in
            [(None, Some("http/1.1")), (Some("http/1.1"), None), (Some("http/1.1"), Some("h2")), (Some("h2"), None)]
        {
            let talk = |config: &Arc<ClientConfig>, protocol: Option<&str>| {
                let mut server = Server::new(&credential, &world.judge);
                server.protocols = protocol.map(|name| vec![name.as_bytes().to_vec()]);
                handshake(&mut connect(config, "localhost"), &mut server).unwrap();
                server.channel().resumed
            };
            let config = client_of(version, &world.ca, Some(&world.ann), |config| {
                config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            });
            assert!(!talk(&config, first));
            assert!(talk(&config, first));
            // A call that brings the credential's own list is of the credential's policy.
            assert_eq!(talk(&config, second), first == Some("h2"), "{version:?} {first:?} → {second:?}");
        }
    }
}

/// The client's certificate is judged as if it came now.
#[test]
fn what_became_of_the_certificate_since() {
    let world = World::new();
    let now = SystemTime::now();
    let until = now + 48 * HOUR;
    let list = |serials: &[u64]| world.ca.revokes(serials, now - HOUR, 200 * HOUR);
    let with = |lists: Vec<Vec<u8>>| {
        let trust = Trust { revocation_lists: lists, ..world.ca.trust() };
        world.server.acceptor(AcceptorSettings { clients: Some(trust), ..world.settings() })
    };
    let ann = world.ca.issue("Ann", &[], |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        params.serial_number = Some(rcgen::SerialNumber::from(7_u64));
        params.not_after = until.into();
    });
    for version in VERSIONS {
        let client = || client_of(version, &world.ca, Some(&ann), |c| c.resumption = Resumption::in_memory_sessions(8));
        // Expired since.
        let config = client();
        let plain = world.server.acceptor(world.settings());
        assert_eq!(world.talk(&config, &plain), ("ok", false));
        let talk_at = |at: SystemTime| world.talk_at(at, Wants::default(), &config, &plain);
        assert_eq!(talk_at(until - HOUR), ("ok", true));
        assert_eq!(talk_at(until + HOUR), ("schannel/certificate-expired", false));
        // Revoked since.
        let config = client();
        assert_eq!(world.talk(&config, &with(vec![list(&[])])), ("ok", false));
        assert_eq!(world.talk(&config, &with(vec![list(&[8])])), ("ok", true), "another list, the same policy");
        assert_eq!(world.talk(&config, &with(vec![list(&[7])])), ("schannel/certificate-revoked", false));
    }
}

/// Nor does a second hello (RFC 8446 §4.1.2) get a revoked session past its judge.
#[test]
fn a_session_after_a_second_hello() {
    use rustls::crypto::aws_lc_rs::kx_group::{MLKEM768, X25519};
    let world = World::new();
    let list = |serials: &[u64]| {
        let list = world.ca.revokes(serials, SystemTime::now() - HOUR, 200 * HOUR);
        let trust = Trust { revocation_lists: vec![list], ..world.ca.trust() };
        world.server.acceptor(AcceptorSettings { clients: Some(trust), ..world.settings() })
    };
    let mut primitives = provider();
    primitives.kx_groups = vec![MLKEM768, X25519];
    let config = client_with(primitives, TlsVersion::Tls13, &world.ca, Some(&world.ann), |config| {
        config.resumption = Resumption::store(Arc::new(Forgetful(ClientSessionMemoryCache::new(8))));
    });
    assert_eq!(world.talk(&config, &list(&[])).0, "ok");
    assert_eq!(world.talk(&config, &list(&[7])), ("schannel/certificate-revoked", false));
    assert_eq!(world.talk(&config, &list(&[8])), ("ok", false), "it is a full handshake then");
}

/// A client's sessions, without what it learned of the server's groups: it guesses wrong each time.
#[derive(Debug)]
struct Forgetful(ClientSessionMemoryCache);

impl ClientSessionStore for Forgetful {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(name, value);
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(name)
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.0.remove_tls12_session(name);
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(name, value);
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(name)
    }
}

/// The account is asked about as if the client came now.
#[test]
fn what_became_of_the_account_since() {
    for version in VERSIONS {
        for (mapping, ended) in [(Mapping::Required, "account/disabled"), (Mapping::Optional, "ok")] {
            let world = World::new();
            let credential = world.server.acceptor(AcceptorSettings { mapping, ..world.settings() });
            let config = world.client(version);
            assert_eq!(world.talk(&config, &credential), ("ok", false));
            world.judge.refuses(Refusal::Disabled);
            let mut server = Server::new(&credential, &world.judge);
            let _ = handshake(&mut connect(&config, "localhost"), &mut server);
            assert_eq!(server.ended(), ended);
            assert_eq!(world.judge.times(), 2);
            if ended == "ok" {
                assert!(server.channel().resumed);
                assert_eq!(server.channel().unmapped, Some(Refusal::Disabled));
                let facts = server.context().share_facts();
                assert!(facts.account.is_none() && !facts.granted.contains(ContextFlags::MUTUAL_AUTH));
            }
        }
    }
}

#[test]
fn what_is_to_be_forgotten_is_not_resumed() {
    let world = World::new();
    let credential = world.server.acceptor(world.settings());
    for version in VERSIONS {
        let config = world.client(version);
        let mut client = connect(&config, "localhost");
        let mut server = Server::new(&credential, &world.judge);
        server.control_early(Control::Forget).unwrap();
        handshake(&mut client, &mut server).unwrap();
        assert_eq!(server.ended(), "ok");
        server.control(Control::Forget).unwrap();
        assert!(server.out.is_empty());
        assert_eq!(client.tls13_tickets_received(), 0);
        assert_eq!(world.talk(&config, &credential), ("ok", false), "nothing to resume");
        assert_eq!(world.talk(&config, &credential), ("ok", true), "and later calls do as they like");
    }
    let mut server = Server::new(&credential, &world.judge);
    for control in [Control::Respond, Control::Shutdown] {
        assert_eq!(server.control_early(control).unwrap_err().cause.name(), "call/not-negotiated");
    }
}

#[test]
fn keys_come_and_go() {
    let world = World::new();
    let now = SystemTime::now();
    let with = |keys: Vec<TicketKey>, lifetime: Duration| {
        let tickets = Some(TicketKeys::new(keys, lifetime));
        world.server.acceptor(AcceptorSettings { tickets, ..world.settings() })
    };
    let first = key(1, now - HOUR, now + 10 * HOUR);
    let second = key(2, now - HOUR / 2, now + 20 * HOUR);
    for version in VERSIONS {
        let old = with(vec![first.clone()], 100 * HOUR);
        let both = with(vec![first.clone(), second.clone()], 100 * HOUR);
        let new = with(vec![second.clone()], 100 * HOUR);
        assert_eq!(world.after(version, &old, &both), ("ok", true), "the older key opens");
        assert_eq!(world.after(version, &both, &new), ("ok", true), "the newer one seals");
        assert_eq!(world.after(version, &both, &old), ("ok", false), "who has not heard of it cannot open");
        assert_eq!(world.after(version, &old, &new), ("ok", false));
        let other = TicketKey::new([1; 16], &Secret::new([9; 32]), now - HOUR, now + HOUR).unwrap();
        assert_eq!(world.after(version, &old, &with(vec![other], 100 * HOUR)), ("ok", false), "another of the name");

        // To the key's end, and to the ticket's own.
        for (credential, late) in [(&both, 9), (&both, 11), (&with(vec![second.clone()], 5 * HOUR), 6)] {
            let config = world.client(version);
            assert_eq!(world.talk(&config, &old), ("ok", false));
            let at = now + HOUR * late;
            let ended = world.talk_at(at, Wants::default(), &config, credential);
            assert_eq!(ended, ("ok", late < 10 && std::ptr::eq(credential, &both)), "{late} hours later");
        }
        let short = with(vec![first.clone()], 2 * HOUR);
        for (late, resumed) in [(1, true), (3, false)] {
            let config = world.client(version);
            assert_eq!(world.talk(&config, &short), ("ok", false));
            assert_eq!(world.talk_at(now + HOUR * late, Wants::default(), &config, &short), ("ok", resumed));
        }
    }
}

/// Without keys there are no sessions, and never a default one (CVE-2020-13777).
#[test]
fn without_keys_nothing_is_resumed() {
    let world = World::new();
    let none = world.server.acceptor(AcceptorSettings { tickets: None, ..world.settings() });
    let empty = TicketKeys::new(Vec::new(), HOUR);
    let empty = world.server.acceptor(AcceptorSettings { tickets: Some(empty), ..world.settings() });
    let with = world.server.acceptor(world.settings());
    for version in VERSIONS {
        for credential in [&none, &empty] {
            assert_eq!(world.after(version, credential, credential), ("ok", false));
            assert_eq!(world.after(version, &with, credential), ("ok", false));
        }
    }
}
