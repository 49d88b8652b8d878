//! Messages under a Kerberos context (RFC 4121 §4.2; RFC 1964 with RFC 4757 for RC4; MS-KILE 3.4.5.4 and following).
//!
//! | | tokens | in the token's segment, the data staying in place |
//! |---|---|---|
//! | signed | `MIC` | head, checksum |
//! | sealed | `Wrap` | head, copy of the head, MAC, confounder: the whole is rotated by 28 bytes (with a MAC of 12) |
//! | sealed in DCE style | `Wrap` | the same with 16 bytes of filler (EC) before the copy; these are not counted in RRC |
//! | sealed without encryption | `Wrap` | head, checksum: rotated by the checksum's length |
//!
//! With token and data one behind the other, each but DCE style's is the token that `gss_wrap` makes. Any other
//! rotation is taken too. Nothing of a message is believed before its checksum is right, and then its sequence number
//! must fit.

mod cfx;
mod confounder;
mod message;
mod rc4;
#[cfg(test)]
mod tests;
mod window;

use super::crypto::{Enctype, Key};
use crate::export::Body;
use crate::protection::{Halves, KIND_KERBEROS, Open, Protection};
use crate::{CallCause, ContextFlags, Failure, KeyInfo, Role, Secret, Segment, Sizes, package};
use portcullis_wire::{Error, Kind, Reader};
use std::sync::Arc;
use window::Window;

/// A context's key, flags and numbers, before anyone uses them.
pub(crate) struct SessionKeys {
    /// The acceptor's subkey, else the initiator's, else the session key.
    key: Arc<Key>,
    acceptor_subkey: bool,
    local: Role,
    granted: ContextFlags,
    /// The number of the next message that this side sends.
    send_seq: u64,
    /// The numbers of the peer.
    window: Window,
    seed: Secret<[u8; 32]>,
}

impl SessionKeys {
    /// The keys of one side, `local`. `key` is the one that messages are protected with: the subkey of the acceptor's
    /// AP-REP where it has one, which `acceptor_subkey` says, else the subkey of the initiator's authenticator, else
    /// the ticket's session key.
    pub(crate) fn new(key: Key, acceptor_subkey: bool, local: Role) -> Self {
        let window = Window::new(0, is_wide(key.enctype()), ContextFlags::NONE);
        let (granted, seed) = (ContextFlags::NONE, Secret::new([0; 32]));
        Self { key: Arc::new(key), acceptor_subkey, local, granted, send_seq: 0, window, seed }
    }

    /// With the sequence numbers that this side and the peer begin with, as authenticator and AP-REP announce them.
    #[must_use]
    pub(crate) fn starting_at(mut self, send_seq: u64, recv_seq: u64) -> Self {
        self.window = Window::new(recv_seq, is_wide(self.key.enctype()), self.granted);
        Self { send_seq, ..self }
    }

    /// With the context's flags. Of them count CONFIDENTIALITY, without which nothing can be sealed; REPLAY_DETECT and
    /// SEQUENCE_DETECT; and USE_DCE_STYLE. Signing is always possible, as with other implementations.
    #[must_use]
    pub(crate) fn granting(mut self, granted: ContextFlags) -> Self {
        self.window = self.window.under(granted);
        Self { granted, ..self }
    }

    /// With 32 random bytes, drawn for this context alone: the confounders of its messages are made from them.
    #[must_use]
    pub(crate) fn drawing_from(self, seed: Secret<[u8; 32]>) -> Self {
        Self { seed, ..self }
    }

    /// SecPkgContext_Sizes.
    pub(crate) fn sizes(&self) -> Sizes {
        let (max_signature, security_trailer) = match self.key.enctype() {
            Enctype::Rc4 => (rc4::MIC_LEN, rc4::token_len(self.is_dce())),
            enctype => (cfx::mic_len(enctype), cfx::token_len(enctype, self.is_dce())),
        };
        Sizes {
            max_token: package::KERBEROS.max_token,
            max_signature: max_signature as u32,
            // All of these are stream ciphers, or steal: RFC 3962 §6, "message block size".
            block_size: 1,
            security_trailer: security_trailer as u32,
        }
    }

    /// Reads what [`Protection::export`] wrote behind the kind.
    pub(crate) fn import(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let at = reader.offset();
        let enctype = Enctype::from_number(reader.u8("Enctype")?.into());
        let enctype = enctype.ok_or(Error::new(at, "Enctype", Kind::Unexpected))?;
        let key = Key::new(enctype, reader.take(enctype.key_len(), "Key")?);
        let key = key.ok_or(Error::new(at, "Key", Kind::WrongLength))?;
        let at = reader.offset();
        let (local, acceptor_subkey) = match reader.u8("Bits")? {
            bits @ 0..=3 => (if bits & 1 == 0 { Role::Initiator } else { Role::Acceptor }, bits & 2 != 0),
            _ => return Err(Error::new(at, "Bits", Kind::Unexpected)),
        };
        let granted = ContextFlags(reader.u32("Granted")?);
        let send_seq = reader.u64("SendSeq")?;
        let window = Window::import(reader, is_wide(enctype), granted)?;
        let seed = Secret::new(reader.array("Seed")?);
        Ok(Self { key: Arc::new(key), acceptor_subkey, local, granted, send_seq, window, seed })
    }

    fn is_dce(&self) -> bool {
        self.granted.contains(ContextFlags::USE_DCE_STYLE)
    }

    fn over(&self, send_seq: u64, window: Window) -> Halves {
        match self.key.enctype() {
            Enctype::Rc4 => (Box::new(rc4::Sealing::new(self, send_seq)), Box::new(rc4::Opening::new(self, window))),
            _ => (Box::new(cfx::Sealing::new(self, send_seq)), Box::new(cfx::Opening::new(self, window))),
        }
    }
}

impl Protection for SessionKeys {
    fn always_signs_lists(&self) -> bool {
        true
    }

    fn halves(&self) -> Halves {
        self.over(self.send_seq, self.window.clone())
    }

    /// The names and numbers of Kerberos' own registries, as `klist` of Windows writes them.
    fn key_info(&self) -> Option<KeyInfo> {
        let enctype = self.key.enctype();
        let (signature_algorithm, encrypt_algorithm) = match enctype {
            Enctype::Aes128Sha1 => ("HMAC-SHA1-96", "AES-128-CTS-HMAC-SHA1-96"),
            Enctype::Aes256Sha1 => ("HMAC-SHA1-96", "AES-256-CTS-HMAC-SHA1-96"),
            Enctype::Aes128Sha256 => ("HMAC-SHA256-128", "AES-128-CTS-HMAC-SHA256-128"),
            Enctype::Aes256Sha384 => ("HMAC-SHA384-192", "AES-256-CTS-HMAC-SHA384-192"),
            Enctype::Rc4 => ("HMAC-MD5", "RSADSI RC4-HMAC"),
            Enctype::Camellia128 => ("CMAC", "CAMELLIA-128-CTS-CMAC"),
            Enctype::Camellia256 => ("CMAC", "CAMELLIA-256-CTS-CMAC"),
        };
        Some(KeyInfo {
            signature_algorithm,
            encrypt_algorithm,
            key_bits: 8 * enctype.key_len() as u32,
            signature_id: enctype.checksum_type(),
            encrypt_id: enctype.number().unsigned_abs(),
        })
    }

    fn session_key(&self) -> Option<Secret<Vec<u8>>> {
        Some(Secret::new(self.key.bytes().to_vec()))
    }

    fn export(&self, body: &mut Body) -> Result<(), Failure> {
        // Every number fits; none of these is negative.
        let enctype = u8::try_from(self.key.enctype().number()).map_err(|_| CallCause::NotExportable)?;
        let bits = u8::from(self.local == Role::Acceptor) | u8::from(self.acceptor_subkey) << 1;
        body.u8(KIND_KERBEROS).u8(enctype).bytes(self.key.bytes()).u8(bits).u32(self.granted.0).u64(self.send_seq);
        self.window.export(body);
        body.bytes(self.seed.expose());
        Ok(())
    }

    fn resume(&self, reader: &mut Reader<'_>) -> Result<Halves, Error> {
        let send_seq = reader.u64("SendSeq")?;
        let window = Window::import(reader, is_wide(self.key.enctype()), self.granted)?;
        Ok(self.over(send_seq, window))
    }

    /// It is a message like others, and takes a number.
    fn make_list_mic(&mut self, list: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut mic = vec![0; self.sizes().max_signature as usize];
        let len = self.halves().0.sign(&mut [Segment::SignOnly(list), Segment::Token(&mut mic)])?;
        mic.truncate(len);
        self.send_seq = after(self.send_seq, self.key.enctype());
        Ok(mic)
    }

    fn check_list_mic(&mut self, list: &[u8], mic: &[u8]) -> Result<(), Failure> {
        let mut mic = mic.to_vec();
        let message = &mut [Segment::SignOnly(list), Segment::Token(&mut mic)];
        self.window = match self.key.enctype() {
            Enctype::Rc4 => {
                let mut half = rc4::Opening::new(self, self.window.clone());
                half.verify(message)?;
                half.window
            }
            _ => {
                let mut half = cfx::Opening::new(self, self.window.clone());
                half.verify(message)?;
                half.window
            }
        };
        Ok(())
    }
}

/// The number behind `number`.
fn after(number: u64, enctype: Enctype) -> u64 {
    let next = number.wrapping_add(1);
    if is_wide(enctype) { next } else { next & u64::from(u32::MAX) }
}

/// Whether numbers have eight bytes, and not four.
fn is_wide(enctype: Enctype) -> bool {
    enctype != Enctype::Rc4
}

fn peer_of(role: Role) -> Role {
    match role {
        Role::Acceptor => Role::Initiator,
        Role::Initiator => Role::Acceptor,
    }
}
