use crate::{KeyRing, SecretRecord};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use portcullis::{Secret, Sid};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// Which master key a secret is sealed under: a digest of the key, so that a key needs no name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key of 256 bits that secrets are sealed under.
pub struct MasterKey {
    id: KeyId,
    bytes: Secret<[u8; 32]>,
    cipher: XChaCha20Poly1305,
}

impl MasterKey {
    /// A fresh key from the operating system's random source.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn generate() -> Result<Self, SealError> {
        let mut bytes = Secret::new([0; 32]);
        getrandom::fill(bytes.expose_mut()).map_err(|_| SealError::NoRandomness)?;
        Ok(Self::new(bytes))
    }

    /// The key of these bytes.
    pub fn new(bytes: Secret<[u8; 32]>) -> Self {
        let digest = Sha256::new().chain_update(b"portcullis master key id\0").chain_update(bytes.expose()).finalize();
        let id = KeyId(digest.first_chunk().copied().unwrap_or_default());
        let cipher = XChaCha20Poly1305::new(bytes.expose().into());
        Self { id, bytes, cipher }
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The key itself, as 64 hexadecimal digits.
    pub fn to_hex(&self) -> Secret<String> {
        let mut text = String::with_capacity(64);
        for byte in self.bytes.expose() {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
            }
        }
        Secret::new(text)
    }

    /// Seals the secret of the account `sid`.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn seal(&self, sid: &Sid, record: &SecretRecord) -> Result<Sealed, SealError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
        let mut text = record.encode();
        // All room at once: growing would leave a copy of the secret behind.
        let sealed = self.cipher.encrypt_in_place(&XNonce::from(nonce), &self.associated(sid), text.expose_mut());
        sealed.map_err(|_| SealError::Damaged)?;
        let bytes = [&[VERSION], &nonce[..], text.expose()].concat();
        Ok(Sealed { key: self.id, bytes })
    }

    fn open(&self, sid: &Sid, sealed: &Sealed) -> Result<SecretRecord, SealError> {
        let Some((&VERSION, rest)) = sealed.bytes.split_first() else { return Err(SealError::Damaged) };
        let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Damaged)?;
        let mut text = Secret::new(text.to_vec());
        let opened = self.cipher.decrypt_in_place(&XNonce::from(*nonce), &self.associated(sid), text.expose_mut());
        opened.map_err(|_| SealError::Damaged)?;
        SecretRecord::decode(text.expose())
    }

    /// A sealed secret cannot be moved to another account, version or key.
    fn associated(&self, sid: &Sid) -> Vec<u8> {
        let mut data = b"portcullis secret record\0".to_vec();
        data.push(VERSION);
        data.extend_from_slice(&self.id.0);
        sid.encode_into(&mut data);
        data
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MasterKey").field(&self.id).finish()
    }
}

/// The text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 bytes, written as 64 hexadecimal digits or in base64")]
pub struct NotAKey;

impl FromStr for MasterKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let text = text.trim();
        let mut key = Secret::new([0; 32]);
        match text.len() {
            64 => {
                for (slot, pair) in key.expose_mut().iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                    let digit = |at: usize| pair.get(at).and_then(|byte| char::from(*byte).to_digit(16)).ok_or(NotAKey);
                    *slot = u8::try_from(digit(0)? << 4 | digit(1)?).map_err(|_| NotAKey)?;
                }
            }
            43 | 44 => decode_base64(text, key.expose_mut()).ok_or(NotAKey)?,
            _ => return Err(NotAKey),
        }
        Ok(Self::new(key))
    }
}

/// Base64 of exactly 32 bytes, in the standard or the URL-safe alphabet.
fn decode_base64(text: &str, out: &mut [u8; 32]) -> Option<()> {
    let text = text.trim_end_matches('=');
    let engine = if text.contains(['-', '_']) { URL_SAFE_NO_PAD } else { STANDARD_NO_PAD };
    let mut room = Secret::new([0; 33]);
    let length = engine.decode_slice(text, room.expose_mut()).ok()?;
    *out = room.expose().get(..length)?.try_into().ok()?;
    Some(())
}

/// A secret at rest.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The key that it is sealed under.
    pub key: KeyId,
    /// Version, nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl Sealed {
    /// Opens the secret of the account `sid`.
    ///
    /// # Errors
    /// [`SealError::UnknownKey`] when `ring` does not hold its key, [`SealError::Damaged`] when it was altered, or is
    /// another account's.
    pub fn open(&self, sid: &Sid, ring: &KeyRing) -> Result<SecretRecord, SealError> {
        ring.get(self.key).ok_or(SealError::UnknownKey(self.key))?.open(sid, self)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({}, {} bytes)", self.key, self.bytes.len())
    }
}

/// Why a secret could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key is not there.
    #[error(
        "the secret is sealed under master key {0}, which is not in master.key or PORTCULLIS_MASTER_KEY; put that key back"
    )]
    UnknownKey(KeyId),
    /// The sealed bytes are not what was sealed.
    #[error("the sealed secret is damaged or belongs to another account; set the password anew, or restore a backup")]
    Damaged,
    /// The operating system's random source failed.
    #[error("the operating system's random source failed")]
    NoRandomness,
}

const VERSION: u8 = 1;
const NONCE: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    fn sid(rid: u32) -> Sid {
        Sid::new(5, &[21, 1, 2, 3, rid]).unwrap()
    }

    fn key() -> MasterKey {
        MasterKey::new(Secret::new(std::array::from_fn(|i| u8::try_from(i).unwrap())))
    }

    #[test]
    fn keys_in_both_spellings() {
        let hex: MasterKey = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F".parse().unwrap();
        let base64: MasterKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse().unwrap();
        assert_eq!((hex.id(), base64.id()), (key().id(), key().id()));
        assert_eq!(hex.bytes.expose(), key().bytes.expose());
        assert_eq!(base64.to_hex().expose().parse::<MasterKey>().unwrap().id(), hex.id());
        for bad in ["", "00", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8!", &"g".repeat(64)] {
            assert!(bad.parse::<MasterKey>().is_err(), "{bad}");
        }
        assert!(!format!("{hex:?}").contains("0102"));
    }

    #[test]
    fn opens_for_its_account_and_key_only() {
        let record = SecretRecord::of_nt_hash(Secret::new([9; 16]));
        let sealed = key().seal(&sid(1000), &record).unwrap();
        let ring = KeyRing::new(vec![key()]).unwrap();
        assert_eq!(sealed.open(&sid(1000), &ring).unwrap().nt_hash().expose(), &[9; 16]);
        assert!(!sealed.bytes.windows(16).any(|window| window == [9; 16]));
        assert_eq!(sealed.open(&sid(1001), &ring).err(), Some(SealError::Damaged));
        let other = KeyRing::new(vec![MasterKey::generate().unwrap()]).unwrap();
        assert_eq!(sealed.open(&sid(1000), &other).err(), Some(SealError::UnknownKey(key().id())));
        for at in 0..sealed.bytes.len() {
            let mut altered = sealed.clone();
            altered.bytes[at] ^= 1;
            assert_eq!(altered.open(&sid(1000), &ring).err(), Some(SealError::Damaged), "byte {at}");
            altered.bytes.truncate(at);
            assert_eq!(altered.open(&sid(1000), &ring).err(), Some(SealError::Damaged), "cut at {at}");
        }
    }
}
