//! Messages of the handshake protocol after the handshake: the few that are allowed, and the others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis::schannel::{AcceptorSettings, Initiator, InitiatorSettings};
use portcullis::{Control, Credential, Record, TlsVersion};
use portcullis_testkit::tls::{
    Ca, Client, NoAccounts, Raw, Server, VERSIONS, client_of, connect, handshake, meet_server, record, server,
};
use rustls::ServerConnection;

/// A client that may send what it likes, and its server.
fn client(version: TlsVersion) -> (Raw, Server<'static>) {
    let ca = Ca::new("Root");
    let credential = ca.server(&["localhost"]).acceptor(AcceptorSettings::default());
    let config = client_of(version, &ca, None, |config| config.enable_secret_extraction = true);
    let mut client = connect(&config, "localhost");
    let mut server = Server::new(&credential, &NoAccounts);
    handshake(&mut client, &mut server).unwrap();
    (Raw::take_over(client), server)
}

/// A server that may send what it likes, and its client.
fn servers(version: TlsVersion) -> (Raw, Client) {
    let ca = Ca::new("Root");
    let config = server(version, &ca.server(&["localhost"]), None, |config| {
        config.enable_secret_extraction = true;
        config.send_tls13_tickets = 0;
    });
    let settings = InitiatorSettings { servers: Some(ca.trust()), ..Default::default() };
    let mut client = Client::new(&Credential::initiator(Initiator::new(settings).unwrap()), "localhost");
    let mut server = ServerConnection::new(config).unwrap();
    meet_server(&mut client, &mut server).unwrap();
    assert_eq!(client.ended(), "ok");
    (Raw::take_over(server), client)
}

const KEY_UPDATE: u8 = 24;

#[test]
fn a_key_update_that_wants_no_answer() {
    let (mut raw, mut server) = client(TlsVersion::Tls13);
    server.hear(&raw.seal(22, &[KEY_UPDATE, 0, 0, 1, 0]));
    assert!(matches!(server.receive().unwrap().0, Record::Data { len: 0, .. }));
    server.control(Control::Respond).unwrap();
    assert!(server.out.is_empty(), "there is nothing to say");
    server.send(b"on").unwrap();
    // What comes under the old keys is too old.
    server.hear(&raw.seal(23, b"data"));
    assert_eq!(server.receive().unwrap_err().cause.name(), "schannel/bad-record");
}

#[test]
fn messages_that_no_client_may_send() {
    let update = [KEY_UPDATE, 0, 0, 1, 0];
    let finished = [&[20, 0, 0, 32][..], &[0; 32]].concat();
    for message in [
        &[KEY_UPDATE, 0, 0, 1, 2][..],
        &[KEY_UPDATE, 0, 0, 0],
        &[update, update].concat(),
        &finished,
        // An empty Certificate, a NewSessionTicket, a HelloRequest.
        &[11, 0, 0, 4, 0, 0, 0, 0],
        &[4, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 7, 0, 0],
        &[0, 0, 0, 0],
    ] {
        let (mut raw, mut server) = client(TlsVersion::Tls13);
        server.hear(&raw.seal(22, message));
        let failure = server.receive().unwrap_err();
        assert_eq!(failure.cause.name(), "schannel/protocol-violation", "{message:?}");
        assert_eq!(server.receive().unwrap_err(), failure);
    }
}

/// A message in pieces is one, and nothing comes between them (RFC 8446 §5.1).
#[test]
fn a_message_over_two_records() {
    let pieces = [&[KEY_UPDATE, 0, 0][..], &[1, 0]];
    let (mut raw, mut server) = client(TlsVersion::Tls13);
    for piece in pieces {
        server.hear(&raw.seal(22, piece));
        assert!(matches!(server.receive().unwrap().0, Record::Data { len: 0, .. }));
    }
    let (mut raw, mut server) = client(TlsVersion::Tls13);
    server.hear(&[raw.seal(22, pieces[0]), raw.seal(23, b"between")].concat());
    assert!(matches!(server.receive().unwrap().0, Record::Data { len: 0, .. }));
    assert_eq!(server.receive().unwrap_err().cause.name(), "schannel/protocol-violation");
}

#[test]
fn change_cipher_spec_is_of_the_handshake() {
    for version in VERSIONS {
        let (_, mut server) = client(version);
        server.hear(&record(20, &[1]));
        assert_eq!(server.receive().unwrap_err().cause.name(), "schannel/protocol-violation");
    }
}

/// The server's ways to a second handshake, and to a certificate after the first.
#[test]
fn what_a_server_may_not_ask() {
    let (mut raw, mut client) = servers(TlsVersion::Tls12);
    client.pending = raw.seal(22, &[0, 0, 0, 0]);
    assert_eq!(client.receive().unwrap_err().cause.name(), "schannel/renegotiation");
    let mut out = Vec::new();
    client.context().control(Control::Respond, &mut out).unwrap();
    assert_eq!(out[..5], [21, 3, 3, 0, 26], "no_renegotiation, sealed");

    // CertificateRequest: a context of one byte, and signature_algorithms.
    let request = [13, 0, 0, 12, 1, 7, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3];
    let (mut raw, mut client) = servers(TlsVersion::Tls13);
    client.pending = raw.seal(22, &request);
    assert_eq!(client.receive().unwrap_err().cause.name(), "schannel/protocol-violation");
}
