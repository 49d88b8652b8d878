use super::cts::Cts;
use super::derive::{Base, Purpose};
use super::mac::{Keyed, Mac, filled};
use crate::rc4::Rc4;
use std::fmt;
use zeroize::Zeroize;

/// A message was not made with this key and usage, or was altered, or is too short to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadIntegrity;

impl fmt::Display for BadIntegrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message was altered, or made with another key")
    }
}

impl std::error::Error for BadIntegrity {}

/// The keys of one usage, scheduled: seals and opens messages.
pub struct Cipher {
    confounder_len: usize,
    mac: Keyed,
    order: Order,
}

/// Where a message's MAC stands, and what it is over.
enum Order {
    /// Behind the ciphertext, over the plaintext (RFC 3961 §5.3, RFC 6803).
    OverPlain(Box<dyn Cts>),
    /// Behind the ciphertext, over the initial vector and the ciphertext (RFC 8009 §5).
    OverCipher(Box<dyn Cts>),
    /// Before the ciphertext, over the plaintext; RC4's key is made from it (RFC 4757 §5).
    First,
}

/// A part of a message that is protected in pieces.
pub(crate) enum Piece<'a> {
    /// Enciphered in place, and under the MAC. The first one begins with the confounder.
    Data(&'a mut [u8]),
    /// Under the MAC only.
    SignOnly(&'a [u8]),
}

impl Cipher {
    pub(super) fn new(base: &Base, usage: u32) -> Self {
        let order = match base.cts(usage) {
            None => Order::First,
            Some(cts) if matches!(base.enctype().number(), 19 | 20) => Order::OverCipher(cts),
            Some(cts) => Order::OverPlain(cts),
        };
        let confounder_len = base.enctype().confounder_len();
        Self { confounder_len, mac: base.mac(usage, Purpose::Integrity), order }
    }

    /// How many random bytes stand before the plaintext.
    pub fn confounder_len(&self) -> usize {
        self.confounder_len
    }

    /// How long a message's MAC is, in bytes.
    pub fn mac_len(&self) -> usize {
        self.mac.len()
    }

    /// How many bytes a message is longer than its plaintext.
    pub fn overhead(&self) -> usize {
        self.confounder_len + self.mac.len()
    }

    /// Opens the message that fills `buf`, in place; gives the plaintext inside it.
    ///
    /// # Errors
    /// [`BadIntegrity`]; then `buf` is zeros.
    pub fn decrypt<'b>(&self, buf: &'b mut [u8]) -> Result<&'b mut [u8], BadIntegrity> {
        let Some(len) = buf.len().checked_sub(self.overhead()) else {
            buf.fill(0);
            return Err(BadIntegrity);
        };
        let sealed = self.confounder_len + len;
        let (mac, data) = match self.order {
            Order::First => buf.split_at_mut(self.mac.len()),
            Order::OverPlain(_) | Order::OverCipher(_) => {
                let (data, mac) = buf.split_at_mut(sealed);
                (mac, data)
            }
        };
        let opened = self.decrypt_pieces(&mut [Piece::Data(data)], mac);
        if opened.is_err() {
            mac.fill(0);
        }
        opened?;
        data.get_mut(self.confounder_len..).ok_or(BadIntegrity)
    }

    /// Opens the message that fills `buf`; then the plaintext is what `buf` holds. Of what stood behind it some is left
    /// beyond the end, as with every vector that was cut.
    ///
    /// # Errors
    /// [`BadIntegrity`]; then `buf` is zeros.
    pub(crate) fn open(&self, buf: &mut Vec<u8>) -> Result<(), BadIntegrity> {
        let len = self.decrypt(buf)?.len();
        let start = match self.order {
            Order::First => buf.len() - len,
            Order::OverPlain(_) | Order::OverCipher(_) => self.confounder_len,
        };
        buf.copy_within(start..start + len, 0);
        buf.truncate(len);
        Ok(())
    }

    /// Seals `plain` behind the confounder, and appends the message to `out`. Of the confounder, which must be random
    /// and used once, the first [`confounder_len`](Self::confounder_len) bytes count.
    pub fn encrypt(&self, confounder: &[u8; 16], plain: &[u8], out: &mut Vec<u8>) {
        out.reserve(self.overhead() + plain.len());
        let start = out.len();
        let before = if let Order::First = self.order { self.mac.len() } else { 0 };
        out.resize(start + before, 0);
        out.extend(confounder.iter().take(self.confounder_len));
        out.extend_from_slice(plain);
        let (mac_at, data) = out.get_mut(start..).unwrap_or_default().split_at_mut(before);
        let mac = self.encrypt_pieces(&mut [Piece::Data(data)]);
        if before == 0 {
            out.extend_from_slice(&mac);
        } else {
            mac_at.copy_from_slice(&mac);
        }
    }

    /// Seals the pieces in place, as one message whose data begins with the confounder; gives its MAC.
    pub(crate) fn encrypt_pieces(&self, pieces: &mut [Piece<'_>]) -> Mac {
        match &self.order {
            Order::OverPlain(cts) => {
                let mac = self.sum(&[], pieces);
                cts.encrypt(pieces);
                mac
            }
            Order::OverCipher(cts) => {
                cts.encrypt(pieces);
                self.sum(&[0; 16], pieces)
            }
            Order::First => {
                let mac = self.sum(&[], pieces);
                self.rc4(&mac, pieces);
                mac
            }
        }
    }

    /// Opens the pieces in place. After a failure the data is zeros.
    pub(crate) fn decrypt_pieces(&self, pieces: &mut [Piece<'_>], mac: &[u8]) -> Result<(), BadIntegrity> {
        let found = match &self.order {
            Order::OverPlain(cts) => {
                cts.decrypt(pieces);
                self.sum(&[], pieces)
            }
            Order::OverCipher(_) => self.sum(&[0; 16], pieces),
            Order::First => {
                self.rc4(mac, pieces);
                self.sum(&[], pieces)
            }
        };
        if !found.matches(mac) {
            for piece in pieces {
                if let Piece::Data(data) = piece {
                    data.fill(0);
                }
            }
            return Err(BadIntegrity);
        }
        if let Order::OverCipher(cts) = &self.order {
            cts.decrypt(pieces);
        }
        Ok(())
    }

    fn sum(&self, before: &[u8], pieces: &[Piece<'_>]) -> Mac {
        let bytes = pieces.iter().map(|piece| match piece {
            Piece::Data(data) => data,
            Piece::SignOnly(data) => *data,
        });
        self.mac.compute(std::iter::once(before).chain(bytes))
    }

    /// RC4 under K3, which is made of the message's MAC.
    fn rc4(&self, mac: &[u8], pieces: &mut [Piece<'_>]) {
        let mut key = filled(&self.mac.compute([mac]));
        let mut rc4 = Rc4::new(&key);
        key.zeroize();
        for piece in pieces {
            if let Piece::Data(data) = piece {
                rc4.apply(data);
            }
        }
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher")
    }
}
