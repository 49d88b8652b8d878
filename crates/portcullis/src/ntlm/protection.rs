use super::keys::{self, Key, Sender};
use super::session::key_info;
use crate::export::Body;
use crate::protection::{Halves, KIND_NTLM, Open, Protection, Seal, token};
use crate::rc4::Rc4;
use crate::{CallCause, Failure, KeyInfo, Opened, Secret, Segment};
use hmac::{Hmac, Mac};
use md5::Md5;
use portcullis_wire::ntlm::Flags;
use portcullis_wire::{Error, Kind, Reader};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq;

/// The length of every NTLM signature (MS-NLMP 2.2.2.9).
const SIGNATURE_LEN: usize = 16;

/// What a context signs with when neither SIGN nor SEAL was negotiated (MS-NLMP 3.4.4.3).
const DUMMY: [u8; SIGNATURE_LEN] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// NTLM has no messages that are sealed without encryption.
const OPENED: Opened = Opened { enciphered: true, data: None };

/// A context's session key and flags, before a message needs keys made from them.
pub(crate) struct SessionKeys {
    key: Key,
    flags: Flags,
    sends: Sender,
    /// Whether AUTHENTICATE has a MIC.
    has_mic: bool,
    /// How often the mechanism list was signed here, and by the peer. Messages are numbered on from there, while the
    /// cipher begins anew (MS-SPNG 3.2.5.1 says so of the cipher; the count is what Samba and gss-ntlmssp do).
    lists_made: u32,
    lists_checked: u32,
}

impl SessionKeys {
    pub(crate) fn new(key: &Key, flags: Flags, sends: Sender, has_mic: bool) -> Self {
        Self { key: Secret::new(*key.expose()), flags, sends, has_mic, lists_made: 0, lists_checked: 0 }
    }

    /// Reads what [`Protection::export`] wrote behind the kind.
    pub(crate) fn import(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let key = Secret::new(reader.array("SessionKey")?);
        let flags = Flags(reader.u32("NegotiateFlags")?);
        let at = reader.offset();
        let bits = reader.u8("Bits")?;
        if bits >> 4 != 0 {
            return Err(Error::new(at, "Bits", Kind::Unexpected));
        }
        let bit = |n: u8| bits >> n & 1;
        Ok(Self {
            key,
            flags,
            sends: if bit(0) == 1 { Sender::Server } else { Sender::Client },
            has_mic: bit(1) == 1,
            lists_made: bit(2).into(),
            lists_checked: bit(3).into(),
        })
    }

    /// Both halves, over what `stream` gives for a sender: with extended session security a stream for each, without it
    /// the same for both.
    fn over<E>(&self, mut stream: impl FnMut(Sender) -> Result<Stream, E>) -> Result<Halves, E> {
        if self.flags.contains(Flags::EXTENDED_SESSION_SECURITY) {
            let peer = match self.sends {
                Sender::Server => Sender::Client,
                Sender::Client => Sender::Server,
            };
            let seal = self.extended(self.sends, stream(self.sends)?);
            return Ok((seal, self.extended(peer, stream(peer)?)));
        }
        // One key, one RC4 stream and one count of messages for both directions: a lock inside both halves.
        let shared = Arc::new(Mutex::new(stream(self.sends)?));
        let half = || Plain { shared: Arc::clone(&shared), flags: self.flags };
        Ok((Box::new(half()), Box::new(half())))
    }

    fn extended(&self, sender: Sender, stream: Stream) -> Box<Extended> {
        let Stream { rc4, sequence } = stream;
        Box::new(Extended { sign_key: keys::sign_key(&self.key, sender), rc4, flags: self.flags, sequence })
    }

    /// A sender's stream before its first message.
    fn beginning(&self, sender: Sender) -> Stream {
        if !self.flags.contains(Flags::EXTENDED_SESSION_SECURITY) {
            return Stream { rc4: Rc4::new(self.key.expose()), sequence: self.lists_made + self.lists_checked };
        }
        let rc4 = Rc4::new(keys::seal_key(&self.key, self.flags, sender).expose());
        Stream { rc4, sequence: if sender == self.sends { self.lists_made } else { self.lists_checked } }
    }
}

impl Protection for SessionKeys {
    fn halves(&self) -> Halves {
        let Ok(halves) = self.over(|sender| Ok::<_, Infallible>(self.beginning(sender)));
        halves
    }

    fn key_info(&self) -> Option<KeyInfo> {
        protects(self.flags).then(|| key_info(self.flags))
    }

    fn session_key(&self) -> Option<Secret<Vec<u8>>> {
        Some(Secret::new(self.key.expose().to_vec()))
    }

    fn export(&self, body: &mut Body) -> Result<(), Failure> {
        let bits = [self.sends == Sender::Server, self.has_mic, self.lists_made == 1, self.lists_checked == 1];
        let bits = bits.iter().rev().fold(0, |bits, bit| bits << 1 | u8::from(*bit));
        body.u8(KIND_NTLM).bytes(self.key.expose()).u32(self.flags.0).u8(bits);
        Ok(())
    }

    fn resume(&self, reader: &mut Reader<'_>) -> Result<Halves, Error> {
        self.over(|_| Stream::import(reader))
    }

    /// MS-SPNG <8>: a client whose AUTHENTICATE has a MIC signs the mechanism list too.
    fn demands_list_mic(&self) -> bool {
        self.has_mic && protects(self.flags)
    }

    /// Without SIGN it is the dummy signature, which pyspnego exchanges as it has seen Windows do: it proves nothing, and
    /// Negotiate takes it only where no signed list is due.
    fn make_list_mic(&mut self, list: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut mic = vec![0; SIGNATURE_LEN];
        self.halves().0.sign(&mut [Segment::SignOnly(list), Segment::Token(&mut mic)])?;
        self.lists_made = 1;
        Ok(mic)
    }

    fn check_list_mic(&mut self, list: &[u8], mic: &[u8]) -> Result<(), Failure> {
        let mut mic = <[u8; SIGNATURE_LEN]>::try_from(mic).map_err(|_| CallCause::BadSignature)?;
        self.halves().1.verify(&mut [Segment::SignOnly(list), Segment::Token(&mut mic)])?;
        self.lists_checked = 1;
        Ok(())
    }
}

/// A cipher's stream, and the count of the messages that it went over.
struct Stream {
    rc4: Rc4,
    sequence: u32,
}

impl Stream {
    fn import(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self { sequence: reader.u32("SeqNum")?, rc4: Rc4::import(reader)? })
    }
}

fn export_stream(rc4: &Rc4, sequence: u32, body: &mut Body) -> Result<(), Failure> {
    rc4.export(body.u32(sequence));
    Ok(())
}

/// One direction of a context with extended session security.
struct Extended {
    sign_key: Key,
    rc4: Rc4,
    flags: Flags,
    sequence: u32,
}

impl Extended {
    fn mac(&self) -> Hmac<Md5> {
        let mut mac = keys::hmac_md5(self.sign_key.expose());
        mac.update(&self.sequence.to_le_bytes());
        mac
    }

    /// MAC over the message (MS-NLMP 3.4.4.2): the checksum runs through RC4 behind the data where the session key
    /// was exchanged.
    fn signature(&mut self, mac: Hmac<Md5>) -> [u8; SIGNATURE_LEN] {
        let digest = mac.finalize().into_bytes();
        let mut checksum = [0; 8];
        checksum.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        if self.flags.contains(Flags::KEY_EXCHANGE) {
            self.rc4.apply(&mut checksum);
        }
        let mut signature = DUMMY;
        let (_, rest) = signature.split_at_mut(4);
        let (checksum_at, sequence_at) = rest.split_at_mut(8);
        checksum_at.copy_from_slice(&checksum);
        sequence_at.copy_from_slice(&self.sequence.to_le_bytes());
        self.sequence = self.sequence.wrapping_add(1);
        signature
    }

    /// Refuses a message out of turn before it moves the cipher's state.
    fn expect_sequence(&self, given: &[u8; SIGNATURE_LEN]) -> Result<(), Failure> {
        let [.., a, b, c, d] = *given;
        let in_turn = u32::from_le_bytes([a, b, c, d]) == self.sequence;
        if in_turn { Ok(()) } else { Err(CallCause::OutOfSequence.into()) }
    }
}

/// The bytes under a signature with extended session security: every segment (MS-NLMP 3.4.6.1).
fn every<'s>(segment: &'s Segment<'_>) -> Option<&'s [u8]> {
    match segment {
        Segment::Data(data) => Some(data),
        Segment::SignOnly(data) | Segment::ReadOnly(data) => Some(data),
        Segment::Token(_) | Segment::Header(_) | Segment::Trailer(_) | Segment::Stream(_) => None,
    }
}

impl Seal for Extended {
    fn sign(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        token(message, SIGNATURE_LEN)?;
        let signature = if protects(self.flags) {
            let mut mac = self.mac();
            message.iter().filter_map(every).for_each(|bytes| mac.update(bytes));
            self.signature(mac)
        } else {
            DUMMY
        };
        put(message, &signature)
    }

    fn seal(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        needs_sealing(self.flags)?;
        token(message, SIGNATURE_LEN)?;
        let mut mac = self.mac();
        // The MAC is over plaintext; the data is enciphered before the checksum (MS-NLMP 3.4.3).
        for segment in message.iter_mut() {
            every(segment).into_iter().for_each(|bytes| mac.update(bytes));
            if let Segment::Data(data) = segment {
                self.rc4.apply(data);
            }
        }
        let signature = self.signature(mac);
        put(message, &signature)
    }

    fn export(&self, body: &mut Body) -> Result<(), Failure> {
        export_stream(&self.rc4, self.sequence, body)
    }
}

impl Open for Extended {
    fn verify(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure> {
        let given = take(message)?;
        if !protects(self.flags) {
            return same(&DUMMY, &given);
        }
        self.expect_sequence(&given)?;
        let mut mac = self.mac();
        message.iter().filter_map(every).for_each(|bytes| mac.update(bytes));
        same(&self.signature(mac), &given)
    }

    fn unseal(&mut self, message: &mut [Segment<'_>]) -> Result<Opened, Failure> {
        needs_sealing(self.flags)?;
        let given = take(message)?;
        self.expect_sequence(&given)?;
        let mut mac = self.mac();
        for segment in message.iter_mut() {
            if let Segment::Data(data) = segment {
                self.rc4.apply(data);
            }
            every(segment).into_iter().for_each(|bytes| mac.update(bytes));
        }
        let signature = self.signature(mac);
        same(&signature, &given).inspect_err(|_| wipe(message))?;
        Ok(OPENED)
    }

    fn export(&self, body: &mut Body) -> Result<(), Failure> {
        export_stream(&self.rc4, self.sequence, body)
    }
}

/// One direction of a context without extended session security. Both share the stream, and the count too: Samba and
/// pyspnego number messages through, whoever sends them.
struct Plain {
    shared: Arc<Mutex<Stream>>,
    flags: Flags,
}

impl Stream {
    /// MAC over the message (MS-NLMP 3.4.4.1): pad, checksum and sequence number run through RC4, one after another.
    fn signature(&mut self, checksum: crc32fast::Hasher) -> [u8; SIGNATURE_LEN] {
        let mut signature = DUMMY;
        let (_, rest) = signature.split_at_mut(4);
        let (pad, rest) = rest.split_at_mut(4);
        let (checksum_at, sequence_at) = rest.split_at_mut(4);
        checksum_at.copy_from_slice(&checksum.finalize().to_le_bytes());
        sequence_at.copy_from_slice(&self.sequence.to_le_bytes());
        self.rc4.apply(pad);
        self.rc4.apply(checksum_at);
        self.rc4.apply(sequence_at);
        self.sequence = self.sequence.wrapping_add(1);
        signature
    }
}

/// The bytes under a signature without extended session security: what the caller wants signed.
fn wanted<'s>(segment: &'s Segment<'_>) -> Option<&'s [u8]> {
    match segment {
        Segment::Data(data) => Some(data),
        Segment::SignOnly(data) => Some(data),
        Segment::ReadOnly(_) | Segment::Token(_) | Segment::Header(_) | Segment::Trailer(_) | Segment::Stream(_) => {
            None
        }
    }
}

impl Seal for Plain {
    fn sign(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        token(message, SIGNATURE_LEN)?;
        if !protects(self.flags) {
            return put(message, &DUMMY);
        }
        let mut checksum = crc32fast::Hasher::new();
        message.iter().filter_map(wanted).for_each(|bytes| checksum.update(bytes));
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let signature = shared.signature(checksum);
        put(message, &signature)
    }

    fn seal(&mut self, message: &mut [Segment<'_>]) -> Result<usize, Failure> {
        needs_sealing(self.flags)?;
        token(message, SIGNATURE_LEN)?;
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let mut checksum = crc32fast::Hasher::new();
        for segment in message.iter_mut() {
            wanted(segment).into_iter().for_each(|bytes| checksum.update(bytes));
            if let Segment::Data(data) = segment {
                shared.rc4.apply(data);
            }
        }
        let signature = shared.signature(checksum);
        put(message, &signature)
    }

    fn export(&self, body: &mut Body) -> Result<(), Failure> {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        export_stream(&shared.rc4, shared.sequence, body)
    }
}

impl Open for Plain {
    fn verify(&mut self, message: &mut [Segment<'_>]) -> Result<(), Failure> {
        let given = take(message)?;
        if !protects(self.flags) {
            return same(&DUMMY, &given);
        }
        let mut checksum = crc32fast::Hasher::new();
        message.iter().filter_map(wanted).for_each(|bytes| checksum.update(bytes));
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        same_but_pad(&shared.signature(checksum), &given)
    }

    fn unseal(&mut self, message: &mut [Segment<'_>]) -> Result<Opened, Failure> {
        needs_sealing(self.flags)?;
        let given = take(message)?;
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let mut checksum = crc32fast::Hasher::new();
        for segment in message.iter_mut() {
            if let Segment::Data(data) = segment {
                shared.rc4.apply(data);
            }
            wanted(segment).into_iter().for_each(|bytes| checksum.update(bytes));
        }
        let signature = shared.signature(checksum);
        same_but_pad(&signature, &given).inspect_err(|_| wipe(message))?;
        Ok(OPENED)
    }

    /// The sealing half wrote the stream of both.
    fn export(&self, _: &mut Body) -> Result<(), Failure> {
        Ok(())
    }
}

fn protects(flags: Flags) -> bool {
    flags.intersects(Flags::SIGN | Flags::SEAL)
}

fn needs_sealing(flags: Flags) -> Result<(), Failure> {
    if flags.contains(Flags::SEAL) { Ok(()) } else { Err(CallCause::NotNegotiated.into()) }
}

fn put(message: &mut [Segment<'_>], signature: &[u8; SIGNATURE_LEN]) -> Result<usize, Failure> {
    token(message, SIGNATURE_LEN)?.copy_from_slice(signature);
    Ok(SIGNATURE_LEN)
}

fn take(message: &mut [Segment<'_>]) -> Result<[u8; SIGNATURE_LEN], Failure> {
    token(message, SIGNATURE_LEN)?.first_chunk().copied().ok_or(CallCause::BadBuffers.into())
}

fn same(expected: &[u8; SIGNATURE_LEN], given: &[u8; SIGNATURE_LEN]) -> Result<(), Failure> {
    if bool::from(expected.ct_eq(given)) { Ok(()) } else { Err(CallCause::BadSignature.into()) }
}

/// Without extended session security the four bytes behind the version are random and checked by nobody
/// (MS-NLMP 2.2.2.9.1); a sequence number out of turn lies under the cipher and shows as an altered message.
fn same_but_pad(expected: &[u8; SIGNATURE_LEN], given: &[u8; SIGNATURE_LEN]) -> Result<(), Failure> {
    let (mut ours, mut theirs) = (*expected, *given);
    ours.split_at_mut(4).1.split_at_mut(4).0.fill(0);
    theirs.split_at_mut(4).1.split_at_mut(4).0.fill(0);
    same(&ours, &theirs)
}

/// What could not be verified is not shown to the caller.
fn wipe(message: &mut [Segment<'_>]) {
    for segment in message {
        if let Segment::Data(data) = segment {
            data.fill(0);
        }
    }
}
