//! Tokens of RFC 1964 §1.2 with the algorithms of RFC 4757 §7, for RC4.
//!
//! They are weaker than their cipher alone makes them: neither number nor direction is under the checksum. Who alters
//! messages on the way can give one that is only signed another number, and can send it back to its sender. Nothing that
//! a receiver does mends that; a context of a newer encryption type has neither weakness.

use super::confounder::Confounders;
use super::message::{Message, bytes, data_len, wipe};
use super::window::Window;
use super::{SessionKeys, after, peer_of};
use crate::export::Body;
use crate::kerberos::crypto::{Enctype, Key, Mac, Piece};
use crate::protection::{Open, Seal};
use crate::rc4::Rc4;
use crate::{CallCause, ContextFlags, Failure, Opened, Role, Segment};
use portcullis_wire::kerberos::{Rc4Mic, Rc4Wrap};
use portcullis_wire::spnego::KERBEROS;
use std::iter::once;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The length of a MIC token in bytes.
pub(super) const MIC_LEN: usize = 37;

/// A Wrap token up to its payload, where the frame's length is below 128.
const WRAP_LEN: usize = 45;

/// How much longer the frame's length gets where it counts up to 4 GiB of payload.
const LONG_LEN: usize = 4;

/// What follows the payload of a whole token: one byte of padding, to a block of one (RFC 4757 §7.3).
const PADDING: [u8; 1] = [1];

/// RFC 4757 §3: the usage numbers of Wrap and of MIC tokens.
const USAGE_WRAP: u32 = 13;
const USAGE_MIC: u32 = 15;

/// By how much a sealed message is longer than its data, at most: what the token's segment holds. In DCE style the
/// frame counts no payload.
pub(super) fn token_len(is_dce: bool) -> usize {
    if is_dce { WRAP_LEN } else { WRAP_LEN + LONG_LEN }
}

/// SGN_CKSUM.
fn checksum<'a>(key: &Key, usage: u32, parts: impl Iterator<Item = &'a [u8]>) -> [u8; 8] {
    let sum: Mac = key.checksum(usage).compute(parts);
    sum.first_chunk().copied().unwrap_or_default()
}

/// SND_SEQ, enciphered or deciphered: the number, and four bytes that tell who sent it.
fn number(key: &Key, sum: &[u8; 8], mut field: [u8; 8]) -> [u8; 8] {
    Rc4::new(key.rc4_stream_key(0, sum).expose()).apply(&mut field);
    field
}

fn number_field(seq: u64, sender: Role) -> [u8; 8] {
    let [.., a, b, c, d] = seq.to_be_bytes();
    let direction = if sender == Role::Initiator { 0 } else { 0xff };
    [a, b, c, d, direction, direction, direction, direction]
}

/// The stream over the payload of the message with this number.
fn payload_stream(key: &Key, seq: u64) -> Rc4 {
    let [.., a, b, c, d] = seq.to_be_bytes();
    Rc4::new(key.rc4_stream_key(0xf0, &[a, b, c, d]).expose())
}

/// The sending half.
pub(super) struct Sealing {
    key: Arc<Key>,
    local: Role,
    may_seal: bool,
    is_dce: bool,
    seq: u64,
    confounders: Confounders,
}

impl Sealing {
    pub(super) fn new(of: &SessionKeys, seq: u64) -> Self {
        Self {
            key: Arc::clone(&of.key),
            local: of.local,
            may_seal: of.granted.contains(ContextFlags::CONFIDENTIALITY),
            is_dce: of.is_dce(),
            seq,
            confounders: Confounders::new(&of.seed),
        }
    }

    /// SND_SEQ of the next message.
    fn number(&self, sum: &[u8; 8]) -> [u8; 8] {
        number(&self.key, sum, number_field(self.seq, self.local))
    }

    fn next(&mut self) {
        self.seq = after(self.seq, Enctype::Rc4);
    }

    fn may_seal(&self) -> Result<(), Failure> {
        if self.may_seal { Ok(()) } else { Err(CallCause::NotNegotiated.into()) }
    }

    /// Protects the parts in place; appends what stands before them. The frame's length counts `payload` bytes.
    fn protect(&mut self, enciphered: bool, parts: &mut [Piece<'_>], payload: usize, out: &mut Vec<u8>) {
        let header = if enciphered { &Rc4Wrap::SEALED } else { &Rc4Wrap::SIGNED };
        let mut confounder = [0; 8];
        confounder.iter_mut().zip(self.confounders.of(self.seq)).for_each(|(to, from)| *to = from);
        let signed = [&header[..], &confounder].into_iter().chain(bytes(parts));
        let sgn_cksum = &checksum(&self.key, USAGE_WRAP, signed);
        if enciphered {
            let mut stream = payload_stream(&self.key, self.seq);
            stream.apply(&mut confounder);
            apply(&mut stream, parts);
        }
        let [_, _, a, b, c, d, ..] = *header;
        let token = Rc4Wrap {
            mechanism: KERBEROS,
            header,
            sgn_alg: u16::from_le_bytes([a, b]),
            seal_alg: u16::from_le_bytes([c, d]),
            snd_seq: &self.number(sgn_cksum),
            sgn_cksum,
            confounder: &confounder,
            payload: &[],
        };
        token.encode_detached(payload, out);
        self.next();
    }

    fn seal_segments(&mut self, enciphered: bool, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        let Message { token, mut parts, .. } = Message::with_token(message)?;
        let payload = if self.is_dce { 0 } else { data_len(&parts) };
        // What the frame's length takes is found out before anything is enciphered or counted.
        let mut made = Vec::with_capacity(WRAP_LEN + LONG_LEN);
        EMPTY.encode_detached(payload, &mut made);
        let token = token.get_mut(..made.len()).ok_or(CallCause::BadBuffers)?;
        made.clear();
        self.protect(enciphered, &mut parts, payload, &mut made);
        token.copy_from_slice(&made);
        Ok(made.len())
    }
}

/// A token to measure by.
const EMPTY: Rc4Wrap<'_> = Rc4Wrap {
    mechanism: KERBEROS,
    header: &Rc4Wrap::SEALED,
    sgn_alg: Rc4Mic::HMAC,
    seal_alg: Rc4Wrap::RC4,
    snd_seq: &[0; 8],
    sgn_cksum: &[0; 8],
    confounder: &[0; 8],
    payload: &[],
};

impl Seal for Sealing {
    fn sign(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        let Message { token, parts, .. } = Message::with_token(message)?;
        let token = token.get_mut(..MIC_LEN).ok_or(CallCause::BadBuffers)?;
        let header = &Rc4Mic::HEADER;
        let sgn_cksum = &checksum(&self.key, USAGE_MIC, once(&header[..]).chain(bytes(&parts)));
        let snd_seq = &self.number(sgn_cksum);
        let mut made = Vec::with_capacity(MIC_LEN);
        Rc4Mic { mechanism: KERBEROS, header, sgn_alg: Rc4Mic::HMAC, snd_seq, sgn_cksum }.encode(&mut made);
        token.iter_mut().zip(made).for_each(|(to, from)| *to = from);
        self.next();
        Ok(MIC_LEN)
    }

    fn seal(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.may_seal()?;
        self.seal_segments(true, message)
    }

    fn seal_plain(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.seal_segments(false, message)
    }

    fn wrap(&mut self, data: &[u8], enciphered: bool, out: &mut Vec<u8>) -> Result<(), Failure> {
        if enciphered {
            self.may_seal()?;
        }
        let mut payload = [data, &PADDING].concat();
        let len = payload.len();
        self.protect(enciphered, &mut [Piece::Data(&mut payload)], len, out);
        out.extend_from_slice(&payload);
        Ok(())
    }

    fn export(&self, body: &mut Body) -> Result<(), Failure> {
        body.u64(self.seq);
        Ok(())
    }
}

/// The receiving half.
pub(super) struct Opening {
    key: Arc<Key>,
    sender: Role,
    may_seal: bool,
    pub(super) window: Window,
}

impl Opening {
    pub(super) fn new(of: &SessionKeys, window: Window) -> Self {
        Self {
            key: Arc::clone(&of.key),
            sender: peer_of(of.local),
            may_seal: of.granted.contains(ContextFlags::CONFIDENTIALITY),
            window,
        }
    }

    /// The number under SND_SEQ. Who sent it is believed once the checksum is right.
    fn number(&self, snd_seq: [u8; 8], sum: &[u8; 8]) -> (u64, bool) {
        let field = number(&self.key, sum, snd_seq);
        let [a, b, c, d, ..] = field;
        let seq = u32::from_be_bytes([a, b, c, d]).into();
        (seq, field == number_field(seq, self.sender))
    }

    fn accept(&mut self, seq: u64, from_peer: bool, sums: (&[u8; 8], &[u8; 8])) -> Result<(), Failure> {
        if !from_peer || !bool::from(sums.0.ct_eq(sums.1)) {
            return Err(CallCause::BadSignature.into());
        }
        self.window.take(seq)
    }

    fn open(&mut self, message: Message<'_>) -> Result<Opened, Failure> {
        let Message { token, mut parts, before, is_stream } = message;
        let found = match is_stream {
            true => Rc4Wrap::decode(token),
            false => Rc4Wrap::decode_detached(token, data_len(&parts)),
        };
        let found = found.map_err(|_| CallCause::MalformedMessage)?;
        let (header, given, snd_seq, mut confounder) =
            (*found.header, *found.sgn_cksum, *found.snd_seq, *found.confounder);
        let enciphered = match (found.sgn_alg, found.seal_alg) {
            (Rc4Mic::HMAC, Rc4Wrap::RC4) => true,
            (Rc4Mic::HMAC, Rc4Wrap::NONE) => false,
            _ => return Err(CallCause::MalformedMessage.into()),
        };
        if enciphered && !self.may_seal {
            return Err(CallCause::NotNegotiated.into());
        }
        let start = token.len() - found.payload.len();
        if is_stream {
            parts.insert(before, Piece::Data(token.split_at_mut(start).1));
        }
        let (seq, from_peer) = self.number(snd_seq, &given);
        if enciphered {
            let mut stream = payload_stream(&self.key, seq);
            stream.apply(&mut confounder);
            apply(&mut stream, &mut parts);
        }
        let signed = [&header[..], &confounder].into_iter().chain(bytes(&parts));
        let sum = checksum(&self.key, USAGE_WRAP, signed);
        self.accept(seq, from_peer, (&sum, &given))?;
        let data = match parts.get(before) {
            Some(Piece::Data(payload)) if is_stream => Some(start..start + unpadded(payload)?),
            _ => None,
        };
        Ok(Opened { enciphered, data })
    }
}

impl Open for Opening {
    fn verify(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure> {
        let Message { token, parts, .. } = Message::with_token(message)?;
        let found = Rc4Mic::decode(token).map_err(|_| CallCause::MalformedMessage)?;
        if found.sgn_alg != Rc4Mic::HMAC {
            return Err(CallCause::MalformedMessage.into());
        }
        let (seq, from_peer) = self.number(*found.snd_seq, found.sgn_cksum);
        let sum = checksum(&self.key, USAGE_MIC, once(&found.header[..]).chain(bytes(&parts)));
        self.accept(seq, from_peer, (&sum, found.sgn_cksum))
    }

    fn unseal(&mut self, message: &mut [Segment<'_>]) -> Result<Opened, Failure> {
        let opened = Message::new(message).and_then(|message| self.open(message));
        opened.inspect_err(|_| wipe(message))
    }

    fn export(&self, body: &mut Body) -> Result<(), Failure> {
        self.window.export(body);
        Ok(())
    }
}

/// How much of a whole token's payload is data. In segments of its own it is as long as the segments are, which is how
/// Windows sends it where nobody brings a segment for padding.
fn unpadded(payload: &[u8]) -> Result<usize, Failure> {
    let data = payload.strip_suffix(&PADDING).ok_or(CallCause::BadSignature)?;
    Ok(data.len())
}

fn apply(stream: &mut Rc4, parts: &mut [Piece<'_>]) {
    for part in parts {
        if let Piece::Data(data) = part {
            stream.apply(data);
        }
    }
}
