use super::{Client, Heard, RawKey};
use portcullis::kerberos::crypto::Key;

/// The client's end of an established context: it signs and seals by RFC 4121 §4.2, by code of its own.
#[derive(Debug)]
pub struct Session {
    /// The key of its messages.
    pub key: RawKey,
    /// Whether that is the server's sub-key.
    pub acceptor_subkey: bool,
    /// Whether this is the server's end after all.
    pub is_acceptor: bool,
    /// The number of the next message sent.
    pub send: u64,
    /// The number of the next message received.
    pub receive: u64,
    seed: u64,
}

/// RFC 4121 §2: the usages of the acceptor's messages; the initiator's are two higher.
const ACCEPTOR_SEAL: u32 = 22;
const ACCEPTOR_SIGN: u32 = 23;

/// RFC 4121 §4.2.2.
const BY_ACCEPTOR: u8 = 1;
const SEALED: u8 = 2;
const ACCEPTOR_SUBKEY: u8 = 4;

impl Session {
    /// What a client has after the server's reply, or without one where it asked for none.
    pub fn client(client: &Client, heard: &Heard) -> Self {
        let own = client.subkey.as_ref().unwrap_or(&client.ticket.session);
        let send = u64::from(client.seq.unwrap_or(0));
        let (key, acceptor_subkey, receive) = match heard {
            Heard::Reply(reply) => {
                (reply.subkey.as_ref().unwrap_or(own), reply.subkey.is_some(), reply.seq.unwrap_or(0).into())
            }
            _ => (own, false, send),
        };
        Self { key: key.clone(), acceptor_subkey, is_acceptor: false, send, receive, seed: 100 }
    }

    /// A MIC token over a message.
    pub fn mic(&mut self, message: &[u8]) -> Vec<u8> {
        let mut token = vec![4, 4, self.flags(0), 0xff, 0xff, 0xff, 0xff, 0xff];
        token.extend_from_slice(&self.next_send().to_be_bytes());
        let sum = self.key().checksum(self.usage(ACCEPTOR_SIGN, true)).compute([message, &token[..]]);
        token.extend_from_slice(&sum);
        token
    }

    /// Whether a MIC token of the peer is the next one, and fits.
    pub fn fits(&mut self, message: &[u8], token: &[u8]) -> bool {
        let Some((header, sum)) = token.split_first_chunk::<16>() else { return false };
        let mut expected = vec![4, 4, self.peer_flags(0), 0xff, 0xff, 0xff, 0xff, 0xff];
        expected.extend_from_slice(&self.receive.to_be_bytes());
        self.receive += 1;
        let usage = self.usage(ACCEPTOR_SIGN, false);
        expected == header && self.key().checksum(usage).verify([message, &expected[..]], sum)
    }

    /// A Wrap token: sealed or only signed, rotated by any number, with so many bytes of filler where it is sealed.
    pub fn wrap(&mut self, message: &[u8], sealed: bool, rrc: u16, filler: u16) -> Vec<u8> {
        let flags = self.flags(if sealed { SEALED } else { 0 });
        let seq = self.next_send();
        let usage = self.usage(ACCEPTOR_SEAL, true);
        let key = self.key();
        let mut body = if sealed {
            let header = header(flags, filler, 0, seq);
            self.seed += 1;
            let plain = [message, &vec![0xaa; filler.into()], &header].concat();
            self.key.seal(usage, &plain, self.seed)
        } else {
            let sum = key.checksum(usage).compute([message, &header(flags, 0, 0, seq)[..]]);
            [message, &sum].concat()
        };
        let ec = if sealed { filler } else { u16::try_from(key.enctype().mac_len()).unwrap() };
        let length = body.len();
        body.rotate_right(usize::from(rrc) % length);
        [&header(flags, ec, rrc, seq)[..], &body].concat()
    }

    /// The message in a Wrap token of the peer, which must be the next one, and whether it was sealed.
    pub fn unwrap(&mut self, token: &[u8]) -> Option<(Vec<u8>, bool)> {
        let (head, body) = token.split_first_chunk::<16>()?;
        let (ec, rrc) = (u16::from_be_bytes([head[4], head[5]]), u16::from_be_bytes([head[6], head[7]]));
        let sealed = head[2] & SEALED != 0;
        let (flags, seq) = (self.peer_flags(head[2] & SEALED), self.receive);
        if *head != header(flags, ec, rrc, seq) {
            return None;
        }
        self.receive += 1;
        let mut body = body.to_vec();
        let length = body.len();
        body.rotate_left(usize::from(rrc).checked_rem(length)?);
        let usage = self.usage(ACCEPTOR_SEAL, false);
        if sealed {
            let plain = self.key.open(usage, &body)?;
            let (front, inner) = plain.split_at_checked(plain.len().checked_sub(16)?)?;
            let message = front.get(..front.len().checked_sub(ec.into())?)?;
            (inner == header(flags, ec, 0, seq)).then(|| (message.to_vec(), true))
        } else {
            let (message, sum) = body.split_at_checked(length.checked_sub(ec.into())?)?;
            let fits = self.key().checksum(usage).verify([message, &header(flags, 0, 0, seq)[..]], sum);
            fits.then(|| (message.to_vec(), false))
        }
    }

    fn key(&self) -> Key {
        self.key.key()
    }

    fn next_send(&mut self) -> u64 {
        let seq = self.send;
        self.send += 1;
        seq
    }

    /// The flags of a message sent.
    fn flags(&self, flags: u8) -> u8 {
        flags | (u8::from(self.is_acceptor) * BY_ACCEPTOR) | (u8::from(self.acceptor_subkey) * ACCEPTOR_SUBKEY)
    }

    /// The flags of a message received.
    fn peer_flags(&self, flags: u8) -> u8 {
        self.flags(flags) ^ BY_ACCEPTOR
    }

    fn usage(&self, acceptor: u32, sending: bool) -> u32 {
        if self.is_acceptor == sending { acceptor } else { acceptor + 2 }
    }
}

fn header(flags: u8, ec: u16, rrc: u16, seq: u64) -> [u8; 16] {
    let mut header = [5, 4, flags, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header[4..6].copy_from_slice(&ec.to_be_bytes());
    header[6..8].copy_from_slice(&rrc.to_be_bytes());
    header[8..].copy_from_slice(&seq.to_be_bytes());
    header
}
