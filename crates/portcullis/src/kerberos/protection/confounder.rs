use crate::Secret;
use aes::Aes256Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};

/// Where the random prefixes of messages come from. Messages are sealed without a call that brings randomness: the
/// handshake's call brings a seed, and each message's prefix is AES-256 under it of the message's sequence number, which
/// is AES in counter mode. No number is used twice in a context, and other contexts have other seeds, so that two
/// messages under one ticket's key never begin alike.
pub(super) struct Confounders(Box<Aes256Enc>);

impl Confounders {
    pub(super) fn new(seed: &Secret<[u8; 32]>) -> Self {
        Self(Box::new(Aes256Enc::new(seed.expose().into())))
    }

    /// The prefix of the message with this number. Encryption types that want fewer bytes take the first ones.
    pub(super) fn of(&self, number: u64) -> [u8; 16] {
        let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
        let mut block = Array([a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 0]);
        self.0.encrypt_block(&mut block);
        block.0
    }
}
