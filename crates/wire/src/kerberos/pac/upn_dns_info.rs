use crate::sid::Sid;
use crate::{Error, Kind, Reader, utf16};

/// An UPN_DNS_INFO (MS-PAC 2.10): the names under which the directory knows the client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpnDnsInfo {
    /// The user principal name.
    pub upn: String,
    /// The domain's DNS name.
    pub dns_domain: String,
    /// [`Self::UPN_MADE_UP`], [`Self::HAS_SAM_NAME_AND_SID`].
    pub flags: u32,
    /// The account's name in the domain, when the KDC says it.
    pub sam_name: Option<String>,
    /// The account's SID, when the KDC says it.
    pub sid: Option<Sid>,
}

impl UpnDnsInfo {
    /// The directory has no user principal name: this one is the account's name and the domain's DNS name.
    pub const UPN_MADE_UP: u32 = 1;
    /// The account's name and SID are there.
    pub const HAS_SAM_NAME_AND_SID: u32 = 2;

    /// Reads the buffer.
    ///
    /// # Errors
    /// [`Kind::OutOfBounds`] for a name or SID that is not in the buffer behind the fixed part, [`Kind::WrongLength`]
    /// for a SID of another length than is said, [`Kind::NotUtf16`], [`Kind::Truncated`], and as [`Sid::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut fixed = Reader::new(bytes);
        let upn = Field::read(&mut fixed, "Upn")?;
        let dns_domain = Field::read(&mut fixed, "DnsDomainName")?;
        let flags = fixed.u32("Flags")?;
        let extended = flags & Self::HAS_SAM_NAME_AND_SID != 0;
        let extra =
            if extended { Some((Field::read(&mut fixed, "SamName")?, Field::read(&mut fixed, "Sid")?)) } else { None };
        let header = fixed.offset();
        let text = |field: &Field| utf16::decode(field.within(bytes, header)?, field.offset, field.name);
        let (upn, dns_domain) = (text(&upn)?, text(&dns_domain)?);
        let (sam_name, sid) = match extra {
            Some((sam_name, sid)) => (Some(text(&sam_name)?), Some(sid.sid(bytes, header)?)),
            None => (None, None),
        };
        Ok(Self { upn, dns_domain, flags, sam_name, sid })
    }

    /// Appends the buffer. The flag that announces name and SID is set or cleared by whether both are there. What does
    /// not fit 64 KiB is left out.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let extra = self.sam_name.as_ref().zip(self.sid);
        let mut parts = vec![utf16::encode(&self.upn), utf16::encode(&self.dns_domain)];
        let mut flags = self.flags & !Self::HAS_SAM_NAME_AND_SID;
        if let Some((sam_name, sid)) = extra {
            flags |= Self::HAS_SAM_NAME_AND_SID;
            let mut binary = Vec::new();
            sid.encode_into(&mut binary);
            parts.extend([utf16::encode(sam_name), binary]);
        }
        let header = if extra.is_some() { FIXED + EXTRA } else { FIXED }.next_multiple_of(8);
        let (mut fixed, mut payload) = (Vec::new(), Vec::new());
        for (number, part) in parts.iter().enumerate() {
            let (mut len, offset) = (u16::try_from(part.len()), u16::try_from(header + payload.len()));
            if len.is_err() || offset.is_err() {
                len = Ok(0);
            } else {
                payload.extend_from_slice(part);
                payload.resize(payload.len().next_multiple_of(8), 0);
            }
            fixed.extend_from_slice(&len.unwrap_or(0).to_le_bytes());
            fixed.extend_from_slice(&offset.unwrap_or(0).to_le_bytes());
            if number == 1 {
                fixed.extend_from_slice(&flags.to_le_bytes());
            }
        }
        fixed.resize(header, 0);
        out.extend_from_slice(&fixed);
        out.extend_from_slice(&payload);
    }
}

/// Length of the fixed part up to the flags.
const FIXED: usize = 12;

/// Length of what the fixed part has more with name and SID.
const EXTRA: usize = 8;

/// A length and an offset from the buffer's start.
struct Field {
    len: usize,
    offset: usize,
    /// Where it stands itself.
    at: usize,
    name: &'static str,
}

impl Field {
    fn read(fixed: &mut Reader<'_>, name: &'static str) -> Result<Self, Error> {
        let at = fixed.offset();
        let (len, offset) = (usize::from(fixed.u16(name)?), usize::from(fixed.u16(name)?));
        Ok(Self { len, offset, at, name })
    }

    /// What lies in the buffer and behind its fixed part of `header` bytes. Of nothing the offset does not matter.
    fn within<'a>(&self, bytes: &'a [u8], header: usize) -> Result<&'a [u8], Error> {
        if self.len == 0 {
            return Ok(&[]);
        }
        let found = if self.offset < header { None } else { bytes.get(self.offset..self.offset + self.len) };
        found.ok_or(Error::new(self.at, self.name, Kind::OutOfBounds))
    }

    fn sid(&self, bytes: &[u8], header: usize) -> Result<Sid, Error> {
        let mut reader = Reader::new(self.within(bytes, header)?);
        let sid = Sid::decode(&mut reader).map_err(|error| Error { offset: self.offset + error.offset, ..error })?;
        if reader.rest().is_empty() { Ok(sid) } else { Err(Error::new(self.at, self.name, Kind::WrongLength)) }
    }
}
