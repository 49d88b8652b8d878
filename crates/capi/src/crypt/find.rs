//! CertFindCertificateInStore's searches.

use super::fault::Fault;
use super::hash;
use super::layout::{Blob, CertContext, CertInfo};
use super::name;
use super::property;
use super::registry::{Entry, Registry};
use super::room;
use crate::text::{Ansi, Charset as _, Wide};
use std::ffi::c_void;

/// What is looked for.
pub(crate) enum Search {
    Any,
    Sha1(Vec<u8>),
    Md5(Vec<u8>),
    /// A whole name.
    Subject(Vec<u8>),
    Issuer(Vec<u8>),
    /// Part of a name's text, in lower case.
    SubjectText(String),
    IssuerText(String),
    /// Issuer and serial number.
    Numbered(Vec<u8>, Vec<u8>),
    /// Who issued the certificate of this context.
    IssuerOf(*const CertContext),
    /// The same certificate as this context's.
    Existing(*const CertContext),
    HasProperty(u32),
    HasKey,
}

impl Search {
    /// # Safety
    /// `parameter` is what the kind asks for.
    pub(crate) unsafe fn of(kind: u32, parameter: *const c_void) -> Result<Self, Fault> {
        // SAFETY: the caller says that a blob stands there where one is asked for, and a text, a CERT_INFO or a DWORD.
        unsafe {
            Ok(match kind {
                0 => Self::Any,
                0x0001_0000 => Self::Sha1(blob(parameter)?),
                0x0004_0000 => Self::Md5(blob(parameter)?),
                0x0002_0004 => Self::Issuer(blob(parameter)?),
                0x0002_0007 => Self::Subject(blob(parameter)?),
                0x0005_0000 if !parameter.is_null() => Self::HasProperty(parameter.cast::<u32>().read_unaligned()),
                0x0007_0004 => Self::IssuerText(lower(Ansi::read(parameter)?)?),
                0x0008_0004 => Self::IssuerText(lower(Wide::read(parameter)?)?),
                0x0007_0007 => Self::SubjectText(lower(Ansi::read(parameter)?)?),
                0x0008_0007 => Self::SubjectText(lower(Wide::read(parameter)?)?),
                0x000b_0000 if !parameter.is_null() => {
                    let info = parameter.cast::<CertInfo>().read_unaligned();
                    let bytes = |blob: Blob| room::bytes(blob.pbData, blob.cbData).map(<[u8]>::to_vec);
                    Self::Numbered(bytes(info.Issuer)?, bytes(info.SerialNumber)?)
                }
                0x000c_0000 => Self::IssuerOf(parameter.cast()),
                0x000d_0000 => Self::Existing(parameter.cast()),
                0x0015_0000 => Self::HasKey,
                _ => return Err(Fault::INVALID_ARGUMENT),
            })
        }
    }

    pub(crate) fn fits(&self, registry: &Registry, entry: &Entry) -> bool {
        let encoded = entry.shown.encoded();
        let Ok(parsed) = entry.shown.parsed() else { return false };
        let contains =
            |name: &[u8], part: &str| name::simple(name).is_ok_and(|text| text.to_lowercase().contains(part));
        match self {
            Self::Any => true,
            Self::Sha1(wanted) => hash::sha1(encoded) == *wanted,
            Self::Md5(wanted) => hash::md5(encoded) == *wanted,
            Self::Subject(wanted) => parsed.subject.raw() == wanted.as_slice(),
            Self::Issuer(wanted) => parsed.issuer.raw() == wanted.as_slice(),
            Self::SubjectText(part) => contains(parsed.subject.raw(), part),
            Self::IssuerText(part) => contains(parsed.issuer.raw(), part),
            Self::Numbered(issuer, serial) => {
                parsed.issuer.raw() == issuer.as_slice() && parsed.serial.iter().rev().eq(serial.iter())
            }
            Self::IssuerOf(context) => {
                let of = registry.context(*context).ok().and_then(|entry| entry.shown.parsed().ok());
                of.is_some_and(|of| of.issuer.raw() == parsed.subject.raw())
            }
            Self::Existing(context) => registry.context(*context).is_ok_and(|of| of.shown.encoded() == encoded),
            Self::HasProperty(id) => property::has(entry, *id),
            Self::HasKey => entry.properties.has_key(),
        }
    }
}

fn lower(text: Option<String>) -> Result<String, Fault> {
    text.map(|text| text.to_lowercase()).ok_or(Fault::INVALID_ARGUMENT)
}

/// # Safety
/// A blob of bytes stands there, or it is null.
unsafe fn blob(at: *const c_void) -> Result<Vec<u8>, Fault> {
    if at.is_null() {
        return Err(Fault::INVALID_ARGUMENT);
    }
    // SAFETY: as the caller says.
    let blob = unsafe { at.cast::<Blob>().read_unaligned() };
    // SAFETY: as the caller says.
    unsafe { room::bytes(blob.pbData, blob.cbData) }.map(<[u8]>::to_vec)
}
