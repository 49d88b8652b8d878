//! What a context of a channel answers when it is asked for its attributes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::attribute::{Attribute, TABLE};
use portcullis::schannel::{AcceptorSettings, ClientAuth};
use portcullis::{ContextFlags, KeyInfo, StreamSizes, TlsVersion};
use portcullis_testkit::tls::{
    Ca, Judge, Leaf, Server, VERSIONS, client_of, client_with, connect, handshake, provider,
};
use rustls::{ClientConnection, SupportedCipherSuite};

struct World {
    ca: Ca,
    server: Leaf,
    ann: Leaf,
    judge: Judge,
}

impl World {
    fn new() -> Self {
        let ca = Ca::new("Root");
        let (server, ann) = (ca.server(&["localhost"]), ca.client("Ann", 7));
        Self { server, ann, judge: Judge::accepts(Judge::ann()), ca }
    }

    fn established(&self, mut client: ClientConnection, auth: ClientAuth) -> (ClientConnection, Server<'_>) {
        let settings = AcceptorSettings {
            client_auth: auth,
            clients: Some(self.ca.trust()),
            application_protocols: vec![b"h2".to_vec()],
            ..Default::default()
        };
        let mut server = Server::new(&self.server.acceptor(settings), &self.judge);
        handshake(&mut client, &mut server).unwrap();
        assert_eq!(server.ended(), "ok");
        (client, server)
    }

    fn client(&self, version: TlsVersion) -> ClientConnection {
        let config = client_of(version, &self.ca, Some(&self.ann), |c| c.alpn_protocols = vec![b"h2".to_vec()]);
        connect(&config, "localhost")
    }
}

#[test]
fn of_a_known_client() {
    let world = World::new();
    for version in VERSIONS {
        let (client, mut server) = world.established(world.client(version), ClientAuth::Require);
        let channel = server.channel();
        let facts = server.context().share_facts();
        let is_new = version == TlsVersion::Tls13;
        let sizes = StreamSizes {
            header: if is_new { 5 } else { 13 },
            trailer: if is_new { 17 } else { 16 },
            max_message: 16384,
            buffers: 4,
            block_size: 16,
        };
        assert_eq!(facts.attribute(0), None, "SIZES are of messages");
        assert_eq!(facts.attribute(1), Some(Attribute::Names("CORP\\ann".into())));
        assert_eq!(facts.attribute(4), Some(Attribute::StreamSizes(sizes)));
        let key_info = KeyInfo {
            signature_algorithm: "SHA384",
            encrypt_algorithm: "AES",
            key_bits: 256,
            signature_id: 0x800d,
            encrypt_id: 0x6610,
        };
        assert_eq!(facts.attribute(5), Some(Attribute::KeyInfo(key_info)));
        assert_eq!(facts.attribute(9), None, "no session key leaves a channel");
        let end_point = world.server.identity().end_point().clone();
        assert_eq!(facts.attribute(26), Some(Attribute::Bindings(std::borrow::Cow::Owned(end_point))));
        let unique = is_new.then(|| channel.exporter_bindings().unwrap());
        assert_eq!(facts.attribute(25), unique.map(|bindings| Attribute::Bindings(std::borrow::Cow::Owned(bindings))));
        assert_eq!(facts.attribute(35), Some(Attribute::ApplicationProtocol(Some(b"h2"))));
        let chain = world.ann.chain();
        for id in [0x53, 0x5f, 0x67] {
            assert_eq!(facts.attribute(id), Some(Attribute::Certificates(&chain)), "{id:x}");
        }
        let own = world.server.chain();
        assert_eq!(facts.attribute(0x54), Some(Attribute::Certificates(&own)));
        for (id, expected) in [
            (0x5a, Attribute::ConnectionInfo(&channel)),
            (0x5d, Attribute::SessionInfo(&channel)),
            (0x64, Attribute::CipherInfo(&channel)),
            (0x6b, Attribute::KeyingMaterial(&channel)),
            (0x6e, Attribute::ConnectionInfo(&channel)),
        ] {
            assert_eq!(facts.attribute(id), Some(expected), "{id:x}");
        }
        assert_eq!(Some(channel.suite.id), client.negotiated_cipher_suite().map(|suite| u16::from(suite.suite())));
        let group = client.negotiated_key_exchange_group().map(|group| u16::from(group.name()));
        assert_eq!(Some(channel.group), group);
        assert_eq!(channel.session_id.len(), if is_new { 32 } else { 0 });
        assert!(facts.granted.contains(ContextFlags::STREAM | ContextFlags::CONFIDENTIALITY));
        assert!(!facts.granted.contains(ContextFlags::INTEGRITY), "nothing is signed and left readable");
    }
}

/// Of a client that showed no certificate nothing is made up.
#[test]
fn of_an_unknown_client() {
    let world = World::new();
    for version in VERSIONS {
        let client = connect(&client_of(version, &world.ca, None, |_| ()), "localhost");
        let (_, mut server) = world.established(client, ClientAuth::Request);
        let facts = server.context().share_facts();
        for id in [0, 1, 3, 6, 8, 9, 13, 18, 21, 0x53, 0x5f, 0x67] {
            assert_eq!(facts.attribute(id), None, "{id:x}");
        }
        assert_eq!(facts.attribute(35), Some(Attribute::ApplicationProtocol(None)));
        assert_eq!(facts.attribute(2), Some(Attribute::Lifespan(facts.start, None)));
        let answered = TABLE.iter().filter(|row| facts.attribute(row.id).is_some()).count();
        assert!(answered > 10, "{answered}");
    }
}

/// The catalogue of suites says of each what a record of it takes: measured.
#[test]
fn the_sizes_of_every_suite() {
    let world = World::new();
    let mut seen = 0;
    for suite in rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES {
        let (version, id) = match suite {
            SupportedCipherSuite::Tls12(_) => (TlsVersion::Tls12, u16::from(suite.suite())),
            SupportedCipherSuite::Tls13(_) => (TlsVersion::Tls13, u16::from(suite.suite())),
        };
        let row = portcullis::CipherSuite::of(id).unwrap_or_else(|| panic!("{suite:?} is in the catalogue"));
        if row.certificate == "RSA" {
            continue;
        }
        let mut primitives = provider();
        primitives.cipher_suites = vec![*suite];
        let client = connect(&client_with(primitives, version, &world.ca, None, |_| ()), "localhost");
        let (mut client, mut server) = world.established(client, ClientAuth::None);
        assert_eq!(server.channel().suite, row);
        let sent = portcullis_testkit::tls::writes(&mut client, b"12345");
        assert_eq!(sent.len() as u32, row.record_header + 5 + row.record_trailer, "{}", row.name);
        server.hear(&sent);
        assert_eq!(server.receive().unwrap().1, b"12345");
        server.send(b"1234567").unwrap();
        assert_eq!(server.out.len() as u32, row.record_header + 7 + row.record_trailer, "{}", row.name);
        portcullis_testkit::tls::hears(&mut client, &server.out).unwrap();
        assert_eq!(portcullis_testkit::tls::reads(&mut client), b"1234567");
        seen += 1;
    }
    assert_eq!(seen, 6);
}
