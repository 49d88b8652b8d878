use super::raw::{Raw, hello, record};
use rustls::crypto::cipher::AeadKey;
use rustls::crypto::{ActiveKeyExchange, aws_lc_rs};
use rustls::{SupportedCipherSuite, Tls12CipherSuite};

/// A client of TLS 1.2 from before the extended master secret (RFC 7627), which rustls' cannot be. It believes whatever
/// certificate comes.
pub struct Old {
    kx: Box<dyn ActiveKeyExchange>,
    hello: Vec<u8>,
    /// Whether its Finished is wrong.
    pub spoils_finished: bool,
}

/// TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384.
const SUITE: u16 = 0xC02C;

impl Old {
    /// A client, and the record of its hello.
    pub fn new() -> (Self, Vec<u8>) {
        let kx = aws_lc_rs::kx_group::X25519.start().unwrap();
        let hello = hello(
            0x0303,
            &[SUITE],
            &[
                // supported_groups, ec_point_formats, signature_algorithms, renegotiation_info.
                (10, &[0, 2, 0, 0x1d]),
                (11, &[1, 0]),
                (13, &[0, 4, 4, 3, 5, 3]),
                (0xff01, &[0]),
            ],
        );
        let record = record(22, &hello);
        (Self { kx, hello, spoils_finished: false }, record)
    }

    /// Answers the server's flight, up to its Finished: what is sent, and what seals records after it.
    pub fn answer(self, flight: &[u8]) -> (Vec<u8>, Raw) {
        let messages = handshake_of(flight);
        let body = |kind: u8| message(&messages, kind);
        let server_random = &body(2)[2..34];
        let client_random = &self.hello[6..38];
        // ECParameters: a named curve and its number, then the point behind its length (RFC 8422 §5.4).
        let exchange = body(12);
        let point = &exchange[4..4 + usize::from(exchange[3])];
        let own = self.kx.pub_key().to_vec();
        let len = u8::try_from(own.len()).unwrap();
        let key_exchange = [&[16, 0, 0, len + 1, len][..], &own].concat();

        let suite = suite();
        let mut master = [0; 48];
        let seed = [client_random, server_random].concat();
        suite.prf_provider.for_key_exchange(&mut master, self.kx, point, b"master secret", &seed).unwrap();
        let mut keys = [0; 2 * 32 + 2 * 4 + 8];
        let seed = [server_random, client_random].concat();
        suite.prf_provider.for_secret(&mut keys, &master, b"key expansion", &seed);
        let key: [u8; 32] = keys[..32].try_into().unwrap();
        let mut encrypter = suite.aead_alg.encrypter(AeadKey::from(key), &keys[64..68], &keys[72..80]);

        let mut hash = suite.common.hash_provider.start();
        [&self.hello, &messages, &key_exchange].into_iter().for_each(|message| hash.update(message));
        let mut verify = [0; 12];
        suite.prf_provider.for_secret(&mut verify, &master, b"client finished", hash.finish().as_ref());
        verify[0] ^= u8::from(self.spoils_finished);
        let finished = [&[20, 0, 0, 12][..], &verify].concat();
        let sealed = super::raw::seal(encrypter.as_mut(), rustls::ContentType::Handshake, &finished, 0);
        let flight = [record(22, &key_exchange), record(20, &[1]), sealed].concat();
        (flight, Raw { encrypter, sequence: 1 })
    }
}

fn suite() -> &'static Tls12CipherSuite {
    let wanted = |suite: &&SupportedCipherSuite| u16::from(suite.suite()) == SUITE;
    match aws_lc_rs::DEFAULT_CIPHER_SUITES.iter().find(wanted) {
        Some(SupportedCipherSuite::Tls12(suite)) => suite,
        _ => panic!("a suite of TLS 1.2"),
    }
}

/// The handshake protocol's bytes in records in the clear.
fn handshake_of(mut records: &[u8]) -> Vec<u8> {
    let mut messages = Vec::new();
    while let [content, _, _, high, low, rest @ ..] = records {
        let (fragment, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        assert_eq!(*content, 22);
        messages.extend_from_slice(fragment);
        records = rest;
    }
    messages
}

/// The body of the message of this kind.
fn message(mut messages: &[u8], wanted: u8) -> &[u8] {
    while let [kind, a, b, c, rest @ ..] = messages {
        let (body, rest) = rest.split_at(u32::from_be_bytes([0, *a, *b, *c]) as usize);
        if *kind == wanted {
            return body;
        }
        messages = rest;
    }
    panic!("no message {wanted}")
}
