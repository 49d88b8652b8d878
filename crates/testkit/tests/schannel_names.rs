//! Which identity, which application protocol, and what binds a channel to its server's certificate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::schannel::{Acceptor, AcceptorSettings, Identities, end_point_bindings};
use portcullis::{ChannelBindings, Credential, TlsVersion};
use portcullis_testkit::tls::{
    Ca, Leaf, NoAccounts, Server, VERSIONS, client_of, client_with, connect, handshake, hears, provider, sends,
};
use rcgen::{KeyPair, SignatureAlgorithm};
use rustls::{AlertDescription, ClientConnection, Error, SignatureScheme};

fn acceptor(identities: Identities) -> Credential {
    Credential::acceptor(Acceptor::new(identities, AcceptorSettings::default()).unwrap())
}

#[test]
fn the_name_chooses_the_identity() {
    let ca = Ca::new("Root");
    let first = ca.server(&["one.example"]);
    let wild = ca.server(&["*.wild.example", "two.example.org"]);
    let exact = ca.server(&["Three.example"]);
    let list = || Identities::new(first.identity()).and(wild.identity()).and(exact.identity());
    let lenient = acceptor(list());
    let mut strict = list();
    strict.strict_names = true;
    let strict = acceptor(strict);
    for version in VERSIONS {
        for (name, leaf) in [
            ("one.example", Some(&first)),
            ("ONE.example", Some(&first)),
            ("other.wild.example", Some(&wild)),
            ("Other.WILD.example", Some(&wild)),
            ("two.example.org", Some(&wild)),
            ("three.example", Some(&exact)),
            ("a.b.wild.example", None),
            ("wild.example", None),
            ("elsewhere.org", None),
        ] {
            for credential in [&lenient, &strict] {
                let is_strict = std::ptr::eq(credential, &strict);
                let mut client = connect(&client_of(version, &ca, None, |_| ()), name);
                let mut server = Server::new(credential, &NoAccounts);
                let thinks = handshake(&mut client, &mut server);
                match leaf {
                    Some(leaf) => {
                        thinks.unwrap();
                        let channel = server.channel();
                        assert_eq!(*channel.local_certificates, leaf.chain(), "{name}");
                        assert_eq!(channel.end_point.as_deref(), end_point_bindings(&leaf.certificate).as_ref());
                        assert_eq!(channel.server_name.as_deref(), Some(name.to_lowercase().as_str()));
                    }
                    None if is_strict => {
                        assert_eq!(server.ended(), "schannel/unknown-server-name", "{name}");
                        assert_eq!(thinks, Err(Error::AlertReceived(AlertDescription::UnrecognisedName)));
                    }
                    // It gets the first, and does not believe it.
                    None => {
                        assert!(matches!(thinks, Err(Error::InvalidCertificate(_))), "{thinks:?}");
                        assert_ne!(server.ended(), "schannel/unknown-server-name");
                    }
                }
            }
        }
        // Who names nobody is not refused for its name.
        let nameless = client_of(version, &ca, None, |config| config.enable_sni = false);
        let mut client = connect(&nameless, "one.example");
        let mut server = Server::new(&strict, &NoAccounts);
        handshake(&mut client, &mut server).unwrap();
        assert_eq!(server.channel().server_name, None);
        assert_eq!(*server.channel().local_certificates, first.chain());
    }
}

#[test]
fn the_key_must_be_one_that_the_client_verifies() {
    let ca = Ca::new("Root");
    let (ed, ec) = (keyed(&ca, &rcgen::PKCS_ED25519), keyed(&ca, &rcgen::PKCS_ECDSA_P256_SHA256));
    let both = acceptor(Identities::new(ed.identity()).and(ec.identity()));
    for version in VERSIONS {
        let mut primitives = provider();
        let mut client = connect(&client_with(primitives.clone(), version, &ca, None, |_| ()), "localhost");
        let mut server = Server::new(&both, &NoAccounts);
        handshake(&mut client, &mut server).unwrap();
        assert_eq!(*server.channel().local_certificates, ed.chain(), "the first that fits");
        // A client that knows no Ed25519, as browsers do not.
        let mapping = primitives.signature_verification_algorithms.mapping;
        let before = mapping.iter().take_while(|(scheme, _)| *scheme != SignatureScheme::ED25519).count();
        assert!(0 < before && before < mapping.len());
        primitives.signature_verification_algorithms.mapping = &mapping[..before];
        let mut client = connect(&client_with(primitives, version, &ca, None, |_| ()), "localhost");
        let mut server = Server::new(&both, &NoAccounts);
        handshake(&mut client, &mut server).unwrap();
        assert_eq!(*server.channel().local_certificates, ec.chain());
    }
}

/// A second hello (RFC 8446 §4.1.2): the group that the client guessed is not ours.
#[test]
fn a_client_that_must_try_again() {
    let ca = Ca::new("Root");
    let credential = ca.server(&["localhost"]).acceptor(AcceptorSettings::default());
    let mut client = guesses_wrong(&ca);
    let mut server = Server::new(&credential, &NoAccounts);
    handshake(&mut client, &mut server).unwrap();
    assert_eq!(client.handshake_kind(), Some(rustls::HandshakeKind::FullWithHelloRetryRequest));
    assert_eq!(server.channel().group, 0x001d);
    assert_eq!(server.channel().local_certificates.len(), 1);
    // One byte at a time too.
    let mut client = guesses_wrong(&ca);
    let mut server = Server::new(&credential, &NoAccounts);
    while server.context.is_none() {
        for byte in sends(&mut client) {
            server.hear(&[byte]);
        }
        let reply = std::mem::take(&mut server.out);
        hears(&mut client, &reply).unwrap();
    }
    assert_eq!(server.ended(), "ok");
}

fn guesses_wrong(ca: &Ca) -> ClientConnection {
    use rustls::crypto::aws_lc_rs::kx_group::{MLKEM768, X25519};
    let mut primitives = provider();
    primitives.kx_groups = vec![MLKEM768, X25519];
    connect(&client_with(primitives, TlsVersion::Tls13, ca, None, |_| ()), "localhost")
}

#[test]
fn application_protocols() {
    let ca = Ca::new("Root");
    let leaf = ca.server(&["localhost"]);
    let list = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect::<Vec<_>>();
    let (h2, both) = (list(&["h2"]), list(&["h2", "http/1.1"]));
    for version in VERSIONS {
        for (configured, of_call, offered, agreed) in [
            (list(&[]), None, list(&[]), Ok(None)),
            (list(&[]), None, both.clone(), Ok(None)),
            (both.clone(), None, list(&[]), Ok(None)),
            (both.clone(), None, list(&["http/1.1", "h2"]), Ok(Some("h2"))),
            (both.clone(), None, list(&["http/1.1"]), Ok(Some("http/1.1"))),
            (both.clone(), None, list(&["ftp"]), Err(())),
            (h2.clone(), Some(list(&["http/1.1"])), both.clone(), Ok(Some("http/1.1"))),
            (h2.clone(), Some(list(&["http/1.1"])), h2.clone(), Err(())),
            (list(&[]), Some(h2.clone()), h2.clone(), Ok(Some("h2"))),
            (h2.clone(), Some(list(&[])), both.clone(), Ok(None)),
        ] {
            let settings = AcceptorSettings { application_protocols: configured, ..Default::default() };
            let credential = leaf.acceptor(settings);
            let config = client_of(version, &ca, None, |config| config.alpn_protocols = offered.clone());
            let mut client = connect(&config, "localhost");
            let mut server = Server::new(&credential, &NoAccounts);
            server.protocols = of_call;
            let first = sends(&mut client);
            server.hear(&first);
            if agreed.is_err() {
                assert_eq!(server.ended(), "schannel/no-common-protocol");
                let told = hears(&mut client, &server.out);
                assert_eq!(told, Err(Error::AlertReceived(AlertDescription::NoApplicationProtocol)));
                continue;
            }
            handshake(&mut client, &mut server).unwrap();
            let agreed = agreed.unwrap().map(|name| name.as_bytes().to_vec());
            assert_eq!(server.channel().application_protocol, agreed);
            assert_eq!(client.alpn_protocol().map(<[u8]>::to_vec), agreed);
        }
    }
    // A call's own list must be one.
    let credential = leaf.acceptor(AcceptorSettings::default());
    let mut server = Server::new(&credential, &NoAccounts);
    server.protocols = Some(vec![Vec::new()]);
    let mut client = connect(&client_of(TlsVersion::Tls13, &ca, None, |_| ()), "localhost");
    server.hear(&sends(&mut client));
    assert_eq!(server.ended(), "schannel/no-common-protocol");
}

fn keyed(ca: &Ca, algorithm: &'static SignatureAlgorithm) -> Leaf {
    ca.issue_with(KeyPair::generate_for(algorithm).unwrap(), "localhost", &["localhost"], |_| ())
}

/// The hash is the one of the certificate's signature, which is the issuer's; computed here by itself.
#[test]
fn end_point_bindings_of_each_signature() {
    use rustls::crypto::aws_lc_rs::cipher_suite::{TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384};
    let hash = |suite: rustls::SupportedCipherSuite, der: &[u8]| {
        let rustls::SupportedCipherSuite::Tls13(suite) = suite else { panic!("of TLS 1.3") };
        suite.common.hash_provider.hash(der).as_ref().to_vec()
    };
    for (algorithm, suite) in [
        (&rcgen::PKCS_ECDSA_P256_SHA256, TLS13_AES_128_GCM_SHA256),
        (&rcgen::PKCS_ECDSA_P384_SHA384, TLS13_AES_256_GCM_SHA384),
        // It has no hash of its own, and SHA-256 stands in its place.
        (&rcgen::PKCS_ED25519, TLS13_AES_128_GCM_SHA256),
    ] {
        let ca = Ca::keyed("Root", KeyPair::generate_for(algorithm).unwrap());
        let leaf = ca.server(&["localhost"]);
        let credential = leaf.acceptor(AcceptorSettings::default());
        let mut data = b"tls-server-end-point:".to_vec();
        data.extend(hash(suite, &leaf.certificate));
        let expected = ChannelBindings { application_data: data, ..ChannelBindings::default() };
        assert_eq!(end_point_bindings(&leaf.certificate).as_ref(), Some(&expected));
        assert_eq!(leaf.identity().end_point(), &expected);
        for version in VERSIONS {
            let mut server = Server::new(&credential, &NoAccounts);
            handshake(&mut connect(&client_of(version, &ca, None, |_| ()), "localhost"), &mut server).unwrap();
            assert_eq!(server.channel().end_point.as_deref(), Some(&expected));
            assert!(server.context().facts().attribute(26).is_some());
        }
    }
    assert_eq!(end_point_bindings(b"no certificate"), None);
}
