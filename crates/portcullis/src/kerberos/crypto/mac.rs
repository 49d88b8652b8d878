use super::Enctype;
use camellia::{Camellia128, Camellia256};
use cmac::Cmac;
use hmac::{EagerHash, Hmac, KeyInit, digest};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use std::ops::Deref;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// A message authentication code or checksum, at most 24 bytes.
#[derive(Clone, Copy)]
pub struct Mac {
    bytes: [u8; Mac::MAX_LEN],
    len: usize,
}

impl std::fmt::Debug for Mac {
    /// Not the bytes: some keys are made this way.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mac({} bytes)", self.len())
    }
}

impl Mac {
    /// The longest one, in bytes.
    pub const MAX_LEN: usize = 24;

    /// Whether these are the same bytes, and as many; the time does not depend on which differ.
    pub fn matches(&self, given: &[u8]) -> bool {
        self.ct_eq(given).into()
    }

    /// The first `len` bytes of what a function gave.
    fn cut(of: &[u8], len: usize) -> Self {
        let mut bytes = [0; Self::MAX_LEN];
        bytes.iter_mut().zip(of).take(len).for_each(|(to, from)| *to = *from);
        Self { bytes, len: len.min(Self::MAX_LEN) }
    }
}

impl Deref for Mac {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// A key for checksums of one usage.
pub struct ChecksumKey(Keyed);

impl ChecksumKey {
    pub(super) fn new(key: Keyed) -> Self {
        Self(key)
    }

    /// How long its checksums are, in bytes.
    pub fn mac_len(&self) -> usize {
        self.0.len()
    }

    /// The checksum over all parts, one behind the other.
    pub fn compute<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Mac {
        self.0.compute(parts)
    }

    /// Whether `expected` is the checksum over all parts. Compares in constant time; one of another length is none.
    pub fn verify<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>, expected: &[u8]) -> bool {
        self.compute(parts).matches(expected)
    }
}

impl std::fmt::Debug for ChecksumKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChecksumKey")
    }
}

/// A MAC's key, scheduled; a copy of it takes the message in.
pub(super) enum Keyed {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Camellia128(Cmac<Camellia128>),
    Camellia256(Cmac<Camellia256>),
    /// HMAC-MD5 over the message: in RC4's messages.
    Md5(Hmac<Md5>),
    /// HMAC-MD5 over an MD5 that has taken the usage in: RC4's checksums (RFC 4757 §4).
    Md5OverMd5(Hmac<Md5>, Md5),
}

impl Keyed {
    /// The encryption type's MAC. `key` is long enough for the type, or the rest counts as zeros.
    pub(super) fn new(enctype: Enctype, key: &[u8]) -> Self {
        match enctype {
            Enctype::Aes128Sha1 | Enctype::Aes256Sha1 => Self::Sha1(hmac(key)),
            Enctype::Aes128Sha256 => Self::Sha256(hmac(key)),
            Enctype::Aes256Sha384 => Self::Sha384(hmac(key)),
            Enctype::Camellia128 => Self::Camellia128(Cmac::new(&filled::<16>(key).into())),
            Enctype::Camellia256 => Self::Camellia256(Cmac::new(&filled::<32>(key).into())),
            Enctype::Rc4 => Self::Md5(hmac(key)),
        }
    }

    /// The length after it is cut, in bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Sha1(_) => 12,
            Self::Sha384(_) => 24,
            Self::Sha256(_) | Self::Camellia128(_) | Self::Camellia256(_) | Self::Md5(_) | Self::Md5OverMd5(..) => 16,
        }
    }

    pub(super) fn compute<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Mac {
        let len = self.len();
        match self {
            Self::Sha1(mac) => over(mac.clone(), parts, len),
            Self::Sha256(mac) => over(mac.clone(), parts, len),
            Self::Sha384(mac) => over(mac.clone(), parts, len),
            Self::Camellia128(mac) => over(mac.clone(), parts, len),
            Self::Camellia256(mac) => over(mac.clone(), parts, len),
            Self::Md5(mac) => over(mac.clone(), parts, len),
            Self::Md5OverMd5(mac, sum) => {
                let mut sum = sum.clone();
                parts.into_iter().for_each(|part| sum.update(part));
                over(mac.clone(), [&sum.finalize()[..]], len)
            }
        }
    }
}

fn over<'a>(mut mac: impl hmac::Mac, parts: impl IntoIterator<Item = &'a [u8]>, len: usize) -> Mac {
    parts.into_iter().for_each(|part| mac.update(part));
    Mac::cut(&mac.finalize().into_bytes(), len)
}

/// HMAC with a key no longer than the hash's block, as all keys here are.
pub(super) fn hmac<D: EagerHash>(key: &[u8]) -> Hmac<D> {
    let mut block = digest::Key::<Hmac<D>>::default();
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mac = Hmac::new(&block);
    block.as_mut_slice().zeroize();
    mac
}

/// The first `N` bytes.
pub(super) fn filled<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    array
}
