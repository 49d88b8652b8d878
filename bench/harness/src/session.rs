use crate::initiator::{hmac_md5, rc4};
use md5::{Digest, Md5};
use rc4::{Rc4, StreamCipher};

/// The client's keys after a handshake with extended session security, key exchange and 128 bits (MS-NLMP 3.4).
pub struct Session {
    send: Half,
    receive: Half,
}

struct Half {
    signing_key: [u8; 16],
    sealing: Rc4,
    sequence: u32,
}

impl Session {
    pub(crate) fn new(session_key: &[u8; 16]) -> Self {
        Self { send: Half::new(session_key, "client-to-server"), receive: Half::new(session_key, "server-to-client") }
    }

    /// Seals a message to the server in place; gives its signature.
    pub fn seal(&mut self, message: &mut [u8]) -> [u8; 16] {
        let checksum = self.send.checksum(message);
        self.send.sealing.apply_keystream(message);
        self.send.signature(checksum)
    }

    /// Signs a message to the server.
    pub fn sign(&mut self, message: &[u8]) -> [u8; 16] {
        let checksum = self.send.checksum(message);
        self.send.signature(checksum)
    }

    /// Opens a message of the server in place; whether its signature fits.
    pub fn unseal(&mut self, message: &mut [u8], signature: &[u8; 16]) -> bool {
        self.receive.sealing.apply_keystream(message);
        let checksum = self.receive.checksum(message);
        self.receive.signature(checksum) == *signature
    }

    /// Whether a signature of the server fits its message.
    pub fn verify(&mut self, message: &[u8], signature: &[u8; 16]) -> bool {
        let checksum = self.receive.checksum(message);
        self.receive.signature(checksum) == *signature
    }
}

impl Half {
    fn new(session_key: &[u8; 16], direction: &str) -> Self {
        let key = |purpose: &str| -> [u8; 16] {
            let constant = format!("session key to {direction} {purpose} key magic constant\0");
            Md5::new().chain_update(session_key).chain_update(constant).finalize().into()
        };
        Self { signing_key: key("signing"), sealing: rc4(&key("sealing")), sequence: 0 }
    }

    fn checksum(&self, message: &[u8]) -> [u8; 8] {
        let mac = hmac_md5(&self.signing_key, &[&self.sequence.to_le_bytes(), message]);
        *mac.first_chunk().expect("16 bytes begin with 8")
    }

    fn signature(&mut self, mut checksum: [u8; 8]) -> [u8; 16] {
        self.sealing.apply_keystream(&mut checksum);
        let mut signature = [0; 16];
        signature[0] = 1;
        signature[4..12].copy_from_slice(&checksum);
        signature[12..].copy_from_slice(&self.sequence.to_le_bytes());
        self.sequence += 1;
        signature
    }
}
