use crate::Identity;
use crate::measure::{Connection, Message, Server};
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, ServerConnection};
use std::io::{Read, Write};
use std::sync::Arc;

/// rustls alone, through its buffered API.
pub(crate) struct Rustls(Arc<ServerConfig>);

impl Rustls {
    pub(crate) fn new(identity: &Identity) -> Self {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("both versions")
            .with_no_client_auth()
            .with_single_cert(vec![identity.certificate.clone()], identity.private_key())
            .expect("an identity");
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = Ticketer::new().expect("keys");
        Self(Arc::new(config))
    }
}

impl Server for Rustls {
    type Connection = ServerConnection;

    fn name(&self) -> &'static str {
        "rustls"
    }

    fn begin(&self) -> ServerConnection {
        ServerConnection::new(Arc::clone(&self.0)).expect("a connection")
    }
}

impl Connection for ServerConnection {
    fn hear(&mut self, mut flight: &[u8], out: &mut Vec<u8>) {
        while !flight.is_empty() {
            self.read_tls(&mut flight).expect("it takes all");
            self.process_new_packets().expect("it is content");
        }
        send(self, out);
    }

    fn is_through(&self) -> bool {
        !self.is_handshaking()
    }

    fn seal(&mut self, message: &mut Message) {
        let written = self.writer().write(message.data());
        assert_eq!(written.expect("sealed"), message.data().len());
        send(self, &mut message.out);
    }

    fn unseal<'m>(&mut self, record: &'m mut [u8], plain: &'m mut [u8]) -> &'m [u8] {
        let mut rest: &[u8] = record;
        while !rest.is_empty() {
            self.read_tls(&mut rest).expect("it takes all");
            self.process_new_packets().expect("it is content");
        }
        self.reader().read_exact(plain).expect("the record's data");
        plain
    }
}

fn send(connection: &mut ServerConnection, out: &mut Vec<u8>) {
    while connection.wants_write() {
        connection.write_tls(out).expect("memory takes all");
    }
}
