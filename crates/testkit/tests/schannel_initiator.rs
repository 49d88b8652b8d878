//! The library's own initiator, against rustls' server and against the library's acceptor.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::schannel::{
    AcceptorSettings, ClientAuth, Initiator, InitiatorSettings, Mapping, Revocation, SettingsError, Trust,
};
use portcullis::{ContextFlags, Control, Credential, Record, Role, TlsVersion};
use portcullis_testkit::tls::{
    Ca, Client, Judge, Leaf, NoAccounts, Server, VERSIONS, hello, meet_server, plain_alert, record, server,
};
use rcgen::SanType;
use rustls::{HandshakeKind, ServerConfig, ServerConnection};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn initiator(settings: InitiatorSettings) -> Credential {
    Credential::initiator(Initiator::new(settings).unwrap())
}

fn trusting(ca: &Ca) -> InitiatorSettings {
    InitiatorSettings { servers: Some(ca.trust()), ..Default::default() }
}

fn begin(config: &Arc<ServerConfig>) -> ServerConnection {
    ServerConnection::new(Arc::clone(config)).unwrap()
}

/// How the initiator ends with a server of this certificate, in both versions alike.
fn ends(settings: &InitiatorSettings, leaf: &Leaf, target: &str) -> &'static str {
    let [old, new] = VERSIONS.map(|version| {
        let config = server(version, leaf, None, |_| ());
        let mut client = Client::new(&initiator(settings.clone()), target);
        let mut server = begin(&config);
        let thinks = meet_server(&mut client, &mut server);
        assert_eq!(thinks.is_ok(), client.ended() == "ok" || client.ended() == "schannel/bad-target");
        client.ended()
    });
    assert_eq!(old, new);
    new
}

/// Takes what rustls' server has to send to the client's context.
fn to_client(client: &mut Client, server: &mut ServerConnection) {
    while server.wants_write() {
        server.write_tls(&mut client.pending).unwrap();
    }
}

fn to_server(server: &mut ServerConnection, mut bytes: &[u8]) -> Vec<u8> {
    while !bytes.is_empty() {
        server.read_tls(&mut bytes).unwrap();
        server.process_new_packets().unwrap();
    }
    let mut data = Vec::new();
    let _ = server.reader().read_to_end(&mut data);
    data
}

#[test]
fn a_handshake_and_data_with_another_server() {
    let ca = Ca::new("Root");
    let leaf = ca.server(&["localhost"]);
    for version in VERSIONS {
        let config = server(version, &leaf, None, |_| ());
        let mut client = Client::new(&initiator(trusting(&ca)), "HTTP/localhost");
        let mut server = begin(&config);
        meet_server(&mut client, &mut server).unwrap();
        assert_eq!(client.ended(), "ok");
        let facts = client.context().share_facts();
        let channel = facts.channel.clone().unwrap();
        assert_eq!((facts.role, channel.version, channel.verified), (Role::Initiator, version, true));
        assert_eq!(channel.peer_certificates, leaf.chain());
        assert!(channel.local_certificates.is_empty());
        assert_eq!(channel.end_point.as_deref(), Some(leaf.identity().end_point()));
        assert_eq!(channel.server_name.as_deref(), Some("localhost"));
        assert!(facts.granted.contains(ContextFlags::MUTUAL_AUTH) && facts.access_token().is_none());
        let mut theirs = [0; 32];
        server.export_keying_material(&mut theirs, b"EXPORTER-Channel-Binding", Some(&[])).unwrap();
        let mut ours = [0; 32];
        channel.keying_material(b"EXPORTER-Channel-Binding", Some(&[]), &mut ours).unwrap();
        assert_eq!(ours, theirs);

        let sealed = client.seals(b"question").unwrap();
        assert_eq!(to_server(&mut server, &sealed), b"question");
        server.writer().write_all(b"answer").unwrap();
        to_client(&mut client, &mut server);
        let mut empty = 0;
        let data = loop {
            match client.receive().unwrap() {
                (Record::Data { len: 0, .. }, _) => empty += 1,
                (Record::Data { .. }, data) => break data,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(data, b"answer");
        assert_eq!(empty > 0, version == TlsVersion::Tls13, "tickets are records without data");
        server.send_close_notify();
        to_client(&mut client, &mut server);
        assert!(matches!(client.receive().unwrap().0, Record::Closed { .. }));
    }
}

#[test]
fn one_byte_at_a_time() {
    let ca = Ca::new("Root");
    let leaf = ca.server(&["localhost"]);
    for version in VERSIONS {
        let config = server(version, &leaf, None, |_| ());
        let mut client = Client::new(&initiator(trusting(&ca)), "localhost");
        let mut server = begin(&config);
        let mut said = client.hear(b"");
        while client.context.is_none() {
            to_server(&mut server, &said);
            let mut reply = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut reply).unwrap();
            }
            assert!(!reply.is_empty());
            said = Vec::new();
            for byte in reply {
                if client.context.is_none() {
                    said.extend(client.hear(&[byte]));
                } else {
                    client.pending.push(byte);
                }
            }
        }
        assert_eq!(client.ended(), "ok");
        to_server(&mut server, &said);
        let sealed = client.seals(b"through").unwrap();
        assert_eq!(to_server(&mut server, &sealed), b"through");
    }
}

#[test]
fn which_servers_are_believed() {
    let ca = Ca::new("Root");
    let good = ca.server(&["localhost"]);
    let settings = trusting(&ca);
    assert_eq!(ends(&settings, &good, "localhost"), "ok");
    assert_eq!(ends(&settings, &good, "other.example"), "schannel/certificate-wrong-name");
    assert_eq!(ends(&settings, &Ca::new("Other").server(&["localhost"]), "localhost"), "schannel/untrusted-root");
    let client_only =
        ca.issue("x", &["localhost"], |p| p.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth]);
    assert_eq!(ends(&settings, &client_only, "localhost"), "schannel/certificate-wrong-usage");
    let now = SystemTime::now();
    let expired = ca.issue("x", &["localhost"], |p| p.not_after = (now - DAY).into());
    assert_eq!(ends(&settings, &expired, "localhost"), "schannel/certificate-expired");
    let early = ca.issue("x", &["localhost"], |p| p.not_before = (now + DAY).into());
    assert_eq!(ends(&settings, &early, "localhost"), "schannel/certificate-not-yet-valid");

    let revoked = ca.issue("x", &["localhost"], |p| p.serial_number = Some(rcgen::SerialNumber::from(8_u64)));
    let trust = Trust { revocation_lists: vec![ca.revokes(&[8], now - DAY, 2 * DAY)], ..ca.trust() };
    let checking = InitiatorSettings { servers: Some(trust), ..Default::default() };
    assert_eq!(ends(&checking, &revoked, "localhost"), "schannel/certificate-revoked");
    assert_eq!(ends(&checking, &good, "localhost"), "ok");
    // It must be checked, and there is no list at all.
    let blind = Trust { revocation: Some(Revocation::Require), ..ca.trust() };
    let blind = InitiatorSettings { servers: Some(blind), ..Default::default() };
    assert_eq!(ends(&blind, &good, "localhost"), "schannel/revocation-unknown");

    // The host verifies: any is taken, and is said not to be verified.
    let host = InitiatorSettings { danger_host_verifies: true, ..Default::default() };
    for (leaf, target) in [(&expired, "localhost"), (&good, "other.example"), (&good, "")] {
        assert_eq!(ends(&host, leaf, target), "ok");
    }
    let config = server(TlsVersion::Tls13, &expired, None, |_| ());
    let mut client = Client::new(&initiator(host), "localhost");
    meet_server(&mut client, &mut begin(&config)).unwrap();
    assert!(!client.context().facts().channel.as_ref().unwrap().verified);
    assert_eq!(Initiator::new(InitiatorSettings::default()).unwrap_err(), SettingsError::NoRoots);
}

#[test]
fn forms_of_targets() {
    let ca = Ca::new("Root");
    let leaf = ca.issue("x", &["localhost", "web.example"], |params| {
        params.subject_alt_names.push(SanType::IpAddress("::1".parse().unwrap()));
        params.subject_alt_names.push(SanType::IpAddress("127.0.0.1".parse().unwrap()));
    });
    let settings = trusting(&ca);
    for target in ["localhost", "LOCALHOST", "HTTP/web.example", "web.example:443", "HTTP/web.example:443"] {
        assert_eq!(ends(&settings, &leaf, target), "ok", "{target}");
    }
    for target in ["[::1]:443", "[::1]", "::1", "HTTP/[::1]:443", "127.0.0.1", "127.0.0.1:443", "web.example."] {
        assert_eq!(ends(&settings, &leaf, target), "ok", "{target}");
    }
    for target in ["127.0.0.2", "[::2]:443", ""] {
        assert_eq!(ends(&settings, &leaf, target), "schannel/certificate-wrong-name", "{target}");
    }
    for target in ["a b", "HTTP/", "-", "web..example", "web.example/*"] {
        let mut client = Client::new(&initiator(settings.clone()), target);
        assert!(client.hear(b"").is_empty());
        assert_eq!(client.ended(), "schannel/bad-target", "{target}");
    }
}

#[test]
fn a_server_that_does_what_it_must_not() {
    let ca = Ca::new("Root");
    let settings = trusting(&ca);
    for (bytes, cause) in [
        (plain_alert(2, 70), "schannel/peer-alert"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "schannel/malformed-record"),
        (record(23, b"data"), "schannel/protocol-violation"),
        (record(22, &hello(0x0303, &[0x1301], &[])), "schannel/protocol-violation"),
    ] {
        let mut client = Client::new(&initiator(settings.clone()), "localhost");
        client.hear(b"");
        client.hear(&bytes);
        assert_eq!(client.ended(), cause, "{bytes:?}");
    }
    // What came before the client spoke was never protected (CVE-2011-0411).
    let mut client = Client::new(&initiator(settings), "localhost");
    assert!(client.hear(b"220 ready\r\n").is_empty());
    assert_eq!(client.ended(), "schannel/protocol-violation");
}

#[test]
fn a_clients_certificate_and_protocol() {
    let ca = Ca::new("Root");
    let (leaf, ann) = (ca.server(&["localhost"]), ca.below("Below").client("Ann", 7));
    for version in VERSIONS {
        let config =
            server(version, &leaf, Some(&ca), |config| config.alpn_protocols = vec![b"b".to_vec(), b"a".to_vec()]);
        let protocols = vec![b"a".to_vec(), b"b".to_vec()];
        let settings =
            InitiatorSettings { identity: Some(ann.identity()), application_protocols: protocols, ..trusting(&ca) };
        for (of_call, agreed) in [(None, Some("b")), (Some("a"), Some("a")), (Some("c"), None)] {
            let mut client = Client::new(&initiator(settings.clone()), "localhost");
            client.protocols = of_call.map(|name: &str| vec![name.as_bytes().to_vec()]);
            let mut server = begin(&config);
            let thinks = meet_server(&mut client, &mut server);
            let Some(agreed) = agreed else {
                assert!(thinks.is_err() && client.ended() != "ok");
                continue;
            };
            thinks.unwrap();
            let channel = client.context().facts().channel.clone().unwrap();
            assert_eq!(channel.application_protocol.as_deref(), Some(agreed.as_bytes()));
            assert_eq!(*channel.local_certificates, ann.chain());
            let theirs: Vec<_> = server.peer_certificates().unwrap().iter().map(|der| der.to_vec()).collect();
            assert_eq!(theirs, ann.chain());
        }
        // Without one it is refused.
        let mut client = Client::new(&initiator(trusting(&ca)), "localhost");
        assert!(meet_server(&mut client, &mut begin(&config)).is_err());
    }
}

#[test]
fn sessions_are_kept_where_they_may_be() {
    let ca = Ca::new("Root");
    let leaf = ca.server(&["localhost"]);
    for version in VERSIONS {
        let config = server(version, &leaf, None, |config| {
            config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
        });
        let talk = |credential: &Credential, forgets: bool| {
            let mut client = Client::new(credential, "localhost");
            if forgets {
                client.control_early(Control::Forget).unwrap();
            }
            let mut server = begin(&config);
            meet_server(&mut client, &mut server).unwrap();
            // Tickets of TLS 1.3 come behind the handshake.
            to_client(&mut client, &mut server);
            while !client.pending.is_empty() {
                assert!(matches!(client.receive().unwrap().0, Record::Data { len: 0, .. }));
            }
            let resumed = client.context().facts().channel.as_ref().unwrap().resumed;
            assert_eq!(server.handshake_kind() == Some(HandshakeKind::Resumed), resumed);
            assert_eq!(client.context().facts().channel.as_ref().unwrap().peer_certificates, leaf.chain());
            resumed
        };
        let keeping = initiator(InitiatorSettings { resumes: true, ..trusting(&ca) });
        assert_eq!([(); 3].map(|()| talk(&keeping, false)), [false, true, true]);
        let forgetful = initiator(trusting(&ca));
        assert_eq!([(); 3].map(|()| talk(&forgetful, false)), [false; 3]);
        let keeping = initiator(InitiatorSettings { resumes: true, ..trusting(&ca) });
        assert_eq!([true, false, false].map(|forgets| talk(&keeping, forgets)), [false, false, true]);
    }
}

/// The server's certificate is judged as if it came now.
#[test]
fn a_server_that_expired_since() {
    let ca = Ca::new("Root");
    let hour = Duration::from_secs(3600);
    let start = SystemTime::now();
    let leaf = ca.issue("x", &["localhost"], |params| params.not_after = (start + 2 * hour).into());
    for version in VERSIONS {
        let config = server(version, &leaf, None, |config| {
            config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
        });
        let credential = initiator(InitiatorSettings { resumes: true, ..trusting(&ca) });
        for (late, ended) in [(0, "ok"), (1, "ok"), (3, "schannel/certificate-expired")] {
            let mut client = Client::new(&credential, "localhost");
            client.now = start + hour * late;
            let mut server = begin(&config);
            let _ = meet_server(&mut client, &mut server);
            assert_eq!(client.ended(), ended, "{late} hours later");
            if client.context.is_some() {
                assert_eq!(client.context().facts().channel.as_ref().unwrap().resumed, late > 0);
                to_client(&mut client, &mut server);
                while !client.pending.is_empty() {
                    assert!(matches!(client.receive().unwrap().0, Record::Data { len: 0, .. }));
                }
            }
        }
    }
}

/// A server's KeyUpdate is answered by a token of its own, as a client's is.
#[test]
fn key_updates_of_a_server() {
    let ca = Ca::new("Root");
    let config = server(TlsVersion::Tls13, &ca.server(&["localhost"]), None, |config| config.send_tls13_tickets = 0);
    let mut client = Client::new(&initiator(trusting(&ca)), "localhost");
    let mut server = begin(&config);
    meet_server(&mut client, &mut server).unwrap();
    for turn in 0..40_u8 {
        server.refresh_traffic_keys().unwrap();
        to_client(&mut client, &mut server);
        assert!(matches!(client.receive().unwrap().0, Record::WantsResponse { .. }));
        assert_eq!(client.seals(b"x").unwrap_err().cause.name(), "schannel/response-pending");
        let mut response = Vec::new();
        client.context().control(Control::Respond, &mut response).unwrap();
        assert!(to_server(&mut server, &response).is_empty());
        let sealed = client.seals(&[turn; 9]).unwrap();
        assert_eq!((sealed.len(), to_server(&mut server, &sealed)), (5 + 9 + 17, vec![turn; 9]));
        server.writer().write_all(&[turn; 4]).unwrap();
        to_client(&mut client, &mut server);
        assert_eq!(client.receive().unwrap().1, [turn; 4]);
    }
}

/// Both ends from this library.
#[test]
fn with_our_own_acceptor() {
    let ca = Ca::new("Root");
    let (leaf, ann) = (ca.server(&["localhost"]), ca.client("Ann", 7));
    let settings = AcceptorSettings {
        client_auth: ClientAuth::Require,
        clients: Some(ca.trust()),
        mapping: Mapping::Required,
        ..Default::default()
    };
    let acceptor = leaf.acceptor(settings);
    for version in VERSIONS {
        let judge = Judge::accepts(Judge::ann());
        for identity in [Some(ann.identity()), None] {
            let comes_in = identity.is_some();
            let settings = InitiatorSettings { identity, versions: vec![version], ..trusting(&ca) };
            let mut client = Client::new(&initiator(settings), "localhost");
            let mut server = Server::new(&acceptor, &judge);
            let mut said = client.hear(b"");
            for _ in 0..4 {
                server.hear(&said);
                said = client.hear(&std::mem::take(&mut server.out));
            }
            if !comes_in {
                assert_eq!(server.ended(), "schannel/no-client-certificate");
                continue;
            }
            assert_eq!((client.ended(), server.ended()), ("ok", "ok"));
            let ours = client.context().facts().channel.clone().unwrap();
            let theirs = server.channel();
            assert_eq!(ours.exporter_bindings().unwrap(), theirs.exporter_bindings().unwrap());
            assert_eq!(ours.end_point, theirs.end_point);
            assert_eq!((ours.suite, ours.group), (theirs.suite, theirs.group));
            let hybrid = if version == TlsVersion::Tls13 { 0x11ec } else { 0x001d };
            assert_eq!(ours.group, hybrid, "the hybrid group comes first where there is one");
            server.hear(&client.seals(b"data").unwrap());
            assert_eq!(server.receive().unwrap().1, b"data");
        }
    }
    // Versions that do not meet.
    let old = leaf.acceptor(AcceptorSettings { versions: vec![TlsVersion::Tls12], ..Default::default() });
    let new = InitiatorSettings { versions: vec![TlsVersion::Tls13], ..trusting(&ca) };
    let mut client = Client::new(&initiator(new), "localhost");
    let mut server = Server::new(&old, &NoAccounts);
    server.hear(&client.hear(b""));
    client.hear(&server.out);
    assert_eq!((server.ended(), client.ended()), ("schannel/version-too-old", "schannel/peer-alert"));
}
