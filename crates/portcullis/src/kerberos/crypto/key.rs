use super::cipher::Cipher;
use super::derive::{Base, Purpose};
use super::mac::ChecksumKey;
use super::{Enctype, derive};
use crate::Secret;
use std::fmt;

/// A protocol key: what keytabs, tickets and authenticators carry. Messages are protected by keys derived from it.
pub struct Key {
    enctype: Enctype,
    bytes: Secret<[u8; Key::MAX_LEN]>,
}

impl Key {
    /// The longest key, in bytes.
    pub const MAX_LEN: usize = 32;

    /// The key of these bytes; `None` unless there are [`Enctype::key_len`] of them.
    pub fn new(enctype: Enctype, bytes: &[u8]) -> Option<Self> {
        if bytes.len() != enctype.key_len() {
            return None;
        }
        let mut key = Secret::new([0; Self::MAX_LEN]);
        key.expose_mut().get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self { enctype, bytes: key })
    }

    /// What the key is for.
    pub fn enctype(&self) -> Enctype {
        self.enctype
    }

    /// The key itself.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.expose().get(..self.enctype.key_len()).unwrap_or_default()
    }

    /// A copy, where someone says so.
    pub fn duplicate(&self) -> Self {
        Self { enctype: self.enctype, bytes: Secret::new(*self.bytes.expose()) }
    }

    /// What seals and opens messages of this usage (RFC 4120 §7.5.1). It holds derived keys ready for use: worth keeping
    /// where there is more than one message.
    pub fn cipher(&self, usage: u32) -> Cipher {
        Cipher::new(&Base::new(self), usage)
    }

    /// What makes and checks checksums of this usage, of the type [`Enctype::checksum_type`].
    pub fn checksum(&self, usage: u32) -> ChecksumKey {
        ChecksumKey::new(Base::new(self).mac(usage, Purpose::Checksum))
    }

    /// A key for RC4 itself, as the messages of a context need it (RFC 4757 §7.2, §7.3): made of this one, with each
    /// byte changed by `mask`, and of `data`. For `rc4-hmac` only; of any other type nothing is to be had by it.
    pub(crate) fn rc4_stream_key(&self, mask: u8, data: &[u8]) -> Secret<[u8; 16]> {
        derive::rc4_stream_key(self.bytes(), mask, data)
    }

    /// The pseudo-random function over `input` (RFC 3961 §3): 16, 20, 32 or 48 bytes, as the encryption type has it.
    pub fn prf(&self, input: &[u8]) -> Vec<u8> {
        derive::prf(&Base::new(self), input)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.enctype.name())
    }
}
