//! The sign and seal service over a real socket, with our client; pyspnego's is in `interop/`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use portcullis_testkit::{Initiator, Part, Session};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

struct Service {
    child: Child,
    address: String,
}

impl Service {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis-testkit-seal"))
            .args(["--listen", "127.0.0.1:0", "--user", "User", "--password", "Password", "--domain", "DOMAIN"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening tcp ").unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Peer(TcpStream);

impl Peer {
    fn send(&mut self, payload: &[u8]) {
        let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
        self.0.write_all(&[&len[..], payload].concat()).unwrap();
    }

    fn receive(&mut self) -> Option<Vec<u8>> {
        let mut len = [0; 4];
        self.0.read_exact(&mut len).ok()?;
        let mut payload = vec![0; u32::from_be_bytes(len) as usize];
        self.0.read_exact(&mut payload).ok()?;
        Some(payload)
    }

    /// Logs on; the status frame and the session.
    fn log_on(service: &Service, client: &Initiator) -> (Self, Vec<u8>, Session) {
        let mut peer = Self(TcpStream::connect(&service.address).unwrap());
        let negotiate = client.negotiate();
        peer.send(&negotiate);
        let challenge = peer.receive().unwrap();
        let (message, session) = client.authenticate(&negotiate, &challenge).unwrap();
        peer.send(&message);
        let status = peer.receive().unwrap();
        (peer, status, session)
    }
}

#[test]
fn messages_come_back_reversed() {
    let service = Service::start();
    let (mut peer, status, mut session) = Peer::log_on(&service, &Initiator::user());
    assert_eq!(status, [0, 0, 0, 0, 0]);

    let text = b"signed words".to_vec();
    let signature = session.sign(&[Part::Data(text.clone())]);
    peer.send(&[b"S", &signature[..], &text].concat());
    let reply = peer.receive().unwrap();
    let reversed: Vec<u8> = text.iter().rev().copied().collect();
    assert_eq!((reply[0], &reply[17..]), (b'S', &reversed[..]));
    assert!(session.verify(&[Part::Data(reversed.clone())], reply[1..17].try_into().unwrap()));

    let mut parts = [Part::Data(text.clone())];
    let signature = session.seal(&mut parts);
    peer.send(&[b"E", &signature[..], parts[0].bytes()].concat());
    let reply = peer.receive().unwrap();
    let mut parts = [Part::Data(reply[17..].to_vec())];
    assert!(reply[0] == b'E' && session.unseal(&mut parts, reply[1..17].try_into().unwrap()));
    assert_eq!(parts[0].bytes(), reversed);

    let mut parts = [Part::SignOnly(b"head".to_vec()), Part::Data(b"one".to_vec()), Part::Data(b"two".to_vec())];
    let signature = session.seal(&mut parts);
    let mut frame = b"M\x03".to_vec();
    for part in &parts {
        frame.extend_from_slice(&u32::try_from(part.bytes().len()).unwrap().to_be_bytes());
        frame.extend_from_slice(part.bytes());
    }
    frame.extend_from_slice(&signature);
    peer.send(&frame);
    let reply = peer.receive().unwrap();
    assert_eq!(reply.len(), frame.len());
    assert_eq!(reply[..6], frame[..6]);
    let mut parts =
        [Part::SignOnly(reply[6..10].to_vec()), Part::Data(reply[14..17].to_vec()), Part::Data(reply[21..24].to_vec())];
    assert!(session.unseal(&mut parts, reply[24..].try_into().unwrap()));
    assert_eq!(parts.map(|part| part.bytes().to_vec()), [b"daeh".to_vec(), b"eno".to_vec(), b"owt".to_vec()]);
}

#[test]
fn failures_are_told_and_end_the_connection() {
    let service = Service::start();
    let wrong = Initiator { password: "other".into(), ..Initiator::user() };
    let (mut peer, status, _) = Peer::log_on(&service, &wrong);
    assert_eq!(status, [1, 0x80, 0x09, 0x03, 0x0c]);
    assert_eq!(peer.receive(), None);

    let (mut peer, _, mut session) = Peer::log_on(&service, &Initiator::user());
    let mut signature = session.sign(&[Part::Data(b"words".to_vec())]);
    signature[5] ^= 1;
    peer.send(&[b"S", &signature[..], b"words"].concat());
    assert_eq!(peer.receive().unwrap(), [b'F', 0x80, 0x09, 0x03, 0x0f]);
    assert_eq!(peer.receive(), None);

    for frame in [&b""[..], b"X", b"S123", b"M", b"M\x02\0\0\0\x05ab", b"M\x01\xff\xff\xff\xffab"] {
        let (mut peer, _, _) = Peer::log_on(&service, &Initiator::user());
        peer.send(frame);
        assert_eq!(peer.receive().unwrap(), [b'F', 0x80, 0x09, 0x03, 0x08], "{frame:?}");
    }
    // A frame beyond the bound is not read at all.
    let (mut peer, _, _) = Peer::log_on(&service, &Initiator::user());
    peer.0.write_all(&[0, 0x10, 0, 1]).unwrap();
    assert_eq!(peer.receive(), None);
}
