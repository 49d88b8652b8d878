use super::encrypted_data::{typed, write_typed};
use crate::der::{Der, Element, SequenceOf, integer};
use crate::{Error, Kind, Reader, utf16};

/// A list inside: a service that does not know what it holds may ignore it (RFC 4120 §5.2.6.1).
pub const AD_IF_RELEVANT: i32 = 1;
/// The PAC (MS-PAC).
pub const AD_WIN2K_PAC: i32 = 128;
/// The client's encryption types ([`EtypeList`]), for the service to choose a better one (RFC 4537).
pub const AD_ETYPE_NEGOTIATION: i32 = 129;
/// [`RestrictionEntries`] (MS-KILE 2.2.6).
pub const KERB_AUTH_DATA_TOKEN_RESTRICTIONS: i32 = 141;
/// Opaque bytes of a client on the same machine (MS-KILE 2.2.4).
pub const KERB_LOCAL: i32 = 142;
/// [`ApOptions`] (MS-KILE 2.2.7).
pub const KERB_AP_OPTIONS: i32 = 143;
/// The name that the client was asked to reach, for [`client_target`] (MS-KILE 3.2.5.8).
pub const KERB_AUTH_DATA_CLIENT_TARGET: i32 = 144;

/// One element: ad-type and ad-data.
pub type AuthorizationEntry<'a> = (i32, &'a [u8]);

/// AuthorizationData (RFC 4120 §5.2.6). [`flatten`](Self::flatten) looks into AD-IF-RELEVANT too.
pub type AuthorizationData<'a> = SequenceOf<'a, AuthorizationEntry<'a>>;

impl<'a> Element<'a> for AuthorizationEntry<'a> {
    const LIST: &'static str = "AuthorizationData";
    const MOST: usize = 64;

    fn read(der: &mut Der<'a>) -> Result<Self, Error> {
        typed(der, "AuthorizationData", "ad-type", "ad-data")
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_typed(self.0, self.1, out);
    }
}

/// EtypeList (RFC 4537 §4): encryption types, the most wanted first.
pub type EtypeList<'a> = SequenceOf<'a, i32>;

impl<'a> Element<'a> for i32 {
    const LIST: &'static str = "EtypeList";
    const MOST: usize = 64;

    fn read(der: &mut Der<'a>) -> Result<Self, Error> {
        der.int32("EtypeList")
    }

    fn write(&self, out: &mut Vec<u8>) {
        integer((*self).into(), out);
    }
}

/// KERB-AD-RESTRICTION-ENTRY (MS-KILE 2.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestrictionEntry<'a> {
    /// 0: `restriction` is an [`LsapTokenInfoIntegrity`].
    pub restriction_type: i32,
    /// The restriction.
    pub restriction: &'a [u8],
}

/// What [`KERB_AUTH_DATA_TOKEN_RESTRICTIONS`] holds.
pub type RestrictionEntries<'a> = SequenceOf<'a, RestrictionEntry<'a>>;

impl<'a> Element<'a> for RestrictionEntry<'a> {
    const LIST: &'static str = "KERB-AD-RESTRICTION-ENTRY";
    const MOST: usize = 16;

    fn read(der: &mut Der<'a>) -> Result<Self, Error> {
        let (restriction_type, restriction) = typed(der, Self::LIST, "restriction-type", "restriction")?;
        Ok(Self { restriction_type, restriction })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_typed(self.restriction_type, self.restriction, out);
    }
}

/// LSAP_TOKEN_INFO_INTEGRITY (MS-KILE 2.2.5): the client's own token. It counts on the client's machine only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LsapTokenInfoIntegrity {
    /// 0: the full token; 1: one that User Account Control restricts.
    pub flags: u32,
    /// The integrity level: 0x1000 low, 0x2000 medium, 0x3000 high, 0x4000 system.
    pub token_il: u32,
    /// Which machine the client runs on.
    pub machine_id: [u8; 32],
}

impl LsapTokenInfoIntegrity {
    /// Decodes the forty bytes. More may stand behind: the structure has none of its own length.
    ///
    /// # Errors
    /// [`Kind::Truncated`] for fewer.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        Ok(Self {
            flags: reader.u32("Flags")?,
            token_il: reader.u32("TokenIL")?,
            machine_id: reader.array("MachineID")?,
        })
    }

    /// Appends the forty bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.flags.to_le_bytes());
        out.extend_from_slice(&self.token_il.to_le_bytes());
        out.extend_from_slice(&self.machine_id);
    }
}

/// KERB-AP-OPTIONS (MS-KILE 2.2.7): what the client knows of this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApOptions(pub u32);

impl ApOptions {
    /// The client binds to the outer channel wherever it sees one.
    pub const CBT: Self = Self(0x4000);
    /// The service's name comes from a source that the client does not trust.
    pub const UNVERIFIED_TARGET_NAME: Self = Self(0x8000);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Decodes the four bytes.
    ///
    /// # Errors
    /// [`Kind::Truncated`] for fewer, [`Kind::WrongLength`] for more.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let options = reader.u32("KERB-AP-OPTIONS")?;
        match reader.rest() {
            [] => Ok(Self(options)),
            _ => Err(Error::new(reader.offset(), "KERB-AP-OPTIONS", Kind::WrongLength)),
        }
    }

    /// Appends the four bytes.
    pub fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }
}

/// The text of [`KERB_AUTH_DATA_CLIENT_TARGET`]: `service/host@REALM`, as UTF-16LE without an end mark.
///
/// # Errors
/// [`Kind::NotUtf16`].
pub fn client_target(data: &[u8]) -> Result<String, Error> {
    utf16::decode(data, 0, "KERB_AUTH_DATA_CLIENT_TARGET")
}
