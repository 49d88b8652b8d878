use crate::{Error, Kind, Reader};

/// Flags of a GSS context, as the client puts them into its checksum (RFC 4121 §4.1.1.1, RFC 4757 §7.1, MS-KILE 3.4.5).
pub mod gss_flag {
    /// The client gives its credentials to the service.
    pub const DELEG: u32 = 0x1;
    /// The service must prove itself.
    pub const MUTUAL: u32 = 0x2;
    /// Messages that come twice are to be noticed.
    pub const REPLAY: u32 = 0x4;
    /// Messages out of order are to be noticed.
    pub const SEQUENCE: u32 = 0x8;
    /// Messages may be sealed.
    pub const CONF: u32 = 0x10;
    /// Messages may be signed.
    pub const INTEG: u32 = 0x20;
    /// Three messages without frames.
    pub const DCE_STYLE: u32 = 0x1000;
    /// The client can be asked who it is, and nothing else.
    pub const IDENTIFY: u32 = 0x2000;
    /// The client understands KERB_EXT_ERROR.
    pub const EXTENDED_ERROR: u32 = 0x4000;
}

/// The checksum of type 0x8003 in an authenticator (RFC 4121 §4.1.1): no checksum at all, but what the client wants of
/// the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GssChecksum<'a> {
    /// Bnd: the MD5 of the channel bindings; sixteen zeros where the client has none.
    pub bindings: &'a [u8; 16],
    /// [`gss_flag`]s.
    pub flags: u32,
    /// Deleg: a [`KrbCred`](super::KrbCred). It is there exactly when [`gss_flag::DELEG`] is set.
    pub delegation: Option<&'a [u8]>,
    /// Exts: what stands behind.
    pub extensions: &'a [u8],
}

impl<'a> GssChecksum<'a> {
    /// Its cksumtype.
    pub const TYPE: i32 = 0x8003;

    /// Decodes the checksum.
    ///
    /// # Errors
    /// [`Kind::Truncated`] with the field that is cut short, [`Kind::WrongLength`] for bindings of another length than
    /// sixteen, [`Kind::Unexpected`] for another DlgOpt than 1.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        const LENGTH: u32 = 16;
        let mut reader = Reader::new(bytes);
        if reader.u32("Lgth")? != LENGTH {
            return Err(Error::new(0, "Lgth", Kind::WrongLength));
        }
        let at = reader.offset();
        let bindings = reader.take(16, "Bnd")?;
        let bindings = bindings.first_chunk().ok_or(Error::new(at, "Bnd", Kind::Truncated))?;
        let flags = reader.u32("Flags")?;
        let delegation = if flags & gss_flag::DELEG != 0 { Some(delegation(&mut reader)?) } else { None };
        Ok(Self { bindings, flags, delegation, extensions: reader.rest() })
    }

    /// Appends the checksum; a delegation only where the flag is set, and one of 65 535 bytes at most.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&16u32.to_le_bytes());
        out.extend_from_slice(self.bindings);
        out.extend_from_slice(&self.flags.to_le_bytes());
        if self.flags & gss_flag::DELEG != 0 {
            let delegation = self.delegation.unwrap_or_default();
            let length = u16::try_from(delegation.len()).unwrap_or(u16::MAX);
            out.extend_from_slice(&DLG_OPT.to_le_bytes());
            out.extend_from_slice(&length.to_le_bytes());
            out.extend(delegation.iter().take(length.into()));
        }
        out.extend_from_slice(self.extensions);
    }
}

/// The one delegation option.
const DLG_OPT: u16 = 1;

fn delegation<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Error> {
    let at = reader.offset();
    if reader.u16("DlgOpt")? != DLG_OPT {
        return Err(Error::new(at, "DlgOpt", Kind::Unexpected));
    }
    let length = usize::from(reader.u16("Dlgth")?);
    reader.take(length, "Deleg")
}
