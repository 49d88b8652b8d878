//! What no test from outside can wait for: keys that have sealed as much as they may (RFC 8446 §5.5).

use super::engine::{Shared, Tickets, during};
use super::identity::provider;
use super::trust::HostVerifies;
use crate::{CipherSuite, Control, Failure, Segment, TlsVersion};
use rustls::pki_types::{PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use std::io::Read;
use std::sync::Arc;

fn pair(version: TlsVersion) -> (Shared, ClientConnection) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let versions = super::versions(&[version]);
    let server = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&versions).unwrap();
    let server = server.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(HostVerifies { mandatory: true }))
        .with_no_client_auth();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
        let mut flight = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut flight).unwrap();
        }
        server.read_tls(&mut &flight[..]).unwrap();
        server.process_new_packets().unwrap();
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        hear(&mut client, &flight);
    }
    let suite = CipherSuite::of(u16::from(server.negotiated_cipher_suite().unwrap().suite())).unwrap();
    (Shared::new(Box::new(server.into()), UnixTime::now(), Tickets::USED, suite), client)
}

fn hear(client: &mut ClientConnection, mut bytes: &[u8]) -> Vec<u8> {
    while !bytes.is_empty() {
        client.read_tls(&mut bytes).unwrap();
        client.process_new_packets().unwrap();
    }
    let mut data = Vec::new();
    // It ends with "would block".
    let _ = client.reader().read_to_end(&mut data);
    data
}

fn seal(server: &Shared, data: &[u8]) -> Result<Vec<u8>, Failure> {
    let (header, trailer) = server.lock().overhead();
    let (mut header, mut data, mut trailer) = (vec![0; header], data.to_vec(), vec![0; trailer]);
    let segments = &mut [Segment::Header(&mut header), Segment::Data(&mut data), Segment::Trailer(&mut trailer)];
    server.lock().seal(segments)?;
    Ok([header, data, trailer].concat())
}

/// The message that renews the keys goes out alone, before the record that would be one too many.
#[test]
fn keys_are_renewed_before_they_are_worn() {
    let (server, mut client) = pair(TlsVersion::Tls13);
    for turn in 0..3_u8 {
        server.lock().left = 1;
        assert_eq!(hear(&mut client, &seal(&server, &[turn]).unwrap()), [turn]);
        assert_eq!(seal(&server, b"one more").unwrap_err().cause.name(), "schannel/response-pending");
        let mut out = Vec::new();
        server.lock().control(Control::Respond, &mut out).unwrap();
        assert_eq!(out.len(), 27, "a KeyUpdate");
        assert!(hear(&mut client, &out).is_empty());
        assert_eq!(hear(&mut client, &seal(&server, b"one more").unwrap()), b"one more");
        assert!(server.lock().left > 1 << 20, "and there is room again");
    }
}

/// TLS 1.2 cannot renew them: the direction ends.
#[test]
fn worn_keys_of_tls_12_end_the_direction() {
    let (server, mut client) = pair(TlsVersion::Tls12);
    server.lock().left = 1;
    assert_eq!(hear(&mut client, &seal(&server, b"last").unwrap()), b"last");
    for _ in 0..2 {
        assert_eq!(seal(&server, b"one more").unwrap_err().cause.name(), "schannel/ended");
    }
}

/// A hello is its own side's, or says nothing.
#[test]
fn hellos_are_told_apart() {
    use super::session::Hello;
    // An empty session, a suite, and the extended master secret.
    let front = [&[3, 3][..], &[7; 32], &[0]].concat();
    let client = [&[1, 0, 0, 47], &front[..], &[0, 2, 0x13, 1, 1, 0, 0, 4, 0, 23, 0, 0]].concat();
    let server = [&[2, 0, 0, 44], &front[..], &[0x13, 1, 0, 0, 4, 0, 23, 0, 0]].concat();
    for (bytes, is_client) in [(client, true), (server, false)] {
        assert_eq!(Hello::of_client(&bytes, None).extended_master_secret, is_client);
        assert_eq!(Hello::of_server(&bytes, None).extended_master_secret, !is_client);
    }
}

#[test]
fn a_handshake_can_only_be_forgotten() {
    let mut tickets = Tickets::USED;
    for control in [Control::Respond, Control::Shutdown] {
        assert_eq!(tickets.control(control).unwrap_err(), crate::CallCause::NotNegotiated.into());
        assert_eq!(tickets, Tickets::USED);
    }
    tickets.control(Control::Forget).unwrap();
    assert_eq!(tickets, Tickets { taken: true, given: false });
}

/// Outside of a call the TLS library has neither time nor tickets, and one call does not see another's.
#[test]
fn what_a_call_lends_ends_with_it() {
    use super::engine::{now, tickets};
    let at = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let none = Tickets { taken: false, given: false };
    during(at(1), none, || {
        assert_eq!((now(), tickets()), (Some(at(1)), none));
        during(at(2), Tickets::USED, || assert_eq!((now(), tickets()), (Some(at(2)), Tickets::USED)));
        assert_eq!((now(), tickets()), (Some(at(1)), none));
    });
    assert_eq!((now(), tickets()), (None, Tickets::USED));
}
