use super::Name;
use crate::chance::Foretold;
use portcullis::Random as _;
use portcullis::kerberos::crypto::{Enctype, Key};
use portcullis_wire::kerberos::{EncryptionKey, NewKeytabEntry, encode_keytab};

/// A key by its number and bytes, which need not fit each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawKey {
    /// The enctype's number.
    pub etype: i32,
    /// The key.
    pub value: Vec<u8>,
}

impl RawKey {
    /// The key of this enctype that a seed gives.
    pub fn drawn(enctype: Enctype, seed: u64) -> Self {
        let mut value = vec![0; enctype.key_len()];
        Foretold::seeded(seed).fill(&mut value).unwrap();
        Self { etype: enctype.number(), value }
    }

    /// The key, ready for use.
    ///
    /// # Panics
    /// When the library does not have the enctype, or the length does not fit it.
    pub fn key(&self) -> Key {
        Key::new(Enctype::from_number(self.etype).unwrap(), &self.value).unwrap()
    }

    /// As messages carry it.
    pub fn encryption_key(&self) -> EncryptionKey<'_> {
        EncryptionKey { etype: self.etype, value: &self.value }
    }

    /// A message under the key, its confounder drawn by a seed. Of an enctype that the library does not have, bytes that
    /// nobody can open.
    pub fn seal(&self, usage: u32, plain: &[u8], seed: u64) -> Vec<u8> {
        let mut confounder = [0; 16];
        Foretold::seeded(seed).fill(&mut confounder).unwrap();
        let key = Enctype::from_number(self.etype).and_then(|enctype| Key::new(enctype, &self.value));
        match key {
            Some(key) => {
                let mut out = Vec::new();
                key.cipher(usage).encrypt(&confounder, plain, &mut out);
                out
            }
            None => [&confounder[..], plain].concat().iter().map(|byte| !byte).collect(),
        }
    }

    /// The plaintext of a message under the key; `None` when it is not one.
    pub fn open(&self, usage: u32, cipher: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = cipher.to_vec();
        self.key().cipher(usage).decrypt(&mut buffer).ok().map(|plain| plain.to_vec())
    }
}

/// A service's key, as KDC and keytab share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongTerm {
    /// The service.
    pub name: Name,
    /// The key's version.
    pub kvno: u32,
    /// The key.
    pub key: RawKey,
}

impl LongTerm {
    /// A service's key of this enctype; another version is another key.
    pub fn of(service: &str, kvno: u32, enctype: Enctype) -> Self {
        let seed = service.bytes().fold(u64::from(kvno) << 32, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte));
        Self { name: Name::service(service), kvno, key: RawKey::drawn(enctype, seed) }
    }
}

/// The bytes of a keytab with these keys.
///
/// # Panics
/// For names and keys that no keytab can hold.
pub fn keytab(keys: &[LongTerm]) -> Vec<u8> {
    let parts: Vec<_> = keys.iter().map(|key| key.name.parts()).collect();
    let entries: Vec<_> = keys
        .iter()
        .zip(&parts)
        .map(|(key, parts)| NewKeytabEntry {
            realm: &key.name.realm,
            name_type: key.name.kind,
            components: parts,
            timestamp: 0x6000_0000,
            kvno: key.kvno,
            etype: key.key.etype,
            key: &key.key.value,
        })
        .collect();
    encode_keytab(&entries).unwrap()
}
