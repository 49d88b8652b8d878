use super::{Flags, Version, field};
use crate::{Error, Kind, Writer, utf16};

/// Where the MIC stands in AUTHENTICATE.
pub const MIC_OFFSET: usize = 72;
const MIC_END: usize = MIC_OFFSET + 16;

/// AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3): the client's second token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authenticate<'a> {
    /// The message as it came: the MIC covers these bytes.
    pub raw: &'a [u8],
    /// LmChallengeResponse.
    pub lm_response: &'a [u8],
    /// NtChallengeResponse; see [`super::NtResponse::decode`].
    pub nt_response: &'a [u8],
    /// The domain that the client names.
    pub domain: Text<'a>,
    /// The user that the client names.
    pub user: Text<'a>,
    /// The client's computer.
    pub workstation: Text<'a>,
    /// The session key under the key-exchange key; sixteen bytes, or none.
    pub encrypted_session_key: &'a [u8],
    /// The client's final flags.
    pub flags: Flags,
    /// Where the payload begins: it tells whether the version and the MIC are there.
    pub payload_offset: usize,
}

impl<'a> Authenticate<'a> {
    const TYPE: u32 = 3;

    /// Decodes the message. `charset` is what the CHALLENGE chose, and names are in it; where it chose Unicode, a
    /// message whose flags say OEM alone is in OEM. UNICODE in the message's flags does not undo a choice of OEM: wget
    /// sets that bit whatever was chosen.
    ///
    /// # Errors
    /// With the offset and the field: too short, another signature or type, a field outside the message or inside its
    /// fixed part.
    pub fn decode(raw: &'a [u8], charset: Charset) -> Result<Self, Error> {
        let mut reader = field::header(raw, Self::TYPE)?;
        let lm = field::Field::read(&mut reader, "LmChallengeResponseFields")?;
        let nt = field::Field::read(&mut reader, "NtChallengeResponseFields")?;
        let domain = field::Field::read(&mut reader, "DomainNameFields")?;
        let user = field::Field::read(&mut reader, "UserNameFields")?;
        let workstation = field::Field::read(&mut reader, "WorkstationFields")?;
        let key = field::Field::read(&mut reader, "EncryptedRandomSessionKeyFields")?;
        let flags = Flags(reader.u32("NegotiateFlags")?);
        let fixed_end = reader.offset();

        let fields = [lm, nt, domain, user, workstation, key];
        let payload_offset =
            fields.iter().filter_map(field::Field::payload_start).min().unwrap_or(raw.len()).min(raw.len());
        if payload_offset < fixed_end {
            return Err(Error::new(payload_offset, "Payload", Kind::OutOfBounds));
        }
        let says_oem = flags.contains(Flags::OEM) && !flags.contains(Flags::UNICODE);
        let charset = if says_oem { Charset::Oem } else { charset };
        Ok(Self {
            raw,
            lm_response: lm.bytes(raw)?,
            nt_response: nt.bytes(raw)?,
            domain: Text { bytes: domain.bytes(raw)?, charset, field: "DomainName" },
            user: Text { bytes: user.bytes(raw)?, charset, field: "UserName" },
            workstation: Text { bytes: workstation.bytes(raw)?, charset, field: "Workstation" },
            encrypted_session_key: key.bytes(raw)?,
            flags,
            payload_offset,
        })
    }

    /// The MIC, where the fixed part is long enough to hold one. Whether it *must* be there is said by
    /// [`super::AvFlags::MIC`] alone.
    pub fn mic(&self) -> Option<&'a [u8; 16]> {
        if self.payload_offset < MIC_END {
            return None;
        }
        self.raw.get(MIC_OFFSET..)?.first_chunk()
    }

    /// The version, where the fixed part is long enough to hold one.
    pub fn version(&self) -> Option<Version> {
        if self.payload_offset < MIC_OFFSET || !self.flags.contains(Flags::VERSION) {
            return None;
        }
        Version::read(&mut crate::Reader::new(self.raw.get(64..MIC_OFFSET)?)).ok()
    }

    /// Whether the client is anonymous: no user, no NT response, and an LM response that is empty or one zero byte
    /// (MS-NLMP 3.2.5.1.2). The ANONYMOUS flag does not count.
    pub fn is_anonymous(&self) -> bool {
        self.user.bytes.is_empty() && self.nt_response.is_empty() && matches!(self.lm_response, [] | [0])
    }
}

/// How names are written in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-16LE.
    Unicode,
    /// The client's OEM code page.
    Oem,
}

/// A name as it stands in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    /// The bytes as they came.
    pub bytes: &'a [u8],
    /// How they are to be read.
    pub charset: Charset,
    field: &'static str,
}

impl Text<'_> {
    /// The text. OEM bytes are read as UTF-8 where they are that (clients on Unix send their locale's bytes), else as
    /// Latin-1: the message does not say which code page it is in.
    ///
    /// # Errors
    /// [`Kind::NotUtf16`] when the charset is Unicode and the bytes are not.
    pub fn decode(&self) -> Result<String, Error> {
        let mut text = String::new();
        self.decode_into(&mut text)?;
        Ok(text)
    }

    /// Appends the text to `out`; as [`decode`](Self::decode).
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_into(&self, out: &mut String) -> Result<(), Error> {
        match self.charset {
            Charset::Unicode => utf16::decode_into(self.bytes, 0, self.field, out)?,
            Charset::Oem => match std::str::from_utf8(self.bytes) {
                Ok(text) => out.push_str(text),
                Err(_) => out.extend(self.bytes.iter().map(|&byte| char::from(byte))),
            },
        }
        Ok(())
    }
}

/// The fields of an AUTHENTICATE message to be written.
#[derive(Debug, Clone, Default)]
pub struct AuthenticateBuilder<'a> {
    /// LmChallengeResponse.
    pub lm_response: &'a [u8],
    /// NtChallengeResponse.
    pub nt_response: &'a [u8],
    /// DomainName, in the charset of `flags`.
    pub domain: &'a [u8],
    /// UserName, in the charset of `flags`.
    pub user: &'a [u8],
    /// Workstation, in the charset of `flags`.
    pub workstation: &'a [u8],
    /// EncryptedRandomSessionKey.
    pub encrypted_session_key: &'a [u8],
    /// NegotiateFlags.
    pub flags: Flags,
    /// VERSION; zeros when `None`.
    pub version: Option<Version>,
    /// The MIC field: `None` writes no such field at all, as clients before Vista.
    pub mic: Option<[u8; 16]>,
}

impl AuthenticateBuilder<'_> {
    /// Appends the message; names first, then the responses and the key, as Windows orders them.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let names = self.domain.len() + self.user.len() + self.workstation.len();
        let start = if self.mic.is_some() { MIC_END } else { MIC_OFFSET };
        let (mut name_at, mut response_at) = (start, start + names);
        let mut writer = Writer::new(out);
        writer.bytes(&super::SIGNATURE).u32(Authenticate::TYPE);
        field::write(&mut writer, self.lm_response.len(), &mut response_at);
        field::write(&mut writer, self.nt_response.len(), &mut response_at);
        field::write(&mut writer, self.domain.len(), &mut name_at);
        field::write(&mut writer, self.user.len(), &mut name_at);
        field::write(&mut writer, self.workstation.len(), &mut name_at);
        field::write(&mut writer, self.encrypted_session_key.len(), &mut response_at);
        writer.u32(self.flags.0);
        Version::write(self.version, &mut writer);
        if let Some(mic) = self.mic {
            writer.bytes(&mic);
        }
        writer.bytes(self.domain).bytes(self.user).bytes(self.workstation);
        writer.bytes(self.lm_response).bytes(self.nt_response).bytes(self.encrypted_session_key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_charset_that_the_challenge_chose() {
        let message = |flags, user: &[u8]| {
            let mut out = Vec::new();
            AuthenticateBuilder {
                lm_response: &[],
                nt_response: &[0; 24],
                domain: &[],
                user,
                workstation: &[],
                encrypted_session_key: &[],
                flags,
                version: None,
                mic: None,
            }
            .encode(&mut out);
            out
        };
        let (wide, narrow): (&[u8], &[u8]) = (b"a\0n\0n\0", b"ann");
        for (chosen, flags, user) in [
            (Charset::Unicode, Flags::UNICODE, wide),
            (Charset::Unicode, Flags(0), wide),
            (Charset::Unicode, Flags::UNICODE | Flags::OEM, wide),
            (Charset::Unicode, Flags::OEM, narrow),
            (Charset::Oem, Flags::OEM, narrow),
            (Charset::Oem, Flags::UNICODE, narrow), // wget 1.21
        ] {
            let message = message(flags, user);
            let decoded = Authenticate::decode(&message, chosen).unwrap();
            assert_eq!(decoded.user.decode().as_deref(), Ok("ann"), "{chosen:?} {flags:?}");
        }
    }
}
