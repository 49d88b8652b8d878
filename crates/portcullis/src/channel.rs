//! What a TLS handshake agreed on: the part of [`Facts`](crate::Facts) that only streams have.

use crate::{CallCause, ChannelBindings, Failure, Refusal, StreamSizes};
use std::fmt;
use std::sync::Arc;

/// What a TLS handshake agreed on.
#[derive(Debug)]
pub struct Channel {
    /// The protocol's version.
    pub version: TlsVersion,
    /// The cipher suite.
    pub suite: &'static CipherSuite,
    /// The group of the key exchange, by its IANA number.
    pub group: u16,
    /// The application protocol (ALPN), where one was agreed on.
    pub application_protocol: Option<Vec<u8>>,
    /// The server's name that the client asked for (SNI).
    pub server_name: Option<String>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// legacy_session_id as it came over the wire; may be empty.
    pub session_id: Vec<u8>,
    /// The peer's certificates in DER, its own first; empty when it sent none. They are verified, unless the host took
    /// that upon itself.
    pub peer_certificates: Vec<Vec<u8>>,
    /// Whether the peer's certificates were verified here.
    pub verified: bool,
    /// This side's certificates in DER, its own first.
    pub local_certificates: Arc<Vec<Vec<u8>>>,
    /// Sizes of the records.
    pub sizes: StreamSizes,
    /// Why the client's certificate is nobody's; `None` where it is somebody's, or nobody was asked.
    pub unmapped: Option<Refusal>,
    /// `tls-server-end-point` of the server's certificate (RFC 5929 §4.1); `None` where there is none that can be read.
    pub end_point: Option<Arc<ChannelBindings>>,
    pub(crate) exporter: Arc<dyn Exporter>,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl TlsVersion {
    /// The name that [`Facts::version`](crate::Facts) has too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }
}

impl Channel {
    /// Keying material for the application (RFC 5705, RFC 8446 §7.5): fills `out`, which both sides then share. In
    /// TLS 1.2 no context and an empty one differ.
    ///
    /// # Errors
    /// `schannel/exporter-unbound` where nothing binds the keys to this session alone: TLS 1.2 without the extended
    /// master secret (RFC 7627). `call/bad-buffers` for an `out` that is empty or longer than the protocol allows.
    pub fn keying_material(&self, label: &[u8], context: Option<&[u8]>, out: &mut [u8]) -> Result<(), Failure> {
        if out.is_empty() {
            return Err(CallCause::BadBuffers.into());
        }
        self.exporter.export(label, context, out)
    }

    /// The bindings of type `tls-exporter` (RFC 9266).
    ///
    /// # Errors
    /// As [`keying_material`](Self::keying_material).
    pub fn exporter_bindings(&self) -> Result<ChannelBindings, Failure> {
        let mut secret = [0; 32];
        self.keying_material(b"EXPORTER-Channel-Binding", Some(&[]), &mut secret)?;
        Ok(ChannelBindings::tls_exporter(&secret))
    }
}

/// Where a session's keying material comes from.
pub(crate) trait Exporter: Send + Sync {
    fn export(&self, label: &[u8], context: Option<&[u8]>, out: &mut [u8]) -> Result<(), Failure>;
}

/// Channels are the same when they are one.
impl PartialEq for Channel {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl fmt::Debug for dyn Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}

/// One row of the catalogue of cipher suites.
#[derive(Debug, PartialEq, Eq)]
pub struct CipherSuite {
    /// The number that IANA gave.
    pub id: u16,
    /// The name that IANA gave.
    pub name: &'static str,
    /// The cipher's name, as CNG has it.
    pub cipher: &'static str,
    /// The cipher's id in CryptoAPI; zero where it has none.
    pub cipher_id: u32,
    /// The key's length in bits.
    pub cipher_bits: u32,
    /// The block length in bytes; zero for a stream cipher.
    pub block_len: u32,
    /// The hash's name, as CNG has it.
    pub hash: &'static str,
    /// The hash's id in CryptoAPI.
    pub hash_id: u32,
    /// The hash's length in bits.
    pub hash_bits: u32,
    /// The signature that the suite asks of the server's certificate; empty in TLS 1.3, where any will do.
    pub certificate: &'static str,
    /// Bytes before the data of a record: its header, and the explicit nonce of some.
    pub record_header: u32,
    /// Bytes behind the data of a record: the tag, and in TLS 1.3 the type.
    pub record_trailer: u32,
}

/// Every cipher suite that a channel may have.
pub const SUITES: &[CipherSuite] = &[
    suite(0x1301, "TLS_AES_128_GCM_SHA256", AES_128, SHA256, "", 5, 17),
    suite(0x1302, "TLS_AES_256_GCM_SHA384", AES_256, SHA384, "", 5, 17),
    suite(0x1303, "TLS_CHACHA20_POLY1305_SHA256", CHACHA20, SHA256, "", 5, 17),
    suite(0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", AES_128, SHA256, "ECDSA", 13, 16),
    suite(0xC02C, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", AES_256, SHA384, "ECDSA", 13, 16),
    suite(0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", AES_128, SHA256, "RSA", 13, 16),
    suite(0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", AES_256, SHA384, "RSA", 13, 16),
    suite(0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", CHACHA20, SHA256, "RSA", 5, 16),
    suite(0xCCA9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", CHACHA20, SHA256, "ECDSA", 5, 16),
];

/// Name, CryptoAPI id, bits, block.
type Cipher = (&'static str, u32, u32, u32);
const AES_128: Cipher = ("AES", 0x660E, 128, 16);
const AES_256: Cipher = ("AES", 0x6610, 256, 16);
const CHACHA20: Cipher = ("CHACHA20_POLY1305", 0, 256, 0);

/// Name, CryptoAPI id, bits.
type Hash = (&'static str, u32, u32);
const SHA256: Hash = ("SHA256", 0x800C, 256);
const SHA384: Hash = ("SHA384", 0x800D, 384);

const fn suite(
    id: u16,
    name: &'static str,
    (cipher, cipher_id, cipher_bits, block_len): Cipher,
    (hash, hash_id, hash_bits): Hash,
    certificate: &'static str,
    record_header: u32,
    record_trailer: u32,
) -> CipherSuite {
    CipherSuite {
        id,
        name,
        cipher,
        cipher_id,
        cipher_bits,
        block_len,
        hash,
        hash_id,
        hash_bits,
        certificate,
        record_header,
        record_trailer,
    }
}

impl CipherSuite {
    /// The suite with this number; `None` for one that no channel has.
    pub fn of(id: u16) -> Option<&'static Self> {
        SUITES.iter().find(|suite| suite.id == id)
    }
}

/// The groups of key exchange that a channel may have: IANA number, name, strength in bits.
pub const GROUPS: &[(u16, &str, u32)] =
    &[(0x11EC, "X25519MLKEM768", 768), (0x001D, "x25519", 255), (0x0017, "secp256r1", 256), (0x0018, "secp384r1", 384)];
