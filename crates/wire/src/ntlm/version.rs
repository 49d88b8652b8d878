use crate::{Error, Reader, Writer};

/// VERSION (MS-NLMP 2.2.2.10): for people who debug; nothing may act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Product major version.
    pub major: u8,
    /// Product minor version.
    pub minor: u8,
    /// Product build.
    pub build: u16,
    /// NTLMRevisionCurrent; 15 since Windows Server 2003.
    pub revision: u8,
}

impl Version {
    /// Length in bytes.
    pub const LEN: usize = 8;

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let (major, minor) = (reader.u8("ProductMajorVersion")?, reader.u8("ProductMinorVersion")?);
        let build = reader.u16("ProductBuild")?;
        let [_, _, _, revision] = reader.array("NTLMRevisionCurrent")?;
        Ok(Self { major, minor, build, revision })
    }

    pub(super) fn write(version: Option<Self>, writer: &mut Writer<'_>) {
        match version {
            Some(v) => writer.u8(v.major).u8(v.minor).u16(v.build).bytes(&[0, 0, 0, v.revision]),
            None => writer.u64(0),
        };
    }
}
