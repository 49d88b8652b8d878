//! TLS through the package, against rustls' own client.

use portcullis::schannel::{AcceptorSettings, ClientAuth};
use portcullis::{ChannelBindings, Record, TlsVersion};
use portcullis_testkit::tls::{Ca, NoAccounts, Server, client, connect, handshake, hears, reads, writes};

#[test]
fn a_handshake_and_data_both_ways_in_each_version() {
    let ca = Ca::new("Root");
    let credential = ca.server(&["localhost"]).acceptor(AcceptorSettings::default());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(ca.certificate().into()).unwrap();
            std::sync::Arc::new(
                rustls::ClientConfig::builder_with_protocol_versions(&[version])
                    .with_root_certificates(roots)
                    .with_no_client_auth(),
            )
        };
        let mut client = connect(&config, "localhost");
        let mut server = Server::new(&credential, &NoAccounts);
        handshake(&mut client, &mut server).unwrap();
        assert_eq!(server.ended(), "ok");
        let channel = server.context().facts().channel.clone().unwrap();
        assert_eq!(channel.version == TlsVersion::Tls13, version.version == rustls::ProtocolVersion::TLSv1_3);
        let mut secret = [0; 32];
        client.export_keying_material(&mut secret, b"EXPORTER-Channel-Binding", Some(&[])).unwrap();
        assert_eq!(channel.exporter_bindings().unwrap(), ChannelBindings::tls_exporter(&secret));

        let mut sent = writes(&mut client, b"one");
        sent.extend(writes(&mut client, b"two"));
        server.hear(&sent);
        assert_eq!(server.receive().unwrap().1, b"one");
        assert_eq!(server.receive().unwrap().1, b"two");
        assert!(matches!(server.receive().unwrap().0, Record::Incomplete { missing: 5 }));
        server.send(b"three").unwrap();
        server.send(&[7; 16384]).unwrap();
        assert_eq!(server.out.len(), 2 * (channel.sizes.header + channel.sizes.trailer) as usize + 5 + 16384);
        let out = std::mem::take(&mut server.out);
        hears(&mut client, &out).unwrap();
        assert_eq!(reads(&mut client), [&b"three"[..], &[7; 16384]].concat());
    }
}

#[test]
fn a_client_certificate_is_asked_for_and_told() {
    let ca = Ca::new("Root");
    let settings =
        AcceptorSettings { client_auth: ClientAuth::Require, clients: Some(ca.trust()), ..Default::default() };
    let credential = ca.server(&["localhost"]).acceptor(settings);
    let leaf = ca.client("Ann", 7);
    let talk = |leaf| {
        let mut client = connect(&client(&ca, leaf, |_| ()), "localhost");
        let mut server = Server::new(&credential, &NoAccounts);
        let _ = handshake(&mut client, &mut server);
        server.ended()
    };
    assert_eq!(talk(Some(&leaf)), "ok");
    assert_eq!(talk(None), "schannel/no-client-certificate");
    assert_eq!(talk(Some(&Ca::new("Other").client("Ann", 7))), "schannel/untrusted-root");
}
