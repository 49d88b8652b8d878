//! The SID that a certificate names its account by (KB5014754).

use super::{GeneralName, GeneralNames, oid};
use crate::der::{Der, tag};
use crate::sid::Sid;
use crate::{Error, Kind};

/// The URI that a SID stands behind.
const SID_URI: &str = "tag:microsoft.com,2022-09-14:sid:";

/// Reads `SEQUENCE OF [0] { OID, [0] OCTET STRING }`, whose octets are the SID as text. What has another OID is for
/// others.
pub(super) fn read_extension(der: &Der<'_>) -> Result<Option<Sid>, Error> {
    const FIELD: &str = "NTDS_CA_SECURITY_EXT";
    let mut der = der.clone();
    let mut list = der.take(tag::SEQUENCE, FIELD)?;
    der.finish(FIELD)?;
    let mut named = None;
    while list.peek().is_some() {
        let mut entry = list.take(tag::context(0), FIELD)?;
        if entry.oid(FIELD)? != oid::NTDS_OBJECT_SID {
            continue;
        }
        let at = entry.offset();
        let mut explicit = entry.take(tag::context(0), FIELD)?;
        entry.finish(FIELD)?;
        let text = explicit.bytes(tag::OCTET_STRING, FIELD)?;
        explicit.finish(FIELD)?;
        let sid = std::str::from_utf8(text).ok().and_then(exact).ok_or(Error::new(at, FIELD, Kind::Unexpected))?;
        only(&mut named, sid, at, FIELD)?;
    }
    Ok(named)
}

/// The SID in a URI among a subject's other names.
pub(super) fn among(names: GeneralNames<'_>, at: usize) -> Result<Option<Sid>, Error> {
    const FIELD: &str = "subjectAltName";
    let mut named = None;
    for name in names {
        if let GeneralName::Uri(uri) = name
            && let Some(text) = uri.strip_prefix(SID_URI)
        {
            let sid = exact(text).ok_or(Error::new(at, FIELD, Kind::Unexpected))?;
            only(&mut named, sid, at, FIELD)?;
        }
    }
    Ok(named)
}

/// A SID in the one form that Windows writes: no other text may mean an account.
fn exact(text: &str) -> Option<Sid> {
    text.parse::<Sid>().ok().filter(|sid| sid.to_string() == text)
}

fn only(named: &mut Option<Sid>, sid: Sid, at: usize, field: &'static str) -> Result<(), Error> {
    if named.is_some_and(|before| before != sid) {
        return Err(Error::new(at, field, Kind::Unexpected));
    }
    *named = Some(sid);
    Ok(())
}
