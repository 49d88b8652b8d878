use super::{Flags, Version, field};
use crate::{Error, Writer};

/// NEGOTIATE_MESSAGE (MS-NLMP 2.2.1.1): the client's first token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Negotiate<'a> {
    /// The message as it came: the MIC covers these bytes.
    pub raw: &'a [u8],
    /// What the client can do.
    pub flags: Flags,
    /// The client's domain in the OEM code page, where it says one.
    pub domain: Option<&'a [u8]>,
    /// The client's workstation in the OEM code page, where it says one.
    pub workstation: Option<&'a [u8]>,
    /// The client's version, where it says one.
    pub version: Option<Version>,
}

impl<'a> Negotiate<'a> {
    const TYPE: u32 = 1;

    /// Decodes the message. The shortest form that clients send is signature, type and flags; the name triples and
    /// the version are read where the message has them.
    ///
    /// # Errors
    /// With the offset and the field: too short, another signature or type, a supplied name outside the message.
    pub fn decode(raw: &'a [u8]) -> Result<Self, Error> {
        let mut reader = field::header(raw, Self::TYPE)?;
        let flags = Flags(reader.u32("NegotiateFlags")?);
        let mut message = Self { raw, flags, domain: None, workstation: None, version: None };
        if reader.rest().is_empty() {
            return Ok(message);
        }
        let domain = field::Field::read(&mut reader, "DomainNameFields")?;
        let workstation = field::Field::read(&mut reader, "WorkstationFields")?;
        // A triple counts only when its flag says so (MS-NLMP 2.2.1.1).
        if flags.contains(Flags::OEM_DOMAIN_SUPPLIED) {
            message.domain = Some(domain.bytes(raw)?);
        }
        if flags.contains(Flags::OEM_WORKSTATION_SUPPLIED) {
            message.workstation = Some(workstation.bytes(raw)?);
        }
        if flags.contains(Flags::VERSION) && !reader.rest().is_empty() {
            message.version = Some(Version::read(&mut reader)?);
        }
        Ok(message)
    }

    /// Appends a message with these fields.
    pub fn encode(
        flags: Flags,
        domain: Option<&[u8]>,
        workstation: Option<&[u8]>,
        version: Option<Version>,
        out: &mut Vec<u8>,
    ) {
        let flags = flags
            .with(Flags::OEM_DOMAIN_SUPPLIED, domain.is_some())
            .with(Flags::OEM_WORKSTATION_SUPPLIED, workstation.is_some())
            .with(Flags::VERSION, version.is_some());
        let (domain, workstation) = (domain.unwrap_or_default(), workstation.unwrap_or_default());
        let mut writer = Writer::new(out);
        writer.bytes(&super::SIGNATURE).u32(Self::TYPE).u32(flags.0);
        let mut at = 40;
        field::write(&mut writer, domain.len(), &mut at);
        field::write(&mut writer, workstation.len(), &mut at);
        Version::write(version, &mut writer);
        writer.bytes(domain).bytes(workstation);
    }
}
