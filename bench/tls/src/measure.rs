use crate::BATCH;
use crate::client::{Kind, Sessions, hears, sends};
use bench_harness::{Heap, cpu};
use rustls::{ClientConnection, HandshakeKind};
use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

/// A server's program: it makes connections.
pub(crate) trait Server {
    type Connection: Connection + 'static;

    fn name(&self) -> &'static str;

    fn speaks(&self, _: Kind) -> bool {
        true
    }

    fn begin(&self) -> Self::Connection;
}

/// A server's side of a connection.
pub(crate) trait Connection {
    /// Takes a flight of the client's; the answer is appended.
    fn hear(&mut self, flight: &[u8], out: &mut Vec<u8>);

    /// Whether the handshake is through.
    fn is_through(&self) -> bool;

    /// Seals a message into one record.
    fn seal(&mut self, message: &mut Message);

    /// Opens one record: in place, or into `plain`.
    fn unseal<'m>(&mut self, record: &'m mut [u8], plain: &'m mut [u8]) -> &'m [u8];
}

/// A message with room for a record around it; where the server does not seal in place, its record is `out`.
pub(crate) struct Message {
    pub(crate) room: Vec<u8>,
    pub(crate) out: Vec<u8>,
}

/// A record's header in TLS 1.3.
pub(crate) const HEADER: usize = 5;

/// Its trailer: the true type, and the tag.
pub(crate) const TRAILER: usize = 17;

impl Message {
    fn new(data: &[u8]) -> Self {
        let room = [&[0; HEADER], data, &[0; TRAILER]].concat();
        let out = Vec::with_capacity(room.len());
        Self { room, out }
    }

    /// The data to be sealed.
    pub(crate) fn data(&self) -> &[u8] {
        &self.room[HEADER..self.room.len() - TRAILER]
    }

    fn record(&self) -> &[u8] {
        if self.out.is_empty() { &self.room } else { &self.out }
    }
}

/// What is measured of any server.
pub(crate) trait Measured {
    fn name(&self) -> &'static str;

    fn speaks(&self, kind: Kind) -> bool;

    /// The server's time for a batch of handshakes: from the hello to the connection's release.
    fn handshakes(&self, sessions: &Sessions, kind: Kind) -> Duration;

    /// What one handshake does to the heap.
    fn heap(&self, sessions: &Sessions, kind: Kind) -> [(&'static str, f64); 2];

    /// A connection for records.
    fn stream(&self, sessions: &Sessions) -> Box<dyn Stream>;
}

/// A connection whose handshake is through.
pub(crate) trait Stream {
    /// The server's time to seal a batch of records, and to unseal one.
    fn records(&mut self, size: usize) -> (Duration, Duration);
}

impl<S: Server> Measured for S {
    fn name(&self) -> &'static str {
        Server::name(self)
    }

    fn speaks(&self, kind: Kind) -> bool {
        Server::speaks(self, kind)
    }

    fn handshakes(&self, sessions: &Sessions, kind: Kind) -> Duration {
        batch(self, sessions, kind, WARM);
        batch(self, sessions, kind, BATCH)
    }

    fn heap(&self, sessions: &Sessions, kind: Kind) -> [(&'static str, f64); 2] {
        let (mut client, mut out) = (sessions.connect(kind, 0), Vec::with_capacity(ROOM));
        let hello = sends(&mut client);
        let (mut connection, first) = Heap::during(|| {
            let mut connection = self.begin();
            connection.hear(&hello, &mut out);
            connection
        });
        let flight = answers(&mut client, &mut out);
        let ((), second) = Heap::during(|| connection.hear(&flight, &mut out));
        answers(&mut client, &mut out);
        [("allocations", (first.allocations + second.allocations) as f64), ("half_open", first.retained as f64)]
    }

    fn stream(&self, sessions: &Sessions) -> Box<dyn Stream> {
        let (mut client, mut connection, mut out) = (sessions.connect(Kind::Full, 0), self.begin(), Vec::new());
        let mut flight = sends(&mut client);
        while !flight.is_empty() {
            connection.hear(&flight, &mut out);
            flight = answers(&mut client, &mut out);
        }
        finish(&client);
        Box::new(Through { client, connection })
    }
}

/// The server's time for so many handshakes.
fn batch<S: Server + ?Sized>(server: &S, sessions: &Sessions, kind: Kind, n: usize) -> Duration {
    let mut clients: Vec<_> = (0..n).map(|n| sessions.connect(kind, n)).collect();
    let mut outs: Vec<Vec<u8>> = (0..n).map(|_| Vec::with_capacity(ROOM)).collect();
    let mut connections = Vec::with_capacity(n);

    let hellos: Vec<_> = clients.iter_mut().map(sends).collect();
    let start = cpu();
    for (hello, out) in hellos.iter().zip(&mut outs) {
        let mut connection = server.begin();
        connection.hear(hello, out);
        connections.push(connection);
    }
    let first = cpu() - start;

    let flights: Vec<_> = clients.iter_mut().zip(&mut outs).map(|(client, out)| answers(client, out)).collect();
    let start = cpu();
    for ((mut connection, flight), out) in connections.into_iter().zip(&flights).zip(&mut outs) {
        connection.hear(flight, out);
        assert!(connection.is_through());
        drop(black_box(connection));
    }
    let second = cpu() - start;

    for (client, out) in clients.iter_mut().zip(&mut outs) {
        answers(client, out);
        finish(client);
    }
    // The first batch has no tickets yet: it is made again.
    let expected = if kind == Kind::Resumed { HandshakeKind::Resumed } else { HandshakeKind::Full };
    if clients.iter().all(|client| client.handshake_kind() == Some(expected)) {
        return first + second;
    }
    assert_eq!(kind, Kind::Resumed, "what may be full is full");
    batch(server, sessions, kind, n)
}

/// Conversations and records before those that count: whose code and data were there last is not to matter.
const WARM: usize = 2;

/// More than any server's flight here.
const ROOM: usize = 8192;

fn answers(client: &mut ClientConnection, out: &mut Vec<u8>) -> Vec<u8> {
    hears(client, out);
    out.clear();
    sends(client)
}

fn finish(client: &ClientConnection) {
    assert!(!client.is_handshaking(), "the client is through");
}

struct Through<C> {
    client: ClientConnection,
    connection: C,
}

impl<C: Connection> Stream for Through<C> {
    fn records(&mut self, size: usize) -> (Duration, Duration) {
        self.batch(size, WARM);
        self.batch(size, BATCH)
    }
}

impl<C: Connection> Through<C> {
    fn batch(&mut self, size: usize, n: usize) -> (Duration, Duration) {
        let data = vec![0x5a; size];
        let mut messages: Vec<_> = (0..n).map(|_| Message::new(&data)).collect();
        let start = cpu();
        messages.iter_mut().for_each(|message| self.connection.seal(message));
        let sealed = cpu() - start;
        for message in &messages {
            assert!(hears(&mut self.client, message.record()) == data, "the client reads what the server sealed");
        }

        let mut records: Vec<_> = (0..n)
            .map(|_| {
                self.client.writer().write_all(&data).expect("memory takes all");
                (sends(&mut self.client), vec![0; size])
            })
            .collect();
        let mut opened = Vec::with_capacity(n);
        let start = cpu();
        for (record, plain) in &mut records {
            opened.push(self.connection.unseal(record, plain));
        }
        let unsealed = cpu() - start;
        assert!(opened.iter().all(|opened| *opened == data), "the server reads what the client sealed");
        (sealed, unsealed)
    }
}
