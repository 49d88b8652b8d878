//! One-way functions, responses and session keys (MS-NLMP 3.3, 3.4.5): what acceptor, initiator and authority share.

use crate::Secret;
use crate::rc4::Rc4;
use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use md4::Md4;
use md5::{Digest, Md5};
use portcullis_wire::ntlm::Flags;
use portcullis_wire::utf16;

/// A key of sixteen bytes.
pub type Key = Secret<[u8; 16]>;

/// NTOWFv1: MD4 over the password in UTF-16LE. This is what account stores keep.
pub fn nt_hash(password: &str) -> Key {
    let mut text = utf16::encode(password);
    let hash = Md4::digest(&text).into();
    zeroize::Zeroize::zeroize(&mut text);
    Secret::new(hash)
}

/// The NT hash of the empty password: an account that has it lets nobody in.
pub const EMPTY_NT_HASH: [u8; 16] =
    [0x31, 0xd6, 0xcf, 0xe0, 0xd1, 0x6a, 0xe9, 0x31, 0xb7, 0x3c, 0x59, 0xd7, 0xe0, 0xc0, 0x89, 0xc0];

/// NTOWFv2: the user's name upper-cased, the domain exactly as the client sent it.
pub fn ntowf_v2(nt_hash: &Key, user: &str, domain: &str) -> Key {
    let mut mac = hmac_md5(nt_hash.expose());
    for unit in utf16::upper(user).chain(domain.encode_utf16()) {
        mac.update(&unit.to_le_bytes());
    }
    finish(mac)
}

/// NTProofStr over the server's challenge and the client's blob.
pub fn proof_v2(ntowf_v2: &Key, server_challenge: &[u8; 8], blob: &[u8]) -> [u8; 16] {
    V2Key::new(ntowf_v2).proof(server_challenge, blob)
}

/// The LMv2 response's first sixteen bytes. No acceptor needs them; an initiator may send them.
pub fn lm_v2(ntowf_v2: &Key, server_challenge: &[u8; 8], client_challenge: &[u8; 8]) -> [u8; 16] {
    proof_v2(ntowf_v2, server_challenge, client_challenge)
}

/// SessionBaseKey of NTLMv2.
pub fn session_base_key_v2(ntowf_v2: &Key, proof: &[u8; 16]) -> Key {
    V2Key::new(ntowf_v2).session_base_key(proof)
}

/// NTOWFv2 as a MAC's key, scheduled once for proof and SessionBaseKey both.
pub(super) struct V2Key(Hmac<Md5>);

impl V2Key {
    pub(super) fn new(ntowf_v2: &Key) -> Self {
        Self(hmac_md5(ntowf_v2.expose()))
    }

    pub(super) fn proof(&self, server_challenge: &[u8; 8], blob: &[u8]) -> [u8; 16] {
        let mut mac = self.0.clone();
        mac.update(server_challenge);
        mac.update(blob);
        mac.finalize().into_bytes().into()
    }

    pub(super) fn session_base_key(self, proof: &[u8; 16]) -> Key {
        let mut mac = self.0;
        mac.update(proof);
        finish(mac)
    }
}

/// The NTLMv1 response (DESL). With extended session security, `challenge` is [`ess_challenge`].
pub fn response_v1(nt_hash: &Key, challenge: &[u8; 8]) -> [u8; 24] {
    let mut keys = [0; 21];
    let (hash, _) = keys.split_at_mut(16);
    hash.copy_from_slice(nt_hash.expose());
    let mut response = [0; 24];
    for (block, key) in response.as_chunks_mut::<8>().0.iter_mut().zip(keys.as_chunks::<7>().0) {
        let mut out = (*challenge).into();
        Des::new(&des_key(key).into()).encrypt_block(&mut out);
        *block = out.into();
    }
    zeroize::Zeroize::zeroize(&mut keys);
    response
}

/// What NTLMv1 with extended session security answers: MD5 over both challenges, its first half.
pub fn ess_challenge(server_challenge: &[u8; 8], client_challenge: &[u8; 8]) -> [u8; 8] {
    let digest = Md5::new().chain_update(server_challenge).chain_update(client_challenge).finalize();
    let mut half = [0; 8];
    half.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    half
}

/// SessionBaseKey of NTLMv1.
pub fn session_base_key_v1(nt_hash: &Key) -> Key {
    Secret::new(Md4::digest(nt_hash.expose()).into())
}

/// KeyExchangeKey (MS-NLMP 3.4.5.1). The LM forms are not here: this library never negotiates LM_KEY, nor
/// REQUEST_NON_NT_SESSION_KEY.
pub fn key_exchange_key(session_base_key: &Key, v1_ess: Option<(&[u8; 8], &[u8; 8])>) -> Key {
    match v1_ess {
        None => Secret::new(*session_base_key.expose()),
        Some((server_challenge, client_challenge)) => {
            let mut mac = hmac_md5(session_base_key.expose());
            mac.update(server_challenge);
            mac.update(client_challenge);
            finish(mac)
        }
    }
}

/// RC4 of a session key under the key-exchange key: how it is sent, and how it is opened.
pub fn exchange(key_exchange_key: &Key, key: &[u8; 16]) -> Key {
    let mut exchanged = Secret::new(*key);
    Rc4::new(key_exchange_key.expose()).apply(exchanged.expose_mut());
    exchanged
}

/// The MIC over the three messages as they were sent (MS-NLMP 3.1.5.1.2). `authenticate` comes in the pieces before
/// and behind the MIC field, which counts as zeros.
pub fn mic(exported_session_key: &Key, before: &[&[u8]], authenticate: (&[u8], &[u8])) -> [u8; 16] {
    let mut mac = hmac_md5(exported_session_key.expose());
    before.iter().for_each(|message| mac.update(message));
    mac.update(authenticate.0);
    mac.update(&[0; 16]);
    mac.update(authenticate.1);
    mac.finalize().into_bytes().into()
}

/// Who sends the messages that a key protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The initiator.
    Client,
    /// The acceptor.
    Server,
}

/// SIGNKEY with extended session security (MS-NLMP 3.4.5.2).
pub fn sign_key(exported_session_key: &Key, sender: Sender) -> Key {
    let magic: &[u8] = match sender {
        Sender::Client => b"session key to client-to-server signing key magic constant\0",
        Sender::Server => b"session key to server-to-client signing key magic constant\0",
    };
    Secret::new(Md5::new().chain_update(exported_session_key.expose()).chain_update(magic).finalize().into())
}

/// SEALKEY with extended session security (MS-NLMP 3.4.5.3).
pub fn seal_key(exported_session_key: &Key, flags: Flags, sender: Sender) -> Key {
    let magic: &[u8] = match sender {
        Sender::Client => b"session key to client-to-server sealing key magic constant\0",
        Sender::Server => b"session key to server-to-client sealing key magic constant\0",
    };
    let kept = usize::from(KeyStrength::of(flags).bits() / 8);
    let mut md5 = Md5::new();
    md5.update(exported_session_key.expose().get(..kept).unwrap_or_default());
    md5.update(magic);
    Secret::new(md5.finalize().into())
}

/// How many bits of the session key the sealing key is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyStrength {
    /// 40 bits.
    Bits40,
    /// 56 bits.
    Bits56,
    /// 128 bits.
    Bits128,
}

impl KeyStrength {
    /// The strength that negotiated flags give: the highest that both sides have.
    pub const fn of(flags: Flags) -> Self {
        if flags.contains(Flags::KEY_128) {
            Self::Bits128
        } else if flags.contains(Flags::KEY_56) {
            Self::Bits56
        } else {
            Self::Bits40
        }
    }

    /// The strength in bits.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Bits40 => 40,
            Self::Bits56 => 56,
            Self::Bits128 => 128,
        }
    }
}

pub(super) fn hmac_md5(key: &[u8; 16]) -> Hmac<Md5> {
    let mut block = [0; 64];
    block.split_at_mut(16).0.copy_from_slice(key);
    let mac = Hmac::<Md5>::new(&block.into());
    zeroize::Zeroize::zeroize(&mut block);
    mac
}

fn finish(mac: Hmac<Md5>) -> Key {
    Secret::new(mac.finalize().into_bytes().into())
}

/// Seven bytes of key as the eight of DES, whose lowest bits are parity and ignored.
fn des_key(key: &[u8; 7]) -> [u8; 8] {
    let bits = key.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    std::array::from_fn(|n| ((bits >> (49 - 7 * n)) as u8) << 1)
}
