use crate::rc4::Rc4;
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use portcullis_wire::ntlm::Flags;
use std::sync::{Arc, Mutex};

/// The initiator's end of an established NTLM session: it signs and seals as a client must (MS-NLMP 3.4), by code
/// of its own.
#[derive(Debug)]
pub struct Session {
    /// ExportedSessionKey.
    pub key: [u8; 16],
    /// The session's flags.
    pub flags: Flags,
    send: Direction,
    receive: Direction,
}

/// A piece of a message, as `portcullis::Segment` has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Signed and sealed.
    Data(Vec<u8>),
    /// Signed and left readable.
    SignOnly(Vec<u8>),
    /// Signed with extended session security only, and left readable.
    ReadOnly(Vec<u8>),
}

impl Part {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Data(bytes) | Self::SignOnly(bytes) | Self::ReadOnly(bytes) => bytes,
        }
    }
}

#[derive(Debug)]
struct Direction {
    sign_key: [u8; 16],
    stream: Arc<Mutex<Stream>>,
    flags: Flags,
}

/// A cipher and a count of messages; without extended session security one for both directions.
#[derive(Debug)]
struct Stream {
    cipher: Rc4,
    sequence: u32,
}

impl Session {
    /// A session as the client sees it.
    pub fn client(key: [u8; 16], flags: Flags) -> Self {
        Self::between(key, flags, "client-to-server", "server-to-client")
    }

    /// A session as the server sees it, for tests of this kit itself.
    pub fn server(key: [u8; 16], flags: Flags) -> Self {
        Self::between(key, flags, "server-to-client", "client-to-server")
    }

    fn between(key: [u8; 16], flags: Flags, send: &str, receive: &str) -> Self {
        if flags.contains(Flags::EXTENDED_SESSION_SECURITY) {
            let direction = |name: &str| {
                let strength = match () {
                    () if flags.contains(Flags::KEY_128) => 16,
                    () if flags.contains(Flags::KEY_56) => 7,
                    () => 5,
                };
                let seal_key = magic(&key[..strength], name, "sealing");
                Direction { sign_key: magic(&key, name, "signing"), stream: Stream::new(&seal_key), flags }
            };
            return Self { key, flags, send: direction(send), receive: direction(receive) };
        }
        let stream = Stream::new(&key);
        let direction = || Direction { sign_key: [0; 16], stream: Arc::clone(&stream), flags };
        Self { key, flags, send: direction(), receive: direction() }
    }

    /// Signs a message.
    pub fn sign(&mut self, parts: &[Part]) -> [u8; 16] {
        self.send.signature(&self.send.covered(parts))
    }

    /// Signs a mechanism list of SPNEGO (MS-SPNG 3.2.5.1): the cipher goes back to where it was, the count goes on.
    pub fn list_mic(&mut self, list: &[u8]) -> [u8; 16] {
        let before = self.send.stream.lock().unwrap().cipher.clone();
        let mic = self.sign(&[Part::SignOnly(list.to_vec())]);
        self.send.stream.lock().unwrap().cipher = before;
        mic
    }

    /// Whether the peer's signature over a mechanism list fits.
    pub fn fits_list(&mut self, list: &[u8], mic: &[u8; 16]) -> bool {
        let before = self.receive.stream.lock().unwrap().cipher.clone();
        let fits = self.verify(&[Part::SignOnly(list.to_vec())], mic);
        self.receive.stream.lock().unwrap().cipher = before;
        fits
    }

    /// Seals a message in place and gives its signature.
    pub fn seal(&mut self, parts: &mut [Part]) -> [u8; 16] {
        let plain = self.send.covered(parts);
        self.send.cipher(parts);
        self.send.signature(&plain)
    }

    /// Whether a signature of the peer fits.
    pub fn verify(&mut self, parts: &[Part], signature: &[u8; 16]) -> bool {
        let expected = self.receive.signature(&self.receive.covered(parts));
        self.receive.same(&expected, signature)
    }

    /// Opens a message of the peer in place; whether its signature fits.
    pub fn unseal(&mut self, parts: &mut [Part], signature: &[u8; 16]) -> bool {
        self.receive.cipher(parts);
        let expected = self.receive.signature(&self.receive.covered(parts));
        self.receive.same(&expected, signature)
    }
}

impl Stream {
    fn new(key: &[u8]) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { cipher: Rc4::new(key), sequence: 0 }))
    }
}

impl Direction {
    fn extended(&self) -> bool {
        self.flags.contains(Flags::EXTENDED_SESSION_SECURITY)
    }

    fn covered(&self, parts: &[Part]) -> Vec<u8> {
        let signed = |part: &&Part| self.extended() || !matches!(part, Part::ReadOnly(_));
        parts.iter().filter(signed).flat_map(|part| part.bytes().to_vec()).collect()
    }

    fn cipher(&self, parts: &mut [Part]) {
        for part in parts {
            if let Part::Data(bytes) = part {
                self.stream.lock().unwrap().cipher.apply(bytes);
            }
        }
    }

    fn signature(&self, covered: &[u8]) -> [u8; 16] {
        let mut signature = [0; 16];
        signature[0] = 1;
        if !self.flags.intersects(Flags::SIGN | Flags::SEAL) {
            return signature;
        }
        let mut stream = self.stream.lock().unwrap();
        let sequence = stream.sequence.to_le_bytes();
        stream.sequence += 1;
        if self.extended() {
            let mut mac = Hmac::<Md5>::new_from_slice(&self.sign_key).unwrap();
            mac.update(&sequence);
            mac.update(covered);
            signature[4..12].copy_from_slice(&mac.finalize().into_bytes()[..8]);
            if self.flags.contains(Flags::KEY_EXCHANGE) {
                stream.cipher.apply(&mut signature[4..12]);
            }
            signature[12..].copy_from_slice(&sequence);
        } else {
            signature[8..12].copy_from_slice(&crc32fast::hash(covered).to_le_bytes());
            stream.cipher.apply(&mut signature[4..16]);
            for (byte, sequence) in signature[12..].iter_mut().zip(sequence) {
                *byte ^= sequence;
            }
        }
        signature
    }

    fn same(&self, expected: &[u8; 16], given: &[u8; 16]) -> bool {
        let pad = if self.extended() { 4..4 } else { 4..8 };
        (0..16).filter(|at| !pad.contains(at)).all(|at| expected[at] == given[at])
    }
}

fn magic(key: &[u8], direction: &str, purpose: &str) -> [u8; 16] {
    let magic = format!("session key to {direction} {purpose} key magic constant\0");
    Md5::new().chain_update(key).chain_update(magic).finalize().into()
}
