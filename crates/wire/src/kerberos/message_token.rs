use crate::{Error, Kind, Reader};

/// Flags of a per-message token (RFC 4121 §4.2.2).
pub mod token_flag {
    /// The acceptor sent it.
    pub const SENT_BY_ACCEPTOR: u8 = 1;
    /// The message is encrypted; in Wrap tokens only.
    pub const SEALED: u8 = 2;
    /// It is under the acceptor's subkey.
    pub const ACCEPTOR_SUBKEY: u8 = 4;
}

/// The head of a MIC token (RFC 4121 §4.2.6.1); the checksum stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MicHeader {
    /// [`token_flag`]s.
    pub flags: u8,
    /// SND_SEQ.
    pub seq: u64,
}

/// The head of a Wrap token (RFC 4121 §4.2.6.2). Behind it stand, rotated right by `rrc` bytes, the plaintext and its
/// checksum, or the ciphertext of the plaintext, `ec` bytes of filler, and the head once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrapHeader {
    /// [`token_flag`]s.
    pub flags: u8,
    /// EC, "extra count": bytes of filler, or of the checksum where nothing is encrypted.
    pub ec: u16,
    /// RRC, "right rotation count".
    pub rrc: u16,
    /// SND_SEQ.
    pub seq: u64,
}

const FILLER: u8 = 0xff;

impl MicHeader {
    /// Its length in bytes.
    pub const LEN: usize = 16;
    /// TOK_ID.
    pub const TOKEN_ID: [u8; 2] = [4, 4];

    /// Decodes the head of a token; what stands behind it is left.
    ///
    /// # Errors
    /// [`Kind::Truncated`] for fewer than sixteen bytes, [`Kind::Unexpected`] for another TOK_ID or filler.
    pub fn decode(token: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(token);
        expect(&mut reader, Self::TOKEN_ID, "TOK_ID")?;
        let flags = reader.u8("Flags")?;
        expect(&mut reader, [FILLER; 5], "Filler")?;
        Ok(Self { flags, seq: reader.array("SND_SEQ").map(u64::from_be_bytes)? })
    }

    /// The sixteen bytes.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let ([a, b], filler) = (Self::TOKEN_ID, FILLER);
        let [c, d, e, f, g, h, i, j] = self.seq.to_be_bytes();
        [a, b, self.flags, filler, filler, filler, filler, filler, c, d, e, f, g, h, i, j]
    }
}

impl WrapHeader {
    /// Its length in bytes.
    pub const LEN: usize = 16;
    /// TOK_ID.
    pub const TOKEN_ID: [u8; 2] = [5, 4];

    /// Decodes the head of a token; what stands behind it is left.
    ///
    /// # Errors
    /// [`Kind::Truncated`] for fewer than sixteen bytes, [`Kind::Unexpected`] for another TOK_ID or filler.
    pub fn decode(token: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(token);
        expect(&mut reader, Self::TOKEN_ID, "TOK_ID")?;
        let flags = reader.u8("Flags")?;
        expect(&mut reader, [FILLER], "Filler")?;
        Ok(Self {
            flags,
            ec: reader.array("EC").map(u16::from_be_bytes)?,
            rrc: reader.array("RRC").map(u16::from_be_bytes)?,
            seq: reader.array("SND_SEQ").map(u64::from_be_bytes)?,
        })
    }

    /// The sixteen bytes.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let ([a, b], [c, d], [e, f]) = (Self::TOKEN_ID, self.ec.to_be_bytes(), self.rrc.to_be_bytes());
        let [g, h, i, j, k, l, m, n] = self.seq.to_be_bytes();
        [a, b, self.flags, FILLER, c, d, e, f, g, h, i, j, k, l, m, n]
    }
}

fn expect<const N: usize>(reader: &mut Reader<'_>, bytes: [u8; N], field: &'static str) -> Result<(), Error> {
    let at = reader.offset();
    if reader.array(field)? == bytes { Ok(()) } else { Err(Error::new(at, field, Kind::Unexpected)) }
}
