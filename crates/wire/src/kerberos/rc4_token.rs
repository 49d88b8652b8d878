use crate::der::{Der, Oid, header, tag, tlv};
use crate::spnego::{KERBEROS, KERBEROS_MICROSOFT, KERBEROS_USER_TO_USER};
use crate::{Error, Kind, Reader};

/// A MIC token of RFC 1964 §1.2.1, with the algorithms of RFC 4757 §7.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rc4Mic<'a> {
    /// The mechanism that its frame names, one of Kerberos'.
    pub mechanism: Oid<'a>,
    /// The first eight bytes, TOK_ID to Filler, which the checksum covers: [`HEADER`](Self::HEADER).
    pub header: &'a [u8; 8],
    /// SGN_ALG: 0x0011 is HMAC-MD5.
    pub sgn_alg: u16,
    /// SND_SEQ, encrypted.
    pub snd_seq: &'a [u8; 8],
    /// SGN_CKSUM.
    pub sgn_cksum: &'a [u8; 8],
}

/// A Wrap token of RFC 1964 §1.2.2, with the algorithms of RFC 4757 §7.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rc4Wrap<'a> {
    /// The mechanism that its frame names, one of Kerberos'.
    pub mechanism: Oid<'a>,
    /// The first eight bytes, TOK_ID to Filler, which the checksum covers: [`SEALED`](Self::SEALED) or
    /// [`SIGNED`](Self::SIGNED).
    pub header: &'a [u8; 8],
    /// SGN_ALG: 0x0011 is HMAC-MD5.
    pub sgn_alg: u16,
    /// SEAL_ALG: 0x0010 is RC4, 0xffff none.
    pub seal_alg: u16,
    /// SND_SEQ, encrypted.
    pub snd_seq: &'a [u8; 8],
    /// SGN_CKSUM.
    pub sgn_cksum: &'a [u8; 8],
    /// Confounder, encrypted where the payload is.
    pub confounder: &'a [u8; 8],
    /// The payload and its padding, encrypted where SEAL_ALG says so; empty where it lies in another buffer.
    pub payload: &'a [u8],
}

impl<'a> Rc4Mic<'a> {
    /// The first eight bytes of a token.
    pub const HEADER: [u8; 8] = [1, 1, 0x11, 0, 0xff, 0xff, 0xff, 0xff];
    /// HMAC-MD5, as SGN_ALG.
    pub const HMAC: u16 = 0x0011;

    /// Decodes the token, in its frame.
    ///
    /// # Errors
    /// With the offset and the field: no frame, another mechanism than Kerberos, another TOK_ID or filler, a token cut
    /// short, bytes behind it. The algorithm is not judged.
    pub fn decode(token: &'a [u8]) -> Result<Self, Error> {
        let mut frame = Frame::open(token)?;
        frame.holds(0)?;
        let reader = &mut frame.reader;
        let header = head(reader, [1, 1], 4)?;
        let [_, _, a, b, ..] = *header;
        let (snd_seq, sgn_cksum) = (eight(reader, "SND_SEQ")?, eight(reader, "SGN_CKSUM")?);
        if !reader.rest().is_empty() {
            return Err(Error::new(reader.offset(), "SGN_CKSUM", Kind::Unexpected));
        }
        Ok(Self { mechanism: frame.mechanism, header, sgn_alg: u16::from_le_bytes([a, b]), snd_seq, sgn_cksum })
    }

    /// Appends the token, in its frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write_frame(self.mechanism, &[self.header, self.snd_seq, self.sgn_cksum], 0, out);
    }
}

impl<'a> Rc4Wrap<'a> {
    /// The first eight bytes of a token whose payload is encrypted.
    pub const SEALED: [u8; 8] = [2, 1, 0x11, 0, 0x10, 0, 0xff, 0xff];
    /// The first eight bytes of a token whose payload is not.
    pub const SIGNED: [u8; 8] = [2, 1, 0x11, 0, 0xff, 0xff, 0xff, 0xff];
    /// RC4, as SEAL_ALG.
    pub const RC4: u16 = 0x0010;
    /// No encryption, as SEAL_ALG.
    pub const NONE: u16 = 0xffff;

    /// Decodes the token, in its frame, in which the payload stands too.
    ///
    /// # Errors
    /// With the offset and the field: no frame, another mechanism than Kerberos, another TOK_ID or filler, a token cut
    /// short, bytes behind it. The algorithms are not judged.
    pub fn decode(token: &'a [u8]) -> Result<Self, Error> {
        let frame = Frame::open(token)?;
        frame.holds(0)?;
        Self::read(frame)
    }

    /// Decodes what stands before the payload, where that lies in another buffer of `payload` bytes. The frame's
    /// length may count those, as it does everywhere but in DCE style, or not (RFC 4757 §7.3).
    ///
    /// # Errors
    /// As [`decode`](Self::decode); [`Kind::WrongLength`] where the frame's length is neither.
    pub fn decode_detached(token: &'a [u8], payload: usize) -> Result<Self, Error> {
        let frame = Frame::open(token)?;
        frame.holds(payload).or_else(|_| frame.holds(0))?;
        let wrap = Self::read(frame)?;
        match wrap.payload.len() {
            0 => Ok(wrap),
            behind => Err(Error::new(token.len().saturating_sub(behind), "Confounder", Kind::Unexpected)),
        }
    }

    /// Appends the token, in its frame, with its payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write_frame(self.mechanism, &self.fixed(), self.payload.len(), out);
        out.extend_from_slice(self.payload);
    }

    /// Appends what stands before a payload that lies in another buffer. The frame's length counts `payload` bytes: in
    /// DCE style it is to count none.
    pub fn encode_detached(&self, payload: usize, out: &mut Vec<u8>) {
        write_frame(self.mechanism, &self.fixed(), payload, out);
    }

    fn read(frame: Frame<'a>) -> Result<Self, Error> {
        let mut reader = frame.reader;
        let header = head(&mut reader, [2, 1], 6)?;
        let [_, _, a, b, c, d, ..] = *header;
        Ok(Self {
            mechanism: frame.mechanism,
            header,
            sgn_alg: u16::from_le_bytes([a, b]),
            seal_alg: u16::from_le_bytes([c, d]),
            snd_seq: eight(&mut reader, "SND_SEQ")?,
            sgn_cksum: eight(&mut reader, "SGN_CKSUM")?,
            confounder: eight(&mut reader, "Confounder")?,
            payload: reader.rest(),
        })
    }

    const fn fixed(&self) -> [&'a [u8; 8]; 4] {
        [self.header, self.snd_seq, self.sgn_cksum, self.confounder]
    }
}

/// The frame of a GSS token, whose length may count bytes that are not there.
struct Frame<'a> {
    mechanism: Oid<'a>,
    /// The token's length in bytes, as the frame has it.
    declared: usize,
    present: usize,
    /// Stands behind the OID.
    reader: Reader<'a>,
}

const FRAME: &str = "InitialContextToken";

impl<'a> Frame<'a> {
    fn open(token: &'a [u8]) -> Result<Self, Error> {
        let (found, header, content) = Der::new(token).header(FRAME)?;
        if found != tag::APPLICATION_0 {
            return Err(Error::new(0, FRAME, Kind::Unexpected));
        }
        let mut reader = Reader::new(token);
        reader.take(header, FRAME)?;
        let mut der = Der::within(reader.rest(), header);
        let mechanism = der.oid("thisMech")?;
        if ![KERBEROS, KERBEROS_MICROSOFT, KERBEROS_USER_TO_USER].contains(&mechanism) {
            return Err(Error::new(header, "thisMech", Kind::Unexpected));
        }
        reader.take(der.offset().saturating_sub(header), "thisMech")?;
        Ok(Self { mechanism, declared: header.saturating_add(content), present: token.len(), reader })
    }

    /// The length must be that of the bytes that are there, and of `elsewhere` more.
    fn holds(&self, elsewhere: usize) -> Result<(), Error> {
        match self.present.checked_add(elsewhere) {
            Some(total) if total == self.declared => Ok(()),
            _ => Err(Error::new(1, FRAME, Kind::WrongLength)),
        }
    }
}

/// TOK_ID, the algorithms, and from `filler` on FF (RFC 1964 §1.2): eight bytes.
fn head<'a>(reader: &mut Reader<'a>, token_id: [u8; 2], filler: usize) -> Result<&'a [u8; 8], Error> {
    let at = reader.offset();
    let header = eight(reader, "TOK_ID")?;
    if !header.starts_with(&token_id) {
        return Err(Error::new(at, "TOK_ID", Kind::Unexpected));
    }
    match header.iter().skip(filler).all(|byte| *byte == 0xff) {
        true => Ok(header),
        false => Err(Error::new(at.saturating_add(filler), "Filler", Kind::Unexpected)),
    }
}

fn eight<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8; 8], Error> {
    let at = reader.offset();
    reader.take(8, field)?.first_chunk().ok_or(Error::new(at, field, Kind::Truncated))
}

fn write_frame(mechanism: Oid<'_>, parts: &[&[u8; 8]], payload: usize, out: &mut Vec<u8>) {
    let mut inner = Vec::new();
    tlv(tag::OID, mechanism.0, &mut inner);
    parts.iter().for_each(|part| inner.extend_from_slice(*part));
    header(tag::APPLICATION_0, inner.len().saturating_add(payload), out);
    out.extend_from_slice(&inner);
}
