use crate::{BATCH, Identity, NAMES};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};
use std::io::Read;
use std::sync::Arc;

/// What kind of handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// TLS 1.3 over X25519.
    Full,
    /// TLS 1.3 over X25519MLKEM768.
    Hybrid,
    /// TLS 1.3 by a ticket, with X25519.
    Resumed,
    /// TLS 1.2 over X25519.
    Tls12,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Full, Self::Hybrid, Self::Resumed, Self::Tls12];
}

/// One server's client: configurations for each kind, AES-128-GCM alone, and the tickets that it was given.
pub(crate) struct Sessions([Arc<ClientConfig>; Kind::ALL.len()]);

impl Sessions {
    pub(crate) fn new(identity: &Identity) -> Self {
        Self(Kind::ALL.map(|kind| {
            let (version, kx_groups): (&'static SupportedProtocolVersion, Vec<&'static dyn SupportedKxGroup>) =
                match kind {
                    Kind::Full | Kind::Resumed => (&rustls::version::TLS13, vec![kx_group::X25519]),
                    Kind::Hybrid => (&rustls::version::TLS13, vec![kx_group::X25519MLKEM768]),
                    // The second is the certificate's, which OpenSSL looks for (RFC 8422 §5.1).
                    Kind::Tls12 => (&rustls::version::TLS12, vec![kx_group::X25519, kx_group::SECP256R1]),
                };
            let provider = CryptoProvider {
                cipher_suites: vec![
                    cipher_suite::TLS13_AES_128_GCM_SHA256,
                    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                ],
                kx_groups,
                ..default_provider()
            };
            let mut roots = RootCertStore::empty();
            roots.add(identity.authority.clone()).expect("an authority");
            let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
                .with_protocol_versions(&[version])
                .expect("a version")
                .with_root_certificates(roots)
                .with_no_client_auth();
            config.resumption = match kind {
                Kind::Resumed => Resumption::in_memory_sessions(16 * BATCH),
                _ => Resumption::disabled(),
            };
            Arc::new(config)
        }))
    }

    /// The client of the `n`th conversation of a batch. Each has a name of its own: two tickets come of each
    /// handshake, and one goes.
    pub(crate) fn connect(&self, kind: Kind, n: usize) -> ClientConnection {
        let name = ServerName::try_from(NAMES.replace('*', &format!("web{n}"))).expect("a name");
        ClientConnection::new(Arc::clone(&self.0[kind as usize]), name).expect("a client")
    }
}

/// Everything that the client wants to send now.
pub(crate) fn sends(client: &mut ClientConnection) -> Vec<u8> {
    let mut out = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut out).expect("memory takes all");
    }
    out
}

/// Gives the client bytes; gives the data in them.
pub(crate) fn hears(client: &mut ClientConnection, mut bytes: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while !bytes.is_empty() {
        client.read_tls(&mut bytes).expect("the client takes all");
        client.process_new_packets().expect("the client is content");
        // It ends with "would block".
        let _ = client.reader().read_to_end(&mut data);
    }
    data
}
