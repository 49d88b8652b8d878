use rustls::crypto::cipher::{AeadKey, Iv, MessageEncrypter, OutboundChunks, OutboundPlainMessage};
use rustls::{Connection, ConnectionTrafficSecrets, ContentType, ProtocolVersion, SupportedCipherSuite};

/// A peer after its handshake that seals whatever it is told: messages that rustls would not send.
pub struct Raw {
    pub(super) encrypter: Box<dyn MessageEncrypter>,
    pub(super) sequence: u64,
}

impl Raw {
    /// Takes a connection over; its configuration must let go of its secrets (`enable_secret_extraction`).
    pub fn take_over(peer: impl Into<Connection>) -> Self {
        let peer = peer.into();
        let suite = peer.negotiated_cipher_suite().unwrap();
        let (sequence, secrets) = peer.dangerous_extract_secrets().unwrap().tx;
        let (key, iv) = key_and_iv(secrets);
        let mut encrypter = match suite {
            SupportedCipherSuite::Tls13(suite) => suite.aead_alg.encrypter(key, iv),
            // The salt, and where the explicit nonces begin (RFC 5288 §3).
            SupportedCipherSuite::Tls12(suite) => {
                let (salt, explicit) = iv.as_ref().split_at(4);
                suite.aead_alg.encrypter(key, salt, explicit)
            }
        };
        // The cipher takes no sequence that does not begin at the beginning.
        for earlier in 0..sequence {
            seal(encrypter.as_mut(), ContentType::ApplicationData, b"", earlier);
        }
        Self { encrypter, sequence }
    }

    /// A record of this type.
    pub fn seal(&mut self, content: u8, fragment: &[u8]) -> Vec<u8> {
        let record = seal(self.encrypter.as_mut(), ContentType::from(content), fragment, self.sequence);
        self.sequence += 1;
        record
    }
}

pub(super) fn seal(encrypter: &mut dyn MessageEncrypter, typ: ContentType, fragment: &[u8], sequence: u64) -> Vec<u8> {
    let payload = OutboundChunks::Single(fragment);
    encrypter
        .encrypt(OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload }, sequence)
        .unwrap()
        .encode()
}

fn key_and_iv(secrets: ConnectionTrafficSecrets) -> (AeadKey, Iv) {
    match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
        | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (key, iv),
        _ => panic!("a cipher of rustls' that this does not know"),
    }
}

/// A record in the clear.
pub fn record(content: u8, fragment: &[u8]) -> Vec<u8> {
    let len = u16::try_from(fragment.len()).unwrap().to_be_bytes();
    [&[content, 3, 3], &len[..], fragment].concat()
}

/// An alert in the clear.
pub fn plain_alert(level: u8, description: u8) -> Vec<u8> {
    record(21, &[level, description])
}

/// A ClientHello, as the handshake protocol's message: its version, suites and extensions.
pub fn hello(version: u16, suites: &[u16], extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let vector16 = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let extensions: Vec<u8> =
        extensions.iter().flat_map(|(kind, data)| [&kind.to_be_bytes()[..], &vector16(data)].concat()).collect();
    let body =
        [&version.to_be_bytes()[..], &[0x5a; 32], &[0], &vector16(&suites), &[1, 0], &vector16(&extensions)].concat();
    [&[1, 0][..], &u16::try_from(body.len()).unwrap().to_be_bytes(), &body].concat()
}
