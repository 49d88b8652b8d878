use super::cts::{Block, Cts, cbc_encrypt};
use super::mac::{Keyed, filled, hmac};
use super::{Enctype, Key};
use crate::Secret;
use aes::cipher::consts::U16;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes128Enc, Aes256, Aes256Enc};
use camellia::{Camellia128, Camellia256};
use hmac::{EagerHash, Hmac, Mac as _};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use zeroize::Zeroize;

/// What a derived key is for: the last byte of its constant (RFC 3961 §5.3).
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Checksum = 0x99,
    Encryption = 0xaa,
    Integrity = 0x55,
}

/// Bytes of a derived key, the rest zeros.
type Derived = Secret<[u8; Key::MAX_LEN]>;

/// A protocol key, scheduled for derivation.
pub(super) struct Base {
    enctype: Enctype,
    way: Way,
}

enum Way {
    /// RFC 3961 §5.1.
    Aes128(Aes128Enc),
    Aes256(Aes256Enc),
    /// SP 800-108 in counter mode (RFC 8009 §3).
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    /// SP 800-108 in feedback mode (RFC 6803 §3).
    Cmac(Keyed),
    /// RFC 4757 §5.
    Rc4(Secret<[u8; 16]>),
}

impl Base {
    pub(super) fn new(key: &Key) -> Self {
        let enctype = key.enctype();
        let bytes = key.bytes();
        let way = match enctype {
            Enctype::Aes128Sha1 => Way::Aes128(Aes128Enc::new(&filled::<16>(bytes).into())),
            Enctype::Aes256Sha1 => Way::Aes256(Aes256Enc::new(&filled::<32>(bytes).into())),
            Enctype::Aes128Sha256 => Way::Sha256(hmac(bytes)),
            Enctype::Aes256Sha384 => Way::Sha384(hmac(bytes)),
            Enctype::Camellia128 | Enctype::Camellia256 => Way::Cmac(Keyed::new(enctype, bytes)),
            Enctype::Rc4 => Way::Rc4(Secret::new(filled(bytes))),
        };
        Self { enctype, way }
    }

    pub(super) fn enctype(&self) -> Enctype {
        self.enctype
    }

    /// The cipher of a usage; of RC4, whose key is another for each message, there is none.
    pub(super) fn cts(&self, usage: u32) -> Option<Box<dyn Cts>> {
        let key = || self.derive(usage, Purpose::Encryption);
        Some(match self.enctype {
            Enctype::Aes128Sha1 | Enctype::Aes128Sha256 => Box::new(Aes128::new(&short(&key()).into())),
            Enctype::Aes256Sha1 | Enctype::Aes256Sha384 => Box::new(Aes256::new(key().expose().into())),
            Enctype::Camellia128 => Box::new(Camellia128::new(&short(&key()).into())),
            Enctype::Camellia256 => Box::new(Camellia256::new(key().expose().into())),
            Enctype::Rc4 => return None,
        })
    }

    /// The MAC of a usage: a message's, or a checksum.
    pub(super) fn mac(&self, usage: u32, purpose: Purpose) -> Keyed {
        if let Way::Rc4(key) = &self.way {
            return rc4_mac(key, usage, purpose);
        }
        let key = self.derive(usage, purpose);
        let len = match self.enctype {
            // Kc and Ki of this one are shorter than the key (RFC 8009 §5).
            Enctype::Aes256Sha384 => 24,
            enctype => enctype.key_len(),
        };
        Keyed::new(self.enctype, key.expose().get(..len).unwrap_or_default())
    }

    pub(super) fn derive(&self, usage: u32, purpose: Purpose) -> Derived {
        let [a, b, c, d] = usage.to_be_bytes();
        self.expand([a, b, c, d, purpose as u8])
    }

    /// A key from the constant.
    fn expand<const N: usize>(&self, constant: [u8; N]) -> Derived {
        let mut key = Secret::new([0; Key::MAX_LEN]);
        let (halves, _) = key.expose_mut().as_chunks_mut::<16>();
        match &self.way {
            Way::Aes128(cipher) => chain(halves.get_mut(..1).unwrap_or_default(), cipher, n_fold(constant)),
            Way::Aes256(cipher) => chain(halves, cipher, n_fold(constant)),
            Way::Sha256(mac) => count(key.expose_mut(), mac.clone(), &constant, &[], 128),
            Way::Sha384(mac) => {
                let bits = if constant.last() == Some(&(Purpose::Encryption as u8)) { 256 } else { 192 };
                count(key.expose_mut(), mac.clone(), &constant, &[], bits);
            }
            Way::Cmac(mac) => feed_back(halves, mac, &constant, self.enctype.key_len()),
            // RC4 derives by the usage's number, in `rc4_mac`.
            Way::Rc4(_) => {}
        }
        key
    }
}

/// The pseudo-random function of each encryption type.
pub(super) fn prf(base: &Base, input: &[u8]) -> Vec<u8> {
    const PRF: [u8; 3] = *b"prf";
    match &base.way {
        // RFC 3962 §6: the hash, cut to a block, under a key of its own.
        Way::Aes128(_) | Way::Aes256(_) => {
            let mut block = Array(filled(&Sha1::digest(input)));
            let key = base.expand(PRF);
            match base.enctype {
                Enctype::Aes256Sha1 => Aes256Enc::new(key.expose().into()).encrypt_block(&mut block),
                _ => Aes128Enc::new(&short(&key).into()).encrypt_block(&mut block),
            }
            block.to_vec()
        }
        // RFC 8009 §5.
        Way::Sha256(mac) => {
            let mut out = vec![0; 32];
            count(&mut out, mac.clone(), &PRF, input, 256);
            out
        }
        Way::Sha384(mac) => {
            let mut out = vec![0; 48];
            count(&mut out, mac.clone(), &PRF, input, 384);
            out
        }
        // RFC 6803 §6.
        Way::Cmac(_) => {
            let key = base.expand(PRF);
            let key = key.expose().get(..base.enctype.key_len()).unwrap_or_default();
            Keyed::new(base.enctype, key).compute([input]).to_vec()
        }
        // No RFC of RC4 has one: HMAC-SHA1 is MIT's, Heimdal's and RFC 6113's vectors'.
        Way::Rc4(key) => {
            let mut mac = hmac::<Sha1>(key.expose());
            mac.update(input);
            mac.finalize().into_bytes().to_vec()
        }
    }
}

/// K1 = E(constant), K2 = E(K1): as many as the key needs, which is CBC over the constant and zeros. Any key is a good
/// one (RFC 3962 §6).
fn chain(halves: &mut [[u8; 16]], cipher: &impl BlockCipherEncrypt<BlockSize = U16>, constant: [u8; 16]) {
    let mut blocks = [Array(constant), Block::default()];
    cbc_encrypt(cipher, blocks.get_mut(..halves.len()).unwrap_or_default());
    halves.iter_mut().zip(&blocks).for_each(|(to, block)| *to = block.0);
    blocks.iter_mut().for_each(Zeroize::zeroize);
}

/// The one block that SP 800-108's counter mode needs here: HMAC(1, label, 0, context, bits), cut to that many bits.
fn count<D: EagerHash>(out: &mut [u8], mut mac: Hmac<D>, label: &[u8], context: &[u8], bits: u32) {
    mac.update(&1u32.to_be_bytes());
    mac.update(label);
    mac.update(&[0]);
    mac.update(context);
    mac.update(&bits.to_be_bytes());
    let mut block = mac.finalize().into_bytes();
    out.iter_mut().zip(&block).take(bits as usize / 8).for_each(|(to, from)| *to = *from);
    block.as_mut_slice().zeroize();
}

/// K(i) = CMAC(K(i-1), i, constant, 0, bits), with zeros for K(0).
fn feed_back(blocks: &mut [[u8; 16]], mac: &Keyed, constant: &[u8], key_len: usize) {
    let bits = (key_len as u32 * 8).to_be_bytes();
    let mut before = [0; 16];
    for (i, block) in (1u32..).zip(blocks.iter_mut().take(key_len / 16)) {
        *block = filled(&mac.compute([&before[..], &i.to_be_bytes(), constant, &[0], &bits]));
        before = *block;
    }
    before.zeroize();
}

/// RFC 4757 §4 and §5: K1 for messages, and for checksums a key of its own with the usage under the inner hash.
fn rc4_mac(key: &Secret<[u8; 16]>, usage: u32, purpose: Purpose) -> Keyed {
    let number = rc4_usage(usage).to_le_bytes();
    let derive = |from: &[u8]| {
        let mut mac = hmac::<Md5>(key.expose());
        mac.update(from);
        let mut derived = mac.finalize().into_bytes();
        let keyed = hmac(&derived);
        derived.as_mut_slice().zeroize();
        keyed
    };
    match purpose {
        Purpose::Checksum => Keyed::Md5OverMd5(derive(b"signaturekey\0"), Md5::new_with_prefix(number)),
        Purpose::Encryption | Purpose::Integrity => Keyed::Md5(derive(&number)),
    }
}

/// HMAC(HMAC(key ^ mask, 0), data) (RFC 4757 §7.2, §7.3): sequence numbers and payloads of RFC 1964's tokens.
pub(super) fn rc4_stream_key(key: &[u8], mask: u8, data: &[u8]) -> Secret<[u8; 16]> {
    let mut masked = Secret::new(filled::<16>(key));
    masked.expose_mut().iter_mut().for_each(|byte| *byte ^= mask);
    let keyed = |key: &[u8], data: &[u8]| Secret::new(filled::<16>(&Keyed::new(Enctype::Rc4, key).compute([data])));
    keyed(keyed(masked.expose(), &[0; 4]).expose(), data)
}

/// RFC 4757 §3: Microsoft had numbered some usages otherwise before RFC 4120 settled them. Of usage 9 the RFC says 8
/// too; MIT's and Heimdal's clients, which read Windows' answers, leave it as it is.
fn rc4_usage(usage: u32) -> u32 {
    match usage {
        3 => 8,
        23 => 13,
        other => other,
    }
}

/// N-fold to 16 bytes (RFC 3961 §5.1) of three or five: sixteen copies, each rotated right by 13 bits more than the one
/// before, added up with end-around carry.
pub(super) fn n_fold<const N: usize>(constant: [u8; N]) -> [u8; 16] {
    const { assert!(N == 3 || N == 5, "sixteen copies are right for these") };
    let bits = 8 * N as u32;
    let value = constant.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    let mut copies = [[0; N]; 16];
    for (copy, n) in copies.iter_mut().zip(0u32..) {
        let by = 13 * n % bits;
        let turned = value >> by | value << (bits - by);
        copy.iter_mut().rev().zip(turned.to_le_bytes()).for_each(|(to, from)| *to = from);
    }
    let mut sum = 0u128;
    for chunk in copies.as_flattened().as_chunks::<16>().0 {
        let (added, carry) = sum.overflowing_add(u128::from_be_bytes(*chunk));
        sum = added + u128::from(carry);
    }
    sum.to_be_bytes()
}

/// The first half of a derived key: all of it where keys are 16 bytes long.
fn short(key: &Derived) -> [u8; 16] {
    filled(key.expose())
}
