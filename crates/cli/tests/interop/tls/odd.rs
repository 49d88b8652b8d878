//! Bytes that no client sends, or sends so: a relay of ours between openssl and the server cuts, glues and repeats them.

use crate::harness::Server;
use crate::tls::clients::{curl, curl_at, python, s_client};
use crate::tls::listener::Listener;
use crate::tls::names::{DTLS, HTTP_ON_THE_TLS_PORT, NO_COMMON_VERSION, NOT_TLS};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Sends these bytes and gives all that the server says until it closes, which it must.
fn told(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(server.https());
    // It may close before it has read everything.
    let _ = stream.write_all(bytes);
    until_closed(&mut stream)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        Err(why) if why.kind() == ErrorKind::ConnectionReset => {}
        Err(why) => panic!("the server neither answers nor closes: {why}, {said:?}"),
    }
    said
}

/// At most a fatal alert.
fn is_alert_or_nothing(said: &[u8]) -> bool {
    said.is_empty() || (said.len() == 7 && said[..2] == [21, 3] && said[5] == 2)
}

fn serves_others(server: &Server) {
    let none: [&str; 0] = [];
    curl(server, &none).expect(401);
    assert_eq!(curl_at(server.https(), "/healthz", &none).status, 200);
}

/// The ClientHello of openssl's client, one record.
fn hello(version: &str) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _client = s_client(listener.local_addr().unwrap(), &[version]);
    let (mut stream, _) = listener.accept().unwrap();
    read_record(&mut stream).unwrap()
}

fn read_record(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut record = vec![0; 5];
    stream.read_exact(&mut record).ok()?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + length, 0);
    stream.read_exact(&mut record[5..]).ok()?;
    Some(record)
}

/// Passes everything on between one client and the server; `send` sends the client's, which come record by record.
fn between(server: &Server, mut send: impl FnMut(&mut TcpStream, Vec<u8>) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let behind = server.https();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = connect(behind);
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
        while let Some(record) = read_record(&mut client) {
            send(&mut server, record);
        }
        let _ = server.shutdown(Shutdown::Write);
    });
    address
}

fn split(record: &[u8], pieces: usize) -> Vec<u8> {
    let body = &record[5..];
    let size = body.len().div_ceil(pieces);
    let records = body.chunks(size).map(|piece| {
        let length = u16::try_from(piece.len()).unwrap().to_be_bytes();
        [&record[..3], &length, piece].concat()
    });
    records.collect::<Vec<_>>().concat()
}

#[test]
fn one_byte_at_a_time() {
    let server = Listener::new().start();
    for version in ["-tls1_2", "-tls1_3"] {
        let address = between(&server, |server, record| {
            for byte in record {
                let _ = server.write_all(&[byte]);
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        let mut client = s_client(address, &[version]);
        client.ask(1, 401);
        client.ask(2, 401);
    }
}

#[test]
fn a_client_hello_over_three_records() {
    let server = Listener::new().start();
    for (version, pieces) in [("-tls1_2", 3), ("-tls1_3", 3), ("-tls1_3", 40)] {
        let mut first = true;
        let address = between(&server, move |server, record| {
            let bytes = if std::mem::take(&mut first) { split(&record, pieces) } else { record };
            let _ = server.write_all(&bytes);
        });
        let mut client = s_client(address, &[version]);
        client.ask(1, 401);
    }
}

/// Finished and what the client asks, and several records with requests, each in one piece.
#[test]
fn records_glued_together() {
    let server = Listener::new().start();
    for version in ["-tls1_2", "-tls1_3"] {
        let (held, mut first) = (std::sync::Arc::new(std::sync::Mutex::new(Vec::new())), true);
        let address = between(&server, move |server, record| {
            // Of TLS 1.2's handshake everything goes through as it comes: the client waits for an answer to each flight.
            if std::mem::take(&mut first) || record[0] != 23 {
                let _ = server.write_all(&record);
                return;
            }
            let mut bytes = held.lock().unwrap();
            bytes.extend_from_slice(&record);
            if bytes.len() == record.len() {
                // What comes within this time goes with it.
                let (held, mut server) = (std::sync::Arc::clone(&held), server.try_clone().unwrap());
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(500));
                    let bytes = std::mem::take(&mut *held.lock().unwrap());
                    let _ = server.write_all(&bytes);
                });
            }
        });
        let mut client = s_client(address, &[version]);
        for _ in 0..3 {
            client.say("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            std::thread::sleep(Duration::from_millis(50));
        }
        client.expect("HTTP/1.1 401", 3);
    }
}

#[test]
fn http_on_the_tls_port_is_told_so() {
    let server = Listener::new().start();
    for request in
        ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /x HTTP/1.0\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"]
    {
        let said = String::from_utf8(told(&server, request.as_bytes())).unwrap();
        assert!(said.starts_with("HTTP/1.1 400 ") || said.starts_with("HTTP/1.0 400 "), "{said:?}");
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        assert!(head.to_ascii_lowercase().contains("connection: close"), "{said}");
        assert!(request.starts_with("HEAD") || body.to_ascii_lowercase().contains("https"), "{said}");
        server.expect_last_cause(HTTP_ON_THE_TLS_PORT);
    }
    serves_others(&server);
}

#[test]
fn what_is_no_tls_is_closed() {
    let server = Listener::new().start();
    for bytes in [&[0; 100][..], b"SSH-2.0-OpenSSH_9.2\r\n", &[0xff; 3000]] {
        let said = told(&server, bytes);
        assert!(is_alert_or_nothing(&said), "{bytes:?}: {said:?}");
        server.expect_last_cause(NOT_TLS);
    }
    let ssl_2 = [0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10, 7, 0, 0xc0, 3, 0, 0x80, 1, 0, 0x80];
    assert!(is_alert_or_nothing(&told(&server, &ssl_2)));
    server.expect_last_cause(NO_COMMON_VERSION);
    let dtls = [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
    assert!(is_alert_or_nothing(&told(&server, &dtls)));
    server.expect_last_cause(DTLS);
    // A record of TLS, but none to begin with.
    assert!(is_alert_or_nothing(&told(&server, &[23, 3, 3, 0, 1, 0])));
    // A length that no record has is refused at its header: nobody waits for its 65 535 bytes.
    let said = told(&server, &[22, 3, 1, 0xff, 0xff, 1]);
    assert!(is_alert_or_nothing(&said), "{said:?}");
    serves_others(&server);
}

#[test]
fn a_client_hello_that_is_spoiled_is_refused() {
    let server = Listener::new().start();
    for version in ["-tls1_2", "-tls1_3"] {
        let good = hello(version);
        // The record's version, the handshake's type and its length, the session id's length.
        for at in [1, 5, 6, 43] {
            let mut bytes = good.clone();
            bytes[at] ^= 0xff;
            bytes.extend(std::iter::repeat_n(0, 300));
            let mut stream = connect(server.https());
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(Shutdown::Write);
            let said = until_closed(&mut stream);
            assert!(is_alert_or_nothing(&said), "byte {at}: {said:?}");
        }
    }
    serves_others(&server);
}

#[test]
fn alert_floods_and_empty_records_are_cut_off() {
    let server = Listener::new().start();
    let warning = [21, 3, 3, 0, 2, 1, 100];
    let empty = [22, 3, 3, 0, 0];
    for flood in [&warning[..], &empty] {
        for begin in [Vec::new(), hello("-tls1_2"), hello("-tls1_3")] {
            let mut stream = connect(server.https());
            let _ = stream.write_all(&begin);
            for _ in 0..10_000 {
                if stream.write_all(flood).is_err() {
                    break;
                }
            }
            // Its answer to the hello, if any, and an alert; then the end, without the client's.
            until_closed(&mut stream);
        }
    }
    serves_others(&server);
}

/// A handshake that does not go on has its time, as one of NTLM has.
#[test]
fn slow_handshakes_are_ended() {
    let server = Listener::new().settings("[limits]\nhandshake_seconds = 1\nheader_seconds = 1").start();
    let hello = hello("-tls1_3");
    for bytes in [&[][..], &hello[..3], &hello[..100], &hello] {
        let begun = Instant::now();
        let mut stream = connect(server.https());
        stream.write_all(bytes).unwrap();
        until_closed(&mut stream);
        assert!(begun.elapsed() < Duration::from_secs(10), "{} bytes: {:?}", bytes.len(), begun.elapsed());
    }
    serves_others(&server);
}

/// TCP ends without close_notify in the middle of a request, and of a handshake: neither is taken for whole.
#[test]
fn truncation_is_no_end() {
    let server = Listener::new().start();
    for version in ["TLSv1_2", "TLSv1_3"] {
        let said = python(server.https(), &[("PEER_VERSION", version), ("PEER_WAY", "truncated")]);
        assert!(said.contains("resumed False") && !said.contains("refused"), "{said}");
    }
    for version in ["-tls1_2", "-tls1_3"] {
        let mut stream = connect(server.https());
        stream.write_all(&hello(version)[..50]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(is_alert_or_nothing(&until_closed(&mut stream)));
    }
    assert!(!server.causes().contains(&"ok".to_owned()), "{:?}", server.causes());
    serves_others(&server);
}
