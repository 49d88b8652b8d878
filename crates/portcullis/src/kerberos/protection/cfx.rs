//! Tokens of RFC 4121 §4.2, for all encryption types but RC4.

use super::confounder::Confounders;
use super::message::{Message, bytes, data_len, wipe};
use super::window::Window;
use super::{SessionKeys, peer_of};
use crate::export::Body;
use crate::kerberos::crypto::{BadIntegrity, ChecksumKey, Cipher, Enctype, Key, Piece};
use crate::protection::{Open, Seal};
use crate::{CallCause, ContextFlags, Failure, Opened, Role, Segment};
use portcullis_wire::kerberos::{MicHeader, WrapHeader, token_flag};
use std::iter::once;
use std::ops::Range;
use std::sync::Arc;

const HEADER: usize = WrapHeader::LEN;

/// Of every encryption type but RC4.
const CONFOUNDER: usize = 16;

/// What stands before the copy of the header in DCE style: a block, for Windows takes no message without (MS-KILE
/// 3.4.5.4.1).
const DCE_FILLER: usize = 16;

/// The length of a MIC token in bytes.
pub(super) fn mic_len(enctype: Enctype) -> usize {
    MicHeader::LEN + enctype.mac_len()
}

/// By how much a sealed message is longer than its data: what the token's segment holds.
pub(super) fn token_len(enctype: Enctype, is_dce: bool) -> usize {
    HEADER + filler(is_dce) + HEADER + enctype.mac_len() + CONFOUNDER
}

fn filler(is_dce: bool) -> usize {
    if is_dce { DCE_FILLER } else { 0 }
}

/// The keys of one direction, each made when it is needed: most contexts use one of them, and many none.
struct Keys {
    key: Arc<Key>,
    /// RFC 4121 §2: usage numbers, of Wrap and of MIC tokens.
    usages: (u32, u32),
    cipher: Option<Cipher>,
    signing: Option<ChecksumKey>,
    mic: Option<ChecksumKey>,
}

impl Keys {
    fn new(key: &Arc<Key>, sender: Role) -> Self {
        let usages = match sender {
            Role::Acceptor => (22, 23),
            Role::Initiator => (24, 25),
        };
        Self { key: Arc::clone(key), usages, cipher: None, signing: None, mic: None }
    }

    fn mac_len(&self) -> usize {
        self.key.enctype().mac_len()
    }

    fn cipher(&mut self) -> &Cipher {
        self.cipher.get_or_insert_with(|| self.key.cipher(self.usages.0))
    }

    /// For Wrap tokens that are not encrypted.
    fn signing(&mut self) -> &ChecksumKey {
        self.signing.get_or_insert_with(|| self.key.checksum(self.usages.0))
    }

    fn mic(&mut self) -> &ChecksumKey {
        self.mic.get_or_insert_with(|| self.key.checksum(self.usages.1))
    }
}

/// The sending half.
pub(super) struct Sealing {
    keys: Keys,
    flags: u8,
    may_seal: bool,
    is_dce: bool,
    seq: u64,
    confounders: Confounders,
}

impl Sealing {
    pub(super) fn new(of: &SessionKeys, seq: u64) -> Self {
        let mut flags = if of.acceptor_subkey { token_flag::ACCEPTOR_SUBKEY } else { 0 };
        flags |= sender_flag(of.local);
        Self {
            keys: Keys::new(&of.key, of.local),
            flags,
            may_seal: of.granted.contains(ContextFlags::CONFIDENTIALITY),
            is_dce: of.is_dce(),
            seq,
            confounders: Confounders::new(&of.seed),
        }
    }

    fn header(&self, sealed: u8, ec: usize) -> WrapHeader {
        // Fillers and checksums are at most 24 bytes long.
        WrapHeader { flags: self.flags | sealed, ec: ec as u16, rrc: 0, seq: self.seq }
    }

    fn may_seal(&self) -> Result<(), Failure> {
        if self.may_seal { Ok(()) } else { Err(CallCause::NotNegotiated.into()) }
    }

    fn next(&mut self) {
        self.seq = self.seq.wrapping_add(1);
    }
}

impl Seal for Sealing {
    fn sign(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        let Message { token, parts, .. } = Message::with_token(message)?;
        let token = token.get_mut(..HEADER + self.keys.mac_len()).ok_or(CallCause::BadBuffers)?;
        let header = MicHeader { flags: self.flags, seq: self.seq }.encode();
        let sum = self.keys.mic().compute(bytes(&parts).chain(once(&header[..])));
        put(token, &header, &sum);
        self.next();
        Ok(token.len())
    }

    fn seal(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        self.may_seal()?;
        let Message { token, mut parts, .. } = Message::with_token(message)?;
        let (filler, mac_len) = (filler(self.is_dce), self.keys.mac_len());
        let len = token_len(self.keys.key.enctype(), self.is_dce);
        let (head, rest) = token.get_mut(..len).ok_or(CallCause::BadBuffers)?.split_at_mut(HEADER);
        let (copy, rest) = rest.split_at_mut(filler + HEADER);
        let (mac, confounder) = rest.split_at_mut(mac_len);
        let header = self.header(token_flag::SEALED, filler);
        let (filler_at, copy_at) = copy.split_at_mut(filler);
        filler_at.fill(0xff);
        copy_at.copy_from_slice(&header.encode());
        confounder.copy_from_slice(&self.confounders.of(self.seq));
        parts.insert(0, Piece::Data(confounder));
        parts.push(Piece::Data(copy));
        mac.copy_from_slice(&self.keys.cipher().encrypt_pieces(&mut parts));
        // The filler is not counted: Windows turns by EC and RRC together. Elsewhere there is none.
        head.copy_from_slice(&WrapHeader { rrc: (HEADER + mac_len) as u16, ..header }.encode());
        self.next();
        Ok(len)
    }

    fn seal_plain(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        let Message { token, parts, .. } = Message::with_token(message)?;
        let mac_len = self.keys.mac_len();
        let token = token.get_mut(..HEADER + mac_len).ok_or(CallCause::BadBuffers)?;
        let (header, rrc) = (self.header(0, 0), mac_len as u16);
        let sum = self.keys.signing().compute(bytes(&parts).chain(once(&header.encode()[..])));
        put(token, &WrapHeader { ec: rrc, rrc, ..header }.encode(), &sum);
        self.next();
        Ok(token.len())
    }

    /// Without rotation, as other implementations of `gss_wrap` have it.
    fn wrap(&mut self, data: &[u8], enciphered: bool, out: &mut Vec<u8>) -> Result<(), Failure> {
        let mac_len = self.keys.mac_len();
        if enciphered {
            self.may_seal()?;
            out.reserve(HEADER + CONFOUNDER + data.len() + HEADER + mac_len);
            let header = self.header(token_flag::SEALED, 0).encode();
            out.extend_from_slice(&header);
            let start = out.len();
            out.extend_from_slice(&self.confounders.of(self.seq));
            out.extend_from_slice(data);
            out.extend_from_slice(&header);
            let sealed = out.get_mut(start..).unwrap_or_default();
            let mac = self.keys.cipher().encrypt_pieces(&mut [Piece::Data(sealed)]);
            out.extend_from_slice(&mac);
        } else {
            let header = self.header(0, 0);
            let sum = self.keys.signing().compute([data, &header.encode()]);
            out.reserve(HEADER + data.len() + mac_len);
            out.extend_from_slice(&WrapHeader { ec: mac_len as u16, ..header }.encode());
            out.extend_from_slice(data);
            out.extend_from_slice(&sum);
        }
        self.next();
        Ok(())
    }

    fn export(&self, body: &mut Body) -> Result<(), Failure> {
        body.u64(self.seq);
        Ok(())
    }
}

/// The receiving half.
pub(super) struct Opening {
    keys: Keys,
    sender: Role,
    may_seal: bool,
    is_dce: bool,
    pub(super) window: Window,
}

impl Opening {
    pub(super) fn new(of: &SessionKeys, window: Window) -> Self {
        let sender = peer_of(of.local);
        let may_seal = of.granted.contains(ContextFlags::CONFIDENTIALITY);
        Self { keys: Keys::new(&of.key, sender), sender, may_seal, is_dce: of.is_dce(), window }
    }

    /// A message that this side sent comes back as nobody's. Whether the acceptor's subkey is meant is not looked at:
    /// with another key the checksum fails, and MIT's initiators set the flag where they need not.
    fn check_sender(&self, flags: u8) -> Result<(), Failure> {
        let fits = flags & token_flag::SENT_BY_ACCEPTOR == sender_flag(self.sender);
        if fits { Ok(()) } else { Err(CallCause::BadSignature.into()) }
    }

    fn open(&mut self, message: Message<'_>) -> Result<Opened, Failure> {
        let header = WrapHeader::decode(message.token).map_err(|_| CallCause::MalformedMessage)?;
        self.check_sender(header.flags)?;
        let enciphered = header.flags & token_flag::SEALED != 0;
        if enciphered && !self.may_seal {
            return Err(CallCause::NotNegotiated.into());
        }
        let data = if enciphered { self.decrypt(&header, message)? } else { self.check(&header, message)? };
        self.window.take(header.seq)?;
        Ok(Opened { enciphered, data })
    }

    fn decrypt(&mut self, header: &WrapHeader, message: Message<'_>) -> Result<Option<Range<usize>>, Failure> {
        let (filler, mac_len) = (usize::from(header.ec), self.keys.mac_len());
        let turned = usize::from(header.rrc) + if self.is_dce { filler } else { 0 };
        let Laid { front, back, parts, data } = Laid::out(message, turned, CONFOUNDER, filler + HEADER + mac_len)?;
        let (copy, mac) = back.split_at_mut(filler + HEADER);
        let mut pieces = parts;
        pieces.insert(0, Piece::Data(front));
        pieces.push(Piece::Data(copy));
        self.keys.cipher().decrypt_pieces(&mut pieces, mac).map_err(|BadIntegrity| CallCause::BadSignature)?;
        drop(pieces);
        // What the header said before the key had a say must be what the sender put under it (CVE-2024-37370). RRC is
        // left out: what turns a message on the way may write it.
        let copy = copy.get(filler..).map(WrapHeader::decode);
        let same = matches!(copy, Some(Ok(copy)) if WrapHeader { rrc: header.rrc, ..copy } == *header);
        if same { Ok(data) } else { Err(CallCause::BadSignature.into()) }
    }

    fn check(&mut self, header: &WrapHeader, message: Message<'_>) -> Result<Option<Range<usize>>, Failure> {
        let mac_len = self.keys.mac_len();
        if usize::from(header.ec) != mac_len {
            return Err(CallCause::BadSignature.into());
        }
        let Laid { back, parts, data, .. } = Laid::out(message, header.rrc.into(), 0, mac_len)?;
        // As RFC 4121 §4.2.4 has it: both counts are zero under the checksum.
        let header = WrapHeader { ec: 0, rrc: 0, ..*header }.encode();
        let right = self.keys.signing().verify(bytes(&parts).chain(once(&header[..])), back);
        if right { Ok(data) } else { Err(CallCause::BadSignature.into()) }
    }
}

impl Open for Opening {
    fn verify(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure> {
        let Message { token, parts, .. } = Message::with_token(message)?;
        let header = MicHeader::decode(token).map_err(|_| CallCause::MalformedMessage)?;
        self.check_sender(header.flags)?;
        let (head, sum) = token.split_first_chunk::<HEADER>().ok_or(CallCause::MalformedMessage)?;
        if !self.keys.mic().verify(bytes(&parts).chain(once(&head[..])), sum) {
            return Err(CallCause::BadSignature.into());
        }
        self.window.take(header.seq)
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

/// What stands behind a Wrap token's header, turned back and told apart.
struct Laid<'m> {
    /// What stands before the data.
    front: &'m mut [u8],
    /// What stands behind it.
    back: &'m mut [u8],
    /// The data, and what else is under the checksum.
    parts: Vec<Piece<'m>>,
    /// Where the data lies in a stream.
    data: Option<Range<usize>>,
}

impl<'m> Laid<'m> {
    /// Of a message that was turned to the right by `turned` bytes.
    fn out(message: Message<'m>, turned: usize, front: usize, back: usize) -> Result<Self, Failure> {
        let Message { token, mut parts, before, is_stream } = message;
        let body = token.get_mut(HEADER..).ok_or(CallCause::MalformedMessage)?;
        if !is_stream {
            // Data in a segment of its own can only be whole, with all the rest in the token's.
            if body.len() != front + back {
                return Err(CallCause::MalformedMessage.into());
            }
            turn(body, &mut parts, turned, back);
            let (back, front) = body.split_at_mut(back);
            return Ok(Self { front, back, parts, data: None });
        }
        let len = body.len().checked_sub(front + back).ok_or(CallCause::MalformedMessage)?;
        let place = HEADER + front..HEADER + front + len;
        body.rotate_left(turned.checked_rem(body.len()).unwrap_or(0));
        let (front, rest) = body.split_at_mut(front);
        let (data, back) = rest.split_at_mut(len);
        parts.insert(before, Piece::Data(data));
        Ok(Self { front, back, parts, data: Some(place) })
    }
}

/// Turns a message in segments, so that it is turned by `wanted` bytes instead of `turned`: then all but the data
/// stands in the token's segment. Windows' and MIT's are; others cost a copy.
fn turn(body: &mut [u8], parts: &mut [Piece<'_>], turned: usize, wanted: usize) {
    let slices = |parts: &mut [Piece<'_>], body: &mut [u8], act: &mut dyn FnMut(&mut [u8])| {
        act(body);
        for part in parts {
            if let Piece::Data(data) = part {
                act(data);
            }
        }
    };
    let mut whole = Vec::new();
    let len = body.len() + data_len(parts);
    let (turned, wanted) = (turned.checked_rem(len).unwrap_or(0), wanted.checked_rem(len).unwrap_or(0));
    if turned == wanted {
        return;
    }
    slices(parts, body, &mut |slice| whole.extend_from_slice(slice));
    whole.rotate_right((len + wanted - turned) % len);
    let mut from = whole.into_iter();
    slices(parts, body, &mut |slice| slice.iter_mut().zip(&mut from).for_each(|(to, from)| *to = from));
}

fn sender_flag(sender: Role) -> u8 {
    if sender == Role::Acceptor { token_flag::SENT_BY_ACCEPTOR } else { 0 }
}

/// The token is as long as both.
fn put(token: &mut [u8], header: &[u8; HEADER], sum: &[u8]) {
    token.iter_mut().zip(header.iter().chain(sum)).for_each(|(to, from)| *to = *from);
}
