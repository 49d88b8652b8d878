use super::{AvPairs, Flags, Version, field};
use crate::{Error, Writer};

/// CHALLENGE_MESSAGE (MS-NLMP 2.2.1.2): the server's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// TargetName as it stands in the message: UTF-16LE or OEM by the flags.
    pub target_name: &'a [u8],
    /// What the server chose.
    pub flags: Flags,
    /// Eight fresh random bytes.
    pub server_challenge: [u8; 8],
    /// The AV pairs, up to and with their end mark; empty when the server sent none.
    pub target_info: &'a [u8],
    /// The server's version, where it says one.
    pub version: Option<Version>,
}

impl<'a> Challenge<'a> {
    const TYPE: u32 = 2;
    const FIXED: usize = 56;

    /// Decodes the message.
    ///
    /// # Errors
    /// With the offset and the field: too short, another signature or type, a field outside the message.
    pub fn decode(raw: &'a [u8]) -> Result<Self, Error> {
        let mut reader = field::header(raw, Self::TYPE)?;
        let target_name = field::Field::read(&mut reader, "TargetNameFields")?;
        let flags = Flags(reader.u32("NegotiateFlags")?);
        let server_challenge = reader.array("ServerChallenge")?;
        reader.u64("Reserved")?;
        let target_info = field::Field::read(&mut reader, "TargetInfoFields")?;
        let version = if flags.contains(Flags::VERSION) { Some(Version::read(&mut reader)?) } else { None };
        Ok(Self {
            target_name: target_name.bytes(raw)?,
            flags,
            server_challenge,
            target_info: target_info.bytes(raw)?,
            version,
        })
    }

    /// The AV pairs of TargetInfo.
    pub fn av_pairs(&self) -> AvPairs<'a> {
        AvPairs::new(self.target_info)
    }

    /// The length of what [`encode`](Self::encode) appends.
    pub fn encoded_len(&self) -> usize {
        Self::FIXED + self.target_name.len() + self.target_info.len()
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut writer = Writer::new(out);
        let mut at = Self::FIXED;
        writer.bytes(&super::SIGNATURE).u32(Self::TYPE);
        field::write(&mut writer, self.target_name.len(), &mut at);
        writer.u32(self.flags.0).bytes(&self.server_challenge).u64(0);
        field::write(&mut writer, self.target_info.len(), &mut at);
        Version::write(self.version, &mut writer);
        writer.bytes(self.target_name).bytes(self.target_info);
    }
}
