use crate::Session;
use hmac::{Hmac, KeyInit, Mac};
use md4::Md4;
use md5::{Digest, Md5};
use portcullis_wire::ntlm::{
    AuthenticateBuilder, AvFlags, AvId, Challenge, Flags, MIC_OFFSET, Negotiate, Version, push_av_pair, push_av_text,
};
use portcullis_wire::utf16;
use rc4::{Rc4, StreamCipher};

/// Who logs on. The key is derived once, so that a load client spends little of the machine.
pub struct Identity {
    user: Vec<u8>,
    domain: Vec<u8>,
    /// NTOWFv2 (MS-NLMP 3.3.2).
    owf: [u8; 16],
}

/// The client's side of NTLMv2 as Windows speaks it: Unicode, extended session security, key exchange, 128 bits, MIC,
/// target name. It shares no code with the acceptor but the message layouts.
pub struct Initiator<'a> {
    identity: &'a Identity,
    target: &'a str,
    negotiate: Vec<u8>,
}

const VERSION: Version = Version { major: 10, minor: 0, build: 20_348, revision: 15 };

impl Identity {
    /// The NT hash of `password` and what follows from it.
    pub fn new(user: &str, domain: &str, password: &str) -> Self {
        let nt_hash: [u8; 16] = Md4::digest(utf16::encode(password)).into();
        let upper: Vec<u8> = utf16::upper(user).flat_map(u16::to_le_bytes).collect();
        let (user, domain) = (utf16::encode(user), utf16::encode(domain));
        let owf = hmac_md5(&nt_hash, &[&upper, &domain]);
        Self { user, domain, owf }
    }
}

impl<'a> Initiator<'a> {
    /// A client that wants to talk to the service `target`, an SPN.
    pub fn new(identity: &'a Identity, target: &'a str) -> Self {
        let flags = Flags::UNICODE
            | Flags::REQUEST_TARGET
            | Flags::SIGN
            | Flags::SEAL
            | Flags::NTLM
            | Flags::ALWAYS_SIGN
            | Flags::EXTENDED_SESSION_SECURITY
            | Flags::KEY_128
            | Flags::KEY_EXCHANGE
            | Flags::KEY_56;
        let mut negotiate = Vec::with_capacity(40);
        Negotiate::encode(flags, None, None, Some(VERSION), &mut negotiate);
        Self { identity, target, negotiate }
    }

    /// The first token.
    pub fn negotiate(&self) -> &[u8] {
        &self.negotiate
    }

    /// The second token, and the keys that go with it. `random` is 24 bytes: a client challenge and a session
    /// key; [`fresh`] gives some.
    pub fn authenticate(&self, challenge_token: &[u8], random: [u8; 24]) -> (Vec<u8>, Session) {
        let challenge = Challenge::decode(challenge_token).expect("the server sends a CHALLENGE");
        let (client_challenge, session_key) = random.split_at(8);
        let mut av = Vec::with_capacity(challenge.target_info.len() + 128);
        let mut timestamp = 0u64.to_le_bytes();
        for pair in challenge.av_pairs() {
            let pair = pair.expect("the server's AV pairs end");
            if pair.id == AvId::TIMESTAMP {
                timestamp.copy_from_slice(pair.value);
            }
            push_av_pair(&mut av, pair.id, pair.value);
        }
        push_av_pair(&mut av, AvId::FLAGS, &AvFlags::MIC.to_le_bytes());
        push_av_pair(&mut av, AvId::CHANNEL_BINDINGS, &[0; 16]);
        push_av_text(&mut av, AvId::TARGET_NAME, self.target);
        push_av_pair(&mut av, AvId::EOL, &[]);

        let head: [&[u8]; 4] = [&[1, 1, 0, 0, 0, 0, 0, 0], &timestamp, client_challenge, &[0; 4]];
        let blob = [&head.concat(), av.as_slice(), &[0; 4]].concat();
        let proof = hmac_md5(&self.identity.owf, &[&challenge.server_challenge, &blob]);
        let key_exchange_key = hmac_md5(&self.identity.owf, &[&proof]);
        let mut encrypted_key = session_key.to_vec();
        rc4(&key_exchange_key).apply_keystream(&mut encrypted_key);

        let workstation = utf16::encode("BENCH");
        let mut token = Vec::with_capacity(512);
        AuthenticateBuilder {
            lm_response: &[0; 24],
            nt_response: &[proof.as_slice(), &blob].concat(),
            domain: &self.identity.domain,
            user: &self.identity.user,
            workstation: &workstation,
            encrypted_session_key: &encrypted_key,
            flags: challenge.flags,
            version: Some(VERSION),
            mic: Some([0; 16]),
        }
        .encode(&mut token);
        let session_key: [u8; 16] = session_key.try_into().expect("16 bytes are left of 24");
        let mic = hmac_md5(&session_key, &[&self.negotiate, challenge_token, &token]);
        token[MIC_OFFSET..MIC_OFFSET + 16].copy_from_slice(&mic);
        (token, Session::new(&session_key))
    }
}

/// Client challenge and session key of the `n`th logon of a batch: different each time, and free.
pub fn fresh(n: usize) -> [u8; 24] {
    let mut bytes = [0x3c; 24];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    bytes[16..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9).to_le_bytes());
    bytes
}

pub(crate) fn hmac_md5(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    let mut mac = Hmac::<Md5>::new_from_slice(key).expect("any length is a key");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

pub(crate) fn rc4(key: &[u8; 16]) -> Rc4 {
    Rc4::new_from_slice(key).expect("16 bytes are a key")
}
